"""From nothing to a working mailbox and back, in the pages alone; what they say is read back from the real servers."""

import imaplib
import re
import uuid
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser
from tab import Tab, chromium

from world import Stack, received, until

pytestmark = pytest.mark.server
SECRET = "four plain words here"
PASSWORD = "two plain words"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


def printed(stack: Stack, who: str) -> str:
    """A new one-time link, as the program prints it for the demo people."""
    lines = stack.run("links").splitlines()
    return next(line.split()[1] for line in lines if line.strip().startswith(who))


def signed_in(stack: Stack, browser: Browser, who: str, width: int, theme: str) -> Tab:
    tab = Tab(browser, stack.at["web"], width=width)
    tab.open(printed(stack, who))
    assert tab.page.url == stack.at["web"] + "/" and "Is the service up?" in tab.text()
    if tab.page.locator("html").get_attribute("data-bs-theme") != theme:
        tab.follow(f"{theme.title()} mode")
    assert tab.page.locator("html").get_attribute("data-bs-theme") == theme
    return tab


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_a_client_from_nothing_to_mail_that_flows_and_back(
    stack: Stack, browser: Browser, width: int, theme: str
) -> None:
    name = f"pages{uuid.uuid4().hex[:8]}"
    domain, client = f"{name}.example", f"{name.title()} Client"
    mia, leo, old = (f"{who}@{domain}" for who in ("mia", "leo", "old"))
    olive = signed_in(stack, browser, "operator@northlight.example", width, theme)

    olive.open("/clients/").follow("Add a client").plan("contract signed", "T-1", name=client)
    made = olive.send()
    olive.verified(made).open(f"/clients/{name}-client/").follow("Add the first domain")
    added = olive.plan("contract signed", "T-1", name=domain).send()
    olive.verified(added)
    assert "10 mx.postroom.example." in olive.text(), "the evidence stands on the page"
    assert stack.dns(domain, "MX") == ["10 mx.postroom.example."]
    assert stack.dns(domain, "TXT") == ["v=spf1 mx -all"]
    until("the domain is proven", lambda: "Control is proven" in olive.open(f"/domains/{domain}/").text())
    signs = "signs, in use since"
    until("a key of each algorithm signs", lambda: olive.open(f"/domains/{domain}/").text().count(signs) == 2)

    olive.open("/mailboxes/").follow("Add mailboxes")
    for _ in (1, 2):
        olive.follow("Add a mailbox")
    rows = olive.page.locator("main .rowset")
    for place, address in enumerate((mia, leo, old)):
        rows.nth(place).locator("[name$=-address]").fill(address)
        rows.nth(place).locator("[name$=-contact]").fill(f"{address.partition('@')[0]}.{name}@home.test")
    rows.nth(0).locator("[name$=-name]").fill("Mia Hart")
    boxes = olive.plan("three people", "T-1").send()
    olive.verified(boxes)
    assert not stack.may_sign_in(mia, SECRET)

    for who in ("mia", "leo"):
        owner_sets(stack, browser, width, stack.mailed_link(f"{who}.{name}@home.test"))
    until("she signs in", lambda: stack.may_sign_in(mia, SECRET))
    until("he signs in", lambda: stack.may_sign_in(leo, SECRET))
    assert "password set" in olive.open(f"/mailboxes/{mia}/").text()

    held = olive.open(f"/mailboxes/{old}/").follow("Remove…").plan("never used", "T-2").send("old")
    assert "held for a second person" in olive.text() and "somebody else decides" in olive.text()
    ada = signed_in(stack, browser, "approver@northlight.example", width, theme)
    assert f"Remove mailbox {old}" in ada.open("/approvals/").text()
    ada.open(held).follow("Approve exactly this").verified(held)
    assert "Ada Okafor" in ada.text()
    until("mail to it is refused", lambda: stack.rcpt(old) == 550)

    stack.submit(mia, SECRET, leo, f"from mia {name}")
    with stack.imap(leo, SECRET) as box:
        assert stack.signed(received(box, f"from mia {name}")), "signed, and it verifies against what is published"
    stack.from_outside(mia, f"from outside {name}")
    phone = stack.imap(mia, SECRET)
    assert received(phone, f"from outside {name}")
    idling(phone)

    olive.open(f"/mailboxes/{mia}/").follow("Suspend…").plan("phone stolen", "T-3")
    assert "Mia Hart" in olive.text() and client in olive.text() and "mail keeps arriving" in olive.text()
    suspended = olive.send()
    assert ended(phone), "the session that was open is ended"
    olive.verified(suspended)
    assert not stack.may_sign_in(mia, SECRET)
    assert stack.rcpt(mia) == 250, "mail keeps arriving"

    olive.follow("Show what comes back").plan("phone found")
    olive.verified(olive.send())
    until("she signs in again", lambda: stack.may_sign_in(mia, SECRET))

    timeline = olive.open(f"/changes/?client={name}-client").text()
    line = timeline[timeline.index(f"Suspend mailbox {mia}") :][:300]
    for said in ("undone", "Olive Brandt", "phone stolen", "T-3", "Before:", "After:", "all end"):
        assert said in line, line


def owner_sets(stack: Stack, browser: Browser, width: int, link: str) -> None:
    """The owner, in a browser of their own that runs no script."""
    tab = Tab(browser, stack.at["web"], width=width, script=False)
    tab.open(link)
    assert link.rpartition("/")[2] not in tab.page.url, "the token is out of the address bar"
    tab.fill(password="short", again="short").page.locator("main form button").click()
    assert "at least 15" in tab.look().text()
    tab.fill(password=SECRET, again=SECRET).page.locator("main form button").click()
    assert "Keep this recovery code" in tab.look().text()
    assert re.search(r"[a-z2-9]{5}(-[a-z2-9]{5}){2}", tab.text())
    tab.page.locator("#kept").check()
    tab.page.locator("main form button").click()
    assert "Your mailbox works" in tab.look().text()
    assert "does not work any more" in tab.open(link).text(), "a link works once"
    tab.context.close()


def idling(box: imaplib.IMAP4) -> None:
    """An open IDLE, as a phone keeps it (RFC 2177)."""
    box.send(b"i1 IDLE\r\n")
    assert box.readline().startswith(b"+")


def ended(box: imaplib.IMAP4) -> bool:
    """Whether the server ends this session by itself, soon."""
    assert box.sock is not None
    box.sock.settimeout(20)
    try:
        return any(line == b"" or line.startswith(b"* BYE") for line in iter(box.readline, None))
    except TimeoutError:
        return False


def test_an_invited_person_chooses_a_password_and_must_set_up_a_second_factor(stack: Stack, browser: Browser) -> None:
    email = f"new{uuid.uuid4().hex[:8]}@home.test"
    olive = signed_in(stack, browser, "operator@northlight.example", 1440, "light")
    invited = (
        olive.open("/people/").follow("Invite a person").plan("new colleague", name="Nia Frost", email=email).send()
    )
    olive.verified(invited)
    olive.open(f"/people/{email}/").follow("Give a role").plan("new colleague", role="auditor").send()

    nia = Tab(browser, stack.at["web"])
    nia.open(stack.mailed_link(email)).fill(password=PASSWORD).follow("Make my sign-in")
    assert "First, a second factor" in nia.text()
    assert "First, a second factor" in nia.open("/mailboxes/").text(), "no other page answers"
    nia.follow("Set up the authenticator app")
    secret = nia.page.locator("#authenticator_secret").input_value()
    nia.fill(code=pyotp.TOTP(secret).now()).follow("Set it up")
    codes = re.findall(r"\b[0-9a-f]{8}\b", nia.text())
    assert len(codes) == 10
    nia.follow("I have put them where I will find them")
    assert "Is the service up?" in nia.text()
    nia.follow("Sign out")

    nia.open("/mailboxes/").fill(login=email, password=PASSWORD).follow("Sign in")
    assert "Your second factor" in nia.text()
    nia.fill(code=codes[0]).follow("Sign in")
    assert nia.page.url.endswith("/mailboxes/")
    assert "Suspend…" not in nia.open("/mailboxes/mia.hart@acme.example/").text(), "an auditor looks"


OTHERS = (
    "/nodes/", "/nodes/mx1/", "/invites/", "/do/", "/find/?q=acme", "/account/", "/account/sessions/", "/account/2fa/",
    "/device/", "/people/", "/people/approver@northlight.example/", "/domains/", "/domains/acme.example/",
    "/clients/initech/", "/changes/?by=people&stage=refused", "/do/record_sets.set/?domain=acme.example",
    "/do/aliases.create/", "/do/clients.change/?client=acme", "/do/freezes.start/?scope=acme",
    "/mailboxes/?q=nobody.here", "/changes/?since=2001-01-01",
)  # fmt: skip


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_every_other_page_is_whole_too(stack: Stack, browser: Browser, width: int, theme: str) -> None:
    olive = signed_in(stack, browser, "operator@northlight.example", width, theme)
    for address in OTHERS:
        olive.open(address)
    olive.open("/invites/?client=acme").page.get_by_role("link", name="Copy link").first.click()
    olive.fill(why="she is on the phone").follow("Make the link")
    assert "/invite/" in olive.page.locator("#link").input_value()
    assert "Nothing here that you may see" in olive.open("/mailboxes/nobody@acme.example/").text()


def test_the_palette_finds_by_a_few_letters_and_by_keyboard_alone(stack: Stack, browser: Browser) -> None:
    olive = signed_in(stack, browser, "operator@northlight.example", 1440, "light")
    olive.page.keyboard.press("Control+k")
    olive.page.keyboard.type("mia.hart")
    olive.page.locator("#palette [role=option]", has_text="mia.hart@acme.example").wait_for()
    olive.look().page.keyboard.press("Enter")
    olive.page.wait_for_url("**/mailboxes/mia.hart@acme.example/")
    olive.page.keyboard.press("Control+k")
    olive.page.keyboard.type("suspend mail")
    olive.page.locator("#palette [role=option]", has_text="Suspend mailboxes").wait_for()
    olive.page.keyboard.press("Enter")
    olive.page.wait_for_url("**/do/mailboxes.suspend/")
