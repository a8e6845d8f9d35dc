"""A domain that takes what is for nobody there: nobody else's mail with it, and for as long as it is said."""

import time

import pytest
from live_node import JOE, KIM, LiveNode, domain, until
from passing_on import answer, arrives, routes

pytestmark = pytest.mark.server
NAME = "catching.example"
LEA = f"lea@{NAME}"


@pytest.fixture(scope="module", autouse=True)
def catching(node: LiveNode) -> None:
    node.put("domain", NAME, domain(NAME))
    node.put_mailbox(LEA)
    routes(node, f"sales@{NAME}", KIM)
    assert answer(node, f"anybody@{NAME}") == 550
    routes(node, f"@{NAME}", JOE)


@pytest.mark.parametrize("local", ["anybody", "anybody+x", "+x"])
def test_what_is_for_nobody_is_taken(node: LiveNode, local: str) -> None:
    arrives(node, f"{local}@{NAME}", f"caught for {local}")
    assert node.received(JOE, f"caught for {local}")


@pytest.mark.parametrize("local, box", [("lea", LEA), ("lea+x", LEA), ("LEA", LEA), ("sales", KIM), ("sales+x", KIM)])
def test_what_is_for_somebody_is_theirs(node: LiveNode, local: str, box: str) -> None:
    arrives(node, f"{local}@{NAME}", f"for {local} alone")
    assert node.received(box, f"for {local} alone")
    assert not node.received(JOE, f"for {local} alone", within=0.3)


def test_one_to_outside_leaves(node: LiveNode) -> None:
    node.put("domain", "away.test", domain("away.test"))
    routes(node, "@away.test", "one@far.example")
    arrives(node, "anybody@away.test", "caught and away")
    assert until(lambda: [one for one in node.sunk() if b"Subject: caught and away" in one])
    assert any(b"Delivered-To: one@far.example" in one for one in node.sunk() if b"caught and away" in one)


def test_a_domain_below_is_another(node: LiveNode) -> None:
    assert answer(node, f"anybody@below.{NAME}") == 554


def test_it_is_read_back_through_the_running_postfix_and_ends(node: LiveNode) -> None:
    node.put("domain", "short.example", domain("short.example"))
    routes(node, "@short.example", JOE)
    assert node.evidence("postmap -q route", {"@short.example": [JOE]})
    assert answer(node, "anybody@short.example") == 250
    node.put("address", "@short.example", None)
    assert node.evidence("postmap -q route", {"@short.example": []})
    assert answer(node, "anybody@short.example") == 550


def test_it_ends_by_its_own_time(node: LiveNode) -> None:
    node.put("domain", "brief.example", domain("brief.example"))
    routes(node, "@brief.example", JOE, until=int(time.time()) + 4)
    assert answer(node, "anybody@brief.example") == 250
    assert until(lambda: answer(node, "anybody@brief.example") == 550, 12)
