"""The linter of SPF: each thing that can be wrong, what is unknown, what each term costs; and what a memo may keep."""

import pytest
from spf_world import World, linted, settled

from postroom.protocols.answers import Held
from postroom.protocols.spf_lint import Report, lint
from postroom.protocols.spf_reach import Branch, Memo

DOWN = Held(failed="timeout")
CLEAN: World = {
    "acme.example": "v=spf1 include:_spf.northlight.example mx ip4:192.0.2.0/24 -all",
    "acme.example MX": [(10, "mx.acme.example")],
    "mx.acme.example A": ["192.0.2.1"],
    "mx.acme.example AAAA": ["2001:db8::1"],
    "_spf.northlight.example": "v=spf1 include:a.northlight.example include:b.northlight.example ~all",
    "a.northlight.example": "v=spf1 ip4:198.51.100.0/25 ~all",
    "b.northlight.example": "v=spf1 ip4:198.51.100.128/25 ~all",
}


def said(report: Report) -> list[tuple[str, str, str]]:
    return [(problem.level, problem.section, problem.text) for problem in report.problems]


def test_a_clean_domain_has_nothing_wrong_and_its_costs_are_told() -> None:
    report = linted(CLEAN)
    assert (report.state, report.lookups, report.voids, report.at_least) == ("usable", 4, (0, 0), False)
    assert (report.problems, report.unknown) == ((), ())
    northlight, mx = report.tree
    assert mx == Branch("mx", "acme.example")
    assert (northlight.term, northlight.lookups) == ("include:_spf.northlight.example", 3)
    assert [(branch.name, branch.lookups) for branch in northlight.below] == [
        ("a.northlight.example", 1),
        ("b.northlight.example", 1),
    ]
    assert northlight.below[0].text == "v=spf1 ip4:198.51.100.0/25 ~all"


def test_it_asks_as_often_as_records_stand_in_a_row() -> None:
    _, rounds = settled(CLEAN, lambda answers: lint(answers, "acme.example"))
    assert [len(missing) for missing in rounds] == [2, 2, 4]
    _, rounds = settled(CLEAN, lambda answers: lint(answers, "Acme.Example.", obsolete=False))
    assert [len(missing) for missing in rounds] == [1, 2, 4]


ELEVEN = " ".join(f"a:h{n}.example" for n in range(11))
HOSTS = {f"h{n}.example {type}": ["192.0.2.1"] for n in range(11) for type in ("A", "AAAA")}
CIRCLE = {"b.example": "v=spf1 include:c.example ~all", "c.example": "v=spf1 include:b.example ~all"}

WRONG: list[tuple[World, str, str, list[tuple[str, str, str]]]] = [
    ({}, "none", "", [("error", "3", "acme.example has no SPF record")]),
    (
        {"acme.example TXT": ["v=spf1 -all", "v=spf1 mx -all"]},
        "permerror",
        "",
        [("error", "3.2", "acme.example has 2 SPF records; receivers use none of them")],
    ),
    (
        {"acme.example": "v=spf1 ip4:192.0.2.1 +all"},
        "usable",
        "",
        [("error", "5.1", "it ends in +all: everybody may send in the domain's name")],
    ),
    (
        {"acme.example": "v=spf1 redirect=b.example", "b.example": "v=spf1 ?all"},
        "usable",
        "",
        [("warning", "5.1", "it ends in ?all: it says nothing about anybody it does not list")],
    ),
    (
        {"acme.example": "v=spf1 ip4:192.0.2.1"},
        "usable",
        "",
        [("warning", "4.7", "it ends without “all”: it says nothing about anybody it does not list")],
    ),
    (
        {"acme.example": "v=spf1 include:b.example -all", "b.example": "v=spf1 all"},
        "usable",
        "",
        [("error", "5.1", "“include:b.example” ends in +all: everybody matches it")],
    ),
    (
        {"acme.example": "v=spf1 ~exists:b.example exists:b.example -all", "b.example A": ["192.0.2.1"]},
        "usable",
        "",
        [
            ("warning", "5.7", "“~exists:b.example” matches everybody, as b.example has an address"),
            ("error", "5.7", "“exists:b.example” matches everybody, as b.example has an address"),
        ],
    ),
    (
        {"acme.example": "v=spf1 ptr -exists:%{p}.b.example -all"},
        "usable",
        "",
        [
            ("warning", "5.5", "“ptr” is slow and not reliable; it is not to be used"),
            ("warning", "7.2", "“-exists:%{p}.b.example” rests on %{p}, which is slow and not reliable"),
        ],
    ),
    (
        {"acme.example": f"v=spf1 {ELEVEN} -all", **HOSTS},
        "permerror",
        "",
        [
            (
                "error",
                "4.6.4",
                "it needs 11 look-ups; receivers stop at 10 and use nothing: "
                + ", ".join(f"a:h{n}.example 1" for n in range(11)),
            )
        ],
    ),
    (
        {"acme.example": "v=spf1 " + "a:h0.example " * 9 + "-all", **HOSTS},
        "usable",
        "",
        [
            (
                "warning",
                "4.6.4",
                "it needs 9 of the 10 look-ups that receivers make: " + ", ".join(["a:h0.example 1"] * 9),
            )
        ],
    ),
    (
        {"acme.example": "v=spf1 a:x.example exists:y.example mx:z.example -all"},
        "permerror",
        "",
        [
            ("warning", "4.6.4", "“a:x.example”: x.example has no address"),
            ("warning", "4.6.4", "“exists:y.example”: y.example has no IPv4 address"),
            ("warning", "4.6.4", "“mx:z.example”: z.example has no mail exchanger"),
            ("error", "4.6.4", "3 look-ups find nothing; receivers stop after 2"),
        ],
    ),
    (
        {"acme.example": "v=spf1 a:x.example a:x.example a:x.example -all", "x.example A": ["192.0.2.1"]},
        "usable",
        "",
        [("warning", "4.6.4", "of a sender over IPv6, 3 look-ups find nothing; receivers stop after 2")],
    ),
    (
        {"acme.example": "v=spf1 include:acme.example -all"},
        "permerror",
        "",
        [("error", "4.6.4", "“include:acme.example” goes round in a circle; receivers stop")],
    ),
    (
        {"acme.example": "v=spf1 include:b.example -all", **CIRCLE},
        "permerror",
        "b.example c.example",
        [("error", "4.6.4", "“include:b.example” goes round in a circle; receivers stop")],
    ),
    (
        {"acme.example": "v=spf1 include:b.example -all"},
        "permerror",
        "",
        [("error", "5.2", "“include:b.example”: b.example does not exist; receivers use nothing")],
    ),
    (
        {"acme.example": "v=spf1 redirect=b.example", "b.example TXT": ["hello"]},
        "permerror",
        "",
        [("error", "6.1", "“redirect=b.example”: b.example has no SPF record; receivers use nothing")],
    ),
    (
        {"acme.example": "v=spf1 include:b..example -all"},
        "permerror",
        "",
        [("error", "5.2", "“include:b..example” names nothing that can be asked for")],
    ),
    (
        {"acme.example": "v=spf1 include:b.example -all", "b.example TXT": ["v=spf1 -all", "v=spf1 ~all"]},
        "permerror",
        "b.example",
        [("error", "3.2", "b.example has 2 SPF records; receivers use none of them")],
    ),
    (
        {"acme.example": "v=spf1 mx -all", "acme.example MX": [(n, f"mx{n}.example") for n in range(11)]},
        "permerror",
        "",
        [("error", "4.6.4", "“mx”: acme.example has 11 mail exchangers; receivers look at 10 and stop")],
    ),
    (
        {"acme.example": "v=spf1 -all redirect=b.example"},
        "usable",
        "",
        [("warning", "6.1", "redirect=b.example stands beside “all” and is never followed")],
    ),
    (
        {"acme.example": "v=spf1 ~all mx include:b.example"},
        "usable",
        "",
        [("warning", "5.1", "what follows “all” is never tested: mx include:b.example")],
    ),
    (
        {"acme.example": "v=spf1 -all", "acme.example SPF": ["v=spf1 -all"]},
        "usable",
        "",
        [("warning", "3.1", "there is a record of the type SPF, which nobody reads any more; only TXT counts")],
    ),
    (
        {"acme.example": "v=spf1 foo include ip4:192.0.2.300 -all"},
        "permerror",
        "",
        [
            ("error", "4.6", "“foo” is no mechanism"),
            ("error", "4.6", "“include”: what follows include cannot be read"),
            ("error", "4.6", "“ip4:192.0.2.300”: what follows ip4 cannot be read"),
        ],
    ),
    (
        {"acme.example": "v=spf1 include:%{l}.b.example -all"},
        "usable",
        "",
        [("info", "5.2", "who sends decides where “include:%{l}.b.example” leads; what it costs there is open")],
    ),
    (
        {"acme.example TXT": ["v=spf1 -all", "x" * 500]},
        "usable",
        "",
        [
            (
                "info",
                "3.4",
                "the TXT answer has about 579 octets, more than 512; some receivers have to ask again over TCP",
            )
        ],
    ),
    (
        {"acme.example TXT": ["v=spf1 -all", "x" * 1500]},
        "usable",
        "",
        [
            (
                "info",
                "3.4",
                "the TXT answer has about 1583 octets, more than 1232; some receivers have to ask again over TCP",
            )
        ],
    ),
]


@pytest.mark.parametrize("world, state, below, problems", WRONG)
def test_what_is_wrong(world: World, state: str, below: str, problems: list[tuple[str, str, str]]) -> None:
    report = linted(world)
    assert said(report) == problems
    assert report.state == state
    assert {problem.chain for problem in report.problems} == {("acme.example", *below.split())}
    assert report.unknown == ()


@pytest.mark.parametrize(
    "key, chain, state",
    [
        ("acme.example TXT", ("acme.example",), "unknown"),
        ("acme.example MX", ("acme.example",), "unknown"),
        ("mx.acme.example AAAA", ("acme.example",), "unknown"),
        ("b.northlight.example TXT", ("acme.example", "_spf.northlight.example", "b.northlight.example"), "unknown"),
    ],
)
def test_a_look_up_that_failed_is_unknown_and_nothing_is_made_of_it(
    key: str, chain: tuple[str, ...], state: str
) -> None:
    report = linted({**CLEAN, key: DOWN})
    assert (report.state, report.problems, report.at_least) == (state, (), True)
    assert report.voids == (0, 0)
    ((name, type, why, led),) = report.unknown
    assert (f"{name} {type}", why, led) == (key, "timeout", chain)


def test_what_is_certainly_wrong_is_so_whatever_is_unknown() -> None:
    world = {**CLEAN, "acme.example": "v=spf1 foo mx -all", "acme.example MX": DOWN}
    assert linted(world).state == "permerror"


def test_a_look_up_of_the_obsolete_type_may_fail() -> None:
    """Old servers do not answer it at all; nothing rests on it."""
    assert linted({**CLEAN, "acme.example SPF": DOWN}).state == "usable"


def test_a_macro_that_the_domain_alone_decides_is_followed() -> None:
    world = {"acme.example": "v=spf1 redirect=%{d}._spf.b.example", "acme.example._spf.b.example": "v=spf1 -all"}
    report = linted(world)
    assert (report.state, report.lookups, report.tree[0].name) == ("usable", 1, "acme.example._spf.b.example")


def test_a_hostile_tree_is_not_followed_without_end() -> None:
    """Each level includes the next ten times over: a walk of all of it would never end, nor would its look-ups."""
    wide = {f"l{n}.example": "v=spf1 " + f"include:l{n + 1}.example " * 10 + "-all" for n in range(40)}
    (report, rounds) = settled(wide, lambda answers: lint(answers, "l0.example"))
    assert (report.state, report.at_least) == ("permerror", True)
    assert sum(map(len, rounds)) < 50
    long: World = {"acme.example": "v=spf1 " + " ".join(f"include:i{n}.example" for n in range(2000))}
    (report, rounds) = settled(long, lambda answers: lint(answers, "acme.example"))
    assert (report.state, report.lookups, report.at_least) == ("permerror", 2000, True)
    assert sum(map(len, rounds)) < 50


def test_a_memo_does_not_outlive_the_answers_it_rests_on() -> None:
    memo = Memo()
    assert linted(CLEAN, memo=memo).state == "usable"
    kept = memo.reaches["_spf.northlight.example"]
    assert linted({**CLEAN, "other.example": CLEAN["acme.example"]}, "other.example", memo).lookups == 4
    assert memo.reaches["_spf.northlight.example"] is kept

    worse = {**CLEAN, "b.northlight.example": "v=spf1 a:gone.example foo ~all"}
    report = linted(worse, memo=memo)
    assert (report.state, report.lookups, report.voids) == ("permerror", 5, (1, 1))
    assert linted({**worse, "gone.example A": ["192.0.2.9"]}, memo=memo).voids == (0, 1)
    assert linted({**CLEAN, "b.northlight.example TXT": DOWN}, memo=memo).state == "unknown"
    assert linted(CLEAN, memo=memo) == linted(CLEAN)


def test_what_goes_in_a_circle_is_not_kept() -> None:
    """What is found in a circle hangs on where it was entered."""
    memo = Memo()
    world: World = {"acme.example": "v=spf1 include:b.example -all", **CIRCLE}
    assert linted(world, memo=memo) == linted(world)
    assert linted(world, "c.example", memo) == linted(world, "c.example")
    assert memo.reaches == {}


def test_a_memo_is_emptied_when_it_has_grown_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postroom.protocols.spf_reach.MANY", 3)
    memo = Memo()
    for n in range(9):
        linted({"acme.example": f"v=spf1 ip4:192.0.2.{n} -all"}, memo=memo)
    assert len(memo.records) <= 4
