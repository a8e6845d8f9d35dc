"""Evaluators asked until nothing is missing to them."""

import asyncio
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from postroom.protocols.answers import Answers, Held, Key
from postroom.resolve.cache import Cache, Told
from postroom.resolve.closing import Closed, Evaluator, ask_again, close
from postroom.resolve.watch import Change, Watch


class Zones:
    """Stands for the engine: answers in the next turn of the loop, or when it is let."""

    def __init__(self, held: Callable[[str, str], Held]) -> None:
        self.held, self.asked = held, Counter[Key]()
        self.open = self.most = 0

    def __call__(self, name: str, type: str, told: Told) -> None:
        self.asked[name, type] += 1
        self.open += 1
        self.most = max(self.most, self.open)
        asyncio.get_running_loop().call_soon(self.tell, told, self.held(name, type))

    def tell(self, told: Told, held: Held) -> None:
        self.open -= 1
        told(held)


def closed(zones: Zones, work: Iterable[tuple[str, Mapping[str, Evaluator]]], at_once: int = 10,
           watch: Watch | None = None) -> list[Closed]:  # fmt: skip
    async def run() -> list[Closed]:
        cache = Cache(zones, heard=watch.heard if watch else None)
        return [one async for one in close(cache, work, at_once=at_once, watch=watch)]

    return asyncio.run(run())


def chain(first: str, length: int) -> Evaluator:
    """Follows what each name holds to the next."""

    def evaluate(answers: Answers) -> tuple[str, ...]:
        found = [first]
        for _ in range(length):
            found.append(answers.get(found[-1], "TXT").values[0])
        return tuple(found)

    return evaluate


def following(name: str, type: str) -> Held:
    head, _, rest = name.partition(".")
    return Held((f"{head}x.{rest}",), 300)


def test_an_evaluator_is_asked_until_it_knows() -> None:
    (one,) = closed(Zones(following), [("acme.example", {"spf": chain("a.example", 3)})])
    assert one == Closed("acme.example", "spf", ("a.example", "ax.example", "axx.example", "axxx.example"))


def test_each_result_comes_as_soon_as_it_can_be_had() -> None:
    work = [
        ("acme.example", {"long": chain("a.example", 9), "short": chain("b.example", 1), "none": lambda answers: 1})
    ]
    assert [one.name for one in closed(Zones(following), work)] == ["none", "short", "long"]


def test_what_several_want_is_asked_once() -> None:
    zones = Zones(following)
    work = [(f"n{n}.example", {"a": chain("spf.example", 3), "b": chain("spf.example", 2)}) for n in range(50)]
    assert len(closed(zones, work)) == 100
    assert set(zones.asked.values()) == {1}


def test_only_so_many_domains_are_open_at_a_time() -> None:
    zones, taken = Zones(following), list[int]()

    def work() -> Iterable[tuple[str, Mapping[str, Evaluator]]]:
        for n in range(200):
            taken.append(zones.open)
            yield f"n{n}.example", {"a": chain(f"n{n}.example", 2)}

    assert len(closed(zones, work(), at_once=7)) == 200
    assert zones.most <= 7


def test_an_answer_without_a_ttl_counts_for_the_domain_it_was_fetched_for() -> None:
    zones = Zones(lambda name, type: Held(("x",), 0))

    def twice(answers: Answers) -> int:
        answers.all((("a.example", "TXT"), ("b.example", "TXT")))
        return len(answers.all((("a.example", "TXT"), ("c.example", "TXT"))))

    assert [one.result for one in closed(zones, [(f"n{n}.example", {"a": twice}) for n in range(3)], at_once=1)] == [
        2
    ] * 3
    assert zones.asked["a.example", "TXT"] == 3, "once for each, and never again for the same"


def test_what_never_ends_is_unfinished_and_holds_up_nobody() -> None:
    def endless(answers: Answers) -> None:
        n = 0
        while True:
            n += answers.get(f"n{n}.example", "TXT").ttl // 300

    ends = closed(Zones(following), [("bad.example", {"a": endless}), ("good.example", {"a": chain("a.example", 1)})])
    assert {(one.who, bool(one.unfinished), one.result is None) for one in ends} == {
        ("bad.example", True, True), ("good.example", False, False),
    }  # fmt: skip


def test_a_failed_look_up_is_an_answer() -> None:
    (one,) = closed(
        Zones(lambda name, type: Held(failed="SERVFAIL")),
        [("acme.example", {"a": lambda answers: answers.get("acme.example", "MX").failed})],
    )
    assert one.result == "SERVFAIL"


def test_one_edit_names_all_that_rest_on_it_and_nothing_due_asks_nothing() -> None:
    texts = {"include.example": "old"}
    zones = Zones(lambda name, type: Held((texts.get(name, "x"),), 3600))
    now, changes = [0.0], list[Change]()
    watch = Watch(changes.append, clock=lambda: now[0])

    async def run() -> tuple[int, int]:
        cache = Cache(zones, heard=watch.heard, clock=lambda: now[0])
        evaluate: Evaluator = lambda answers: answers.get("include.example", "TXT")  # noqa: E731
        work = [(f"n{n}.example", {"own": chain(f"n{n}.example", 1), "spf": evaluate}) for n in range(20)]
        assert len([one async for one in close(cache, work, watch=watch)]) == 40
        texts["include.example"], first = "new", await ask_again(cache, watch)
        now[0] += 3700
        return first, await ask_again(cache, watch)

    assert asyncio.run(run()) == (0, 21)
    assert [(one.key, one.new.values, len(one.who)) for one in changes] == [(("include.example", "TXT"), ("new",), 20)]


def test_ten_thousand_domains_need_little_memory() -> None:
    """Fourteen questions each, four of them shared, texts as long as keys; with all that is watched."""
    zones = Zones(lambda name, type: Held((name + "x" * 200,), 3600))
    shared = [(f"spf{n}.example", "TXT") for n in range(4)]

    def evaluate(who: str) -> Evaluator:
        return lambda answers: len(answers.all([(f"k{n}.{who}", "TXT") for n in range(10)])) + len(answers.all(shared))

    tracemalloc.start()
    try:
        watch = Watch(lambda change: None)
        many = len(
            closed(
                zones, ((who, {"a": evaluate(who)}) for who in (f"n{n:05d}.example" for n in range(10_000))), 400, watch
            )
        )
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert many == 10_000
    assert most < 85e6, f"{most / 1e6:.0f} MB: with the interpreter's own 25 that is more than 120"
