"""When mail last left by each way, as a real node tells it: forwards, filters, catch-alls, and what is put off."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from filters import remove, upload
from live_node import JOE, KIM, MIA, LiveNode, letter, live_node, until
from passing_on import arrives, routes

pytestmark = pytest.mark.server
OUT, OK, AWAY = "out@far.example", "ok@far.example", "away@far.example"
TEAM, SENDS = "team@acme.example", "sends@acme.example"


@pytest.fixture(scope="module")
def quick() -> Iterator[LiveNode]:
    with live_node() as running:
        running.start()
        assert running.ready(), running.log() + running.log("agent")
        for name, client in (("acme.example", "acme"), ("globex.example", "globex")):
            running.put("domain", name, {"maps": {"domain": [{"name": name, "client": client}]}})
        for address in (MIA, JOE, KIM, SENDS):
            running.put_mailbox(address)
        rows = [{"source": MIA, "target": OK, "until": None}, {"source": MIA, "target": KIM, "until": None}]
        running.put("domain", "allowed", {"maps": {"allowed": rows}})
        yield running


def told(node: LiveNode) -> dict[tuple[str, str], float]:
    rows = node.source.reported("left")
    return {(row["source"], row["target"]): row["at"] for row in rows if "source" in row}


def is_told(node: LiveNode, *ways: tuple[str, str]) -> dict[tuple[str, str], float]:
    assert until(lambda: set(ways) <= set(told(node)), 60), (
        told(node),
        node.log("postfix")[-3000:],
        node.log("milter")[-900:],
    )
    return told(node)


def whole(node: LiveNode) -> list[dict[str, float]]:
    return [row for row in node.source.reported("left") if row.get("whole")]


def test_each_way_is_told_by_the_address_that_it_begins_with(quick: LiveNode) -> None:
    """Round for a sender from outside, straight for one of ours; over an alias, a catch-all, with a copy, a plus."""
    routes(quick, JOE, JOE, OUT)
    routes(quick, TEAM, JOE, SENDS)
    quick.put("domain", "caught", {"maps": {"domain": [{"name": "acme.org", "client": "acme"}],
                                            "route": [{"source": "@acme.org", "destination": AWAY}]}})  # fmt: skip
    arrives(quick, JOE, "straight")
    arrives(quick, "team+x@acme.example", "by an alias")
    arrives(quick, "anybody@acme.org", "caught")
    arrives(quick, "ANYBODY.else@Acme.org", "caught too")
    with quick.submission(KIM) as line:
        line.sendmail(KIM, ["anybody@acme.org"], letter(KIM, "by one of ours"))
        line.sendmail(KIM, ["elsewhere@far.example"], letter(KIM, "not by a way"))
    found = is_told(quick, (JOE, OUT), (TEAM, OUT), ("@acme.org", AWAY))
    assert set(found) == {(JOE, OUT), (TEAM, OUT), ("@acme.org", AWAY)}
    assert all("subject" not in row and "sender" not in row for row in quick.source.reported("left"))


def test_a_filters_are_its_mailboxes_with_no_sender_too(quick: LiveNode) -> None:
    upload(quick, MIA, f'require "copy"; redirect :copy "{OK}"; redirect :copy "{KIM}";')
    arrives(quick, MIA, "passed on with no sender", sender="")
    found = is_told(quick, (MIA, OK), (MIA, KIM))
    before = found[MIA, OK]
    arrives(quick, "mia+x@acme.example", "passed on")
    assert until(lambda: told(quick)[MIA, OK] > before, 60)
    remove(quick, MIA)


def test_what_a_filter_may_not_pass_on_and_an_answer_are_none(quick: LiveNode) -> None:
    upload(quick, SENDS, 'require "copy"; redirect :copy "spy@far.example";')
    upload(quick, MIA, 'require "vacation"; vacation "I am away.";')
    arrives(quick, SENDS, "not let out")
    arrives(quick, MIA, "a question", sender=OK)
    assert quick.received(SENDS, "not let out") and quick.received(MIA, "a question")
    told_so_far = len(whole(quick))
    assert until(lambda: len(whole(quick)) > told_so_far + 1, 60)
    assert (SENDS, "spy@far.example") not in told(quick)
    remove(quick, MIA)
    remove(quick, SENDS)


def test_another_client_of_the_node_is_outside_and_where_it_leads_is_not_told(quick: LiveNode) -> None:
    routes(quick, "desk@globex.example", "spy@far.example")
    routes(quick, "to@acme.example", "desk@globex.example")
    arrives(quick, "to@acme.example", "to another client")
    is_told(quick, ("to@acme.example", "desk@globex.example"))
    assert ("to@acme.example", "spy@far.example") not in told(quick)


def test_a_restart_loses_nothing_of_what_was_on_its_way(quick: LiveNode) -> None:
    """And it is told of since when, without a gap."""
    since = whole(quick)[-1]["since"]
    before = quick.pid("agent")
    routes(quick, "late@acme.example", "late@far.example")
    arrives(quick, "late@acme.example", "before a restart")
    assert until(lambda: [one for one in quick.sunk() if b"Subject: before a restart" in one])
    quick.stop()
    quick.start()
    assert quick.ready() and quick.pid("agent") != before
    is_told(quick, ("late@acme.example", "late@far.example"))
    assert until(lambda: whole(quick)[-1]["since"] == since, 40)


def test_what_waits_has_not_left(waiting: LiveNode) -> None:
    arrives(waiting, JOE, "waits")
    assert until(lambda: "status=deferred" in waiting.log("postfix") or "status=bounced" in waiting.log("postfix"), 30)
    told_so_far = len(whole(waiting))
    assert until(lambda: len(whole(waiting)) > told_so_far + 1, 60)
    assert told(waiting) == {}


@pytest.fixture
def waiting() -> Iterator[LiveNode]:
    """Its mail leaves, and there is nobody to take it."""
    with live_node() as running:
        running.config = replace(running.config, sink=None)
        running.start()
        assert running.ready(), running.log() + running.log("agent")
        running.put("domain", "acme.example", {"maps": {"domain": [{"name": "acme.example", "client": "acme"}]}})
        running.put_mailbox(JOE)
        routes(running, JOE, "one@nowhere.invalid")
        yield running
