"""Programs that people read and send mail with: let in by each credential, and cut off by each way to end one.

What ends is ended while the programs are signed in, and by somebody's act at the pages or the API. All of it is done at
once, each to a mailbox of its own, since most of the time goes by in waiting; then each is judged by itself.
"""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest
from on_the_phone import ADA, NORA, OLIVE

from oauth_app import OAuthApp, listening, says_yes, signed_in_at
from real_clients import PROGRAMS, PROTOCOLS, Credential, Server, mbsync, msmtp, server_of, signs_in, somewhere
from world import Browser, Person, Stack, letter, until

pytestmark = pytest.mark.server
SECRET, NEW = "four plain words here", "quite other plain words"
APP = re.compile(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){6}\b")
CODE = re.compile(r"[a-z2-9]{5}(?:-[a-z2-9]{5}){2}")
MAIN, DEVICE, OAUTH, NONE = frozenset({"main"}), frozenset({"app"}), frozenset({"oauth"}), frozenset[str]()
ALL = MAIN | DEVICE | OAUTH
WITHIN = 5.0  # seconds after the act: what is revoked is of no use at once (NIST SP 800-63B-4, 4.3, 4.4)


@dataclass
class Account:
    """A mailbox, its owner at their page, and what programs sign in to it with, by name. app: what its owner let in;
    tokens: what that has."""

    address: str
    page: Browser
    code: str
    credentials: dict[str, Credential]
    app: OAuthApp
    tokens: dict[str, str]


@dataclass(frozen=True)
class Office:
    """Who may end what."""

    stack: Stack
    olive: Person
    ada: Person
    nora: Person


@dataclass(frozen=True)
class Ends:
    """One way to end something. cut: whose open sessions end with it; shut: who does not get in again."""

    act: Callable[[Office, Account], object]
    cut: frozenset[str]
    shut: frozenset[str]
    alone: bool = False  # at a client of its own, since others of the same client would be met too


def ended_by_its_owner(field: str) -> Callable[[Office, Account], object]:
    """By the button on their page beside it: an app_password, or a consent."""

    def act(office: Office, own: Account) -> None:
        own.page.open(office.stack.at["web"] + "/mailbox/")
        (which,) = re.findall(rf'name="{field}" value="([0-9a-f-]{{36}})"', own.page.page)
        (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', own.page.page)[:1])
        end = office.stack.at["web"] + "/mailbox/app-passwords/end/"
        own.page.open(end, {field: which, "csrfmiddlewaretoken": token})

    return act


def ended_by_an_operator(office: Office, own: Account) -> None:
    (one,) = (c for c in office.olive.get(f"/credentials?search={own.address}")["items"] if c["sort"] != "oauth")
    office.olive.change("app_passwords.end", {"app_password": one["id"]}, "the phone is lost")


def refreshed_twice(office: Office, own: Account) -> None:
    """Whoever took the refresh token was the second, or the first; nobody can say (RFC 9700, 4.14.2)."""
    assert [own.app.refreshes(own.tokens["refresh_token"])[0] for _ in range(2)] == [200, 400]


def app_ended(office: Office, own: Account) -> None:
    office.nora.change("mail_apps.end", {"mail_app": own.app.identity}, "nobody looks after it any more")


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
    "its owner ends the app password": Ends(ended_by_its_owner("app_password"), cut=DEVICE, shut=DEVICE),
    "an operator ends the app password": Ends(ended_by_an_operator, cut=DEVICE, shut=DEVICE),
    "its owner ends the consent": Ends(ended_by_its_owner("consent"), cut=OAUTH, shut=OAUTH),
    "a refresh token came twice": Ends(refreshed_twice, cut=OAUTH, shut=OAUTH),
    "the app is ended": Ends(app_ended, cut=OAUTH, shut=OAUTH),
    "its owner chooses another password": Ends(another_password, cut=ALL, shut=MAIN),
    "its owner gets it back by the code": Ends(got_back, cut=ALL, shut=ALL),
    "sessions ended": Ends(by_kind("mailboxes.end_sessions"), cut=ALL, shut=NONE),
    "suspended": Ends(by_kind("mailboxes.suspend"), cut=ALL, shut=ALL),
    "transferred": Ends(by_kind("mailboxes.transfer", contact="somebody.else@home.test"), cut=ALL, shut=ALL),
    "removed": Ends(by_kind("mailboxes.remove"), cut=ALL, shut=ALL),
    "domain suspended": Ends(by_kind("domains.suspend", "domain"), cut=ALL, shut=ALL, alone=True),
    "client suspended": Ends(by_kind("clients.suspend", "client"), cut=ALL, shut=ALL, alone=True),
    "app passwords alone": Ends(
        by_kind("clients.change", "client", app_passwords_only=True), cut=ALL, shut=MAIN, alone=True
    ),
}


@dataclass
class Outcome:
    """took: by credential and protocol, seconds until its session had ended; None where it went on."""

    took: dict[tuple[str, str], float | None] = field(default_factory=dict)
    after: dict[str, dict[str, bool]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def office(stack: Stack) -> Office:
    return Office(stack, stack.person(OLIVE), stack.person(ADA), stack.person(NORA))


@pytest.fixture(scope="module")
def server(stack: Stack) -> Server:
    return server_of(stack)


@pytest.fixture(scope="module")
def accounts(office: Office) -> Iterator[dict[str, Account]]:
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
    with ExitStack() as running, ThreadPoolExecutor(3) as crew:
        made = crew.map(lambda one: account(office, one, running), addresses.values())
        yield dict(zip(addresses, made, strict=True))


def account(office: Office, address: str, running: ExitStack) -> Account:
    contact = address.replace("@", ".at.").replace(".example", "") + "@home.test"
    office.olive.change("mailboxes.create", {"address": address, "contact": contact})
    page, web = Browser(somewhere()), office.stack.at["web"]
    page.open(office.stack.mailed_link(contact, within=60))
    code = "-".join(CODE.findall(page.fill(password=SECRET)))
    until("the node has the secret", lambda: office.stack.may_sign_in(address, SECRET), within=60)
    page = signed_in_at(web, address, SECRET)
    page.open(f"{web}/mailbox/app-passwords/new/")
    made = page.press(name="Phone", imap="on", submission="on", managesieve="on", password=SECRET)
    assert APP.search(made), made[:3000]
    (drawn,) = set(APP.findall(made))
    shown = {"main": Credential(address, SECRET), "app": Credential(address, drawn)}
    until("the app password is there", lambda: office.stack.may_sign_in(address, drawn), within=30)
    app = running.enter_context(listening(web, named(office, f"App of {address}")))
    return Account(address, page, code, shown, app, says_yes(app, page, SECRET, "Laptop"))


def named(office: Office, name: str) -> str:
    """A mail app's client_id."""
    back = ["http://127.0.0.1/back"]
    done = office.nora.change("mail_apps.add", {"name": name[:60], "redirect_uris": back}, "a story")
    rows = office.nora.get(f"/changes/{done['id']}")["edits"]
    return next(str(one["id"]) for one in rows if one["table"] == "mail_apps")


def renewed(own: Account) -> None:
    """Its token is good for five minutes from now."""
    status, own.tokens = own.app.refreshes(own.tokens["refresh_token"])
    assert status == 200, own.tokens
    own.credentials["oauth"] = Credential(own.address, own.tokens["access_token"], "XOAUTH2")


@pytest.fixture(scope="module")
def outcomes(office: Office, server: Server, accounts: dict[str, Account]) -> Iterator[dict[str, Outcome]]:
    with ThreadPoolExecutor(6) as crew:
        done = crew.map(lambda what: tried(office, server, ENDS[what], accounts[what]), ENDS)
        yield dict(zip(ENDS, done, strict=True))


def tried(office: Office, server: Server, one: Ends, own: Account) -> Outcome:
    """Everybody is in; it is ended; who was put out, and who gets in again."""
    found = Outcome()
    renewed(own)
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


@pytest.mark.parametrize("by", ["main", "app", "oauth", "oauthbearer"])
def test_each_reads_sends_and_filters(server: Server, accounts: dict[str, Account], by: str) -> None:
    renewed(accounts[""])
    known = accounts[""].credentials
    shown = known[by] if by in known else replace(known["oauth"], mechanism=by.upper())
    reader = known["oauth"] if shown.bearer else shown
    subject = f"by {by} {uuid.uuid4().hex[:6]}"
    msmtp(server, shown, shown.login, letter(shown.login, shown.login, subject).as_bytes())
    until("mbsync has it", lambda: any(subject.encode() in one for one in mbsync(server, reader, tunnel=False)))
    no_plugin = {"mbsync"} if by == "oauthbearer" else set()
    assert signs_in(server, shown) == dict.fromkeys(PROGRAMS.keys() - no_plugin, True)
    wrong = replace(shown, secret=shown.secret[:-2] + ("xx" if shown.secret[-2:] != "xx" else "yy"))
    assert not any(signs_in(server, wrong).values())


@pytest.mark.parametrize("what", ENDS)
def test_who_was_in_is_put_out_and_stays_out(outcomes: dict[str, Outcome], what: str) -> None:
    one, found = ENDS[what], outcomes[what]
    cut = {key for key, seconds in found.took.items() if seconds is not None}
    assert cut == {key for key in found.took if key[0] in one.cut}, found.took
    assert all(seconds <= WITHIN for seconds in found.took.values() if seconds is not None), found.took
    for name, programs in found.after.items():
        assert set(programs.values()) == {name not in one.shut}, (name, programs)
