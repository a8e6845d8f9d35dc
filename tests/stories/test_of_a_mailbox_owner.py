"""The owner of a mailbox at their own page, in a real browser; what it does there is proven by IMAP."""

import re
import time
import uuid
from collections.abc import Iterator
from typing import Any

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
    assert "Do you know these changes?" in tab.text() and "Somebody got back in" in tab.text()
    tab.follow("I know all of them")
    told = [str(one["To"]) for one in stack.sink() if "mailbox was got back" in str(one["Subject"])]
    assert told, "the address that the first invite went to is told"
    for one in (tab, elsewhere):
        one.context.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_what_is_strange_and_the_end_of_one_device(stack: Stack, browser: Browser, width: int) -> None:
    mia, _ = owned(stack)
    tab = signs_in(stack, browser, width, mia, SECRET)
    tab.open("/mailbox/").follow("an app password", exact=False)
    tab.fill(name="Phone", password=SECRET).follow("Make it")
    secret = tab.page.locator("#secret").input_value()
    until("the phone signs in by IMAP", lambda: stack.may_sign_in(mia, secret))
    phone, laptop = stack.imap(mia, secret), stack.imap(mia, SECRET)
    until("both are listed", lambda: tab.open("/mailbox/sessions/").text().count("reads mail") >= 2)
    tab.page.get_by_role("button", name=re.compile("Sign out.*Phone")).click()
    tab.page.wait_for_load_state()
    tab.look()
    assert "That device is signed out" in tab.text()
    with pytest.raises(Exception, match=r"(?i)closed|bye|shut|eof|reset|abort"):
        for _ in range(20):
            phone.noop()
            time.sleep(0.5)
    assert laptop.noop()[0] == "OK", "no other session is touched"
    assert stack.may_sign_in(mia, secret), "its app password is as good as before"

    tab.open("/mailbox/").follow("at changes of the last 14 days", exact=False)
    tab.page.get_by_role("link", name=re.compile("Not known.*An app password was made")).first.click()
    tab.look().follow("I do not know it")
    assert "Make your mailbox yours alone" in tab.text()
    olive = stack.person("operator@northlight.example")

    def found() -> list[dict[str, Any]]:
        listed = olive.get("/findings?check=mailboxes.not_known")["items"]
        return [one for one in listed if one["object"]["label"] == mia]

    until("the operator reads of it", lambda: bool(found()))
    (finding,) = found()
    assert finding["severity"] == "critical" and finding["suggestion"]["kind"] == "doubts.settle"
    olive.change("doubts.settle", {**finding["suggestion"]["params"], "outcome": "she made it herself, by phone"})
    assert "found out: she made it herself, by phone" in tab.open("/mailbox/record/").text()
    until("it is closed, by the next look of its check", lambda: not found())

    tab.open("/mailbox/safe/").follow("everywhere else", exact=False)
    assert "You are signed out everywhere else" in tab.text()
    with pytest.raises(Exception, match=r"(?i)closed|bye|shut|eof|reset|abort"):
        for _ in range(20):
            laptop.noop()
            time.sleep(0.5)
    tab.follow("The next step")
    assert "Choose another password" in tab.text()
    tab.open("/mailbox/sign-ins/")
    assert "Phone" in lines(tab)
    tab.context.close()


def lines(tab: Tab) -> set[str]:
    """What the lines of a page are called."""
    return {one.strip() for one in tab.page.locator(".ln .t").all_inner_texts()}
