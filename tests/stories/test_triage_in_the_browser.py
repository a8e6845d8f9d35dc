"""F8 in the pages alone: every forward to a private address over two clients, and what is done about each of them.

Rows are chosen in the list and acted on there: an exception that somebody else agrees to, a letter to the owner, a
forward disabled and one replaced by access, a redirect stopped, a transport ended. What became of it is asked of SMTP,
IMAP, ManageSieve and the sink. Never: "none" while not all was checked; a rule's text lost.
"""

import csv
import os
import re
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tab import Tab, chromium
from test_by_api import SECRET, owner_sets
from test_by_browser import signed_in

from world import Person, Stack, received, until

pytestmark = pytest.mark.server
OLIVE, ADA = "operator@northlight.example", "approver@northlight.example"
SCRIPT = """require ["copy"];\r
# Für die Umsatzsteuer: bleibt, wie es ist.\r
if header :contains "Subject" ["invoice", "Rechnung"] {{\r
    redirect :copy "{spy}";   \r
}}\r
"""


@dataclass(frozen=True)
class Firm:
    """Two clients of the story's own, with a way out of each sort."""

    stack: Stack
    olive: Person
    ada: Person
    tag: str

    @property
    def slugs(self) -> list[str]:
        return [f"{self.tag}a", f"{self.tag}b"]

    def at(self, name: str, slug: str = "a") -> str:
        return f"{name}@{self.tag}{slug}.example"

    @property
    def script(self) -> str:
        return SCRIPT.format(spy=f"spy.{self.tag}@web.de")

    def do(self, kind: str, params: object) -> None:
        made = self.olive.change(kind, params)
        if made["stage"] == "held":
            self.ada.approve(made)
        self.olive.verified(made, within=90)

    def left(self, subject: str) -> list[str]:
        return [str(one["Delivered-To"]) for one in self.stack.sink() if str(one["Subject"]) == subject]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def firm(stack: Stack) -> Firm:
    firm = Firm(stack, stack.person(OLIVE), stack.person(ADA), f"tri{uuid.uuid4().hex[:6]}")
    later = (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="seconds")
    for slug in firm.slugs:
        firm.do("clients.create", {"name": slug})
        firm.olive.change("domains.add", {"client": slug, "name": f"{slug}.example"})
    for slug in firm.slugs:
        until("it is proven", lambda slug=slug: firm.olive.get(f"/domains/{slug}.example")["proof"] == "read")
    people = [firm.at("leo"), firm.at("mia"), firm.at("sara", "b")]
    homes = {box: box.replace("@", ".at.") + "@home.test" for box in people}
    for end in "ab":
        asked = [{"address": one, "contact": homes[one], "name": one.partition("@")[0].title()} for one in people
                 if one.endswith(f"{end}.example")]  # fmt: skip
        firm.do("mailboxes.create", asked)
    firm.do("mailboxes.create", {"address": firm.at("team", "b"), "kind": "shared"})
    for box in people:
        owner_sets(stack, stack.mailed_link(homes[box], within=60))
        until("its owner signs in", lambda box=box: stack.may_sign_in(box, SECRET))
    for source, to in ((firm.at("mia"), "mia"), (firm.at("team", "b"), "team")):
        asked_for = {"address": source, "to": f"{to}.{firm.tag}@gmail.com", "until": later, "owner": "Mia Moss"}
        firm.do("forwards.create", asked_for)
    firm.do("transports.create", {"address": firm.at("fax"), "host": f"mx.{firm.tag}.test", "owner": "Mia Moss",
                                  "until": later})  # fmt: skip
    stack.upload(firm.at("leo"), SECRET, firm.script)
    return firm


def chosen(tab: Tab, act: str, *rows: tuple[str, str]) -> Tab:
    """Tick these rows, of (address, target), and press what shall be done to them."""
    for address, target in rows:
        tab.page.get_by_label(f"Choose {address} to {target}", exact=True).check()
    return tab.follow(act)


def agreed(firm: Firm, browser: Browser, change: str) -> None:
    """By a second person, at the page of the change."""
    ada = signed_in(firm.stack, browser, ADA, 1440, "light")
    ada.open(change).follow("Approve exactly this").verified(change)
    assert "Ada Okafor" in ada.text()
    ada.context.close()


def test_nobody_is_told_none_while_not_all_was_checked(stack: Stack, browser: Browser) -> None:
    olive, tag = stack.person(OLIVE), f"dark{uuid.uuid4().hex[:6]}"
    olive.change("clients.create", {"name": tag})
    olive.change("domains.add", {"client": tag, "name": f"{tag}.example"})
    until("it is proven", lambda: olive.get(f"/domains/{tag}.example")["proof"] == "read")
    tab = signed_in(stack, browser, OLIVE, 1440, "light")
    with silent_node(stack):
        olive.change("mailboxes.create", {"address": f"one@{tag}.example"})
        page = tab.open(f"/forwards/?client={tag}").text()
        assert "0 of 1 checked; 1 not" in page and "None was found, and not all was checked" in page, page
        assert "No mail leaves" not in page
        page = tab.follow("Look at scripts now").text()
        assert "0 of 1" in page and "waited for" in page, page
    tab.page.locator("#looks", has_text="looked").get_by_text("1 of 1").first.wait_for(timeout=90_000)
    assert "waited for" not in tab.look().text()
    until("its scripts were read", lambda: "1 of 1 checked" in tab.open(f"/forwards/?client={tag}").text(), every=2)
    assert "No mail leaves" in tab.text() or "No way out" in tab.text(), tab.text()
    tab.context.close()


@contextmanager
def silent_node(stack: Stack) -> Iterator[None]:
    """Its agent stands still; mail goes on."""
    pid = int((stack.state / "node/run/agent.pid").read_text().split()[0])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_private_forwards_of_all_clients_are_found_saved_and_taken_away(
    firm: Firm, browser: Browser, tmp_path: Path
) -> None:
    tab = signed_in(firm.stack, browser, OLIVE, 1440, "light")
    tab.open("/forwards/").follow("Look at scripts now")
    tab.page.locator("#looks", has_text="looked").wait_for(timeout=90_000)
    private = f"/forwards/?only=private&q={firm.tag}"
    private_ones = [f"{who}.{firm.tag}@gmail.com" for who in ("mia", "team")] + [f"spy.{firm.tag}@web.de"]
    until("all are listed", lambda: all(one in tab.open(private).text() for one in private_ones), within=90, every=2)
    page = tab.text()
    assert "checked" in page and f"mx.{firm.tag}.test" not in page, page
    assert all(slug in page.lower() for slug in firm.slugs), "over all clients"
    tab.page.locator("main form[action='/forwards/views/'] [name=name]").fill(f"Private {firm.tag}")
    tab.follow("Save")
    tab.open("/forwards/").follow(f"Private {firm.tag}")
    assert all(one in tab.text() for one in private_ones) and "only=private" in tab.page.url
    export = tab.page.locator("main form[action='/forwards/export/']")
    export.locator("[name=why]").fill("the yearly look")
    with tab.page.expect_download() as coming:
        export.get_by_role("button", name="Export").click()
    coming.value.save_as(tmp_path / "ways.csv")
    rows = list(csv.reader((tmp_path / "ways.csv").read_text(encoding="utf-8-sig").splitlines()))
    taken = [one for one in private_ones if any(one in row for row in rows)]
    assert taken == private_ones and sum(firm.tag in "".join(row) for row in rows) == len(taken), rows
    tab.context.close()


def test_an_exception_is_agreed_to_its_owner_told_and_the_redirect_stopped(firm: Firm, browser: Browser) -> None:
    stack, leo, spy = firm.stack, firm.at("leo"), f"spy.{firm.tag}@web.de"
    kept, let, stopped = (f"invoice {word} {firm.tag}" for word in ("kept", "let", "stopped"))
    tab = signed_in(stack, browser, OLIVE, 1440, "light")
    narrowed = f"/forwards/?client={firm.slugs[0]}"
    until("it is found", lambda: spy in tab.open(narrowed).text(), within=300, every=2)
    stack.from_outside(leo, kept)
    received(stack.imap(leo, SECRET), kept)
    chosen(tab, "Approve an exception…", (leo, spy))
    assert tab.page.locator("main [name='row-0-address']").input_value() == leo
    tab.fill(row_0_owner="Leo Long")
    made = tab.plan("he does our books").send()
    assert "held for a second person" in tab.text() and firm.left(kept) == [], tab.text()
    agreed(firm, browser, made)
    page = tab.open(narrowed).text()
    assert "Leo Long answers for it" in page and "until" in page, page
    stack.from_outside(leo, let)
    assert until("it leaves now", lambda: firm.left(let)) == [spy]
    chosen(tab, "Tell the owner…", (leo, spy))
    tab.verified(tab.plan("he shall know").send())
    told = until("he is told", lambda: [
        one for one in stack.sink() if str(one["Delivered-To"]) == leo.replace("@", ".at.") + "@home.test"
        and "is passed on" in str(one["Subject"])
    ])  # fmt: skip
    assert spy in told[-1].get_content() and "Leo Long answers for it" in told[-1].get_content()
    before = stack.filter(leo, SECRET)
    chosen(tab.open(narrowed), "Disable or end…", (leo, spy))
    tab.verified(tab.plan("nobody knows that address").send())
    stack.from_outside(leo, stopped)
    received(stack.imap(leo, SECRET), stopped)
    assert firm.left(stopped) == [] and "stopped at the port" in tab.open(narrowed).text()
    assert stack.filter(leo, SECRET) == before == firm.script.encode(), "no rule's text is lost"
    tab.context.close()


def test_a_forward_is_disabled_one_replaced_by_access_and_a_transport_ended(firm: Firm, browser: Browser) -> None:
    stack, mia, team, sara = firm.stack, firm.at("mia"), firm.at("team", "b"), firm.at("sara", "b")
    first, second, third = (f"{word} {firm.tag}" for word in ("disabled", "shared", "fax"))
    tab = signed_in(stack, browser, OLIVE, 1440, "light")
    chosen(tab.open(f"/forwards/?q={firm.tag}"), "Disable or end…", (mia, f"mia.{firm.tag}@gmail.com"))
    tab.verified(tab.plan("she is back").send())
    stack.from_outside(mia, first)
    received(stack.imap(mia, SECRET), first)
    assert firm.left(first) == []
    row = tab.open(f"/forwards/?client={firm.slugs[0]}").page.locator("tr", has_text=f"mia.{firm.tag}@gmail.com")
    assert "disabled" in row.inner_text(), "disabled, and not deleted: it stands to be read"
    (forward,) = firm.olive.get(f"/forwards?client={firm.slugs[0]}")["items"]
    assert forward["disabled_at"] and not forward["removed_at"] and forward["to"] == f"mia.{firm.tag}@gmail.com"
    chosen(tab.open(f"/forwards/?q={firm.tag}"), "Replace by access…", (team, f"team.{firm.tag}@gmail.com"))
    tab.fill(row_0_to=sara)
    tab.verified(tab.plan("she works here").send())
    until(
        "the way out has ended", lambda: firm.olive.get(f"/forwards?client={firm.slugs[1]}")["items"][0]["disabled_at"]
    )
    stack.from_outside(team, second)

    def opened() -> bool:
        box = stack.imap(sara, SECRET)
        there = box.select(f'"shared/{team}"', readonly=True)[0] == "OK"
        return there and bool(box.search(None, "SUBJECT", f'"{second}"')[1][0])

    until("she reads it in the team's mailbox", opened, every=1)
    assert firm.left(second) == []
    fax = firm.at("fax")
    stack.from_outside(fax, third)
    assert until("it is handed over", lambda: firm.left(third)) == [fax]
    chosen(tab.open(f"/forwards/?q={firm.tag}"), "Disable or end…", (fax, f"mx.{firm.tag}.test:25"))
    tab.verified(tab.plan("the fax is gone").send())
    until("nobody takes it", lambda: stack.rcpt(fax) == 550)
    record = tab.open(f"/changes/?client={firm.slugs[0]}").text()
    assert re.search(r"she is back", record) and "the fax is gone" in record
    tab.context.close()
