"""RRsets: one form, all problems at once, nothing lost of what was found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.protocols.rrset import BadRRset, RRset, as_read, from_json, owner_name, rrset, value_of
from postroom.protocols.txt import txt_quoted, txt_strings, txt_text, txt_value


@pytest.mark.parametrize(
    "type, typed, kept",
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("AAAA", "2001:DB8:0:0::1", "2001:db8::1"),
        ("MX", "10 MX.Acme.Example", "10 mx.acme.example."),
        ("MX", "010  mx.acme.example.", "10 mx.acme.example."),
        ("MX", "0 .", "0 ."),
        ("CNAME", "S1._domainkey.northlight.example", "s1._domainkey.northlight.example."),
        ("NS", "ns1.bücher.example", "ns1.xn--bcher-kva.example."),
        ("SRV", "0 1 993 imap.acme.example", "0 1 993 imap.acme.example."),
        ("SRV", "0 0 0 .", "0 0 0 ."),
        ("CAA", "0 ISSUE ca.example", '0 issue "ca.example"'),
        ("CAA", '0 iodef "mailto:a@acme.example"', '0 iodef "mailto:a@acme.example"'),
        ("TXT", "v=spf1 mx -all", "v=spf1 mx -all"),
        ("TXT", '"v=spf1 mx -all"', "v=spf1 mx -all"),
        ("TXT", '"v=spf1 " "mx -all"', '"v=spf1 " "mx -all"'),
        ("TXT", r"v=DMARC1\; p=none", "v=DMARC1; p=none"),
        ("TXT", '"' + "k" * 300 + '"', "k" * 300),
        ("TXT", '"' + "k" * 255 + '" "' + "k" * 45 + '"', "k" * 300),
        ("TXT", "héllo", r"h\195\169llo"),
        ("TXT", '"\\"quoted\\""', r'"\034quoted\034"'),
        ("TXT", '"a "', '"a "'),
        ("TXT", "", ""),
    ],
)
def test_a_value_has_one_form(type: str, typed: str, kept: str) -> None:
    assert value_of(type, typed) == kept
    assert value_of(type, kept) == kept


@pytest.mark.parametrize(
    "type, typed",
    [
        ("A", "192.0.2.256"),
        ("A", "192.0.2"),
        ("A", "2001:db8::1"),
        ("AAAA", "fe80::1%eth0"),
        ("MX", "mx.acme.example"),
        ("MX", "10 mx"),
        ("MX", "10 192.0.2.1/24"),
        ("MX", "10 ."),
        ("MX", "70000 mx.acme.example"),
        ("MX", "-1 mx.acme.example"),
        ("MX", "10 mx_1.acme.example"),
        ("NS", "ns1.acme.example\n"),
        ("CNAME", "a..acme.example"),
        ("CNAME", "a" * 64 + ".example"),
        ("SRV", "1 993 imap.acme.example"),
        ("CAA", '0 issue "a" "b"'),
        ("CAA", '999 issue "ca.example"'),
        ("TXT", '"open'),
        ("TXT", '"a" b'),
        ("TXT", r"\999"),
        ("TXT", '"' + "k" * 256 + '" "b"'),
        ("TXT", "k" * 20_000),
    ],
)
def test_a_bad_value_is_refused(type: str, typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        value_of(type, typed)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadRRset) as refused:
        rrset("acme..example", "MX", -1, ["mx", "0 .", "10 mx.acme.example"])
    assert len(refused.value.problems) == 4
    assert [problem.split(" ")[0] for problem in refused.value.problems] == ["name:", "TTL", "value", "the"]


def test_order_and_doubles_do_not_matter() -> None:
    one = rrset("Acme.Example", "mx", 300, ["20 b.example", "10 A.example."])
    other = rrset("acme.example.", "MX", 300, ["10 a.example", "20 b.example.", "20 B.example"])
    assert one == other
    assert one.same_values(RRset(one.name, "MX", 60, one.values))
    assert one != RRset(one.name, "MX", 60, one.values)
    assert from_json(one.as_json()) == one


def test_what_a_server_gave_is_never_refused() -> None:
    found = as_read("Acme.example", "MX", 0, ["10 odd_host.example.", "0 .", "x"])
    assert found.name == "acme.example."
    assert found.values == ("0 .", "10 odd_host.example.", "x")


@pytest.mark.parametrize("name", ["_dmarc.acme.example", "*.acme.example", "s1._domainkey.acme.example."])
def test_names_that_may_own_records(name: str) -> None:
    assert owner_name(name) == name.rstrip(".") + "."


@pytest.mark.parametrize("name", ["", ".", "a.*.example", "**.example", "a b.example", "-a.example", "../x.example"])
def test_names_that_may_not(name: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        owner_name(name)


STRINGS = st.lists(st.binary(max_size=255), min_size=1, max_size=4).map(tuple)


@given(STRINGS)
def test_no_string_and_no_cut_is_lost(strings: tuple[bytes, ...]) -> None:
    value = txt_value(strings)
    assert txt_strings(value) == strings
    assert value_of("TXT", value) == value
    assert txt_strings(txt_quoted(value)) == strings
    assert value.isascii()
    assert value.isprintable()


def test_the_text_of_a_cut_value_is_joined() -> None:
    assert txt_text('"v=spf1 " "mx -all"') == "v=spf1 mx -all"


def test_lines_of_a_zone_file_keep_cuts_and_quotes() -> None:
    mx = rrset("acme.example", "MX", 60, ["10 a.example.", "20 b.example."])
    assert mx.master_file() == ["acme.example. 60 IN MX 10 a.example.", "acme.example. 60 IN MX 20 b.example."]
    (line,) = rrset("acme.example", "TXT", 60, ["x" * 300 + ' "y"']).master_file()
    assert line == f'acme.example. 60 IN TXT "{"x" * 255}" "{"x" * 45} \\"y\\""'
    assert RRset("acme.example.", "MX", 60, ()).master_file() == []
