"""Every page, light and dark, wide and on a phone: nothing axe objects to, nothing that overflows, no error.

The pages are served with `default-src 'self'` and nothing else, so one inline style or script fails here.
"""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.server

FRAMED = (
    *("overview", "first", "clients", "nothing", "client", "domains", "domain", "mailboxes", "mailbox", "sign-ins"),
    *("verification", "people", "routing", "trace", "forwards", "looks", "view"),
    *("exceptions", "destinations", "postures", "posture"),
    *("person", "nodes", "invites", "link", "changes", "change", "applied", "approvals", "form", "plan", "refused"),
    *("confirm", "kinds", "palette", "states", "findings", "finding"),
    *("mail-apps", "roles", "token", "access", "closed", "sheet", "audit", "entry", "reviews", "review", "roster"),
)
PLAIN = (
    "invite",
    "code",
    "settings",
    "set-up",
    "gone",
    "devices",
    "own-sign-in",
    "own-mailbox",
    "own-password",
    "own-story",
    "own-sessions",
    "own-doubt",
    "new_app_password",
    "app_password",
    "let_in",
    "notice",
    "not_me",
    "confirming",
    "recover",
    "regain",
    "sessions",
    "enrol",
    "400",
    "403",
    "404",
    "429",
    "500",
    "503",
)
ACCOUNT = (
    *("login", "logout", "mfa", "mfa-index", "totp", "totp-off", "codes", "codes-new", "passkeys", "passkey"),
    *("passkey-name", "passkey-again", "passkey-off", "password", "recover-key"),
)
PATHS = [*(f"/p/{name}" for name in FRAMED + PLAIN), *(f"/a/{name}" for name in ACCOUNT)]

COLOURS = ("color-contrast", "link-in-text-block")
"""What a theme can break: nothing but colours differs in the dark."""

OVERFLOW = """() => {
  const d = document.documentElement;
  const out = [...document.querySelectorAll("body *")].filter(e => e.checkVisibility()
      && !e.closest(".table-responsive, .visually-hidden, svg, aside, .top .btn span, .skip, .stack thead")
      && e.getBoundingClientRect().right > d.clientWidth + 1).map(e => `${e.tagName}.${e.className}`);
  return d.scrollWidth > d.clientWidth || out.length ? [d.scrollWidth, d.clientWidth, ...out.slice(0, 4)] : [];
}"""
SMALL = """() => [...document.querySelectorAll("main a.btn, main button, header a, header button, input, select")]
  .filter(e => e.checkVisibility() && !e.closest(".visually-hidden, dialog") && e.type !== "hidden")
  .filter(e => e.getBoundingClientRect().height < (e.type === "checkbox" ? 16 : 24))
  .map(e => e.outerHTML.slice(0, 90))"""


SCROLLS = """() => [...document.querySelectorAll(".table-responsive")].filter(e => e.scrollWidth > e.clientWidth)
  .map(e => `${e.getAttribute("aria-label")}: ${e.scrollWidth} in ${e.clientWidth}`)"""
WIDTHS = ((1440, 900), (390, 844))


def look_at(tab, path: str) -> list[str]:
    """What is wrong with a page, at both widths."""
    page = tab.open(path)
    found = []
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        for theme, rules in (("light", ()), ("dark", COLOURS)):
            page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
            found += [f"{width} {theme} axe {one}" for one in tab.axe(*rules)]
            picture(page, path, theme)
        found += [f"{width} overflow {one}" for one in page.evaluate(OVERFLOW)]
        found += [f"{width} small {one}" for one in page.evaluate(SMALL)]
        found += [f"{width} scrolls {one}" for one in page.evaluate(SCROLLS)]
    return found + [f"console {said}" for said in tab.wrong]


def picture(page, path: str, theme: str) -> None:
    """Kept when somebody wants to look: PAGE_SHOTS=<folder>."""
    if folder := os.environ.get("PAGE_SHOTS"):
        name = path.strip("/").replace("/", "-").replace("?", "-")
        page.screenshot(
            path=Path(folder) / f"{name}-{page.viewport_size['width']}-{theme}.png",
            full_page=True,
            caret="initial",
            animations="allow",
        )


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_clean(any_width, path):
    assert look_at(any_width, path) == []


@pytest.mark.parametrize("name", [name for name in FRAMED + PLAIN if not name.isdigit()])
def test_hostile_text_stays_text(any_width, name):
    page = any_width.open(f"/p/{name}?hostile=1")
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(OVERFLOW) == []
    assert page.locator("script:not([src]), img").count() == 0
    assert any_width.wrong == []


def test_every_page_is_looked_at(base):
    with urllib.request.urlopen(base + "/") as answer:
        served = json.load(answer)
    assert sorted(served["pages"]) == sorted(FRAMED + PLAIN)
    assert sorted(served["account"]) == sorted(ACCOUNT)
