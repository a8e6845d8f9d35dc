"""What a token has to be: each thing that is asked of one, seen to refuse the one that lacks just that."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from bearers import ISSUER, KID, OTHER, SIGNS, claims, consent, key_row, letting_in, public, token
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from live_node import named

from postroom.engines import bearer, compile, maps
from postroom.engines.bearer import Said, Tokens
from postroom.engines.key_store import Reader
from postroom.engines.layout import MAPS, NodeConfig
from postroom.engines.source import Compiled, Todo

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
MIA, JOE = "mia@acme.example", "joe@acme.example"


@pytest.fixture
def files(tmp_path: Path) -> Iterator[maps.Files]:
    for name in MAPS:
        (tmp_path / "db" / name).mkdir(parents=True)
    opened = maps.open_files(NodeConfig("mx1", tmp_path, "127.0.0.1"))
    put(opened, "key", {"maps": {"token_key": [key_row(), key_row("old", OTHER, until=int(time.time()) - 1)]}})
    put(opened, MIA, letting_in(MIA, consent(MIA, "phone"), consent(MIA, "reader", "imap")))
    put(opened, JOE, letting_in(JOE, consent(JOE, "phone")))
    yield opened
    for one in opened:
        one.connection.close()


@pytest.fixture
def tokens(files: maps.Files) -> Tokens:
    return Tokens(Reader(files.maps.path))


def put(files: maps.Files, name: str, compiled: Compiled | None) -> None:
    compile.checked(compiled or {})
    compile.write(files, [Todo(1, "address", named(name), None, compiled)])


def test_a_good_one_says_whose_it_is_and_by_which_consent(tokens: Tokens) -> None:
    cred = str(named(MIA + "phone"))
    for theirs in ("imap", "submission", "smtp", "sieve"):
        assert tokens.look(token(MIA, "phone"), theirs) == Said(MIA, cred, ours=True)
    assert Said(MIA, cred).answer() == {"active": "true", "username": MIA, "cred": f"oauth:{cred}"}


def unsigned(**other: Any) -> str:
    return jwt.encode(claims(MIA, "phone", **other), "", algorithm="none", headers={"kid": KID, "typ": "at+jwt"})


def by_the_public_key() -> str:
    """Signed with HMAC, the public key as its secret: what a reader that believes the header takes for good."""
    pem = SIGNS.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head, body = ({"alg": "HS256", "kid": KID, "typ": "at+jwt"}, claims(MIA, "phone"))
    text = ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in (head, body))
    digest = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(text.encode(), pem)
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def another_body() -> str:
    mine, theirs = token(MIA, "phone").split("."), token(JOE, "phone").split(".")
    return ".".join((mine[0], theirs[1], mine[2]))


NOT_OURS: dict[str, Callable[[], str]] = {
    "nothing": str,
    "no token at all": lambda: "a password",
    "nothing signs it": unsigned,
    "signed with the public key as a shared secret": by_the_public_key,
    "another key under the name of ours": lambda: token(MIA, "phone", key=OTHER),
    "a key that is none of ours": lambda: token(MIA, "phone", key=OTHER, kid="theirs"),
    "a key whose time is over": lambda: token(MIA, "phone", key=OTHER, kid="old"),
    "the claims of another": another_body,
    "another algorithm than the one": lambda: token(MIA, "phone", key=RSA, algorithm="RS256"),
    "another sort of token": lambda: token(MIA, "phone", typ="JWT"),
    "longer than any": lambda: token(MIA, "phone", more="x" * 9000),
}


@pytest.mark.parametrize("wrong", NOT_OURS)
def test_what_we_did_not_sign_opens_nothing_and_is_a_guess(tokens: Tokens, wrong: str) -> None:
    said = tokens.look(NOT_OURS[wrong](), "imap")
    assert not said.good and not said.ours, said
    assert said.answer() == {"active": "false", "username": "nobody", "cred": "none"}


def soon(seconds: int) -> int:
    return int(time.time()) + seconds


NOT_GOOD: dict[str, dict[str, Any]] = {
    "issued by somebody else": {"iss": "https://elsewhere.example"},
    "not for mail": {"aud": "the pages"},
    "not for mail alone": {"aud": ["mail", "the pages"]},
    "expired": {"iat": soon(-400), "exp": soon(-1)},
    "of tomorrow": {"iat": soon(3600), "exp": soon(3900)},
    "good for longer than any of ours": {"exp": soon(3600)},
    "good for ever": {"exp": None},
    "an end that is no number": {"exp": "2099"},
    "another's mailbox": {"sub": str(named(JOE))},
    "another's consent": {"cred": str(named(JOE + "phone"))},
    "no consent": {"cred": None},
    "a consent that never was": {"cred": str(named("never"))},
    "not for this protocol": {"scope": "submission managesieve"},
    "for a part of its name": {"scope": "imaps"},
    "no scope": {"scope": ""},
    "scopes that are no words": {"scope": ["imap"]},
}


@pytest.mark.parametrize("wrong", NOT_GOOD)
def test_what_we_signed_and_is_not_good_here_opens_nothing_and_is_no_guess(tokens: Tokens, wrong: str) -> None:
    said = tokens.look(token(MIA, "phone", **NOT_GOOD[wrong]), "imap")
    assert not said.good and said.ours, said
    assert said.answer()["active"] == "false"


def test_a_consent_opens_what_it_is_for_whatever_the_token_says(tokens: Tokens) -> None:
    assert tokens.look(token(MIA, "reader"), "imap").good
    assert not any(tokens.look(token(MIA, "reader"), other).good for other in ("submission", "sieve", "smtp"))
    assert not any(tokens.look(token(MIA, "phone"), other).good for other in ("web", "doveadm", "lmtp", ""))


def test_a_consent_that_ended_opens_nothing_from_then_on(files: maps.Files, tokens: Tokens) -> None:
    shown = token(MIA, "phone")
    assert tokens.look(shown, "imap").good
    put(files, MIA, letting_in(MIA, consent(MIA, "reader", "imap")))
    assert tokens.look(shown, "imap").why == "its consent does not stand"
    assert tokens.look(token(MIA, "reader"), "imap").good
    put(files, MIA, letting_in(MIA, consent(MIA, "phone", until=soon(-1))))
    assert not tokens.look(shown, "imap").good
    put(files, MIA, letting_in(MIA, consent(MIA, "phone"), sign_in=0))
    assert not tokens.look(shown, "imap").good, "whoever may not sign in has none that stands"


def test_a_key_that_is_taken_away_signs_nothing(files: maps.Files, tokens: Tokens) -> None:
    shown = token(MIA, "phone")
    assert tokens.look(shown, "imap").good and tokens.keys() == {KID: public()}
    put(files, "key", {"maps": {"token_key": [key_row("second", OTHER)]}})
    assert not tokens.look(shown, "imap").good and tokens.keys() == {"second": public(OTHER)}
    assert tokens.look(token(MIA, "phone", key=OTHER, kid="second"), "imap").good


def test_nothing_of_a_token_is_in_what_is_logged(tokens: Tokens) -> None:
    for make in NOT_OURS.values():
        assert not (shown := make()) or shown not in tokens.look(shown, "imap").why
    assert ISSUER not in tokens.look(token(MIA, "phone", iss="x"), "imap").why
    assert bearer.LIFE <= 600
