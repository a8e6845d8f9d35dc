"""A way out is replaced by access: who would get the mail outside opens the mailbox that it comes to.

The access is asked for as any (delegations.py): into a person's mailbox nobody is let before its owner consents. Until
it stands, and its node has read back that it does, mail goes on as before; then the way out ends, by a change that
follows. Where the access is declined, or ends before, the way out stays, and is found as before.

SECURITY: what follows is the system's, and judged as its own. So it touches what hangs on the very mailbox that was
asked for, which is judged when it is asked; an alias is ended by whoever may, once the access stands.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind, Ref
from postroom.changes.plan import Edit, Planned, edit
from postroom.changes.state import State
from postroom.models import Address, Alias, Delegation, Forward, Mailbox, SieveScript, Transport
from postroom.models.delegations import OPEN
from postroom.protocols.addresses import address as plain_address
from postroom.protocols.addresses import domain_name

from .delegations import AskDelegation
from .fields import DelegationRef, MailAddress, MailboxRef, Moment
from .redirects import SHOWN, redirect_stopped

CAUGHT = (
    "what is caught for a whole domain has no mailbox of its own to open: end the catch-all, or have it lead to one"
)
NO_WAY = "no forward, alias or redirect of {} passes mail on to {} now"
NOTIFIES = "a filter of {} tells of mail there and passes none on: there is nothing to replace"
KEPT_NOWHERE = "mail of {} is kept in no mailbox: have it land in one first, or say one that it goes to as well"
NOT_THERE = "mail of {} is not kept in {}: whoever opens that would not see it"
GOES_ON = "mail of {} would still go on to {}, and no copy is kept: whoever opens its mailbox would not see it"
FIRST = "{} is an alias: let them open {} first (delegations.ask); once that stands, this takes {} out of the alias"


def source(text: str) -> str:
    return "@" + domain_name(text[1:]) if text.startswith("@") else plain_address(text)


@dataclass(frozen=True)
class Ways:
    """By which mail of an address goes to a target. box: the address's own mailbox; redirects: its script does so.
    along: the targets that are replaced by the same access, this one among them."""

    address: Address
    target: str
    forward: Forward | None
    alias: Alias | None
    box: Mailbox | None
    redirects: bool
    notifies: bool
    along: frozenset[str] = frozenset()

    @property
    def any(self) -> bool:
        return bool(self.forward or self.alias or self.redirects)


class ReplaceForward(Kind, name="forwards.replace"):
    """Let somebody open a mailbox in place of having its mail passed on. The way out ends once they may."""

    address: Annotated[str, AfterValidator(source)] = Field(description="The address whose mail leaves")
    target: MailAddress = Field(
        description="Where it goes now, and shall not any more", json_schema_extra={"label": "Goes to now"}
    )
    to: MailboxRef = Field(
        description="The mailbox of whoever reads it there today", json_schema_extra={"label": "Opened from"}
    )
    mailbox: MailboxRef | None = Field(
        default=None, description="The mailbox that is opened; left out, that of the address itself",
        json_schema_extra={"label": "Mailbox to open"},
    )  # fmt: skip
    until: Moment | None = Field(
        default=None, description="When the access ends by itself, a year from now at most; of a person’s it has to be"
    )

    def reads(self) -> Iterator[Ref]:
        yield Address, self.address
        yield Alias, self.address
        yield from ((Mailbox, one) for one in (self.address, self.to, self.mailbox) if one)

    def plan(self, state: State) -> Iterator[Planned]:
        if self.address.startswith("@"):
            raise Problem("address", CAUGHT)
        ways = ways_of(state, state.get(Address, self.address, where="address"), self.target)
        if not ways.any:
            words = NOTIFIES if ways.notifies else NO_WAY
            raise Problem("target", words.format(self.address, self.target))
        mailbox, to = self._kept(state, ways), state.get(Mailbox, self.to, where="to")
        ways = replace(ways, along=self._along(state))
        if mailbox.address_id == ways.address.pk and not keeps(state, ways):
            raise Problem("mailbox", GOES_ON.format(self.address, _others(state, ways)))
        granted = [one for one in _of_both(state, mailbox, to) if one.started_at]
        if any(OPEN in one.rights and self._lasts(one) for one in granted):
            yield from ended(state, ways)
        elif ways.alias or mailbox.address_id != ways.address.pk:
            raise Problem("address", FIRST.format(self.address, mailbox.label, self.target))
        else:
            yield from self._asked(state, mailbox, to, granted)

    def _along(self, state: State) -> frozenset[str]:
        """Where else its mail goes that this change replaces by the very access; another may start without it."""
        replaced = state.once("replaced by one access", lambda: _by_access(state.parts))
        return frozenset(replaced.get(_access(self), ()))

    def _kept(self, state: State, ways: Ways) -> Mailbox:
        """The mailbox to open: where the mail is once it goes out no more."""
        if self.mailbox is None:
            if ways.box is None:
                raise Problem("address", KEPT_NOWHERE.format(self.address))
            return ways.box
        mailbox = state.get(Mailbox, self.mailbox, where="mailbox")
        if mailbox.address_id != ways.address.pk and mailbox.label not in beside(state, ways):
            raise Problem("mailbox", NOT_THERE.format(self.address, mailbox.label))
        return mailbox

    def _lasts(self, one: Delegation) -> bool:
        return self.until is None or one.until is None or one.until >= self.until

    def _asked(self, state: State, mailbox: Mailbox, to: Mailbox, granted: list[Delegation]) -> Iterator[Planned]:
        """Once for all that it replaces. What they may beside stays: what is asked for takes the place of it."""
        way = f"{self.address} {self.target}"
        begun = state.once(f"{to.pk} opens {mailbox.pk}", lambda: list[Delegation]())
        if begun:
            yield edit(begun[0], replaces=[*begun[0].replaces, way])
            begun[0].replaces = [*begun[0].replaces, way]
            return
        rights = sorted({OPEN, *(right for one in granted for right in one.rights)})
        about = {"mailbox": mailbox.label, "to": to.label, "rights": rights, "until": self.until}
        for planned in AskDelegation.model_validate(about).planned(state, replaces=[way]):
            if getattr(planned, "table", "") == Delegation._meta.db_table and getattr(planned, "before", 0) is None:
                begun.append(Delegation(pk=UUID(planned.id), client_id=mailbox.client_id, replaces=[way]))
            yield planned


def _access(one: ReplaceForward) -> tuple[str, str, str]:
    return one.address, one.to, one.mailbox or one.address


def _by_access(parts: Sequence[object]) -> dict[tuple[str, str, str], set[str]]:
    """By an address, who opens what in place of its ways out: the targets of these."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for one in parts:
        if isinstance(one, ReplaceForward):
            found.setdefault(_access(one), set()).add(one.target)
    return found


class EndReplaced(Kind, name="forwards.give_way"):
    """The access stands, as its node says: the ways out that it takes the place of end."""

    by = frozenset({"system"})
    delegation: DelegationRef

    def plan(self, state: State) -> Iterator[Planned]:
        one = state.get(Delegation, self.delegation, where="delegation")
        if one.started_at is None or one.ended_at or OPEN not in one.rights:
            return
        for way in one.replaces:
            source, _, target = way.partition(" ")
            if address := state.find(Address, source):
                ways = replace(ways_of(state, address, target), along=_targets(one.replaces, source))
                yield from ended(state, _on_its_mailbox(state, one, ways))


def _targets(replaces: Sequence[str], source: str) -> frozenset[str]:
    return frozenset(way.partition(" ")[2] for way in replaces if way.partition(" ")[0] == source)


def _on_its_mailbox(state: State, one: Delegation, ways: Ways) -> Ways:
    """What hangs on the mailbox that was asked for, if mail is still kept there without it; no forward that somebody
    made, or made again, while it was waited for."""
    if ways.box is None or ways.box.pk != one.mailbox_id or not keeps(state, ways):
        return replace(ways, forward=None, alias=None, redirects=False)
    made_since = ways.forward is not None and ways.forward.made > one.made
    return replace(ways, alias=None, forward=None if made_since else ways.forward)


def keeps(state: State, ways: Ways) -> bool:
    """Whether mail of the address is in its own mailbox once it goes this way no more."""
    handed = state.hanging(Transport, "address_id", ways.address.pk)
    if ways.box is None or any(one.ended_at is None and one.until > state.now for one in handed):
        return False
    return ways.address.keep_copy or not beside(state, ways) - ways.along


def _others(state: State, ways: Ways) -> str:
    """Where its mail would still go on to, for whoever may look at that."""
    there = sorted(beside(state, ways) - ways.along)
    if not there:
        return "another mail server by a transport"
    may = all(state.access.can(f"{noun}.view", ways.address.client_id) for noun in ("forwards", "aliases"))
    return ", ".join(there[:SHOWN]) if may else "others"


def beside(state: State, ways: Ways) -> set[str]:
    """Where else mail of the address is passed on."""
    return {*(ways.alias.targets if ways.alias else ()), *(one.to for one in _forwards(state, ways.address))} - {
        ways.target
    }


def ways_of(state: State, address: Address, target: str) -> Ways:
    """Those that stand now."""
    box = state.find(Mailbox, address.address)
    box = box if box and box.removed_at is None else None
    alias = state.find(Alias, address.address)
    going = [one for one in _forwards(state, address) if one.to == target]
    said = {str(each.get("by")) for each in _redirects(box) if each.get("to") == target}
    return Ways(
        address, target, going[0] if going else None,
        alias if alias and alias.removed_at is None and target in alias.targets else None,
        box, "redirect" in said, "notify" in said,
    )  # fmt: skip


def ended(state: State, ways: Ways) -> Iterator[Planned]:
    """The forward is disabled, the alias leads there no more, the redirect is stopped: nothing of them is lost."""
    if ways.forward:
        yield edit(ways.forward, disabled_at=state.now)
    if ways.alias:
        yield _without(state, ways.alias, ways.target)
    if ways.redirects and ways.box:
        yield from redirect_stopped(state, ways.box, ways.target)


def _without(state: State, alias: Alias, target: str) -> Edit:
    """It leads there no more, nor to what the same change took out before; one that would lead nowhere is removed."""
    as_planned = state.once(f"{alias.pk} as planned", lambda: [alias])
    alias = as_planned[0]
    rest = [one for one in alias.targets if one != target]
    if not rest:
        return edit(alias, removed_at=state.now)
    as_planned[0] = copy(alias)
    as_planned[0].targets, as_planned[0].destination_id = rest, None
    return edit(alias, targets=rest, destination_id=None)


def _forwards(state: State, address: Address) -> list[Forward]:
    rows = state.hanging(Forward, "address_id", address.pk)
    return [one for one in rows if Forward.opens(one.row()) and one.until > state.now]


def _of_both(state: State, mailbox: Mailbox, to: Mailbox) -> list[Delegation]:
    rows = state.hanging(Delegation, "mailbox_id", mailbox.pk)
    live = [one for one in rows if one.ended_at is None and (one.until is None or one.until > state.now)]
    return [one for one in live if one.to_mailbox_id == to.pk]


def _redirects(box: Mailbox | None) -> Iterator[dict[str, object]]:
    """What the scripts in force of a mailbox send on, as its node read them."""
    rows = SieveScript.objects.filter(mailbox=box.pk, active=True) if box else ()
    for script in rows:
        yield from script.redirects
