"""Drills share the stories' stack, and leave it well: what they stopped goes on, what they killed is back."""

import os
import random
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hands import Hands, asked

from world import Browser, Person, Stack, until

SECRET = "four plain words here"
quotas = count(20_000 + time.time_ns() % 500_000)


@dataclass
class House:
    """A client of the drills' own, with a proven domain, and the people who work for it."""

    stack: Stack
    owner: Person
    operator: Person
    approver: Person
    client: str = ""
    domain: str = ""
    known: dict[str, str] = field(default_factory=dict)

    def new_client(self) -> str:
        name = f"drill{uuid.uuid4().hex[:8]}"
        self.operator.change("clients.create", {"name": name}, "a drill")
        return name

    def new_domain(self, client: str, name: str = "", **more: Any) -> str:
        name = name or f"d{uuid.uuid4().hex[:10]}.example"
        added = self.operator.change("domains.add", {"client": client, "name": name, **more}, "a drill")
        self.operator.verified(added, within=60)
        self.proven(name)
        return name

    def proven(self, domain: str) -> None:
        until("it is proven", lambda: self.operator.get(f"/domains/{domain}")["proof"] == "read", within=40)

    def mailbox(self, local: str, domain: str = "") -> str:
        """A mailbox whose owner has set the secret."""
        address = f"{local}{uuid.uuid4().hex[:6]}@{domain or self.domain}"
        contact = f"{uuid.uuid4().hex}@home.test"
        made = self.operator.change("mailboxes.create", {"address": address, "contact": contact}, "a drill")
        self.operator.verified(made, within=60)
        self.sets(self.stack.mailed_link(contact))
        until("its owner signs in", lambda: self.stack.may_sign_in(address, SECRET))
        return address

    def sets(self, link: str) -> Browser:
        browser = Browser()
        browser.open(link)
        browser.fill(password=SECRET)
        assert "recovery code" in browser.page, browser.page[:2000]
        return browser


@pytest.fixture(scope="session")
def hands(stack: Stack) -> Hands:
    return Hands(stack)


@pytest.fixture(scope="session")
def house(stack: Stack) -> House:
    owner, operator, approver = (stack.person(f"{who}@northlight.example") for who in ("owner", "operator", "approver"))
    house = House(stack, owner, operator, approver)
    house.client = house.new_client()
    house.domain = house.new_domain(house.client)
    return house


@pytest.fixture(scope="session")
def mia(house: House) -> str:
    return house.mailbox("mia")


@pytest.fixture(scope="session")
def his_mailbox(house: House) -> str:
    return house.mailbox("leo")


@pytest.fixture
def leo(stack: Stack, house: House, his_mailbox: str) -> Iterator[str]:
    """Somebody who is suspended in a drill; he may sign in at the beginning of each."""
    yield his_mailbox
    if house.operator.get(f"/mailboxes/{his_mailbox}")["suspended_at"]:
        house.operator.change("mailboxes.resume", {"mailbox": his_mailbox})
    until("he signs in again", lambda: stack.may_sign_in(his_mailbox, SECRET), within=60)


@pytest.fixture
def rng() -> random.Random:
    """DRILL_SEED plays a run again."""
    seed = int(os.environ.get("DRILL_SEED") or time.time_ns() % 1_000_000)
    print(f"DRILL_SEED={seed}")
    return random.Random(seed)


@pytest.fixture(autouse=True)
def well(stack: Stack, hands: Hands, house: House, mia: str) -> Iterator[None]:
    """After each drill the stack is as it was: everything runs, and a change goes all the way."""
    yield
    hands.let_go()
    stack.leave()
    until("the API answers", lambda: asked(house.operator, "GET", "/changes?limit=1")[0] == 200, within=60)
    running = ("pdns", "worker", "agent", "auth_policy", "milter", "srs", "dovecot", "postfix")
    until("everything runs", lambda: all(map(hands.pid, running)))
    until("mail is taken", lambda: _quietly(lambda: stack.rcpt(mia) == 250), within=40)
    named = house.operator.change("mailboxes.change", {"mailbox": mia, "quota_mb": next(quotas)}, "is all well?")
    house.operator.verified(named, within=60)
    assert hands.unrecorded() == []


def _quietly(look: Any) -> bool:
    try:
        return bool(look())
    except OSError:
        return False
