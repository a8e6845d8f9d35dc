"""What stood when: the record folds to the tables, unwinds to any version, and an undo is what brute force says."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cast import MIA, House, do, kind, reasons, redeemed, the, version_of
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import policy
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import NothingToDo, Problem, Problems
from postroom.changes.history import NOT_STATE, fold, read_at, rows_at, since, version_at
from postroom.changes.kind import Kind
from postroom.changes.pipeline import submit
from postroom.changes.plan import end
from postroom.models import Change, Client, Mailbox, RecordedEdit
from postroom.models.base import state_models


def live(client: UUID | None) -> dict[Any, Any]:
    """The state of a client (or the organization) as it stands in the tables, the way the record writes it."""
    rows: dict[Any, Any] = {}
    for table, model in state_models().items():
        columns = {f.attname for f in model._meta.concrete_fields}
        if model is Client:
            found = model.objects.filter(pk=client)
        elif "client_id" in columns:
            found = model.objects.filter(client_id=client) if client else model.objects.filter(client_id__isnull=True)
        else:
            found = model.objects.none() if client else model.objects.all()
        rows |= {(table, r.pk): r.row() for r in found}
    return rows


def test_the_fold_is_the_tables_for_every_client_and_the_organization(house: House) -> None:
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA])
    do("domains.suspend", house.olive, domain="acme.example")
    with acting_as(SYSTEM):
        for client in (None, *Client.objects.values_list("pk", flat=True)):
            assert rows_at(client, 2**62) == live(client)


def test_a_client_at_version_one_is_just_itself(house: House) -> None:
    do("clients.change", house.olive, client="acme", name="Acme Ltd")
    with acting_as(house.olive):
        acme = Client.objects.get(slug="acme")
        assert rows_at(acme.pk, 1) == {("clients", acme.pk): {**acme.row(), "name": "Acme"}}


def test_a_time_is_a_version(house: House) -> None:
    acme = the(Client, slug="acme")
    first = do("mailboxes.suspend", house.olive, mailbox=MIA)
    with acting_as(house.olive):
        from datetime import UTC, datetime

        assert version_at(acme.pk, datetime.now(UTC)) == first.version
        assert version_at(acme.pk, datetime(2020, 1, 1, tzinfo=UTC)) == 0
        assert read_at("3", acme.pk) == 3
        assert read_at("2020-01-01T00:00:00Z", acme.pk) == 0
        for wrong, words in (("yesterday", "neither"), ("2020-01-01T00:00:00", "no time zone"), ("-1", "neither")):
            with pytest.raises(Problem, match=words):
                read_at(wrong, acme.pk)


class DropMailbox(Kind, name="mailboxes.drop"):
    """A kind that forgets the secrets."""

    def plan(self, state):  # type: ignore[no-untyped-def]
        yield end(state.get(Mailbox, "leo@acme.example"))


def test_a_row_does_not_go_without_its_secrets(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "WAIVERS", [lambda proposed: True])  # it would wait for a second person before
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    redeemed("leo@acme.example")
    change = submit(DropMailbox(), actor=house.olive, why="x")
    assert change.stage == "refused" and "secrets have to go with it" in reasons(change)


# Random histories. Each step is a pair of numbers; what it does depends on what is there.
STEPS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2)), min_size=1, max_size=9)


def step(house: House, slug: str, what: int, which: int) -> Change | None:
    address, domain = f"u{which}@{slug}.example", f"{slug}.example"
    asked = [
        kind("mailboxes.create", address=address),
        kind("mailboxes.suspend", mailbox=address),
        kind("mailboxes.resume", mailbox=address),
        kind("mailboxes.change", mailbox=address, quota_mb=which + 1),
        kind("aliases.create", address=f"a{which}@{domain}", targets=[address]),
        kind("aliases.remove", alias=f"a{which}@{domain}"),
        kind("clients.change", client=slug, notes=str(which)),
        kind("grants.give", person="carl@northlight.example", role="client admin", client=slug),
        kind("mailboxes.change", mailbox=address, name=str(which), vip=which == 1),
    ][what]
    try:
        change = submit(asked, actor=house.oskar, why="x")
    except (NothingToDo, Problems):
        return None
    if change.stage == "held":
        change = approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    return change if change.version else None


def applied_steps(house: House, slug: str, steps: list[tuple[int, int]]) -> list[Change]:
    return [change for what, which in steps if (change := step(house, slug, what, which))]


def recorded(change: Change) -> list[tuple[str, UUID, Any, Any]]:
    edits = RecordedEdit.objects.filter(entry__client=change.client_id, entry__version=change.version)
    return list(edits.exclude(table__in=NOT_STATE).order_by("n").values_list("table", "row", "before", "after"))


def expected(before: dict[Any, Any], done: list[Any], now: dict[Any, Any], at: str) -> dict[Any, Any]:
    """Brute force, row by row: what the change made goes or ends; what it set goes back where it still stands so."""
    wanted = {key: dict(row) for key, row in now.items()}
    for table, id, was, then in done:
        key = (table, id)
        if key not in now:
            continue
        if was is None:
            if table == "grants":
                wanted[key]["ended_at"] = wanted[key]["ended_at"] or at
            elif table == "mailboxes" and now[key] != then:
                wanted[key] |= {"removed_at": at, "access_epoch": now[key]["access_epoch"] + 1}
            elif table == "aliases" and now[key] != then:
                wanted[key]["removed_at"] = wanted[key]["removed_at"] or at
            else:
                del wanted[key]
        else:
            for name, value in then.items():
                if now[key][name] == value and table != "grants" and name != "access_epoch":  # that never goes back
                    wanted[key][name] = was[name]
    for key, row in now.items():  # an address stays while something is on it
        if key[0] in ("mailboxes", "aliases") and key in wanted:
            address = ("addresses", UUID(row["address_id"]))
            wanted[address] = now[address]
    return wanted


@pytest.mark.matrix
def test_folding_unwinding_and_undo_against_brute_force(house: House) -> None:
    numbers = iter(range(10_000))

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(STEPS, st.integers(0, 8))
    def holds(steps: list[tuple[int, int]], chosen: int) -> None:
        slug = f"c{next(numbers)}"
        client = do("clients.create", house.oskar, name=slug).client_id
        do("domains.add", house.oskar, client=slug, name=f"{slug}.example")
        changes = applied_steps(house, slug, [(0, 0), *steps])
        with acting_as(SYSTEM):
            for change in changes:
                then, now = since(client, change.version or 0)
                whole = rows_at(client, change.version or 0)
                assert then == {key: row for key, row in whole.items() if key in now or key in then}
            undone = changes[chosen % len(changes)]
            before, now, done = rows_at(client, (undone.version or 0) - 1), live(client), recorded(undone)
        try:
            back = undo(undone.pk, actor=house.oskar, why="x")
        except NothingToDo:
            assert without_times(expected(before, done, now, "-")) == without_times(now)
            return
        if back.stage == "held":
            back = approve(back.pk, actor=house.ada, plan_hash=back.plan_hash)
        assert back.version, (back.stage, reasons(back))
        with acting_as(SYSTEM):
            after = live(client)
            assert rows_at(client, 2**62) == after
        assert after == expected(before, done, now, back.now.isoformat())

    holds()


def without_times(rows: dict[Any, Any]) -> dict[Any, Any]:
    return {
        key: {n: bool(v) if n in ("ended_at", "removed_at") else v for n, v in r.items()} for key, r in rows.items()
    }


def test_the_fold_knows_rows_that_went() -> None:
    a, b = UUID(int=1), UUID(int=2)
    edits = [
        ("t", a, None, {"x": 1, "y": 1}),
        ("t", b, None, {"x": 1}),
        ("t", a, {"x": 1}, {"x": 2}),
        ("t", b, {"x": 1}, None),
    ]
    assert fold(edits) == {("t", a): {"x": 2, "y": 1}}


def test_versions_have_no_gaps(house: House) -> None:
    for _ in range(3):
        do("mailboxes.suspend", house.olive, mailbox=MIA)
        do("mailboxes.suspend", house.ada, mailbox="mia@globex.example")
        do("mailboxes.resume", house.olive, mailbox=MIA)
    with acting_as(SYSTEM):
        for client in Client.objects.all():
            versions = list(
                Change.objects.filter(client=client, version__isnull=False).values_list("version", flat=True)
            )
            assert sorted(versions) == list(range(1, client.version + 1))
    assert version_of("acme", house.olive) > 6
