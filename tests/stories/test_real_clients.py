"""Programs that people read and send mail with: let in by each credential, and cut off by each way to end one.

What ends is ended while the programs are signed in, and by somebody's act at the pages or the API. All of it is done at
once, each to a mailbox of its own, since most of the time goes by in waiting; then each is judged by itself.
"""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from on_the_phone import ADA, OLIVE

from real_clients import Credential, Filtering, Held, Reading, Sending, Server, mbsync, msmtp, signs_in, somewhere
from world import Browser, Person, Stack, letter, until

pytestmark = [pytest.mark.server, pytest.mark.secrets]
SECRET, NEW = "four plain words here", "quite other plain words"
APP = re.compile(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){6}\b")
CODE = re.compile(r"[a-z2-9]{5}(?:-[a-z2-9]{5}){2}")
BOTH, MAIN, DEVICE, NONE = frozenset({"main", "app"}), frozenset({"main"}), frozenset({"app"}), frozenset[str]()


@dataclass
class Account:
    """A mailbox, its owner at their page, and what programs sign in to it with, by name."""

    address: str
    page: Browser
    code: str
    credentials: dict[str, Credential]


@dataclass(frozen=True)
class Office:
    """Who may end what."""

    stack: Stack
    olive: Person
    ada: Person


@dataclass(frozen=True)
class Ends:
    """One way to end something. cut: whose open sessions end with it; shut: who does not get in again."""

    act: Callable[[Office, Account], object]
    cut: frozenset[str]
    shut: frozenset[str]
    alone: bool = False  # at a client of its own, since others of the same client would be met too


def ended_by_its_owner(office: Office, own: Account) -> None:
    own.page.open(office.stack.at["web"] + "/mailbox/")
    (which,) = re.findall(r'name="app_password" value="([0-9a-f-]{36})"', own.page.page)
    (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', own.page.page)[:1])
    end = office.stack.at["web"] + "/mailbox/app-passwords/end/"
    own.page.open(end, {"app_password": which, "csrfmiddlewaretoken": token})


def ended_by_an_operator(office: Office, own: Account) -> None:
    (one,) = office.olive.get(f"/credentials?search={own.address}")["items"]
    office.olive.change("app_passwords.end", {"app_password": one["id"]}, "the phone is lost")


def another_password(office: Office, own: Account) -> None:
    own.page.open(office.stack.at["web"] + "/mailbox/password/")
    own.page.press(old=SECRET, password=NEW, again=NEW)
    assert "You have another password" in own.page.page, own.page.page[:2000]


def got_back(office: Office, own: Account) -> None:
    browser = Browser(somewhere())
    browser.open(office.stack.at["web"] + "/mailbox/recover/")
    browser.press(address=own.address, code=own.code, password=NEW, again=NEW)
    assert "Keep this recovery code" in browser.page, browser.page[:2000]


def by_kind(kind: str, name: str = "mailbox", **more: object) -> Callable[[Office, Account], object]:
    """A change about the mailbox, its domain or its client; a second person agrees where one is wanted."""

    def act(office: Office, own: Account) -> None:
        domain = own.address.partition("@")[2]
        about = {"mailbox": own.address, "domain": domain, "client": domain.partition(".")[0]}[name]
        change = office.olive.change(kind, {name: about, **more}, "a story")
        if change["stage"] == "held":
            office.ada.approve(change)

    return act


ENDS = {
    "its owner ends the app password": Ends(ended_by_its_owner, cut=DEVICE, shut=DEVICE),
    "an operator ends the app password": Ends(ended_by_an_operator, cut=DEVICE, shut=DEVICE),
    "its owner chooses another password": Ends(another_password, cut=BOTH, shut=MAIN),
    "its owner gets it back by the code": Ends(got_back, cut=BOTH, shut=BOTH),
    "sessions ended": Ends(by_kind("mailboxes.end_sessions"), cut=BOTH, shut=NONE),
    "suspended": Ends(by_kind("mailboxes.suspend"), cut=BOTH, shut=BOTH),
    "transferred": Ends(by_kind("mailboxes.transfer", contact="somebody.else@home.test"), cut=BOTH, shut=BOTH),
    "removed": Ends(by_kind("mailboxes.remove"), cut=BOTH, shut=BOTH),
    "domain suspended": Ends(by_kind("domains.suspend", "domain"), cut=BOTH, shut=BOTH, alone=True),
    "client suspended": Ends(by_kind("clients.suspend", "client"), cut=BOTH, shut=BOTH, alone=True),
    "app passwords alone": Ends(
        by_kind("clients.change", "client", app_passwords_only=True), cut=BOTH, shut=MAIN, alone=True
    ),
}


@dataclass
class Outcome:
    """took: by credential and protocol, seconds until its session had ended; None where it went on."""

    took: dict[tuple[str, str], float | None] = field(default_factory=dict)
    after: dict[str, dict[str, bool]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def office(stack: Stack) -> Office:
    return Office(stack, stack.person(OLIVE), stack.person(ADA))


@pytest.fixture(scope="module")
def server(stack: Stack) -> Server:
    (host, imaps), submissions, sieve = (
        stack.host_port("imaps"), stack.host_port("submissions"), stack.host_port("managesieve"),
    )  # fmt: skip
    shown = Path(stack.state / "node/tls/cert.pem")
    return Server(host, imaps, submissions[1], sieve[1], shown, "localhost")


@pytest.fixture(scope="module")
def accounts(office: Office) -> dict[str, Account]:
    """One for each way to end something, and one of which nothing ends."""
    name = f"real{uuid.uuid4().hex[:6]}"
    at = {what: f"{name}{n if one.alone else ''}" for n, (what, one) in enumerate(ENDS.items())} | {"": name}
    for client in dict.fromkeys(at.values()):
        office.olive.change("clients.create", {"name": client})
        office.olive.change("domains.add", {"client": client, "name": f"{client}.example"})
    for client in dict.fromkeys(at.values()):
        proof = f"/domains/{client}.example"
        until(f"{client} is proven", lambda path=proof: office.olive.get(path)["proof"] == "read", within=60)
    addresses = {what: f"box{n}@{client}.example" for n, (what, client) in enumerate(at.items())}
    with ThreadPoolExecutor(3) as crew:
        return dict(zip(addresses, crew.map(lambda one: account(office, one), addresses.values()), strict=True))


def account(office: Office, address: str) -> Account:
    contact = address.replace("@", ".at.").replace(".example", "") + "@home.test"
    office.olive.change("mailboxes.create", {"address": address, "contact": contact})
    page, web = Browser(somewhere()), office.stack.at["web"]
    page.open(office.stack.mailed_link(contact, within=60))
    code = "-".join(CODE.findall(page.fill(password=SECRET)))

    def in_it() -> bool:
        page.open(f"{web}/mailbox/sign-in/")
        page.press(address=address, password=SECRET)
        return page.url.endswith("/mailbox/")

    until("the node has the secret", lambda: office.stack.may_sign_in(address, SECRET), within=60)
    until("its owner signs in", in_it, within=150, every=1)
    page.open(f"{web}/mailbox/app-passwords/new/")
    made = page.press(name="Phone", imap="on", submission="on", managesieve="on", password=SECRET)
    assert APP.search(made), made[:3000]
    (drawn,) = set(APP.findall(made))
    shown = {"main": Credential(address, SECRET), "app": Credential(address, drawn)}
    until("the app password is there", lambda: office.stack.may_sign_in(address, drawn), within=30)
    return Account(address, page, code, shown)


PROTOCOLS: dict[str, type[Held]] = {"imap": Reading, "submission": Sending, "managesieve": Filtering}


@pytest.fixture(scope="module")
def outcomes(office: Office, server: Server, accounts: dict[str, Account]) -> Iterator[dict[str, Outcome]]:
    with ThreadPoolExecutor(6) as crew:
        done = crew.map(lambda what: tried(office, server, ENDS[what], accounts[what]), ENDS)
        yield dict(zip(ENDS, done, strict=True))


def tried(office: Office, server: Server, one: Ends, own: Account) -> Outcome:
    """Everybody is in; it is ended; who was put out, and who gets in again."""
    found = Outcome()
    held = {
        (name, protocol): open_it(server, by) for name, by in own.credentials.items()
        for protocol, open_it in PROTOCOLS.items()
    }  # fmt: skip
    assert all(session.is_open() for session in held.values())
    one.act(office, own)
    started = time.monotonic()
    for key, session in sorted(held.items(), key=lambda pair: pair[0][0] not in one.cut):
        found.took[key] = (
            None if session.is_open_after(started, ending=key[0] in one.cut) else time.monotonic() - started
        )
        session.close()
    found.after = {name: signs_in(server, by) for name, by in own.credentials.items()}
    return found


@pytest.mark.parametrize("by", ["main", "app"])
def test_each_reads_sends_and_filters(server: Server, accounts: dict[str, Account], by: str) -> None:
    shown = accounts[""].credentials[by]
    subject = f"by {by} {uuid.uuid4().hex[:6]}"
    msmtp(server, shown, shown.login, letter(shown.login, shown.login, subject).as_bytes())
    until("mbsync has it", lambda: any(subject.encode() in one for one in mbsync(server, shown, tunnel=False)))
    assert signs_in(server, shown) == dict.fromkeys(("mbsync", "msmtp", "openssl"), True)
    wrong = Credential(shown.login, shown.secret[:-1] + "x")
    assert not any(signs_in(server, wrong).values())


@pytest.mark.parametrize("what", ENDS)
def test_who_was_in_is_put_out_and_stays_out(outcomes: dict[str, Outcome], what: str) -> None:
    one, found = ENDS[what], outcomes[what]
    cut = {key for key, seconds in found.took.items() if seconds is not None}
    assert cut == {key for key in found.took if key[0] in one.cut}, found.took
    assert all(seconds < 15 for seconds in found.took.values() if seconds is not None), found.took
    for name, programs in found.after.items():
        assert set(programs.values()) == {name not in one.shut}, (name, programs)
