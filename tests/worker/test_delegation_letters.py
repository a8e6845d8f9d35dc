"""What both owners read of a delegation: who asks, for what, until when, and where it is answered and ended."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from cast import MIA, House, do, owner_of, redeemed, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.models import Change, Delegation, Letter
from postroom.worker import mail

LEO = "leo@acme.example"


def written(says: str, change: Change) -> tuple[str, str]:
    """Subject and text of the letter to Mia."""
    with acting_as(SYSTEM):
        letter = Letter.objects.get(says=says, contact=MIA)
    text = mail.LETTERS[says](letter, change)
    assert not isinstance(text, mail.Outcome)
    return str(text["Subject"]), text.get_content()


def test_asked_started_and_ended_are_told_with_who_what_and_until_when(house: House) -> None:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    do("mailboxes.create", house.olive, address=LEO)
    until = (timezone.now() + timedelta(days=30)).replace(microsecond=0)
    asked = {"mailbox": MIA, "to": LEO, "rights": ["send-as"], "until": until.isoformat()}
    change = do("delegations.ask", house.olive, **asked)
    subject, text = written("delegation asked", change)
    assert subject == "Somebody asks for access to a mailbox"
    for words in ("Olive asked at Northlight", LEO, MIA, f"{until:%d %B %Y, %H:%M} UTC", "write as it", "a test",
                  "/mailbox/", "before the owner of"):  # fmt: skip
        assert words in text, words
    one = str(the(Delegation).pk)
    _, text = written("delegation started", do("delegations.consent", owner_of(MIA), delegation=one))
    assert "may do this with the mailbox" in text and "Its owner ends it at" in text
    _, text = written("delegation ended", do("delegations.end", owner_of(LEO), delegation=one))
    assert f"the owner of {LEO} may do nothing any more" in text


def test_of_a_vips_the_client_is_said_to_be_asked_too(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    until = (timezone.now() + timedelta(days=30)).replace(microsecond=0).isoformat()
    asked = {"mailbox": MIA, "to": LEO, "rights": ["send-on-behalf"], "until": until}
    held = do("delegations.ask", house.olive, **asked)
    _, text = written("delegation asked", approve(held.pk, actor=house.ada, plan_hash=held.plan_hash))
    assert "one of the client’s own admins" in text


def test_of_a_mailbox_that_is_opened_it_is_said_what_that_is_and_where_it_is_seen(house: House) -> None:
    do("mailboxes.create", house.olive, address="team@acme.example", kind="role")
    asked = {"mailbox": "team@acme.example", "to": MIA, "rights": ["open"]}
    _, text = written("delegation started", do("delegations.ask", house.olive, **asked))
    assert "work in it" in text and "as “team@acme.example” under “shared”" in text
