"""SPF records: the grammar as a table, merging as small stories."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.protocols.spf import BadSpf, baseline, merge, own_lookups, parse, spf_in_use


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1",
        "V=SPF1 -all",
        "v=spf1  mx   -all",
        "v=spf1 a:a.example/24//64 mx/32 ?ptr:x.example ~all",
        "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all",
        "v=spf1 include:_spf.northlight.example -all",
        "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all",
        "v=spf1 redirect=_spf.acme.example",
        "v=spf1 -all exp=why.%{d} made-by=us",
        "v=spf1 a:%%percent.example.%{d} -all",
        "v=spf1 a:foo:bar/baz.example.com/24 exists:%{i}.%{s1}.100/86400.rate.%{d} -all",
        "v=spf1 a:x.example.xn--zckzah mx:x.1-2 exists:%{d007}.x.example -all",
        "v=spf1 ip4:0.0.0.0/0 ip6:::1.1.1.1/0 ip6:2001:db8::/128 -all",
    ],
)
def test_records_that_follow_the_grammar(text: str) -> None:
    assert str(parse(str(parse(text)))) == str(parse(text))


@pytest.mark.parametrize(
    "text, problems",
    [
        ("v=spf10 -all", 1),
        ("spf1 -all", 1),
        ("v=spf1 inc:x.example", 1),
        ("v=spf1 include -all", 1),
        ("v=spf1 include: ip4:300.0.0.1 all:x", 3),
        ("v=spf1 ip4:192.0.2.0/33", 1),
        ("v=spf1 ip4:192.0.2.0/", 1),
        ("v=spf1 ip6:192.0.2.1", 1),
        ("v=spf1 a/33", 1),
        ("v=spf1 a//129", 1),
        ("v=spf1 a:x.example/024", 1),
        ("v=spf1 exists:%{z}.example", 1),
        ("v=spf1 exists:%{d0}.example exp=%{r}.example include:%{c}.example", 3),
        ("v=spf1 a/24\n mx//64\n a/2٤ ip4:192.0.2.١ ip4:192.0.2.1/2\u0664", 5),
        ("v=spf1 ip4:192.0.2.01 ip4:192.0.2 ip4:192.0.2.1//32 ip6:::1%eth0 ip6:::1/129 ip6:::1/064", 6),
        ("v=spf1 a:x.-example a:x.example- a:museum. include:%{d}.9 exists:%{d}/24", 5),
        ("v=spf1 a:x.example\x80 \x80mx -all foo=%abc", 3),
        ("v=spf1 include:x.123", 1),
        ("v=spf1 redirect=a.example redirect=b.example", 1),
        ("v=spf1 redirect= -all", 1),
        ("v=spf1 mx\t-all", 1),
        ("v=spf1 -all; mx", 1),
    ],
)
def test_records_receivers_stumble_over(text: str, problems: int) -> None:
    with pytest.raises(BadSpf) as refused:
        parse(text)
    assert len(refused.value.problems) == problems


def test_a_hostile_record_is_read_in_time_that_grows_with_its_length() -> None:
    """Half a minute and more, were each dot and each letter of a label a place to start over from."""
    for text in (
        "a:x." + "a" * 60_000 + "!",
        "a:" + ".a" * 30_000 + "!",
        "x=" + "%{d}" * 15_000 + "%",
        "a" + "/" * 60_000,
    ):
        started = time.process_time()
        with pytest.raises(BadSpf):
            parse("v=spf1 " + text)
        assert time.process_time() - started < 1


def test_our_own_record() -> None:
    assert baseline("mx") == "v=spf1 mx -all"
    assert baseline("include:_spf.northlight.example", all="~all") == "v=spf1 include:_spf.northlight.example ~all"
    for mechanisms, end in ((["ptr"], "-all"), (["mx"], "+all"), ([f"a:h{n}.example" for n in range(11)], "-all")):
        with pytest.raises(BadSpf):
            baseline(*mechanisms, all=end)


@pytest.mark.parametrize(
    "found, ours, one",
    [
        ([], ["mx"], "v=spf1 mx -all"),
        (["google-site-verification=x"], ["mx"], "v=spf1 mx -all"),
        (["v=spf1 include:a.example ~all"], ["mx"], "v=spf1 include:a.example mx ~all"),
        (["v=spf1 mx -all"], ["mx"], "v=spf1 mx -all"),
        (["V=spf1 MX -ALL"], ["mx"], "v=spf1 mx -all"),
        (["v=spf1 include:a.example"], ["mx"], "v=spf1 include:a.example mx"),
        (["v=spf1 redirect=a.example"], ["mx"], "v=spf1 mx redirect=a.example"),
        (["v=spf1 a ptr +all"], ["mx"], "v=spf1 a mx ~all"),
        (["v=spf1 a -all", "v=spf1 ip4:192.0.2.1 ~all"], ["mx"], "v=spf1 a ip4:192.0.2.1 mx ~all"),
        (["v=spf1 a -all", "v=spf1 redirect=b.example"], ["mx"], "v=spf1 a include:b.example mx -all"),
        (["v=spf1 ?a -all exp=why.example"], ["mx"], "v=spf1 ?a mx -all exp=why.example"),
    ],
)
def test_merging_leaves_one_record(found: list[str], ours: list[str], one: str) -> None:
    assert merge(found, ours) == one
    assert merge([one], ours) == one


def test_a_merge_that_would_break_is_refused() -> None:
    ten = "v=spf1 " + " ".join(f"include:s{n}.example" for n in range(10)) + " -all"
    with pytest.raises(BadSpf, match="11 terms"):
        merge([ten], ["mx"])
    with pytest.raises(BadSpf, match="no mechanism"):
        merge(["v=spf1 foo -all"], ["mx"])


@pytest.mark.parametrize(
    "texts, used",
    [
        (["x", "v=spf1 -all"], "v=spf1 -all"),
        (["v=spf1 -all", "v=spf1 mx -all"], None),
        (["v=spf10"], None),
        ([], None),
    ],
)
def test_the_record_receivers_use(texts: list[str], used: str | None) -> None:
    assert spf_in_use(texts) == used


def test_what_a_record_alone_costs() -> None:
    assert own_lookups(parse("v=spf1 ip4:192.0.2.1 a all redirect=x.example")) == 1


@given(st.text("v=spf1 -~?+all:mxinclude.e/%{}0123", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        spf = parse("v=spf1 " + text)
    except BadSpf:
        return
    assert parse(str(spf)) == spf
