"""A probe on a real node: what its agent tells of it is what was computed, or shows that it was not."""

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from filters import remove, upload
from live_node import JOE, KIM, MIA, LiveNode, unchecked, until

from postroom.protocols import return_address
from postroom.protocols.routing import Rule, trace

pytestmark = pytest.mark.server
ALL, TEAM, OUT, OK = "all@acme.example", "team@acme.example", "out@far.example", "ok@far.example"
NAME = "acme.wiki"
RULES = (
    Rule("domain", "@acme.example"),
    Rule("domain", "@acme.wiki"),
    Rule("domain alias", "@acme.wiki", ("@acme.example",)),
    Rule("mailbox", MIA),
    Rule("mailbox", JOE),
    Rule("alias", ALL, (TEAM,)),
    Rule("alias", TEAM, (MIA, JOE)),
    Rule("forward", JOE, (OUT,), keep=True),
    Rule("sieve", MIA, (OK,), keep=True),
)


def routes(node: LiveNode, source: str, *to: str, box: bool = False) -> None:
    rows = [{"source": source, "destination": one, "until": None} for one in to]
    mailbox = [{"address": source, "quota_mb": 100}] if box else []
    node.put("address", f"routes of {source}", {"maps": {"route": rows, "mailbox": mailbox}})


@pytest.fixture
def routed(node: LiveNode) -> Iterator[LiveNode]:
    """An alias domain, an alias of an alias, a forward with a copy, a filter that passes on with a copy."""
    mirror = {"name": NAME, "target": "acme.example", "until": None}
    node.put("domain", f"alias {NAME}", {"maps": {"alias_domain": [mirror]}})
    routes(node, ALL, TEAM)
    routes(node, TEAM, MIA, JOE)
    node.put("address", "forward of joe", {"maps": {"route": [{"source": JOE, "destination": OUT, "until": None}]}})
    node.put("domain", "allowed for a probe", {"maps": {"allowed": [{"source": MIA, "target": OK, "until": None}]}})
    upload(node, MIA, f'require "copy"; redirect :copy "{OK}";')
    yield node
    remove(node, MIA)
    for name in (f"routes of {ALL}", f"routes of {TEAM}", "forward of joe"):
        node.put("address", name, None)
    for name in ("allowed for a probe", f"alias {NAME}"):
        node.put("domain", name, None)


def sent(node: LiveNode, to: str, *, marked: bool = True) -> str:
    """As the worker hands it in: its token."""
    token, ours = return_address.drawn(), node.config.notices_from
    text = f"From: {ours}\r\nTo: {to}\r\nMessage-ID: <probe.{token}@northlight.example>\r\nSubject: probe\r\n"
    text += "Auto-Submitted: auto-generated\r\n\r\nx\r\n" if marked else "\r\nx\r\n"
    with smtplib.SMTP(node.address, node.config.ports.submission, timeout=10, local_hostname="cp.example") as line:
        line.starttls(context=unchecked())
        line.login(node.config.system_login, (node.folder / "system.password").read_text().strip())
        line.sendmail(return_address.address(ours, token), [to], text)
    return token


def told(node: LiveNode, token: str) -> list[dict[str, Any]]:
    return [row for row in node.source.reported("probes") if row["token"] == token]


def ends(node: LiveNode, token: str) -> set[str]:
    return {f"{row['what']} {row['address']}" for row in told(node, token)}


def computed(to: str) -> set[str]:
    known: dict[str, list[Rule]] = {}
    for rule in RULES:
        known.setdefault(rule.source, []).append(rule)
    return {f"{one.sort} {one.address}" for one in trace(to, known, at=datetime.now(UTC)).landings}


def test_it_is_told_where_it_was_computed_to_arrive(routed: LiveNode) -> None:
    to = f"all@{NAME}"
    expected = computed(to)
    assert expected == {f"mailbox {MIA}", f"mailbox {JOE}", f"outside {OUT}", f"outside {OK}"}
    token = sent(routed, to)
    assert until(lambda: ends(routed, token) >= expected, 20), (ends(routed, token), routed.log("postfix")[-3000:])
    assert ends(routed, token) == expected
    assert {row["folder"] for row in told(routed, token) if row["what"] == "mailbox"} == {"INBOX"}


def test_what_differs_from_what_was_computed_is_told(routed: LiveNode) -> None:
    """Somebody was at the maps, and the owner of a mailbox put up a filter a moment ago."""
    routes(routed, TEAM, MIA, JOE, "spy@far.example")
    upload(routed, MIA, f'require ["fileinto", "mailbox"]; fileinto :create "Away"; redirect "{KIM}"; redirect "{OK}";')
    token = sent(routed, ALL)
    there = {f"mailbox {MIA}", f"mailbox {JOE}", f"outside {OUT}", f"outside {OK}", "outside spy@far.example"}
    assert until(lambda: ends(routed, token) >= there, 20), (ends(routed, token), routed.log("dovecot")[-3000:])
    assert "outside spy@far.example" not in computed(ALL)
    assert {row["folder"] for row in told(routed, token) if row["address"] == MIA} >= {"Away"}


def test_a_filter_that_throws_away_and_one_who_is_not_there(routed: LiveNode) -> None:
    upload(routed, MIA, "discard;")
    routes(routed, TEAM, MIA, "nobody@acme.example")
    token = sent(routed, TEAM)
    there = {f"discarded {MIA}", "refused nobody@acme.example"}
    assert until(lambda: ends(routed, token) >= there, 20), (ends(routed, token), routed.log("postfix")[-3000:])
    assert ends(routed, token) == there


@pytest.mark.parametrize(("script", "there"), [
    (f'redirect "{OK}"; discard;', {f"outside {OK}", f"discarded {MIA}"}),
    (f'require "copy"; discard; redirect :copy "{OK}";', {f"outside {OK}", f"discarded {MIA}"}),
    (f'require "copy"; redirect :copy "{OK}"; discard; keep;', {f"outside {OK}", f"mailbox {MIA}"}),
    ('require ["fileinto", "mailbox"]; discard; fileinto :create "Away";', {f"mailbox {MIA}"}),
    ("discard;", {f"discarded {MIA}"}),
    ('if header :contains "Subject" "probe" { discard; }', {f"discarded {MIA}"}),
    ('if header :contains "Subject" "invoice" { discard; }', {f"mailbox {MIA}"}),
    ('redirect "spy@far.example"; discard;', {f"mailbox {MIA}"}),
    (f'redirect "{OK}"; redirect "spy@far.example"; discard;', {f"outside {OK}", f"mailbox {MIA}"}),
])  # fmt: skip
def test_what_is_thrown_away_beside_a_redirect_is_computed_and_told_alike(
    routed: LiveNode, script: str, there: set[str]
) -> None:
    upload(routed, MIA, script)
    read = as_read(routed, script)
    trace_ = trace(MIA, {"@acme.example": [RULES[0]], MIA: [Rule("mailbox", MIA), *read]}, at=datetime.now(UTC))
    sure = {f"{one.sort} {one.address}" for one in trace_.landings if not one.sometimes}
    perhaps = {f"{one.sort} {one.address}" for one in trace_.landings if one.sometimes}
    token = sent(routed, MIA)
    assert until(lambda: final(routed, token) >= there, 20), (ends(routed, token), routed.log("dovecot")[-2000:])
    assert final(routed, token) == there and sure <= there <= sure | perhaps, (sure, perhaps)


def final(node: LiveNode, token: str) -> set[str]:
    """As the control plane keeps it: what is in a mailbox was not thrown away."""
    seen = ends(node, token)
    return {one for one in seen if one.replace("discarded", "mailbox") not in seen - {one}}


def as_read(node: LiveNode, script: str) -> list[Rule]:
    """The rules of Mia's script, once the node has told what it does."""

    def told_of() -> list[dict[str, Any]]:
        rows = [row for row in node.source.reported("sieve") if row.get("login") == MIA]
        return [one for one in rows[-1]["scripts"] if one["active"] and one["text"] == script] if rows else []

    assert until(told_of, 70), node.log("agent")[-2000:]
    (one,) = told_of()
    rules = [Rule("sieve", MIA, sometimes=one["discards"] == "sometimes")] if one["discards"] else []
    barred = frozenset({"spy@far.example"})
    return rules + [
        Rule("sieve", MIA, (to["to"],), to["copy"], to["conditional"], barred=barred) for to in one["redirects"]
    ]


def test_a_filter_that_answers_for_its_owner_does_not_answer_a_probe(routed: LiveNode) -> None:
    """Since it says of itself that nobody wrote it (RFC 3834, 2)."""
    upload(routed, MIA, 'require "vacation"; vacation "away";')
    for marked in (False, True):
        token = sent(routed, MIA, marked=marked)
        assert until(lambda token=token: f"mailbox {MIA}" in ends(routed, token), 20)  # type: ignore[misc]
        said = [line for line in routed.log("dovecot").splitlines() if token in line and "vacation" in line]
        assert any("sent vacation response" in line for line in said) is not marked, said
