"""check_host() as stories: who passes, what is said, how often it asks. The published suite is test_spf_suite.py."""

from ipaddress import ip_address

import pytest
from spf_world import World, checked, settled

from postroom.protocols.answers import Answers, Held
from postroom.protocols.spf_check import check_host
from postroom.protocols.spf_macros import as_name, domain_spec, expand
from postroom.protocols.spf_sender import sender, values

DOWN = Held(failed="timeout")
PROVIDER: World = {
    "acme.example": "v=spf1 include:one.example include:two.example a mx -all exp=why.acme.example",
    "acme.example A": ["192.0.2.1"],
    "acme.example MX": [(10, "mx1.acme.example"), (20, "mx2.acme.example")],
    "mx1.acme.example A": ["192.0.2.2"],
    "mx2.acme.example A": ["192.0.2.3"],
    "one.example": "v=spf1 include:a.one.example include:b.one.example ~all",
    "a.one.example": "v=spf1 ip4:198.51.100.0/25 ~all",
    "b.one.example": "v=spf1 ip4:198.51.100.128/25 ~all",
    "two.example": "v=spf1 ip6:2001:db8::/32 ~all",
    "why.acme.example TXT": ["%{i} does not send for %{o}, says %{r} at %{t}."],
}


@pytest.mark.parametrize(
    "ip, result, term",
    [
        ("198.51.100.7", "pass", "include:one.example"),
        ("2001:db8::7", "pass", "include:two.example"),
        ("192.0.2.1", "pass", "a"),
        ("::ffff:192.0.2.3", "pass", "mx"),
        ("203.0.113.1", "fail", "-all"),
    ],
)
def test_who_may_send(ip: str, result: str, term: str) -> None:
    verdict = checked(PROVIDER, ip)
    assert (verdict.result, verdict.term, verdict.domain) == (result, term, "acme.example")


def test_it_is_said_why_and_what_it_cost() -> None:
    verdict = checked(PROVIDER, "203.0.113.1")
    assert verdict.why == "“-all” in the record of acme.example"
    assert verdict.explanation == "203.0.113.1 does not send for acme.example, says mx.here.example at 1700000000."
    assert (verdict.lookups, verdict.voids) == (6, 0)


def test_it_asks_for_all_that_the_records_at_hand_lead_to() -> None:
    """As many rounds as records in a row, and one for the explanation; one name after the other would be nine."""
    who = sender(ip_address("203.0.113.1"), "mia@acme.example", "x")
    _, rounds = settled(PROVIDER, lambda answers: check_host(answers, who))
    assert [len(missing) for missing in rounds] == [1, 4, 4, 1]


@pytest.mark.parametrize(
    "down, result",
    [
        ({"acme.example TXT": DOWN}, "temperror"),
        ({"two.example TXT": DOWN}, "temperror"),
        ({"b.one.example TXT": DOWN}, "temperror"),
        ({"acme.example A": DOWN}, "temperror"),
        ({"acme.example MX": DOWN}, "temperror"),
        ({"mx1.acme.example A": DOWN}, "temperror"),
        ({"why.acme.example TXT": DOWN}, "fail"),
        ({"acme.example": "v=spf1 exists:%{ir}.acme.example -all", "1.113.0.203.acme.example A": DOWN}, "temperror"),
        ({"acme.example": "v=spf1 redirect=two.example", "two.example TXT": DOWN}, "temperror"),
        ({"acme.example": "v=spf1 ptr -all", "1.113.0.203.in-addr.arpa PTR": DOWN}, "fail"),
        ({"acme.example": "v=spf1 exists:%{p}.acme.example -all", "1.113.0.203.in-addr.arpa PTR": DOWN}, "fail"),
    ],
)
def test_a_look_up_that_failed_is_never_taken_for_nothing(down: World, result: str) -> None:
    """But where the RFC goes on without it: `ptr` and %{p} (5.5), the explanation (6.2)."""
    verdict = checked({**PROVIDER, **down}, "203.0.113.1")
    assert verdict.result == result
    assert verdict.explanation is None


def test_what_matched_before_a_failure_counts() -> None:
    down = {**PROVIDER, "mx2.acme.example A": DOWN}
    assert checked(down, "192.0.2.2").result == "pass"
    assert checked(down, "192.0.2.3").result == "temperror"


@pytest.mark.parametrize(
    "mail_from, helo, result, why",
    [
        ("", "mail.acme.example", "none", "mail.acme.example has no SPF record"),
        ("<>", "acme.example", "pass", "“a” in the record of acme.example"),
        ("mia@acme.example.", "x", "pass", "“a” in the record of acme.example"),
        ('"odd@name"@acme.example', "x", "pass", "“a” in the record of acme.example"),
        ("mia@" + "x" * 64 + ".example", "x", "none", "there is no domain name to ask"),
        ("mia@" + "x." * 130 + "example", "x", "none", "there is no domain name to ask"),
        ("mia@bücher.example", "x", "none", "there is no domain name to ask"),
        ("mia@[192.0.2.1]", "x", "none", "there is no domain name to ask"),
        ("mia@localhost", "x", "none", "there is no domain name to ask"),
    ],
)
def test_which_domain_is_asked(mail_from: str, helo: str, result: str, why: str) -> None:
    verdict = checked(PROVIDER, "192.0.2.1", mail_from, helo)
    assert (verdict.result, verdict.why) == (result, why)


@pytest.mark.parametrize(
    "text, expanded",
    [  # 7.4
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{p2}.trusted-domains.example.net", "example.org.trusted-domains.example.net"),
        ("%{o1-.}.%%%_%-.%{S}.%{h}", "com.% %20.strong-bad%40email.example.com.mx.example.org"),
        (f"%{{o{'9' * 5000}}}", "email.example.com"),
    ],
)
def test_macros(text: str, expanded: str) -> None:
    held = {
        ("3.2.0.192.in-addr.arpa", "PTR"): Held(("mx.example.org",)),
        ("mx.example.org", "A"): Held(("192.0.2.3",)),
    }
    who = sender(ip_address("192.0.2.3"), "strong-bad@email.example.com", "mx.example.org")
    assert expand(domain_spec(text), values(Answers(held), who, "email.example.com")) == expanded


def test_a_sender_over_ipv6_in_macros() -> None:
    who = sender(ip_address("2001:db8::cb01%eth0"), "mia@acme.example", "x")
    name = expand(domain_spec("%{ir}.%{v}._spf.%{d}"), values(Answers({}), who, "acme.example"))
    assert values(Answers({}), who, "acme.example")("c") == "2001:db8::cb01"
    zeros = "0." * 20
    assert as_name(name) == f"1.0.b.c.{zeros}8.b.d.0.1.0.0.2.ip6._spf.acme.example"


def test_a_name_that_is_too_long_loses_labels_on_its_left() -> None:
    assert as_name("x" * 60 + "." + "a." * 100 + "example.") == "a." * 100 + "example"
    assert as_name("ab." * 90 + "example") == "ab." * 82 + "example"
    assert (
        as_name("a" * 63 + ".example")
        != as_name("a" * 64 + ".example")
        == as_name("a..example")
        == as_name("ü.x")
        == ""
    )


def test_a_local_part_beyond_ascii_matches_nothing_and_asks_nothing() -> None:
    """RFC 8616, 4."""
    world: World = {"acme.example": "v=spf1 exists:%{l}.acme.example a:%{s} a:%{L}.acme.example -all"}
    assert checked(world, "192.0.2.1", "müa@acme.example").result == "fail"
    assert checked(world, "192.0.2.1", "m\udce4@acme.example").result == "fail"


def test_voids_are_the_domains_and_not_those_of_whoever_sends() -> None:
    """A sender could make any domain a permerror by what its own address points to."""
    world: World = {
        "acme.example": "v=spf1 ptr exists:%{p}.acme.example -all",
        "1.2.0.192.in-addr.arpa PTR": [f"h{n}.evil.example" for n in range(9)],
    }
    assert checked(world, "192.0.2.1").result == "fail"
    three: World = {"acme.example": "v=spf1 a:x.acme.example a:y.acme.example mx -all exp=z.example"}
    verdict = checked(three, "192.0.2.1")
    assert verdict.result == "permerror"
    assert verdict.why == "more than 2 look-ups found nothing; the last was acme.example MX"


def test_limits() -> None:
    ten = "v=spf1 " + "a:h.example " * 10 + "ip4:192.0.2.1 redirect=b.example"
    found: World = {"acme.example": ten, "b.example": "v=spf1 ?all", "h.example A": ["203.0.113.9"]}
    assert checked(found, "192.0.2.1").result == "pass"
    eleventh = checked(found, "192.0.2.2")
    assert eleventh.result == "permerror"
    assert eleventh.why == "more than 10 terms need a look-up; “redirect=b.example” is one too many"
    many: World = {"acme.example": "v=spf1 mx -all", "acme.example MX": [(n, "h.example") for n in range(11)]}
    many = {**many, "h.example A": ["192.0.2.1"]}
    assert checked(many, "192.0.2.1").result == "permerror"


def test_of_the_names_an_address_points_to_ten_are_looked_at() -> None:
    pointed = [f"h{n:02}.acme.example" for n in range(11)]
    world: World = {"acme.example": "v=spf1 ptr ?all", "1.2.0.192.in-addr.arpa PTR": pointed}
    assert checked({**world, "h09.acme.example A": ["192.0.2.1"]}, "192.0.2.1").result == "pass"
    assert checked({**world, "h10.acme.example A": ["192.0.2.1"]}, "192.0.2.1").result == "neutral"


def test_errors_say_where_they_are() -> None:
    world: World = {"acme.example": "v=spf1 include:bad.example -all", "bad.example": "v=spf1 foo -all"}
    assert checked(world, "192.0.2.1").why == "the record of bad.example: “foo” is no mechanism"
    two: World = {"acme.example TXT": ["v=spf1 -all", "v=spf1 mx -all"]}
    assert checked(two, "192.0.2.1").why == "acme.example has 2 SPF records"
    gone: World = {"acme.example": "v=spf1 include:gone.example -all"}
    assert checked(gone, "192.0.2.1").why == "include:gone.example leads to no SPF record"
