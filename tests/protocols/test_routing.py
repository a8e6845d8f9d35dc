"""Where mail lands by the rules alone; that a real node does the same is in tests/engines/test_routes_live.py."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from postroom.protocols.extensions import keys
from postroom.protocols.routing import STEPS, Rule, Trace, trace

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
AFTER, BEFORE = NOW + timedelta(days=1), NOW - timedelta(seconds=1)
AT = "@a.test"
OURS = [Rule("domain", AT), Rule("domain", "@b.test")]


def box(name: str) -> Rule:
    return Rule("mailbox", name + AT)


def alias(name: str, *targets: str, **more: object) -> Rule:
    return Rule("alias", name + AT, tuple(_full(one) for one in targets), **more)  # type: ignore[arg-type]


def sieve(name: str, *targets: str, **more: object) -> Rule:
    return Rule("sieve", name + AT, tuple(_full(one) for one in targets), **more)  # type: ignore[arg-type]


def handed(name: str, **more: object) -> Rule:
    return Rule("transport", name + AT, ("mx.out.test:25",), **more)  # type: ignore[arg-type]


def _full(name: str) -> str:
    return name if "@" in name else name + AT


def traced(name: str, *rules: Rule) -> Trace:
    known: dict[str, list[Rule]] = {}
    for rule in [*OURS, *rules]:
        known.setdefault(rule.source, []).append(rule)
    return trace(_full(name), known, at=NOW)


def lands(name: str, *rules: Rule) -> set[str]:
    """As short words: mia, ~mia for sometimes, outside x, refused x, loop x, unknown x."""
    words = {
        ("~" if one.sometimes else "")
        + ("" if one.sort == "mailbox" else one.sort + " ")
        + one.address.removesuffix(AT)
        for one in traced(name, *rules).landings
    }
    return words


OUT = "x@out.test"
THERE = "mx.out.test:25"
CASES: list[tuple[str, str, Sequence[Rule], set[str]]] = [
    ("a mailbox is its own", "mia", [box("mia")], {"mia"}),
    ("nobody", "no", [box("mia")], {"refused no"}),
    ("not ours", OUT, [], {"outside " + OUT}),
    ("an alias to many", "team", [alias("team", "mia", "joe"), box("mia"), box("joe")], {"mia", "joe"}),
    ("two hops", "a", [alias("a", "b"), alias("b", OUT)], {"outside " + OUT}),
    ("to nobody", "a", [alias("a", "b")], {"refused b"}),
    ("handed over", "mia", [box("mia"), handed("mia")], {"outside " + THERE}),
    ("handed over, with an extension", "mia+x", [box("mia"), handed("mia")], {"outside " + THERE}),
    ("handed over, and no script sees it", "mia", [box("mia"), handed("mia"), sieve("mia", OUT)], {"outside " + THERE}),
    ("handed over, of no mailbox", "fax", [handed("fax"), Rule("catch-all", AT, ("mia" + AT,)), box("mia")],
     {"outside " + THERE}),
    ("handed over, by an alias", "a", [alias("a", "mia", "joe"), box("joe"), handed("mia")],
     {"outside " + THERE, "joe"}),
    ("handed over until now", "mia", [box("mia"), handed("mia", until=BEFORE)], {"mia"}),
    ("handed over until tomorrow", "mia", [box("mia"), handed("mia", until=AFTER)], {"outside " + THERE}),
    ("without a copy", "mia", [box("mia"), alias("mia", OUT)], {"outside " + OUT}),
    ("with one", "mia", [box("mia"), alias("mia", OUT, keep=True)], {"mia", "outside " + OUT}),
    ("one keeps, the other does not", "mia", [box("mia"), alias("mia", OUT, keep=True), alias("mia", "joe"),
                                              box("joe")], {"joe", "outside " + OUT}),
    ("ended", "mia", [box("mia"), alias("mia", OUT, until=BEFORE)], {"mia"}),
    ("ends this second", "mia", [box("mia"), alias("mia", OUT, until=NOW)], {"mia"}),
    ("not ended", "mia", [box("mia"), alias("mia", OUT, until=AFTER)], {"outside " + OUT}),
    ("a catch-all", "any", [Rule("catch-all", AT, ("mia" + AT,)), box("mia")], {"mia"}),
    ("swallows no mailbox", "mia", [Rule("catch-all", AT, ("joe" + AT,)), box("mia"), box("joe")], {"mia"}),
    ("nor an alias", "a", [Rule("catch-all", AT, ("joe" + AT,)), alias("a", "mia"), box("mia"), box("joe")], {"mia"}),
    ("but a dead target", "a", [Rule("catch-all", AT, ("joe" + AT,)), alias("a", "no"), box("joe")], {"joe"}),
    ("a catch-all outside", "any", [Rule("catch-all", AT, (OUT,))], {"outside " + OUT}),
    ("a domain alias", "mia@b.test", [Rule("domain alias", "@b.test", (AT,)), box("mia")], {"mia"}),
    ("to nobody there", "no@b.test", [Rule("domain alias", "@b.test", (AT,))], {"refused no@b.test"}),
    ("to who caught all there", "no@b.test", [Rule("domain alias", "@b.test", (AT,)), box("mia"),
                                              Rule("catch-all", AT, ("mia" + AT,))], {"mia"}),
    ("whose own rows win", "mia@b.test", [Rule("domain alias", "@b.test", (AT,)), box("mia"), box("joe"),
                                          Rule("alias", "mia@b.test", ("joe" + AT,))], {"joe"}),
    ("with an extension", "mia+x@b.test", [Rule("domain alias", "@b.test", (AT,)), box("mia")], {"mia"}),
    ("an extension", "mia+x", [box("mia")], {"mia"}),
    ("goes along inside alone", "a+x", [alias("a", "b", OUT), alias("b+x", "mia"), box("mia")],
     {"mia", "outside " + OUT}),
    ("and meets a row of its own", "a+x", [alias("a", "b"), alias("b", "mia"), alias("b+x", "joe"), box("mia"),
                                           box("joe")], {"joe"}),
    ("is none before the name", "+x", [box("mia")], {"refused +x"}),
    ("is kept from a catch-all", "no+x", [Rule("catch-all", AT, ("mia" + AT,)), box("mia")], {"mia"}),
    ("round and round", "a", [alias("a", "b"), alias("b", "a")], {"loop a"}),
    ("takes all with it", "a", [alias("a", "mia", "b"), alias("b", "a"), box("mia")], {"loop a"}),
    ("but a copy stops it", "a", [box("a"), alias("a", "b", keep=True), alias("b", "a")], {"a"}),
    ("from either end", "b", [box("a"), alias("a", "b", keep=True), alias("b", "a")], {"a"}),
    ("longer at each turn", "a", [alias("a", "a+x")], {"loop a"}),
    ("sieve, moved", "mia", [box("mia"), sieve("mia", OUT)], {"outside " + OUT}),
    ("sieve, copied", "mia", [box("mia"), sieve("mia", OUT, keep=True)], {"mia", "outside " + OUT}),
    ("sieve, in a branch", "mia", [box("mia"), sieve("mia", OUT, sometimes=True)], {"~mia", "~outside " + OUT}),
    ("sieve, thrown away", "mia", [box("mia"), sieve("mia")], {"discarded mia"}),
    ("sieve, some of it", "mia", [box("mia"), sieve("mia", sometimes=True)], {"~mia", "~discarded mia"}),
    ("sieve, one of two not let out", "mia", [box("mia"), sieve("mia", OUT), sieve("mia", "y@out.test",
     barred=frozenset({"y@out.test"}))], {"mia", "outside " + OUT}),
    ("sieve, perhaps one not let out", "mia", [box("mia"), sieve("mia", OUT), sieve("mia", "y@out.test",
     barred=frozenset({"y@out.test"}), sometimes=True)], {"~mia", "outside " + OUT}),
    ("sieve, none after one not let out", "mia", [box("mia"), sieve("mia", "y@out.test", keep=True,
     barred=frozenset({"y@out.test"})), sieve("mia", OUT, keep=True)], {"mia"}),
    ("sieve, perhaps none after it", "mia", [box("mia"), sieve("mia", "y@out.test", keep=True, sometimes=True,
     barred=frozenset({"y@out.test"})), sieve("mia", OUT, keep=True)], {"mia", "~outside " + OUT}),
    ("sieve, none after one to nobody", "mia", [box("mia"), sieve("mia", "no"), sieve("mia", OUT)], {"mia"}),
    ("sieve, not let out and thrown away", "mia", [box("mia"), sieve("mia"), sieve("mia", OUT,
     barred=frozenset({OUT}))], {"mia"}),
    ("sieve, perhaps not let out and thrown away", "mia", [box("mia"), sieve("mia"), sieve("mia", OUT,
     barred=frozenset({OUT}), sometimes=True)], {"~mia", "~discarded mia"}),
    ("sieve, moved and some thrown away", "mia", [box("mia"), sieve("mia", sometimes=True), sieve("mia", OUT)],
     {"outside " + OUT, "~discarded mia"}),
    ("sieve, moved and thrown away", "mia", [box("mia"), sieve("mia"), sieve("mia", OUT)],
     {"outside " + OUT, "discarded mia"}),
    ("sieve, copied and thrown away", "mia", [box("mia"), sieve("mia", OUT, keep=True), sieve("mia")],
     {"outside " + OUT, "discarded mia"}),
    ("sieve, into an alias", "mia", [box("mia"), box("joe"), sieve("mia", "a"), alias("a", "joe", OUT)],
     {"joe", "outside " + OUT}),
    ("sieve, after sieve", "mia", [box("mia"), box("joe"), sieve("mia", "joe", sometimes=True), sieve("joe", OUT)],
     {"~mia", "~outside " + OUT}),
    ("sieve, to itself", "mia", [box("mia"), box("joe"), sieve("mia", "joe"), sieve("joe", "mia")], {"loop mia"}),
    ("sieve, to its own with an extension that goes on", "mia",
     [box("mia"), sieve("mia", "mia+x"), alias("mia+x", OUT)], {"mia"}),
    ("sieve, to nobody", "mia", [box("mia"), sieve("mia", "no")], {"mia"}),
    ("sieve, not let out", "mia", [box("mia"), sieve("mia", OUT, barred=frozenset({OUT}))], {"mia"}),
    ("sieve, not read", "mia", [box("mia"), sieve("mia", unknown="not read")], {"~mia", "unknown mia"}),
    ("sieve, computed", "mia", [box("mia"), sieve("mia", unknown="a computed target", keep=True)],
     {"mia", "unknown mia"}),
    ("sieve, moved to where nobody knows", "mia", [box("mia"), sieve("mia", unknown="a computed target")],
     {"~mia", "unknown mia"}),
    ("sieve, computed and then another", "mia",
     [box("mia"), sieve("mia", unknown="a computed target", keep=True), sieve("mia", OUT)],
     {"~mia", "unknown mia", "~outside " + OUT}),
    ("sieve, another and then computed", "mia",
     [box("mia"), sieve("mia", OUT), sieve("mia", unknown="a computed target")],
     {"~mia", "unknown mia", "outside " + OUT}),
    ("sieve, computed, not let out, and another", "mia",
     [box("mia"), sieve("mia", unknown="a computed target"), sieve("mia", "z@z.test", barred=frozenset({"z@z.test"})),
      sieve("mia", OUT)], {"mia", "~outside " + OUT, "unknown mia"}),
    ("sieve, one let out, one not, and another", "mia", [box("mia"), sieve("mia", "x@z.test"), sieve("mia", "z@z.test",
     barred=frozenset({"z@z.test"})), sieve("mia", OUT)], {"mia", "outside x@z.test", "outside " + OUT}),
    ("sieve, perhaps one let out, one not, and another", "mia", [box("mia"), sieve("mia", "x@z.test", sometimes=True),
     sieve("mia", "z@z.test", barred=frozenset({"z@z.test"})), sieve("mia", OUT)],
     {"mia", "~outside x@z.test", "~outside " + OUT}),
    ("sieve, filed, not let out, and another", "mia", [box("mia"), sieve("mia", "z@z.test", anyway="always",
     barred=frozenset({"z@z.test"})), sieve("mia", OUT, anyway="always")], {"mia", "outside " + OUT}),
    ("a node nobody reaches", "mia", [Rule("mailbox", "mia" + AT, unknown="its node is away")], {"mia", "unknown mia"}),
    ("a target not known", "a", [alias("a", unknown="not read")], {"unknown a"}),
    ("what is not seen", "a", [alias("a", "c"), Rule("hidden", "c" + AT)], {"hidden c"}),
    ("nor a domain", "a", [alias("a", "c@c.test"), Rule("hidden", "@c.test")], {"hidden c@c.test"}),
    ("a catch-all not seen", "no", [Rule("hidden", AT), box("mia")], {"hidden no"}),
    ("hides no mailbox", "mia", [Rule("hidden", AT), box("mia")], {"mia"}),
    ("always beats sometimes", "team", [alias("team", "mia", "joe"), box("mia"), box("joe"),
                                        sieve("mia", "joe", sometimes=True)], {"~mia", "joe"}),
]  # fmt: skip


@pytest.mark.parametrize("address, rules, expected", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_it_lands(address: str, rules: Sequence[Rule], expected: set[str]) -> None:
    assert lands(address, *rules) == expected


def test_every_chain_is_there_with_its_rules() -> None:
    rules = [alias("a", "b", "c"), alias("b", "d"), alias("c", "d"), alias("d", OUT)]
    chains = traced("a", *rules).chains()
    assert [[hop.at.removesuffix(AT) for hop in chain] for chain in chains] == [["a", "b", "d"], ["a", "c", "d"]]
    assert [hop.step for hop in traced("a", *rules).hops] == [0, 1, 1, 2]
    assert traced("a", *rules).hops[0].rule is rules[0]


def test_a_mailbox_that_keeps_a_copy_is_no_step() -> None:
    (hop,) = traced("mia", box("mia"), alias("mia", OUT, keep=True)).hops
    assert hop.to == (OUT,)


def test_nowhere_is_only_what_is_known_to_be() -> None:
    assert traced("no").nowhere and traced("a", alias("a", "b"), alias("b", "a")).nowhere
    assert traced("mia", box("mia"), sieve("mia")).nowhere
    assert not traced("a", alias("a", unknown="not read")).nowhere
    assert not traced("a", alias("a", "no", OUT)).nowhere


def test_rules_are_asked_for_a_level_at_a_time() -> None:
    every = {"a" + AT: [alias("a", "b", "c")], "b" + AT: [alias("b", "d")], "c" + AT: [alias("c", "d")],
             "d" + AT: [box("d")], AT: [OURS[0]]}  # fmt: skip
    asked: list[frozenset[str]] = []

    def ask(wanted: frozenset[str]) -> dict[str, list[Rule]]:
        asked.append(wanted)
        return {key: every[key] for key in wanted if key in every}

    assert [one.address for one in trace("a" + AT, ask, at=NOW).landings] == ["d" + AT]
    assert [sorted(key.removesuffix(AT) for key in one) for one in asked] == [["", "a"], ["b", "c"], ["d"]]


def test_a_chain_of_fifty_lands_and_a_longer_one_does_not() -> None:
    def chain(length: int) -> list[Rule]:
        return [*(alias(f"n{n}", f"n{n + 1}") for n in range(length)), box(f"n{length}")]

    assert lands("n0", *chain(STEPS - 1)) == {f"n{STEPS - 1}"}
    assert lands("n0", *chain(STEPS)) == {"loop n0"}


def test_more_than_a_thousand_targets_are_put_off() -> None:
    many = [alias("all", *(f"l{n}" for n in range(40))),
            *(alias(f"l{n}", *(f"m{n}-{m}" for m in range(40))) for n in range(40)),
            *(box(f"m{n}-{m}") for n in range(40) for m in range(40))]  # fmt: skip
    assert lands("all", *many) == {"loop all"}


def test_the_keys_of_an_address() -> None:
    assert keys("mia+x@a.test") == {"mia+x@a.test", "mia@a.test", AT}
    assert keys("+x@a.test") == {"+x@a.test", AT}


def test_what_comes_after_a_redirect_that_is_refused_is_said_not_to_be_sent() -> None:
    refused = sieve("mia", "y@out.test", keep=True, barred=frozenset({"y@out.test"}))
    hops = traced("mia", box("mia"), refused, sieve("mia", OUT, keep=True)).hops
    assert [(hop.to, hop.rule.barred) for hop in hops] == [((), {"y@out.test"}), ((), {OUT})]
