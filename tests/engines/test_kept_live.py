"""What of a filter is done when one of its redirects is refused: order by order on a real node, beside what is traced.

Each order is the script of a mailbox of its own, and gets one message. What its node read of the script goes the way it
always goes: into the rows that rules are made of, and trace() says where mail lands.
"""

import re
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from live_node import LiveNode, domain, letter, mailbox, named, until

from postroom.changes.rules import Rules
from postroom.protocols.routing import trace

pytestmark = pytest.mark.server
AT, FAR = "kept.example", "far@sender.example"
PASSES, REFUSED = "s{}@far.example", "r{}@far.example"
ACTS = {
    "S": f'redirect "{PASSES}";', "s": f'redirect :copy "{PASSES}";',
    "R": f'redirect "{REFUSED}";', "r": f'redirect :copy "{REFUSED}";', "N": f'redirect "nobody@{AT}";',
    "F": 'fileinto "Sub";', "f": 'fileinto :copy :create "Sub";', "K": "keep;", "D": "discard;",
    "V": 'vacation "Away.";', "v": 'vacation :from "boss@far.example" "Away.";',
    "B": f'fileinto :create "shared/nobody@{AT}";', "b": 'fileinto "a.b";', "E": 'reject "No.";', "e": 'ereject "No.";',
}  # fmt: skip
# What was sent and what was not; other things between; what cannot be opened, and what is no script here.
SOME = """
R RS RSS RRS RSRS S s SR SRS sRS sRs SSRS SRRS rS sr srs N NS SNS
F FRS RFS RSF fRS fR FS K RKS KRS SRKS SK D DRS RDS SRDS SD DS VRS vRS RVS RSV VR V
B BS SB RB SBR b bS Sb FB E ES e SE
ssss sssss SSSSS Rssss DSSSSS
"""
ORDERS = SOME.split()
EVERY = ["".join(one) for many in (1, 2, 3) for one in product("SsRrFKDVb", repeat=many)]
BAD = {"b", "B"}  # where it fails nothing else is done; of a name that is odd it is not known before
MANY = re.compile(r"(?i)([rs].*){5}")  # nor, of so many, which of them one message would go to


@pytest.mark.parametrize("orders", [ORDERS, pytest.param(EVERY, marks=pytest.mark.soak)], ids=["some", "every"])
def test_what_is_done_is_what_is_traced(node: LiveNode, orders: Sequence[str]) -> None:
    boxes = {f"{number:03}{len(orders)}@{AT}": order for number, order in enumerate(orders)}
    serve(node, boxes)
    for address, order in boxes.items():
        put(node, address, script(order))
    scripts = told(node, boxes)
    for start in range(0, len(boxes), 9):
        with node.smtp() as line:
            for address in list(boxes)[start : start + 9]:
                line.sendmail(FAR, [address], letter(FAR, f"{address}.", address))
    assert until(lambda: not waiting(node), 60 + len(boxes)), waiting(node)
    left = [one.decode(errors="replace") for one in node.sunk()]
    wrong = []
    for address, order in boxes.items():
        always, perhaps = said(address, scripts[address])
        was = seen(node, address, left)
        if not always <= was <= always | perhaps or (perhaps and not BAD & {*order} and not MANY.search(order)):
            wrong.append(f"{order}: said {sorted(always)} and perhaps {sorted(perhaps)}, was {sorted(was)}")
    assert not wrong, "\n".join(wrong)


def script(order: str) -> str:
    needs = ["copy", "fileinto", "mailbox", "vacation", *(["reject"] * ("E" in order)), *(["ereject"] * ("e" in order))]
    asked = ", ".join(f'"{one}"' for one in needs)
    return f"require [{asked}];\n" + "\n".join(ACTS[act].format(n) for n, act in enumerate(order))


def serve(node: LiveNode, boxes: dict[str, str]) -> None:
    node.put("domain", AT, domain(AT))
    for address in boxes:
        rows = mailbox(address, None)
        rows["maps"]["allowed"] = [{"source": address, "target": PASSES.format(n), "until": None} for n in range(5)]
        node.source.put("address", named(address), rows)  # type: ignore[arg-type]
    assert until(lambda: not list((node.source.folder / "todo").glob("[0-9]*")), 60), node.log("agent")[-3000:]


def put(node: LiveNode, address: str, text: str) -> Path:
    """Where a ManageSieve client's lies, past the compiler."""
    local, _, at = address.partition("@")
    home = node.config.folder / "mail" / at / local
    (home / "sieve").mkdir(parents=True, exist_ok=True)
    (home / "sieve/test.sieve").write_text(text)
    (home / ".dovecot.sieve").symlink_to("sieve/test.sieve")
    for path in (home.parent, home, home / "sieve", home / "sieve/test.sieve"):
        shutil.chown(path, node.config.users.mail, node.config.users.mail)
    return home / "sieve/test.sieve"


def told(node: LiveNode, boxes: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What the node says of each script."""
    found: dict[str, dict[str, Any]] = {}

    def look() -> bool:
        rows = [row for row in node.source.reported("sieve") if row.get("login") in boxes]
        found.update({row["login"]: row["scripts"][0] for row in rows if row["scripts"]})
        return len(found) == len(boxes)

    assert until(look, 120 + len(boxes)), node.log("agent")[-2000:]
    return found


def said(address: str, script: dict[str, Any]) -> tuple[set[str], set[str]]:
    """What the tracer says of mail to it: always, and perhaps. May it be sent, there is an exception for it."""
    now = datetime.now(UTC)
    end = (now + timedelta(days=1)).isoformat()
    excepted = {
        str(n): {"address_id": "a", "target": PASSES.format(n), "ended_at": None, "until": end} for n in range(5)
    }
    facts: Any = {
        "domains": {"d": {"name": AT, "proof": "read", "client_id": "c", "removed_at": None, "alias_of_id": None}},
        "clients": {"c": {"removed_at": None, "node_id": "n", "forward_allowed": [], "forward_forbidden": []}},
        "addresses": {"a": {"id": "a", "address": address, "domain_id": "d", "keep_copy": False}},
        "mailboxes": {"m": {"id": "m", "client_id": "c", "address_id": "a", "removed_at": None}},
        "sieve_reads": {"n": {"at": now.isoformat()}}, "exceptions": excepted,
        "sieve_scripts": {"s": {"mailbox_id": "m", **script}},
    }  # fmt: skip
    landings = trace(address, Rules(facts, now), at=now).landings
    assert {one.sort for one in landings} <= {"mailbox", "outside", "discarded"}, landings
    words = {
        sometimes: {"mailbox" if one.sort == "mailbox" else f"outside {one.address}"
                    for one in landings if one.sort != "discarded" and one.sometimes == sometimes}
        for sometimes in (True, False)
    }  # fmt: skip
    return words[False], words[True]


def seen(node: LiveNode, address: str, left: Sequence[str]) -> set[str]:
    """Where its message is: in any folder of its mailbox, and outside."""
    local, _, at = address.partition("@")
    files = (path for path in (node.config.folder / "mail" / at / local / "Maildir").rglob("*") if path.is_file())
    there = any(f"Subject: {address}." in path.read_text(errors="replace")
                for path in files if path.parent.name in ("new", "cur"))  # fmt: skip
    sent = [one for one in left if f"\nSubject: {address}.\n" in one and "multipart/report" not in one]
    found = {to[1] for one in sent if (to := re.search(r"(?m)^Delivered-To: (\S+)$", one))}
    return {f"outside {to}" for to in found} | ({"mailbox"} if there else set())


def waiting(node: LiveNode) -> list[str]:
    """What Postfix still has in hand of these, also what it has put off."""
    spool = node.config.folder / "postfix/spool"
    files = [path for name in ("maildrop", "incoming", "active", "deferred") for path in (spool / name).rglob("*")]
    return [str(path) for path in files if path.is_file() and AT.encode() in read(path)]


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # it went on meanwhile
        return b""
