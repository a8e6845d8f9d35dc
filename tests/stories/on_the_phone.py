"""A VIP whose owner calls: what was there a week before, and the same requests by the API and by the program."""

import json
import re
from dataclasses import dataclass
from typing import Any

from clock import Clock

from world import Browser, Person, Refused, Stack, received, until

OLIVE, ADA, HENRY, NORA = (f"{who}@northlight.example" for who in ("operator", "approver", "helpdesk", "owner"))
SECRET, NEW = "four plain words here", "quite other plain words"
CODE = re.compile(r"[a-z2-9]{5}(?:-[a-z2-9]{5}){2}")
THIEF = "thief@elsewhere.test"
Document = dict[str, Any]


@dataclass
class Vip:
    """A mailbox and its owner's ways back: two addresses and a number that count, an address that was one before."""

    address: str
    code: str
    home: str
    before: str
    other: str
    number: str
    number_id: str


@dataclass
class House:
    """A client with VIPs; Amy is its admin, and somebody reads what its security contact is told."""

    stack: Stack
    clock: Clock
    client: str
    amy: str
    security: str
    vips: dict[str, Vip]


def at_home(clock: Clock, client: str, names: list[str]) -> House:
    """All of it, eight days ago as the installation sees it."""
    stack, domain = clock.stack, f"{client}.example"
    olive, nora = stack.person(OLIVE), stack.person(NORA)
    amy, security = f"amy@{client}.test", f"security.{client}@home.test"
    olive.change("clients.create", {"name": client, "security_contact": security})
    nora.change("people.invite", {"name": "Amy Lind", "email": amy, "client": client})
    assert nora.change("grants.give", {"person": amy, "role": "client admin", "client": client})["version"]
    olive.verified(olive.change("domains.add", {"client": client, "name": domain}))
    until("the domain is proven", lambda: olive.get(f"/domains/{domain}")["proof"] == "read")
    rows = [{"address": f"{name}@{domain}", "name": name.title(), "contact": first(client, name)} for name in names]
    olive.verified(olive.change("mailboxes.create", rows))
    vips = {name: _settled(stack, olive, client, name, n) for n, name in enumerate(names)}
    clock.on(days=8)
    return House(stack, clock, client, amy, security, vips)


def first(client: str, name: str) -> str:
    """Where a mailbox's first link went."""
    return f"{name}.first.{client}@home.test"


def _settled(stack: Stack, olive: Person, client: str, name: str, n: int) -> Vip:
    address = f"{name}@{client}.example"
    page = Browser()
    page.open(stack.mailed_link(first(client, name)))
    code = "-".join(CODE.findall(page.fill(password=SECRET)))
    home, before, other = (f"{name}.{what}.{client}@home.test" for what in ("home", "before", "other"))
    number = f"+4420794600{n:02}"
    ids = [_named(olive, address, value) for value in (home, before, other, number)]
    for contact in (home, before, other):
        confirmed(stack.mailed_link(contact, "/confirm/"))
    until("she signs in", lambda: stack.may_sign_in(address, SECRET))
    # Of a number the question goes to the mailbox itself.
    confirmed(link_in(received(stack.imap(address, SECRET), "Do you still read this").decode(), "/confirm/"))
    olive.change("recovery_channels.end", {"channel": ids[1]}, "she reads it no more")
    olive.change("mailboxes.change", {"mailbox": address, "vip": True})
    return Vip(address, code, home, before, other, number, ids[3])


def _named(olive: Person, address: str, value: str) -> str:
    done = olive.change("recovery_channels.name", {"mailbox": address, "value": value})
    return made(olive.get(f"/changes/{done['id']}"), "recovery_channels")


def made(change: Document, table: str) -> str:
    """The id of the row that a change made."""
    return next(str(one["id"]) for one in change["edits"] if one["table"] == table and not one["before"])


def confirmed(link: str) -> None:
    page = Browser()
    page.open(link)
    assert "Thank you" in page.press(), page.page[:2000]


def link_in(message: str, at: str) -> str:
    return next(word for word in message.replace("=\n", "").split() if word.startswith("http://") and at in word)


class ByApi:
    """Somebody with a session at the API."""

    def __init__(self, stack: Stack, email: str) -> None:
        self.person = stack.person(email)

    def asks(self, kind: str, **params: Any) -> Document:
        """The change, done or waiting; whatever spoke against it is an error here."""
        change: Document = self.person.change(kind, params, ticket="T-7")
        assert change["stage"] != "refused", change["verdicts"]
        return self.shows(change["id"])

    def is_refused(self, kind: str, **params: Any) -> str:
        """Why not."""
        try:
            change = self.person.change(kind, params, ticket="T-7")
        except Refused as refused:
            return json.dumps(refused.document)
        assert change["stage"] == "refused", change["stage"]
        return json.dumps(change["verdicts"])

    def approves(self, change: Document) -> Document:
        return dict(self.person.approve(change))

    def may_not_approve(self, change: Document) -> str:
        try:
            self.person.ask("POST", f"/changes/{change['id']}/approve", {"plan_hash": change["plan_hash"]})
        except Refused as refused:
            return json.dumps(refused.document)
        raise AssertionError("it was approved")

    def shows(self, change: str) -> Document:
        return dict(self.person.get(f"/changes/{change}"))

    def who_can_reset(self, mailbox: str) -> list[Document]:
        return list(self.person.get(f"/mailboxes/{mailbox}/who-can-reset")["items"])

    def findings(self, check: str) -> list[Document]:
        return list(self.person.get(f"/findings?check={check}&state=open")["items"])

    def log(self, client: str) -> list[Document]:
        return list(self.person.get(f"/changes?client={client}&limit=200")["items"])


class ByProgram:
    """Somebody at a terminal."""

    def __init__(self, stack: Stack, email: str) -> None:
        self.stack = stack
        self.token = json.loads(stack.run("token", "create", "--as", email, "--json"))["token"]

    def types(self, *words: str) -> Any:
        return json.loads(self.stack.run(*words, "--json", token=self.token))

    def fails(self, *words: str) -> str:
        return self.stack.run(*words, token=self.token, ok=False)

    def asks(self, kind: str, **params: Any) -> Document:
        return dict(self.types("change", kind, *_typed(params), "--why", "a story", "--ticket", "T-7"))

    def is_refused(self, kind: str, **params: Any) -> str:
        return self.fails("change", kind, *_typed(params), "--why", "a story", "--ticket", "T-7", "--json")

    def approves(self, change: Document) -> Document:
        return dict(self.types("approve", change["id"], "--plan-hash", change["plan_hash"]))

    def may_not_approve(self, change: Document) -> str:
        return self.fails("approve", change["id"], "--plan-hash", change["plan_hash"])

    def shows(self, change: str) -> Document:
        return dict(self.types("show", change))

    def who_can_reset(self, mailbox: str) -> list[Document]:
        return list(self.types("who-can-reset", mailbox)["items"])

    def findings(self, check: str) -> list[Document]:
        return list(self.types("findings", "--check", check, "--state", "open")["items"])

    def log(self, client: str) -> list[Document]:
        return list(self.types("log", "--client", client, "--limit", "200")["items"])


def _typed(params: dict[str, Any]) -> list[str]:
    """As somebody types them: a list is a parameter named again."""
    pairs = [(name, one) for name, value in params.items() for one in (value if isinstance(value, list) else [value])]
    said = [f"{name}={str(one).lower() if isinstance(one, bool) else one}" for name, one in pairs]
    return [word for one in said for word in ("-p", one)]
