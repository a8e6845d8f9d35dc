"""Probes at the API: a message to an address, and where it was seen to arrive."""

from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import Field

from postroom.changes.pipeline import submit
from postroom.protocols.addresses import Line, Text
from postroom.queries import probing as queries

from .asked import one_change
from .changes import DONE_OR_WAITING, KEY, answered
from .door import reads, submits
from .shapes import Told
from .unknown import Body

router = Router(tags=["routes"])


class ProbeIn(Body):
    why: Text
    ticket: Line = ""


class ProbeLandingOut(Schema):
    """One place where a probe was computed to end, or was seen to."""

    sort: str = Field(description="mailbox, outside, refused, discarded, waiting; computed, also loop and unknown")
    address: str = Field(description="Empty where the caller may not see it")
    hidden: bool = Field(description="It is at a domain of the client that the caller does not see")
    computed: bool = Field(description="Whether it was computed to end here")
    sometimes: bool = Field(description="Computed for some messages: a filter looks at them first")
    why: str = Field(description="Why it is refused, goes round, or is not known, as it was computed")
    state: str = Field(
        description="arrived, left, refused, thrown away, put off; not arrived yet, did not come, or not known"
    )
    at: str | None = Field(description="When it was seen there")
    folder: str = Field(description="Of the mailbox, by its filters; several by commas")
    status: str = Field(description="As 5.1.1 (RFC 3463)")
    said: str = Field(description="What the mail server said, in its words")


class ProbeOut(Schema):
    id: str
    change: str
    made: str
    sent: str | None = Field(description="When it was handed to our own submission")
    taken: bool = Field(description="Whether our own submission took it")
    heard: bool = Field(description="Whether the client's mail node was heard of just now")
    verdict: str = Field(description="as computed, differs, waits, not known, not sent yet, or not sent")
    not_sent: str = Field(description="Why it is not sent at all, where it is not")
    landings: list[ProbeLandingOut]


class ProbedOut(Schema):
    address: str
    probe: ProbeOut | None = Field(description="The newest one; none where none was sent")


@router.get("/addresses/{address}/probe", response=Annotated[dict[str, Any], Told(ProbedOut)])
@reads(queries.VIEW)
def probe(request: Any, address: str) -> dict[str, Any]:
    """The newest probe to an address: where it was computed to end, and where it was seen to."""
    return queries.probed(request.auth.actor, address)


@router.post("/addresses/{address}/probe", response=DONE_OR_WAITING)
@submits("probes.send")
def send(request: Any, address: str, body: ProbeIn, key: str | None = KEY) -> Any:
    """Send a message to an address, to see where it arrives."""
    kinds, why = one_change("probes.send", {"address": address}, body.why, request.auth.actor)
    change = submit(kinds, actor=request.auth.actor, why=why, ticket=body.ticket, key=key)
    return answered(request, change)
