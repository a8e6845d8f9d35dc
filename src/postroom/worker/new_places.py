"""The owner of a mailbox is told of a sign-in from a new network, or with a new program: a letter to that mailbox.

At most one a network and day; none of the first sign-in of all (sql/nodes.sql says who is to be told of). It is sent
after the sign-in, when the node has told of it, and again until our submission takes it or three days have passed: what
was tried for so long stands aside for newer ones. After some hours it is a finding (posture/checks/undelivered.py).
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial

from django.conf import settings
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Mailbox, Organization, SignInPlace

from . import mail

AT_ONCE = 20
FIRST, LONGEST = 5.0, 600.0
A_DAY, GIVEN_UP = timedelta(days=1), timedelta(days=3)
PROTOCOLS = {"imap": "a mail program (IMAP)", "submission": "a mail program that sends",
             "sieve": "filters (ManageSieve)", "web": "the pages"}  # fmt: skip
TEXT = """Hello,

somebody signed in to {what} from a place, or with a program, that was not seen before:

  When:     {when}
  By:       {by}
  Address:  {address} (network {network})
  Program:  {program}

If this was you, there is nothing to do; one letter a network and day is sent at most. If it was not,
somebody has a password of this mailbox: choose another one, or tell {organization}, who can end every
session at once and send you a new link.
"""


class NewPlaces:
    """When a letter that was not taken is tried again; kept in memory, since it may be lost."""

    def __init__(self) -> None:
        self.next: dict[int, tuple[float, float]] = {}

    def due(self) -> Iterator[Callable[[], None]]:
        now = time.monotonic()
        waiting = untold()
        self.next = {place: self.next[place] for place in waiting if place in self.next}
        for place in waiting:
            if self.next.get(place, (0.0, FIRST))[0] <= now:
                yield partial(self._tell, place)

    def _tell(self, place: int) -> None:
        wait = self.next.get(place, (0.0, FIRST))[1]
        self.next[place] = (time.monotonic() + wait, min(wait * 2, LONGEST))
        tell(place)


def untold() -> list[int]:
    with acting_as(SYSTEM):
        rows = SignInPlace.objects.filter(wanted=True, told=None).order_by("id")
        rows = rows.exclude(at__lte=timezone.now() - GIVEN_UP, told_to__has_key="why")
        return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def tell(place: int, now: datetime | None = None) -> None:
    """Hand in its letter under the row's lock, where one is still due, and keep what became of it."""
    at = now or timezone.now()
    with acting_as(SYSTEM):
        one = SignInPlace.objects.select_for_update(skip_locked=True).filter(pk=place, told=None, wanted=True).first()
        if one is None:
            return
        mailbox = Mailbox.objects.select_related("address").filter(pk=one.mailbox_id, removed_at=None).first()
        if mailbox is None or _just_told(one, at):
            one.told, one.wanted = at, False  # none is due: so no other one waits for it either
        elif settings.POSTROOM.submission is None:
            one.told_to = {"why": "no submission server is set up for our own mail"}
        else:
            _handed_in(one, mailbox, at)
        one.save(update_fields=["told", "told_to", "wanted"])


def _handed_in(one: SignInPlace, mailbox: Mailbox, at: datetime) -> None:
    outcome = mail.post(mailbox.label, letter(one, mailbox), object=mailbox.pk, client=mailbox.client_id)
    if outcome.why:
        one.told_to = {"why": outcome.why[:500], "at": at.isoformat(timespec="seconds")}
    else:
        one.told, one.told_to = at, {"answer": str(outcome.evidence[0]["answer"])}


def _just_told(one: SignInPlace, at: datetime) -> bool:
    same = SignInPlace.objects.filter(mailbox=one.mailbox_id, network=one.network, wanted=True, told__gt=at - A_DAY)
    return same.exclude(pk=one.pk).exists()


def letter(one: SignInPlace, mailbox: Mailbox) -> EmailMessage:
    """What a program says of itself is a stranger's text: it stands in the body, on one line, and in no header."""
    organization = Organization.objects.first()
    made = EmailMessage()
    made["Subject"] = "A new sign-in to your mailbox"
    made.set_content(TEXT.format(
        what=mailbox.label, when=f"{one.at:%d %B %Y, %H:%M} UTC", by=PROTOCOLS.get(one.protocol, "another way"),
        address=one.address, network=one.network, program=_line(one.program) or "it did not say",
        organization=_line(organization.name if organization else "whoever runs your mail"),
    ))  # fmt: skip
    return made


def _line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:80]
