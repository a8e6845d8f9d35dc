"""Every rule is found where its defect stands and nowhere else; what could not be looked up is unknown, never none."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judged_defects import ALSO, CASES, KNOWN
from judged_zone import ACME, CLEAN, FAILS, PARKED, Resolver, Zone, answers, certificate, dane, pinned
from postroom.protocols.answers import Answers, Held, Key, Missing
from postroom.protocols.judged import Judged, in_order
from postroom.protocols.judges.domain import Known, judge
from postroom.protocols.rrset import TYPES, rrset
from postroom.protocols.rules import RULES, Level

QUIET = ("good", "info")
FULL: Zone = CLEAN | dane(pinned())
FULL |= {(f"default._bimi.{ACME}", "TXT"): ("v=BIMI1; l=https://acme.example/l.svg; a=https://acme.example/v.pem",)}
CHAINS = {mx: (certificate(),) for mx in ("mx1.northlight.example", "mx2.northlight.example")}
ALL_KNOWN = replace(KNOWN, certificates=CHAINS)


def loud(results: tuple[Judged, ...]) -> set[str]:
    return {one.rule for one in results if one.level not in QUIET}


@pytest.mark.parametrize(("rule", "zone", "known"), CASES, ids=[one[0] for one in CASES])
def test_the_defect_of_each_rule_is_found_and_nothing_else(rule: str, zone: Zone, known: Known) -> None:
    results = judge(ACME, answers(zone), known)
    assert rule in {one.rule for one in results}
    assert loud(results) - {rule} == ALSO.get(rule, set())
    assert results == in_order(results)


def test_every_rule_has_its_defect() -> None:
    assert {rule for rule, _, _ in CASES} == set(RULES)


def test_a_clean_domain_is_clean_with_all_there_is() -> None:
    results = judge(ACME, answers(FULL), ALL_KNOWN)
    assert loud(results) == set()
    assert {one.rule for one in results} == {
        *("mx.good", "ns.good", "cname.good", "spf.good", "dkim.good", "dmarc.reject", "mta_sts.good", "tls_rpt.good"),
        *("dane.good", "caa.good", "bimi.good", "dnssec.good", "ptr.good"),
    }


def test_the_table_names_levels_sources_and_sentences() -> None:
    for rule in RULES.values():
        assert rule.level in get_args(Level) and re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", rule.id)
        assert re.match(r"(RFC \d{4}, [\dA-Z]|BIMI draft, |M3AAWG, )", rule.source), rule.id
        assert rule.means.endswith(".") and "|" not in rule.means
    nouns = [id.partition(".")[0] for id in RULES]
    assert len(dict.fromkeys(nouns)) == sum(one != after for one, after in zip(nouns, [*nouns[1:], ""], strict=True))


@pytest.mark.parametrize(("rule", "zone", "known"), CASES, ids=[one[0] for one in CASES])
def test_what_is_to_be_published_can_be_and_sentences_are_sentences(rule: str, zone: Zone, known: Known) -> None:
    for one in judge(ACME, answers(zone), known):
        assert one.says.endswith(".") and ".." not in one.says and len(one.says) < 300
        assert one.source == RULES[one.rule].source
        if one.publish and one.publish.type in TYPES and "*" not in one.publish.name:
            made = one.publish
            assert rrset(made.name, made.type, made.ttl, made.values) == made


MENDED = ["mx.null_and_others", "mx.duplicate", "dkim.missing", "dkim.other_key", "dmarc.syntax"]
MENDED += ["dmarc.obsolete", "dmarc.uri_size", "dmarc.bad_value", "dmarc.report_unauthorised", "tls_rpt.none"]
MENDED += ["parked.takes_mail", "parked.spf_open", "parked.dmarc_open", "parked.dkim_open"]


@pytest.mark.parametrize("rule", MENDED)
def test_what_is_to_be_published_mends(rule: str) -> None:
    """The record set replaces the one that stands there; a DKIM selector of ours, or what stands at another's name."""
    _, zone, known = next(one for one in CASES if one[0] == rule)
    known = replace(known, reports="tls@northlight.example", selectors=KNOWN.selectors)
    made = next(one.publish for one in judge(ACME, answers(zone), known) if one.rule == rule)
    assert made is not None
    values = tuple(tuple(_mx(value)) if made.type == "MX" else value for value in made.values)
    mended = zone | {(made.name.rstrip("."), made.type): values}
    after = judge(ACME, answers(mended), known)
    assert rule not in {one.rule for one in after}
    assert {one.level for one in after} <= {*QUIET, "warn"}


def _mx(value: str) -> tuple[int, str]:
    preference, exchange = value.split()
    return int(preference), exchange.rstrip(".")


class Noted(Resolver):
    """Notes what it is asked."""

    def __init__(self, zone: Zone) -> None:
        super().__init__(zone)
        self.asked: set[Key] = set()

    def __getitem__(self, key: Key) -> Held:
        self.asked.add(key)
        return super().__getitem__(key)


def asked(zone: Zone, known: Known) -> list[Key]:
    noted = Noted(zone)
    judge(ACME, Answers(noted), known)
    return sorted(noted.asked)


PARK = replace(KNOWN, parked=True)
FAILING = [(FULL, ALL_KNOWN, key) for key in asked(FULL, ALL_KNOWN)]
FAILING += [(PARKED, PARK, key) for key in asked(PARKED, PARK)]


@pytest.mark.parametrize(("zone", "known", "key"), FAILING, ids=["-".join(key) for _, _, key in FAILING])
def test_a_look_up_that_fails_makes_nothing_worse_than_unknown(zone: Zone, known: Known, key: Key) -> None:
    before, after = judge(ACME, answers(zone), known), judge(ACME, answers(zone, {key: FAILS}), known)
    new = {one.rule for one in after} - {one.rule for one in before}
    assert {RULES[rule].level for rule in new} <= {"unknown"}, new
    gone = {one.rule for one in before} - {one.rule for one in after}
    assert not gone or any(one.level == "unknown" for one in after), gone


@pytest.mark.parametrize("known", [ALL_KNOWN, PARK])
def test_where_every_look_up_fails_nothing_is_known(known: Known) -> None:
    class Failing(Noted):
        def __getitem__(self, key: Key) -> Held:
            return FAILS

    results = judge(ACME, Answers(Failing({})), known)
    assert results and {one.level for one in results} == {"unknown"}


@pytest.mark.parametrize(("zone", "known"), [(FULL, ALL_KNOWN), (PARKED, PARK), ({}, ALL_KNOWN), (CLEAN, Known())])
def test_few_rounds_of_look_ups_are_enough(zone: Zone, known: Known) -> None:
    """What is missing is asked for together, nothing twice, and the answer is that of a store that holds it all."""
    world, held = Resolver(zone), dict[Key, Held]()
    for _ in range(4):
        try:
            assert judge(ACME, Answers(held), known) == judge(ACME, Answers(world), known)
            return
        except Missing as missing:
            assert len(set(missing.keys)) == len(missing.keys) and not held.keys() & set(missing.keys)
            held |= {key: world[key] for key in missing.keys}
    raise AssertionError("more than three rounds")


TEXT = st.text(st.characters(max_codepoint=255), max_size=80)
STARTS = ["v=DMARC1;", "v=DMARC1;p=", "v=DKIM1;", "p=", "v=STSv1;", "v=TLSRPTv1;rua=", "v=BIMI1;l=", "v=spf1 "]
TAGGED = st.builds(
    str.__add__, st.sampled_from(STARTS), st.one_of(TEXT, st.text(";=,!:@.mailto ps\x00\xff", max_size=60))
)
NUMBER = st.integers(0, 65535)
VALUES: Mapping[str, st.SearchStrategy[object]] = {
    "TXT": st.one_of(TEXT, TAGGED),
    "MX": st.tuples(NUMBER, TEXT),
    "CAA": st.tuples(st.integers(0, 255), TEXT, TEXT),
    "TLSA": st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), TEXT),
}


@given(st.data(), TEXT, st.booleans())
@settings(max_examples=100, deadline=None)
def test_no_text_raises_anything_but_missing(data: st.DataObject, name: str, parked: bool) -> None:
    class Wild(Noted):
        def __getitem__(self, key: Key) -> Held:
            values = data.draw(st.lists(VALUES.get(key[1], TEXT), max_size=2, unique=True))
            return Held(tuple(values), 1, data.draw(st.booleans()), tuple(data.draw(st.lists(TEXT, max_size=1))), True)

    domain = data.draw(st.sampled_from([ACME, name]))
    policy = KNOWN.policy and KNOWN.policy._replace(body=data.draw(st.binary(max_size=40)))
    judge(domain, Answers(Wild({})), replace(ALL_KNOWN, parked=parked, policy=policy, reports=name))
