"""Erasure: what named lines hold goes, what has to be known of them stays; and nobody else blanks anything."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from every_kind import head_of

from cast import MIA, House, again, do, kind, reasons, the, with_consent
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.changes import record
from postroom.changes.approvals import approve, replan, undo
from postroom.changes.batch import members, submit_batch
from postroom.changes.erase import ERASED, hashed
from postroom.changes.errors import NothingToDo, NotSeen, Problems
from postroom.changes.history import rows_at, since
from postroom.changes.pipeline import submit
from postroom.cli.audit import audit
from postroom.host.cluster import Cluster
from postroom.models import Change, Client, Entry, Erasure, Mailbox, RecordedEdit
from postroom.queries.about import lines_about
from postroom.queries.changes import timeline, whole
from postroom.queries.objects import listed, one

SECRETIVE, HOME = "Mia Muster", "mia.muster@home.example"
GLOBEX = "mia@globex.example"


def lines_of(*changes: Change) -> list[str]:
    """Every line of every entry of these changes."""
    with acting_as(SYSTEM):
        heads = RecordedEdit.objects.filter(table="changes", row__in=[one.pk for one in changes]).values("entry")
        return [f"{e}.{n}" for e, n in RecordedEdit.objects.filter(entry__in=heads).values_list("entry", "n")]


def erased(house: House, *lines: str) -> Change:
    return with_consent(house, do("record.erase", house.oskar, lines=list(lines), reason="asked for in a letter"))


def noted(house: House, notes: str = f"{SECRETIVE}, {HOME}", client: str = "acme") -> Change:
    """A change of a client that is done at once, with somebody's name in what it sets."""
    return do("clients.change", house.olive, client=client, notes=notes)


def everywhere(text: str, sql: Any) -> list[str]:
    """The tables of the record and around it in which a text stands."""
    tables = ("entries", "edits", "changes", "approvals", "deliveries", "reviews", "batches", "erasures", "due")
    return [t for t in tables if sql(f"SELECT 1 FROM {t} x WHERE x::text ILIKE '%{text}%' LIMIT 1")]


def problems(submitted: Callable[[], Any]) -> list[str]:
    with pytest.raises(Problems) as found:
        submitted()
    return [one.what for one in found.value.problems]


def test_what_was_recorded_of_somebody_goes_and_that_something_was_stays(
    house: House, sql: Any, all_done: Callable[[], None]
) -> None:
    made = do("mailboxes.create", house.olive, address="muster@acme.example", name=SECRETIVE, contact=HOME)
    all_done()
    assert again(made).stage == "verified"
    renamed = do("mailboxes.change", house.olive, mailbox="muster@acme.example", name="M")
    all_done()
    before = sql("SELECT id, leaf FROM entries ORDER BY id")
    with acting_as(SYSTEM):
        hashes = {(e.entry_id, e.n): hashed(e) for e in RecordedEdit.objects.all()}
    lines = lines_of(made, renamed)
    held = do("record.erase", house.oskar, lines=lines, reason="asked for in a letter")
    assert held.stage == "held" and f"erases {len(lines)} lines of the record, for good" in reasons(held)
    assert SECRETIVE not in json.dumps(held.plan) and HOME not in json.dumps(held.plan)
    assert "name" in json.dumps(held.plan), "the names of the fields are shown to whoever approves it"
    done = with_consent(house, held)
    assert done.stage == "verified"

    assert sql("SELECT id, leaf FROM entries ORDER BY id")[: len(before)] == before
    blank = sql("SELECT entry_id, n, before, after, salt, hashed FROM edits WHERE hashed IS NOT NULL ORDER BY 1, 2")
    assert sorted(f"{e}.{n}" for e, n, *_ in blank) == sorted(lines)
    assert {(b, a, bytes(s)) for *_, b, a, s, _ in blank} == {(None, None, b"")}
    assert all(bytes(h) == hashes[e, n] for e, n, *_, h in blank)
    assert everywhere("Muster", sql) == []

    gone = again(made)
    assert (gone.params, gone.why, gone.plan_hash, gone.erased_by_id, gone.kind) == ({}, "", "", done.pk, made.kind)
    with acting_as(house.olive):
        shown = whole(made.pk)
        assert shown["erased"] == {"by": str(done.pk), "at": done.now.isoformat()}
        assert all(e["erased"] for e in shown["edits"]) and len(shown["edits"]) > 1
        (row,) = [item for item in timeline(house.olive, limit=100).items if item["id"] == str(made.pk)]
        assert row["erased"]["by"] == str(done.pk) and row["why"] == ""


def test_history_that_meets_it_says_erased_and_later_changes_are_undone(house: House) -> None:
    acme = the(Client, slug="acme").pk
    first, second, third = (noted(house, notes) for notes in ("one", "two", "three"))
    erased(house, *(line for line in lines_of(second) if not line.endswith(".0")))
    key = ("clients", acme)
    with acting_as(house.olive):
        for at, expected in ((first, ERASED), (second, "two"), (third, "three")):
            version = at.version or 0
            assert one(house.olive, "clients", "acme", at=str(version))["notes"] == expected
        assert rows_at(acme, first.version or 0)[key]["notes"] == "one", "the fold comes from the other side"
        assert rows_at(acme, second.version or 0)[key]["notes"] == ERASED
        assert rows_at(acme, third.version or 0)[key]["notes"] == "three"
        assert whole(second.pk)["erased"] is None and [e["erased"] for e in whole(second.pk)["edits"]] == [True]
    assert problems(lambda: undo(second.pk, actor=house.olive, why="back")) == [
        "what it did was erased from the record: there is nothing to go back to"
    ]
    assert undo(third.pk, actor=house.olive, why="back").stage == "verified"
    assert the(Client, slug="acme").notes == "two", "what a later change started from is in that change"


def test_rows_that_were_made_and_went_are_there_or_not_as_they_were(house: House, all_done: Callable[[], None]) -> None:
    acme = the(Client, slug="acme").pk
    made = do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA])
    all_done()
    gone = undo(made.pk, actor=house.olive, why="back")
    all_done()
    before = made.version or 0
    for change in (made, gone):
        assert again(change).stage == "verified"
        erased(house, *lines_of(change))
    with acting_as(house.olive):
        (key,) = [("aliases", e.row) for e in RecordedEdit.objects.filter(table="aliases").order_by("-entry")[:1]]
        for rows in (since(acme, before)[0], rows_at(acme, before)):
            assert rows[key]["targets"] == ERASED
            assert (rows[key]["id"], rows[key]["client_id"]) == (str(key[1]), str(acme)), "ids stay"
        for version in (before - 1, gone.version or 0):
            assert key not in since(acme, version)[0] and key not in rows_at(acme, version)
        then = listed(house.olive, "aliases", client="acme", at=str(before)).items
        assert [item["targets"] for item in then if item["label"] == str(key[1])] == [ERASED]


def test_what_is_not_erased(house: House) -> None:
    done, other = noted(house), noted(house, client="globex")
    going = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=7)  # its node has not read it back
    waiting = do("mailboxes.remove", house.olive, mailbox=GLOBEX)
    assert (going.stage, waiting.stage) == ("applied", "held")
    line = f"{head_of(done)}.0"

    def ask(by: Actor, *lines: str) -> Change:
        return do("record.erase", by, lines=list(lines), reason="x")

    for who in (house.olive, house.ada, house.audrey):
        refused = ask(who, line)
        assert refused.stage == "refused" and "not allowed here" in reasons(refused)
    foreign = f"{head_of(other)}.0"
    assert problems(lambda: ask(house.carl, foreign)) == [f"no line {foreign} that you can see"]
    assert "not allowed" in reasons(ask(house.carl, line))
    for change in (going, waiting):
        words = f"line {head_of(change)}.0 is of a change that is {change.stage}: when it has ended"
        assert problems(lambda change=change: ask(house.oskar, f"{head_of(change)}.0")) == [words]
    assert problems(lambda: ask(house.oskar, "999999.0", f"{head_of(done)}.9", line)) == [
        f"no line {head_of(done)}.9 that you can see", "no line 999999.0 that you can see",
    ]  # fmt: skip
    assert "one client" in problems(lambda: ask(house.oskar, line, foreign))[0]
    for wrong in ("", "5", "5.", ".5", "5.x", "-5.0", "5.0.0", "٥.٠", "9" * 30 + ".0"):
        with pytest.raises(ValueError, match="lines"):
            ask(house.oskar, wrong)

    first, second = ask(house.oskar, line), ask(house.oskar, line)
    with_consent(house, first)
    assert problems(lambda: ask(house.oskar, line)) == [f"line {line} is erased already"]
    late = approve(second.pk, actor=house.ada, plan_hash=second.plan_hash)
    assert late.stage == "stale" and f"line {line} was erased since" in reasons(late)
    what_was = f"{head_of(first)}.1"
    assert problems(lambda: ask(house.oskar, what_was)) == [f"line {what_was} says what was erased, and stays"]
    with pytest.raises(NothingToDo):
        undo(first.pk, actor=house.oskar, why="back")
    assert again(first).erased_by_id is None
    refused = do("mailboxes.suspend", house.ada, mailbox=MIA)
    erased(house, f"{head_of(refused)}.0")
    with pytest.raises(NotSeen, match="was erased"):
        replan(refused.pk, actor=house.ada)


def test_parts_of_one_change_may_name_the_same_entry_and_no_change_at_all(house: House, sql: Any) -> None:
    done, acme = noted(house), the(Client, slug="acme")
    with acting_as(house.oskar):
        event = record.note("looked", client=acme.pk, name=SECRETIVE)
    entry = head_of(done)
    parts = ([f"{entry}.0"], [f"{entry}.0", f"{entry}.1"], [f"{event}.0"])
    kinds = [kind("record.erase", lines=lines, reason="x") for lines in parts]
    assert with_consent(house, submit(kinds, actor=house.oskar, why="a request")).stage == "verified"
    assert everywhere("Muster", sql) == []
    with acting_as(SYSTEM):
        kept = Erasure.objects.get(entry=event).lines[0]["kept"]
    assert kept["what"] == "looked" and kept["at"]


# The database: what it lets through, and whom.

FORGED = (
    "SELECT set_config('postroom.erasing', '1', false), set_config('postroom.change', 'x', false)",
    "UPDATE edits SET before = NULL, after = NULL, salt = '', hashed = '\\x00' WHERE entry_id = {entry}",
)


def test_nobody_else_blanks_a_line_whatever_they_set(house: House, cluster: Cluster, database: str) -> None:
    entry = head_of(noted(house))
    attempts = {
        "postroom_app": (), "postroom_system": (), "postroom_owner": (), "postroom_node_mx1": (),
        "postroom_owner as system": ("SET ROLE postroom_system",), "postroom_signer": (),
        "postgres as system": ("SET ROLE postroom_system",), "postgres": (),
    }  # fmt: skip
    for who, first in attempts.items():
        with psycopg.connect(cluster.dsn(who.split()[0], database), autocommit=True) as connection:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                for statement in (*first, *FORGED):
                    connection.execute(statement.format(entry=entry).encode())
            for other in ("DELETE FROM edits", "UPDATE entries SET version = NULL"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(other.encode())
    with acting_as(SYSTEM):
        assert not RecordedEdit.objects.filter(hashed__isnull=False).exists()


def test_the_function_erases_what_an_entry_of_this_transaction_names_and_nothing_else(
    house: House, cluster: Cluster, database: str
) -> None:
    noted(house)
    done, other, globex = noted(house, "x"), noted(house, "y"), noted(house, client="globex")
    first = erased(house, f"{head_of(done)}.1")
    with acting_as(SYSTEM):
        stored = {e.pk: [hashed(x) for x in RecordedEdit.objects.filter(entry=e).order_by("n")] for e in
                  Entry.objects.all()}  # fmt: skip
    erasing, entry = head_of(first), head_of(other)
    acme = done.client_id
    with psycopg.connect(cluster.dsn("postroom_app", database)) as connection:

        def refused(erasing: int, which: int, hashes: list[bytes], words: str) -> None:
            with pytest.raises(psycopg.Error, match=words), connection.transaction():
                connection.execute("SELECT record_erase(%s, %s, %s)", [erasing, which, hashes])

        connection.execute("SELECT set_config('postroom.everything', 'yes', false)")
        connection.execute("SELECT set_config('postroom.change', 'x', false)")
        refused(erasing, entry, stored[entry], "erases nothing")  # names another entry
        refused(erasing, head_of(done), stored[head_of(done)], "0 of 1 lines")  # erased already
        mine = _forged(connection, acme, entry, [1])
        refused(mine, head_of(globex), stored[head_of(globex)], "erases nothing")
        wrong = [bytes(32), *stored[entry][1:]]
        refused(mine, entry, wrong, "are not the hashes")
        refused(mine, entry, stored[entry][::-1], "are not the hashes")
        refused(mine, entry, stored[entry][:1], "are not the hashes")
        refused(mine, entry, [b"".join(stored[entry])], "are not the hashes")
        refused(mine, entry, [], "are not the hashes")
        foreign = _forged(connection, acme, head_of(globex), [1])
        refused(foreign, head_of(globex), stored[head_of(globex)], "erases nothing")  # of another client
        connection.execute("SELECT record_erase(%s, %s, %s)", [mine, entry, stored[entry]])
        connection.rollback()
        connection.execute("SELECT set_config('postroom.everything', 'yes', false)")
        connection.execute("SELECT set_config('postroom.change', 'x', false)")
        older = _forged(connection, acme, entry, [1])
        connection.commit()
        with psycopg.connect(cluster.dsn("postgres", database), autocommit=True) as sequencer:
            place = "INSERT INTO places (entry_id, client_id, log_index, client_index) VALUES (%s, %s, 0, 0)"
            sequencer.execute(place, [older, acme])
        refused(older, entry, stored[entry], "erases nothing")  # of an earlier transaction
    calls = (f"record_erase({erasing}, {entry}, '{{}}')", f"record_forget('{done.pk}', '{done.pk}')")
    for who in ("postroom_node_mx1", "postroom_signer", "postroom_app"):
        with psycopg.connect(cluster.dsn(who, database), autocommit=True) as connection:
            for call in calls[1:] if who == "postroom_app" else calls:
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
                    connection.execute(f"SELECT {call}".encode())


def _forged(connection: "psycopg.Connection[Any]", client: Any, which: int, lines: list[int]) -> int:
    """An erasing entry as somebody with the application's rights could write one: it would be on the record."""
    about = {"entry_id": which, "client_id": str(client), "reason": "", "lines": [{"n": n} for n in lines]}
    ((about["leaf"],),) = connection.execute("SELECT encode(leaf, 'hex') FROM entries WHERE id = %s", [which])
    ((row,),) = connection.execute("SELECT gen_random_uuid()")
    about["id"] = str(row)
    ((id,),) = connection.execute(
        "INSERT INTO entries (client_id, version, leaf) VALUES (%s, 9000 + %s, '') RETURNING id",
        [client, which],
    ).fetchall()
    connection.execute(
        'INSERT INTO edits (entry_id, n, client_id, "table", "row", after, salt)'
        " VALUES (%s, 1, %s, 'erasures', %s, %s, '')",
        [id, client, row, json.dumps(about)],
    )
    connection.execute(
        "INSERT INTO erasures (id, client_id, entry_id, leaf, lines, reason) VALUES (%s, %s, %s, %s, %s, '')",
        [row, client, which, about["leaf"], json.dumps(about["lines"])],
    )
    return int(id)


def test_a_batch_one_part_of_which_was_erased_is_still_seen(house: House) -> None:
    parts = [kind("clients.change", client=client, notes=SECRETIVE) for client in ("acme", "globex")]
    batch = submit_batch(parts, actor=house.olive, why=f"for {SECRETIVE}")
    with acting_as(SYSTEM):
        change = Change.objects.get(batch=batch, client__slug="acme")
    erased(house, *lines_of(change))
    with acting_as(SYSTEM):
        now, changes = members(batch.pk)
    assert now.why == "" and now.plan_hash != batch.plan_hash and len(changes) == 2


# Which lines are about somebody.


def test_the_program_lists_them_page_by_page(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    change = noted(house, f"ask {MIA}")
    monkeypatch.setattr("postroom.cli.audit.lines_about", partial(lines_about, limit=2))
    told = CliRunner().invoke(audit, ["about", MIA, "--client", "acme"])
    assert told.exit_code == 0, told.output
    assert f"{head_of(change)}.0  " in told.output and f"{head_of(change)}.1  " in told.output
    assert f"{len(told.output.splitlines()) - 1} lines; to erase some" in told.output
    found = json.loads(CliRunner().invoke(audit, ["about", MIA, "--client", "acme", "--json"]).output)
    assert [one["line"] for one in found if one["table"] == "clients"] == [f"{head_of(change)}.1"]
    assert CliRunner().invoke(audit, ["about", MIA, "--client", "nobody"]).exit_code == 2
    assert "0 lines" in CliRunner().invoke(audit, ["about", "x@y.example"]).output


def test_lines_about_somebody_are_found_wherever_they_stand_in_them(house: House) -> None:
    made = do("mailboxes.create", house.olive, address="anna-mia@acme.example", name="Anna")
    noted(house, f"ask {MIA.upper()}, or call")
    acme, mia = the(Client, slug="acme").pk, the(Mailbox, address__address=MIA).pk
    with acting_as(house.olive):
        found = lines_about(house.olive, MIA, client=acme).items
        assert {(one["table"], *one["fields"]) for one in found} >= {("clients", "notes"), ("changes", "params")}
        assert str(mia) in {one["row"] for one in found}
        assert str(made.pk) not in {one["row"] for one in found}, "anna-mia@ is somebody else"
        assert found == lines_about(house.olive, str(mia), client=acme).items
        some, at = [], None
        while True:
            page = lines_about(house.olive, MIA, client=acme, after=at, limit=2)
            some += page.items
            if (at := page.next) is None:
                break
        assert some == found and len(found) > 4
        assert lines_about(house.olive, "nobody@acme.example", client=acme).items == []
        assert lines_about(house.olive, r".*@acme\.example", client=acme).items == []
    globex = the(Client, slug="globex").pk
    with acting_as(house.carl):
        assert lines_about(house.carl, GLOBEX, client=globex).items == []
    with acting_as(house.olive):
        assert lines_about(house.olive, GLOBEX, client=globex).items
