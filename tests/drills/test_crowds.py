"""Many at once: changes of one client apply one after the other, a freeze counts at once, one owner always stays."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hands import Hands, asked, sent

from conftest import House, quotas
from world import Person, Stack, until

pytestmark = pytest.mark.drill


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_parallel_applies_and_a_freeze_in_the_middle(hands: Hands, house: House, rounds: int) -> None:
    """Guard: every apply locks its client's row and judges again under that lock (apply.lock, _judge_again)."""
    client = house.new_client()
    domain = house.new_domain(client)
    boxes = [f"b{n}@{domain}" for n in range(5)]
    house.operator.verified(house.operator.change("mailboxes.create", [{"address": box} for box in boxes]))
    for _ in range(rounds):
        answers = crowd(house, client, boxes)
        sorts = {stage: [a for a in answers if a["stage"] == stage] for stage in ("stale", *STOPPED)}
        through = [a for a in answers if a["version"] is not None]
        said = ", ".join(f"{len(some)} {name}" for name, some in {"through": through, **sorts}.items())
        print(said)
        assert len(through) + sum(map(len, sorts.values())) == len(answers), {a["stage"] for a in answers}
        frozen = hands.one("SELECT max(c.version) FROM changes c JOIN clients o ON o.id = c.client_id "
                           "WHERE slug = %s AND kind = 'freezes.start'", client)  # fmt: skip
        assert through and sorts["refused"], said
        assert max(a["version"] for a in through) < frozen, "nothing came in after the freeze"
        assert all("frozen: an audit" in str(a["verdicts"]) for a in sorts["refused"] + sorts["held"])
        assert all("not as it was planned from" in str(a["verdicts"]) for a in sorts["stale"])
        house.owner.change("freezes.end", {"freeze": freeze_of(hands, client)})
        versions = hands.sql("SELECT e.version FROM entries e JOIN clients c ON c.id = e.client_id WHERE c.slug = %s "
                             "AND e.version > 0 ORDER BY 1", client)  # fmt: skip
        assert [row[0] for row in versions] == list(range(1, len(versions) + 1)), "without gaps"
        for one in through[:3] + through[-3:]:
            house.operator.verified(one, within=60)


# Refused when it was proposed; held anew when the freeze came between that and the lock (heart.md, Stages).
STOPPED = ("refused", "held")


def crowd(house: House, client: str, boxes: list[str]) -> list[Any]:
    """Fifty people who change five mailboxes, again and again, until a freeze that comes in the middle stops them."""
    frozen = threading.Event()
    began = time.monotonic()

    def changing(n: int) -> list[Any]:
        answers: list[Any] = []
        while not answers or answers[-1]["stage"] not in STOPPED:
            late = frozen.is_set()
            status, answer = sent(
                house.operator, "mailboxes.change", {"mailbox": boxes[n % 5], "quota_mb": next(quotas)}
            )
            assert status == (202 if answer["stage"] == "held" else 200), answer
            assert not late or answer["stage"] in STOPPED, "begun after the freeze was answered"
            assert time.monotonic() < began + 60
            answers.append(answer)
        return answers

    with ThreadPoolExecutor(50) as pool:
        asking = [pool.submit(changing, n) for n in range(50)]
        time.sleep(1)
        house.owner.change("freezes.start", {"scope": client, "reason": "an audit"})
        frozen.set()
        return [answer for one in asking for answer in one.result()]


def test_a_freeze_between_approval_and_apply(hands: Hands, house: House) -> None:
    """Guard: apply asks the policies again; what the approver did not see voids the approval."""
    client = house.new_client()
    domain = house.new_domain(client)
    boxes = [{"address": f"late{n}@{domain}"} for n in range(26)]
    at = (datetime.now(UTC) + timedelta(seconds=4)).replace(microsecond=0).isoformat()  # times are whole seconds
    held = house.operator.change("mailboxes.create", boxes, at=at)
    assert held["stage"] == "held"
    assert house.approver.approve(held)["stage"] == "scheduled"
    house.owner.change("freezes.start", {"scope": client, "reason": "an audit"})
    now = until("it is held anew", lambda: (n := seen(house, held))["stage"] == "held" and n)
    assert datetime.now(UTC).isoformat() >= at
    assert any(v["says"] == "refuse" and "an audit" in v["reason"] for v in now["verdicts"])
    assert [a["void"] for a in now["approvals"]] == [True]
    assert hands.one("SELECT count(*) FROM addresses WHERE address LIKE %s", f"late%@{domain}") == 0
    status, _ = asked(house.approver, "POST", f"/changes/{held['id']}/approve", {"plan_hash": now["plan_hash"]})
    assert status == 409, "while the refusal stands it is not approved"
    house.owner.change("freezes.end", {"freeze": freeze_of(hands, client)})
    house.approver.approve(held)
    house.operator.verified(held, within=60)


@pytest.mark.parametrize("rounds", [2, pytest.param(40, marks=pytest.mark.soak)])
def test_two_owners_end_each_other(stack: Stack, hands: Hands, house: House, rounds: int) -> None:
    """Guard: the last owner is judged under the organization's lock; on old rows both would go through."""
    email = f"second{uuid.uuid4().hex[:8]}@northlight.example"
    house.owner.change("people.invite", {"name": "Second Owner", "email": email})
    give(house, house.owner, email)
    people = {"owner@northlight.example": house.owner, email: stack.person(email)}
    for _ in range(rounds):
        grants = owners(hands)
        assert set(grants) == set(people)
        start = threading.Barrier(2)

        def end(me: str, other: str, start: threading.Barrier = start, grants: dict[str, str] = grants) -> Any:
            start.wait()
            return sent(people[me], "grants.end", {"grant": grants[other]})

        with ThreadPoolExecutor(2) as pool:
            duel = [pool.submit(end, me, other) for me, other in zip(people, reversed(people), strict=True)]
        ended = [one.result() for one in duel]
        (left,) = owners(hands)
        assert sorted(a["version"] is not None for _, a in ended if "version" in a)[-1:] == [True], ended
        give(house, people[left], next(who for who in people if who != left))
    house.owner.change("grants.end", {"grant": owners(hands)[email]})
    status, last = sent(house.owner, "grants.end", {"grant": owners(hands)["owner@northlight.example"]})
    assert status == 200 and last["stage"] == "refused" and "last owner" in str(last["verdicts"])
    assert set(owners(hands)) == {"owner@northlight.example"}


def give(house: House, giver: Person, email: str) -> None:
    given = giver.change("grants.give", {"person": email, "role": "owner"})
    if given["stage"] == "held":
        house.approver.approve(given)
    until("it is given", lambda: giver.get(f"/changes/{given['id']}")["stage"] == "verified")


def owners(hands: Hands) -> dict[str, str]:
    rows = hands.sql("SELECT p.email, g.id FROM grants g JOIN people p ON p.id = g.person_id WHERE g.role = 'owner' "
                     "AND g.ended_at IS NULL AND g.client_id IS NULL")  # fmt: skip
    return {email: str(id) for email, id in rows}


def freeze_of(hands: Hands, client: str) -> str:
    return str(hands.one("SELECT f.id FROM freezes f JOIN clients c ON c.id = f.client_id WHERE c.slug = %s "
                         "AND f.ended_at IS NULL", client))  # fmt: skip


def seen(house: House, change: Any) -> Any:
    time.sleep(0.1)
    return house.operator.get(f"/changes/{change['id']}")
