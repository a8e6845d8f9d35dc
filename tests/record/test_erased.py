"""Erased lines count by their hashes where the record says that they were erased; nothing hides behind that."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cast import House, do
from conftest import NAMED, Erase
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import record
from postroom.changes.edit import Edit
from postroom.changes.erase import hashed
from postroom.models import RecordedEdit
from postroom.record import check_bundle
from postroom.record.export import NotSignedYet, export
from postroom.record.sequencer import Sequencer
from postroom.record.signer import Signer
from postroom.record.stored import Erased, Stored
from postroom.record.verify import Verification


class Undone(Exception):
    """Leaves a transaction and takes what it did along."""


@pytest.fixture
def problems(signer: Signer) -> Callable[..., list[str]]:
    def found(connection: psycopg.Connection[Any], client: Any = None) -> list[str]:
        over = Verification(connection, signer.who, [signer.last])
        return (over.of_client(client) if client else over.whole()).problems

    return found


def test_what_was_erased_verifies_whole_by_client_and_exported(
    entries: dict[str, Any], problems: Any, connect: Any, signer: Signer, tmp_path: Path, sql: Any
) -> None:
    system = connect("postroom_system")
    assert sql("SELECT count(*) FROM edits WHERE hashed IS NOT NULL") == [(8,)]
    assert problems(system) == []
    for client in {client for _, _, client in entries.values()}:
        assert problems(system, client) == []
        folder = tmp_path / str(client)
        export(system, client, signer.who, tmp_path / f"{client}.zip")
        zipfile.ZipFile(tmp_path / f"{client}.zip").extractall(folder)
        assert check_bundle.main(folder, str(signer.who)) == []


def test_what_was_erased_a_moment_ago_verifies_too_and_is_exported_when_it_is_signed(
    entries: dict[str, Any], problems: Any, connect: Any, signer: Signer, sequencer: Sequencer, erase: Erase,
    house: House, tmp_path: Path,
) -> None:  # fmt: skip
    system, signs = connect("postroom_system"), connect("postroom_signer")
    change = do("clients.change", house.olive, client="acme", notes=f"{NAMED} again")
    sequencer.place()
    signer.sign(signs)
    erase(change)
    acme = entries["first"][2]
    assert problems(system) == problems(system, acme) == [], "its entry has no place yet"
    with pytest.raises(NotSignedYet):
        export(system, acme, signer.who, tmp_path / "a.zip")
    sequencer.place()
    assert problems(system) == problems(system, acme) == []
    with pytest.raises(NotSignedYet):
        export(system, acme, signer.who, tmp_path / "a.zip")
    signer.sign(signs)
    assert export(system, acme, signer.who, tmp_path / "a.zip")


ERASE = (
    "UPDATE edits SET before = NULL, after = NULL, salt = '', hashed = %(hash)s"
    " WHERE entry_id = %(entry)s AND n = %(n)s"
)
NOT_RECORDED = "erased without a record of it"
MORE = "there is more of it than its hash"


def tamperings(entries: dict[str, Any], hashes: dict[tuple[int, int], bytes]) -> Iterator[tuple[str, Any, str]]:
    """What an intruder does, as (statement, its values, what verify says of it)."""
    three, first, second, kept, part = (entries[name][0] for name in ("three", "first", "second", "kept", "part"))
    erasing, elsewhere = entries["erasing"][0], entries["elsewhere"][0]
    for n in (0, 1):
        yield ERASE, {"entry": kept, "n": n, "hash": hashes[kept, n]}, NOT_RECORDED  # no entry at all
    yield ERASE, {"entry": second, "n": 0, "hash": hashes[second, 0]}, NOT_RECORDED  # another line than was named
    yield ERASE, {"entry": erasing, "n": 1, "hash": hashes[erasing, 1]}, NOT_RECORDED  # what says it
    say = "UPDATE edits SET {} WHERE entry_id = %s AND n = 1"
    yield say.format("hashed = sha256('x')"), [first], "not what was recorded"
    yield say.format("hashed = '\\x00'"), [first], MORE
    yield say.format("hashed = hashed || hashed"), [first], MORE
    two, less = hashes[three, 1] + hashes[three, 2], "WITH x AS (DELETE FROM edits WHERE entry_id = %s AND n = 2)"
    yield f"{less} UPDATE edits SET hashed = '\\x{two.hex()}' WHERE entry_id = %s AND n = 1", [three, three], MORE
    yield say.format("""after = '{"notes": "planted"}'"""), [first], MORE
    yield say.format("before = '{}'"), [first], MORE
    yield say.format("salt = 'x'"), [first], MORE
    yield say.format("hashed = NULL"), [first], "not what was recorded"
    named = "after = jsonb_set(after, '{lines,0,n}', '7')"
    yield say.format(named), [part], NOT_RECORDED
    yield "UPDATE entries SET at = at - interval '1 day' WHERE id = %s", [first], "its time is not"
    yield "UPDATE entries SET version = version + 500 WHERE id = %s", [first], "version"
    yield "DELETE FROM edits WHERE entry_id = %s AND n = 1", [first], "not what was recorded"
    whole = "UPDATE {0} SET client_id = (SELECT client_id FROM entries WHERE id = %s) WHERE {1} = {2}"
    yield whole.format("entries", "id", erasing), [elsewhere], NOT_RECORDED  # said at another client
    aged = "UPDATE entries SET at = at - interval '1 minute' WHERE id = %s RETURNING id"
    yield f"WITH x AS ({aged}) DELETE FROM places WHERE entry_id IN (SELECT id FROM x)", [erasing], NOT_RECORDED


def test_nothing_hides_behind_an_erasure(entries: dict[str, Any], problems: Any, connect: Any) -> None:
    with acting_as(SYSTEM):
        hashes = {(e.entry_id, e.n): hashed(e) for e in RecordedEdit.objects.all()}
    intruder = connect("postgres")
    intruder.execute("SET session_replication_role = replica")
    for statement, values, expected in tamperings(entries, hashes):
        with pytest.raises(Undone), intruder.transaction():
            assert intruder.execute(statement.encode(), values).rowcount == 1, statement
            assert any(expected in one for one in problems(intruder)), (statement, values, problems(intruder))
            raise Undone
    assert problems(intruder) == []


def test_an_erasing_entry_of_another_client_accounts_for_nothing(
    entries: dict[str, Any], problems: Any, connect: Any, sequencer: Sequencer, house: House, sql: Any
) -> None:
    """Forged with the application's own rights: on the record, and no use."""
    ((acme_kept, leaf, acme), (_, _, globex)) = entries["kept"], entries["other"]
    said = {"leaf": leaf, "lines": [{"n": 1}], "entry_id": acme_kept}

    head = {"client_id": str(globex), "version": None, "at": "2026-01-01T00:00:00+00:00"}
    with acting_as(SYSTEM):
        lines = [
            Edit("events", str(globex), None, head, globex),
            Edit("erasures", str(globex), None, said, globex),
        ]
        record._entry(globex, None, lines)
        kept = hashed(RecordedEdit.objects.get(entry=acme_kept, n=1))
    sequencer.place()
    intruder = connect("postgres")
    intruder.execute("SET session_replication_role = replica")
    intruder.execute(ERASE.encode(), {"entry": acme_kept, "n": 1, "hash": kept})
    assert any(NOT_RECORDED in one for one in problems(intruder))
    assert any(NOT_RECORDED in one for one in problems(intruder, acme))


def test_only_a_later_entry_accounts_for_what_was_erased() -> None:
    leaf, now = bytes(32), datetime.now(UTC)
    gone = Stored(0, 0, "a", 1, "a", 1, leaf, now, [(["changes", "x", None, None], b"", bytes(32))])
    kept = {"at": now.isoformat(), "version": 1}
    said = ["erasures", "y", None, {"leaf": leaf.hex(), "lines": [{"n": 0, "kept": kept}]}]
    head: Any = (["changes", "z", None, {}], b"s", None)
    says = Stored(1, 1, "a", 2, "a", 2, b"", now, [head, (said, b"s", None)])
    for order, left in (((gone, says), []), ((says, gone), ["entry at 0: line 0 was erased without a record of it"])):
        erased = Erased()
        assert [problem for one in order for problem in erased.of(one, one.leaf or b"")] == []
        assert list(erased.left()) == left
    for rubbish in (None, 1, "x", [], {"leaf": leaf.hex(), "lines": [1, {}, {"n": "0"}, {"n": None}]}):
        assert list(erased.accounted("a", rubbish)) == [] and erased.waiting


# The same of what was taken away.


def blank(line: dict[str, Any], hashes: str) -> None:
    line.update(before=None, after=None, salt="", hashed=hashes)


def test_what_is_hidden_in_an_export_is_found(
    entries: dict[str, Any], connect: Any, signer: Signer, tmp_path: Path
) -> None:
    folder = taken(connect, entries["first"][2], signer, tmp_path)
    whole = (folder / "entries.jsonl").read_text()
    assert check_bundle.main(folder, str(signer.who)) == []
    for hide, expected in HIDDEN.items():
        one = [json.loads(line) for line in whole.splitlines()]
        hide(one)
        (folder / "entries.jsonl").write_text("".join(json.dumps(line) + "\n" for line in one))
        assert any(expected in said for said in check_bundle.main(folder, str(signer.who))), hide.__name__


def taken(connect: Any, client: Any, signer: Signer, tmp_path: Path) -> Path:
    export(connect("postroom_system"), client, signer.who, tmp_path / "a.zip")
    zipfile.ZipFile(tmp_path / "a.zip").extractall(tmp_path / "a")
    return tmp_path / "a"


def _salted(line: dict[str, Any]) -> str:
    parts = [line["table"], line["row"], line["before"], line["after"]]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(bytes.fromhex(line["salt"]) + text.encode()).hexdigest()


def _erased(one: list[Any]) -> Any:
    return next(each for each in one if "hashed" in each["lines"][0])


def a_line_blanked(one: list[Any]) -> None:
    line = next(e for e in one if e["version"] and "hashed" not in e["lines"][0])["lines"][1]
    blank(line, _salted(line))


def the_erasing_line_blanked(one: list[Any]) -> None:
    line = next(e for e in one if len(e["lines"]) > 1 and e["lines"][1]["table"] == "erasures")["lines"][1]
    blank(line, _salted(line))


def something_planted(one: list[Any]) -> None:
    _erased(one)["lines"][1]["after"] = {"notes": "planted"}


def two_lines_as_one(one: list[Any]) -> None:
    lines = next(each for each in one if len(each["lines"]) == 3 and "hashed" in each["lines"][1])["lines"]
    lines[1]["hashed"] += lines.pop()["hashed"]


def another_hash(one: list[Any]) -> None:
    _erased(one)["lines"][1]["hashed"] = "00" * 32


HIDDEN: dict[Callable[[list[Any]], None], str] = {
    a_line_blanked: NOT_RECORDED,
    the_erasing_line_blanked: NOT_RECORDED,
    something_planted: MORE,
    two_lines_as_one: MORE,
    another_hash: "not what was signed",
}
