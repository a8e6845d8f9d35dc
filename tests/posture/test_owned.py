"""Mailboxes that nobody is named for, and mailboxes whose owner has left."""

from uuid import UUID

from cast import MIA, House, do
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Finding
from postroom.posture import run
from postroom.posture.checks import owned

ACME = UUID(int=1)


def test_one_finding_a_client_and_one_a_mailbox_left_behind() -> None:
    nobody = [owned.Ownerless(ACME, "Acme", 2, ["a@acme.example", "b@acme.example"])]
    gone = [owned.Gone(UUID(int=2), "c@acme.example", ACME, "lea@acme.test")]
    first, second = owned.evaluate(nobody, gone)
    assert (first.severity, first.title) == ("low", "2 mailboxes have no owner that is known")
    assert (second.severity, second.kind, second.params) == ("high", "mailboxes.suspend", {"mailbox": "c@acme.example"})


def test_it_closes_by_a_read_alone(house: House) -> None:
    do("people.invite", house.oskar, name="Lea", email="lea@acme.test", client="acme")
    do("mailboxes.change", house.olive, mailbox=MIA, owner="lea@acme.test")
    assert not _open("has left")
    do("people.suspend", house.oskar, person="lea@acme.test")
    run.run(owned.OWNED)
    assert _open("has left") == [MIA]
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    assert _open("has left") == [MIA]
    run.run(owned.OWNED)
    assert not _open("has left")


def _open(words: str) -> list[str]:
    with acting_as(SYSTEM):
        rows = Finding.objects.filter(check_name="mailboxes.owned", closed_at=None, title__contains=words)
        return sorted(rows.values_list("label", flat=True))
