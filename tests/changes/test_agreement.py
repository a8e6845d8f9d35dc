"""What a node's answers say, held against the object as it is compiled: a table of lies and of truths."""

from typing import Any

import pytest

from mail_nodes import answers
from postroom.changes.agreement import differs

BOX = "mia@acme.example"


def box(*, sign_in: bool = True, secret: bool = True, to: str = BOX, apps: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "maps": {
            "mailbox": [{"address": BOX}],
            "route": [{"source": BOX, "destination": to}],
            "login": [{"address": BOX, "sign_in": int(sign_in)}],
            "sender": [{"sender": BOX, "login": BOX}] if sign_in else [],
        },
        "secrets": {
            "password": [{"address": BOX}] if sign_in and secret else [],
            "app": [{"address": BOX, "cred": one} for one in apps],
        },
    }


KEY = {"keys": {"key": [{"domain": "acme.example", "selector": "p1", "algorithm": "rsa-2048", "since": 100}]}}
DOMAIN = {"maps": {"domain": [{"name": "acme.example"}]}}
PASSED = "filters of mia@acme.example may pass mail on to @far.example"
ALLOWED = {"maps": {"allowed": [{"source": BOX, "target": "@far.example"}]}}
ALIAS = {"maps": {"alias_domain": [{"name": "acme.test", "target": "acme.example"}]}}

HANDED = {"maps": {"handed": [{"address": BOX, "host": "mx.far.example", "port": 25, "tls": 0, "until": None}]}}
BEHALF = {"maps": {"behalf": [{"sender": BOX, "login": "leo@acme.example", "until": None}]}}
OPENS = {"maps": {"opens": [{"address": BOX, "login": "leo@acme.example", "rights": "lr", "until": None}]}}
RIGHTS = f"doveadm acl rights {BOX}"


def told(compiled: Any, **otherwise: Any) -> list[str]:
    """What differs when these questions are answered otherwise than the object asks for; None: not asked."""
    said = {line["question"]: line["answer"] for line in answers(compiled)} | otherwise
    lines = [{"question": question, "answer": answer} for question, answer in said.items() if answer is not None]
    return list(differs(compiled, lines))


@pytest.mark.parametrize(
    "compiled",
    [
        box(),
        box(sign_in=False),
        box(secret=False),
        box(apps=("a1", "b2")),
        KEY,
        DOMAIN,
        ALIAS,
        ALLOWED,
        HANDED,
        BEHALF,
        OPENS,
        None,
    ],
)
def test_what_is_served_as_compiled_agrees(compiled: Any) -> None:
    assert told(compiled) == []


@pytest.mark.parametrize("nonsense", [[], ["x", 7, None], [{"question": "postmap -q route", "answer": {BOX: 7}}]])
def test_nonsense_agrees_with_nothing(nonsense: Any) -> None:
    assert f"route {BOX}: {BOX} is missing" in list(differs(box(), nonsense))


@pytest.mark.parametrize(
    ("compiled", "otherwise", "words"),
    [
        (box(sign_in=False), {f"doveadm login {BOX}": {"address": BOX}}, "can sign in"),
        (box(sign_in=False), {f"doveadm login {BOX}": None}, "was not asked"),
        (box(sign_in=False), {f"who {BOX}": ["imap 127.0.0.1"]}, "may have sessions"),
        (box(sign_in=False), {f"who {BOX}": None}, "may have sessions"),
        (box(), {f"sessions of before {BOX}": ["not all gone"]}, "may have sessions of before"),
        (box(), {f"sessions of before {BOX}": None}, "may have sessions of before"),
        (box(), {f"doveadm login {BOX}": "not there"}, "cannot sign in"),
        (box(), {f"doveadm user {BOX}": "not there"}, "no place for its mail"),
        (box(), {"postmap -q mailbox": {BOX: []}}, "is missing"),
        (box(to="leo@acme.example"), {"postmap -q route": {BOX: [BOX]}}, f"{BOX} is still there"),
        (box(apps=("a1",)), {f"app passwords of {BOX}": []}, "are not those it has"),
        (box(apps=("a1",)), {f"app passwords of {BOX}": None}, "were not asked about"),
        (box(), {f"app passwords of {BOX}": ["a1"]}, "are not those it has"),
        (None, {f"app passwords of {BOX}": ["a1"]}, "still has app passwords"),
        (None, {"postmap -q route": {BOX: [BOX]}}, "is still there"),
        (None, {f"doveadm login {BOX}": {"address": BOX}}, "is still known"),
        (None, {f"who {BOX}": ["imap 127.0.0.1"]}, "still has sessions"),
        (None, {"generation of maps": None}, "nobody was asked"),
        (BEHALF, {f"milter behalf of {BOX}": None}, "may not write for"),
        (BEHALF, {f"milter behalf of {BOX}": ["joe@acme.example"]}, "may not write for"),
        (OPENS, {RIGHTS: None}, "leo@acme.example may not yet"),
        (OPENS, {RIGHTS: {}}, "leo@acme.example may not yet"),
        (OPENS, {RIGHTS: {"leo@acme.example": ""}}, "leo@acme.example may not yet"),
        (
            OPENS,
            {RIGHTS: {"leo@acme.example": "lookup read", "joe@acme.example": "lookup"}},
            "joe@acme.example still may",
        ),
        (None, {RIGHTS: {"leo@acme.example": "lookup read"}}, "leo@acme.example still may"),
        (KEY, {"milter keys of acme.example": None}, "signs with nothing"),
        (KEY, {"milter keys of acme.example": []}, "signs with nothing"),
        (KEY, {"milter keys of acme.example": "unusable: p1"}, "signs with unusable"),
        (KEY, {"milter keys of acme.example": [["p2", "rsa", 99], ["p3", "ed25519", 200]]}, "signs with p2 and p3"),
        (DOMAIN, {"postmap -q domain": {"acme.example": []}}, "is missing"),
        (ALIAS, {"postmap -q alias_domain": None}, "alias_domain acme.test: acme.example is missing"),
        (ALIAS, {"postmap -q alias_domain": {"acme.test": ["acme.example", "globex.example"]}}, "is still there"),
        (HANDED, {"postmap -q handed": None}, "FILTER handed:[mx.far.example]:25 is missing"),
        (HANDED, {"postmap -q handed": {BOX: ["FILTER handed:[mx.far.example]:26"]}}, "is missing"),
        (DOMAIN, {"postmap -q handed": {BOX: ["FILTER handed:[mx.far.example]:25"]}}, "is still there"),
        (ALLOWED, {PASSED: None}, "it does not say so"),
        (ALLOWED, {PASSED: False}, "it does not say so"),
        (DOMAIN, {PASSED: True}, "it still says so"),
        (DOMAIN, {"postmap -q alias_domain": {"acme.test": ["acme.example"]}}, "is still there"),
    ],
)
def test_what_is_answered_otherwise_or_not_at_all_is_said(compiled: Any, otherwise: Any, words: str) -> None:
    assert words in "; ".join(told(compiled, **otherwise))


def test_a_row_whose_time_is_over_is_not_missed() -> None:
    over = {"maps": {name: [{"sender": BOX, "login": "leo@acme.example", "until": 1}] for name in ("sender", "behalf")}}
    assert list(differs(over, [{"question": "generation of maps", "answer": 1}])) == []


def test_who_opened_a_mailbox_until_now_may_have_or_not() -> None:
    over = {"maps": {"opens": [{"address": BOX, "login": "leo@acme.example", "rights": "lr", "until": 1}]}}
    for said in ({}, {"leo@acme.example": "lookup read"}):
        lines = [{"question": "generation of maps", "answer": 1}, {"question": RIGHTS, "answer": said}]
        assert list(differs(over, lines)) == []
