"""A source played from a folder: for tests, benches and a node without a control plane. Same rules, no database.

    objects/<id>.json   everything there is; rebuild puts it all back on the list
    todo/<number>.json  the list
    acks.jsonl reports.jsonl   what the node said

The agent and whoever fills the folder are different users: a rename is how either makes a file appear whole.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from .source import Compiled, Evidence, Sort, SourceAway, Todo


class FakeSource:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("objects", "todo"):
            (folder / part).mkdir(parents=True, exist_ok=True)
            if (folder / part).stat().st_uid == os.geteuid():
                (folder / part).chmod(0o777)

    # The control plane's side

    def put(self, object: Sort, id: UUID, compiled: Compiled | None, change: UUID | None = None) -> int:
        """On the list, as one apply would; its number."""
        value = {"object": object, "id": str(id), "change": change and str(change), "compiled": compiled}
        if compiled is None:
            (self.folder / f"objects/{id}.json").unlink(missing_ok=True)
        else:
            self._write(self.folder / f"objects/{id}.json", value)
        number = time.time_ns()
        self._write(self.folder / f"todo/{number}.json", value)
        return number

    def evidence(self, todo: int) -> Evidence | None:
        """What was acknowledged for this number; None while it is on the list."""
        for line in self._lines("acks.jsonl"):
            if line["todo"] == todo:
                return list(line["evidence"])
        return None

    def reported(self, sort: str) -> list[dict[str, Any]]:
        return [row for line in self._lines("reports.jsonl") if line["sort"] == sort for row in line["rows"]]

    # The node's side

    def pull(self, at_most: int) -> list[Todo]:
        if (self.folder / "away").exists():
            raise SourceAway("away")
        numbers = sorted(int(path.stem) for path in (self.folder / "todo").glob("[0-9]*.json"))[:at_most]
        return [self._todo(number) for number in numbers]

    def ack(self, agreed: Sequence[tuple[int, Evidence]]) -> None:
        self._append("acks.jsonl", [{"todo": todo, "evidence": evidence} for todo, evidence in agreed])
        for todo, _ in agreed:
            (self.folder / f"todo/{todo}.json").unlink(missing_ok=True)

    def report(self, sort: str, rows: Sequence[dict[str, Any]]) -> None:
        self._append("reports.jsonl", [{"sort": sort, "rows": list(rows)}])

    def rebuild(self) -> None:
        for path in sorted((self.folder / "objects").glob("*.json")):
            self._write(self.folder / f"todo/{time.time_ns()}.json", json.loads(path.read_text()))

    def wait(self, seconds: float) -> bool:
        before, end = self._names(), time.monotonic() + seconds
        while time.monotonic() < end:
            if self._names() - before:
                return True
            time.sleep(0.05)
        return False

    def _names(self) -> set[str]:
        return {name for name in os.listdir(self.folder / "todo") if name[0].isdigit()}

    def _todo(self, number: int) -> Todo:
        value = json.loads((self.folder / f"todo/{number}.json").read_text())
        change = UUID(value["change"]) if value["change"] else None
        return Todo(number, value["object"], UUID(value["id"]), change, value["compiled"])

    def _write(self, path: Path, value: dict[str, Any]) -> None:
        beside = path.with_name(f".{path.name}")
        beside.write_text(json.dumps(value))
        beside.chmod(0o644)
        beside.rename(path)

    def _append(self, name: str, rows: list[dict[str, Any]]) -> None:
        if (self.folder / "away").exists():
            raise SourceAway("away")
        with open(self.folder / name, "a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)

    def _lines(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
