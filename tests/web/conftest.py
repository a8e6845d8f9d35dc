"""Pages in a browser: one server with sample data, one headless Chromium a module, one tab a width.

Not one for the whole run: while it lives its event loop runs in this thread, and Django refuses its database there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.base import AxeBase
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
QUIET = ("--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update")
AXE = (Path(sys.modules[AxeBase.__module__].__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@dataclass
class Tab:
    """A tab that is used again and again, and what went wrong in it since the last `open`."""

    page: Page
    base: str
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.wrong.clear()
        self.page.goto(self.base + path)
        return self.page

    def axe(self, *rules: str) -> list[str]:
        """Violations, each with the first element it names; `rules`: only those."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        options = {"resultTypes": ["violations"], "preload": False} | ({"runOnly": list(rules)} if rules else {})
        found = self.page.evaluate("options => axe.run(document, options).then(r => r.violations)", options)
        return [f"{one['id']}: {one['nodes'][0]['target']} {one['nodes'][0]['failureSummary']}" for one in found]


@pytest.fixture(scope="session")
def base() -> Iterator[str]:
    """The address of the preview server."""
    env = os.environ | {"PYTHONPATH": str(HERE.parents[1] / "src")}
    env.pop("DJANGO_SETTINGS_MODULE", None)
    env.pop("PREVIEW_PORT", None)
    command = [sys.executable, str(HERE / "preview.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=HERE) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            assert port, "the preview server did not start"
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@contextmanager
def chromium() -> Iterator[Browser]:
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, "--disable-sync", *alone])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


def tab(browser: Browser, base: str, width: int, height: int, **more: object) -> Tab:
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **more)
    opened = Tab(context.new_page(), base)
    page = opened.page
    page.set_default_timeout(10_000)
    page.on(
        "console",
        lambda said: opened.wrong.append(f"{said.text} {said.location}") if said.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: opened.wrong.append(str(error)))
    page.on("dialog", lambda dialog: (opened.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    return opened


@pytest.fixture(scope="module")
def wide(browser: Browser, base: str) -> Tab:
    return tab(browser, base, 1440, 900)


@pytest.fixture(scope="module")
def phone(browser: Browser, base: str) -> Tab:
    return tab(browser, base, 390, 844)


@pytest.fixture(scope="module")
def any_width(browser: Browser, base: str) -> Tab:
    """A tab of its own for tests that change its width."""
    return tab(browser, base, 1440, 900)


@pytest.fixture(scope="module")
def scriptless(browser: Browser, base: str) -> Tab:
    """A browser that runs no script."""
    return tab(browser, base, 390, 844, java_script_enabled=False)
