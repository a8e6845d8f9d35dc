"""mia+x@ is mia@: it lands where she reads, and she alone may write as it."""

import smtplib

import pytest
from live_node import JOE, KIM, MIA, LiveNode, letter, until
from passing_on import arrives, routes

pytestmark = pytest.mark.server


@pytest.mark.parametrize("to", ["mia+books@acme.example", "Mia+Books+2026@acme.example", "mia+@acme.example"])
def test_it_lands_with_its_mailbox(node: LiveNode, to: str) -> None:
    arrives(node, to, f"for {to}")
    (message,) = node.received(MIA, f"for {to}")
    assert f"Delivered-To: {to.lower()}".encode() in message  # the extension is there for filters


def test_aliases_and_forwards_too(node: LiveNode) -> None:
    routes(node, "office@acme.example", JOE, "one@far.example")
    arrives(node, "office+2026@acme.example", "to the office")
    assert node.received(JOE, "to the office")
    assert until(lambda: [one for one in node.sunk() if b"Subject: to the office" in one])
    (left,) = [one for one in node.sunk() if b"Subject: to the office" in one]
    assert b"Delivered-To: one@far.example" in left  # one+2026@ may not exist there


def test_one_that_is_an_address_of_its_own_is_that(node: LiveNode) -> None:
    routes(node, "mia+joe@acme.example", JOE)
    arrives(node, "mia+joe@acme.example", "joe's own")
    assert node.received(JOE, "joe's own")
    assert not node.received(MIA, "joe's own", within=0.5)


@pytest.mark.parametrize("to", ["nobody+x@acme.example", "+mia@acme.example", "+@acme.example"])
def test_who_is_not_there_is_not_there_with_one(node: LiveNode, to: str) -> None:
    with node.smtp() as line:
        line.ehlo()
        line.mail("far@out.example")
        assert line.rcpt(to)[0] == 550


def test_she_may_write_as_it(node: LiveNode) -> None:
    own = "mia+shop@acme.example"
    with node.submission(MIA) as line:
        assert line.sendmail(own, [JOE], letter(f"Mia <{own}>", "as plus")) == {}
        assert line.sendmail(MIA, [JOE], letter(own, "as plus in the From")) == {}
    assert node.received(JOE, "as plus in the From")


@pytest.mark.parametrize("envelope, shown, answer", [
    ("joe+x@acme.example", MIA, 553), (MIA, "joe+x@acme.example", 550), ("nobody+x@acme.example", MIA, 553),
    (MIA, "kim+mia@globex.example", 550), ("+mia@acme.example", MIA, 553), (MIA, "+mia@acme.example", 550),
])  # fmt: skip
def test_nobody_else_may(node: LiveNode, envelope: str, shown: str, answer: int) -> None:
    with node.submission(MIA) as line, pytest.raises(smtplib.SMTPException) as refused:
        line.sendmail(envelope, [KIM], letter(shown, "as somebody else's plus"))
    code = getattr(refused.value, "smtp_code", None) or refused.value.recipients[KIM][0]  # type: ignore[attr-defined]
    assert code == answer


def test_one_that_is_somebody_elses_own_is_not_hers(node: LiveNode) -> None:
    theirs = "mia+team@acme.example"
    node.put("address", theirs, {"maps": {"sender": [{"sender": theirs, "login": JOE}]}})
    with node.submission(JOE) as line:
        assert line.sendmail(theirs, [KIM], letter(theirs, "joe as the team")) == {}
    with node.submission(MIA) as line, pytest.raises(smtplib.SMTPDataError):
        line.sendmail(MIA, [KIM], letter(theirs, "mia as the team"))
    with node.submission(MIA) as line, pytest.raises(smtplib.SMTPRecipientsRefused):
        line.sendmail(theirs, [KIM], letter(MIA, "mia as the team"))


def test_a_stranger_may_not_write_as_one(node: LiveNode) -> None:
    with node.smtp() as line:
        line.ehlo()
        line.mail("mia+x@acme.example")
        assert line.rcpt(KIM)[0] == 554
