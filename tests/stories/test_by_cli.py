"""The same by the program alone: what an operator types, and what it prints."""

import json
import uuid
from typing import Any

import pytest
from test_by_api import SECRET, ended, idling, owner_sets

from world import Stack, received, until

pytestmark = pytest.mark.server


class Typist:
    """Somebody at a terminal, with a session."""

    def __init__(self, stack: Stack, email: str) -> None:
        self.stack = stack
        self.token = json.loads(stack.run("token", "create", "--as", email, "--json"))["token"]

    def types(self, *words: str) -> Any:
        return json.loads(self.stack.run(*words, "--json", token=self.token))

    def reads(self, *words: str, ok: bool = True) -> str:
        return self.stack.run(*words, token=self.token, ok=ok)

    def changes(self, kind: str, why: str = "typed in a story", **params: str) -> Any:
        given = [word for name, value in params.items() for word in ("--param", f"{name}={value}")]
        return self.types("change", kind, *given, "--why", why)

    def verified(self, change: dict[str, Any]) -> Any:
        def look() -> Any:
            now = self.types("show", change["id"])
            return now if now["stage"] == "verified" else None

        return until(f"{change['kind']} is verified", look, every=0.5)


def test_a_mailbox_by_the_program_alone(stack: Stack) -> None:
    olive, ada = Typist(stack, "operator@northlight.example"), Typist(stack, "approver@northlight.example")
    name = f"typed{uuid.uuid4().hex[:8]}"
    domain, mia, leo = f"{name}.example", f"mia@{name}.example", f"leo@{name}.example"
    assert olive.changes("clients.create", name=name)["stage"] == "verified"
    added = olive.verified(olive.changes("domains.add", client=name, name=domain, hosting="hosted"))
    assert all(one["done"] and one["evidence"] for one in added["deliveries"])
    assert stack.dns(domain, "MX") == ["10 mx.postroom.example."] and stack.dns(domain, "TXT") == ["v=spf1 mx -all"]
    until("the domain is proven", lambda: olive.types("show", "domains", domain)["proof"] == "read")
    shown = olive.reads("change", "mailboxes.create", "-p", f"address={mia}", "--why", "asked", "--dry-run")
    assert mia in shown and "dry run" in shown
    for address in (mia, leo):
        contact = address.replace(".example", ".home.test")
        olive.verified(olive.changes("mailboxes.create", address=address, name="Mia", contact=contact))
        owner_sets(stack, stack.mailed_link(contact))
        until("its owner signs in", lambda address=address: stack.may_sign_in(address, SECRET))
    stack.submit(mia, SECRET, leo, f"from mia {name}")
    assert stack.signed(received(stack.imap(leo, SECRET), f"from mia {name}"))
    stack.from_outside(mia, f"from outside {name}")
    phone = stack.imap(mia, SECRET)
    assert received(phone, f"from outside {name}")
    idling(phone)

    suspended = olive.changes("mailboxes.suspend", "phone stolen", mailbox=mia)
    assert ended(phone), "the session that was open is ended"
    olive.verified(suspended)
    assert not stack.may_sign_in(mia, SECRET)
    olive.verified(olive.types("undo", suspended["id"], "--why", "found again"))
    until("she signs in again", lambda: stack.may_sign_in(mia, SECRET))
    log = olive.reads("log", "--client", name)
    assert "phone stolen" in log and "operator@northlight.example" in log
    (edit, *_) = olive.types("show", suspended["id"])["edits"]
    assert edit["before"]["suspended_at"] is None and edit["after"]["suspended_at"]
    shown = olive.reads("show", suspended["id"])
    assert "phone stolen" in shown and "suspended_at: nothing ->" in shown

    held = olive.changes("mailboxes.remove", mailbox=mia)
    assert held["stage"] == "held"
    own = olive.reads("approve", held["id"], "--plan-hash", held["plan_hash"], ok=False)
    assert "nobody approves what they proposed" in own
    ada.types("approve", held["id"], "--plan-hash", held["plan_hash"])
    until("mail to her is refused", lambda: stack.rcpt(mia) == 550)


def test_what_is_wrong_is_said_all_at_once_and_the_exit_code_says_so(stack: Stack) -> None:
    olive = Typist(stack, "operator@northlight.example")
    said = olive.reads(
        "change", "mailboxes.create", "-p", "address=two@@ats", "-p", "quota_mb=-1", "--why", "x", ok=False
    )
    assert "address:" in said and "quota_mb:" in said
    assert "no kind" in olive.reads("change", "mailboxes.explode", "--why", "x", ok=False)


def test_a_refused_change_is_shown_and_ends_with_exit_code_1(stack: Stack) -> None:
    olive = Typist(stack, "operator@northlight.example")
    wanted = ("-p", "mailbox=bill.portman@initech.example", "-p", "quota_mb=1", "--why", "x")
    for dry in ((), ("--dry-run",)):
        said = json.loads(olive.reads("change", "mailboxes.change", *wanted, *dry, "--json", ok=False))
        assert [verdict["policy"] for verdict in said["verdicts"] if verdict["says"] == "refuse"] == ["frozen"]


def test_what_went_through_during_a_freeze_is_looked_at_by_somebody_else(stack: Stack) -> None:
    olive, ada = Typist(stack, "operator@northlight.example"), Typist(stack, "approver@northlight.example")
    name = f"frozen{uuid.uuid4().hex[:8]}"
    olive.changes("clients.create", name=name)
    olive.changes("freezes.start", scope=name, reason="a dispute")
    closing = olive.changes("clients.suspend", "not paid", client=name)
    assert closing["version"], "what only closes goes through"
    listed = ada.reads("review")
    (line,) = (one for one in listed.split("due ") if closing["id"] in one)
    assert "during freeze: a dispute" in line
    number = next(str(one["id"]) for one in ada.types("review")["items"] if one["change"]["id"] == closing["id"])
    own = olive.reads("review", number, "--why", "all well", ok=False)
    assert "not allowed" in own
    closed = ada.types("review", number, "--why", "asked them: not paid")
    assert [one["found"] for one in closed["reviews"]] == ["asked them: not paid"]
    assert closing["id"] not in ada.reads("review")


def test_the_doctor_finds_everything_in_step(stack: Stack) -> None:
    def well() -> bool:
        found = json.loads(stack.run("doctor", "--json", ok=None))  # what waits is other stories', and ends it badly
        return all(one["good"] for one in found if "wait" not in one["asked"])

    assert until("the doctor is content", well, within=40, every=2)
