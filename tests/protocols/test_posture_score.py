"""What results come to: the worst of each area, a score in which each rule costs once, and JSON."""

import json

from judged_zone import ACME, CLEAN, FAILS, answers
from postroom.protocols.judges.domain import Known, judge
from postroom.protocols.posture import AREAS, Loss, Score, area, as_json, by_area, score, worst
from postroom.protocols.rules import RULES


def test_every_rule_is_of_an_area() -> None:
    assert {area(rule) for rule in RULES} == set(AREAS)


def test_the_worst_of_nothing_is_unknown() -> None:
    assert worst([]) == "unknown"
    assert worst(["good", "warn", "unknown", "bad"]) == "bad" and worst(["info", "warn", "unknown"]) == "unknown"


def test_each_rule_costs_once_and_what_is_unknown_makes_it_at_most() -> None:
    said = [
        ("spf.none", "bad"),
        ("ns.cname", "bad"),
        ("ns.cname", "bad"),
        ("tls_rpt.none", "warn"),
        ("mx.good", "good"),
    ]
    assert score(said) == Score(55, False, (Loss(20, "spf.none"), Loss(20, "ns.cname"), Loss(5, "tls_rpt.none")))
    assert score([*said, ("dkim.unknown", "unknown")])[:2] == (55, True)
    assert score([(f"x.{n}", "bad") for n in range(9)]).points == 0
    assert score([]) == Score(100, True, ()), "of what nothing is known, nothing is lost, and nothing is sure"


def test_a_domain_area_by_area_as_json() -> None:
    results = judge(ACME, answers(CLEAN | {(f"_dmarc.{ACME}", "TXT"): None, (ACME, "CAA"): FAILS}), Known())
    assert (levels := by_area(results))["dmarc"] == "bad" and levels["caa"] == "unknown" and levels["mx"] == "good"
    assert list(levels) == [one for one in AREAS if one in levels], "in their order"
    told = json.loads(json.dumps([as_json(one) for one in results]))
    none = next(one for one in told if one["rule"] == "dmarc.none")
    assert none["publish"]["name"] == f"_dmarc.{ACME}." and none["evidence"]["name"] == f"_dmarc.{ACME}"


def test_addresses_that_are_not_on_the_internet_are_right_where_nothing_is() -> None:
    inside = CLEAN | {(name, "A"): ("127.1.2.3",) for name, type in CLEAN if type == "A"}
    rules = {one.rule for one in judge(ACME, answers(inside), Known(private=True))}
    assert {"mx.private", "ns.private"}.isdisjoint(rules) and "mx.good" in rules
    assert {"mx.private", "ns.private"} <= {one.rule for one in judge(ACME, answers(inside), Known())}
