"""Sixty ways by which mail leaves three clients, each planted as people do: by the API, and by ManageSieve.

Finder and tracer find sixty and invent none; while the node is silent they say so, and that they no longer know.
"""

import csv
import json
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from clock import Clock
from tab import chromium
from test_by_api import owner_sets
from test_by_browser import signed_in

from world import Stack, until

pytestmark = [pytest.mark.server, pytest.mark.secrets]
SECRET = "four plain words here"
BOXES = ("box1", "box2", "box3", "box4", "pal1", "off", "sift", "inner", "ring", "quiet", "gone")
WRITE = ("sift", "ring", "quiet")  # whose owners have filters
OLIVE, ADA = "operator@northlight.example", "approver@northlight.example"
Way = tuple[str, str, str, str | None]  # mechanism, address, by way of, target

SIFT = """require ["copy", "variables"];
if header :contains "Subject" "a" {{ redirect :copy "sift.{tag}@web.de"; }}
elsif size :over 1M {{ redirect "else.{tag}@other.test"; }}
else {{ if header :matches "X-To" "*" {{ redirect "${{1}}"; }} redirect "note.{tag}@sms.test"; }}
"""


@dataclass
class Firm:
    clock: Clock
    tag: str

    @property
    def stack(self) -> Stack:
        return self.clock.stack

    def __post_init__(self) -> None:
        self.olive, self.ada = self.stack.person(OLIVE), self.stack.person(ADA)
        self.slugs = [f"{self.tag}{letter}" for letter in "abc"]

    def later(self) -> str:
        return (self.clock.now() + timedelta(days=30)).isoformat(timespec="seconds")

    def do(self, kind: str, params: Any) -> None:
        """Done and read back; where it waits for a second person, they agree."""
        made = self.olive.change(kind, params)
        if made["stage"] == "held":
            self.ada.approve(made)
        self.olive.verified(made, within=90)

    def leaving(self, **asked: Any) -> dict[str, Any]:
        """All pages of the finder as one."""
        pages = [self.olive.get(f"/forwards-leaving?{urlencode({'search': self.tag, 'limit': 23, **asked})}")]
        while after := pages[-1]["next"]:
            more = urlencode({"search": self.tag, "limit": 23, **asked, "after": after})
            pages.append(self.olive.get(f"/forwards-leaving?{more}"))
        return {"items": [one for page in pages for one in page["items"]], "coverage": pages[-1]["coverage"]}

    def found(self) -> list[Way]:
        items = self.leaving()["items"]
        return [(one["mechanism"], one["address"], one["via"], one["target"]) for one in items]

    def landings(self, address: str) -> set[tuple[str, str]]:
        traced = self.olive.get(f"/addresses/{address}/trace")
        return {(one["sort"], one["address"]) for one in traced["landings"]}

    @property
    def agent(self) -> int:
        return int((self.stack.state / "node/run/agent.pid").read_text().split()[0])

    @contextmanager
    def silent_node(self) -> Iterator[None]:
        """Its agent stands still; mail goes on."""
        pid = self.agent
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture(autouse=True)
def tidy(clock: Clock) -> Iterator[None]:
    """In the installation whose clock moves; the other one is not even started for this."""
    yield
    clock.stack.leave()


@pytest.fixture(scope="module")
def firm(clock: Clock) -> Firm:
    return Firm(clock, f"way{uuid.uuid4().hex[:6]}")


@pytest.fixture(scope="module")
def planted(firm: Firm) -> set[Way]:
    return {way for slug in firm.slugs for way in plant(firm, slug)}


def plant(firm: Firm, slug: str) -> list[Way]:
    """Twenty ways of one client, and beside them what looks like one and is none."""
    d, small, also = f"{slug}.example", f"{slug}-small.example", f"{slug}-also.example"
    firm.do("clients.create", {"name": slug})
    for name in (d, small, also):
        firm.do("domains.add", {"client": slug, "name": name, "hosting": "hosted"})
        until("it is proven", lambda name=name: firm.olive.get(f"/domains/{name}")["proof"] == "read")
    firm.do("clients.change", {"client": slug, "forward_allowed": [f"*.partner{slug}.test"]})
    boxes(firm, slug, d)
    away = [(f"{one}@{d}", f"{one}.{slug}@gmail.com") for one in ("box1", "box2", "box3", "box4", "off", "gone")]
    away += [(f"only@{small}", f"only@{slug}.test")]
    asked = [{"address": a, "to": to, "until": firm.later(), "owner": "Mia"} for a, to in away]
    firm.do("forwards.create", asked)
    allowed = (f"pal1@{d}", f"pal1@mail.partner{slug}.test")
    firm.do("forwards.create", {"address": allowed[0], "to": allowed[1], "until": firm.later()})
    firm.do("transports.create", {"address": f"fax@{d}", "host": f"mx.{slug}.test", "owner": "Mia",
                                  "until": firm.later()})  # fmt: skip
    inner = {"address": f"inner@{d}", "to": f"box2@{d}", "until": firm.later(), "keep_copy": False}
    firm.do("forwards.create", inner)
    for name, targets in (("team", ["box1"]), ("all", ["team"]), ("both", ["box2", "box3"]), ("stopped", ["off"]),
                          ("home", ["quiet"])):  # fmt: skip
        firm.do("aliases.create", {"address": f"{name}@{d}", "targets": [f"{one}@{d}" for one in targets]})
    firm.do("catch_alls.set", {"domain": d, "target": f"box4@{d}", "until": firm.later()})
    firm.do("domains.set_alias", {"domain": also, "of": small})
    firm.do("exceptions.create", {"address": f"sift@{d}", "target": f"sift.{slug}@web.de", "owner": "Mia",
                                  "until": firm.later()})  # fmt: skip
    rows = {one["address"]: one["id"] for one in firm.olive.get(f"/forwards?client={slug}")["items"]}
    firm.do("forwards.disable", {"forward": rows[f"off@{d}"]})
    firm.do("mailboxes.remove", {"mailbox": f"gone@{d}"})
    firm.do("forwards.end", {"forward": rows[f"gone@{d}"]})  # it was disabled with its mailbox
    return [
        *(("forward", a, "", to) for a, to in away if not a.startswith("gone")),
        ("forward", allowed[0], "", allowed[1]), ("transport", f"fax@{d}", "", f"mx.{slug}.test:25"),
        ("sieve redirect", f"sift@{d}", "", f"sift.{slug}@web.de"),
        ("sieve redirect", f"sift@{d}", "", f"else.{slug}@other.test"),
        ("sieve redirect", f"sift@{d}", "", f"note.{slug}@sms.test"), ("sieve redirect", f"sift@{d}", "", None),
        ("catch-all", f"@{d}", f"box4@{d}", f"box4.{slug}@gmail.com"),
        ("alias", f"team@{d}", f"box1@{d}", f"box1.{slug}@gmail.com"),
        ("alias", f"all@{d}", f"team@{d}", f"box1.{slug}@gmail.com"),
        ("alias", f"both@{d}", f"box2@{d}", f"box2.{slug}@gmail.com"),
        ("alias", f"both@{d}", f"box3@{d}", f"box3.{slug}@gmail.com"),
        ("forward", f"inner@{d}", f"box2@{d}", f"box2.{slug}@gmail.com"),
        ("sieve redirect", f"ring@{d}", f"box3@{d}", f"box3.{slug}@gmail.com"),
        ("domain alias", f"only@{also}", f"only@{small}", f"only@{slug}.test"),
    ]  # fmt: skip


def boxes(firm: Firm, slug: str, d: str) -> None:
    """The mailboxes, and what the owners of three of them upload."""
    stack = firm.stack
    firm.do("mailboxes.create", [{"address": f"{one}@{d}", "contact": f"{one}.{slug}@home.test"} for one in BOXES])
    for name in WRITE:
        owner_sets(stack, stack.mailed_link(f"{name}.{slug}@home.test"))
        until("they sign in", lambda name=name: stack.may_sign_in(f"{name}@{d}", SECRET))
    stack.upload(f"sift@{d}", SECRET, f'redirect "draft.{slug}@gmail.com";', name="a draft")
    stack.upload(f"sift@{d}", SECRET, SIFT.format(tag=slug))
    stack.upload(f"ring@{d}", SECRET, f'if size :over 1K {{ redirect "box3@{d}"; }}')
    stack.upload(f"quiet@{d}", SECRET, f'redirect "nobody@{slug}-small.example";')


def test_all_sixty_are_found_and_none_is_invented_at_every_door(firm: Firm, planted: set[Way], tmp_path: Path) -> None:
    assert len(planted) == 60
    firm.olive.ask("POST", "/forwards-leaving/looks")
    until("they are found", lambda: set(firm.found()) == planted, within=300, every=1)
    assert len(firm.found()) == 60
    said = firm.leaving()["coverage"]
    assert said["whole"] and said["checked"] == said["mailboxes"] >= 30
    for slug in firm.slugs:
        typed = json.loads(firm.stack.run("leaving", "--client", slug, "--json", token=firm.olive.token))
        assert len(typed["items"]) == 20
    file = tmp_path / "all.csv"
    why = ("--csv", str(file), "--why", "a story")
    firm.stack.run("leaving", "--search", firm.tag, *why, token=firm.olive.token)
    rows = csv.reader(file.read_text(encoding="utf-8-sig").splitlines())
    assert sum(firm.tag in "".join(row) for row in rows) == 60
    with chromium() as browser:
        olive = signed_in(firm.stack, browser, OLIVE, 1440, "light")
        for slug in firm.slugs:
            page = olive.open(f"/forwards/?client={slug}").text()
            missing = [way for way in planted if slug in way[1] and (way[3] or way[1]) not in page]
            assert not missing, missing


def test_the_tracer_lands_each_where_it_leaves_and_no_other(firm: Firm, planted: set[Way]) -> None:
    for mechanism, address, via, target in planted:
        asked = f"nobody.here{address}" if mechanism == "catch-all" else address
        lands, traced = firm.landings(asked), firm.olive.get(f"/addresses/{asked}/trace")
        if address.startswith("off@"):
            assert lands == {("mailbox", address)}, "disabled: nothing goes by it now"
        elif target is None:
            assert any(hop["unknown"] for hop in traced["hops"]), "worked out when mail comes"
        elif target.startswith(("else.", "note.")):
            assert [target] in [[one for one in hop["not_sent"] if one == target] for hop in traced["hops"]], traced
        else:
            assert ("outside", target) in lands, (address, via, target, lands)
    outside = {target for _, _, _, target in planted}
    for slug in firm.slugs:
        for name in (*BOXES, "stopped", "home", "team", "all", "both"):
            for sort, address in firm.landings(f"{name}@{slug}.example"):
                assert sort != "outside" or address in outside, (name, address)
        for name in ("off", "quiet", "home", "stopped"):
            assert "outside" not in dict(firm.landings(f"{name}@{slug}.example")), name


def test_while_the_node_is_silent_it_is_said_that_scripts_are_not_known(firm: Firm, planted: set[Way]) -> None:
    with firm.silent_node():
        firm.clock.on(minutes=20)
        firm.olive, firm.ada = firm.stack.person(OLIVE), firm.stack.person(ADA)
        assert set(firm.found()) == planted and len(firm.found()) == 60, "what was known is not forgotten"
        for said in (firm.leaving()["coverage"], firm.leaving(client=firm.slugs[0])["coverage"]):
            assert not said["whole"] and said["checked"] == 0
            assert {one["reason"] for one in said["unchecked"]} >= {"long ago"}
        typed = firm.stack.run("leaving", "--search", "nothing-of-this", token=firm.olive.token)
        assert "none was found, which says nothing of what was not checked" in typed
        assert ("unknown", f"ring@{firm.slugs[0]}.example") in firm.landings(f"ring@{firm.slugs[0]}.example")
        looks = firm.olive.ask("POST", f"/forwards-leaving/looks?{urlencode({'client': firm.slugs[0]})}")
        assert [one["state"] for one in looks["items"]] == ["waited for"] and not looks["over"]
        firm.clock.on(minutes=2)
        looks = firm.olive.get(f"/forwards-leaving/looks?{urlencode({'client': firm.slugs[0]})}")
        assert [one["state"] for one in looks["items"]] == ["no answer"] and looks["over"] and looks["looked"] == 0
        with chromium() as browser:
            olive = signed_in(firm.stack, browser, OLIVE, 390, "dark")
            page = olive.open(f"/forwards/?client={firm.slugs[0]}").text()
            assert "0 of 10" in page and "has not looked within five minutes" in page, page
    until("it looks again", lambda: firm.leaving()["coverage"]["whole"], within=120, every=1)
    assert set(firm.found()) == planted
