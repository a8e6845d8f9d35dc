"""Mail nodes: each with its last heartbeat and greetings; what was not heard is said, never guessed."""

from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from postroom.queries.changes import timeline
from postroom.queries.service import DAEMONS, Beat, beats, running, untold
from postroom.queries.sign_ins import made_up
from postroom.web.door import page
from postroom.web.framed import freeze_notes, offered
from postroom.web.lines import lines
from postroom.web.parts.pages import ClientPage, NodesPage
from postroom.web.parts.shapes import Act, Badge, Cell, Code, Column, Crumb, Empty, Fact, Link, PageHead, Row, Table
from postroom.web.times import ago, when

COLUMNS = (
    Column("Node"), Column("Region", phone="gone"), Column("Heartbeat", phone="right"), Column("SMTP greeting"),
    Column("IMAP greeting"), Column("Clients", num=True), Column("Waiting", num=True),
)  # fmt: skip
CALLED = {"auth_policy": "Count of sign-ins", "srs": "Senders of forwards"}


class NodePage(ClientPage):
    """node.html: the same parts as a client's page, under another entry of the menu."""

    nav = "nodes"


@page("nodes.view")
def nodes(request: Any) -> HttpResponse:
    found = beats(request.actor)
    shown = NodesPage(
        head=PageHead("Nodes", "the hosts that serve mail", acts=_adding(request)), notes=freeze_notes(request),
        label="Nodes", table=Table("Nodes", COLUMNS, tuple(_row(one) for one in found)),
        empty=None if found else Empty("No node yet", "A node is a mail server host; without one nothing is served.",
                                       "server-2"),
    )  # fmt: skip
    return render(request, "nodes.html", {"page": shown})


def _adding(request: Any) -> tuple[Act, ...]:
    return offered(request, None, ("nodes.add", Act("Add a node", "/do/nodes.add/", icon="plus")))


def _row(one: Beat) -> Row:
    node = one.node
    drained = Badge("fact", "drained", "player-stop") if node.drained_at else ""
    unwell = "" if one.silent(datetime.now(UTC)) or one.well() else Badge("bad", "not all of it runs")
    return Row((
        (Link(node.name, f"/nodes/{node.name}/", strong=True), drained, unwell), node.region or "–", heartbeat(one),
        greeting(one, "smtp"), greeting(one, "imap"), str(one.clients), str(one.todo),
    ), name=node.name)  # fmt: skip


def heartbeat(one: Beat) -> Badge:
    """A beat every 15 s; four missed are silence."""
    if one.at is None:
        return Badge("unmeasured", "none within a day")
    if one.silent(datetime.now(UTC)):
        return Badge("bad", f"silent since {when(one.at)}")
    return Badge("good", when(one.at, seconds=True))


def greeting(one: Beat, name: str) -> Badge:
    """Once a minute the node visits its own port; a silent node's last greeting says nothing of now."""
    told = one.greetings.get(name)
    if told is None or one.greeted_at is None:
        return Badge("unmeasured", "not measured yet")
    if one.silent(datetime.now(UTC)):
        return Badge("unknown", f"unknown since {when(one.at)}")
    if told.get("ok"):
        return Badge("good", f"{when(one.greeted_at)}, {float(told.get('seconds', 0)) * 1000:.0f} ms")
    return Badge("bad", str(told.get("text") or "no greeting")[:120])


@page("nodes.view")
def node(request: Any, ref: str) -> HttpResponse:
    one = next((beat for beat in beats(request.actor) if beat.node.name == ref), None)
    if one is None:
        raise Http404("no such node")
    recent = timeline(request.actor, object=one.node.pk, limit=8).items
    at = f"?node={one.node.name}"
    acts = offered(
        request, None, ("nodes.drain", Act("Drain…", f"/do/nodes.drain/{at}", "player-stop", "asks")),
        ("nodes.remove", Act("Take out…", f"/do/nodes.remove/{at}", "trash", "asks")),
    )  # fmt: skip
    shown = NodePage(
        head=PageHead(one.node.name, f"{one.clients} clients · {one.todo} objects wait",
                      crumbs=(Crumb("Nodes", "/nodes/"),), badges=(heartbeat(one),), acts=acts),
        notes=freeze_notes(request), domains=_said(one), recent=lines(recent),
        changes_url=f"/changes/?object={one.node.pk}", facts=_facts(one),
    )  # fmt: skip
    return render(request, "node.html", {"page": shown})


def _said(one: Beat) -> Table:
    """What its last heartbeat says, daemon by daemon, and how its ports greeted."""
    rows = [
        Row((name.upper() + " greeting", greeting(one, name), _text(one.greetings.get(name))))
        for name in ("smtp", "imap")
    ]
    rows += [Row((CALLED.get(name, name.capitalize()), _running(one, name), _version(one, name))) for name in DAEMONS]
    generations = [(k, v) for k, v in sorted(one.facts.items()) if k.endswith("_generation")]
    rows += [Row((k.removesuffix("_generation").capitalize() + ".db", f"generation {v}", "")) for k, v in generations]
    return Table("Last heartbeat", (Column("What"), Column("State"), Column("It said")), tuple(rows))


def _running(one: Beat, name: str) -> Badge:
    if one.silent(datetime.now(UTC)):
        return Badge("unknown", "unknown: it is silent")
    state = running(one.facts, name)
    if state is None:
        return Badge("unknown", f"unknown: {one.facts.get(name) or untold(one.facts)}"[:140])
    return Badge("good", "running") if state else Badge("bad", "not running")


def _version(one: Beat, name: str) -> Any:
    """What is installed there; whether it has known holes is a finding (posture/checks/engines.py)."""
    told = one.facts.get("versions")
    version = told.get(name) if isinstance(told, dict) else None
    return Cell(Code(str(version)[:60])) if version else ""


def _text(told: Any) -> Any:
    return Cell(Code(str(told.get("text", ""))[:200])) if isinstance(told, dict) and told.get("text") else ""


def _facts(one: Beat) -> tuple[Fact, ...]:
    oldest = one.facts.get("todo_oldest")
    return (
        Fact("Region", one.node.region or "none named"),
        Fact(
            "Last heartbeat", f"{ago(one.at)} ago" if one.at else Badge("unmeasured", "none within a day"), "every 15 s"
        ),
        Fact("Oldest work waiting", f"since {when(oldest)}" if oldest else "none"),
        Fact("Database role", Code(one.node.role)),
        Fact("Sign-ins with names of nobody", f"{made_up(one.node):,} within a day", "counted, not kept"),
        Fact("Takes new clients", "no: drained" if one.node.drained_at else "yes"),
    )
