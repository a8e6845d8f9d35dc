"""The node's count of sign-ins: Dovecot asks it before it looks at a password, and tells it what came of it.

Dovecot's authentication policy (doc: Authentication policy support): POST /?command=allow → {"status", "msg"}: 0 goes
on, n > 0 waits n seconds, -1 refuses, and shows `msg` to whoever asked; POST /?command=report. One count for IMAP,
submission, ManageSieve and the pages. The rules are in sign_in_counts.py. Of a token it is asked whether it is good
(POST /introspect, RFC 7662; bearer.py): that is looked at here, so that no reader of hashes has to.

Should this daemon hang or be gone, Dovecot lets passwords through after a second (tried on both versions); its own
penalty for an address stays, tokens open nothing, and the node's heartbeat says that nobody counts. On a socket of its
own the agent asks how it is, and takes away what was signed in to (sign_in_log.py).

SECURITY: on the node's loopback address, where everybody on the machine can knock: every question carries a key, and
whoever has another one is answered nothing, counted, and told of.
"""

import argparse
import asyncio
import base64
import hmac
import json
import logging
import os
import signal
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from .bearer import Tokens
from .key_store import Reader
from .known_sources import KnownSources
from .layout import NodeConfig, load
from .own_keys import policy_key, token_key
from .sign_in_counts import Counts, source_of
from .sign_in_log import Log, plain

log = logging.getLogger("postroom.auth_policy")
IS_ONE = "SELECT 1 FROM login WHERE address = ?"
LATER = "Too many attempts. Try again later."  # neither whether there is such an account nor what is wrong
MOST_LINES, MOST_BYTES, PATIENCE, IDLE = 40, 16_384, 5, 300
SWEEP, LATELY = 600, 600  # seconds
TOKENS = ("XOAUTH2", "OAUTHBEARER")
JUST_NOW, MOST_SHOWN = 30, 1_000  # seconds between a look at a token and the report of it; and so many are kept
Asked = Mapping[str, Any]


class BadRequest(Exception):
    """What was sent is no question of Dovecot's."""


class Guard:
    """What is answered to Dovecot and to the agent. `clock`: seconds since 1970."""

    def __init__(self, config: NodeConfig, known: KnownSources, clock: Callable[[], float] = time.time) -> None:
        self.maps, self.known, self.clock = Reader(config.database("maps")), known, clock
        self.system_login = config.system_login
        self.counts, self.log = Counts(self._is_one), Log()
        self.tokens = Tokens(self.maps, clock)
        self.ours: OrderedDict[tuple[str, str], float] = OrderedDict()  # whose token of ours was shown from where, when
        self.asked, self.knocked, self.knocked_at = 0, 0, 0.0
        for login, source, at in known.all(clock()):
            self.counts.knew(login, source, at)

    def _is_one(self, login: str) -> bool:
        """Where the file does not answer, every name is taken for one: it is counted, and in no history."""
        try:
            return bool(self.maps.rows(IS_ONE, login))
        except sqlite3.Error:
            return True

    def allow(self, said: Asked) -> dict[str, Any]:
        self.asked += 1
        login, source, secret = _who(said)
        if login == self.system_login:  # its password is machine-made: there is nothing to guess
            return {"status": 0, "msg": ""}
        answer = self.counts.may(login, source, secret, self.clock())
        return {"status": -1, "msg": LATER} if answer.refused else {"status": answer.wait, "msg": ""}

    def report(self, said: Asked) -> dict[str, Any]:
        login, source, secret = _who(said)
        now = self.clock()
        if login == self.system_login:
            return {"status": 0, "msg": ""}
        if said.get("success"):
            if self.counts.right(login, source, now):
                self.known.keep(login, source, now)
        elif not said.get("policy_reject"):
            if self._guessed(said, login, source, now):
                self.counts.wrong(login, source, secret, now)
            else:
                self.counts.forgive(login, source, secret, now)
        if self._is_one(login):
            self.log.add(said, now)
        elif not said.get("success"):
            self.log.unknown += 1
        return {"status": 0, "msg": ""}

    def _guessed(self, said: Asked, login: str, source: str, now: float) -> bool:
        """Not whoever showed a token that we signed: an app that has an old one is no stranger who tries."""
        token = plain(said.get("mech")).upper() in TOKENS
        return not token or self.ours.get((login, source), 0.0) < now - JUST_NOW

    def introspect(self, token: str, protocol: str, remote: str) -> dict[str, Any]:
        """Raises sqlite3.Error: then nothing is known."""
        seen = self.tokens.look(token, protocol)
        if seen.ours:
            self.ours[(seen.address.lower(), source_of(remote))] = self.clock()
            while len(self.ours) > MOST_SHOWN:
                self.ours.popitem(last=False)
        if not seen.good:
            log.info("a token from %s: %s", remote, seen.why)
        return seen.answer()

    def knock(self) -> None:
        self.knocked, self.knocked_at = self.knocked + 1, self.clock()
        log.error("somebody asked with another key")

    def status(self) -> dict[str, Any]:
        lately = self.knocked_at > self.clock() - LATELY
        said = f"asked {self.knocked} times with another key than Dovecot shall have" if lately else ""
        return {"ok": not said, "why": said, "asked": self.asked, "pid": os.getpid()}

    def answer(self, question: Asked) -> dict[str, Any]:
        """For the agent: {} how it is; {"taken": n} the rows after n; {"keys": true} by which tokens are taken now."""
        if "taken" in question:
            return self.status() | self.log.take(int(question["taken"]), self.clock())
        if "keys" in question:
            return self.status() | {"maps": self.maps.generation(), "keys": self.tokens.keys()}
        return self.status()


def _who(said: Asked) -> tuple[str, str, str]:
    name = str(said.get("login") or "").encode("utf-8", "replace").decode()  # another name stays another one
    login, secret = name.lower()[:320], plain(said.get("pwhash"))[:8]
    return login, source_of(str(said.get("remote") or "")), secret


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """(path, headers, body) of one. Raises BadRequest, IncompleteReadError at an end, TimeoutError."""
    async with asyncio.timeout(IDLE):
        first = await reader.readuntil(b"\r\n")
    async with asyncio.timeout(PATIENCE):
        words, headers = first.decode("latin-1").split(" "), {}
        for _ in range(MOST_LINES):
            if (line := await reader.readuntil(b"\r\n")) == b"\r\n":
                break
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        else:
            raise BadRequest("too many headers")
        length = headers.get("content-length", "0")
        if len(words) != 3 or not length.isdigit() or int(length) > MOST_BYTES:
            raise BadRequest("not as Dovecot asks")
        return words[1], headers, await reader.readexactly(int(length))


def _introspected(guard: Guard, key: str, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
    """Dovecot says who it is by a password (2.4 sends no client_secret), and by which protocol in a header of its own,
    which 2.3 calls a service."""
    try:
        form = parse_qs(body.decode("ascii"), max_num_fields=8)
    except ValueError:
        return 400, {}
    if not hmac.compare_digest(_basic(headers.get("authorization", "")).encode(), token_key(key).encode()):
        guard.knock()
        return 403, {}
    service, protocol, remote = (headers.get(f"x-dovecot-auth-{one}", "") for one in ("service", "protocol", "remote"))
    try:
        return 200, guard.introspect(form.get("token", [""])[0], protocol or service, _host(remote))
    except sqlite3.Error as error:
        log.error("tokens: %s", error)
        return 503, {}


def _basic(said: str) -> str:
    """The password of HTTP's basic authentication (RFC 7617); empty where there is none."""
    try:
        return base64.b64decode(said.removeprefix("Basic "), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _host(remote: str) -> str:
    """Of `192.0.2.7:4711` or `[2001:db8::7]:4711`, the address."""
    return remote.rpartition(":")[0].strip("[]") if ":" in remote else remote


def _answered(guard: Guard, key: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
    if path.startswith("/introspect"):
        return _introspected(guard, key, headers, body)
    if not hmac.compare_digest(headers.get("x-api-key", "").encode(), key.encode()):
        guard.knock()
        return 403, {}
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return 400, {}
    return 200, guard.report(said) if "command=report" in path else guard.allow(said)


async def _dovecot(guard: Guard, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            code, said = _answered(guard, key, *await _request(reader))
            body = json.dumps(said).encode()
            head = f"HTTP/1.1 {code} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
    except (BadRequest, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()


async def _agent(guard: Guard, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            question = json.loads(await reader.readline() or b"{}")
        writer.write(json.dumps(guard.answer(question)).encode() + b"\n")
        await writer.drain()
    except (ValueError, TypeError, AttributeError, TimeoutError, ConnectionError, sqlite3.Error) as error:
        log.warning("the agent: %s", error)
    finally:
        writer.close()


async def serve(config: NodeConfig) -> None:
    """Until SIGTERM."""
    guard = Guard(config, KnownSources(config.known_sources))
    key, over = policy_key(config), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)

    async def dovecot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _dovecot(guard, key, reader, writer)

    async def agent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _agent(guard, reader, writer)

    outside = await asyncio.start_server(dovecot, config.address, config.ports.auth_policy, limit=8192)
    inside = await _listening(config.policy_socket, agent)
    log.info("ready")
    while not over.is_set():
        try:
            await asyncio.wait_for(over.wait(), SWEEP)
        except TimeoutError:
            guard.counts.sweep(time.time())
    for server in (outside, inside):
        server.close()


async def _listening(path: Path, talks: Callable[..., Any]) -> asyncio.AbstractServer:
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(talks, path)
    path.chmod(0o660)  # the folder's group: the agent
    return server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    config, _ = load(parser.parse_args().config)
    os.umask(0o027)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    asyncio.run(serve(config))


if __name__ == "__main__":
    main()
