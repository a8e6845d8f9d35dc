"""Names and addresses as people type them, friendly and hostile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from postroom.protocols.addresses import (
    BadAddress,
    BadName,
    BadText,
    DomainName,
    Line,
    MailAddress,
    Text,
    address,
    domain_name,
    long_text,
    mixed_scripts,
    plain_text,
    slug,
    unicode_of,
)

LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20).filter(lambda s: not s.isdigit())


@pytest.mark.parametrize(
    "typed, kept",
    [
        ("acme.example", "acme.example"),
        ("ACME.Example.", "acme.example"),
        ("  acme.example ", "acme.example"),
        ("ａｃｍｅ.example", "acme.example"),
        ("acme。example", "acme.example"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("парк.рф", "xn--80aunf.xn--p1ai"),
        ("парк.example", "xn--80aunf.example"),
        ("оса.рф", "xn--80a1aj.xn--p1ai"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("a-b.c0.example", "a-b.c0.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        (".".join(["a" * 49] * 5) + ".ab", ".".join(["a" * 49] * 5) + ".ab"),
    ],
)
def test_a_domain_name_has_one_form(typed: str, kept: str) -> None:
    assert domain_name(typed) == kept


@pytest.mark.parametrize(
    "typed, says",
    [
        ("", "empty"),
        ("   ", "empty"),
        (".", "empty"),
        ("..", "empty"),
        (".acme.example", "label 1 is empty"),
        ("acme..example", "label 2 is empty"),
        ("acme.example..", "label 3 is empty"),
        ("localhost", "one label"),
        ("127.0.0.1", "ends in a number"),
        ("acme.0x7f", "ends in a number"),
        ("[127.0.0.1]", "Codepoint"),
        ("::1", "Codepoint"),
        ("a" * 64 + ".example", "64 octets"),
        ("a" * 300 + ".example", "300 octets"),
        (".".join(["a" * 50] * 5) + ".abc", "258 octets"),
        ("a" * 100_000, "100000 characters"),
        ("acme.example\r\n", "a carriage return at character 13"),
        ("acme\n.example", "a line end at character 5"),
        ("acme.exa\0mple", "a NUL at character 9"),
        ("acme .example", "U+0020 at character 5"),
        ("_dmarc.acme.example", "underscore at character 1"),
        ("../etc.example", "U+002F"),
        ("acme/x.example", "Codepoint"),
        ("acme'.example", "Codepoint"),
        ('"acme".example', "Codepoint"),
        ("-acme.example", "hyphen"),
        ("acme-.example", "hyphen"),
        ("ac--me.example", "hyphen"),
        ("xn--a.example", "label 1"),
        ("xn--.example", "label 1"),
        ("\u200facme.example", "U+200F at character 1"),
        ("acme\u202e.example", "U+202E"),
        ("ac\u00adme.example", "U+00AD"),
        ("ac\u200bme.example", "U+200B"),
        ("acme\u200d.example", "label 1"),
        ("ac\ud800me.example", "U+D800"),
        ("💌.example", "label 1"),
        ("xn--qn8h.example", "label 1"),
        ("аcme.example", "mixes scripts"),
        ("xn--cme-7cd.example", "mixes scripts"),
        ("gοοgle.example", "mixes scripts"),
        ("сору.example", "looks like “copy”"),
        ("ɑcme.example", "looks like"),
        ("acme@example.test", "Codepoint"),
        ("acme.example:25", "Codepoint"),
        ("https://acme.example", "Codepoint"),
        ("acme.example,globex.example", "Codepoint"),
        ("*.acme.example", "Codepoint"),
    ],
)
def test_a_bad_domain_name_is_refused_with_its_place(typed: str, says: str) -> None:
    with pytest.raises(BadName) as refused:
        domain_name(typed)
    assert says in str(refused.value)
    assert all(char.isprintable() for char in str(refused.value))


@pytest.mark.parametrize(
    "typed, kept",
    [
        ("mia@acme.example", "mia@acme.example"),
        (" Mia.Lind@ACME.example.", "mia.lind@acme.example"),
        ("r&d+news=x_y-z@acme.example", "r&d+news=x_y-z@acme.example"),
        ("_role@bücher.example", "_role@xn--bcher-kva.example"),
        ("a" * 64 + "@acme.example", "a" * 64 + "@acme.example"),
    ],
)
def test_an_address_has_one_form(typed: str, kept: str) -> None:
    assert address(typed) == kept


@pytest.mark.parametrize(
    "typed, says",
    [
        ("", "exactly one @"),
        ("mia", "exactly one @"),
        ("a@b@c", "exactly one @"),
        ("@acme.example", "before the @"),
        ("mia@", "after the @: the name is empty"),
        ("mia@localhost", "after the @"),
        ("mia@[127.0.0.1]", "after the @"),
        (".mia@acme.example", "dots only between"),
        ("mia.@acme.example", "dots only between"),
        ("mi..a@acme.example", "dots only between"),
        ("-rf@acme.example", "start with"),
        ("../mia@acme.example", "“/” at character 3"),
        ("..@acme.example", "dots only between"),
        ('"mia"@acme.example', '“"” at character 1'),
        ("o'brien@acme.example", "“'” at character 2"),
        ("a`id`@acme.example", "“`” at character 2"),
        ("a%b@acme.example", "“%” at character 2"),
        ("host!mia@acme.example", "“!” at character 5"),
        ("|cat@acme.example", "“|” at character 1"),
        ("mi*@acme.example", "“*” at character 3"),
        ("a\\b@acme.example", "“\\” at character 2"),
        ("mia lind@acme.example", "U+0020 at character 4"),
        ("mia\r\nBcc: x@acme.example", "a carriage return at character 4"),
        ("mia\0@acme.example", "a NUL at character 4"),
        ("mia@acme.example\n", "after the @: a line end"),
        ("miа@acme.example", "U+0430 at character 3"),
        ("ｍia@acme.example", "U+FF4D at character 1"),
        ("\u212aelvin@acme.example", "U+212A at character 1"),
        ("💌@acme.example", "U+1F48C at character 1"),
        ("mia@аcme.example", "mixes scripts"),
        ("a" * 65 + "@acme.example", "65 octets"),
        ("a" * 64 + "@" + ".".join(["b" * 49] * 4), "264 octets"),
    ],
)
def test_a_bad_address_is_refused_with_its_place(typed: str, says: str) -> None:
    with pytest.raises(BadAddress) as refused:
        address(typed)
    assert says in str(refused.value)
    assert all(char.isprintable() for char in str(refused.value))


@given(st.lists(LABEL, min_size=2, max_size=5))
def test_a_kept_name_stays_as_it_is(labels: list[str]) -> None:
    name = ".".join(labels)
    try:
        kept = domain_name(name)
    except BadName:
        return
    assert domain_name(kept) == kept
    assert domain_name(unicode_of(kept)) == kept


@given(st.text())
def test_any_text_is_either_kept_safe_or_refused_by_name(text: str) -> None:
    for check, error in ((domain_name, BadName), (address, BadAddress), (plain_text, BadText), (slug, BadText)):
        try:
            kept = check(text)
        except error:
            continue
        assert check(kept) == kept
        assert not set(kept) & set("\r\n\0")


@pytest.mark.parametrize(
    "label, mixed",
    [
        ("acme", False),
        ("аcme", True),
        ("сору", False),
        ("gοogle", True),
        ("日本shopです", False),
        ("ラーメン", False),
        ("한글shop", False),
        ("漢字한글かな", True),
        ("a-1", False),
        ("123", False),
        ("bücher", False),
    ],
)
def test_scripts_that_no_language_writes_together(label: str, mixed: bool) -> None:
    assert mixed_scripts(label) is mixed


def test_a_name_is_shown_as_people_read_it() -> None:
    assert unicode_of("xn--bcher-kva.example") == "bücher.example"
    assert unicode_of("mia@xn--bcher-kva.example") == "mia@bücher.example"
    assert unicode_of("xn--a.example") == "xn--a.example"
    assert unicode_of("") == ""


@pytest.mark.parametrize(
    "name, short",
    [
        ("Bar Client", "bar-client"),
        ("  Größe & Söhne GmbH ", "grosse-sohne-gmbh"),
        ("../../etc/passwd", "etc-passwd"),
        ("a" * 200, "a" * 63),
        ("Привет", "client-dd679c0b"),
        ("123e4567-e89b-12d3-a456-426614174000", "client-123e4567-e89b-12d3-a456-426614174000"),
        ("123E4567E89B12D3A456426614174000", "client-123e4567e89b12d3a456426614174000"),
    ],
)
def test_a_slug_is_made_from_a_name(name: str, short: str) -> None:
    assert slug(name) == short


@pytest.mark.parametrize(
    "text", ["a\r\nb", "a\nb", "a\0b", "a\tb", "a\x1b[31mb", "a\u2028b", "a\u202eb", "a\ud800b", "a\ufffeb"]
)
def test_one_line_stays_one_line(text: str) -> None:
    with pytest.raises(BadText, match="at character 2"):
        plain_text(text)


def test_longer_text_keeps_its_lines() -> None:
    assert long_text("one\r\n\ttwo\n") == "one\n\ttwo\n"
    assert plain_text(" Cafe\u0301 ") == "Café"
    assert plain_text("👩🏽‍🚀 \U0001fae8 \U0001fae9") == "👩🏽‍🚀 \U0001fae8 \U0001fae9"
    with pytest.raises(BadText, match="carriage return"):
        long_text("one\rtwo")
    with pytest.raises(BadText, match="201 characters; at most 200"):
        plain_text("a" * 201, 200)


class Form(BaseModel):
    name: DomainName
    mail: MailAddress
    why: Line = ""
    notes: Text = ""


def test_a_form_lists_all_its_problems_at_once() -> None:
    with pytest.raises(ValidationError) as refused:
        Form(name="127.0.0.1", mail="a@b@c", why="a\nb", notes="a\0b")
    assert [problem["loc"] for problem in refused.value.errors()] == [("name",), ("mail",), ("why",), ("notes",)]
    assert Form(name="ACME.example", mail="Mia@ACME.example").mail == "mia@acme.example"
