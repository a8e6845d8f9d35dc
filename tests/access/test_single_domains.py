"""A role at one domain: what its holder sees and does there, and nothing of the rest of the client."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cast import MIA, House, do, kind, person, reasons
from postroom.access.acting import Actor, acting_as, current, widened
from postroom.access.scope import visible
from postroom.changes.approvals import seen, undo
from postroom.changes.errors import NotThere, Problem, Problems
from postroom.changes.pipeline import dry_run, submit
from postroom.models import Change, Client, Domain, Entry, Mailbox, Place, RecordedEdit
from postroom.queries.changes import timeline, whole
from postroom.queries.objects import listed, one

OTHER = "zoe@other.example"


@pytest.fixture
def contractor(house: House) -> Actor:
    """Operates acme.example for two hours; Acme has other.example besides."""
    do("domains.add", house.olive, client="acme", name="other.example")
    do("mailboxes.create", house.olive, address=OTHER, name="Zoe")
    do("people.invite", house.oskar, name="Connie", email="connie@contractor.example")
    two_hours = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    given = do("grants.give", house.oskar, person="connie@contractor.example", role="helpdesk", domain="acme.example",
               until=two_hours)  # fmt: skip
    assert given.version, reasons(given)
    do("roles.create", house.oskar, name="mail desk", permissions=["mailboxes.view", "mailboxes.suspend",
       "mailboxes.resume", "mailboxes.create", "changes.view", "domains.view", "history.roll_back"])  # fmt: skip
    given = do("grants.give", house.oskar, person="connie@contractor.example", role="mail desk", domain="acme.example",
               until=two_hours)  # fmt: skip
    assert given.version, reasons(given)
    return person("connie@contractor.example", house.oskar)


def test_it_acts_at_its_domain_and_is_refused_at_the_next(house: House, contractor: Actor) -> None:
    done = do("mailboxes.suspend", contractor, mailbox=MIA)
    assert done.stage == "applied" and len(done.domains) == 1
    assert do("mailboxes.create", contractor, address="new@acme.example").version, (
        "an invite is of its mailbox's domain"
    )
    with pytest.raises(Problems) as hidden:
        do("mailboxes.suspend", contractor, mailbox=OTHER)
    with pytest.raises(Problems) as nowhere:
        do("mailboxes.suspend", contractor, mailbox="nobody@other.example")
    assert str(hidden.value).replace(OTHER, "") == str(nowhere.value).replace("nobody@other.example", "")
    with pytest.raises(Problems):
        do("mailboxes.create", contractor, address="new@other.example")
    refused = do("domains.change", contractor, domain="acme.example", registrar="R")
    assert refused.stage == "refused" and reasons(refused) == "domains.change is not allowed here"
    back = undo(done.pk, actor=contractor, why="a test")
    assert back.stage == "applied", reasons(back)


def test_it_sees_what_is_about_its_domain_and_no_other_line_of_the_record(house: House, contractor: Actor) -> None:
    mine = do("mailboxes.suspend", contractor, mailbox=MIA)
    about = do("mailboxes.change", house.olive, mailbox=MIA, name="Mia M.")
    other = do("mailboxes.change", house.olive, mailbox=OTHER, name="Zoe Z.")
    both = do("clients.change", house.olive, client="acme", notes="secret plans")
    with acting_as(contractor):
        shown = {line["id"] for line in timeline(contractor).items}
        assert {str(mine.pk), str(about.pk)} <= shown and not {str(other.pk), str(both.pk)} & shown
        assert whole(about.pk)["edits"][0]["after"] == {"name": "Mia M."}
        for hidden in (other, both):
            with pytest.raises(NotThere):
                seen(hidden.pk)
        mailboxes = {row.label for row in visible(contractor, Mailbox)}
        assert mailboxes == {MIA} and not visible(contractor, Client).exists()
        assert [d.name for d in visible(contractor, Domain)] == ["acme.example"]
        known = set(Change.objects.values_list("pk", flat=True))
        heads = set(RecordedEdit.objects.filter(table="changes").values_list("row", flat=True))
        assert heads <= known and not RecordedEdit.objects.filter(table="events").exists()
        entries = set(RecordedEdit.objects.values_list("entry_id", flat=True))
        assert set(Entry.objects.values_list("pk", flat=True)) == entries
        assert set(Place.objects.values_list("pk", flat=True)) <= entries
        with widened(current()):
            assert Change.objects.filter(pk=other.pk).exists(), "for planning, the whole of the client's record"
        assert not Change.objects.filter(pk=other.pk).exists(), "and narrow again after it"


def test_then_is_read_one_by_one(house: House, contractor: Actor) -> None:
    with acting_as(house.olive):
        version = Client.objects.get(slug="acme").version
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia M.")
    with acting_as(contractor):
        assert one(contractor, "mailboxes", MIA, at=str(version))["name"] == "Mia"
        with pytest.raises(Problem, match="one by one"):
            listed(contractor, "mailboxes", client="acme", at=str(version))


def test_who_holds_more_elsewhere_is_narrow_here_alone(house: House, contractor: Actor, sql: Any) -> None:
    do("grants.give", house.oskar, person="connie@contractor.example", role="auditor", client="globex")
    ours = do("mailboxes.change", house.olive, mailbox="mia@globex.example", name="M")
    theirs = do("mailboxes.change", house.olive, mailbox=OTHER, name="Z")
    with acting_as(contractor):
        assert seen(ours.pk)
        with pytest.raises(NotThere):
            seen(theirs.pk)


def test_a_list_of_what_they_see_nothing_of_is_searched_and_empty(house: House, contractor: Actor) -> None:
    with acting_as(contractor):
        for noun in ("clients", "people", "domains", "mailboxes"):
            assert not [one for one in listed(contractor, noun, search="globex").items if "globex" in one["label"]]


def test_what_it_does_not_see_it_does_not_take_back_nor_see_by_asking(house: House, contractor: Actor) -> None:
    """Plans read the whole of the client's record; which change one may name is as narrow as what one is shown."""
    mine = do("mailboxes.suspend", contractor, mailbox=MIA)
    other = do("mailboxes.change", house.olive, mailbox=OTHER, name="Zoe Z.")
    for ask in (dry_run, submit):
        with pytest.raises((NotThere, Problems)):
            ask(kind("history.roll_back", change=str(other.pk)), actor=contractor, why="a test")
    assert dry_run(kind("history.roll_back", change=str(mine.pk)), actor=contractor, why="a test").plan.edits
