"""Secrets of a story, and then a search for each, in every spelling, over all that an installation shows and keeps.

What may be where, and nowhere else: a one-time link stands in the one mail that carries it, and so does the code that a
caller reads out, of which a keyed hash is kept. Of what a machine drew, 138
bits and more, the SHA-256 is kept: among the secrets of the database, and of app passwords in the node's secrets.db; of
what a mail app came back with and renews its token by, among the sign-in library's rows; of what a terminal waits with,
among its own. An access token is kept nowhere. What people choose is kept by argon2id alone, with a salt: no spelling
of it is anywhere.
"""

import json
import re
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from clock import Clock
from on_the_phone import CODE, HENRY, OLIVE, THIEF, confirmed, made
from test_real_clients import APP

from oauth_app import listening
from spellings import found_in
from world import Browser, Person, Stack, received, until

pytestmark = [pytest.mark.server, pytest.mark.secrets]
FIRST, SECOND, WRONG = (
    f"{words} of {uuid.uuid4().hex[:8]}" for words in ("plum jam words", "pear tart", "wrong guess")
)
KEPT_HASHED = "sha256 hex"
KEPT_ELSEWHERE = {
    *(("table public.allauth_idp_oidc_token", one) for one in ("app's code", "refresh token", "second refresh token")),
    ("table public.device_codes", "device code"),
}
PAGES = 150
READ_OUT = re.compile(r"^  (\d{4} \d{4})$", re.MULTILINE)
MAILED = {"first link", "confirmation", "recovery link", "not-me link", "reset code"}


@dataclass
class Planted:
    """chosen: by people. drawn: by a machine, app passwords and codes. links: tokens, with whom each was mailed to."""

    stack: Stack
    client: str
    mia: str
    owner: Browser
    chosen: dict[str, str]
    drawn: dict[str, str]
    links: dict[str, str] = field(default_factory=dict)
    session: str = ""  # the verification in which the code was read out

    @property
    def all(self) -> dict[str, str]:
        return self.chosen | self.drawn | self.links


@pytest.fixture(autouse=True)
def tidy(clock: Clock) -> Iterator[None]:
    """In place of the other stories' own, which would start a demo of its own too."""
    yield
    clock.stack.leave()


@pytest.fixture(scope="module")
def planted(clock: Clock) -> Planted:
    """A mailbox whose owner does all that a secret is shown or typed for; its way back counts after a week."""
    stack = clock.stack
    olive, client = stack.person(OLIVE), f"plant{uuid.uuid4().hex[:8]}"
    mia, home, web = f"mia@{client}.example", f"mia.{client}@home.test", stack.at["web"]
    olive.change("clients.create", {"name": client, "security_contact": f"security.{client}@home.test"})
    olive.verified(olive.change("domains.add", {"client": client, "name": f"{client}.example"}))
    until("the domain is proven", lambda: olive.get(f"/domains/{client}.example")["proof"] == "read")
    olive.change("mailboxes.create", {"address": mia, "contact": home})
    links = {"first link": stack.mailed_link(home)}
    (invite,) = olive.get(f"/invites?client={client}&mailbox={mia}")["items"]
    links["copied link"] = olive.ask("POST", f"/invites/{invite['id']}/link", {"why": "on the phone"})["link"]
    owner = Browser()
    owner.open(links["copied link"])
    first_code = "-".join(CODE.findall(owner.fill(password=FIRST)))
    named = olive.change("recovery_channels.name", {"mailbox": mia, "value": home, "name": "at home"})
    channel = made(olive.get(f"/changes/{named['id']}"), "recovery_channels")
    links["confirmation"] = stack.mailed_link(home, "/confirm/")
    confirmed(links["confirmation"])
    clock.on(days=8)
    olive = stack.person(OLIVE)

    def in_it(password: str = FIRST) -> bool:
        owner.open(f"{web}/mailbox/sign-in/")
        owner.press(address=mia, password=password)
        return owner.url.endswith("/mailbox/")

    until("its owner signs in", in_it, within=60, every=1)
    owner.open(f"{web}/mailbox/app-passwords/new/")
    (app,) = set(APP.findall(owner.press(name="Phone", imap="on", submission="on", password=FIRST)))
    owner.open(f"{web}/mailbox/password/")
    owner.press(old=FIRST, password=SECOND, again=SECOND)
    until("the second one signs in", lambda: stack.may_sign_in(mia, SECOND))
    owner.open(f"{web}/mailbox/code/")
    code = "-".join(CODE.findall(owner.press(old=SECOND)))
    guessed_everywhere(stack, mia, links["first link"])
    apps = let_in(stack, owner, SECOND)
    apps["device code"] = asked_for_a_device(stack)
    printed = stack.run("links")
    links["printed link"] = re.findall(r"http://localhost:\d+/invite/\S+", printed)[0]
    links["recovery link"] = asked_back(stack, mia, home)
    session, digits = read_out(stack, olive, mia, home, channel)
    links["not-me link"] = nearly_given_away(stack, olive, mia, home)
    drawn = {"first code": first_code, "code": code, "app password": app, "session": olive.token, **apps}
    drawn |= {f"{name}, plain": drawn[name].replace("-", "") for name in ("first code", "code")}
    drawn |= {"reset code": digits, "reset code, plain": digits.replace(" ", "")}
    tokens = {name: link.rpartition("/")[2] for name, link in links.items()}
    chosen = {"first": FIRST, "second": SECOND, "wrong": WRONG}
    return Planted(stack, client, mia, owner, chosen, drawn, tokens, session)


def asked_back(stack: Stack, mia: str, home: str) -> str:
    """Somebody cannot get in, and opens the link that is mailed; another password they do not set by it."""
    page = Browser()
    page.open(stack.at["web"] + "/mailbox/recover/mail/")
    page.press(address=mia)
    link = stack.mailed_link(home, "/mailbox/recover/")
    page.open(link)
    assert page.status == 200 and link.rpartition("/")[2] not in page.url, page.page[:2000]
    return link


def read_out(stack: Stack, olive: Person, mia: str, home: str, channel: str) -> tuple[str, str]:
    """The owner is on the phone and reads out what was mailed: (the verification, the code as it was mailed)."""
    henry = stack.person(HENRY)
    begun = henry.change("resets.start", {"mailbox": mia, "ticket": "T-9"})
    session = made(henry.get(f"/changes/{begun['id']}"), "verifications")
    olive.change("resets.ask_code", {"verification": session, "channel": channel})

    def mailed() -> str:
        bodies = [one.get_body(("plain",)) for one in stack.sink() if home in str(one["To"])]
        return next((found[1] for body in bodies if body and (found := READ_OUT.search(body.get_content()))), "")

    digits = str(until("the code is mailed", mailed))
    wrong = f"{(int(digits[0]) + 1) % 10}{digits[1:]}"
    for said in (wrong, digits):
        olive.change("resets.enter_code", {"verification": session, "said": said})
    proofs = [(one["method"], one["good"]) for one in olive.get(f"/verifications/{session}")["proofs"]]
    assert proofs == [("code", False), ("code", True)], proofs
    return session, digits


def nearly_given_away(stack: Stack, olive: Person, mia: str, home: str) -> str:
    """Somebody asks to give away a VIP's mailbox; whoever has it is told, and looks at what would stop it."""
    olive.change("mailboxes.change", {"mailbox": mia, "vip": True})
    held = olive.change("mailboxes.transfer", {"mailbox": mia, "contact": THIEF})
    assert held["stage"] == "held", held
    link = stack.mailed_link(home, "/not-me/")
    page = Browser()
    page.open(link)
    assert page.status == 200 and link.rpartition("/")[2] not in page.url, page.page[:2000]
    return link


def let_in(stack: Stack, owner: Browser, password: str) -> dict[str, str]:
    """A mail app, by the owner's yes: the code it came back with, and what it got for that."""
    nora = stack.person("owner@northlight.example")
    added = nora.change("mail_apps.add", {"name": "Reader", "redirect_uris": ["http://127.0.0.1/back"]}, "a search")
    rows = nora.get(f"/changes/{added['id']}")["edits"]
    identity = next(str(one["id"]) for one in rows if one["table"] == "mail_apps")
    with listening(stack.at["web"], identity) as app:
        owner.open(app.asks())
        owner.press(name="Laptop", password=password, answer="yes")
        code = app.hears()["code"]
        status, tokens = app.redeems(code)
        assert status == 200, tokens
        status, renewed = app.refreshes(tokens["refresh_token"])
        assert status == 200, renewed
    return {"app's code": code, "access token": tokens["access_token"], "refresh token": tokens["refresh_token"],
            "second access token": renewed["access_token"], "second refresh token": renewed["refresh_token"],
            }  # fmt: skip


def asked_for_a_device(stack: Stack) -> str:
    """A terminal that asked to be let in, and waits."""
    body = json.dumps({"label": "a search"}).encode()
    wanted = urllib.request.Request(stack.at["api"] + "/device", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(wanted, timeout=30) as answer:
        return str(json.load(answer)["device_code"])


def guessed_everywhere(stack: Stack, mia: str, void: str) -> None:
    """A wrong one at every door, also where a name goes; and a link that is void."""
    web = stack.at["web"]
    assert not stack.may_sign_in(mia, WRONG) and not stack.may_sign_in(f"{WRONG.replace(' ', '.')}@acme.example", "x")
    page = Browser()
    for address in (mia, f"{WRONG.replace(' ', '.')}@acme.example"):
        page.open(f"{web}/mailbox/sign-in/")
        page.press(address=address, password=WRONG)
    page.open(f"{web}/sign-in/")
    page.press(login=OLIVE, password=WRONG)
    page.open(f"{web}/mailbox/recover/")
    page.press(address=mia, code=WRONG, password=WRONG, again=WRONG)
    assert "does not work" in Browser().open(void)


# Everything there is: (what it is, its bytes)
Heap = tuple[str, bytes]


def shown_at_pages(planted: Planted) -> Iterator[Heap]:
    """What an operator and the owner come to from their first page, the ones about this mailbox first."""
    web = planted.stack.at["web"]
    lines = planted.stack.run("links").splitlines()
    operator = Browser()
    operator.open(next(line.split()[1] for line in lines if line.strip().startswith(OLIVE)))
    about, mailbox = f"?client={planted.client}", f"/mailboxes/{planted.mia}/"
    starts = [mailbox, f"{mailbox}sign-ins/", f"/clients/{planted.client}/", f"/invites/{about}", f"/changes/{about}",
              f"/resets/{planted.session}/", "/device/", "/mail-apps/", "/findings/", "/audit/", "/"]  # fmt: skip
    for browser, first in ((operator, starts), (planted.owner, ["/mailbox/", "/mailbox/record/", "/mailbox/recent/",
                                                              "/mailbox/sessions/"])):  # fmt: skip
        ask, seen = list(first), set[str]()
        while ask and len(seen) < PAGES:
            path = ask.pop(0)
            if path in seen:
                continue
            seen.add(path)
            page = browser.open(web + path)
            yield f"page {path}", page.encode()
            found = re.findall(r'href="(/[^"#]*)"', page)
            ask += [one for one in found if "logout" not in one and "sign-out" not in one and "/static/" not in one]


def answered_at_the_api(planted: Planted) -> Iterator[Heap]:
    """Every list, everything about this mailbox and client, and each change of theirs with its evidence."""
    olive = planted.stack.person(OLIVE)
    spec = olive.get("/openapi.json")
    paths = [
        path.removeprefix("/api/v1") for path, verbs in spec["paths"].items() if "get" in verbs and "{" not in path
    ]
    about = f"client={planted.client}"
    paths += [f"/mailboxes/{planted.mia}{more}" for more in ("", "/sign-ins", "/sessions", "/who-can-reset")]
    paths.append(f"/verifications/{planted.session}")
    paths += [f"{one}?{about}&limit=200" for one in ("/changes", "/entries", "/invites", "/credentials")]
    changes = [one["id"] for one in olive.get(f"/changes?{about}&limit=200")["items"]]
    assert len(paths) > 25 and len(changes) > 10
    for path in (*paths, *(f"/changes/{one}" for one in changes)):
        yield f"api {path}", asked(planted.stack, olive.token, path)


def said_by_the_program(planted: Planted) -> Iterator[Heap]:
    """What an operator reads in a terminal of this client and mailbox, and who keeps the machine of the whole."""
    olive = planted.stack.person(OLIVE)
    words = [["log", "--client", planted.client], ["show", "mailboxes", planted.mia], ["sign-ins", planted.mia],
             ["sessions", planted.mia], ["access", "--client", planted.client], ["invites"]]  # fmt: skip
    for one in words:
        for more in ([], ["--json"]):
            yield f"program {' '.join(one)}", planted.stack.run(*one, *more, token=olive.token, ok=None).encode()
    yield "program doctor", planted.stack.run("doctor", ok=None).encode()


def taken_away(planted: Planted) -> Iterator[Heap]:
    """What an owner of the organization exports: the record of the client, its sheet."""
    nora = planted.stack.person("owner@northlight.example")
    for path in ("record", "sheet/file?format=csv", "sheet/file?format=pdf"):
        join = "&" if "?" in path else "?"
        heap = asked(planted.stack, nora.token, f"/clients/{planted.client}/{path}{join}why=a+search")
        assert len(heap) > 500, heap
        yield f"export {path}", heap


def asked(stack: Stack, token: str, path: str) -> bytes:
    request = urllib.request.Request(stack.at["api"] + path, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        assert error.code < 500, path
        return error.read()


NOT_SEARCHED = ("venv/", "uv", "postgres/", "run/postgres/")  # programs; and the database, which is dumped below


def kept_in_files(planted: Planted) -> Iterator[Heap]:
    """All of the state folder: logs, mail, what nodes serve from, the signer's tree, keys."""
    state = planted.stack.state
    for path in sorted(state.rglob("*")):
        name = path.relative_to(state).as_posix()
        if path.is_file() and not path.is_symlink() and not name.startswith(NOT_SEARCHED):
            yield f"file {name}", path.read_bytes()


def kept_in_the_database(planted: Planted) -> Iterator[Heap]:
    """A whole dump, table by table."""
    (program,) = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))[-1:]
    where = ["-h", str(planted.stack.state / "run/postgres"), "-p", "5432", "-U", "postgres"]
    done = subprocess.run([program, *where, "--inserts", "postroom"], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    tables: dict[str, list[bytes]] = {}
    table = "schema"
    for line in done.stdout.splitlines():
        if found := re.match(rb"INSERT INTO (\S+) VALUES", line):
            table = found[1].decode()
        tables.setdefault(table, []).append(line)
    assert {"public.secrets", "public.edits", "public.invites"} <= tables.keys(), sorted(tables)
    for name, lines in tables.items():
        yield f"table {name}", b"\n".join(lines)


PLACES = {"pages": shown_at_pages, "api": answered_at_the_api, "program": said_by_the_program, "exports": taken_away,
          "files": kept_in_files, "database": kept_in_the_database}  # fmt: skip


def may_be_there(planted: Planted, where: str, name: str, spelling: str) -> bool:
    """What the head of this file allows."""
    drawn = name in planted.drawn or name in planted.links
    if where == "table public.secrets" and drawn:
        return spelling == KEPT_HASHED
    if (where, name) in KEPT_ELSEWHERE:
        return spelling == KEPT_HASHED
    if where.startswith("file node/db/secrets/") and name == "app password":
        return spelling == KEPT_HASHED
    mailed = where.startswith(("file sink/", "file node/mail/"))
    return mailed and name in MAILED and spelling in ("clear", "path", "url", "form")


def search(planted: Planted, heaps: Iterable[Heap]) -> list[str]:
    return [
        f"{name} ({spelling}) in {where}"
        for where, heap in heaps for name, spelling in found_in(heap, planted.all)
        if not may_be_there(planted, where, name, spelling)
    ]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_anywhere(planted: Planted, place: str) -> None:
    assert search(planted, PLACES[place](planted)) == []


def test_what_is_kept_of_them_is_there(planted: Planted) -> None:
    """Else nothing above would have been looked for in the right place."""
    tables = dict(kept_in_the_database(planted))
    kept = {name for name, spelling in found_in(tables["table public.secrets"], planted.all) if spelling == KEPT_HASHED}
    assert {"app password", "session"} <= kept and not kept & planted.chosen.keys()
    mails = [heap for where, heap in kept_in_files(planted) if where.startswith("file sink/")]
    for name in MAILED:
        carry = [heap for heap in mails if list(found_in(heap, {name: planted.all[name]}))]
        assert len(carry) == 1, f"one mail carries the {name}"
    told = (
        received(planted.stack.imap(planted.mia, SECOND), "app password").replace(b"=\r\n", b"").replace(b"\r\n", b" ")
    )
    assert b"was made by its owner" in told, "and it says no more than that"


FLAWS: dict[str, Callable[[Planted], Heap]] = {
    "a page": lambda p: ("page /", f"<p>{p.drawn['code']}</p>".encode()),
    "a log of requests": lambda p: ("file log/web.log", f"GET /invite/{p.links['copied link']}".encode()),
    "a mail with a password": lambda p: ("file sink/new/1", p.chosen["first"].encode()),
    "a subject on a locked screen": lambda p: ("page /", f"Subject: {p.drawn['reset code']}".encode()),
    "what was typed": lambda p: ("table public.changes", f"said={p.drawn['reset code, plain']}&".encode()),
    "a way back in a log": lambda p: ("file log/web.log", f"GET /mailbox/recover/{p.links['recovery link']}".encode()),
    "what stops it in an entry": lambda p: ("table public.edits", p.links["not-me link"].encode()),
    "an entry": lambda p: ("api /entries", json.dumps({"typed": p.chosen["wrong"]}).encode()),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_it_would_be_found(planted: Planted, flaw: str) -> None:
    assert search(planted, [FLAWS[flaw](planted)])


def test_it_would_be_found_in_a_log_and_in_the_database(planted: Planted) -> None:
    """Planted where it would be kept, by the superuser's own hand, and taken away again."""
    log = planted.stack.state / "log/planted.log"
    psql = [
        "psql",
        "-h",
        str(planted.stack.state / "run/postgres"),
        "-p",
        "5432",
        "-U",
        "postgres",
        "-q",
        "postroom",
        "-c",
    ]
    try:
        log.write_text(f"PLAIN {planted.drawn['app password'].encode().hex()}\n")
        subprocess.run([*psql, "CREATE TABLE public.planted AS SELECT md5($$" + SECOND + "$$) AS kept"], check=True)
        assert any("planted.log" in one for one in search(planted, kept_in_files(planted)))
        assert any("table public.planted" in one for one in search(planted, kept_in_the_database(planted)))
    finally:
        log.unlink(missing_ok=True)
        subprocess.run([*psql, "DROP TABLE IF EXISTS public.planted"], check=True)
