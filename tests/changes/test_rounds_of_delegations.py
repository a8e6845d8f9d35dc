"""An access review asks about delegations too: who opens another's mailbox, or writes in its name, and until when."""

from datetime import UTC, datetime, timedelta

import pytest
from test_rounds import carried, ends, line, lines, review, sign  # noqa: F401  a fixture

from cast import MIA, House, do, person, reasons, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.errors import Problems
from postroom.models import Change, Delegation, Letter
from postroom.posture.checks.review import REVIEW
from postroom.queries import rounds as queries

LEO, OFFICE = "leo@acme.example", "office@acme.example"
UNTIL = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
NAMED = f"open, send-as at {OFFICE} by {LEO}"


@pytest.fixture(autouse=True)
def office(house: House) -> Delegation:
    """Leo works in the office's mailbox, as Olive asked; and there is one that nobody agreed to, and one that ended."""
    do("mailboxes.create", house.olive, address=LEO)
    do("mailboxes.create", house.olive, address=OFFICE, kind="shared")
    about = {"mailbox": OFFICE, "to": LEO, "until": UNTIL.isoformat()}
    do("delegations.ask", house.olive, rights=["send-on-behalf"], **about)
    do("delegations.ask", house.olive, rights=["send-as", "open"], **about)  # instead of the first
    do("delegations.ask", house.olive, mailbox=MIA, to=LEO, rights=["open"], until=UNTIL.isoformat())
    with acting_as(SYSTEM):
        return Delegation.objects.get(started_at__isnull=False, ended_at=None)


def test_a_line_for_every_one_that_counts_with_who_asked_and_until_when(house: House, office: Delegation) -> None:
    found = [one for one in lines(review(house)).values() if one.noun == "delegations"]
    (one,) = found
    assert (one.name, one.object, one.person_id) == (NAMED, office.pk, None)
    wanted = {"mailbox": OFFICE, "to": LEO, "rights": ["open", "send-as"], "until": UNTIL.isoformat(),
              "given_by": "Olive", "where": "client", "reason": "test"}  # fmt: skip
    assert {name: one.stood[name] for name in wanted} == {**wanted, "reason": office.reason}
    assert not [one for one in lines(review(house, "globex")).values() if one.noun == "delegations"]


def test_no_longer_ends_it_in_the_name_of_who_signed(house: House, office: Delegation) -> None:
    one = review(house)
    change = carried(sign(house.ada, line(one, NAMED), "end", why="Leo is in another team"))
    assert the(Delegation, pk=office.pk).ended_at
    follow = the(Change, caused_by=change)
    assert (follow.kind, follow.proposer_id) == ("delegations.end", house.ada.person)
    assert "another team" in follow.why and change.stage == "applied", "done once its node has read it back"
    with acting_as(SYSTEM):
        assert Letter.objects.filter(says="delegation ended", about=str(office.pk), contact=LEO).exists()
    with acting_as(house.ada):
        (shown,) = [s for s in queries.lines(house.ada, one).items if s.line.noun == "delegations"]
    assert shown.now.stands is False and shown.now.words == "ended" and shown.now.given_by == "Olive"
    with pytest.raises(Problems, match="ended meanwhile"):
        sign(house.ada, line(one, NAMED), "keep")


def test_what_stays_is_kept_and_what_its_signer_saw(house: House, office: Delegation) -> None:
    one = review(house)
    assert sign(house.ada, line(one, NAMED)).stage == "verified"
    assert lines(one)[NAMED].saw["stands"] is True
    assert the(Delegation, pk=office.pk).ended_at is None


def test_nobody_signs_what_they_were_let_into(house: House, office: Delegation) -> None:
    do("mailboxes.change", house.olive, mailbox=LEO, owner="ada@northlight.example")
    one = review(house)
    refused = sign(house.ada, line(one, NAMED))
    assert refused.stage == "refused" and reasons(refused) == f"nobody signs their own rights: {NAMED}"


def test_signed_to_end_and_standing_is_a_finding_that_names_how_it_ends(house: House, office: Delegation) -> None:
    one = review(house)
    sign(house.ada, line(one, NAMED), "end")
    (found,) = [f for f in REVIEW.look(datetime.now(UTC) + timedelta(days=2)).found if f.noun == "delegations"]
    assert (found.kind, found.params) == ("delegations.end", {"delegation": str(office.pk)})


def test_who_sees_no_delegations_is_told_that_they_are_not_seen(house: House, office: Delegation) -> None:
    one = review(house)
    do("roles.create", house.oskar, name="signer", permissions=["rounds.view", "round_lines.view", "clients.view"])
    do("people.invite", house.oskar, name="Sig", email="sig@northlight.example")
    do("grants.give", house.oskar, person="sig@northlight.example", role="signer")
    sig = person("sig@northlight.example", house.oskar)
    with acting_as(sig):
        (shown,) = [s for s in queries.lines(sig, one).items if s.line.noun == "delegations"]
    assert shown.now.stands is None
