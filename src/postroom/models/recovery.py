"""How the owner of a mailbox is reached who cannot get in: an address read elsewhere, a number to call."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q

from postroom.protocols.addresses import BadAddress, address

from .base import NOTHING, Row, StateModel
from .clients import Client
from .domains import Domain
from .mailboxes import Invite, Mailbox

SECURITY, REGISTRAR = "security", "registrar"  # what an invite vouches for: columns of clients, of domains, begin so
ADDRESS, CONTACT = "address", "contact"  # sorts: mail goes there; somebody is called there
SETTLED = timedelta(days=7)  # how long a channel is told of, and can be objected to, before it counts
ALIVE = timedelta(days=180)  # how long a click says that somebody still reads or answers there
BEFORE = timedelta(days=30)  # so long whoever read one that has ended is told too, of a reset
REMINDED = timedelta(days=14)  # before that is over, it is asked for anew; so long is the link good


class RecoveryChannel(StateModel):
    """One way back into a mailbox: a mail address, or a number at which somebody is called. Never changed but for its
    end and the time it was last confirmed: another address is another row, which has an age of its own.

    sort: ADDRESS or CONTACT. value: the address, or the number as + and digits. name: who reads or answers there.
    confirmed_at: when its holder last said so by one click. ask_at: when the clock asks again.
    """

    grants_access = True
    own = "mailbox_id"
    client = models.ForeignKey(Client, models.DO_NOTHING)
    mailbox = models.ForeignKey(Mailbox, models.DO_NOTHING, db_index=False)  # the first column of an index below
    sort = models.TextField()
    value = models.TextField()
    name = models.TextField(default="")
    made = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    ask_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "recovery_channels"
        verbose_name = "recovery channel"
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "value"], condition=Q(ended_at=None), name="one_channel")
        ]
        indexes = [models.Index(fields=["mailbox", "-made"], name="channels_of_a_mailbox")]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["ended_at"] else frozenset({"recover the mailbox"})

    def not_yet(self, now: datetime) -> str:
        """Why it does not count where two proofs are asked for, in words; empty where it does."""
        if self.ended_at:
            return "it has ended"
        if said := unsaid(self.confirmed_at, now):
            return said
        if self.made + SETTLED > now:
            return f"named {(now - self.made).days} days ago, counts from {self.made + SETTLED:%d %b %Y}"
        return ""


def counting(mailbox: object, now: datetime) -> set[str]:
    """The addresses by which its owner gets back in that count now."""
    rows = RecoveryChannel.objects.filter(mailbox=mailbox, sort=ADDRESS, ended_at=None)
    return {one.value for one in rows if not one.not_yet(now)}


def confirmed_ways() -> Exists:
    """Of an invite: whether a way back into its mailbox was confirmed."""
    ways = RecoveryChannel.objects.filter(mailbox=OuterRef("mailbox"), ended_at=None)
    return Exists(ways.exclude(confirmed_at=None))


def half_set_up(invites: "models.QuerySet[Invite]", mailbox: UUID) -> bool:
    """Of these invites: whether the newest that was used was handed over by hand, and no way back is confirmed."""
    used = invites.filter(mailbox=mailbox, used_at__isnull=False).order_by("-used_at")
    newest = used.annotate(confirmed=confirmed_ways()).values_list("by_mail", "confirmed").first()
    return newest == (False, False)


def value_of(row: Client | Domain) -> str:
    """Where somebody is written to about it; empty where no mail address is known."""
    return readable(row.registrar_account if isinstance(row, Domain) else row.security_contact)


def readable(text: str) -> str:
    """A mail address in its one form; empty for what is none: the name of an account may stand there."""
    try:
        return address(text)
    except BadAddress:
        return ""


def unsaid(confirmed_at: datetime | None, now: datetime) -> str:
    """Of a security contact, or a registrar's address: why it does not count; empty where somebody said it is read."""
    if confirmed_at is None:
        return "nobody has confirmed that it is read"
    return f"not confirmed for {(now - confirmed_at).days} days" if confirmed_at + ALIVE <= now else ""
