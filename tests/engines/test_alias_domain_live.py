"""Every address of one domain is that of another: who is there gets the mail, and nobody else is taken."""

import time

import pytest
from live_node import JOE, KIM, MIA, LiveNode, domain, until
from passing_on import answer, arrives, routes

pytestmark = pytest.mark.server
NAME = "acme.test"


def stands_for(node: LiveNode, name: str, target: str, until: int | None = None) -> None:
    row = {"name": name, "target": target, "until": until}
    node.put("domain", f"alias {name}", {"maps": {"alias_domain": [row]}})


@pytest.fixture(scope="module", autouse=True)
def alias(node: LiveNode) -> None:
    stands_for(node, NAME, "acme.example")


@pytest.mark.parametrize("local", ["mia", "Mia+books"])
def test_mail_for_it_lands_at_the_other(node: LiveNode, local: str) -> None:
    arrives(node, f"{local}@{NAME}", f"for {local} by alias")
    (message,) = node.received(MIA, f"for {local} by alias")
    assert f"Delivered-To: {local.lower()}@acme.example".encode() in message


def test_aliases_there_are_here_too(node: LiveNode) -> None:
    routes(node, "sales@acme.example", JOE, "one@far.example")
    arrives(node, f"sales+x@{NAME}", "to sales by alias")
    assert node.received(JOE, "to sales by alias")
    assert until(lambda: any(b"Subject: to sales by alias" in one for one in node.sunk()))


@pytest.mark.parametrize("local", ["nobody", "nobody+mia", "+mia", "kim"])
def test_who_is_not_there_is_refused_at_once(node: LiveNode, local: str) -> None:
    assert answer(node, f"{local}@{NAME}") == 550


def test_what_ended_there_ends_here(node: LiveNode) -> None:
    routes(node, "soon@acme.example", JOE, until=int(time.time()) + 4)
    assert answer(node, f"soon@{NAME}") == 250
    assert until(lambda: answer(node, f"soon@{NAME}") == 550, 12)


def test_an_address_of_its_own_wins(node: LiveNode) -> None:
    node.put("domain", NAME, domain(NAME))
    routes(node, f"postmaster@{NAME}", KIM)
    routes(node, "postmaster@acme.example", MIA)
    for local in ("postmaster", "postmaster+x"):
        arrives(node, f"{local}@{NAME}", f"to {local} here")
        assert node.received(KIM, f"to {local} here")
        assert not node.received(MIA, f"to {local} here", within=0.3)
    assert answer(node, f"mia@{NAME}") == 250
    node.put("domain", NAME, None)


def test_a_catch_all_there_catches_here(node: LiveNode) -> None:
    node.put("domain", "caught.example", domain("caught.example"))
    stands_for(node, "caught.test", "caught.example")
    assert answer(node, "anybody@caught.test") == 550
    routes(node, "@caught.example", JOE)
    arrives(node, "anybody@caught.test", "caught by alias")
    assert node.received(JOE, "caught by alias")


def test_nobody_outside_may_write_as_it(node: LiveNode) -> None:
    with node.smtp() as line:
        line.ehlo()
        line.mail(f"boss@{NAME}")
        assert line.rcpt(KIM)[0] == 554


def test_it_ends_when_its_row_goes_and_by_its_own_time(node: LiveNode) -> None:
    stands_for(node, "short.test", "acme.example", until=int(time.time()) + 4)
    assert answer(node, "mia@short.test") == 250
    assert until(lambda: answer(node, "mia@short.test") in (550, 554), 12)
    stands_for(node, "short.test", "acme.example")
    assert until(lambda: answer(node, "mia@short.test") == 250)
    stands_for(node, "short.test", "globex.example")
    assert answer(node, "mia@short.test") == 550
    assert answer(node, "kim@short.test") == 250
    node.put("domain", "alias short.test", None)
    assert answer(node, "kim@short.test") in (550, 554)


def test_it_is_read_back(node: LiveNode) -> None:
    assert node.evidence("postmap -q alias_domain", {NAME: ["acme.example"]})
    assert node.evidence("postmap -q alias_domain", {"short.test": []}), "with its end"
