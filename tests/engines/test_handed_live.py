"""Mail of an address is handed to another mail server, which the test has; and lands here again when that ends."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from handed import Message, Other, another_server, hand_over
from live_node import JOE, KIM, MIA, LiveNode, domain, letter, live_node, until
from passing_on import FAR, answer, arrives, routes
from test_forwards_live import queued

pytestmark = pytest.mark.server
HOST = "mx.postroom.example"
REWRITTEN = re.compile(rf"SRS0=[^=]+=[^=]+=out\.example=far@{re.escape(HOST)}")
TICKETS, LIST = "tickets@acme.example", "list@acme.example"


@pytest.fixture(scope="module")
def other() -> Iterator[Other]:
    with another_server("127.0.0.1") as server:
        yield server


@pytest.fixture(scope="module")
def leaving(other: Other) -> Iterator[LiveNode]:
    """A node whose mail leaves. Mia's and the tickets' go to the other server; Joe's land here."""
    with live_node() as running:
        running.config = replace(running.config, sink=None)
        running.start()
        assert running.ready(), running.log() + running.log("agent")
        running.put("domain", "acme.example", domain("acme.example"))
        client = [{"name": "acme.example", "client": "acme"}]
        running.put("domain", "of acme", {"maps": {"domain": client}})
        # What leaves by the client's own way, its log says so: nothing here does.
        pool = {"maps": {"pool": [{"domain": "acme.example", "transport": "letters:"}]}}
        running.put("pool", "acme.example pool", pool)
        for one in (JOE, KIM):
            running.put_mailbox(one)
        hand_over(running, MIA, other.host, other.port)
        hand_over(running, TICKETS, other.host, other.port, box=False)
        yield running


def got(node: LiveNode, other: Other, subject: str, many: int = 1) -> list[Message]:
    assert until(lambda: len(other.with_subject(subject)) >= many, 20), node.log("postfix")[-4000:]
    return other.with_subject(subject)


def test_a_mailbox_s_mail_goes_there_under_a_sender_that_leads_back(leaving: LiveNode, other: Other) -> None:
    arrives(leaving, MIA, "handed over")
    (one,) = got(leaving, other, "handed over")
    assert one.to == [MIA] and REWRITTEN.fullmatch(one.sender)
    assert not leaving.received(MIA, "handed over", within=1)
    assert "postfix/handed/smtp" in leaving.log("postfix") and "postfix/letters" not in leaving.log("postfix")


def test_an_address_without_a_mailbox_is_taken_for_it_and_with_an_extension(leaving: LiveNode, other: Other) -> None:
    for to in (TICKETS, "tickets+4711@acme.example", "mia+news@acme.example"):
        arrives(leaving, to, f"to {to}")
        (one,) = got(leaving, other, f"to {to}")
        assert one.to == [to]


def test_each_of_a_message_goes_its_own_way(leaving: LiveNode, other: Other) -> None:
    with leaving.smtp() as line:
        assert line.sendmail(FAR, [MIA, TICKETS, JOE], letter(FAR, "to three")) == {}
    both = got(leaving, other, "to three", 2)
    assert sorted(to for one in both for to in one.to) == sorted([MIA, TICKETS])
    assert until(lambda: leaving.received(JOE, "to three"))
    (kept,) = leaving.received(JOE, "to three")
    assert b"Return-Path: <far@out.example>" in kept


def test_what_leads_there_goes_there(leaving: LiveNode, other: Other) -> None:
    routes(leaving, LIST, MIA, JOE)
    arrives(leaving, LIST, "to the list")
    (one,) = got(leaving, other, "to the list")
    assert one.to == [MIA] and until(lambda: leaving.received(JOE, "to the list"))


def test_a_colleague_s_mail_and_a_bounce_go_there_too(leaving: LiveNode, other: Other) -> None:
    with leaving.submission(KIM) as line:
        line.sendmail(KIM, [MIA], letter(KIM, "from kim"))
    (one,) = got(leaving, other, "from kim")
    assert one.sender.startswith("SRS0=") and one.sender.endswith(f"=kim@{HOST}")
    arrives(leaving, MIA, "a bounce", sender="")
    (one,) = got(leaving, other, "a bounce")
    assert (one.sender, one.to) == ("", [MIA])


def test_whom_the_other_server_refuses_is_told_to_the_sender(leaving: LiveNode, other: Other) -> None:
    other.refuses.add(TICKETS)
    with leaving.submission(JOE) as line:
        line.sendmail(JOE, [TICKETS], letter(JOE, "not wanted"))
    (told,) = leaving.received(JOE, "Undelivered")
    assert b"nobody of this name here" in told
    other.refuses.clear()


def test_nobody_else_is_taken_and_nobody_sends_by_it(leaving: LiveNode) -> None:
    assert answer(leaving, "nobody@acme.example") == 550
    assert answer(leaving, "mia@elsewhere.example") == 554


def test_with_tls_required_none_goes_without(leaving: LiveNode, other: Other) -> None:
    hand_over(leaving, "strict@acme.example", other.host, other.port, tls=1, box=False)
    arrives(leaving, "strict@acme.example", "only with TLS")
    assert until(lambda: any(one["to"] == "strict@acme.example" for one in queued(leaving)), 20)
    assert until(lambda: "TLS is required, but was not offered" in leaving.log("postfix"), 20)
    assert not other.with_subject("only with TLS")


def test_to_ourselves_it_goes_round_so_often_and_no_more(leaving: LiveNode) -> None:
    """A name that leads back to us is known by nobody but the DNS; the hops are counted."""
    hand_over(leaving, "round@acme.example", leaving.address, leaving.config.ports.smtp, box=False)
    arrives(leaving, "round@acme.example", "round and round")
    assert until(lambda: "too many hops" in leaving.log("postfix"), 20), leaving.log("postfix")[-3000:]
    assert until(lambda: not queued(leaving) or all(one["to"] != "round@acme.example" for one in queued(leaving)), 20)


def test_it_ends_by_its_time_with_nobody_there_to_say_so(leaving: LiveNode, other: Other) -> None:
    ends = int(time.time()) + 3
    hand_over(leaving, "kurt@acme.example", other.host, other.port, until=ends)
    hand_over(leaving, "fax@acme.example", other.host, other.port, until=ends, box=False)
    arrives(leaving, "kurt@acme.example", "before its end")
    got(leaving, other, "before its end")
    assert until(lambda: time.time() > ends + 1, 10)
    arrives(leaving, "kurt+x@acme.example", "after its end")
    assert until(lambda: leaving.received("kurt@acme.example", "after its end"), 20), leaving.log("postfix")[-3000:]
    assert answer(leaving, "fax@acme.example") == 550
    assert not other.with_subject("after its end")


def test_it_is_read_back_from_postfix_and_gone_where_it_is_taken_away(leaving: LiveNode, other: Other) -> None:
    there = f"FILTER handed:[{other.host}]:{other.port}"
    assert leaving.evidence("postmap -q handed", {MIA: [there]})
    hand_over(leaving, "jan@acme.example", other.host, other.port)
    leaving.put_mailbox("jan@acme.example")
    assert leaving.evidence("postmap -q handed", {"jan@acme.example": []})
    arrives(leaving, "jan@acme.example", "here again")
    assert until(lambda: leaving.received("jan@acme.example", "here again"), 20)


def test_where_nothing_leaves_it_is_kept_with_the_rest(node: LiveNode, other: Other) -> None:
    hand_over(node, MIA, other.host, other.port)
    arrives(node, MIA, "sunk instead")
    assert until(lambda: any(b"Subject: sunk instead" in one for one in node.sunk()))
    assert not other.with_subject("sunk instead") and not node.received(MIA, "sunk instead", within=1)
    node.put_mailbox(MIA)


def test_when_it_was_taken_last_is_told_by_the_address_it_came_to_first(leaving: LiveNode, other: Other) -> None:
    hand_over(leaving, "gate@acme.example", other.host, other.port, box=False)
    routes(leaving, "intake@acme.example", "gate@acme.example")
    arrives(leaving, "gate@acme.example", "straight to the gate")
    arrives(leaving, "intake@acme.example", "by an alias to the gate")
    server = f"{other.host}:{other.port}"
    ways = {("gate@acme.example", server), ("intake@acme.example", server)}

    def told() -> set[tuple[str, str]]:
        return {(row["source"], row["target"]) for row in leaving.source.reported("left") if "source" in row}

    assert until(lambda: ways <= told(), 60), (told(), leaving.log("postfix")[-3000:])
