"""The owner of a mailbox at their own page, in a real browser; what it does there is proven by IMAP."""

import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tab import Tab, chromium

from world import Browser as Plain
from world import Stack, until

pytestmark = pytest.mark.server
SECRET, NEW, THIRD = "four plain words here", "{PLAIN}quite other plain words", "and a third of plain words"
CODE = re.compile(r"[a-z2-9]{5}(?:-[a-z2-9]{5}){2}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


def owned(stack: Stack) -> tuple[str, str]:
    """A new mailbox whose owner has set the secret by the mailed link: (address, recovery code)."""
    name = f"own{uuid.uuid4().hex[:8]}"
    olive = stack.person("operator@northlight.example")
    olive.verified(olive.change("clients.create", {"name": name}))
    olive.verified(olive.change("domains.add", {"client": name, "name": f"{name}.example"}))
    until("the domain is proven", lambda: olive.get(f"/domains/{name}.example")["proof"] == "read")
    mia, home = f"mia@{name}.example", f"mia.{name}@home.test"
    olive.verified(olive.change("mailboxes.create", {"address": mia, "contact": home, "name": "Mia"}))
    page = Plain()
    page.open(stack.mailed_link(home))
    code = "-".join(CODE.findall(page.fill(password=SECRET, again=SECRET)))
    until("she signs in by IMAP", lambda: stack.may_sign_in(mia, SECRET))
    return mia, code


def signs_in(stack: Stack, browser: Browser, width: int, mia: str, password: str) -> Tab:
    tab = Tab(browser, stack.at["web"], width=width)

    def done() -> bool:
        tab.open("/mailbox/sign-in/").fill(address=mia, password=password)
        tab.page.locator("main form button").click()
        tab.page.wait_for_load_state()
        return mia in tab.look().page.locator("h1").inner_text()

    until("her page opens", done)
    return tab


@pytest.mark.parametrize("width", [1440, 390])
def test_another_password_and_back_in_by_the_code(stack: Stack, browser: Browser, width: int) -> None:
    mia, code = owned(stack)
    tab = signs_in(stack, browser, width, mia, SECRET)
    elsewhere = signs_in(stack, browser, width, mia, SECRET)
    assert "The password was set, by a link" in tab.text() and "looked after by" in tab.text()

    phone = stack.imap(mia, SECRET)
    tab.open("/mailbox/password/").fill(old="guessed", password=NEW, again=NEW).follow("Set it")
    assert "not the password of this mailbox" in tab.text() and stack.may_sign_in(mia, SECRET)
    tab.fill(old=SECRET, password=NEW, again=NEW).follow("Set it")
    assert "You have another password" in tab.text()
    until("the new one signs in by IMAP", lambda: stack.may_sign_in(mia, NEW))
    assert not stack.may_sign_in(mia, SECRET) and not stack.may_sign_in(mia, NEW.removeprefix("{PLAIN}"))
    with pytest.raises(Exception, match=r"(?i)closed|bye|shut|eof|reset|abort"):
        for _ in range(20):
            phone.noop()
    assert mia in tab.open("/mailbox/").text() and "chose another password" not in elsewhere.open("/mailbox/").text()
    assert elsewhere.page.url.endswith("/mailbox/sign-in/"), "every other session has ended"

    tab.follow("Sign out")
    tab.open("/mailbox/sign-in/").follow("I cannot get in")
    tab.fill(address=mia, code=code, password=THIRD, again=THIRD).follow("Set my password")
    another = "-".join(CODE.findall(tab.text()))
    assert "Keep this recovery code" in tab.text() and another != code
    until("the third signs in by IMAP", lambda: stack.may_sign_in(mia, THIRD))
    assert not stack.may_sign_in(mia, NEW)
    tab.page.locator("#kept").check()
    tab.follow("I have kept it")
    assert "Do you know these changes?" in tab.text() and "Get a mailbox back" in tab.text()
    tab.follow("I know all of them")
    told = [str(one["To"]) for one in stack.sink() if "mailbox was got back" in str(one["Subject"])]
    assert told, "the address that the first invite went to is told"
    for one in (tab, elsewhere):
        one.context.close()
