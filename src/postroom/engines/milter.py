"""The milter: what a signed-in login sends is checked (From: its own) and signed (DKIM), or it does not go.

Whatever goes wrong is a temporary failure: mail waits in the sender's program rather than leaving unsigned. At start
and every minute a signature is made and verified by another implementation (dkimpy) against the public half.
On a socket of its own it judges what filters send (sieve_out.py). Its status socket answers one JSON line: the
generations it reads, and whether the last self-test held.

SECURITY: a unix socket in a folder only Postfix and we may enter: whoever speaks here gets signatures.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import from_header, self_test, sieve_out
from .key_store import BEHALF, SENDERS, KeyStore, KeyUnusable, Reader
from .layout import NodeConfig, load
from .milter_protocol import Answer, Judge, Message, OutOfStep, Terms, converse
from .own_keys import node_private_key
from .signing import signature

log = logging.getLogger("postroom.milter")
EVERY = 60  # seconds between self-tests; a failed one is tried again sooner
LATER = Answer(reply="451 4.7.5 signing is not possible now, try again later")


Shown = tuple[tuple[str, str], ...]


class Milter:
    """Judges messages and keeps its own health."""

    def __init__(self, config: NodeConfig) -> None:
        self.maps = Reader(config.database("maps"))
        self.keys = KeyStore(Reader(config.database("keys")), node_private_key(config))
        self.test = self_test.SelfTest(self.keys)

    async def judge(self, message: Message) -> Answer:
        """Every failure is temporary, refusals are for what the sender can put right."""
        queue_id, login = message.macros.get("i", "-"), message.macros.get("auth_authen", "").lower()
        try:
            answer = await self._judge(message, login)
        except (sqlite3.Error, KeyUnusable, OSError, ValueError) as error:
            log.error("%s: %s: %s", queue_id, login, error)
            return LATER
        log.info("%s: %s: %s", queue_id, login, answer.reply or f"passed, {_signatures(answer)} signatures")
        return answer

    async def _judge(self, message: Message, login: str) -> Answer:
        if not login:
            return Answer(reply="550 5.7.1 nobody is signed in")
        headers = [(name.decode("ascii", "replace"), _text(value)) for name, value in message.headers]
        judged = from_header.judge(
            headers, lambda address: self._owns(login, address), lambda address: self._behalf(login, address), login
        )  # fmt: skip
        if judged.refused:
            return Answer(reply=f"550 5.7.1 {_printable(judged.refused)}")
        if judged.note:
            log.warning("%s: %s: %s", message.macros.get("i", "-"), login, _printable(judged.note))
        shown = (("Sender", f" {login}"),) if judged.shows_sender else ()
        return await self._signed(message, judged.domain, shown)

    async def _signed(self, message: Message, domain: str, shown: Shown = ()) -> Answer:
        """shown: headers that are added, and signed with the others."""
        if self.test.failing:
            log.error("not signing: %s", self.test.failing)
            return LATER
        if domain in self.test.unusable:
            raise KeyUnusable(f"{domain}: {self.test.unusable[domain]}")
        signed = [*((name.encode(), value.encode()) for name, value in shown), *message.headers]
        body, now = bytes(message.body), int(time.time())
        values = [
            await asyncio.to_thread(signature, signed, body, domain, selector, key, now)
            for selector, key in self.keys.for_domain(domain)
        ]
        return Answer(add=(*shown, *(("DKIM-Signature", value) for value in values)))

    async def judge_filtered(self, message: Message) -> Answer:
        """What a filter sends (sieve_out.py). It is kept in the mailbox when refused, and tried again when it fails."""
        queue_id = message.macros.get("i", "-")
        try:
            verdict = sieve_out.judge(message, self.maps, self._owns)
            answer = Answer(reply=f"550 5.7.1 {_printable(verdict.refused)}") if verdict.refused else Answer()
            if verdict.answers_as:
                answer = replace(await self._signed(message, verdict.answers_as), no_sender=True)
        except (sqlite3.Error, KeyUnusable, OSError, ValueError) as error:
            log.error("%s: filter of %s: %s", queue_id, message.sender, error)
            return LATER
        passed = "passes on" if verdict.passed_on_by else "passed"  # the first is read again (left_log.py)
        whose = verdict.passed_on_by or message.sender or "<>"
        log.info("%s: filter of %s: %s", queue_id, whose, answer.reply or passed)
        return answer

    def _owns(self, login: str, address: str) -> bool:
        """As Postfix asks for the envelope: the whole address; if it is nobody's, without its extension (mia+x@)."""
        whole = self.maps.rows(SENDERS, address)
        return (login,) in (whole or self.maps.rows(SENDERS, from_header.plain(address)))

    def _behalf(self, login: str, address: str) -> bool:
        return bool(self.maps.rows(BEHALF, address, login))

    def status(self) -> dict[str, Any]:
        """Read now, as for a message."""
        try:
            generations = {"maps": self.maps.generation(), "keys": self.keys.refresh()}
        except sqlite3.Error as error:
            return {"error": str(error), "pid": os.getpid()}
        return {
            **generations,
            "self_test": self.test.failing or "ok",
            "tested": self.test.at,
            "unusable": self.test.unusable,
            "pid": os.getpid(),
        }

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """What is asked beside the status, of domains and of pairs. Raises sqlite3.Error."""
        domains, pairs = question.get("domains", []), question.get("behalf", [])
        sorts = {"allowed": sieve_out.STANDS, "forbidden": sieve_out.FORBIDS}
        stands = {sort: self.standing(query, question[sort]) for sort, query in sorts.items() if sort in question}
        return {"signs": self.signs(domains), "behalf": self.behalf(pairs), **stands}

    def standing(self, query: str, pairs: list[list[str]]) -> list[list[str]]:
        """Those of them (source, target) that stand among what filters may pass on, or may not, now."""
        return [pair for pair in pairs if len(pair) == 2 and self.maps.rows(query, *pair)]

    def signs(self, domains: list[str]) -> dict[str, list[list[Any]] | str]:
        """Domain → the keys that sign for it now, each as [selector, algorithm, since]; why, where one cannot."""
        found: dict[str, list[list[Any]] | str] = {}
        for domain in domains:
            try:
                self.keys.for_domain(domain)
                found[domain] = [[one.selector, one.algorithm, one.since] for one in self.keys.held(domain)]
            except (KeyUnusable, sqlite3.Error) as error:
                found[domain] = f"unusable: {error}"
        return found

    def behalf(self, pairs: list[list[str]]) -> list[list[str]]:
        """Those of these (address, login) by which the login may write on behalf of the address, now."""
        try:
            return [[address, login] for address, login in pairs if self._behalf(login, address)]
        except sqlite3.Error as error:
            log.error("behalf: %s", error)
            return []


def _signatures(answer: Answer) -> int:
    return sum(name == "DKIM-Signature" for name, _ in answer.add)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _printable(text: str) -> str:
    """For an SMTP reply: one line of ASCII, whatever the header held."""
    return "".join(one if " " <= one <= "~" else "?" for one in text)[:200]


Talks = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _listening(path: Path, talks: Talks, limit: int = 1 << 16) -> asyncio.AbstractServer:
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(talks, path, limit=limit)
    path.chmod(0o660)  # the folder's group: postfix, the agent, us
    return server


def _talk(judge: Judge, terms: Terms) -> Talks:
    async def postfix(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await converse(reader, writer, judge, terms)
        except (OutOfStep, asyncio.IncompleteReadError, ConnectionError) as error:
            if isinstance(error, OutOfStep):
                log.error("out of step: %s", error)
        finally:
            writer.close()

    return postfix


async def serve(config: NodeConfig) -> None:
    """Until SIGTERM."""
    milter = Milter(config)
    milter.test.run()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)

    async def status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            question = json.loads(await reader.readline() or b"{}")
            status = milter.status()
            reply = status if "error" in status else status | milter.answer(question)
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
        except (ValueError, ConnectionError, sqlite3.Error) as error:
            log.warning("status: %s", error)
        finally:
            writer.close()

    servers = [
        await _listening(config.milter_socket, _talk(milter.judge, Terms())),
        await _listening(config.sieve_socket, _talk(milter.judge_filtered, sieve_out.TERMS)),
        await _listening(config.milter_status, status, 1_000_000),
    ]
    log.info("ready")
    while not over.is_set():
        try:
            await asyncio.wait_for(over.wait(), 5 if milter.test.failing else EVERY)
        except TimeoutError:
            milter.test.run()
    for server in servers:
        server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    config, _ = load(parser.parse_args().config)
    os.umask(0o027)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    asyncio.run(serve(config))


if __name__ == "__main__":
    main()
