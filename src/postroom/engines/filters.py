"""The script that the control plane keeps for a mailbox, put where Dovecot runs it: each revision once, and read back.

Under a name of its own, beside what its owner uploads. Once a revision was put, and read back as the one in force, it
is never put again: a script that somebody uploads afterwards stays, and the scan (sieve_scripts.py) tells of it. Before
it is put it is compiled, bounded and by nobody (sieve_box.py): what the compiler refuses never comes near the mailbox.
"""

import base64
import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from . import asking, maps
from .asking import ParentAway
from .doveadm import Doveadm, DoveadmAway
from .layout import NodeConfig
from .read_back import ReadBack
from .source import Todo

NAME = "postroom"
TURN = 5.0  # seconds of one round that scripts may take; what has no turn then has it in the next
MOST_REFUSED = 1_000  # that are remembered, so as not to be compiled again

Row = dict[str, Any]


@dataclass(frozen=True)
class Put:
    """What was put last of a mailbox. said: what was read back then; None where that was not yet as it shall be."""

    address: str
    revision: int
    said: Row | None


@dataclass(frozen=True)
class Reading:
    """Which script is in force at a mailbox, by its name, and which others there are; digest: of ours, if it is in
    force."""

    active: str
    names: frozenset[str]
    digest: str = ""

    @property
    def said(self) -> Row:
        return {"active": self.active, "digest": self.digest}

    def is_as(self, row: Row) -> bool:
        if row["active"]:
            return self.active == NAME and self.digest == row["digest"]
        return not self.active if row["clears"] else self.active != NAME


class Filters:
    def __init__(self, config: NodeConfig, files: maps.Files, doveadm: Doveadm) -> None:
        self.config, self.files, self.doveadm = config, files, doveadm
        self.refused: dict[str, str] = {}  # digest → why; of whichever mailbox, so it names none

    def judge(self, todo: Sequence[Todo], read: list[ReadBack]) -> list[ReadBack]:
        """Put what is to be put; what was found of each is in its result."""
        results, until = {one.todo: one for one in read}, time.monotonic() + TURN
        for one in todo:
            if one.object != "filter" or (result := results.get(one.todo)) is None:
                continue
            if time.monotonic() > until:
                result.unknown("its turn did not come yet")
                continue
            try:
                self._one(one, result)
            except (ParentAway, DoveadmAway) as error:
                result.unknown(f"sieve: {error}")
        return read

    def _one(self, todo: Todo, result: ReadBack) -> None:
        rows = (todo.compiled or {}).get("secrets", {}).get("filter", [])
        put = self._put(todo.id)
        if not rows:
            self._taken_out(todo.id, put)
            return
        row: Row = rows[0]
        if put is None or put.revision < row["revision"] or (row["clears"] and put.said is None):
            put = self._placed(todo, row, put, result)
        if put is not None and put.said is None:
            put = self._read_back(todo.id, row, result)
        if put is not None and put.said is not None:
            self._evidence(row, put.said, result)

    def _placed(self, todo: Todo, row: Row, before: Put | None, result: ReadBack) -> Put | None:
        """None where it could not be: `result` says why. Where no change asks for it, as after a file was lost, nothing
        that is there is written over."""
        reading = self._reading(row["address"])
        unasked = todo.change is None and before is None
        if unasked and not reading.is_as(row) and (reading.active or NAME in reading.names):
            return self._keep(todo.id, row, reading.said)
        if row["active"] and not reading.is_as(row):
            if why := self._why_not(row):
                result.differs(why)
                return None
            self.doveadm.put_script(row["address"], NAME, _text(row))
        elif not row["active"] and not reading.is_as(row):
            self.doveadm.no_script(row["address"])
        return self._keep(todo.id, row, None)

    def _read_back(self, id: UUID, row: Row, result: ReadBack) -> Put | None:
        reading = self._reading(row["address"])
        if reading.is_as(row):
            return self._keep(id, row, reading.said)
        result.differs(f"the script in force at {row['address']} is {reading.active or 'none'}")
        return None

    def _taken_out(self, id: UUID, put: Put | None) -> None:
        """The mailbox may be gone with it, and then there is nobody whose script could be in force."""
        if put is None:
            return
        known = "SELECT 1 FROM mailbox WHERE address = ?"
        there = self.files.maps.connection.execute(known, (put.address,)).fetchone()
        if there and self._reading(put.address).active == NAME:
            self.doveadm.no_script(put.address)
        self.files.secrets.connection.execute("DELETE FROM filter_put WHERE object = ?", (str(id),))

    def _why_not(self, row: Row) -> str:
        """Where the compiler refuses the script; empty where it takes it."""
        digest = row["digest"]
        if digest not in self.refused:
            answer = self._ask({"ask": "sieve dump", "text": row["script"]})
            if "dump" in answer:
                return ""
            if answer["again"]:
                raise ParentAway(_bare(answer["why"]))
            if len(self.refused) >= MOST_REFUSED:
                self.refused.clear()
            self.refused[digest] = _bare(answer["why"])
        return f"the script of {row['address']} was not put: {self.refused[digest]}"

    def _reading(self, address: str) -> Reading:
        (said,) = self._ask({"ask": "sieve", "addresses": [address]})["rows"]
        if said["why"]:
            raise ParentAway(said["why"])
        names = frozenset(one["name"] for one in said["scripts"])
        if said["active"] != NAME:
            return Reading(said["active"], names)
        text = self._ask({"ask": "sieve text", "address": address, "name": NAME})
        digest = hashlib.sha256(base64.b64decode(text.get("text", ""))).hexdigest() if "text" in text else ""
        return Reading(NAME, names, digest)

    def _ask(self, question: Row) -> Row:
        answer = asking.ask(self.config, question)
        if "error" in answer or not answer:
            raise ParentAway(str(answer.get("error", "no answer")))
        return answer

    # What was put: a table that is ours alone, as `closing` is

    def _put(self, id: UUID) -> Put | None:
        query = "SELECT address, revision, said FROM filter_put WHERE object = ?"
        row = self.files.secrets.connection.execute(query, (str(id),)).fetchone()
        return None if row is None else Put(row[0], row[1], json.loads(row[2]) if row[2] else None)

    def _keep(self, id: UUID, row: Row, said: Row | None) -> Put:
        statement = "INSERT OR REPLACE INTO filter_put(object, address, revision, said) VALUES (?, ?, ?, ?)"
        values = (str(id), row["address"], row["revision"], json.dumps(said) if said else None)
        self.files.secrets.connection.execute(statement, values)
        return Put(row["address"], row["revision"], said)

    def _evidence(self, row: Row, said: Row, result: ReadBack) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        question = f"sieve script of {row['address']}, revision {row['revision']}"
        where = f"dovecot sieve at {self.config.address}"
        result.evidence.append({"question": question, "answer": said, "server": where, "at": now})


def _text(row: Row) -> str:
    return base64.b64decode(row["script"]).decode()


def _bare(why: str) -> str:
    """Without the compiler's words, which quote the script: an owner's is theirs, and this stands at the change."""
    if refused := re.match(r"the compiler refuses it: (line \d+): ", why):
        return f"{refused[1]}: the compiler refuses it"
    return why.partition(":")[0]
