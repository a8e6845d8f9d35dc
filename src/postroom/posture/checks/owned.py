"""Does every mailbox that somebody signs in to have a human owner, who is still there?

NIST SP 800-53 r5, AC-2 (a named account manager; accounts are disabled when no longer associated with a user). One
finding a client for the mailboxes nobody is named for, one a mailbox whose owner has left. Shared mailboxes have no
sign-in, and are owned by whoever is a member.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, Window
from django.db.models.functions import RowNumber

from postroom.models import Client, Mailbox
from postroom.models.mailboxes import OWNER_KNOWN
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

NAMED = 20


@dataclass(frozen=True)
class Ownerless:
    """How many mailboxes of a client nobody is named for, in any way; some of their addresses."""

    client: UUID
    name: str
    count: int
    some: Sequence[str]


@dataclass(frozen=True)
class Gone:
    """A mailbox in use whose owner is suspended or removed as a person."""

    mailbox: UUID
    address: str
    client: UUID
    owner: str


def evaluate(ownerless: Iterable[Ownerless], gone: Iterable[Gone]) -> Iterator[Found]:
    for one in ownerless:
        many = f"{one.count} mailboxes have" if one.count > 1 else "A mailbox has"
        yield Found(
            "low", "clients", one.client, one.name, f"{many} no owner that is known", "no owner", client=one.client,
            evidence={"count": one.count, "some_of_them": list(one.some)},
        )  # fmt: skip
    for left in gone:
        yield Found(
            "high", "mailboxes", left.mailbox, left.address, f"The owner of {left.address} has left: {left.owner}",
            "owner left", client=left.client, evidence={"owner": left.owner}, kind="mailboxes.suspend",
            params={"mailbox": left.address},
        )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    used = Mailbox.objects.filter(removed_at=None, client__removed_at=None).exclude(kind="shared")
    unknown = used.exclude(OWNER_KNOWN)
    counts = dict(unknown.values_list("client").annotate(count=Count("pk")))
    place = Window(RowNumber(), partition_by="client", order_by="id")
    some: dict[UUID, list[str]] = {}
    rows = unknown.annotate(place=place).filter(place__lte=NAMED).order_by("id")
    for client, address in rows.values_list("client", "address__address"):
        some.setdefault(client, []).append(address)
    clients = Client.objects.filter(pk__in=counts).order_by("slug")
    left = used.filter(Q(owner__suspended_at__isnull=False) | Q(owner__removed_at__isnull=False), suspended_at=None)
    gone = left.order_by("id").values_list("pk", "address__address", "client", "owner__email")
    return evaluate(
        [Ownerless(row.pk, row.name, counts[row.pk], some[row.pk]) for row in clients], [Gone(*row) for row in gone]
    )


OWNED = Check(
    "mailboxes.owned", "Does every mailbox have an owner who is there?", "NIST SP 800-53 r5, AC-2", 300, reading(_read)
)
