"""SPF over worlds made up at random: the two evaluators agree, only Missing is raised, no failure goes unseen."""

from functools import partial
from ipaddress import ip_address
from random import Random
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from spf_world import World, answer, checked, linted, settled

from postroom.protocols.answers import Answers, Held, Key, Missing
from postroom.protocols.spf_check import Verdict, check_host
from postroom.protocols.spf_lint import lint
from postroom.protocols.spf_reach import Memo
from postroom.protocols.spf_sender import sender

NAMES = ["acme.example", *(f"{letter}.example" for letter in "bcdef")]
DOWN = Held(failed="timeout")
RESULTS = {"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"}
STRANGERS = {4: "203.0.113.99", 6: "2001:db8:dead::1"}  # no record lists them


def term(dice: Random, macros: bool) -> str:
    kind = dice.choice(["include", "include", "a", "mx", "exists", "ip4:192.0.2.1", "ip6:2001:db8::1"])
    odd = ["%{d}", "%{p}.example", "%{ir}.%{v}.example", "%{l1r-}.example", "x..example", "%{h}", "%{S}.example"]
    target = ":" + dice.choice([*NAMES, *(odd if macros else ["gone.example"])])
    if kind == "exists" and not macros:  # one that is there matches everybody
        target = ":gone.example"
    bare = ":" in kind or (kind in {"a", "mx"} and dice.random() < 0.4)
    return dice.choice(["", "-", "~", "?"]) + kind + ("" if bare else target)


def record(dice: Random, macros: bool) -> str:
    """Without a pass for everybody below, unless there are macros: what follows that is reached by nobody."""
    words = [term(dice, macros) for _ in range(dice.randrange(5))]
    odd = ["ptr", "ptr:example", "exp=%{d}", "exp=e.example", "foo", "+all", "x=%{d}", "-all mx"] if macros else ["foo"]
    if dice.random() < 0.08 + 0.2 * macros:
        words.append(dice.choice(odd))
    return " ".join(["v=spf1", *words, dice.choice(["-all", "~all", "?all", "", "redirect=b.example"])])


def made_up(dice: Random, macros: bool, fails: bool) -> World:
    world: dict[str, Held | str | list[Any]] = {}
    for name in NAMES:
        there = name == "acme.example" or dice.random() < 0.9
        world[f"{name} TXT"] = [*([record(dice, macros)] if there else []), "other"]
        world[f"{name} A"] = dice.choice([["192.0.2.1"], ["192.0.2.2"], ["192.0.2.1", "192.0.2.3"], []])
        world[f"{name} AAAA"] = dice.choice([["2001:db8::1"], []])
        exchanges = [(n, dice.choice(NAMES)) for n in range(dice.randrange(4))]
        world[f"{name} MX"] = (
            exchanges if dice.random() < 0.8 else dice.choice([[(0, "")], [(n, name) for n in range(11)]])
        )
    if fails:
        world |= dict.fromkeys(dice.sample(sorted(world), dice.randrange(1, 4)), DOWN)
    if macros:
        pointed = dice.choice([DOWN, [*NAMES, "x.acme.example"], ["acme.example"]])
        world["1.2.0.192.in-addr.arpa PTR"] = pointed
    return world


def worlds(*, macros: bool = False, fails: bool = False) -> st.SearchStrategy[World]:
    return st.builds(made_up, st.randoms(use_true_random=True), st.just(macros), st.just(fails))


class Watched(Answers):
    """Notes what an evaluator used one by one; `all` fetches what it may not need."""

    def __init__(self, world: World) -> None:
        self.world, self.used = world, set[Key]()
        super().__init__({})

    def get(self, name: str, type: str) -> Held:
        self.used.add((name, type))
        return answer(self.world, (name, type))

    def all(self, keys: Any) -> list[Held]:
        return [answer(self.world, key) for key in keys]


def of_stranger(world: World, version: int) -> Verdict:
    return checked(world, STRANGERS[version])


@given(worlds())
def test_of_a_stranger_the_linter_and_the_evaluation_say_the_same(world: World) -> None:
    """Whom no term matches meets every term: what it costs is what the linter counts."""
    report, verdict = linted(world), of_stranger(world, 4)
    event(report.state)
    assert (report.state == "permerror") == (verdict.result == "permerror"), (report, verdict)
    assert report.state != "none" and verdict.result != "none"
    if report.state == "usable":
        assert (report.lookups, report.voids[0]) == (verdict.lookups, verdict.voids)
        assert not report.at_least
        if report.voids[1] <= 2:
            assert of_stranger(world, 6).voids == report.voids[1]


@given(worlds(fails=True))
def test_no_failure_is_taken_for_nothing(world: World) -> None:
    watched = Watched(world)
    verdict = check_host(watched, sender(ip_address(STRANGERS[4]), "mia@acme.example", "x"))
    failed = [key for key in watched.used if answer(world, key).failed]
    event(verdict.result)
    assert bool(failed) == (verdict.result == "temperror")

    report = linted(world)
    assert bool(report.unknown) == report.at_least or report.state == "permerror"
    if verdict.result == "temperror":
        assert report.state in {"unknown", "permerror"} and report.unknown
    if report.state == "usable":
        assert verdict.result not in {"temperror", "permerror", "none"}


@given(worlds(macros=True, fails=True), st.sampled_from(["192.0.2.1", "::ffff:192.0.2.7", "2001:db8::1"]), st.text())
def test_both_come_to_an_end_and_raise_nothing(world: World, ip: str, odd: str) -> None:
    assert checked(world, ip, f"{odd}@acme.example", odd).result in RESULTS
    assert checked(world, ip, odd, "acme.example").result in RESULTS
    assert linted(world).text.startswith("v=spf1") or linted(world).state == "unknown"


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=3), st.text(max_size=20))
def test_any_text_may_stand_in_the_dns(texts: list[str], domain: str) -> None:
    world: World = {"acme.example TXT": sorted({*texts, *("v=spf1 " + text for text in texts)})}
    who = sender(ip_address("192.0.2.1"), "x", "y")
    for asked in ("acme.example", domain):
        settled(world, partial(lint, domain=asked))
        settled(world, partial(check_host, sender=who, domain=asked))


@given(worlds(macros=True), worlds(macros=True, fails=True), st.permutations(NAMES))
def test_a_memo_changes_nothing_but_time(before: World, after: World, order: list[str]) -> None:
    memo = Memo()
    for world in (before, after, before):
        for name in order:
            assert linted(world, name, memo) == linted(world, name)


@given(worlds(macros=True), st.sampled_from(["192.0.2.1", "2001:db8::1"]))
def test_what_is_missed_is_all_that_is_raised(world: World, ip: str) -> None:
    """With an empty store the first question is about the domain alone."""
    who = sender(ip_address(ip), "mia@acme.example", "x")
    for ask in (
        lambda answers: check_host(answers, who),
        lambda answers: lint(answers, "acme.example", obsolete=False),
    ):
        try:
            ask(Answers({}))
            raise AssertionError("it answered out of nothing")
        except Missing as missing:
            assert missing.keys == (("acme.example", "TXT"),)
        _, rounds = settled(world, ask)
        assert len(set(sum(rounds, ()))) == len(sum(rounds, ()))
