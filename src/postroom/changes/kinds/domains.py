"""Domains: taking one into care, what is known of it, its proof, and taking it out again."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any, Literal

from django.db.models import Q
from pydantic import Field

from postroom.changes.errors import Problem, Problems
from postroom.changes.kind import APPROVED, ASKED, Kind
from postroom.changes.plan import Edit, Planned, create, edit
from postroom.changes.state import State, not_there
from postroom.models import Address, Alias, CatchAll, Client, DkimKey, Domain, RecordSet
from postroom.models.recovery import REGISTRAR
from postroom.models.routes import ROLE_ACCOUNTS
from postroom.models.routes import postmaster as of_ours
from postroom.protocols.addresses import MAX_NAME
from postroom.protocols.dkim import ALGORITHMS

from .alive import anew
from .baseline import Wanted, baseline
from .clients import within_restore
from .fields import ClientRef, DomainName, DomainRef, Line, YesNo, date
from .records import as_read, stand, standing

ROOM = MAX_NAME - len("p2611r4fa._domainkey.")  # the longest name that stands below every domain


class AddDomain(Kind, name="domains.add"):
    """Take a domain into care: its MX, SPF, DMARC and DKIM are planned along, over what stands in its zone."""

    client: ClientRef
    name: DomainName
    hosting: Literal["hosted", "provider", "manual"] = Field(
        default="hosted", description="Whose name servers: ours, a provider's with an API, or typed in by hand"
    )
    registrar: Line = ""
    registrar_holder: Line = Field(default="", description="Who holds the login at the registrar")
    registrar_account: Line = Field(default="", description="The mail address of the account there")
    registrar_account_holder: Line = Field(default="", description="Who holds the mailbox at that address")
    registrar_mfa: YesNo = Field(default="unknown", description="Whether that login asks for a second factor")
    second_holder: Line = Field(default="", description="Who else holds the login at the registrar")
    dns_holder: Line = Field(default="", description="Who holds the login where its DNS is run")
    expires_on: date | None = None

    def needs(self) -> Iterator[str]:
        yield self.name

    def claims(self, state: State) -> Iterator[Planned]:
        client = state.find(Client, self.client)
        yield create(Domain, state.new_id(), client_id=client and client.pk, name=self.name)

    def plan(self, state: State) -> Iterator[Planned]:
        (client, records), domain = self._checked(state), state.new_id()
        known = self.model_dump(exclude={"client"})
        asked = anew(REGISTRAR, "", self.registrar_account, state)
        yield create(Domain, domain, client_id=client.pk, proof_token=state.token(), **known, **asked)
        for wanted, ours in records:
            yield stand(client.pk, domain, self.name, wanted, state, ours=ours)
        for letter, algorithm in zip("ab", ALGORITHMS, strict=True):
            about = {"client_id": client.pk, "domain_id": domain, "algorithm": algorithm}
            yield create(DkimKey, state.new_id(), selector=f"p{state.now:%y%m}{letter}", **about)
        yield from self._role_accounts(client, domain, state)

    def _checked(self, state: State) -> tuple[Client, list[Wanted]]:
        """Whose it shall be, and what shall stand in its zone; all that is in the way of it, at once."""
        wrong: list[Problem] = []
        records: list[Wanted] = []
        client = state.find(Client, self.client)
        if client is None:
            wrong.append(not_there(Client, self.client, "client"))
        elif client.removed_at:
            wrong.append(Problem("client", f"{client.name} is removed"))
        if len(self.name) > ROOM:
            room = f"at most {ROOM} leave room for the names of its DKIM keys"
            wrong.append(Problem("name", f"{len(self.name)} octets; {room}"))
        elif client or state.access.can_somewhere(self.permission):  # for nobody else a zone is read
            try:
                records = list(baseline(self.name, state))
            except Problem as unread:
                wrong.append(type(unread)("name", unread.what))
        if client is None or wrong:
            raise Problems(wrong)
        return client, records

    def _role_accounts(self, client: Client, domain: Any, state: State) -> Iterator[Planned]:
        """RFC 2142: every domain answers at postmaster@ and abuse@; the organization reads them."""
        postmaster = state.once("postmaster", of_ours)
        for local in ROLE_ACCOUNTS:
            if (address := f"{local}@{self.name}") != postmaster:
                row = state.new_id()
                yield create(Address, row, client_id=client.pk, domain_id=domain, address=address)
                yield create(Alias, state.new_id(), client_id=client.pk, address_id=row, targets=[postmaster])


class ChangeDomain(Kind, name="domains.change"):
    """What is known of a domain: registrar, who holds which login, when it expires."""

    domain: DomainRef
    registrar: Line | None = None
    registrar_holder: Line | None = Field(default=None, description="Who holds the login at the registrar")
    registrar_account: Line | None = Field(default=None, description="The mail address of the account there")
    registrar_account_holder: Line | None = Field(default=None, description="Who holds the mailbox at that address")
    registrar_mfa: YesNo | None = Field(default=None, description="Whether that login asks for a second factor")
    second_holder: Line | None = Field(default=None, description="Who else holds the login at the registrar")
    dns_holder: Line | None = Field(default=None, description="Who holds the login where its DNS is run")
    expires_on: date | None = None
    confirmed_on: date | None = Field(default=None, description="When somebody asked whether all this is still so")

    def plan(self, state: State) -> Iterator[Planned]:
        if self.confirmed_on and self.confirmed_on > state.now.date():
            raise Problem("confirmed_on", f"{self.confirmed_on} lies ahead: say when it was confirmed")
        values = self.model_dump(exclude_none=True, exclude={"domain"})
        domain = state.get(Domain, self.domain, where="domain")
        if self.registrar_account not in (None, domain.registrar_account):
            values.setdefault("registrar_account_holder", "")  # who held the address before holds another one
        yield edit(domain, **values, **anew(REGISTRAR, domain.registrar_account, self.registrar_account, state))


class SuspendDomain(Kind, name="domains.suspend"):
    """Stop sign-in and sending for every mailbox of a domain; mail keeps arriving."""

    domain: DomainRef

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.domain, where="domain")
        if domain.suspended_at is None:
            yield edit(domain, suspended_at=state.now)


class ResumeDomain(Kind, name="domains.resume"):
    """Let a suspended domain work again."""

    domain: DomainRef

    def plan(self, state: State) -> Iterator[Planned]:
        yield edit(state.get(Domain, self.domain, where="domain"), suspended_at=None)


class RemoveDomain(Kind, name="domains.remove"):
    """Take a domain out of care: its records as they were found, no mail in or out. Thirty days of restore."""

    step_up = frozenset({ASKED, APPROVED})
    domain: DomainRef
    accept_loss: bool = Field(default=False, description="Yes, its mail stops and its records go")

    def needs(self) -> Iterator[str]:
        yield self.domain

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.domain, where="domain")
        if domain.removed_at is None:
            yield edit(domain, removed_at=state.now)
        for row in state.hanging(RecordSet, "domain_id", domain.pk):
            if row.set_aside is not None:
                continue
            aside = {"ttl": row.ttl, "values": row.values, "ours": row.ours}
            back = row.found or {"ttl": row.ttl, "values": []}
            yield _moved(row, back, domain.name, state, ours=[], set_aside=aside)


class RestoreDomain(Kind, name="domains.restore"):
    """Bring back a domain removed within thirty days, its records too."""

    domain: DomainRef

    def needs(self) -> Iterator[str]:
        yield self.domain

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.domain, where="domain")
        within_restore(domain.removed_at, state, "domain")
        yield edit(domain, removed_at=None)
        for row in state.hanging(RecordSet, "domain_id", domain.pk):
            if (aside := row.set_aside) is None:
                continue
            yield _moved(row, aside, domain.name, state, ours=aside["ours"], set_aside=None)


def _moved(row: RecordSet, to: dict[str, Any], zone: str, state: State, **more: Any) -> Edit:
    """An edit of a record set's values, from what was last read in the zone."""
    found = standing(zone, row.name, row.type, state)
    wanted = {"ttl": to["ttl"], "values": to["values"]}
    return as_read(edit(row, **wanted, **more), found, wanted)


class SetAlias(Kind, name="domains.set_alias"):
    """Make every address of another domain one of this domain too: one that is there, and no other."""

    domain: DomainRef
    of: DomainRef | None = Field(default=None, description="The domain whose addresses it shares; none: no more")

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.domain, where="domain")
        of = state.get(Domain, self.of, where="of") if self.of else None
        if of and (wrong := list(_no_alias(domain, of))):
            raise Problems([Problem(where, words) for where, words in wrong])
        yield edit(domain, alias_of_id=of and of.pk)


def _no_alias(domain: Domain, of: Domain) -> Iterator[tuple[str, str]]:
    """Why one is no alias of the other, as (parameter, words); its own addresses would hide what they hold."""
    if domain.pk == of.pk or domain.client_id != of.client_id:
        yield "of", f"{domain.name} is an alias of another domain of its client, or of none"
    if of.alias_of_id or of.removed_at:
        yield "of", f"{of.name} is {'removed' if of.removed_at else 'an alias itself'}"
    if Domain.objects.filter(alias_of=domain.pk).exists():
        yield "domain", f"others are aliases of {domain.name}"
    own = Address.objects.filter(domain=domain.pk).exclude(
        address__in=[f"{one}@{domain.name}" for one in ROLE_ACCOUNTS]
    )
    stands = (Q(**{f"{one}__removed_at": None, f"{one}__isnull": False}) for one in ("mailbox", "alias", "forward"))
    held = own.filter(reduce(or_, (*stands, Q(transport__isnull=False, transport__ended_at=None))))
    if found := sorted(set(held.values_list("address", flat=True)[:5])):
        yield "domain", f"it has addresses of its own: {', '.join(found)}"
    if CatchAll.objects.filter(domain=domain.pk, removed_at=None).exists():
        yield "domain", "it has a catch-all of its own"


class ProveDomain(Kind, name="domains.prove"):
    """Control of the domain has been read from outside; from now on it delivers."""

    by = frozenset({"system"})
    domain: DomainRef
    proof: Line = Field(description="What was read, and where")
    under: DomainRef | None = Field(default=None, description="The domain above it whose proof this rests on")

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.domain, where="domain")
        if domain.proof == "read":
            return
        if domain.removed_at:
            raise Problem("domain", f"{domain.name} is removed")
        if self.under:
            _vouches(state.get(Domain, self.under, where="under"), domain)
        yield edit(domain, proof="read")


def _vouches(above: Domain, domain: Domain) -> None:
    """Only what this very client has proven, and we host, speaks for what lies in it."""
    good = above.client_id == domain.client_id and above.proof == "read" and above.hosting == "hosted"
    if not good or above.removed_at or not domain.name.endswith(f".{above.name}"):
        raise Problem("under", f"{above.name} proves nothing of {domain.name}")
