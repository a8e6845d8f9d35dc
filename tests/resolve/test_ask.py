"""One question: what counts as an answer, and what does not."""

from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from odd_server import OddServer, Reply

from postroom.protocols.rrset import RRset
from postroom.resolve.answer import Answer, NotRead, Server
from postroom.resolve.ask import ask
from postroom.resolve.walk import NetResolver

NAME = "acme.example."
Odd = Callable[[Reply], Server]


@pytest.fixture
def odd() -> Iterator[Odd]:
    running: list[OddServer] = []

    def start(reply: Reply) -> Server:
        running.append(OddServer(reply))
        return Server("odd.example.", "127.0.0.1", running[-1].port)

    yield start
    for server in running:
        server.stop()


def made(query: dns.message.Message, *answer: str, section: str = "answer", aa: bool = True, rcode: int = 0) -> bytes:
    reply = dns.message.make_response(query)
    reply.set_rcode(dns.rcode.Rcode(rcode))
    reply.flags |= dns.flags.AA if aa else 0
    for text in answer:
        owner, type, value = text.split(" ", 2)
        getattr(reply, section).append(dns.rrset.from_text(owner, 300, "IN", type, value))
    return reply.to_wire()


def test_a_good_answer(odd: Odd) -> None:
    server = odd(lambda query, way: made(query, f"{NAME} MX 10 MX.acme.example."))
    answer = ask(server, "ACME.example", "MX")
    assert isinstance(answer, Answer)
    assert answer.rrset == RRset(NAME, "MX", 300, ("10 mx.acme.example.",))
    assert (answer.server, answer.rcode, answer.aa) == (server, "NOERROR", True)


@pytest.mark.parametrize("rcode, name", [(0, "NOERROR"), (3, "NXDOMAIN")])
def test_there_is_no_such_record(odd: Odd, rcode: int, name: str) -> None:
    answer = ask(odd(lambda query, way: made(query, rcode=rcode)), NAME, "MX")
    assert isinstance(answer, Answer)
    assert (answer.values, answer.rrset, answer.rcode) == ((), None, name)


def test_an_alias_is_told_and_not_followed(odd: Odd) -> None:
    answer = ask(odd(lambda query, way: made(query, f"{NAME} CNAME Other.example.")), NAME, "TXT")
    assert isinstance(answer, Answer)
    assert (answer.values, answer.alias) == ((), "other.example.")


def test_a_cut_answer_is_fetched_by_tcp(odd: Odd) -> None:
    def reply(query: dns.message.Message, way: str) -> bytes:
        if way == "tcp":
            return made(query, f'{NAME} TXT "{"k" * 255}" "{"k" * 255}"')
        cut = dns.message.make_response(query)
        cut.flags |= dns.flags.TC | dns.flags.AA
        return cut.to_wire()

    answer = ask(odd(reply), NAME, "TXT")
    assert isinstance(answer, Answer)
    assert answer.values == ("k" * 510,)


@pytest.mark.parametrize(
    "reply, why",
    [
        (lambda query, way: None, "no answer within 0.2 s"),
        (lambda query, way: b"\x00" * 11, "no answer within 0.2 s"),
        (lambda query, way: made(dns.message.make_query("other.example", "MX")), "no answer within 0.2 s"),
        (lambda query, way: made(query, rcode=2), "SERVFAIL"),
        (lambda query, way: made(query, rcode=5), "REFUSED"),
        (lambda query, way: made(query, aa=False), "does not answer for this zone"),
        (lambda query, way: made(query, f"{NAME} NS ns.x.example.", section="authority", aa=False), "does not answer"),
    ],
)
def test_what_is_not_an_answer_is_not_read(odd: Odd, reply: Reply, why: str) -> None:
    answer = ask(odd(reply), NAME, "MX", timeout=0.2)
    assert isinstance(answer, NotRead)
    assert why in answer.why


def test_nobody_listens_is_told_at_once(odd: Odd) -> None:
    server = odd(lambda query, way: None)
    closed = OddServer(lambda query, way: None)
    closed.stop()
    answer = ask(Server(server.name, server.address, closed.port), NAME, "MX", timeout=30)
    assert isinstance(answer, NotRead)
    assert "nothing listens" in answer.why


def test_a_late_answer_to_the_second_question_counts(odd: Odd) -> None:
    times: list[str] = []

    def reply(query: dns.message.Message, way: str) -> bytes | None:
        times.append(way)
        return made(query, f"{NAME} A 192.0.2.1") if len(times) > 1 else None

    answer = ask(odd(reply), NAME, "A", timeout=0.3)
    assert isinstance(answer, Answer)
    assert len(times) == 2


def test_the_walk_follows_referrals_down(odd: Odd) -> None:
    child = odd(lambda query, way: made(query, f"{NAME} MX 10 mx.acme.example."))
    middle = odd(lambda query, way: made(query, f"{NAME} NS ns.child.test.", section="authority", aa=False))
    root = odd(lambda query, way: made(query, "example. NS ns.middle.test.", section="authority", aa=False))
    names = {"ns.child.test": ("127.0.0.1", child.port), "NS.middle.test.": ("127.0.0.1", middle.port)}
    resolver = NetResolver([root], names, timeout=0.5)
    assert resolver.delegation("acme.example") == ("ns.child.test.",)
    assert resolver.authoritative("acme.example") == (Server("ns.child.test.", "127.0.0.1", child.port),)
    answer = resolver.look_up("acme.example", "MX")
    assert isinstance(answer, Answer)
    assert answer.values == ("10 mx.acme.example.",)


def test_only_a_parents_referral_is_a_delegation(odd: Odd) -> None:
    """An authoritative answer is the child's own word, and what our own servers say of a parent is ours."""

    def walk(reply: Reply, *, ours: tuple[str, ...] = (), alias: str = "") -> NetResolver:
        middle = odd(reply)
        root = odd(
            lambda query, way: made(query, f"example. NS {alias or 'ns.x.test.'}", section="authority", aa=False)
        )
        place = ("127.0.0.1", middle.port)
        return NetResolver([root], {"ns.x.test": place, "alias.x.test": place}, ours=ours, timeout=0.5)

    def referral(query: dns.message.Message, way: str) -> bytes:
        return made(query, f"{NAME} NS ns.x.test.", section="authority", aa=False)

    def own_word(query: dns.message.Message, way: str) -> bytes:
        return made(query, f"{NAME} NS ns.x.test.")

    def half(query: dns.message.Message, way: str) -> bytes:
        return made(query, f"{NAME} NS ns.x.test.", section="authority")

    assert walk(referral).delegation(NAME) == ("ns.x.test.",)
    assert walk(referral, ours=("other.test",)).delegation(NAME) == ("ns.x.test.",)
    for not_delegated in (
        walk(own_word), walk(half), walk(referral, ours=("NS.x.test",)),
        walk(referral, ours=("ns.x.test",), alias="alias.x.test."),
    ):  # fmt: skip
        assert not_delegated.delegation(NAME) == ()
        assert [server.port for server in not_delegated.authoritative(NAME)]  # who answers is known all the same


def test_a_zone_nobody_delegated_has_no_servers(odd: Odd) -> None:
    resolver = NetResolver([odd(lambda query, way: made(query, rcode=3))], timeout=0.5)
    assert resolver.delegation("acme.example") == ()
    assert resolver.authoritative("acme.example") == ()


@pytest.mark.parametrize(
    "authority",
    [
        "test. NS ns.child.test.",
        ". NS ns.child.test.",
        "other.example. NS ns.child.test.",
    ],
)
def test_a_referral_sideways_or_upwards_leads_nowhere(odd: Odd, authority: str) -> None:
    root = odd(lambda query, way: made(query, authority, section="authority", aa=False))
    resolver = NetResolver([root], {"ns.child.test": ("127.0.0.1", root.port)}, timeout=0.5)
    assert isinstance(resolver.delegation("acme.example"), NotRead)


def test_a_silent_parent_is_not_read(odd: Odd) -> None:
    resolver = NetResolver([odd(lambda query, way: None)], timeout=0.1)
    assert isinstance(resolver.delegation("acme.example"), NotRead)
    assert isinstance(resolver.authoritative("acme.example"), NotRead)


def test_other_peoples_glue_cannot_point_into_our_network(odd: Odd) -> None:
    def reply(query: dns.message.Message, way: str) -> bytes:
        whole = dns.message.from_wire(
            made(query, f"{NAME} NS ns.acme.example.", section="authority", aa=False), continue_on_error=True
        )
        for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254"):
            whole.additional.append(dns.rrset.from_text("ns.acme.example.", 300, "IN", "A", address))
        return whole.to_wire()

    resolver = NetResolver([odd(reply)], timeout=0.2)
    assert resolver.authoritative(NAME) == (Server("ns.acme.example.", ""),)
    answer = resolver.look_up(NAME, "MX")
    assert isinstance(answer, NotRead)
    assert "no address that may be asked" in answer.why
