"""The count of sign-ins as Dovecot asks it, and as somebody else may: what is no question is answered nothing."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from bearers import OTHER, consent, letting_in, token, token_key
from live_node import named

from postroom.engines import compile, maps
from postroom.engines.auth_policy import IDLE, LATER, Guard, _answered, _dovecot
from postroom.engines.known_sources import KnownSources
from postroom.engines.layout import MAPS, NodeConfig
from postroom.engines.own_keys import token_key as token_key_of
from postroom.engines.sign_in_counts import MOST_KNOWN
from postroom.engines.source import Todo

MIA, KEY = "mia@acme.example", "the key of Dovecot"
Asked = dict[str, Any]


@pytest.fixture
def config(tmp_path: Path) -> Iterator[NodeConfig]:
    for name in MAPS:
        (tmp_path / "db" / name).mkdir(parents=True)
    files = maps.open_files(NodeConfig("mx1", tmp_path, "127.0.0.1"))
    with files.maps.writing() as connection:
        connection.execute("INSERT INTO login VALUES (?, 'x', 1, 0, NULL)", (MIA,))
    yield NodeConfig("mx1", tmp_path, "127.0.0.1")
    for one in files:
        one.connection.close()


@pytest.fixture
def guard(config: NodeConfig) -> Guard:
    return Guard(config, KnownSources(config.folder / "known.db"), clock=lambda: 1e9)


def said(secret: str = "a", remote: str = "192.0.2.7", login: str = MIA, **more: Any) -> Asked:
    return {"login": login, "pwhash": secret, "remote": remote, "protocol": "web", **more}


def asked(guard: Guard, path: str, body: bytes, key: str = KEY) -> tuple[int, Asked]:
    return _answered(guard, KEY, path, {"x-api-key": key}, body)


def test_refused_is_said_neutrally_and_a_refusal_is_no_new_try(guard: Guard) -> None:
    for secret in "abc":
        assert guard.allow(said(secret)) == {"status": 0, "msg": ""}
        guard.report(said(secret, success=False))
    for _ in range(9):
        assert guard.allow(said("right")) == {"status": -1, "msg": LATER}
        guard.report(said("right", success=False, policy_reject=True))
    assert MIA not in LATER and "password" not in LATER
    assert len(guard.counts.accounts[MIA].tries) == 3
    assert guard.allow(said("right", "198.51.100.9"))["status"] == 0


def test_our_own_login_has_nothing_to_guess_and_is_in_no_history(guard: Guard) -> None:
    for n in range(50):
        assert guard.allow(said(str(n), login="postroom@system"))["status"] == 0
        guard.report(said(str(n), login="postroom@system", success=True))
    assert guard.answer({"taken": 0})["rows"] == []


def test_a_name_that_is_nobodys_is_counted_and_nowhere_kept(guard: Guard) -> None:
    guard.allow(said(login="my secret pass phrase"))
    guard.report(said(login="my secret pass phrase", success=False))
    told = guard.answer({"taken": 0})
    assert "secret" not in json.dumps(told) and told["rows"][0]["unknown"] == 1


def test_where_the_maps_do_not_answer_every_name_is_counted(guard: Guard, config: NodeConfig) -> None:
    guard.maps.close()
    guard.maps.path = config.folder / "gone/maps.db"
    for secret in "abc":
        guard.allow(said(secret))
    assert guard.allow(said("right"))["status"] == -1


@pytest.mark.parametrize("body", [b"nonsense", b"[]", b'"x"', b"\xff", b"1"])
def test_what_is_no_question_is_a_bad_request(guard: Guard, body: bytes) -> None:
    assert asked(guard, "/?command=allow", body) == (400, {})


@pytest.mark.parametrize("value", [None, 1, [], {}, "x" * 10_000, "\ud800"])
def test_whatever_stands_in_a_field_is_taken_as_text(guard: Guard, value: Any) -> None:
    odd = dict.fromkeys(("login", "pwhash", "remote", "protocol", "device_id", "session_id", "cred"), value)
    assert guard.allow(odd)["status"] in (0, -1)
    guard.report({**odd, "success": True})
    guard.report({**odd, "success": False})
    json.dumps(guard.answer({"taken": 0}))


def test_another_key_is_told_of_for_ten_minutes(config: NodeConfig) -> None:
    now = [1e9]
    guard = Guard(config, KnownSources(config.folder / "known.db"), clock=lambda: now[0])
    assert guard.status()["ok"]
    assert asked(guard, "/?command=allow", b"{}", key="guessed") == (403, {}) and guard.asked == 0
    assert not guard.status()["ok"] and "1 times" in guard.status()["why"]
    now[0] += 601
    assert guard.status()["ok"]


def test_who_is_known_outlives_the_process_and_is_bounded(config: NodeConfig) -> None:
    path = config.folder / "known.db"
    for n in range(3 * MOST_KNOWN):
        Guard(config, KnownSources(path), clock=lambda n=n: 1e9 + n).report(said(remote=f"192.0.2.{n}", success=True))
    after = Guard(config, KnownSources(path), clock=lambda: 1e9 + 100)
    assert set(after.counts.accounts[MIA].known) == {f"192.0.2.{n}" for n in range(2 * MOST_KNOWN, 3 * MOST_KNOWN)}


def test_a_damaged_file_of_who_is_known_is_begun_anew(config: NodeConfig) -> None:
    (config.folder / "known.db").write_bytes(b"no database" * 500)
    assert Guard(config, KnownSources(config.folder / "known.db")).counts.accounts == {}


@pytest.mark.parametrize("sent", [
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100 + b"\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\nX-API-Key: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"nonsense\r\n\r\n",
    b"x" * 100_000,
])  # fmt: skip
def test_what_is_not_as_dovecot_asks_is_hung_up_on(guard: Guard, sent: bytes) -> None:
    async def talk() -> bytes:
        async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _dovecot(guard, KEY, reader, writer)

        async with await asyncio.start_server(served, "127.0.0.1", 0, limit=8192) as server:
            host, port = server.sockets[0].getsockname()
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(sent)
            try:
                return await asyncio.wait_for(reader.read(), 5)
            except ConnectionError:
                return b""
            finally:
                writer.close()

    assert asyncio.run(talk()) == b"" and IDLE > 5


def basic(key: str) -> str:
    return f"Basic {base64.b64encode(f'dovecot:{token_key_of(key)}'.encode()).decode()}"


def shows(guard: Guard, shown: str, remote: str = "192.0.2.7", **headers: str) -> tuple[int, Asked]:
    """Dovecot asks of a token, as both versions do."""
    said = {"x-dovecot-auth-protocol": "imap", "x-dovecot-auth-remote": f"{remote}:4711", "authorization": basic(KEY)}
    said, body = said | headers, urlencode({"token": shown}).encode()
    return _answered(guard, KEY, "/introspect", said, body)


@pytest.fixture
def letting(config: NodeConfig, guard: Guard) -> None:
    """Mia let an app in, and the node has the key that its tokens are signed by."""
    guard.tokens.clock = time.time
    files = maps.open_files(config)
    for number, compiled in enumerate((token_key(), letting_in(MIA, consent(MIA, "phone"))), 1):
        compile.write(files, [Todo(number, "address", named(str(number)), None, compiled)])
    for one in files:
        one.connection.close()


def token_failed(guard: Guard, secret: str, remote: str = "192.0.2.7") -> None:
    guard.report(said(secret, remote, success=False, mech="XOAUTH2", protocol="imap"))


def test_dovecot_is_told_of_a_token_whose_it_is(guard: Guard, letting: None) -> None:
    code, answer = shows(guard, token(MIA, "phone"))
    assert (code, answer["active"], answer["username"]) == (200, "true", MIA)
    assert shows(guard, token(MIA, "phone", key=OTHER))[1]["active"] == "false"
    assert shows(guard, token(MIA, "phone"), **{"x-dovecot-auth-protocol": ""})[1]["active"] == "false"


def test_nobody_else_is_told_anything_of_a_token(guard: Guard, letting: None) -> None:
    body = urlencode({"token": token(MIA, "phone")}).encode()
    for said in ("", "Basic", "Basic =", basic("guessed"), f"Bearer {KEY}", f"Basic {KEY}"):
        assert _answered(guard, KEY, "/introspect", {"x-api-key": KEY, "authorization": said}, body) == (403, {})
    assert guard.knocked == 6
    assert _answered(guard, KEY, "/introspect", {}, "token=ü".encode())[0] == 400


def test_where_the_maps_do_not_answer_no_token_is_good(guard: Guard, letting: None, config: NodeConfig) -> None:
    config.database("maps").rename(config.database("maps").with_name("away"))
    assert shows(guard, token(MIA, "phone")) == (503, {})


def test_tokens_that_we_never_signed_count_as_wrong_passwords_do(guard: Guard, letting: None) -> None:
    for secret in "abc":
        shows(guard, token(MIA, "phone", key=OTHER))
        assert guard.allow(said(secret, mech="XOAUTH2")) == {"status": 0, "msg": ""}
        token_failed(guard, secret)
    assert guard.allow(said("d", mech="XOAUTH2"))["status"] == -1
    assert guard.allow(said("right"))["status"] == -1, "one count for all that may be tried"
    assert guard.allow(said("right", "198.51.100.9"))["status"] == 0, "and the owner, elsewhere, is let try"


def test_an_app_with_old_tokens_of_ours_locks_nobody_out(guard: Guard, letting: None) -> None:
    for number in range(200):
        guard.allow(said(str(number), mech="XOAUTH2"))
        shows(guard, token(MIA, "phone", iat=1, exp=2))
        token_failed(guard, str(number))
    assert guard.allow(said("right"))["status"] == 0
    assert [one.secret for one in guard.counts.accounts[MIA].tries] == ["right"]


def test_whoever_has_an_old_token_guesses_no_passwords_for_free(guard: Guard, letting: None) -> None:
    """What is forgiven is a token that was shown from there, and never a password that came beside it."""
    for secret in "abc":
        shows(guard, token(MIA, "phone", iat=1, exp=2))
        guard.allow(said(secret))
        guard.report(said(secret, success=False, mech="PLAIN"))
    assert guard.allow(said("d"))["status"] == -1
    shows(guard, token(MIA, "phone", iat=1, exp=2), remote="198.51.100.9")
    guard.allow(said("a", "203.0.113.5", mech="XOAUTH2"))
    token_failed(guard, "a", "203.0.113.5")
    assert len(guard.counts.accounts[MIA].tries) == 4, "nor a token that came from elsewhere"
