"""Scripts put up by a real ManageSieve client, and where the mail they send really goes."""

import re
import subprocess
import time
from collections.abc import Iterator
from email import message_from_bytes

import dkim
import pytest
from filters import remove, upload
from live_node import JOE, KEY, KIM, MIA, LiveNode, letter, until

from postroom.engines.self_test import published

pytestmark = pytest.mark.server
SPY, OK = "spy@far.example", "ok@far.example"
HOST = "mx.postroom.example"
PASSED_ON = re.compile(rf"SRS0=[^=]+=[^=]+=acme\.example=mia@{re.escape(HOST)}")
FAR = "far@out.example"


@pytest.fixture(autouse=True)
def filters(node: LiveNode) -> Iterator[None]:
    allow(node, OK)
    yield
    for address in (MIA, JOE):
        remove(node, address)


def allow(node: LiveNode, *targets: str, source: str = MIA, until: int | None = None) -> None:
    rows = [{"source": source, "target": one, "until": until} for one in targets]
    node.put("domain", f"allowed {source}", {"maps": {"allowed": rows}})


def comes(node: LiveNode, subject: str, to: str = MIA, sender: str = FAR, more: bytes = b"") -> None:
    with node.smtp() as line:
        assert line.sendmail(sender, [to], more + letter(FAR, subject, to)) == {}


def left(node: LiveNode, words: str) -> list[bytes]:
    return [one for one in node.sunk() if words.encode() in one]


def leaves(node: LiveNode, words: str) -> bytes:
    assert until(lambda: left(node, words), 30), node.log("milter")[-1500:] + node.log("dovecot")[-1500:]
    (message,) = left(node, words)
    return message


def kept(node: LiveNode, address: str, subject: str) -> bytes:
    found = node.received(address, subject)
    assert len(found) == 1, (found, *(node.log(one)[-3000:] for one in ("postfix", "milter", "dovecot")))
    return found[0]


def stays(node: LiveNode, subject: str) -> None:
    """It is in the mailbox, and nothing left."""
    kept(node, MIA, subject)
    time.sleep(0.5)
    assert not left(node, subject)


# What is not allowed

IN_AN_IF = 'if header :contains "Subject" "a" { if not header :is "Subject" "x" { redirect "spy@far.example"; stop; } }'
COMPUTED = 'require "variables"; set "at" "far.example"; redirect "spy@${at}";'
FROM_THE_MAIL = 'require "variables"; if header :matches "X-To" "*" { redirect "${1}"; }'
KEEPS = {
    "plain": 'redirect "spy@far.example";',
    "copy": 'require "copy"; redirect :copy "spy@far.example";',
    "in an if": IN_AN_IF,
    "computed": COMPUTED,
    "taken from the mail": FROM_THE_MAIL,
    "with a plus": 'redirect "ok+x@far.example";',
    "a domain below": 'redirect "ok@sub.far.example";',
    "nobody inside": 'redirect "nobody@acme.example";',
    "to itself": 'redirect "mia@acme.example";',
    "five": "".join(f'redirect "{n}@far.example";' for n in range(5)),
}


@pytest.mark.parametrize("name", KEEPS)
def test_what_may_not_leave_is_kept(node: LiveNode, name: str) -> None:
    upload(node, MIA, KEEPS[name])
    comes(node, f"away {name}", more=b"X-To: spy@far.example\r\n")
    stays(node, f"away {name}")


LOOKS = b"X-Sieve: Pigeonhole Sieve\r\nAuto-Submitted: auto-replied (vacation)\r\n"


@pytest.mark.parametrize("name, sender, more", [
    ("no sender", "", b""), ("as an answer", FAR, LOOKS), ("as an answer without a sender", "", LOOKS),
    ("as another's", FAR, f"X-Sieve-Redirected-From: {KIM}\r\n".encode()),
    ("as another's without a sender", "", f"X-Sieve-Redirected-From: {KIM}\r\n".encode() + LOOKS),
])  # fmt: skip
def test_whatever_the_mail_says_of_itself(node: LiveNode, name: str, sender: str, more: bytes) -> None:
    allow(node, SPY, source=KIM)
    upload(node, MIA, f'redirect "{SPY}";')
    comes(node, f"disguised {name}", sender=sender, more=more)
    stays(node, f"disguised {name}")


@pytest.mark.parametrize("script", [
    'require "enotify"; notify "mailto:spy@far.example";', 'require "include"; include :personal "x";',
    'require "editheader"; deleteheader "Received";', 'require "vnd.dovecot.pipe"; pipe "x";',
])  # fmt: skip
def test_what_hides_a_way_out_is_no_script(node: LiveNode, script: str) -> None:
    with pytest.raises(AssertionError):
        upload(node, MIA, script)


def test_one_of_two_does_not_take_the_other_along(node: LiveNode) -> None:
    upload(node, MIA, f'redirect "{OK}"; redirect "{SPY}";')
    comes(node, "one of two")
    assert b"Delivered-To: ok@far.example" in leaves(node, "Subject: one of two")
    kept(node, MIA, "one of two")


# What is


@pytest.mark.parametrize("name, script", [
    ("plain", f'redirect "{OK}";'), ("computed", 'require "variables"; set "n" "ok"; redirect "${n}@far.example";'),
])  # fmt: skip
def test_what_is_allowed_leaves_under_a_sender_that_leads_back(node: LiveNode, name: str, script: str) -> None:
    upload(node, MIA, script)
    comes(node, f"let out {name}")
    message = message_from_bytes(leaves(node, f"Subject: let out {name}"))
    assert PASSED_ON.fullmatch(str(message["Return-Path"]).strip("<>"))
    assert message["Delivered-To"] == OK and message["X-Sieve-Redirected-From"] == MIA
    assert not node.received(MIA, f"let out {name}", within=0.5)

    comes(node, f"bounced {name}", to=str(message["Return-Path"]).strip("<>"), sender="")
    remove(node, MIA)
    assert node.received(MIA, f"bounced {name}") or left(node, f"bounced {name}")


def test_mail_without_a_sender_too(node: LiveNode) -> None:
    upload(node, MIA, f'redirect "{OK}";')
    comes(node, "let out without", sender="")
    assert b"Return-Path: <>" in leaves(node, "Subject: let out without")


def test_a_copy_is_in_both(node: LiveNode) -> None:
    upload(node, MIA, f'require "copy"; redirect :copy "{OK}";')
    comes(node, "let out as a copy", to="mia+x@acme.example")
    leaves(node, "Subject: let out as a copy")
    kept(node, MIA, "let out as a copy")


def test_it_ends_with_its_row_and_by_its_own_time(node: LiveNode) -> None:
    upload(node, MIA, f'redirect "{OK}";')
    allow(node, OK, until=int(time.time()) + 3)
    comes(node, "still let out")
    leaves(node, "Subject: still let out")
    time.sleep(3.5)
    comes(node, "over by time")
    stays(node, "over by time")
    allow(node, OK)
    assert node.evidence(f"filters of {MIA} may pass mail on to {OK}", True)
    node.put("domain", f"allowed {MIA}", None)
    comes(node, "over by its row")
    stays(node, "over by its row")
    assert node.evidence(f"filters of {MIA} may pass mail on to {OK}", False)


@pytest.mark.parametrize("to", [OK, JOE])
def test_what_is_stopped_stays_outside_and_inside_until_it_goes_on(node: LiveNode, to: str) -> None:
    upload(node, MIA, f'redirect "{to}";')
    stop = {"maps": {"forbidden": [{"source": MIA, "target": to}]}}
    node.put("address", f"stops {to}", stop)
    comes(node, f"stopped to {to}")
    stays(node, f"stopped to {to}")
    assert not node.received(JOE, f"stopped to {to}", within=0.5)
    node.put("address", f"stops {to}", None)
    comes(node, f"goes on to {to}")
    if to == JOE:
        kept(node, JOE, f"goes on to {to}")
    else:
        leaves(node, f"Subject: goes on to {to}")


def test_inside_it_goes_to_whom_it_says(node: LiveNode) -> None:
    upload(node, MIA, f'redirect "{JOE}";')
    comes(node, "handed on inside")
    assert f"Return-Path: <{MIA}>".encode() in kept(node, JOE, "handed on inside")
    assert not node.received(MIA, "handed on inside", within=0.5)


def test_two_who_hand_on_to_each_other_do_not_lose_it(node: LiveNode) -> None:
    upload(node, MIA, f'redirect "{JOE}";')
    upload(node, JOE, f'redirect "{MIA}";')
    comes(node, "round and round")
    kept(node, JOE, "round and round")


def test_nor_does_one_by_an_alias_of_their_own(node: LiveNode) -> None:
    node.put("address", "loop@acme.example", {"maps": {"route": [{"source": "loop@acme.example", "destination": MIA}]}})
    upload(node, MIA, 'redirect "loop@acme.example";')
    comes(node, "round by an alias", more=b"Message-ID: <loop@out.example>\r\n")
    kept(node, MIA, "round by an alias")


# Answers


def test_an_answer_is_signed_and_has_no_sender(node: LiveNode) -> None:
    upload(node, MIA, 'require "vacation"; vacation :subject "away until May" "I am away.";')
    comes(node, "a question", sender="asks@out.example")
    message = leaves(node, "Subject: away until May")
    head = message_from_bytes(message)
    assert (head["Return-Path"], head["Delivered-To"]) == ("<>", "asks@out.example")
    assert MIA in head["From"] and head["Auto-Submitted"] == "auto-replied (vacation)"
    assert dkim.verify(message.replace(b"\n", b"\r\n"), dnsfunc=lambda name, timeout=5: published(KEY))
    kept(node, MIA, "a question")


def test_inside_too(node: LiveNode) -> None:
    upload(node, MIA, 'require "vacation"; vacation :subject "away for joe" "I am away.";')
    with node.submission(JOE) as line:
        line.sendmail(JOE, [MIA], letter(JOE, "joe asks", MIA))
    assert b"Return-Path: <>" in kept(node, JOE, "away for joe")


@pytest.mark.parametrize("said", [f':from "{KIM}"', ':from "boss@far.example"', f':addresses "{KIM}" :from "{KIM}"'])
def test_an_answer_in_another_name_does_not_leave(node: LiveNode, said: str) -> None:
    upload(node, MIA, f'require "vacation"; vacation :subject "a lie" {said} "Pay here.";')
    comes(node, f"asked of {len(said)}", sender=f"asks{len(said)}@out.example")
    kept(node, MIA, f"asked of {len(said)}")
    time.sleep(0.5)
    assert not left(node, "Subject: a lie")


def test_nor_by_a_second_from_in_its_text(node: LiveNode) -> None:
    text = f"text:\r\nFrom: <{KIM}>\r\nContent-Type: text/plain\r\n\r\nPay here.\r\n.\r\n;"
    upload(node, MIA, f'require "vacation"; vacation :subject "a second lie" :mime {text}')
    comes(node, "asked again", sender="again@out.example")
    kept(node, MIA, "asked again")
    time.sleep(0.5)
    assert not left(node, "Subject: a second lie")


# Without who judges


def test_while_nobody_judges_nothing_leaves_and_nothing_is_lost(node: LiveNode) -> None:
    upload(node, MIA, f'redirect "{OK}";')
    node.config.sieve_socket.unlink()
    comes(node, "while nobody judges")
    assert until(lambda: re.search(f"to=<{MIA}>.*status=deferred", node.log("postfix")), 20)
    assert not left(node, "Subject: while nobody judges")
    before = node.pid("milter")
    subprocess.run(["kill", str(before)], check=True)
    assert until(lambda: node.pid("milter") not in (0, before) and node.config.sieve_socket.exists(), 15)
    node.flush()
    leaves(node, "Subject: while nobody judges")
