"""Where mail goes on: forwards, catch-alls, other mail servers, and the exceptions by which mail may leave a client."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import models

from .base import NOTHING, Row, StateModel
from .clients import Client, Organization
from .domains import Address, Domain


class Forward(StateModel):
    """Mail of an address goes on to another one as well, or instead (Address.keep_copy), until a day.

    to: one address, inside or outside. disabled_at: it passes nothing on, and stands to be read. until: after it the
    maps answer it no more, whoever is away.
    """

    own = "address_id"
    client = models.ForeignKey(Client, models.DO_NOTHING)
    address = models.ForeignKey(Address, models.DO_NOTHING, db_index=False)  # the first column of the constraint
    to = models.TextField(db_collation="C")
    until = models.DateTimeField()
    made = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "forwards"
        constraints = [models.UniqueConstraint(fields=["address", "to"], name="one_forward")]
        indexes = [models.Index(fields=["to"], name="forwards_by_target")]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["removed_at"] or row["disabled_at"] else frozenset({row["to"]})


class CatchAll(StateModel):
    """What is sent to any address of a domain that is none goes to `target`, until a day."""

    natural_key = "domain__name"
    client = models.ForeignKey(Client, models.DO_NOTHING)
    domain = models.OneToOneField(Domain, models.DO_NOTHING)
    target = models.TextField(db_collation="C")
    until = models.DateTimeField()
    made = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "catch_alls"
        verbose_name = "catch-all"
        indexes = [models.Index(fields=["target"], name="catch_alls_by_target")]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["removed_at"] else frozenset({row["target"]})


class RouteException(StateModel):
    """Mail of one address may go on to one outside: who answers for it, why, and until when.

    target: an address. owner: the human who answers for it. review_on: when somebody looks at it again before its end.
    on_end: what becomes of the forwards that rest on it: REMOVE, or ASK (they are disabled until somebody says).
    """

    grants_access = True
    own = "address_id"
    client = models.ForeignKey(Client, models.DO_NOTHING)
    address = models.ForeignKey(Address, models.DO_NOTHING, db_index=False)  # the first column of an index below
    target = models.TextField(db_collation="C")
    owner = models.TextField()
    reason = models.TextField()
    until = models.DateTimeField()
    review_on = models.DateField()
    on_end = models.TextField()
    made = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "exceptions"
        verbose_name = "exception"
        indexes = [
            models.Index(fields=["address", "target"], name="exceptions_of_an_address"),
            models.Index(fields=["target"], name="exceptions_by_target"),
        ]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["ended_at"] else frozenset({row["target"]})


class Transport(StateModel):
    """Mail of one address is handed to another mail server instead of landing here, until a day.

    It is an exception by itself: who answers for it, and why, stand on it. host: a name or an IPv4 address. tls:
    OPPORTUNISTIC, or REQUIRED (with a certificate of that name). One stands at an address at a time.
    """

    grants_access = True
    own = "address_id"
    client = models.ForeignKey(Client, models.DO_NOTHING)
    address = models.ForeignKey(Address, models.DO_NOTHING)
    host = models.TextField(db_collation="C")
    port = models.IntegerField()
    tls = models.TextField()
    owner = models.TextField()
    reason = models.TextField()
    until = models.DateTimeField()
    review_on = models.DateField()
    made = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "transports"
        verbose_name = "transport"
        constraints = [
            models.UniqueConstraint(fields=["address"], condition=models.Q(ended_at=None), name="one_transport")
        ]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["ended_at"] else frozenset({server(row["host"], row["port"])})


def server(host: str, port: int) -> str:
    """Another mail server, as it is written everywhere: mx.partner.example:25."""
    return f"{host}:{port}"


OPPORTUNISTIC, REQUIRED = "opportunistic", "required"  # TLS on the way to another server
REMOVE, ASK = "remove", "ask"  # what becomes of a forward when its exception ends


ROLE_ACCOUNTS = ("postmaster", "abuse")  # of every domain (RFC 2142); their mail is the organization's to read


def role_account(address: str) -> bool:
    """Whether it is one of those that lead to the organization's postmaster of themselves."""
    return address.partition("@")[0] in ROLE_ACCOUNTS


@dataclass(frozen=True)
class Inside:
    """What mail of a client stays inside by. domains: its own that are served; to one that is claimed alone, mail goes
    by whatever MX it has. postmaster: the address role accounts lead to, wherever that is.

    sql/leaving.sql and posture/checks/unexcepted.py say the same in SQL (tests/queries/test_postmaster.py).
    """

    domains: frozenset[str] = frozenset()
    postmaster: str = ""

    def keeps(self, target: str, *, of: str) -> bool:
        """Whether mail to the address `of` is still inside where it goes on to the target. The postmaster is for mail
        to role accounts alone, by however many steps: other mail that comes there, through them or not, has left."""
        return target.rpartition("@")[2] in self.domains or (target == self.postmaster and role_account(of))

    def beside(self, *names: str) -> "Inside":
        """The same with further domains, served or not."""
        return replace(self, domains=self.domains | frozenset(names))


def inside(client: UUID | None) -> Inside:
    """Of one client. Two queries."""
    names = Domain.objects.filter(client=client, removed_at=None, proof="read").values_list("name", flat=True)
    return Inside(frozenset(names), postmaster())


def inside_each(clients: Collection[UUID]) -> Mapping[UUID, Inside]:
    """The same of many. Two queries."""
    names: dict[UUID, list[str]] = {one: [] for one in clients}
    own = Domain.objects.filter(client__in=names, removed_at=None, proof="read")
    for client, name in own.values_list("client_id", "name"):
        names[client].append(name)
    to = postmaster()
    return {client: Inside(frozenset(found), to) for client, found in names.items()}


def postmaster() -> str:
    """The organization's; empty before there is one."""
    return Organization.objects.values_list("postmaster", flat=True).first() or ""


Said = tuple[list[str], list[str]]


def patterns_at(client: UUID | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(allowed, forbidden): the organization's, and the client's own beside."""
    row: Said = Client.objects.filter(pk=client).values_list("forward_allowed", "forward_forbidden").first() or ([], [])
    ours: Said = Organization.objects.values_list("forward_allowed", "forward_forbidden").first() or ([], [])
    return (*ours[0], *row[0]), (*ours[1], *row[1])
