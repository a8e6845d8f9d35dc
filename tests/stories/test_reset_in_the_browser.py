"""Flow F3 in the pages alone: Henry takes the call, Olive calls back, Amy vouches, Ada agrees; the owner is back."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest
from on_the_phone import ADA, CODE, HENRY, NEW, NORA, OLIVE, SECRET, THIEF, House, Vip
from playwright.sync_api import Browser
from tab import SEND, Tab, chromium
from test_by_browser import printed

from world import until

pytestmark = [pytest.mark.server, pytest.mark.secrets]
PASSWORD = "two plain words"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(autouse=True)
def tidy(house: House) -> Iterator[None]:
    """In place of the other stories' own, which would start a demo of its own too."""
    yield
    house.stack.leave()


def enter(house: House, browser: Browser, who: str) -> Tab:
    """By a printed link, which stands for both factors."""
    return Tab(browser, house.stack.at["web"]).open(printed(house.stack, who))


def joined(house: House, browser: Browser) -> tuple[Tab, str]:
    """Amy, by a link mailed anew, since the first one is over: a password, and a second factor for sensitive acts, of
    which a letter tells her. Her tab, and the secret of her authenticator app."""
    stack, nora = house.stack, house.stack.person(NORA)
    sent, items = len(stack.links(house.amy)), nora.get(f"/invites?client={house.client}&limit=200")["items"]
    (hers,) = [one["id"] for one in items if one["contact"] == house.amy]
    nora.ask("POST", f"/invites/{hers}/resend", {"why": "the first one is over"})
    until("it is mailed anew", lambda: len(stack.links(house.amy)) > sent)
    tab = Tab(browser, stack.at["web"]).open(stack.mailed_link(house.amy))
    tab.fill(password=PASSWORD).follow("Make my sign-in")
    tab.open("/account/2fa/totp/activate/")
    secret = tab.page.locator("#authenticator_secret").input_value()
    tab.fill(code=pyotp.TOTP(secret).at(house.clock.now())).follow("Set it up")
    added = "A second factor was added to your sign-in"
    until("she is told", lambda: [one for one in stack.sink() if (one["To"], one["Subject"]) == (house.amy, added)])
    return tab, secret


def vouches(house: House, amy: Tab, secret: str, which: str) -> None:
    """She is asked for her second factor once more, and what she typed goes on."""
    asks(amy, "resets.vouch", verification=which, answer="right")
    amy.page.locator(SEND).first.click()
    amy.page.wait_for_url("**/account/2fa/reauthenticate/**")
    amy.look().fill(code=pyotp.TOTP(secret).at(house.clock.now() + timedelta(seconds=30))).follow("Go on")
    assert re.search(r"/(resets|changes)/[^/]+/$", amy.page.url), amy.page.url


def asks(tab: Tab, kind: str, why: str = "she is on the phone", **values: str) -> Tab:
    """The form of a kind, its choices by what they are called, up to its plan."""
    if not tab.page.url.split("?")[0].endswith(f"/do/{kind}/"):
        tab.open(f"/do/{kind}/")
    for name, words in values.items():
        field = tab.page.locator(f"main [name='{name}']").first
        picks = field.evaluate("e => e.tagName") == "SELECT"
        field.select_option(label=words) if picks else field.fill(words)
    tab.page.locator("main [name='why']").fill(why)
    return tab.follow("Show the plan")


def sends(tab: Tab) -> None:
    """What was planned; it leads to the reset's own page, or to the change."""
    tab.page.locator(SEND).first.click()
    tab.page.wait_for_url(re.compile(r"/(resets|changes)/[^/]+/$"))
    tab.look()


def test_a_vip_is_reset_by_people_at_their_pages(house: House, browser: Browser) -> None:
    vip, stack, clock = house.vips["pages"], house.stack, house.clock
    henry, olive, ada = (enter(house, browser, who) for who in (HENRY, OLIVE, ADA))
    amy, secret = joined(house, browser)

    card = henry.open(f"/mailboxes/{vip.address}/").text().partition("Who can reset this?")[2]
    assert card.replace("weakest first", "").count("weakest") == 1
    assert "The registrar login of" in card.partition("weakest first")[2][:80], "it is the one that is marked"
    assert vip.number in card and vip.home in card and vip.before not in card
    henry.follow("Start verified reset")
    henry.page.locator("main [name='urgent']").check()
    asks(henry, "resets.start", ticket="T-77")
    assert "Nothing is sent yet" in henry.text()
    sends(henry)
    assert "/resets/" in henry.page.url and "0 of 2 proven" in henry.text()
    which = f"{vip.address}, T-77"

    early = asks(olive, "resets.send_link", verification=which, contact=vip.home)
    assert "releases no link" in early.text(), "urgent skips nothing"
    called = asks(
        olive, "resets.record_call", verification=which, channel=f"{vip.number} of {vip.address}", answer="right"
    )
    sends(called)
    half = asks(olive.open("/"), "resets.send_link", verification=which, contact=vip.home)
    assert "releases no link" in half.text(), "one proof is not enough for a VIP"
    vouches(house, amy, secret, which)

    thief = asks(olive.open("/"), "resets.send_link", verification=which, contact=THIEF)
    assert "nobody was reached before" in thief.text()
    asks(olive.open("/"), "resets.send_link", verification=which, contact=vip.home)
    assert "a second person agrees" in olive.text() and "15 minutes" in olive.text()
    sends(olive)
    held = olive.page.url
    assert "held for a second person" in olive.text()
    for nobody in (olive, henry):
        nobody.open(held)
        assert nobody.page.get_by_role("button", name="Approve exactly this").count() == 0
    ada.open(held).follow("Approve exactly this")
    assert "scheduled" in ada.text()

    warned = Tab(browser, stack.at["web"], width=390)
    link = stack.mailed_link(vip.before, "/not-me/")
    warned.open(link)
    assert link.rpartition("/")[2] not in warned.page.url and "says that they own the mailbox" in warned.text()
    assert "scheduled" in olive.open(held).text(), "a look stops nothing"
    assert not stack.links(vip.home)
    clock.on(minutes=16)
    owner_is_back(house, browser, vip)
    assert "password set" in olive.open(f"/mailboxes/{vip.address}/").text()


def owner_is_back(house: House, browser: Browser, vip: Vip) -> None:
    """In a browser of their own that runs no script."""
    stack = house.stack
    link = stack.mailed_link(vip.home)
    tab = Tab(browser, stack.at["web"], width=390, script=False)
    assert link.rpartition("/")[2] not in tab.open(link).page.url
    tab.fill(password=NEW, again=NEW).page.locator("main form button").click()
    assert "Keep this recovery code" in tab.look().text() and "-".join(CODE.findall(tab.text())) != vip.code
    tab.page.locator("#kept").check()
    tab.page.locator("main form button").click()
    assert "Do you know these changes?" in tab.look().text() and "Not known?" in tab.text()
    tab.follow("I know all of them")
    until("the new secret signs in", lambda: stack.may_sign_in(vip.address, NEW))
    assert not stack.may_sign_in(vip.address, SECRET)
    assert "does not work any more" in tab.open(link).text(), "once"
    assert stack.links(vip.home) == [link], "one letter, however far the clock went on"
    tab.context.close()
