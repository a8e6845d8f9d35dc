"""A filter that the control plane keeps, put on a real node: it files real mail, and what is uploaded later stays."""

import base64
import hashlib
import time
import uuid
from collections.abc import Iterator
from datetime import date

import pytest
from filters import upload
from live_node import LiveNode, letter, named, until

from postroom.engines.source import Compiled
from postroom.protocols.filters import Answer, Filters, Rule, script

pytestmark = pytest.mark.server
FAR = "far@out.example"
CHANGE = uuid.uuid4()


@pytest.fixture
def owner(node: LiveNode) -> Iterator[str]:
    """A mailbox of each test's own."""
    address = f"f{uuid.uuid4().hex[:8]}@acme.example"
    node.put_mailbox(address)
    yield address
    node.put("filter", f"filter of {address}", None)
    node.put("address", address, None)


def compiled(address: str, text: str, revision: int = 1, active: int = 1, clears: int = 0) -> Compiled:
    row = {"address": address, "revision": revision, "active": active, "clears": clears,
           "digest": hashlib.sha256(text.encode()).hexdigest(),
           "script": base64.b64encode(text.encode()).decode()}  # fmt: skip
    return {"secrets": {"filter": [row]}}


def placed(node: LiveNode, address: str, text: str, revision: int = 1, active: int = 1,
           change: uuid.UUID | None = CHANGE, clears: int = 0) -> int:  # fmt: skip
    """On the node's list, by a change; its number."""
    row = compiled(address, text, revision, active, clears)
    return node.source.put("filter", named(f"filter of {address}"), row, change)


def served(node: LiveNode, number: int, within: float = 15) -> bool:
    return until(lambda: node.source.evidence(number) is not None, within)


def said(node: LiveNode, number: int) -> dict[str, str]:
    """What was read back."""
    assert served(node, number), node.log("agent")[-3000:]
    lines = node.source.evidence(number) or []
    return next(one["answer"] for one in lines if one["question"].startswith("sieve script of "))


def active(node: LiveNode, address: str) -> str:
    local, _, domain = address.partition("@")
    link = node.config.folder / f"mail/{domain}/{local}/.dovecot.sieve"
    return link.readlink().stem if link.is_symlink() else ""


def comes(node: LiveNode, to: str, subject: str, sender: str = FAR) -> None:
    with node.smtp() as line:
        assert line.sendmail(sender, [to], letter(sender, subject, to)) == {}


def in_folder(node: LiveNode, address: str, folder: str, subject: str) -> list[str]:
    """The flags of the messages with this subject that lie in it."""
    with node.imap(address) as box:
        if box.select(f'"{folder}"', readonly=True)[0] != "OK":
            return []
        _, numbers = box.search(None, "SUBJECT", f'"{subject}"')
        return [str(box.fetch(one, "(FLAGS)")[1][0]) for one in numbers[0].split()]


def waits(node: LiveNode, number: int) -> str:
    """Why it is still on the list."""
    rows = [row for row in node.source.reported("waiting") if row["todo"] == number]
    return str(rows[-1]["why"]) if rows else ""


def test_a_rule_files_a_real_message_and_marks_it_read(node: LiveNode, owner: str) -> None:
    text = script(Filters((Rule("subject", "invoice", "Bills (paid)", read=True),)))

    read = said(node, placed(node, owner, text))
    comes(node, owner, "Your INVOICE of May")
    comes(node, owner, "something else")

    assert read == {"active": "postroom", "digest": hashlib.sha256(text.encode()).hexdigest()}
    assert until(lambda: in_folder(node, owner, "Bills (paid)", "INVOICE")), node.log("dovecot")[-2000:]
    assert "Seen" in in_folder(node, owner, "Bills (paid)", "INVOICE")[0]
    assert node.received(owner, "something else") and not in_folder(node, owner, "INBOX", "INVOICE")


def test_an_auto_reply_answers_once(node: LiveNode, owner: str) -> None:
    hostile = f'Away "{owner}"\\'
    answer = Answer(hostile, 'Back on Monday.\n"; redirect "spy@evil.example"; #', date(2020, 1, 1), date(2099, 1, 1))
    assert said(node, placed(node, owner, script(Filters((), answer))))
    comes(node, owner, "first")
    comes(node, owner, "second")

    assert node.received(owner, "first") and node.received(owner, "second")
    assert until(lambda: answers(node, owner)), node.log("dovecot")[-2000:]
    time.sleep(1)
    assert len(answers(node, owner)) == 1 and not [one for one in node.sunk() if b"spy@evil.example>" in one]


def answers(node: LiveNode, owner: str) -> list[bytes]:
    return [one for one in node.sunk() if owner.encode() in one and b"Auto-Submitted: auto-replied" in one]


def test_an_auto_reply_whose_days_are_over_answers_nobody(node: LiveNode, owner: str) -> None:
    over = Filters((), Answer("Away", "I am away.", date(2020, 1, 1), date(2020, 1, 9)))
    assert said(node, placed(node, owner, script(over)))
    comes(node, owner, "late")

    assert node.received(owner, "late")
    time.sleep(1)
    assert not answers(node, owner)


def test_what_an_owner_uploads_afterwards_stays(node: LiveNode, owner: str) -> None:
    text = script(Filters((Rule("subject", "bill", "Bills"),)))
    number = placed(node, owner, text)
    first = said(node, number)
    upload(node, owner, "keep;")
    assert active(node, owner) == "test"

    again = said(node, placed(node, owner, text))  # asked for again, by whatever change
    rebuilt = said(node, placed(node, owner, text, change=None))

    assert again == rebuilt == first and active(node, owner) == "test"
    comes(node, owner, "the bill")
    assert node.received(owner, "the bill") and not in_folder(node, owner, "Bills", "bill")

    placed_anew = said(node, placed(node, owner, text + "\n# again", revision=2))
    assert active(node, owner) == "postroom" and placed_anew["active"] == "postroom"


def test_where_no_change_asks_for_it_nothing_there_is_written_over(node: LiveNode, owner: str) -> None:
    """As after the node lost what it knew, and all is on its list again."""
    upload(node, owner, "keep;")

    read = said(node, placed(node, owner, "discard;", change=None))

    assert read["active"] == "test" == active(node, owner)


def test_what_the_compiler_refuses_is_not_put_and_its_line_is_told(node: LiveNode, owner: str) -> None:
    good = said(node, placed(node, owner, "keep;"))
    number = placed(node, owner, 'keep;\nif header :nonsense "x" "y" { stop; }', revision=2)

    assert until(lambda: "refuses" in waits(node, number), 20), node.log("agent")[-2000:]
    assert waits(node, number).endswith(f"the script of {owner} was not put: line 2: the compiler refuses it")
    assert "nonsense" not in waits(node, number) and good["active"] == "postroom"
    assert active(node, owner) == "postroom" and not served(node, number, 1)
    assert node.put("address", "else@acme.example", None) < 15  # nothing else waits for it
    assert said(node, placed(node, owner, "stop;", revision=3))["active"] == "postroom"
    assert served(node, number), waits(node, number)


def test_what_ends_is_out_of_force_and_an_uploaded_one_is_not(node: LiveNode, owner: str) -> None:
    said(node, placed(node, owner, "keep;"))
    assert active(node, owner) == "postroom"

    assert said(node, placed(node, owner, "", revision=2, active=0))["active"] == "" == active(node, owner)
    upload(node, owner, "stop;")
    assert said(node, placed(node, owner, "", revision=3, active=0))["active"] == "test" == active(node, owner)


def test_what_clears_takes_out_whatever_is_in_force_once(node: LiveNode, owner: str) -> None:
    """As for who gets the mailbox next: what its former owner uploaded is out, what they upload stays."""
    upload(node, owner, "discard;")

    assert said(node, placed(node, owner, "", active=0, clears=1))["active"] == "" == active(node, owner)
    upload(node, owner, "keep;")
    assert said(node, placed(node, owner, "", active=0, clears=1))["active"] == ""
    assert active(node, owner) == "test"
    assert said(node, placed(node, owner, "keep;", revision=2))["active"] == "postroom"


def test_an_object_that_goes_takes_its_script_out_of_force(node: LiveNode, owner: str) -> None:
    said(node, placed(node, owner, "keep;"))
    node.put("filter", f"filter of {owner}", None)

    assert active(node, owner) == ""
