"""How the owner of a mailbox is reached who cannot get in: an address read elsewhere, a number to call."""

from dataclasses import dataclass
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
        """Why it does not count, or did not when it ended, in words; empty where it does. Of whom it is asked: Ways."""
        at = self.ended_at or now
        if said := unsaid(self.confirmed_at, at):
            return said
        if self.made + SETTLED > at:
            return f"named {(at - self.made).days} days ago, counts from {self.made + SETTLED:%d %b %Y}"
        return ""


@dataclass(frozen=True)
class Ways:
    """By which ways back into one mailbox counts what is said there.

    vip: an end counts seven days later, as a beginning does: whoever has the password ends them all, and would leave
    nothing by which its owner is known. anew: when a VIP's was last set up; what ended before led back to another. own:
    domains of a VIP's client: whoever runs mail there could read a code and say that it is the owner who asks.
    """

    vip: bool
    anew: datetime | None = None
    own: frozenset[str] = frozenset()

    @classmethod
    def of(cls, mailbox: Mailbox) -> "Ways":
        if not mailbox.vip:
            return cls(False)
        used = Invite.objects.filter(mailbox=mailbox.pk, used_at__isnull=False, verification=None, recovers="")
        newest = used.order_by("-used_at").values_list("used_at", flat=True).first()
        names = Domain.objects.filter(client=mailbox.client_id, removed_at=None).values_list("name", flat=True)
        return cls(True, newest, frozenset([*names, mailbox.label.rpartition("@")[2]]))

    def among(self, now: datetime) -> Q:
        """The channels that may count: those that stand; of a VIP's, those that ended within seven days too."""
        lately = Q(ended_at__gt=max(now - SETTLED, self.anew or now - SETTLED)) if self.vip else Q(pk=None)
        return Q(ended_at=None) | lately

    def why_not(self, one: RecoveryChannel, now: datetime) -> str:
        """Why it does not count now, in words; empty where it does."""
        if one.ended_at and not self._still(one.ended_at, now):
            return "it has ended"
        if one.sort == ADDRESS and (name := self._own_domain(one.value)):
            return f"{name} is the client’s own: whoever runs mail there could read it"
        return one.not_yet(now)

    def _own_domain(self, value: str) -> str:
        labels = value.rpartition("@")[2].split(".")
        return next((up for n in range(len(labels)) if (up := ".".join(labels[n:])) in self.own), "")

    def _still(self, ended: datetime, now: datetime) -> bool:
        return self.vip and ended + SETTLED > now and (self.anew is None or ended > self.anew)


def counting(mailbox: Mailbox, now: datetime) -> set[str]:
    """The addresses by which its owner gets back in that count now."""
    ways = Ways.of(mailbox)
    rows = RecoveryChannel.objects.filter(ways.among(now), mailbox=mailbox.pk, sort=ADDRESS)
    return {one.value for one in rows if not ways.why_not(one, now)}


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
