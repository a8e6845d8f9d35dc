"""PostgreSQL dies hard during writes; then everything that is not mail is dead. Mail flows, nothing is half done."""

import contextlib
import imaplib
import random
import signal
import threading
import time
import uuid
from typing import Any

import pytest
from hands import Hands, asked, insisted, sent
from life import living

from conftest import SECRET, House
from world import Browser, Stack, received, until

pytestmark = pytest.mark.drill


class Writer(threading.Thread):
    """Somebody who makes mailboxes, one after the other, whatever is answered."""

    def __init__(self, house: House) -> None:
        super().__init__(daemon=True)
        self.house, self.over, self.said = house, threading.Event(), list[tuple[str, Any, int, Any]]()

    def run(self) -> None:
        while not self.over.wait(0.05):
            key = uuid.uuid4().hex
            params = {"address": f"w{key[:10]}@{self.house.domain}", "name": "made while it died"}
            said = sent(self.house.operator, "mailboxes.create", params, key)
            self.said.append((key, params, *said))
            if said[0] == 503:
                self.over.wait(0.3)


@pytest.mark.parametrize("deaths", [2, pytest.param(20, marks=pytest.mark.soak)])
def test_database_killed_during_writes(
    stack: Stack, hands: Hands, house: House, mia: str, rng: random.Random, deaths: int
) -> None:
    """Guard: 503 comes from the outermost middleware and the API's handler; the worker opens its queue again."""
    lasting = hands.pid("worker"), hands.pid("agent"), hands.pid("web")
    writers = [Writer(house) for _ in range(3)]
    with living(stack, mia):
        for writer in writers:
            writer.start()
        for _ in range(deaths):
            time.sleep(rng.uniform(0.3, 1))
            killed_backend(hands, rng)
            time.sleep(rng.uniform(1, 2))
            postmaster = hands.pid("postgres")
            hands.kill(postmaster, by=rng.choice([signal.SIGKILL, signal.SIGQUIT]))
            hands.back("postgres", postmaster)
            until("the API answers again", lambda: asked(house.operator, "GET", "/changes?limit=1")[0] == 200)
        for writer in writers:
            writer.over.set()
            writer.join(60)
    said = [one for writer in writers for one in writer.said]
    assert {status for _, _, status, _ in said} == {200, 503}
    assert all(answer["headers"]["Retry-After"] for _, _, status, answer in said if status == 503)
    made = [insisted(house.operator, "mailboxes.create", params, key) for key, params, _, _ in said]
    for (key, _, status, answer), again in zip(said, made, strict=True):
        assert status == 503 or again["id"] == answer["id"]
        assert hands.one("SELECT count(*) FROM changes WHERE key = %s", key) == 1
    for again in made:
        house.operator.verified(again, within=90)
    assert lasting == (hands.pid("worker"), hands.pid("agent"), hands.pid("web")), "they came back by themselves"
    assert stack.rcpt(said[-1][1]["address"]) == 250


def killed_backend(hands: Hands, rng: random.Random) -> None:
    """One connection is cut (SIGTERM), or a backend crashes and takes all with it (SIGKILL)."""
    backends = "SELECT pid FROM pg_stat_activity WHERE usename IN ('postroom_app', 'postroom_node_mx1')"
    with contextlib.suppress(Exception):
        pids = [row[0] for row in hands.sql(backends)]
        hands.kill(rng.choice(pids), by=signal.SIGTERM)
        hands.kill(rng.choice(pids), by=signal.SIGKILL)


def test_everything_but_mail_is_dead(stack: Stack, hands: Hands, house: House, mia: str, leo: str) -> None:
    """With database, web and worker gone people sign in, send, are signed for and get mail; who was out stays out.

    Guard: the node answers from its own files; nothing of it asks PostgreSQL while it serves.
    """
    house.operator.verified(house.operator.change("mailboxes.suspend", {"mailbox": leo}))
    supervisor, postmaster = hands.pid("up"), hands.pid("postgres")
    hands.hold(supervisor)  # or it would bring them back at once
    hands.kill(postmaster)
    until("the database is gone", lambda: not hands.pid("postgres"))
    status, answer = asked(house.operator, "GET", "/changes?limit=1")
    assert (status, answer["headers"]["Retry-After"]) == (503, "5")
    page = Browser()
    page.open(stack.at["web"] + "/invite/nobody")
    assert page.status == 503 and "try again in a moment" in page.page
    hands.kill(*hands.below("web"), hands.pid("web"), hands.pid("worker"))
    until("nobody answers", lambda: asked(house.operator, "GET", "/changes?limit=1")[0] == 0)

    stack.submit(mia, SECRET, mia, f"nobody is at home {postmaster}")
    with stack.imap(mia, SECRET) as box:
        assert stack.signed(received(box, f"nobody is at home {postmaster}"))
        stack.from_outside(mia, f"from outside {postmaster}")
        assert received(box, f"from outside {postmaster}")
    assert stack.rcpt(f"postmaster@{house.domain}") == 250
    assert stack.rcpt(f"nobody{postmaster}@{house.domain}") == 550
    assert not stack.may_sign_in(leo, SECRET)
    with pytest.raises(imaplib.IMAP4.error):
        stack.imap(mia, "not the right password")

    hands.let_go(supervisor)
    until("the API answers again", lambda: asked(house.operator, "GET", "/changes?limit=1")[0] == 200, within=60)
    house.operator.verified(house.operator.change("mailboxes.resume", {"mailbox": leo}), within=60)
    assert stack.may_sign_in(leo, SECRET)


@pytest.mark.soak  # a minute of waiting
def test_a_connection_cut_before_the_first_try(hands: Hands, house: House) -> None:
    """Its job fails before it has numbered a try; the delivery is tried all the same.

    Guard: a delivery has a next try from the moment it is written (deliver._delivery).
    """
    client, worker = house.new_client(), hands.pid("worker")
    hands.hold(worker)
    added = house.operator.change("domains.add", {"client": client, "name": f"{client}.example"})
    cut = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%\"target\"%%nodes%%'"
    with hands.table_locked("deliveries"):
        hands.let_go(worker)
        hands.kill(*(row[0] for row in until("it reads", lambda: hands.sql(cut))), by=signal.SIGTERM)
        time.sleep(0.5)
    house.operator.verified(added, within=90)
