"""Domains by what was last found of their DNS, at the API: of many, and of one with every result."""

from typing import Annotated, Any, Literal

from ninja import Router, Schema
from pydantic import Field

from postroom.queries import postures as queries

from .door import reads
from .shapes import Told

router = Router(tags=["domains"])
Level = Literal["good", "info", "warn", "bad", "unknown"]


class PostureOut(Schema):
    domain: str
    client: str
    level: Level = Field(description="The worst of all areas")
    levels: dict[str, Level] = Field(description="By area: mx, spf, dkim, …; empty where nothing is known")
    unknown: str = Field(description="Why nothing is known now")
    at: str | None = Field(description="When it was looked at last")
    since: str | None = Field(description="From when on it has stood so")


class PosturesOut(Schema):
    items: list[PostureOut]
    next: str | None


class LossOut(Schema):
    points: int
    rule: str


class ScoreOut(Schema):
    points: int = Field(description="Of a hundred")
    at_most: bool = Field(description="Something is unknown, so it may be less")
    lost: list[LossOut]


class EvidenceOut(Schema):
    name: str = Field(description="Where it stands")
    raw: list[str]
    parsed: dict[str, str]
    chain: list[str] = Field(description="The aliases that led there")


class RecordOut(Schema):
    name: str
    type: str
    ttl: int
    values: list[str]


class ResultOut(Schema):
    level: Level
    rule: str = Field(description="Of docs/dns-rules.md")
    says: str
    source: str
    evidence: EvidenceOut
    publish: RecordOut | None = Field(description="The record set that would mend it")


class WholeOut(PostureOut):
    score: ScoreOut | None
    results: list[ResultOut] = Field(description="In the order of the table of rules")


@router.get("/postures", response=Annotated[dict[str, Any], Told(PosturesOut)])
@reads(queries.VIEW)
def postures(
    request: Any, client: str = "", state: str = "", area: str = "", search: str = "", after: str = "", limit: int = 50
) -> dict[str, Any]:
    """Domains by name. state: bad, unknown, warn or good; of one area (mx, spf, …), or the worst of all."""
    asked = queries.Asked(client, state, area, search, after)
    found = queries.listed(request.auth.actor, asked, limit=limit)
    return {"items": [queries.shown(one) for one in found.items], "next": found.next}


@router.get("/domains/{ref}/posture", response=Annotated[dict[str, Any], Told(WholeOut)])
@reads(queries.VIEW)
def posture(request: Any, ref: str) -> dict[str, Any]:
    """One domain with every result: what is, what follows, what it rests on and what would mend it."""
    return queries.shown_whole(queries.whole(request.auth.actor, ref))
