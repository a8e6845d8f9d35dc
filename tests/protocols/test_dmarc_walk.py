"""Which DMARC record speaks for a name: the tree walk, the organizational domain, the policy (RFC 9989, 4.10)."""

import pytest

from judged_zone import FAILS, Zone, answers
from postroom.protocols.answers import Answers, Missing
from postroom.protocols.dmarc_walk import MAX_QUERIES, asked, organization, policy, walk


def records(**texts: str) -> Zone:
    """_dmarc records by name, dots written as __."""
    return {(f"_dmarc.{name.replace('__', '.')}", "TXT"): (text,) for name, text in texts.items()}


REJECT, NONE = "v=DMARC1; p=reject", "v=DMARC1; p=none"


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ("example", ["example"]),
        ("a.mail.example.com", ["a.mail.example.com", "mail.example.com", "example.com", "com"]),
        # RFC 9989, 4.10: the example of a long name; eight labels are not cut, nine are.
        (
            "a.b.c.d.e.f.g.h.i.j.mail.example.com",
            [
                *("a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com", "h.i.j.mail.example.com"),
                *("i.j.mail.example.com", "j.mail.example.com", "mail.example.com", "example.com", "com"),
            ],
        ),
        (
            "a.b.c.d.e.f.g.h",
            ["a.b.c.d.e.f.g.h", "b.c.d.e.f.g.h", "c.d.e.f.g.h", "d.e.f.g.h", "e.f.g.h", "f.g.h", "g.h", "h"],
        ),
        (
            "z.a.b.c.d.e.f.g.h",
            ["z.a.b.c.d.e.f.g.h", "b.c.d.e.f.g.h", "c.d.e.f.g.h", "d.e.f.g.h", "e.f.g.h", "f.g.h", "g.h", "h"],
        ),
    ],
)
def test_a_walk_asks_eight_names_at_most(domain: str, names: list[str]) -> None:
    assert list(asked(domain)) == names and len(names) <= MAX_QUERIES
    with pytest.raises(Missing) as missing:
        walk(domain, Answers({}))
    assert missing.value.keys == tuple((f"_dmarc.{name}", "TXT") for name in names)


@pytest.mark.parametrize(
    ("domain", "zone", "expected"),
    [
        ("a.mail.example.com", {}, "a.mail.example.com"),
        # The two examples of 4.10.2.
        ("a.mail.example.com", records(mail__example__com=NONE, example__com=NONE), "example.com"),
        ("a.mail.example.com", records(com=f"{NONE}; psd=y"), "example.com"),
        ("a.mail.example.com", records(mail__example__com=f"{NONE}; psd=n", example__com=NONE), "mail.example.com"),
        ("a.mail.example.com", records(example__com=f"{NONE}; psd=y"), "mail.example.com"),
        ("example.com", records(example__com=f"{NONE}; psd=y"), "example.com"),
        ("example.com", records(example__com=f"{NONE}; psd=n", com=NONE), "example.com"),
        ("example.com", records(example__com=f"{NONE}; psd=y", com=NONE), "com"),
        ("example.com", records(example__com=NONE, com=NONE), "com"),
        ("example.com", records(example__com=f"{NONE}; psd=x"), "example.com"),
        ("a.b.c.d.e.f.g.h.i", records(h__i=f"{NONE}; psd=y"), "g.h.i"),
        # Several records, or one that is no tag list, are none.
        (
            "b.example.com",
            {("_dmarc.example.com", "TXT"): (NONE, REJECT)} | records(b__example__com=NONE),
            "b.example.com",
        ),
        ("b.example.com", records(example__com="v=DMARC1; p=none; p=none"), "b.example.com"),
        ("b.example.com", {("_dmarc.com", "TXT"): FAILS}, None),
        ("b.example.com", {("_dmarc.com", "TXT"): FAILS} | records(example__com=f"{NONE}; psd=n"), "example.com"),
        ("b.example.com", {("_dmarc.com", "TXT"): FAILS} | records(example__com=NONE), None),
    ],
)
def test_the_organizational_domain(domain: str, zone: Zone, expected: str | None) -> None:
    assert organization(domain, answers(zone)) == expected


THERE: Zone = {("b.example.com", "A"): ("45.0.0.1",)}
BELOW = "v=DMARC1; p=reject; sp=quarantine; np=none"


@pytest.mark.parametrize(
    ("domain", "zone", "expected"),
    [
        ("b.example.com", {}, (None, "p", "none", "none")),
        ("b.example.com", records(b__example__com=NONE, example__com=REJECT), ("b.example.com", "p", "none", "none")),
        ("b.example.com", records(example__com=REJECT), ("example.com", "p", "reject", "reject")),
        ("b.example.com", THERE | records(example__com=BELOW), ("example.com", "sp", "quarantine", "quarantine")),
        ("b.example.com", records(example__com=BELOW), ("example.com", "np", "none", "none")),
        ("b.example.com", records(example__com="v=DMARC1; p=reject; np=none"), ("example.com", "np", "none", "none")),
        # A name exists as soon as something stands under it (RFC 8020).
        (
            "b.example.com",
            {("c.b.example.com", "A"): ("45.0.0.1",)} | records(example__com=BELOW),
            ("example.com", "sp", "quarantine", "quarantine"),
        ),
        ("b.example.com", records(example__com=f"{REJECT}; t=y"), ("example.com", "p", "reject", "quarantine")),
        (
            "example.com",
            records(example__com="v=DMARC1; p=quarantine; t=y"),
            ("example.com", "p", "quarantine", "none"),
        ),
        ("example.com", records(example__com=f"{NONE}; t=y"), ("example.com", "p", "none", "none")),
        ("example.com", records(example__com=BELOW), ("example.com", "p", "reject", "reject")),
        ("b.example.com", records(com=f"{REJECT}; psd=y"), ("com", "p", "reject", "reject")),
        (
            "b.example.com",
            records(com=f"{REJECT}; psd=y", example__com=NONE),
            ("example.com", "p", "none", "none"),
        ),
        # The walk ends at psd=y: what stands above it has no say.
        (
            "a.cloud.example",
            records(cloud__example=f"{REJECT}; psd=y", example=NONE),
            ("cloud.example", "p", "reject", "reject"),
        ),
        # What could not be looked up stands above the end of the walk.
        (
            "b.example.com",
            records(example__com=f"{REJECT}; psd=n") | {("_dmarc.com", "TXT"): FAILS},
            ("example.com", "p", "reject", "reject"),
        ),
        # An alias that leads nowhere exists.
        (
            "b.example.com",
            {("b.example.com", "CNAME"): ("gone.test",)} | records(example__com=BELOW),
            ("example.com", "sp", "quarantine", "quarantine"),
        ),
        # A record between the name and its organizational domain has no say.
        (
            "a.b.example.com",
            records(b__example__com=NONE, example__com=REJECT),
            ("example.com", "p", "reject", "reject"),
        ),
        ("example.com", records(example__com="v=DMARC1"), ("example.com", "p", "none", "none")),
        ("example.com", records(example__com="v=DMARC1; p=reject; sp=x"), (None, "p", "none", "none")),
        ("b.example.com", records(example__com="v=DMARC1; p=reject; sp=x"), (None, "p", "none", "none")),
        (
            "example.com",
            records(example__com="v=DMARC1; p=reject; sp=x; rua=mailto:a@example.com"),
            ("example.com", "p", "none", "none"),
        ),
        ("example.com", {("_dmarc.example.com", "TXT"): (NONE, REJECT)}, (None, "p", "none", "none")),
    ],
)
def test_the_policy_for_a_name(domain: str, zone: Zone, expected: tuple[str | None, str, str, str]) -> None:
    found = policy(domain, answers(zone))
    assert (found.step.name if found.step else None, found.tag, found.says, found.applies) == expected
    assert not found.failed


@pytest.mark.parametrize(
    ("zone", "what"),
    [
        ({("_dmarc.b.example.com", "TXT"): FAILS}, "_dmarc.b.example.com"),
        ({("_dmarc.com", "TXT"): FAILS} | records(example__com=REJECT), "_dmarc.com"),
        ({("b.example.com", "MX"): FAILS} | records(example__com=BELOW), "b.example.com"),
    ],
)
def test_a_policy_that_could_not_be_looked_up_is_not_known(zone: Zone, what: str) -> None:
    found = policy("b.example.com", answers(zone))
    assert found.step is None and found.failed == f"{what}: no answer"


def test_whether_a_name_exists_is_asked_only_where_it_matters() -> None:
    held = {(f"_dmarc.{name}", "TXT"): answers({}).get(f"_dmarc.{name}", "TXT") for name in asked("b.example.com")}
    same = dict(held) | {
        ("_dmarc.example.com", "TXT"): answers(records(example__com=REJECT)).get("_dmarc.example.com", "TXT")
    }
    assert policy("b.example.com", Answers(same)).applies == "reject"
    differs = dict(held) | {
        ("_dmarc.example.com", "TXT"): answers(records(example__com=BELOW)).get("_dmarc.example.com", "TXT")
    }
    with pytest.raises(Missing) as missing:
        policy("b.example.com", Answers(differs))
    assert missing.value.keys == (("b.example.com", "MX"),)
