"""Signing keys are rotated while mail flows and programs die at each stage: whatever is signed verifies."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hands import Hands
from test_keys import Mail, active
from test_worker_killed import RESUMED

from conftest import House
from world import Stack, until

pytestmark = pytest.mark.drill
OF = "FROM dkim_keys k JOIN domains d ON d.id = k.domain_id WHERE d.name = %s"
# Each stage as it is first seen, and who dies there: the worker that does the next step, or the agent that serves it.
STAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "new keys are wanted": (f"SELECT 1 {OF} HAVING count(*) >= 4", ("worker",)),
    "a pair is made": (f"SELECT 1 {OF} AND public <> '' HAVING count(*) >= 3", ("worker",)),
    "both are made": (f"SELECT 1 {OF} AND public <> '' HAVING count(*) >= 4", ("worker",)),
    "a new one signs": (f"SELECT 1 {OF} AND activated_at IS NOT NULL HAVING count(*) >= 3", ("worker", "agent")),
    "an old one is retired": (f"SELECT 1 {OF} AND retired_at IS NOT NULL", ("worker", "agent")),
    "a retired one is revoked": (f"SELECT 1 {OF} AND revoked_at IS NOT NULL", ("worker",)),
}


@pytest.mark.parametrize("most", [1, pytest.param(len(STAGES), marks=pytest.mark.soak)])
def test_every_message_verifies_through_a_rotation_that_is_killed(
    stack: Stack, hands: Hands, house: House, rng: random.Random, most: int
) -> None:
    """Guards: what signs changes only after it was read at every name server (follow_ups.key_is_published), the old
    key is retired only after the new one was read back to sign (follow_ups.keys_before), and the newest signs
    (engines/key_store.py)."""
    for stage in rng.sample(sorted(STAGES), most):
        domain = house.new_domain(house.new_client())
        until("both keys sign", lambda domain=domain: active(hands, domain) == 2, within=60)
        mail = Mail(stack, house.mailbox("sender", domain), house.mailbox("reader"))
        old = until("it is signed twice", lambda mail=mail: _twice(mail.one()), within=30)
        with Flowing(mail) as flowing, killed_at(hands, domain, stage) as kills:
            rotated(hands, house, domain)
            new = until("others sign", lambda flowing=flowing, old=old: _other(flowing.last, old), within=60)
            for key in house.operator.get(f"/dkim_keys?domain={domain}")["items"]:
                if key["selector"] in old.split():
                    revoked(house, domain, key["id"])
            time.sleep(2)
        assert kills == list(STAGES[stage][1]), stage
        assert flowing.failed is None, (stage, flowing.failed)
        assert all(mail.signed) and flowing.seen == [old, *flowing.seen[1:-1], new], (stage, flowing.seen)
        for selector in old.split():
            assert stack.dns(f"{selector}._domainkey.{domain}", "TXT")[0].split("p=")[1] == ""
        print(f"{stage}: {len(mail.signed)} messages, signed by {flowing.seen}; each verified as it came")


def rotated(hands: Hands, house: House, domain: str) -> None:
    change = house.operator.change("dkim_keys.rotate", {"domain": domain}, "a drill")
    house.operator.verified(change, within=RESUMED + 60)
    assert hands.one(f"SELECT count(*) {OF} AND retired_at IS NULL", domain) == 2


def revoked(house: House, domain: str, key: str) -> None:
    """Somebody says that it is compromised; nothing it signed is on its way any more here."""
    change = house.operator.change("dkim_keys.revoke", {"key": key, "domain": domain, "compromised": True}, "a drill")
    house.operator.verified(change, within=RESUMED)


@contextmanager
def killed_at(hands: Hands, domain: str, stage: str) -> Iterator[list[str]]:
    """Who does the next step is killed as soon as the stage is seen; who that was."""
    (seen, who), over, kills = STAGES[stage], threading.Event(), list[str]()

    def watch() -> None:
        while not over.wait(0.005):
            if hands.sql(seen, domain):
                for one in who:
                    hands.kill(hands.pid(one))
                    kills.append(one)
                return

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield kills
    finally:
        over.set()
        watching.join()


class Flowing:
    """Letters one after another, each looked at as it arrives, until the block ends."""

    def __init__(self, mail: Mail) -> None:
        self.mail, self.seen = mail, list[str]()
        self.failed: BaseException | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send)

    @property
    def last(self) -> str:
        if self.failed:
            raise self.failed
        return self.seen[-1] if self.seen else ""

    def __enter__(self) -> "Flowing":
        self._thread.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._over.set()
        self._thread.join()

    def _send(self) -> None:
        try:
            while not self._over.wait(0.5):
                by = self.mail.one() or "nothing"
                if self.seen[-1:] != [by]:
                    self.seen.append(by)
        except BaseException as failed:
            self.failed = failed


def _twice(by: str | None) -> str:
    return by if by and len(by.split()) == 2 else ""


def _other(by: str, old: str) -> str:
    return by if len(by.split()) == 2 and not set(by.split()) & set(old.split()) else ""
