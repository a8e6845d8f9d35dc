"""The engine against servers that are lame, slow, silent, lying, or gone. Real sockets, on 127.0.0.1."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import dns.flags
import dns.message
import pytest
from misbehaving import Answer, good, misbehaving

from postroom.protocols.answers import Held
from postroom.resolve.engine import Counts, Engine
from postroom.resolve.upstream import Upstream

NAME = "acme.example"
QUICK = (0.1, 0.1, 0.1)
ONCE_MORE = (0.1, 30.0, 30.0)  # asked again soon; then there is time, also where the machine is busy
MX = Held(((10, "mx.example"),), 300)


def right(query: dns.message.Message, way: str, before: int) -> Sequence[bytes]:
    return [good(query, "300 MX 10 mx.example.")]


def asked_of(*servers: Answer, names: Sequence[str] = (NAME,), late: float = 0.0, sockets: int = 4,
             patience: Sequence[float] = QUICK, validates: bool = False) -> tuple[list[Held], Counts]:  # fmt: skip
    """What an engine with these upstreams finds for the MX of all names, asked at once."""

    async def run() -> tuple[list[Held], Counts]:
        async with AsyncExitStack() as stack:
            ports = [(await stack.enter_async_context(misbehaving(one, lambda name: late)))[1] for one in servers]
            upstreams = [Upstream("127.0.0.1", port, validates=validates) for port in ports]
            async with Engine(upstreams, sockets=sockets, patience=patience) as engine:
                found = await asyncio.gather(*(engine.query(name, "MX") for name in names))
                return list(found), engine.counts

    return asyncio.run(run())


def engine_of(port: int, *, per_second: float | None = None, **settings: Any) -> Engine:
    return Engine([Upstream("127.0.0.1", port, per_second)], **settings)


def test_an_answer() -> None:
    assert asked_of(right, patience=(30.0,)) == ([MX], Counts(queries=1, sent=1))


def test_many_at_once_through_more_than_the_sockets_take() -> None:
    found, counts = asked_of(right, names=[f"n{n}.example" for n in range(1000)], sockets=2, patience=(60.0,))
    assert found == [MX] * 1000
    assert (counts.queries, counts.sent, counts.failures) == (1000, 1000, 0)


def test_silence_is_asked_again_and_then_unknown() -> None:
    (held,), counts = asked_of(lambda query, way, before: [])
    assert held.failed.startswith("no answer from 127.0.0.1:")
    assert held == Held(failed=held.failed)
    assert counts == Counts(queries=1, sent=3, retransmissions=2, failures=1)


def test_what_was_dropped_once_is_found() -> None:
    found, counts = asked_of(lambda query, way, before: right(query, way, before) if before else [], patience=ONCE_MORE)
    assert found == [MX]
    assert (counts.retransmissions, counts.failures) == (1, 0)


def test_an_answer_that_comes_after_the_question_was_sent_again_counts() -> None:
    found, counts = asked_of(right, late=0.15, patience=ONCE_MORE)
    assert found == [MX]
    assert counts.retransmissions == 1


def changed(octets: bytes, at: int, to: bytes) -> bytes:
    return octets[:at] + to + octets[at + len(to) :]


def evil(query: dns.message.Message) -> bytes:
    return good(query, "9 MX 1 evil.example.")


LIES: dict[str, Answer] = {
    "another id": lambda query, way, before: [changed(evil(query), 0, (query.id ^ 1).to_bytes(2, "big"))],
    "another name": lambda query, way, before: [changed(evil(query), 13, b"b")],
    "another type": lambda query, way, before: [changed(evil(query), 26, b"\0\x10")],
    "a question": lambda query, way, before: [changed(evil(query), 2, b"\1")],
    "no question": lambda query, way, before: [changed(evil(query), 4, b"\0\0")],
    "a stump": lambda query, way, before: [query.id.to_bytes(2, "big"), b"", b"\0" * 11],
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_passed_over_and_the_truth_behind_it_counts(lie: str) -> None:
    said = LIES[lie]
    both: Answer = lambda query, way, before: [*said(query, way, before), *right(query, way, before)]  # noqa: E731
    found, counts = asked_of(both, patience=(30.0,))
    assert found == [MX]
    assert counts.strays >= 1
    (held,), _ = asked_of(said)
    assert held.failed.startswith("no answer")


def test_another_source_is_not_heard() -> None:
    """The lie has the right id and question; it comes from another port of the same address."""

    async def run() -> tuple[Held, int]:
        sent = 0

        def answer(query: dns.message.Message, way: str, before: int) -> Sequence[bytes]:
            nonlocal sent
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
                for line in engine.servers[0].lines:
                    forger.sendto(evil(query), line.socket.getsockname())
                    sent += 1
            return []

        async with misbehaving(answer) as (_, port), Engine([Upstream("127.0.0.1", port)], patience=QUICK) as engine:
            return await engine.query(NAME, "MX"), sent

    held, sent = asyncio.run(run())
    assert sent and held.failed.startswith("no answer")


def cut(query: dns.message.Message) -> bytes:
    return good(query, flags=dns.flags.RA | dns.flags.TC)


def test_what_is_cut_is_had_over_tcp() -> None:
    texts = [f'300 TXT "{n:03d}{"x" * 200}"' for n in range(100)]

    async def run() -> tuple[Held, Counts, list[str]]:
        def answer(query: dns.message.Message, way: str, before: int) -> Sequence[bytes]:
            return [good(query, *texts) if way == "tcp" else cut(query)]

        async with misbehaving(answer) as (server, port), Engine([Upstream("127.0.0.1", port)]) as engine:
            return await engine.query(NAME, "TXT"), engine.counts, server.asked

    held, counts, asked = asyncio.run(run())
    assert len(held.values) == 100
    assert (counts.tcp, counts.failures) == (1, 0)
    assert asked == [f"udp {NAME}", f"tcp {NAME}"]


@pytest.mark.parametrize("by_tcp", [
    lambda query: [], lambda query: [cut(query)], lambda query: [changed(evil(query), 13, b"b")],
    lambda query: [evil(query)[:-3]],
])  # fmt: skip
def test_what_is_cut_and_not_had_over_tcp_is_unknown(by_tcp) -> None:  # type: ignore[no-untyped-def]
    (held,), counts = asked_of(lambda query, way, before: by_tcp(query) if way == "tcp" else [cut(query)])
    assert held.failed and not held.values
    assert counts.failures == 1


@pytest.mark.parametrize("rcode, why", [(2, "SERVFAIL"), (5, "REFUSED"), (1, "FORMERR"), (4, "NOTIMP")])
def test_who_cannot_answer_makes_it_unknown_at_once(rcode: int, why: str) -> None:
    (held,), counts = asked_of(lambda query, way, before: [good(query, rcode=rcode)], patience=(30.0,))
    assert held == Held(failed=why)
    assert counts.sent == 1


def test_a_message_that_is_none_makes_it_unknown() -> None:
    (held,), _ = asked_of(lambda query, way, before: [evil(query)[:-13] + b"\xc0\x2c"], patience=(30.0,))
    assert " answered a " in held.failed and not held.values


def test_nobody_there_is_known_before_patience_ends() -> None:
    async def run() -> Held:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        async with Engine([Upstream("127.0.0.1", port)], patience=(30, 30)) as engine:
            return await asyncio.wait_for(engine.query(NAME, "MX"), 10)

    assert asyncio.run(run()).failed.startswith("Connection refused from")


@pytest.mark.parametrize("first", [
    lambda query, way, before: [], lambda query, way, before: [good(query, rcode=2)],
    lambda query, way, before: [good(query, rcode=5)], lambda query, way, before: [evil(query)[:-3]],
])  # fmt: skip
def test_another_server_is_asked_where_one_has_no_answer(first: Answer) -> None:
    found, counts = asked_of(first, right, names=[f"n{n}.example" for n in range(20)], patience=ONCE_MORE)
    assert found == [MX] * 20
    assert counts.failures == 0


def test_validating_and_other_servers_are_not_mixed() -> None:
    async def run() -> None:
        Engine([Upstream("127.0.0.1", 1, validates=True), Upstream("127.0.0.1", 2)])

    with pytest.raises(ValueError, match="all validate, or none"):
        asyncio.run(run())


@pytest.mark.parametrize("validates", [True, False])
def test_only_a_server_of_ours_is_believed_to_have_validated(validates: bool) -> None:
    (held,), _ = asked_of(
        lambda query, way, before: [good(query, "300 MX 10 mx.example.", flags=dns.flags.RA | dns.flags.AD)],
        validates=validates, patience=(30.0,),
    )  # fmt: skip
    assert held == MX._replace(secure=validates)


@pytest.mark.parametrize(
    "name, type", [("a..b", "MX"), ("a" * 64, "MX"), ("ä.example", "MX"), (NAME, "ANY"), (NAME, "")]
)
def test_what_cannot_be_asked_has_failed(name: str, type: str) -> None:
    async def run() -> tuple[Held, Counts]:
        async with Engine([Upstream("127.0.0.1", 9)]) as engine:
            return await engine.query(name, type), engine.counts

    held, counts = asyncio.run(run())
    assert held.failed
    assert (counts.sent, counts.failures) == (0, 1)


def test_others_servers_are_asked_no_faster_than_the_house_says() -> None:
    async def run() -> float:
        loop = asyncio.get_running_loop()
        async with misbehaving(right) as (_, port), engine_of(port, per_second=200, patience=(5,)) as engine:
            began = loop.time()
            await asyncio.gather(*(engine.query(f"n{n}.example", "MX") for n in range(100)))
            return loop.time() - began

    assert asyncio.run(run()) >= 0.4  # a hundred at two hundred a second, less the burst
    assert (Upstream("127.9.9.9").apart, Upstream("192.0.2.1").apart, Upstream("::1").apart) == (0.0, 1 / 400, 0.0)


def test_who_answers_nothing_is_asked_less_and_comes_back() -> None:
    up: list[bool] = []

    async def run() -> tuple[int, int, bool]:
        def answer(query: dns.message.Message, way: str, before: int) -> Sequence[bytes]:
            return right(query, way, before) if up else []

        async def seconds(many: int) -> list[Held]:
            for _ in range(many):
                held = await asyncio.gather(*(engine.query(f"n{n}.example", "MX") for n in range(100)))
                engine.judged -= 1
                await asyncio.sleep(0.03)
            return list(held)

        async with misbehaving(answer) as (_, port), engine_of(port, sockets=1, patience=(0.05, 0.05)) as engine:
            server = engine.servers[0]
            await seconds(6)
            least = server.window
            up.append(True)
            engine.patience = (5.0,)
            held = await seconds(12)
            return least, server.window, not any(one.failed for one in held)

    least, now, fine = asyncio.run(run())
    assert least <= 8 and now == 64 and fine


def test_what_is_open_when_it_is_closed_has_failed_and_a_caller_may_leave() -> None:
    async def run() -> Held:
        async with misbehaving(lambda query, way, before: [cut(query)] if way == "udp" else []) as (_, port):
            engine = Engine([Upstream("127.0.0.1", port)], patience=(9,))
            left = engine.query("left.example", "MX")
            left.cancel()
            waiting = engine.query(NAME, "MX")
            await asyncio.sleep(0)
            engine.close()
            return await waiting

    assert asyncio.run(run()) == Held(failed="not asked any more")
