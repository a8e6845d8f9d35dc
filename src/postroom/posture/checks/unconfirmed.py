"""Recovery channels of which nobody says any more that they are read: the way back is not there when it is needed.

NIST SP 800-63B-4, 4.2 (account recovery) counts on addresses that are the subscriber's. A channel that was named and
not confirmed within its two weeks, or last confirmed half a year ago, is a finding until somebody confirms or ends it.
"""

from collections.abc import Container, Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from postroom.models import Client, Domain, Invite, RecoveryChannel
from postroom.models.recovery import ALIVE, REGISTRAR, REMINDED, readable, unsaid, value_of
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading
from postroom.protocols.phone import masked


def evaluate(channels: Iterable[RecoveryChannel], now: datetime) -> Iterator[Found]:
    """A VIP's is high. Whose address it is reads who may look at the mailbox; a finding tells it in part."""
    for one in channels:
        late = one.made + REMINDED if one.confirmed_at is None else one.confirmed_at + ALIVE
        if one.ended_at or late > now:
            continue
        said = one.confirmed_at.isoformat(timespec="seconds") if one.confirmed_at else None
        yield Found(
            "high" if one.mailbox.vip else "medium", "mailboxes", one.mailbox_id, one.mailbox.label,
            f"Nobody says that {masked(one.value)} is read, a way back into {one.mailbox.label}", str(one.pk),
            client=one.client_id, domain=one.mailbox.address.domain_id, kind="recovery_channels.ask",
            evidence={"confirmed": said, "named": one.made.isoformat(timespec="seconds")},
            params={"channel": str(one.pk)},
        )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    rows = RecoveryChannel.objects.filter(ended_at=None, mailbox__removed_at=None, client__removed_at=None)
    return evaluate(rows.select_related("mailbox__address").order_by("id"), now)


UNCONFIRMED = Check(
    "recovery.unconfirmed", "Is every recovery channel still read?", "NIST SP 800-63B-4, 4.2", 3600, reading(_read)
)


def contacts(rows: Iterable[Client | Domain], asked: Container[UUID], now: datetime) -> Iterator[Found]:
    """Security contacts, and where registrars write to, of which nobody says that they are read. asked: whose question
    is open still; one that the clock is about to ask is none yet."""
    for row in rows:
        noun, what, confirmed, ask_at = (
            (
                "domains",
                f"where the registrar of {row.name} writes to",
                row.registrar_confirmed_at,
                row.registrar_ask_at,
            )
            if isinstance(row, Domain)
            else ("clients", f"the security contact of {row.name}", row.security_confirmed_at, row.security_ask_at)
        )
        why = unsaid(confirmed, now)
        if not readable(value_of(row)) or not why or (confirmed is None and (ask_at is not None or row.pk in asked)):
            continue
        yield Found(
            "medium", noun, row.pk, row.label, f"Nobody says that {what} is read", "contact",
            client=row.client_id if isinstance(row, Domain) else row.pk,
            domain=row.pk if isinstance(row, Domain) else None, evidence={"address": value_of(row), "why": why},
            kind=f"{noun}.ask_contact", params={noun[:-1]: row.label},
        )  # fmt: skip


def _contacts(now: datetime) -> Iterator[Found]:
    questions = Invite.objects.exclude(vouches="").filter(used_at=None, ended_at=None, made__gt=now - REMINDED)
    asked = {one.domain_id if one.vouches == REGISTRAR else one.client_id for one in questions}
    old = now - ALIVE
    of_clients = Q(security_confirmed_at=None) | Q(security_confirmed_at__lte=old)
    of_domains = Q(registrar_confirmed_at=None) | Q(registrar_confirmed_at__lte=old)
    clients = Client.objects.filter(of_clients, removed_at=None).exclude(security_contact="").order_by("id")
    domains = Domain.objects.filter(of_domains, removed_at=None, client__removed_at=None)
    domains = domains.filter(registrar_account__contains="@").order_by("id")
    yield from contacts([*clients, *domains], asked, now)


CONTACTS = Check(
    "contacts.unconfirmed", "Is every contact that is written to still read?", "NIST SP 800-63B-4, 4.2", 3600,
    reading(_contacts),
)  # fmt: skip
