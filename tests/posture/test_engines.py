"""Engines with known holes: what runs where is told by the nodes, what is known is shipped; neither is guessed."""

import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from cast import House, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.engines import heartbeat, layout
from postroom.engines.heartbeat import Heartbeat
from postroom.engines.layout import NodeConfig
from postroom.models import Finding, Node, Report
from postroom.models.findings import SEVERITIES
from postroom.posture.checks.engines import ENGINES, evaluate
from postroom.posture.known_holes import HOLES, Hole, holes, number
from postroom.posture.run import run

GOOD = {"postfix": "3.7.11-0+deb12u1", "dovecot": "1:2.3.19.1+dfsg1-2.1+deb12u7"}


@pytest.mark.parametrize("engine, version, known", [
    ("postfix", "3.7.11-0+deb12u1", set()),
    ("postfix", "3.7.9", set()),
    ("postfix", "3.7.8-0+deb12u1", {"CVE-2023-51764"}),
    ("postfix", "3.8.3", {"CVE-2023-51764"}),
    ("postfix", "3.10.5-1+deb13u1", set()),
    ("dovecot", "1:2.3.19.1+dfsg1-2.1+deb12u7", set()),
    ("dovecot", "1:2.3.19.1+dfsg1-2.1+deb12u2", set()),
    ("dovecot", "1:2.3.19.1+dfsg1-2.1+deb12u1", {"CVE-2026-27855", "CVE-2026-27856", "CVE-2026-27859"}),
    ("dovecot", "2.3.19.1", {"CVE-2024-23184", "CVE-2026-27855", "CVE-2026-27856", "CVE-2026-27859"}),
    ("dovecot", "1:2.4.1+dfsg1-6+deb13u4", {"CVE-2026-27851"}),
    ("dovecot", "1:2.4.2+dfsg1-4", {"CVE-2026-27851", "CVE-2026-27855", "CVE-2026-27856", "CVE-2026-27859"}),
    ("dovecot", "2.4.4", set()),
    ("dovecot", "nonsense", set()),
])  # fmt: skip
def test_which_holes_a_version_has(engine: str, version: str, known: set[str]) -> None:
    assert {one.name for one in holes(engine, version)} == known


def test_nodes_engines() -> None:
    """`nodes.engines`: one finding an engine, as bad as the worst of its holes."""
    node = UUID(int=7)
    assert list(evaluate(node, "mx1", GOOD)) == []
    found = list(evaluate(node, "mx1", {**GOOD, "dovecot": "2.3.19.1"}))
    assert len(found) == 1
    one = found[0]
    assert (one.severity, one.noun, one.object, one.cause) == ("high", "nodes", node, "dovecot")
    assert one.title == "mx1 runs Dovecot 2.3.19.1, which has 4 known holes"
    assert next(iter(one.evidence["holes"])) == "CVE-2026-27856" and "2.4.3" in one.evidence["holes"]["CVE-2026-27856"]


def told(node: str, **versions: Any) -> None:
    with acting_as(SYSTEM):
        facts = {"versions": versions} if versions else {}
        Report.objects.create(node=the(Node, name=node), sort="heartbeat", facts=facts, at=timezone.now())


def test_it_is_found_unknown_and_gone_as_the_nodes_say(house: House) -> None:
    told("mx1", **{**GOOD, "dovecot": "2.4.0"})
    told("mx2", **GOOD)
    run(ENGINES)
    with acting_as(SYSTEM):
        open_one = Finding.objects.filter(check_name="nodes.engines").first()
    assert open_one and open_one.severity == "high" and open_one.label == "mx1" and open_one.unknown_since is None
    told("mx1")  # an agent of before it said so, or one that cannot
    run(ENGINES)
    with acting_as(SYSTEM):
        open_one.refresh_from_db()
    assert open_one.closed_at is None and open_one.unknown_since and "mx1" in open_one.unknown_why
    told("mx1", **GOOD)
    run(ENGINES)
    with acting_as(SYSTEM):
        open_one.refresh_from_db()
    assert open_one.closed_at


def test_a_node_says_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = NodeConfig("mx1", tmp_path, "127.0.0.1", postfix_version=(3, 7, 11), dovecot_version=(2, 3, 19))
    said = {"postfix": "3.7.11-0+deb12u1"}
    monkeypatch.setattr(layout, "_packaged", lambda package: said.get(package, ""))
    beat = Heartbeat(config).row({}, None, {})
    assert beat["versions"] == {"postfix": "3.7.11-0+deb12u1", "dovecot": "2.3.19"}


@pytest.mark.parametrize("postfix, since, due", [(True, 0, 15), (False, 0, 3), (False, 61, 15)])
def test_what_may_be_about_to_start_is_looked_at_again_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postfix: bool, since: int, due: int
) -> None:
    beat, started = Heartbeat(NodeConfig("mx1", tmp_path, "127.0.0.1")), time.monotonic()
    monkeypatch.setattr(heartbeat.time, "monotonic", lambda: started + since)
    monkeypatch.setattr(Heartbeat, "_daemons", lambda self: {"postfix": postfix, "milter_status": {}})
    monkeypatch.setattr(Heartbeat, "_greetings", lambda self: {})
    beat.row({}, None, {})
    assert round(beat.due_in()) == due


def test_the_list_can_be_read() -> None:
    for one in HOLES:
        assert one.severity in SEVERITIES and "" in one.mended and one.name.startswith("CVE-"), one
        assert all(number(version) for version in (*one.mended.values(), one.since)), one
        assert one.open_in(one.mended[""]) is False and all(one.open_in(version) is False for version in one.packages)
    assert Hole("dovecot", "x", "low", "", {"": "1"}).open_in("?") is None
    assert len({one.name for one in HOLES}) == len(HOLES)
