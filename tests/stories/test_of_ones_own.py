"""An installation of one's own, from the link that `up` prints: its first owner, a passkey, and nobody else to ask."""

import re
import uuid
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser
from tab import Tab, chromium

from stack import started
from world import Stack, until

pytestmark = pytest.mark.server
PASSWORD = "two plain words"
UNA = "una@home.test"
CODES: list[str] = []  # she wrote them down
KEY = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
       "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip


@pytest.fixture(scope="module")
def own() -> Iterator[Stack]:
    with started() as stack:
        yield stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


def with_authenticator(tab: Tab) -> Tab:
    """Give the browser the built-in authenticator of a laptop, as WebAuthn's own automation describes one."""
    devtools = tab.context.new_cdp_session(tab.page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    return tab


@pytest.fixture(scope="module")
def una(own: Stack, browser: Browser) -> Tab:
    """The first owner, in the browser in which she founded it, with an authenticator app and a passkey."""
    tab = with_authenticator(Tab(browser, own.at["web"]))
    log = (own.state / "up.log").read_text()
    tab.open(re.findall(r"http://localhost:\d+/found/\S+", log)[-1])
    tab.fill(name="Southwind", owner_name="Una Vale", owner_email=UNA, postmaster="post@home.test", password=PASSWORD)
    tab.page.locator("main form button").click()
    tab.look()
    assert "First, a second factor" in tab.text()
    tab.follow("Set up the authenticator app")
    secret = tab.page.locator("#authenticator_secret").input_value()
    tab.fill(code=pyotp.TOTP(secret).now()).follow("Set it up")
    CODES.extend(re.findall(r"\b[0-9a-f]{8}\b", tab.text()))
    assert len(CODES) == 10
    tab.follow("I have put them where I will find them")
    return tab


@pytest.fixture(autouse=True)
def tidy(own: Stack) -> Iterator[None]:
    """In place of the other stories' own, which would start the demo too."""
    yield
    own.leave()


def signed_out(tab: Tab) -> Tab:
    return tab.open("/account/logout/").follow("Sign out")


def test_a_passkey_signs_in_alone_and_a_key_that_shall_not_does_not(una: Tab) -> None:
    una.open("/account/2fa/").follow("Add a passkey")
    una.fill(name="Laptop").follow("Add it")
    assert "1 set up" in una.text()
    una.follow("See and change them")
    assert "Laptop" in una.text() and "not used yet" in una.text()
    signed_out(una)
    una.open("/sign-in/").follow("Sign in with a passkey")
    una.page.wait_for_url(una.base + "/")
    assert "Is the service up?" in una.look().text()
    assert "last used" in una.open("/account/2fa/webauthn/").text()

    una.follow("Rename Laptop").follow("Use a security key")
    una.page.get_by_role("button", name="Use a passkey or security key").click()
    una.page.get_by_role("heading", name="Rename a passkey").wait_for()
    una.look().fill(name="Old laptop").follow("Rename it")
    una.follow("Take away… Old laptop").follow("Take it away")
    assert "None yet" in una.text()
    signed_out(una)
    una.open("/sign-in/").page.get_by_role("button", name="Sign in with a passkey").click()
    una.page.wait_for_timeout(1500)
    assert una.page.url.endswith("/sign-in/")


def test_alone_a_removal_waits_for_a_day_and_this_was_not_me_stops_it(own: Stack, browser: Browser, una: Tab) -> None:
    name = f"alone{uuid.uuid4().hex[:8]}"
    old = f"old@{name}.example"
    enter(una)
    una.open("/clients/").follow("Add a client").plan("the first", name=name)
    una.verified(una.send()).open(f"/clients/{name}/").follow("Add the first domain")
    una.verified(una.plan("the first", name=f"{name}.example").send())
    until("the domain is proven", lambda: "Control is proven" in una.open(f"/domains/{name}.example/").text())
    una.open("/mailboxes/").follow("Add mailboxes").follow("Add a mailbox")
    una.fill(row_0_address=old, row_0_contact=f"{name}@home.test")
    una.verified(una.plan("for nobody").send())

    una.open(f"/mailboxes/{old}/").follow("Remove…").plan("never used")
    assert "link that stops it" in una.text()
    removal = una.send("old")
    assert "scheduled" in una.text() and "Nobody else could approve this" in una.text()
    for contact in (UNA, "post@home.test"):
        letter = until(f"{contact} is told", lambda to=contact: told_of(own, to, old))
        assert all(said in letter for said in ("Una Vale", "never used", "removes 1 mailbox"))
    link = re.findall(r"http://localhost:\d+/not-me/\S+", letter)[0]

    postmaster = Tab(browser, own.at["web"], width=390)
    postmaster.open(link)
    assert link.rpartition("/")[2] not in postmaster.page.url, "the token is out of the address bar"
    assert f"Remove mailbox {old}" in postmaster.text()
    assert "scheduled" in una.open(removal).text(), "looking changes nothing"
    postmaster.follow("This was not me: stop it")
    assert "The change is stopped" in postmaster.text()
    una.page.goto(removal)
    assert "/sign-in/" in una.page.url, "the sessions of who asked have ended"
    enter(una)
    assert "withdrawn" in una.open(removal).text() and "this was not me" in una.text()
    assert own.rcpt(old) == 250
    assert "does not work any more" in postmaster.open(link).text()


def told_of(own: Stack, to: str, about: str) -> str:
    """The text of the letter that warns this address of a change."""
    bodies = [one.get_body(("plain",)) for one in own.sink() if to in str(one["To"])]
    texts = [str(body.get_content()) for body in bodies if body]
    return next((text for text in texts if about in text and "/not-me/" in text), "")


def enter(una: Tab) -> None:
    """By password and one of the codes she wrote down: each works once."""
    una.page.goto(una.base + "/account/logout/")
    if "/sign-in/" not in una.page.url:
        una.follow("Sign out")
    una.open("/sign-in/").fill(login=UNA, password=PASSWORD).follow("Sign in")
    una.fill(code=CODES.pop()).follow("Sign in")
    assert "Is the service up?" in una.text()
