"""People and ways to reach them where our letters do not arrive: they would hear of nothing.

Of each address the newest letter counts of which something is known (models/mailed.py): it came back, was refused by
our own submission, or no server has taken it for hours. So the finding closes when a later letter to it was taken, or
when nobody is reached there any more; never because time went by. A letter that our submission does not take at all is
tried again by whoever wrote it; where that is not for ever, who was to get it is found here too. Where our submission
tells nothing further, nothing is known, and that is no finding. RFC 3464 (what came back), RFC 5321, 4.5.4.1 (how long
a server tries).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery

from postroom.models import Client, Domain, Invite, Mailbox, Mailed, Organization, Person, RecoveryChannel, SignInPlace
from postroom.models.mailed import ACCEPTED, BOUNCED, DELAYED, HANDED, LATE, QUEUED, REFUSED
from postroom.models.recovery import ADDRESS, BEFORE, value_of
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading
from postroom.protocols.phone import masked

WORDS = {
    BOUNCED: "came back", REFUSED: "was refused by our own submission",
    QUEUED: "was taken by no server yet", DELAYED: "was taken by no server yet",
}  # fmt: skip
TAKEN = (QUEUED, ACCEPTED, DELAYED, BOUNCED, HANDED)  # by our own submission, whatever became of it later


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


def reached_at(addresses: Iterable[str], now: datetime) -> Iterator[Holder]:
    """Everybody whom we write to at one of these; for thirty days also where a way back was that has ended: what is
    said of a reset goes there too (changes/kinds/notices.py)."""
    wanted = sorted(addresses)
    for person in Person.objects.filter(email__in=wanted, removed_at=None, suspended_at=None).order_by("id"):
        what = "their address to sign in with"
        yield Holder("people", person.pk, person.name, what, person.email, person.client_id)
    for one in Organization.objects.filter(postmaster__in=wanted):
        yield Holder("organizations", one.pk, one.name, "our postmaster", one.postmaster, None)
    for client in Client.objects.filter(security_contact__in=wanted, removed_at=None).order_by("id"):
        what = f"the security contact of {client.name}"
        yield Holder("clients", client.pk, client.name, what, client.security_contact, client.pk)
    yield from _at_registrars(frozenset(wanted)) if wanted else ()
    yield from _of_mailboxes(wanted, now)


def _at_registrars(wanted: frozenset[str]) -> Iterator[Holder]:
    """Kept as it was typed, where the name of an account may stand too; letters go to its one form."""
    domains = Domain.objects.filter(registrar_account__contains="@", removed_at=None, client__removed_at=None)
    for one in domains.order_by("id").iterator():
        if (address := value_of(one)) in wanted:
            what = f"where the registrar of {one.name} writes to"
            yield Holder("domains", one.pk, one.name, what, address, one.client_id, one.pk)


def _of_mailboxes(wanted: list[str], now: datetime) -> Iterator[Holder]:
    """Each mailbox once an address, whatever else that address is to it."""
    seen: set[tuple[UUID, str]] = set()
    for one in _whatever(wanted, now):
        if (one.id, one.address) not in seen:
            seen.add((one.id, one.address))
            yield one


def _whatever(wanted: list[str], now: datetime) -> Iterator[Holder]:
    channels = RecoveryChannel.objects.filter(value__in=wanted, sort=ADDRESS, mailbox__removed_at=None)
    told = channels.filter(Q(ended_at=None) | Q(ended_at__gt=now - BEFORE)).select_related("mailbox__address")
    for one in told.order_by("id"):
        what = "a way back into it that has ended" if one.ended_at else "a way back into it"
        yield _at(one.mailbox, what, one.value, whole=False)
    invites = Invite.objects.filter(contact__in=wanted, mailbox__removed_at=None, mailbox__isnull=False)
    for open_one in invites.filter(used_at=None, ended_at=None).select_related("mailbox__address").order_by("id"):
        yield _at(open_one.mailbox, "where its link was sent", open_one.contact, whole=False)
    contacts = Mailbox.objects.filter(contact__in=wanted, removed_at=None).exclude(kind="shared")
    for box in contacts.select_related("address").order_by("id"):
        yield _at(box, "the contact it has had", box.contact, whole=False)
    itself = Mailbox.objects.filter(address__address__in=wanted, removed_at=None).select_related("address")
    for mailbox in itself.order_by("id"):
        yield _at(mailbox, "the mailbox itself", mailbox.label, whole=True)


def _at(mailbox: Mailbox, what: str, address: str, *, whole: bool) -> Holder:
    about = {"client": mailbox.client_id, "domain": mailbox.address.domain_id}
    return Holder("mailboxes", mailbox.pk, mailbox.label, what, address, **about, whole=whole, vip=mailbox.vip)


def never_taken(now: datetime, but: Collection[str]) -> Iterator[Found]:
    """Owners who were to hear of a sign-in from a new place, and did not, since our own submission took no letter;
    until it takes one to them (worker/new_places.py, which does not try for ever). but: addresses told of already.
    """
    waits = SignInPlace.objects.filter(wanted=True, told=None, at__lte=now - timedelta(hours=LATE)).order_by("at", "id")
    since = {one.mailbox_id: one for one in waits}  # the newest of each
    later = Mailed.objects.filter(contact=OuterRef("address__address"), state__in=TAKEN).order_by("-id").values("at")
    boxes = Mailbox.objects.filter(pk__in=since, removed_at=None).exclude(address__address__in=but)
    for box in boxes.annotate(taken=Subquery(later[:1])).select_related("address").order_by("id"):
        place = since[box.pk]
        if box.taken is None or box.taken < place.at:
            yield Found("high" if box.vip else "medium", "mailboxes", box.pk, box.label,
                        "Its owner was not told of a sign-in from a new place", "new sign-in", client=box.client_id,
                        domain=box.address.domain_id, evidence=_why(place))  # fmt: skip


def _why(place: SignInPlace) -> dict[str, str]:
    return {"at": place.at.isoformat(timespec="seconds"), "network": place.network, "why": place.told_to.get("why", "")}


def _read(now: datetime) -> Iterator[Found]:
    wrong = not_arrived(now)
    yield from evaluate(reached_at(wrong, now), wrong)
    yield from never_taken(now, wrong)


UNDELIVERED = Check(
    "letters.undelivered", "Does everybody whom we write to get our letters?", "RFC 3464, 2.3.3", 60,
    reading(_read),
)  # fmt: skip
