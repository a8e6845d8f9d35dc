"""Where mail to an address lands, at the API."""

from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import Field

from postroom.queries import tracing as queries

from .door import reads
from .shapes import ClientNamed, LandingOut, Told

router = Router(tags=["routes"])


class MadeOut(Schema):
    """A change by which a rule stands as it does."""

    change: str
    kind: str
    at: str
    by: str = Field(description="Who asked for it")
    why: str


class MadeFirstOut(MadeOut):
    changed: MadeOut | None = Field(description="The newest change of it since")


class ExceptionOut(Schema):
    """What lets mail leave there."""

    id: str
    target: str
    owner: str | None = Field(description="Who answers for it; with the rest nothing where the caller may not see it")
    reason: str | None
    until: str | None


class HopOut(Schema):
    """At this address, by this rule, mail goes on."""

    step: int = Field(description="How many hops come before it")
    at: str
    mechanism: str = Field(description="alias, forward, catch-all, domain alias, plus, transport, or sieve")
    to: list[str] = Field(description="Addresses; of a transport the other server, host:port")
    keeps: bool = Field(description="A copy stays")
    sometimes: bool = Field(description="A filter does it, for some messages")
    until: str | None
    unknown: str = Field(description="Why it is not known where (else) it goes")
    not_sent: list[str] = Field(description="Where a filter would send it and the node does not; it stays instead")
    table: str | None
    id: str | None
    made: MadeFirstOut | None
    read_at: str | None = Field(description="Of a filter: when its node read it last")
    exception: ExceptionOut | None
    client: ClientNamed | None = Field(description="Whose the address is, where that is another client you see")


class LeadOut(Schema):
    address: str = Field(description="*@name: any address of that domain that is none")
    by: str = Field(description="The mechanism of its first hop")
    sometimes: bool


class LastHitOut(Schema):
    target: str
    at: str


class TraceOut(Schema):
    address: str
    at: str
    hops: list[HopOut]
    landings: list[LandingOut]
    nowhere: bool = Field(description="Known to reach nobody; what is not known may")
    last_hits: list[LastHitOut] = Field(
        description="When mail to this address last left there; where it is none, forwards-leaving says what is known"
    )
    leads_here: list[LeadOut] = Field(description="Other addresses of the client whose mail comes here")
    more_lead_here: int = Field(description="How many more may, that are not shown")


@router.get("/addresses/{address}/trace", response=Annotated[dict[str, Any], Told(TraceOut)])
@reads(queries.VIEW)
def trace(request: Any, address: str) -> dict[str, Any]:
    """Where mail to an address lands: every hop with its rule, who made it and until when; and what leads there."""
    return queries.traced(request.auth.actor, address)
