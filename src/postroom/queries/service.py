"""Is the service up? What each node last said of itself, and how it greeted when its own ports were visited."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from postroom.access.acting import Actor, access_of
from postroom.access.scope import visible
from postroom.models import Change, Client, Node, NodeTodo, Report

SILENT = timedelta(seconds=60)  # four heartbeats missed
LOOK_BACK = timedelta(days=1)
DAEMONS = ("postfix", "dovecot", "milter", "auth_policy", "srs")
GREETED = ("smtp", "imap")


@dataclass(frozen=True)
class Beat:
    """One node: its newest heartbeat, the newest one that carries greetings; None: none within a day."""

    node: Node
    at: datetime | None
    facts: dict[str, Any] = field(default_factory=dict)
    greeted_at: datetime | None = None
    greetings: dict[str, Any] = field(default_factory=dict)
    todo: int = 0
    clients: int = 0

    def silent(self, now: datetime) -> bool:
        return self.at is None or now - self.at > SILENT

    def well(self) -> bool:
        """Every daemon runs and its ports greeted, as it says itself; what it does not say is not well."""
        greeted = all(self.greetings.get(name, {}).get("ok") for name in GREETED)
        return greeted and all(running(self.facts, name) for name in DAEMONS)


def running(facts: Mapping[str, Any], name: str) -> bool | None:
    """Of a daemon, by a heartbeat; None: it does not say, as while the node's parent, which starts them, is away."""
    state = facts.get(name)
    return state if isinstance(state, bool) else None


def untold(facts: Mapping[str, Any]) -> str:
    """Why a heartbeat says nothing of a daemon."""
    return f"the node's parent is away: {facts['parent']}" if "parent" in facts else "it did not say"


def beats(actor: Actor) -> list[Beat]:
    """Every node that is not removed, by name: four queries, however many there are."""
    since = timezone.now() - LOOK_BACK
    told = Report.objects.filter(node=OuterRef("pk"), sort="heartbeat", at__gte=since).order_by("-at")
    greeted = told.filter(facts__has_key="smtp")
    nodes = list(
        visible(actor, Node).filter(removed_at=None).order_by("name").annotate(
            newest=Subquery(told.values("pk")[:1]), greeting=Subquery(greeted.values("pk")[:1])
        )
    )  # fmt: skip
    wanted = {pk for one in nodes for pk in (one.newest, one.greeting) if pk}
    reports = {one.pk: one for one in Report.objects.filter(pk__in=wanted)}
    todo = dict(_left(actor).filter(node__in=nodes).values_list("node").annotate(n=Count("pk")).order_by())
    mine = visible(actor, Client).filter(Q(removed_at=None), node__in=nodes)
    clients = dict(mine.values_list("node").annotate(n=Count("pk")).order_by())
    return [
        _beat(one, reports.get(one.newest), reports.get(one.greeting), todo.get(one.pk, 0), clients.get(one.pk, 0))
        for one in nodes
    ]


def _left(actor: Actor) -> "QuerySet[NodeTodo]":
    """What nodes have to look at; for whoever does not see all clients, what came of changes that they see."""
    everything = access_of(actor).can("nodes.view", None) and not access_of(actor).closed
    return NodeTodo.objects.all() if everything else NodeTodo.objects.filter(change__in=Change.objects.values("pk"))


def _beat(node: Node, newest: Report | None, greeting: Report | None, todo: int, clients: int) -> Beat:
    greetings = {name: greeting.facts[name] for name in GREETED if name in greeting.facts} if greeting else {}
    at, greeted_at = newest.at if newest else None, greeting.at if greeting else None
    return Beat(node, at, newest.facts if newest else {}, greeted_at, greetings, todo, clients)
