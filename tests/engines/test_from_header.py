"""Which From: a login may send with. Every line is a header as it came."""

import time

import pytest

from postroom.engines import from_header

OWN = {"mia@acme.example", "sales@acme.example", "mia@xn--mnchen-3ya.example"}

PASSES = [
    "mia@acme.example",
    "<mia@acme.example>",
    "Mia Meyer <mia@acme.example>",
    '"Meyer, Mia" <mia@acme.example>',
    '"a \\" quote" <mia@acme.example>',
    "MIA@ACME.example",
    "Mia\r\n <mia@acme.example>",
    "Mia\n\t<mia@acme.example>",
    "=?utf-8?q?J=C3=B6rg?= <sales@acme.example>",
    "Jörg <mia@acme.example>",
    "mia@münchen.example",
    "Acme (Sales <sales@acme.example>".replace("(", ""),
]
REFUSED = [
    "joe@acme.example",
    "Mia <joe@acme.example>",
    "mia@acme.example, joe@acme.example",
    "mia@acme.example joe@acme.example",
    "(mia@acme.example) joe@evil.example",
    "mia@acme.example (comment)",
    "Mia (she) <mia@acme.example>",
    "<@relay.example:mia@acme.example>",
    "<mia@acme.example> <joe@acme.example>",
    "mia@acme.example <joe@acme.example>",
    '"mia@acme.example" <joe@acme.example>',
    "Friends: mia@acme.example;",
    "undisclosed-recipients:;",
    "",
    "   ",
    "mia",
    "mia@",
    "@acme.example",
    "mia@acme",
    "mia@acme.example\x00joe@acme.example",
    "mia@@acme.example",
    "mia.@acme.example",
    '"mia"@acme.example',
    "mia@[127.0.0.1]",
    "=?utf-8?q?mia=40acme.example?=",
    "Mia <mia@acme.example",
    "mia@acme.example>",
    "Mia <mia@acme.example> x",
    "mia@acme.example\r\nFrom: joe@acme.example",
    "mia@аcme.example",  # a Cyrillic а
    "=?no-such-charset?q?Mia?= <mia@acme.example>",
    "Mia <mia@acme.example>" + " " * 1000,
]


def judge(*headers: tuple[str, str]) -> from_header.Judged:
    return from_header.judge(headers, OWN.__contains__)


@pytest.mark.parametrize("value", PASSES)
def test_ones_own_address_passes(value: str) -> None:
    assert judge(("From", value)).refused is None


@pytest.mark.parametrize("value", REFUSED)
def test_everything_else_is_refused(value: str) -> None:
    assert judge(("From", value)).refused is not None


def test_exactly_one_from() -> None:
    assert judge().refused == "0 From headers; there must be one"
    twice = judge(("From", "mia@acme.example"), ("FROM", "mia@acme.example"))
    assert twice.refused == "2 From headers; there must be one"


@pytest.mark.parametrize("name", ["Sender", "Resent-From", "Resent-Sender"])
def test_who_else_it_says_it_is_from(name: str) -> None:
    mine = ("From", "mia@acme.example")
    assert judge(mine, (name, "Sales <sales@acme.example>")).refused is None
    assert judge(mine, (name, "joe@acme.example")).refused == f"{name.title()} is not yours"
    assert judge(mine, (name, "joe@acme.example, mia@acme.example")).refused is not None


BOSS = "boss@acme.example"


def for_the_boss(*headers: tuple[str, str]) -> from_header.Judged:
    return from_header.judge(headers, OWN.__contains__, BOSS.__eq__, "mia@acme.example")


def test_on_anothers_behalf_from_is_theirs_and_sender_is_ones_own() -> None:
    says_so = for_the_boss(("From", f"The Boss <{BOSS}>"), ("Sender", "Mia <mia@acme.example>"))
    assert (says_so.refused, says_so.shows_sender, says_so.note) == (None, False, "")
    silent = for_the_boss(("From", BOSS))
    assert (silent.refused, silent.shows_sender, silent.domain) == (None, True, "acme.example")
    assert not for_the_boss(("From", "mia@acme.example")).shows_sender


@pytest.mark.parametrize("senders", [
    ["sales@acme.example"], [BOSS], ["joe@acme.example"], [""], ["mia@acme.example"] * 2, ["mia@acme.example, x@y.zz"],
])  # fmt: skip
def test_on_anothers_behalf_no_other_sender_is_said(senders: list[str]) -> None:
    judged = for_the_boss(("From", BOSS), *(("Sender", one) for one in senders))
    assert judged.refused and "with one Sender" in judged.refused


def test_on_whose_behalf_nobody_writes_is_refused_with_a_sender_too() -> None:
    judged = for_the_boss(("From", "joe@acme.example"), ("Sender", "mia@acme.example"))
    assert judged.refused == "From: joe@acme.example is not yours"
    assert for_the_boss(("From", BOSS), ("Resent-From", BOSS)).refused == "Resent-From is not yours"


def test_a_name_that_shows_another_address_is_noted() -> None:
    judged = judge(("From", '"ceo@globex.example" <mia@acme.example>'))
    assert judged.refused is None
    assert judged.note == "display name shows ceo@globex.example"
    encoded = judge(("From", "=?utf-8?q?ceo=40globex.example?= <mia@acme.example>"))
    assert encoded.note == "display name shows ceo@globex.example"


def test_the_domain_that_signs_is_the_one_shown() -> None:
    assert judge(("From", "M <mia@MÜNCHEN.example>")).domain == "xn--mnchen-3ya.example"


@pytest.mark.parametrize("junk", [
    "x" * 990, "x " * 495, "<" * 990, '"' * 990, "\\" * 990, '"\\' * 495, "a." * 495, "a@" * 495, "x@" + "a-" * 490,
    "a" * 480 + "@" + "b." * 250, "=?" * 495, '"x' * 330 + "<", " " * 990, "é" * 990, "x@y.zz " * 140,
])  # fmt: skip
def test_junk_takes_no_time(junk: str) -> None:
    started = time.process_time()
    judge(("From", junk), ("From", junk))
    judge(("From", junk))
    judge(("From", f"{junk[:960]} <mia@acme.example>"))
    assert time.process_time() - started < 0.25
