"""Saved views of the forwards that leave, at the API: the caller's own, and nobody else's."""

from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import Field

from postroom.changes import saved_views
from postroom.queries import views as queries
from postroom.queries.leaving import MECHANISMS, RISKS, VIEW

from .door import reads, submits
from .shapes import Told
from .unknown import Body

router = Router(tags=["routes"])
ONLY = "private, unexcepted, or both of them"


class ViewOut(Schema):
    name: str
    client: str = Field(description="Its slug; each is empty where it narrows nothing")
    mechanism: str = Field(description=", ".join(MECHANISMS))
    risk: str = Field(description=", ".join(RISKS))
    only: str = Field(description=ONLY)
    q: str = Field(description="What is searched for")


class ViewsOut(Schema):
    items: list[ViewOut]


class ViewIn(Body):
    name: str
    client: str = ""
    mechanism: str = ""
    risk: str = ""
    only: str = Field(default="", description=ONLY)
    q: str = ""


class RenameIn(Body):
    name: str
    to: str


class NameIn(Body):
    name: str


Views = Annotated[dict[str, Any], Told(ViewsOut)]


@router.get("/forwards-leaving/views", response=Views)
@reads(VIEW)
def views(request: Any) -> dict[str, Any]:
    """Your saved views, by name. A token has none."""
    return _all(request)


@router.post("/forwards-leaving/views", response=Views)
@submits(VIEW, recorded="")
def save_view(request: Any, body: ViewIn) -> dict[str, Any]:
    """Save what the list is narrowed by, under a name; one of yours that is called so is replaced."""
    saved_views.save(request.auth.actor, body.name, body.dict(exclude={"name"}))
    return _all(request)


@router.post("/forwards-leaving/views/rename", response=Views)
@submits(VIEW, recorded="")
def rename_view(request: Any, body: RenameIn) -> dict[str, Any]:
    """Call one of yours otherwise."""
    saved_views.rename(request.auth.actor, body.name, body.to)
    return _all(request)


@router.post("/forwards-leaving/views/remove", response=Views)
@submits(VIEW, recorded="")
def remove_view(request: Any, body: NameIn) -> dict[str, Any]:
    """Remove one of yours; what it showed stays as it is."""
    saved_views.remove(request.auth.actor, body.name)
    return _all(request)


def _all(request: Any) -> dict[str, Any]:
    return {"items": [queries.shown(one) for one in queries.views(request.auth.actor)]}
