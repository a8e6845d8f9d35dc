"""A mail app is named, let in by the owner of a mailbox, reads and sends by its tokens, and is put out.

The app is made from the standards alone (oauth_app.py); Nora names it, and Mia lets it in, in a real browser.
"""

import re
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser
from tab import Tab, chromium
from test_by_browser import signed_in
from test_of_a_mailbox_owner import SECRET, owned

from oauth_app import OAuthApp, listening, says_yes, signed_in_at
from real_clients import PROTOCOLS, Credential, Held, Reading, Server, msmtp, opens, server_of
from world import Browser as Plain
from world import Stack, letter, received, until

pytestmark = pytest.mark.server
UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
NORA = "owner@northlight.example"
ALL, NONE = dict.fromkeys(PROTOCOLS, True), dict.fromkeys(PROTOCOLS, False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def server(stack: Stack) -> Server:
    return server_of(stack)


@pytest.fixture(scope="module")
def app(stack: Stack, browser: Browser) -> Iterator[OAuthApp]:
    """One that those are asked by who have no browser."""
    _, identity = named(stack, browser, 1440, "light")
    with listening(stack.at["web"], identity) as running:
        yield running


def named(stack: Stack, browser: Browser, width: int, theme: str) -> tuple[str, str]:
    """Nora names an app: what it is called, and its client_id."""
    nora, name = signed_in(stack, browser, NORA, width, theme), f"Birdmail {uuid.uuid4().hex[:6]}"
    nora.open("/mailboxes/").follow("Mail apps").follow("Add a mail app").fill(name=name)
    nora.page.locator("main [name='redirect_uris-0']").fill("http://127.0.0.1/back")
    nora.plan("asked for by Acme")
    change = nora.send()
    nora.verified(change).open(f"/mail-apps/?q={name.partition(' ')[2]}")
    (identity,) = UUID.findall(nora.text())
    nora.context.close()
    return name, identity


def bearer(address: str, tokens: dict[str, str], mechanism: str = "XOAUTH2") -> Credential:
    return Credential(address, tokens["access_token"], mechanism)


def all_open(server: Server, by: Credential) -> list[Held]:
    return [open_it(server, by) for open_it in PROTOCOLS.values()]


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_from_the_first_question_to_the_end_of_the_consent(
    stack: Stack, browser: Browser, server: Server, width: int, theme: str
) -> None:
    mia, _ = owned(stack)
    name, identity = named(stack, browser, width, theme)
    with listening(stack.at["web"], identity) as app:
        tab = lets_it_in(browser, app, name, mia, width)
        tokens = app.let_in()
        for mechanism in ("XOAUTH2", "OAUTHBEARER"):
            reads_and_sends(stack, server, bearer(mia, tokens, mechanism))
        assert not stack.may_sign_in(mia, tokens["access_token"]), "a token is no password"
        status, tokens = app.refreshes(tokens["refresh_token"])
        assert status == 200 and opens(server, bearer(mia, tokens)) == ALL
        phone = says_yes(app, signed_in_at(stack.at["web"], mia, SECRET), SECRET, "Phone")
        is_put_out(server, tab, mia, tokens, phone)
        assert app.refreshes(tokens["refresh_token"])[1] == {"error": "invalid_grant"}
        assert app.refreshes(phone["refresh_token"])[0] == 200
        is_put_out_everywhere(stack, browser, server, name, bearer(mia, phone))
        tab.context.close()


def lets_it_in(browser: Browser, app: OAuthApp, name: str, mia: str, width: int) -> Tab:
    """She comes from the app, signs in, is asked, and goes on to the app."""
    tab, asked = Tab(browser, app.server["issuer"], width=width), app.asks()

    def is_asked() -> bool:
        tab.open(asked)
        if tab.page.url.endswith("/mailbox/sign-in/"):
            tab.fill(address=mia, password=SECRET).page.locator("main form button").click()
            tab.page.wait_for_load_state()
        return f"Let {name} in?" in tab.look().text()

    until("she is asked", is_asked)
    assert mia in tab.text() and "you go on to the app on this device (127.0.0.1)" in tab.text()
    tab.fill(name="Laptop", password="not hers at all").follow("Let it in")
    assert "not the password of this mailbox" in tab.text()
    tab.fill(password=SECRET).page.get_by_role("button", name="Let it in", exact=True).click()
    tab.page.wait_for_url(app.back + "?*")
    assert "You may close this" in tab.page.locator("main").inner_text()
    return tab


def reads_and_sends(stack: Stack, server: Server, by: Credential) -> None:
    assert opens(server, by) == ALL
    subject = f"sent by {by.mechanism} {uuid.uuid4().hex[:6]}"
    msmtp(server, by, by.login, letter(by.login, by.login, subject).as_bytes())
    assert stack.signed(received(stack.imap(by.login, SECRET), subject))
    forged = by.secret[:-6] + ("AAAAAA" if by.secret[-6:] != "AAAAAA" else "BBBBBB")
    assert opens(server, replace(by, secret=forged)) == NONE


def is_put_out(server: Server, tab: Tab, mia: str, laptop: dict[str, str], phone: dict[str, str]) -> None:
    """On her page she ends what the laptop has: it is out at once, and whoever came in otherwise stays."""
    sessions = all_open(server, bearer(mia, laptop))
    others = all_open(server, bearer(mia, phone)) + all_open(server, Credential(mia, SECRET))
    assert all(one.is_open() for one in sessions + others)
    tab.open("/mailbox/").page.get_by_role("button", name=re.compile("End.*Laptop")).click()
    tab.page.wait_for_load_state()
    ended = time.monotonic()
    assert "Laptop" not in tab.look().page.locator("#app-passwords").inner_text()
    until("it is refused", lambda: opens(server, bearer(mia, laptop)) == NONE, within=10)
    assert not any(one.is_open_after(ended, ending=True) for one in sessions)
    # Dovecot 2.4 does not say which token opened a session, so all end there (decision 26).
    assert all(one.is_open() for one in others) or not ends_by_one()
    assert opens(server, bearer(mia, phone)) == ALL and opens(server, Credential(mia, SECRET)) == ALL
    for one in sessions + others:
        one.close()


def is_put_out_everywhere(stack: Stack, browser: Browser, server: Server, name: str, phone: Credential) -> None:
    """Nora ends the app: the device that has it still is out, with nothing more that anybody has to do."""
    held = Reading(server, phone)
    nora = signed_in(stack, browser, NORA, 1440, "light")
    nora.open(f"/mail-apps/?q={name.partition(' ')[2]}")
    assert "1 mailbox" in nora.text()
    nora.page.get_by_role("link", name=re.compile(f"End….*{name}")).click()
    nora.page.wait_for_load_state()
    ended = nora.look().plan("nobody looks after it any more").send()
    began = time.monotonic()
    assert not held.is_open_after(began, ending=True) and opens(server, phone) == NONE
    assert name in nora.verified(ended).open("/mail-apps/?state=removed").text()
    held.close()
    nora.context.close()


def ends_by_one() -> bool:
    said = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True).stdout
    return said.startswith("2.3.")


def code_of(app: OAuthApp, page: Plain, device: str) -> str:
    """What its user came back with, not redeemed yet."""
    page.open(app.asks())
    page.press(name=device, password=SECRET, answer="yes")
    return app.hears()["code"]


def test_what_comes_a_second_time_was_stolen_and_ends_the_consent(stack: Stack, server: Server, app: OAuthApp) -> None:
    mia, _ = owned(stack)
    page = signed_in_at(stack.at["web"], mia, SECRET)
    kept = says_yes(app, page, SECRET, "Tablet")

    code = code_of(app, page, "Laptop")
    status, tokens = app.redeems(code)
    assert status == 200 and opens(server, bearer(mia, tokens)) == ALL
    assert app.redeems(code) == (400, {"error": "invalid_grant"})
    until("the code's consent has ended", lambda: opens(server, bearer(mia, tokens)) == NONE, within=10)
    assert app.refreshes(tokens["refresh_token"])[0] == 400

    tokens = says_yes(app, page, SECRET, "Phone")
    status, newer = app.refreshes(tokens["refresh_token"])
    assert status == 200
    held = Reading(server, bearer(mia, newer))
    assert app.refreshes(tokens["refresh_token"]) == (400, {"error": "invalid_grant"})
    again = time.monotonic()
    assert not held.is_open_after(again, ending=True), "whoever of the two was in is out"
    assert opens(server, bearer(mia, newer)) == NONE and app.refreshes(newer["refresh_token"])[0] == 400
    held.close()

    assert opens(server, bearer(mia, kept)) == ALL, "another device of hers is not touched"
    listed = page.open(stack.at["web"] + "/mailbox/")
    assert "Tablet" in listed and "Laptop" not in listed and "Phone" not in listed


def test_a_no_and_a_smaller_yes(stack: Stack, server: Server, app: OAuthApp) -> None:
    mia, _ = owned(stack)
    page = signed_in_at(stack.at["web"], mia, SECRET)
    page.open(app.asks())
    page.press(answer="no")
    assert app.hears() == {"error": "access_denied"}

    code = code_of(app, page, "Laptop")
    app.verifier = "another".ljust(50, "x")
    assert app.redeems(code)[0] == 400, "whoever did not ask gets nothing for the code"

    tokens = says_yes(app, page, SECRET, "Reader", submission=None, managesieve=None)
    assert opens(server, bearer(mia, tokens)) == NONE | {"imap": True}
    other, _ = owned(stack)
    assert opens(server, bearer(other, tokens)) == NONE, "nor does it open anybody else's mailbox"
