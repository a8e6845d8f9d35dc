"""Nodes that run an engine with a hole that is known and mended elsewhere.

NIST SP 800-53 r5, SI-2 (flaw remediation) and RA-5 (vulnerability monitoring). What is known is the list shipped with
this version of Postroom (posture/known_holes.py); what runs, each node says with its heartbeat. A node that was not
heard for a day, or does not say, is not known.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Node, Report
from postroom.models.findings import SEVERITIES
from postroom.posture.findings import Found
from postroom.posture.known_holes import Hole, holes, number
from postroom.posture.run import Check, Seen

NAME, HEARD = "nodes.engines", timedelta(days=1)
CALLED = {"postfix": "Postfix", "dovecot": "Dovecot"}


def evaluate(node: UUID, name: str, versions: Mapping[str, str]) -> Iterator[Found]:
    """One finding an engine: one upgrade mends all that is known of it."""
    for engine, version in sorted(versions.items()):
        if known := sorted(holes(engine, version), key=lambda hole: (SEVERITIES.index(hole.severity), hole.name)):
            yield _found(node, name, engine, version, known)


def _found(node: UUID, name: str, engine: str, version: str, known: list[Hole]) -> Found:
    said = {hole.name: f"{hole.what} (mended in {', '.join((*hole.packages, hole.mended['']))})" for hole in known}
    many = "a known hole" if len(known) == 1 else f"{len(known)} known holes"
    title = f"{name} runs {CALLED[engine]} {version[:60]}, which has {many}"
    evidence = {"version": version[:60], "holes": said}
    return Found(known[0].severity, "nodes", node, name, title, engine, evidence=evidence)


def _look(now: datetime) -> Seen:
    found: list[Found] = []
    unread: dict[UUID, str] = {}
    with acting_as(SYSTEM):
        for node in Node.objects.filter(removed_at=None).order_by("name"):
            versions = _said(node, now)
            if versions.keys() != CALLED.keys():
                unread[node.pk] = node.name
            found += evaluate(node.pk, node.name, versions)
    why = f"{', '.join(unread.values())}: has not said within a day which versions run there" if unread else ""
    return Seen(tuple(found), unread=frozenset(unread), why=why)


def _said(node: Node, now: datetime) -> dict[str, str]:
    """Engine → version, of those whose version can be read."""
    beat = Report.objects.filter(node=node, sort="heartbeat", at__gt=now - HEARD).order_by("-at").first()
    told = beat.facts.get("versions") if beat else None
    versions = told if isinstance(told, dict) else {}
    return {engine: str(versions[engine]) for engine in CALLED if number(str(versions.get(engine, ""))) is not None}


ENGINES = Check(NAME, "Does every node run engines without known holes?", "NIST SP 800-53 r5, SI-2", 600, _look)
