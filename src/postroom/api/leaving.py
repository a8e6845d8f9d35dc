"""Forwards that leave at the API: every way by which mail leaves, worst first, and how much of scripts is known."""

from typing import Annotated, Any

from django.http import FileResponse
from ninja import Router, Schema
from pydantic import Field

from postroom.access.declared import ALWAYS, EXPORT
from postroom.access.roles import SHEET
from postroom.queries import coverage as coverages
from postroom.queries import leaving as queries
from postroom.queries import looking
from postroom.queries.leaving import Asked
from postroom.queries.leaving_files import take_out

from .asked import as_why
from .door import reads, submits
from .shapes import Told

router = Router(tags=["routes"])


class WayExceptionOut(Schema):
    id: str
    owner: str | None = Field(description="Nothing where the caller may not see exceptions, as of its end")
    until: str | None
    reason: str | None
    review_on: str | None = Field(description="When somebody looks at it again, before its end")
    change: str | None = Field(description="By which it was made; nothing where that is not seen, as of both below")
    asked_by: str | None
    approved_by: list[str] | None = Field(description="Empty: nobody had to")


class MadeBy(Schema):
    change: str
    by: str = Field(description="The person's name; or clock, system, founder")
    at: str


class WayOut(Schema):
    """One way: mail to `address` goes to `target`."""

    mechanism: str = Field(description=", ".join(queries.MECHANISMS[:-1]))
    client: str = Field(description="Its slug")
    client_name: str
    address: str = Field(description="@domain: every address there that is none")
    via: str = Field(description="The next address on the way; empty where its own rule leads outside")
    hops: int = Field(description="Steps before the one that leads outside")
    off: bool = Field(description="Disabled, or stopped at its node: nothing goes by it now")
    leaves_at: str = Field(description="The address whose rule leads outside")
    target: str | None = Field(description="Nothing: worked out when mail comes, so unknown")
    until: str | None
    disabled_at: str | None
    made: str | None = Field(description="When the rule was made; of a script, when it was first seen so")
    conditional: bool = Field(description="Not for every message")
    keeps_copy: bool | None = Field(description="Its own mailbox keeps a copy; nothing where it has none")
    script: str = Field(description="The Sieve script's name")
    private: bool = Field(description="At a provider of private mailboxes")
    exception: WayExceptionOut | None
    forbidden: str | None = Field(description="The pattern that forbids it")
    allowed: str | None = Field(description="The pattern that allows it without an exception")
    risk: str = Field(description=", ".join(queries.RISKS))
    row: str | None = Field(description="The rule it begins with; nothing for a script's")
    mailbox: str | None
    blocked: bool = Field(description="Ends in a script, whose node lets nothing there: the mail does not leave")
    leaves_by: str = Field(description="The mechanism of the rule at leaves_at")
    ways: int = Field(description="How many ways end in that very rule, this one among them: they are one leak")
    cannot: dict[str, str] = Field(description="Of exceptions.create, forwards.stop, forwards.replace and "
                                   "forwards.tell_owner, those that cannot be done to it, and why")  # fmt: skip
    stopped: bool = Field(description="A script's, that was stopped at its node's port, since disabled_at")
    made_by: MadeBy | None = Field(description="Nothing where the caller may not see it, or a script's")
    last_hit: str | None = Field(description="When mail to the address last left to the target")
    measured_since: str | None = Field(description="With no last hit none left since; nothing: it is not measured now")


class UncheckedOut(Schema):
    reason: str = Field(description=", ".join(coverages.SAID))
    words: str
    node: str | None
    mailboxes: int = Field(description="How many; 0 where domains are not seen, of which nothing is said")
    at: str | None = Field(description="When the node last looked")
    example: str = Field(description="One of these mailboxes; empty for none")


class CoverageOut(Schema):
    checked: int
    mailboxes: int = Field(description="All there are")
    whole: bool = Field(description="Where it is false, an empty list does not say that there is none")
    at: str | None = Field(description="How old what is known is")
    unchecked: list[UncheckedOut]


class LeavingOut(Schema):
    items: list[WayOut]
    next: str | None
    coverage: CoverageOut


Leaving = Annotated[dict[str, Any], Told(LeavingOut)]


class LookingOut(Schema):
    node: str
    state: str = Field(description=", ".join(looking.STATES))
    asked_at: str | None = Field(description="When it was last asked, by whomever")
    answered_at: str | None = Field(description="When a look that began after that was told; nothing: it was not")
    looked_at: str | None = Field(description="When it last looked, asked or not")


class LooksOut(Schema):
    looked: int = Field(description="Nodes that have looked since they were asked")
    nodes: int
    over: bool = Field(description=f"None is waited for: after {looking.SILENT.seconds} seconds one has no answer")
    asked_at: str | None
    items: list[LookingOut]


Looks = Annotated[dict[str, Any], Told(LooksOut)]


@router.post("/forwards-leaving/looks", response=Looks)
@submits(queries.VIEW, recorded="")
def look_again(request: Any, client: str = "") -> dict[str, Any]:
    """Ask every node of what you see to look at all scripts now; ask by GET how far they are."""
    return looking.shown(looking.look_again(request.auth.actor, client))


@router.get("/forwards-leaving/looks", response=Looks)
@reads(queries.VIEW)
def looks(request: Any, client: str = "") -> dict[str, Any]:
    """How far the nodes are that were asked to look at all scripts. One that says nothing is never one that has."""
    return looking.shown(looking.progress(request.auth.actor, client))


@router.get("/forwards-leaving", response=Leaving)
@reads(queries.VIEW)
def leaving(
    request: Any, client: str = "", mechanism: str = "", risk: str = "", private: bool = False,
    unexcepted: bool = False, search: str = "", after: str = "", limit: int = 50,
) -> dict[str, Any]:  # fmt: skip
    """Every way by which mail leaves a client, worst first. mechanism: `by way` for those over another address."""
    asked = Asked(client, mechanism, risk, private, unexcepted, search, after)
    found = queries.listed(request.auth.actor, asked, limit=limit)
    known = coverages.shown(coverages.coverage(request.auth.actor, client))
    return {"items": [queries.shown(one) for one in found.items], "next": found.next, "coverage": known}


@router.get("/forwards-leaving/file")
@submits(SHEET, step_up=ALWAYS, recorded=EXPORT)
def leaving_file(
    request: Any, client: str = "", mechanism: str = "", risk: str = "", private: bool = False,
    unexcepted: bool = False, search: str = "", why: str = "",
) -> Any:  # fmt: skip
    """All of them as CSV; of all clients, for who may export at the organization. Say why: it is an entry itself."""
    asked = Asked(client, mechanism, risk, private, unexcepted, search)
    reason = as_why(why) if why.strip() else ""
    found = take_out(request.auth.actor, asked, why=reason, fresh=request.auth.fresh)
    answer = FileResponse(found.file, as_attachment=True, filename=found.name, content_type=found.type)
    answer["Cache-Control"] = "no-store"
    return answer
