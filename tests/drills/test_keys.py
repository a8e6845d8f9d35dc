"""DKIM keys are made, published and used while mail flows: whatever is signed verifies against what DNS says then."""

import email
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from hands import Hands
from test_worker_killed import in_background

from conftest import SECRET, House
from world import Stack, received, until

pytestmark = pytest.mark.drill


def test_every_message_verifies_while_keys_are_made_and_used(
    stack: Stack, hands: Hands, house: House, rng: random.Random
) -> None:
    """Guard: a key signs only after its record was read at every authoritative server (follow_ups.key_is_published)."""
    domain, added = keys_wait_for_the_name_server(hands, house)
    house.proven(domain)
    mail = Mail(stack, house.mailbox("sender", domain), house.mailbox("reader"))
    for _ in range(3):
        assert mail.one() is None, "no key signs before its record is served"
    assert active(hands, domain) == 0
    hands.let_go()
    until("both keys sign", lambda: (mail.one(), active(hands, domain) == 2)[1], within=60, every=0)
    house.operator.verified(added, within=60)
    until("a message is signed", mail.one, every=0)
    for _ in range(3):
        assert mail.one()
    first = next(n for n, signed in enumerate(mail.signed) if signed)
    assert all(mail.signed[first:]), "once signed, always signed"
    print(f"{len(mail.signed)} messages, {sum(mail.signed)} signed; each of these verified at once")


@dataclass
class Mail:
    """Letters from one mailbox to another, each looked at as it arrives."""

    stack: Stack
    sender: str
    reader: str
    signed: list[bool] = field(default_factory=list)

    def one(self) -> str | None:
        """The selectors that signed it; each signature must hold against what DNS answers now."""
        subject = f"letter {len(self.signed)} {time.monotonic()}"
        self.stack.submit(self.sender, SECRET, self.reader, subject)
        with self.stack.imap(self.reader, SECRET) as box:
            message = received(box, subject)
        self.stack.leave()
        signatures = email.message_from_bytes(message).get_all("DKIM-Signature", [])
        self.signed.append(bool(signatures))
        if not signatures:
            return None
        assert self.stack.signed(message), signatures
        return " ".join(sorted(part.strip()[2:] for one in signatures for part in one.split(";")
                               if part.strip().startswith("s=")))  # fmt: skip


def keys_wait_for_the_name_server(hands: Hands, house: House) -> tuple[str, Any]:
    """A domain whose keys are made and whose name server stands still before any of them is published."""
    for _ in range(6):
        client, name = house.new_client(), f"d{uuid.uuid4().hex[:10]}.example"
        hands.zones("POST", body={"name": f"{name}.", "kind": "Native", "nameservers": ["ns1.postroom.example."]})
        time.sleep(1)  # the registrar delegates what is hosted; so proof of it needs our name server no more
        asking = in_background(house, "domains.add", {"client": client, "name": name})
        made = "SELECT 1 FROM changes c JOIN clients o ON o.id = client_id WHERE kind = 'dkim_keys.make' AND slug = %s"
        until("a key is made", lambda made=made, client=client: hands.sql(made, client), every=0.001)
        hands.hold(hands.pid("pdns"))
        asking["thread"].join(30)
        until("both are made", lambda made=made, client=client: len(hands.sql(made, client)) == 2, within=20)
        if active(hands, name) == 0:
            return name, asking["answer"]
        hands.let_go()
    raise AssertionError("never caught between making keys and publishing them")


def active(hands: Hands, domain: str) -> int:
    keys = "SELECT count(activated_at) FROM dkim_keys k JOIN domains d ON d.id = k.domain_id WHERE d.name = %s"
    return int(hands.one(keys, domain))
