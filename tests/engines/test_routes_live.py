"""Where mail lands is what trace() says: random sets of routes on a real node, mail to their addresses over SMTP.

Each set has domains of its own, so many are on one node at once. What is looked at afterwards is where the messages
lie: in Maildirs, in the sink for what would have left, and in what is told to each message's own sender.
"""

import re
import shutil
import smtplib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from live_node import LiveNode, named, until
from random_routes import Routes, compiled, drawn

from postroom.protocols.routing import ELSEWHERE, Rule, trace

pytestmark = pytest.mark.server
FIRST = 1000
AT_ONCE = 400  # objects on the node's list: it reads all of a round back together
SPOOLS = ("maildrop", "incoming", "active", "deferred")


@dataclass
class Sent:
    """One message to one address: where it should be, and where it was seen."""

    id: str
    to: str
    expected: set[str]
    seen: set[str] = field(default_factory=set)


@pytest.mark.parametrize("sets", [25, pytest.param(500, marks=pytest.mark.soak)])
def test_mail_lands_where_trace_says(node: LiveNode, sets: int) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    plus, mirrored = (knows(node, name) for name in ("plus", "alias_domain"))
    every = [drawn(FIRST + n, now, plus=plus, mirrored=mirrored) for n in range(sets)]
    serve(node, every, now)
    for routes in every:
        filtered(node, routes)
    sent = [one for routes in every for one in send(node, routes, now, plus=plus)]
    for _ in range(12 + sets // 5):  # on a busy machine one is put off now and then, for five minutes
        if until(lambda: not waiting(node), 10):
            break
        node.flush()
    assert not waiting(node)
    look(node, sent)
    wrong = [f"{one.id} to {one.to}: said {sorted(one.expected)}, was {sorted(one.seen)}"
             for one in sent if one.seen != one.expected]  # fmt: skip
    assert not wrong, f"{len(wrong)} of {len(sent)}:\n" + "\n".join(wrong[:20])
    assert {word.split()[0] for one in sent for word in one.expected} == {"mailbox", "outside", "refused", "loop"}


def knows(node: LiveNode, name: str) -> bool:
    """Whether its Postfix has a map of this name."""
    return any(node.config.folder.rglob(f"maps/{name}.cf"))


def serve(node: LiveNode, every: Sequence[Routes], now: datetime) -> None:
    """With what was taken back again, then without it."""
    had = [row for routes in every for row in compiled(routes, [*routes.rules, *routes.ended], now)]
    has = {row[:2]: row for routes in every for row in compiled(routes, routes.rules, now)}
    moved = [has.get(row[:2], (*row[:2], None)) for row in had]
    for rows in (had, [row for row, before in zip(moved, had, strict=True) if row != before]):
        for start in range(0, len(rows), AT_ONCE):
            for object, name, served in rows[start : start + AT_ONCE]:
                node.source.put(object, named(name), served)  # type: ignore[arg-type]
            assert until(lambda: not list((node.source.folder / "todo").glob("[0-9]*")), 60), node.log("agent")[-3000:]


def filtered(node: LiveNode, routes: Routes) -> None:
    """Scripts, put where a ManageSieve client's lie. What comes back to a mailbox passes them by."""
    owner = node.config.folder / "mail"
    for rule in routes.rules:
        if rule.mechanism != "sieve":
            continue
        local, _, at = rule.source.partition("@")
        home = owner / at / local
        (home / "sieve").mkdir(parents=True, exist_ok=True)
        copy = ":copy " if rule.keep else ""
        text = f'require "copy"; if header :matches "Subject" "r*-*" {{ redirect {copy}"{rule.targets[0]}"; }}\n'
        (home / "sieve/test.sieve").write_text(text)
        (home / ".dovecot.sieve").symlink_to("sieve/test.sieve")
        for path in (home.parent, home, home / "sieve", home / "sieve/test.sieve"):
            shutil.chown(path, node.config.users.mail, node.config.users.mail)


def send(node: LiveNode, routes: Routes, now: datetime, *, plus: bool) -> Iterator[Sent]:
    """One message to each address, each of another sender: what comes back is known by where it comes to."""
    known, addresses = routes.known(), routes.addresses(plus=plus)
    for start in range(0, len(addresses), 9):  # Postfix slows down who is refused more often in one session
        with node.smtp() as line:
            for n, to in enumerate(addresses[start : start + 9], start):
                yield _message(line, f"r{routes.seed}-{n}", to, known, now)


def _message(line: smtplib.SMTP, id: str, to: str, known: dict[str, list[Rule]], now: datetime) -> Sent:
    found = trace(to, known, at=now)
    landings, hops = found.landings, found.hops
    # What would be handed to another server is sunk as the address that it is of.
    at = {ELSEWHERE.format(hop.at): hop.at for hop in hops if hop.rule.mechanism == "transport"}
    one = Sent(id, to, {f"{landing.sort} {at.get(landing.why, landing.address)}" for landing in landings})
    text = f"From: far@sender.example\r\nTo: {to}\r\nSubject: {id}\r\n\r\n{id}\r\n"
    try:
        line.sendmail(f"{id}@sender.example", [to], text)
    except smtplib.SMTPRecipientsRefused as refused:
        assert refused.recipients[to][0] == 550, refused
        one.seen.add(f"refused {to}")
    except smtplib.SMTPDataError as put_off:
        assert put_off.smtp_code == 451, put_off
        one.seen.add(f"loop {to}")
    return one


def waiting(node: LiveNode) -> list[str]:
    """What Postfix still has in hand."""
    spool = node.config.folder / "postfix/spool"
    return [str(path) for name in SPOOLS for path in (spool / name).rglob("*") if path.is_file()]


def look(node: LiveNode, sent: Sequence[Sent]) -> None:
    by_id = {one.id: one for one in sent}
    for at in (node.config.folder / "mail").glob("r*/*"):
        for path in at.glob("Maildir/new/*"):
            _lies(path, f"{at.name}@{at.parent.name}", by_id)
    for path in (node.folder / "sink/new").glob("*"):
        to = _header(path, "Delivered-To")
        if to.endswith("@sender.example"):
            by_id[to.partition("@")[0]].seen |= {f"refused {address}" for address in _failed(path)}
        elif (id := _header(path, "Subject")) in by_id:
            by_id[id].seen.add(f"outside {to}")


def _lies(path: Path, box: str, by_id: Mapping[str, Sent]) -> None:
    """A message, or the refusal of one that its filter passed on in its name."""
    subject = _header(path, "Subject")
    if subject in by_id:
        by_id[subject].seen.add(f"mailbox {box}")
        return
    (id,) = set(re.findall(r"(?m)^Subject: (r\d+-\d+)$", path.read_text(errors="replace")))
    by_id[id].seen |= {f"refused {address}" for address in _failed(path)}


def _failed(path: Path) -> list[str]:
    return re.findall(r"(?m)^Final-Recipient: rfc822; ?(\S+)", path.read_text(errors="replace"))


def _header(path: Path, name: str) -> str:
    found = re.search(rf"(?mi)^{name}: *(.*)$", path.read_text(errors="replace"))
    return found[1].strip() if found else ""
