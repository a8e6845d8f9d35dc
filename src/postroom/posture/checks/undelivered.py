"""People and ways to reach them where our letters do not arrive: they would hear of nothing.

Of each address the newest letter counts of which something is known (models/mailed.py): it came back, was refused by
our own submission, or no server has taken it for hours. So the finding closes when a later letter to it was taken, or
when nobody is reached there any more; never because time went by. RFC 3464 (what came back), RFC 5321, 4.5.4.1 (how
long a server tries). Where our submission tells nothing, nothing is known, and that is no finding.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from postroom.models import Client, Invite, Mailbox, Mailed, Organization, Person, RecoveryChannel
from postroom.models.mailed import ACCEPTED, BOUNCED, DELAYED, LATE, QUEUED, REFUSED
from postroom.models.recovery import ADDRESS
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading
from postroom.protocols.phone import masked

WORDS = {
    BOUNCED: "came back", REFUSED: "was refused by our own submission",
    QUEUED: "was taken by no server yet", DELAYED: "was taken by no server yet",
}  # fmt: skip


@dataclass(frozen=True)
class Holder:
    """Who is reached at an address, and as what. whole: whether the address may stand in the title."""

    noun: str
    id: UUID
    label: str
    what: str
    address: str
    client: UUID | None
    domain: UUID | None = None
    whole: bool = True
    vip: bool = False


def evaluate(holders: Iterable[Holder], wrong: Mapping[str, Mailed]) -> Iterator[Found]:
    """wrong: address → the letter to it that counts, where that did not arrive."""
    for one in holders:
        if (letter := wrong.get(one.address)) is None:
            continue
        shown = one.address if one.whole else masked(one.address)
        evidence = {
            "state": letter.state, "status": letter.status, "said": letter.said,
            "sent": letter.at.isoformat(timespec="seconds"),
        }  # fmt: skip
        severe = one.vip or one.noun in ("people", "organizations")
        yield Found("high" if severe else "medium", one.noun, one.id, one.label,
                    f"The last letter to {shown}, {one.what}, {WORDS[letter.state]}", f"{one.what} {one.address}",
                    client=one.client, domain=one.domain, evidence=evidence)  # fmt: skip


def not_arrived(now: datetime) -> dict[str, Mailed]:
    """Address → its newest letter of which something is known, where it did not arrive."""
    late = Q(state__in=(QUEUED, DELAYED), at__lte=now - timedelta(hours=LATE))
    bad = Q(state__in=(BOUNCED, REFUSED)) | late
    some = Mailed.objects.filter(bad).values("contact")
    rows = Mailed.objects.filter(bad | Q(state=ACCEPTED), contact__in=some).order_by("contact", "-id")
    return {one.contact: one for one in rows.distinct("contact") if one.state != ACCEPTED}


def reached_at(addresses: Iterable[str]) -> Iterator[Holder]:
    """Everybody whom we write to at one of these."""
    wanted = sorted(addresses)
    for person in Person.objects.filter(email__in=wanted, removed_at=None, suspended_at=None).order_by("id"):
        what = "their address to sign in with"
        yield Holder("people", person.pk, person.name, what, person.email, person.client_id)
    for one in Organization.objects.filter(postmaster__in=wanted):
        yield Holder("organizations", one.pk, one.name, "our postmaster", one.postmaster, None)
    for client in Client.objects.filter(security_contact__in=wanted, removed_at=None).order_by("id"):
        what = f"the security contact of {client.name}"
        yield Holder("clients", client.pk, client.name, what, client.security_contact, client.pk)
    yield from _of_mailboxes(wanted)


def _of_mailboxes(wanted: list[str]) -> Iterator[Holder]:
    channels = RecoveryChannel.objects.filter(value__in=wanted, sort=ADDRESS, ended_at=None, mailbox__removed_at=None)
    for one in channels.select_related("mailbox__address").order_by("id"):
        yield _at(one.mailbox, "a way back into it", one.value, whole=False)
    invites = Invite.objects.filter(contact__in=wanted, mailbox__removed_at=None, mailbox__isnull=False)
    for open_one in invites.filter(used_at=None, ended_at=None).select_related("mailbox__address").order_by("id"):
        yield _at(open_one.mailbox, "where its link was sent", open_one.contact, whole=False)
    itself = Mailbox.objects.filter(address__address__in=wanted, removed_at=None).select_related("address")
    for mailbox in itself.order_by("id"):
        yield _at(mailbox, "the mailbox itself", mailbox.label, whole=True)


def _at(mailbox: Mailbox, what: str, address: str, *, whole: bool) -> Holder:
    about = {"client": mailbox.client_id, "domain": mailbox.address.domain_id}
    return Holder("mailboxes", mailbox.pk, mailbox.label, what, address, **about, whole=whole, vip=mailbox.vip)


def _read(now: datetime) -> Iterator[Found]:
    wrong = not_arrived(now)
    return evaluate(reached_at(wrong), wrong)


UNDELIVERED = Check(
    "letters.undelivered", "Does everybody whom we write to get our letters?", "RFC 3464, 2.3.3", 60,
    reading(_read),
)  # fmt: skip
