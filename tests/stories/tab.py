"""A browser at the pages of an installation, and what is asked of each page that is opened in it."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from axe_playwright_python.base import AxeBase
from playwright.sync_api import Browser, Error, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET = ("--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update")
AXE = (Path(sys.modules[AxeBase.__module__].__file__ or "").parent / "axe.min.js").read_text(encoding="utf-8")
OVERFLOW = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
SEND = "section[aria-labelledby=h-send] button[type=submit]"
PATIENCE = 60_000


@contextmanager
def chromium() -> Iterator[Browser]:
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, "--disable-sync", *alone])
        yield launched
        launched.close()


class Tab:
    """One person's tab. Every page they come to is looked at: nothing axe objects to, nothing that overflows."""

    def __init__(self, browser: Browser, base: str, *, width: int = 1440, script: bool = True) -> None:
        size = {"width": width, "height": 900 if width > 640 else 844}
        self.context = browser.new_context(viewport=size, reduced_motion="reduce", java_script_enabled=script)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.base, self.width, self.script, self.seen = base, width, script, 0
        self.wrong: list[str] = []
        self.page.on("console", lambda said: self._noted(said.type, said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def _noted(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "status of 4" not in text:
            self.wrong.append(text)

    def open(self, address: str) -> "Tab":
        self.page.goto(address if address.startswith("http") else self.base + address)
        return self.look()

    def follow(self, words: str, *, exact: bool = True) -> "Tab":
        """Press the link or button that is called so."""
        link = self.page.get_by_role("link", name=words, exact=exact)
        button = self.page.get_by_role("button", name=words, exact=exact)
        link.or_(button).first.click()
        self.page.wait_for_load_state()
        return self.look()

    def look(self) -> "Tab":
        """What every page owes. One that reads itself again meanwhile (a change that arrives) is looked at anew."""
        for _ in range(5):
            try:
                return self._look()
            except Error as error:
                if "context was destroyed" not in str(error):
                    raise
                self.page.wait_for_load_state()
        raise AssertionError(f"{self.page.url} never comes to rest")

    def _look(self) -> "Tab":
        """Checked at once; kept as a picture where somebody wants to see (PAGE_SHOTS)."""
        self.seen += 1
        if folder := os.environ.get("PAGE_SHOTS"):
            name = re.sub(r"[^a-z0-9]+", "-", self.page.title().lower())[:50]
            self.page.screenshot(path=f"{folder}/{self.width}-{self.seen:02}-{name}.png", full_page=True)
        if self.script:
            with suppress(Error):  # a script that sends a form leaves an empty page for a moment
                self.page.wait_for_selector("main", state="attached", timeout=5000)
            self.page.evaluate("'axe' in window") or self.page.evaluate(AXE)
            found = self.page.evaluate("() => axe.run(document, {resultTypes: ['violations'], preload: false})")
            said = [f"{one['id']}: {one['nodes'][0]['target']}" for one in found["violations"]]
            assert said == [], f"{self.page.url}: {said}"
            assert not self.page.evaluate(OVERFLOW), f"{self.page.url} is wider than the window"
        assert self.wrong == [], f"{self.page.url}: {self.wrong}"
        return self

    def text(self) -> str:
        return self.page.locator("main").inner_text()

    def fill(self, **values: str) -> "Tab":
        """Fill fields by their name; one in a row is `row_0_address`."""
        for name, value in values.items():
            field = self.page.locator(f"main [name='{name.replace('_', '-', 2) if name.startswith('row_') else name}']")
            field.select_option(value) if field.evaluate("e => e.tagName") == "SELECT" else field.fill(value)
        return self

    def plan(self, why: str, ticket: str = "", **values: str) -> "Tab":
        """Fill the form that is open and look at its plan."""
        self.fill(**values, why=why, **({"ticket": ticket} if ticket else {}))
        self.follow("Show the plan")
        assert "Nothing is changed yet" in self.text(), self.text()
        return self

    def send(self, word: str = "") -> str:
        """Send the plan; the address of the change that came of it."""
        if word:
            self.fill(typed=word)
        self.page.locator(SEND).first.click()
        self.page.wait_for_url("**/changes/*/")
        self.look()
        return self.page.url

    def verified(self, address: str) -> "Tab":
        """Wait until the page itself says so: it asks again as long as something is left."""
        if self.page.url != address:
            self.page.goto(address)
        self.page.locator(".h1r", has_text="verified").wait_for(timeout=PATIENCE)
        return self.look()
