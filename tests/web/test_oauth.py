"""An app asks to be let into a mailbox: the owner's yes, its tokens, and what ends them all."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from allauth.idp.oidc.models import Token
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from cast import MIA, House, do, left, the, with_consent
from mail_nodes import Node
from mailbox_owner import WORDS, dovecot, mia, mx1, signs_in, taken
from postroom.access import token_keys
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.environment import Environment
from postroom.models import Change, Credential, MailApp, Mailbox, RecordedEdit
from postroom.worker.token_keys import make_known
from web.visitors import visitor

__all__ = ["dovecot", "mia", "mx1"]
BACK, PORT = "http://127.0.0.1/back", "http://127.0.0.1:53123/back"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mia: Mailbox) -> Path:
    """The installation has keys, and the node knows them."""
    path = tmp_path / "tokens"
    path.write_bytes(token_keys.drawn())
    monkeypatch.setattr(settings, "POSTROOM", Environment({**settings.POSTROOM.values, "TOKEN_KEYS_FILE": path}))
    make_known()
    return path


@pytest.fixture
def app(house: House, keys: Path) -> MailApp:
    do("mail_apps.add", house.oskar, name="Birdmail", redirect_uris=[BACK, "org.birdmail.app:/back"])
    return the(MailApp)


@pytest.fixture
def browser(app: MailApp, mx1: Node) -> Client:
    taken(mx1)
    here = visitor()
    signs_in(browser=here)
    return here


def asked(app: MailApp, **other: Any) -> str:
    said = {"client_id": str(app.pk), "redirect_uri": PORT, "response_type": "code", "state": "s-1",
            "scope": "imap submission", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}  # fmt: skip
    return urlencode({name: value for name, value in (said | other).items() if value is not None})


def says(browser: Client, query: str, **other: Any) -> Any:
    """The owner's answer on the page."""
    year = (timezone.now() + timedelta(days=300)).date().isoformat()
    form = {"asked": query, "answer": "yes", "name": "Laptop", "imap": "on", "submission": "on", "until": year,
            "password": WORDS}  # fmt: skip
    return browser.post("/oauth/consent", {k: v for k, v in (form | other).items() if v is not None})


def back(answer: Any) -> dict[str, str]:
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def tokens(app: MailApp, code: str, **other: Any) -> Any:
    said = {"grant_type": "authorization_code", "client_id": str(app.pk), "code": code, "redirect_uri": PORT,
            "code_verifier": VERIFIER}  # fmt: skip
    return visitor().post("/oauth/token", {k: v for k, v in (said | other).items() if v is not None})


def refreshed(app: MailApp, token: str, **other: Any) -> Any:
    said = {"grant_type": "refresh_token", "client_id": str(app.pk), "refresh_token": token}
    return visitor().post("/oauth/token", said | other)


def let_in(browser: Client, app: MailApp, **other: Any) -> dict[str, Any]:
    """What the app has after the owner's yes."""
    answer = tokens(app, back(says(browser, asked(app), **other))["code"])
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def consent(name: str = "Laptop") -> Credential:
    return the(Credential, name=name, sort="oauth")


def test_an_owners_yes_gives_the_app_what_opens_that_mailbox(browser: Client, app: MailApp, keys: Path) -> None:
    page = browser.get(f"/oauth/authorize?{asked(app)}")
    text = page.content.decode()
    assert page.status_code == 200 and "Let Birdmail in?" in text and MIA in text and "127.0.0.1" in text
    assert "form-action 'self' http://127.0.0.1:53123" in page["Content-Security-Policy"]
    said = back(says(browser, asked(app)))
    assert said["state"] == "s-1" and said["iss"] == settings.POSTROOM.origin
    got = tokens(app, said["code"])
    assert got["Cache-Control"] == "no-store" and got.json()["token_type"] == "Bearer"
    claims = jwt.decode(got.json()["access_token"], options={"verify_signature": False})
    one = consent()
    assert (claims["sub"], claims["cred"]) == (str(one.mailbox_id), str(one.pk))
    assert claims["scope"] == "imap submission" and claims["exp"] - claims["iat"] <= 600 and claims["aud"] == "mail"
    (key,) = token_keys.read(keys)
    jwt.decode(got.json()["access_token"], key.private.public_key(), algorithms=["ES256"], audience="mail")
    assert one.protocols == ["imap", "submission"] and one.app_id == app.pk and one.until > timezone.now()


def test_whoever_is_not_signed_in_signs_in_first_and_comes_back(app: MailApp) -> None:
    here = visitor()
    assert here.get(f"/oauth/authorize?{asked(app)}")["Location"] == "/mailbox/sign-in/"
    assert signs_in(browser=here)["Location"] == f"/oauth/authorize?{asked(app)}"
    assert signs_in(browser=here)["Location"] == "/mailbox/", "once"


def test_a_person_who_works_here_lets_no_app_in(app: MailApp, house: House) -> None:
    here = visitor(house.olive)
    assert here.get(f"/oauth/authorize?{asked(app)}")["Location"] == "/mailbox/sign-in/"
    assert says(here, asked(app))["Location"] == "/mailbox/sign-in/"


NOT_SHOWN: dict[str, dict[str, Any]] = {
    "an app that is none": {"client_id": secrets.token_hex(16)},
    "no app": {"client_id": None},
    "another way back": {"redirect_uri": "https://elsewhere.example/back"},
    "another path": {"redirect_uri": "http://127.0.0.1:53123/other"},
    "another host of the loopback": {"redirect_uri": "http://localhost:53123/back"},
    "more after it": {"redirect_uri": "http://127.0.0.1:53123/back?x=1"},
    "somebody before it": {"redirect_uri": "http://127.0.0.1@elsewhere.example/back"},
    "a scheme that is like it": {"redirect_uri": "org.birdmail.app2:/back"},
    "no way back": {"redirect_uri": None},
}


@pytest.mark.parametrize("wrong", NOT_SHOWN)
def test_a_bad_way_back_is_never_gone(browser: Client, app: MailApp, wrong: str) -> None:
    query = asked(app, **NOT_SHOWN[wrong])
    for answer in (browser.get(f"/oauth/authorize?{query}"), says(browser, query)):
        assert answer.status_code == 400 and "Location" not in answer
    assert not Token.objects.exists()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "a challenge that is the verifier": ({"code_challenge_method": "plain"}, "invalid_request"),
    "no method": ({"code_challenge_method": None}, "invalid_request"),
    "a scope that is none": ({"scope": "imap everything"}, "invalid_scope"),
    "tokens in the address": ({"response_type": "token"}, "unsupported_response_type"),
    "no response type": ({"response_type": None}, "invalid_request"),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_what_else_is_wrong_is_told_to_the_app(browser: Client, app: MailApp, wrong: str) -> None:
    other, error = REFUSED[wrong]
    for answer in (browser.get(f"/oauth/authorize?{asked(app, **other)}"), says(browser, asked(app, **other))):
        assert back(answer)["error"] == error and answer["Location"].startswith(PORT)
    assert not Token.objects.exists()


def test_a_no_is_a_no(browser: Client, app: MailApp) -> None:
    said = back(says(browser, asked(app), answer="no"))
    assert said == {"error": "access_denied", "state": "s-1", "iss": settings.POSTROOM.origin}
    with acting_as(SYSTEM):
        assert not Credential.objects.exists()


@pytest.mark.parametrize("more, words", [
    ({"password": "not hers"}, "That is not the password"),
    ({"name": " "}, "Say which device"),
    ({"imap": None, "submission": None}, "Choose what it may do"),
    ({"until": "2020-01-01"}, "not in the past"),
    ({"until": "2099-01-01"}, "within a year"),
    ({"until": "some day"}, "That is no day"),
])  # fmt: skip
def test_what_is_not_consented_to_says_why(browser: Client, app: MailApp, more: dict[str, Any], words: str) -> None:
    answer = says(browser, asked(app), **more)
    assert answer.status_code == 422 and words in answer.content.decode()
    with acting_as(SYSTEM):
        assert not Credential.objects.exists()


def test_less_is_consented_to_than_was_asked(browser: Client, app: MailApp) -> None:
    got = let_in(browser, app, submission=None)
    assert got["scope"] == "imap" and consent().protocols == ["imap"]
    answer = says(browser, asked(app, scope="imap"), name="More", managesieve="on")
    assert tokens(app, back(answer)["code"]).json()["scope"] == "imap", "nor more than was asked"


WRONG_CODE: dict[str, tuple[dict[str, Any], str]] = {
    "another verifier": ({"code_verifier": "w" * 50}, "invalid_grant"),
    "no verifier": ({"code_verifier": None}, "invalid_request"),
    "another way back": ({"redirect_uri": "http://127.0.0.1:53124/back"}, "invalid_request"),
    "a code that is none": ({"code": "x" * 30}, "invalid_grant"),
    "no code": ({"code": None}, "invalid_request"),
    "an app that is none": ({"client_id": secrets.token_hex(16)}, "invalid_client"),
    "another grant": ({"grant_type": "password", "username": MIA, "password": WORDS}, "unsupported_grant_type"),
}


@pytest.mark.parametrize("wrong", WRONG_CODE)
def test_a_code_is_for_who_asked_for_it_alone(browser: Client, app: MailApp, wrong: str) -> None:
    code = back(says(browser, asked(app)))["code"]
    other, error = WRONG_CODE[wrong]
    answer = tokens(app, **{"code": code, **other})
    assert answer.status_code in (400, 401) and answer.json()["error"] == error, answer.content
    assert "access_token" not in answer.json()
    assert tokens(app, code).status_code == 200, "and whoever asked for it still gets theirs"


def test_a_code_is_good_for_a_minute(browser: Client, app: MailApp) -> None:
    code = back(says(browser, asked(app)))["code"]
    Token.objects.update(expires_at=timezone.now())
    assert tokens(app, code).json()["error"] == "invalid_grant"


def test_a_code_that_comes_again_ends_all_that_was_made_of_it(browser: Client, app: MailApp) -> None:
    code = back(says(browser, asked(app)))["code"]
    first = tokens(app, code).json()
    assert tokens(app, code).json()["error"] == "invalid_grant"
    assert consent().ended_at is not None
    assert refreshed(app, first["refresh_token"]).json()["error"] == "invalid_grant"


def test_of_many_who_bring_one_code_at_once_one_gets_tokens(browser: Client, app: MailApp) -> None:
    code = back(says(browser, asked(app)))["code"]
    got: list[int] = []

    def bring() -> None:
        try:
            got.append(tokens(app, code).status_code)
        finally:
            connection.close()

    all_at_once = [threading.Thread(target=bring) for _ in range(8)]
    for one in all_at_once:
        one.start()
    for one in all_at_once:
        one.join()
    assert sorted(got) == [200] + [400] * 7 and consent().ended_at is not None


def test_a_refresh_token_is_changed_for_the_next_and_works_once(browser: Client, app: MailApp) -> None:
    first = let_in(browser, app)
    second = refreshed(app, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"] and second["scope"] == "imap submission"
    less = refreshed(app, second["refresh_token"], scope="imap").json()
    assert less["scope"] == "imap"
    assert refreshed(app, less["refresh_token"], scope="imap managesieve").json()["error"] == "invalid_scope"
    third = refreshed(app, less["refresh_token"]).json()
    assert third["scope"] == "imap submission", "less once is not less for good"
    assert refreshed(app, first["refresh_token"]).json()["error"] == "invalid_grant"
    assert consent().ended_at is not None, "one that comes again was stolen by one of two"
    assert refreshed(app, third["refresh_token"]).json()["error"] == "invalid_grant"


def test_another_apps_refresh_token_opens_nothing(browser: Client, app: MailApp, house: House) -> None:
    got = let_in(browser, app)
    do("mail_apps.add", house.oskar, name="Other", redirect_uris=[BACK])
    other = the(MailApp, name="Other")
    assert refreshed(other, got["refresh_token"]).json()["error"] == "invalid_grant"
    assert tokens(other, back(says(browser, asked(app), name="B"))["code"]).json()["error"] == "invalid_grant"
    assert consent().ended_at is None and refreshed(app, got["refresh_token"]).status_code == 200


@pytest.mark.parametrize("how", ["owner", "operator", "mailbox suspended", "password reset", "transfer", "app ended"])
def test_once_it_is_taken_back_there_are_no_more_tokens(browser: Client, app: MailApp, house: House, how: str) -> None:
    got = let_in(browser, app)
    one = consent()
    if how == "owner":
        assert browser.post("/mailbox/app-passwords/end/", {"consent": str(one.pk)})["Location"] == "/mailbox/"
    elif how == "operator":
        do("consents.end", house.olive, consent=str(one.pk))
    elif how == "mailbox suspended":
        do("mailboxes.suspend", house.olive, mailbox=MIA)
    elif how == "transfer":
        with_consent(house, do("mailboxes.transfer", house.olive, mailbox=MIA, contact="next@home.example"))
    elif how == "app ended":
        do("mail_apps.end", house.oskar, mail_app="Birdmail")
    else:
        box = the(Mailbox, address__address=MIA)
        code = Actor(None, "x", "code", "{HASH}c", mailbox=box.pk, epoch=box.access_epoch)
        do("secrets.reset", code, secrets={"password": "{HASH}q", "recovery code": "{HASH}d"})
    assert refreshed(app, got["refresh_token"]).json()["error"] in ("invalid_grant", "invalid_client")


def test_an_app_that_signs_out_ends_its_consent_and_no_other(browser: Client, app: MailApp) -> None:
    first, second = let_in(browser, app), let_in(browser, app, name="Phone")
    said = {"client_id": str(app.pk), "token": first["refresh_token"]}
    assert visitor().post("/oauth/revoke", said).status_code == 200
    assert consent().ended_at is not None and consent("Phone").ended_at is None
    assert refreshed(app, second["refresh_token"]).status_code == 200


def test_nothing_that_opens_is_kept_or_shown(browser: Client, app: MailApp, sql: Any) -> None:
    code = back(says(browser, asked(app)))["code"]
    got = tokens(app, code).json()
    kept = json.dumps(list(Token.objects.values()), default=str)
    with acting_as(SYSTEM):
        kept += str(list(RecordedEdit.objects.values_list("before", "after")))
    kept += str(sql("SELECT * FROM counted")) + str(sql("SELECT * FROM token_keys"))
    kept += browser.get("/mailbox/").content.decode()
    for value in (code, got["access_token"], got["refresh_token"], VERIFIER, "PRIVATE KEY"):
        assert value not in kept


def test_the_owner_and_who_runs_the_service_see_who_was_let_in(browser: Client, app: MailApp, house: House) -> None:
    let_in(browser, app)
    mine = browser.get("/mailbox/").content.decode()
    assert "Laptop" in mine and "Birdmail, let in without a password" in mine
    theirs = visitor(house.olive).get(f"/mailboxes/{MIA}/").content.decode()
    assert "Birdmail, let in without a password" in theirs and f"consents.end/?consent={consent().pk}" in theirs


def test_apps_find_us_by_the_documents_they_look_for(app: MailApp, house: House) -> None:
    said = visitor().get("/.well-known/oauth-authorization-server").json()
    assert said["issuer"] == settings.POSTROOM.origin and said["code_challenge_methods_supported"] == ["S256"]
    assert said["token_endpoint"].endswith("/oauth/token") and said["response_types_supported"] == ["code"]
    document = visitor().get("/mail/config-v1.1.xml").content.decode()
    assert "<authentication>OAuth2</authentication>" in document
    assert re.search(rf"<oAuth2><issuer>{settings.POSTROOM.origin}</issuer><scope>imap submission", document)
    do("mail_apps.end", house.oskar, mail_app="Birdmail")
    assert "OAuth2" not in visitor().get("/mail/config-v1.1.xml").content.decode(), "there is nobody to ask for"


def test_without_a_key_that_nodes_know_nobody_gets_a_token(browser: Client, app: MailApp, keys: Path) -> None:
    code = back(says(browser, asked(app)))["code"]
    before = keys.read_bytes()
    keys.write_bytes(token_keys.drawn())
    answer = tokens(app, code)
    assert answer.status_code == 503 and answer["Retry-After"]
    keys.write_bytes(before)
    assert tokens(app, code).status_code == 200, "the code was not spent by it"


def test_another_key_signs_once_the_nodes_have_had_time_to_get_it(browser: Client, app: MailApp, keys: Path,
                                                                  sql: Any) -> None:  # fmt: skip
    got = let_in(browser, app)
    keys.write_bytes(token_keys.with_another(keys.read_bytes()))
    newest, before = (one.kid for one in token_keys.read(keys))
    assert jwt.get_unverified_header(got["access_token"])["kid"] == before
    make_known()
    make_known()
    second = refreshed(app, got["refresh_token"]).json()
    assert jwt.get_unverified_header(second["access_token"])["kid"] == before
    known = dict(sql("SELECT kid, until IS NULL FROM token_keys"))
    assert known == {newest: True, before: False}
    moment = timezone.now() + timedelta(minutes=1)
    known_since = dict(sql("SELECT kid, made FROM token_keys"))
    assert token_keys.to_sign_with(token_keys.read(keys), known_since, moment).kid == newest


def test_the_node_gets_the_consent_and_the_key(browser: Client, app: MailApp, keys: Path, sql: Any) -> None:
    let_in(browser, app)
    given = [one for (one,) in sql("SELECT compiled -> 'maps' FROM compiled WHERE compiled IS NOT NULL")]
    (row,) = next(one["consent"] for one in given if one.get("consent"))
    box = the(Mailbox, address__address=MIA)
    assert (row["address"], row["cred"], row["subject"]) == (MIA, str(consent().pk), str(box.pk))
    assert row["protocols"] == "imap submission" and row["until"] == int(consent().until.timestamp())
    (key,) = token_keys.read(keys)
    public = [one["token_key"] for one in given if one.get("token_key")]
    wanted = [{"kid": key.kid, "public": key.public, "issuer": settings.POSTROOM.origin, "until": None}]
    assert public == [wanted] * 2, "each node has it"


def test_what_the_node_answers_is_compared(browser: Client, app: MailApp, mx1: Node) -> None:
    """Until the node says that it has the consent, the change is not verified; its letters wait for submission."""
    let_in(browser, app)
    granted = the(Change, kind="consents.grant")
    assert {target for target, _ in left(granted)} == {"mail", "nodes"}
    taken(mx1)
    assert {target for target, _ in left(granted)} == {"mail"}


def test_a_token_fits_into_one_line_of_smtp(browser: Client, app: MailApp) -> None:
    """Dovecot 2.3 takes 1,024 bytes a line, and apps send the token in the one that asks."""
    token = let_in(browser, app)["access_token"]
    for address in (MIA, "x" * 64 + "@" + "y" * 100 + ".example"):
        said = f"n,a={address},\x01host=mx.postroom.example\x01port=465\x01auth=Bearer {token}\x01\x01"
        assert len("AUTH OAUTHBEARER ") + len(base64.b64encode(said.encode())) <= 1022
