"""What a change asks the database: few statements, and many mailboxes with their invites take no more of them."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from cast import House, do, do_all, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Client, Delivery, Invite, Mailbox

MANY = 20


def created(house: House, name: str) -> list[str]:
    """The statements it took."""
    wanted = [{"address": f"{name}{n}@acme.example", "contact": f"{name}{n}@home.test"} for n in range(MANY)]
    with CaptureQueriesContext(connection) as asked:
        change = do_all("mailboxes.create", house.olive, wanted)
    assert change.version, change.verdicts
    return [one["sql"] for one in asked.captured_queries]


def test_each_gets_a_letter_that_is_tried_again_by_itself(house: House) -> None:
    created(house, "new")
    with acting_as(SYSTEM):
        contacts = {f"new{n}@home.test" for n in range(MANY)}
        invites = {one.pk: one.contact for one in Invite.objects.filter(contact__in=contacts)}
        letters = list(Delivery.objects.filter(target="mail", object__in=list(invites)))
        assert {one.object: one.label for one in letters} == invites and len(invites) == MANY
        assert {one.client_id for one in letters} == {the(Client, slug="acme").pk}
        assert all(one.next_try and one.next_try > one.since and not one.done for one in letters)


def test_nothing_is_asked_about_rows_that_are_not_there_yet(house: House) -> None:
    """A statement with each of ten thousand ids in it took longer than making their mailboxes."""
    asked = created(house, "more")
    with acting_as(SYSTEM):
        rows = [one for model in (Mailbox, Invite) for one in model.objects.filter(contact__startswith="more")]
    made = {form for one in rows for form in (str(one.pk), one.pk.hex)}
    asks = [sql for sql in asked if sql.startswith("SELECT") and "FROM record_append(" not in sql]
    looking = [sql for sql in asks if any(one in sql for one in made)]
    assert len(rows) == 2 * MANY and not looking, looking


def test_a_plain_change_is_judged_twice_by_three_statements(house: House) -> None:
    """Freeze, client and domains; who has nothing to ask asks nothing. It is most of what a change costs."""
    with CaptureQueriesContext(connection) as asked:
        change = do("mailboxes.create", house.olive, address="plain@acme.example")
    assert change.version, change.verdicts
    said = [one["sql"].strip() for one in asked.captured_queries]
    assert len([sql for sql in said if "freezes" in sql]) == 2
    assert len([sql for sql in said if sql.startswith("SELECT") and "removed_at IS NOT NULL" in sql]) == 2
    assert len(said) <= 26, said
