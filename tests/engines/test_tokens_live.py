"""Mail apps' tokens at a whole node: what each opens, who is signed in by it, and what ends with its consent."""

import imaplib
import smtplib
import time
from collections.abc import Iterator

import bearers
import pytest
from bearers import KID, OTHER, SAYS, consent, letting_in, oauthbearer, opens, token, token_key
from live_node import MIA, PASSWORD, LiveNode, domain, live_node, mailbox, named, until
from test_app_passwords_live import app, goodbye, is_open

from postroom.engines.layout import versions

pytestmark = pytest.mark.server
NOTHING = {"imap": False, "submission": False, "managesieve": False}
ALL = dict.fromkeys(NOTHING, True)


@pytest.fixture(scope="module")
def node() -> Iterator[LiveNode]:
    with live_node() as running:
        running.start()
        assert running.ready(), running.log() + running.log("auth_policy")
        running.put("domain", "acme.example", domain("acme.example"))
        running.put("token key", KID, token_key())
        running.put_mailbox(MIA)
        yield running


def put(node: LiveNode, name: str, *apps: dict[str, object]) -> float:
    return node.put("address", name, letting_in(name, *apps))


def idle(node: LiveNode, address: str, shown: str) -> imaplib.IMAP4_SSL:
    box = bearers.imap(node, address, shown)
    box.select("INBOX")
    box.send(b"a IDLE\r\n")
    assert box.readline() == b"+ idling\r\n"
    return box


@pytest.mark.parametrize("way", SAYS)
def test_a_token_opens_mail_by_either_mechanism(node: LiveNode, way: str) -> None:
    name = f"both-{way.lower()}@acme.example"
    put(node, name, consent(name, "phone"))
    assert opens(node, name, token(name, "phone"), way) == ALL
    assert opens(node, name.upper(), token(name, "phone"), way) == ALL
    line = bearers.submission(node, name, token(name, "phone"), way)
    line.sendmail(name, [name], f"From: {name}\r\nTo: {name}\r\nSubject: by {way}\r\n\r\nHello\r\n".encode())
    line.quit()
    box = bearers.imap(node, name, token(name, "phone"), way)
    assert until(lambda: box.select("INBOX")[1] == [b"1"])
    box.logout()


@pytest.mark.parametrize("way", SAYS)
def test_wrong_ones_open_nothing(node: LiveNode, way: str) -> None:
    name = f"wrong-{way.lower()}@acme.example"
    put(node, name, consent(name, "phone"))
    now = int(time.time())
    for wrong in (
        token(name, "phone", key=OTHER),
        token(name, "tablet"),
        PASSWORD,
    ):
        with pytest.raises(imaplib.IMAP4.error):
            bearers.imap(node, name, wrong, way)
    expired = token(name, "phone", iat=now - 400, exp=now - 100)
    assert opens(node, name, expired, way) == NOTHING
    assert opens(node, name, token(name, "phone"), way) == ALL
    assert node.can_sign_in(name), "and the main password still is one"


def test_a_token_of_another_mailbox_opens_neither_way_round(node: LiveNode) -> None:
    mine, theirs = "mine@acme.example", "theirs@acme.example"
    put(node, mine, consent(mine, "phone"))
    put(node, theirs, consent(theirs, "phone"))
    assert opens(node, mine, token(theirs, "phone")) == NOTHING
    with pytest.raises(imaplib.IMAP4.error):
        bearers.imap(node, mine, token(theirs, "phone", sub=str(named(mine))))
    assert opens(node, theirs, token(theirs, "phone")) == ALL


def test_an_app_password_or_the_main_one_is_no_token(node: LiveNode) -> None:
    """The other password databases are not asked of a token, whatever it is."""
    name = "no-token@acme.example"
    secret = "phone-abcd-efgh-2345"
    compiled = letting_in(name)
    compiled["secrets"]["app"] = [app(name, secret)]
    node.put("address", name, compiled)
    assert node.can_sign_in(name, secret)
    for way in SAYS:
        for wrong in (secret, PASSWORD):
            with pytest.raises(imaplib.IMAP4.error):
                bearers.imap(node, name, wrong, way)
    assert not node.can_sign_in(name, token(name, "phone")), "nor is a token a password"


@pytest.mark.parametrize("protocol", NOTHING)
def test_a_scope_opens_its_protocol_and_no_other(node: LiveNode, protocol: str) -> None:
    name = f"scope-{protocol}@acme.example"
    put(node, name, consent(name, "phone"), consent(name, "narrow", protocol))
    assert opens(node, name, token(name, "phone", scope=protocol)) == NOTHING | {protocol: True}
    assert opens(node, name, token(name, "narrow")) == NOTHING | {protocol: True}


def test_the_log_says_which_consent_it_was(node: LiveNode) -> None:
    name = "logged-token@acme.example"
    put(node, name, consent(name, "phone"))
    shown, cred = token(name, "phone"), str(named(name + "phone"))
    box = idle(node, name, shown)
    sending = bearers.submission(node, name, shown)
    if versions()[1] < (2, 4):  # which says of no session by which token it was opened
        assert until(lambda: node.log("dovecot").count(f"user=<{name}>, cred=oauth:{cred}, ") == 2)
    logs = node.log("dovecot") + node.log("agent") + node.log("auth_policy") + node.log()
    assert shown not in logs and shown.rpartition(".")[2] not in logs
    box.shutdown()
    sending.close()


def test_a_withdrawn_consent_ends_its_own_sessions_and_no_others(node: LiveNode) -> None:
    name = "two-apps@acme.example"
    put(node, name, consent(name, "phone"), consent(name, "laptop"))
    phone, laptop = idle(node, name, token(name, "phone")), idle(node, name, token(name, "laptop"))
    main = node.imap(name)
    sending, kept = (bearers.submission(node, name, token(name, app)) for app in ("phone", "laptop"))

    took = put(node, name, consent(name, "laptop"))
    assert goodbye(phone)
    with pytest.raises((smtplib.SMTPServerDisconnected, smtplib.SMTPResponseException)):
        sending.mail(name)
        sending.rcpt(MIA)
        sending.mail(name)
    assert opens(node, name, token(name, "phone")) == NOTHING
    if versions()[1] < (2, 4):
        assert is_open(laptop) and kept.mail(name)[0] == 250
    else:
        assert goodbye(laptop), "which token opened it is not known: all of tokens end"
    assert main.noop()[0] == "OK"
    assert opens(node, name, token(name, "laptop"), "OAUTHBEARER") == ALL
    assert took < 5
    for line in (phone, laptop, main):
        line.shutdown()
    sending.close()
    kept.close()


def test_a_consent_that_ends_by_time_ends_at_that_second(node: LiveNode) -> None:
    name = "until@acme.example"
    put(node, name, consent(name, "phone", until=int(time.time()) + 4), consent(name, "laptop"))
    phone, laptop = idle(node, name, token(name, "phone")), idle(node, name, token(name, "laptop"))
    phone.socket().settimeout(15)
    assert goodbye(phone) and (is_open(laptop) or versions()[1] >= (2, 4))
    assert opens(node, name, token(name, "phone")) == NOTHING
    phone.shutdown()
    laptop.shutdown()


def test_a_suspended_mailbox_ends_all_of_them(node: LiveNode) -> None:
    name = "shut@acme.example"
    put(node, name, consent(name, "phone"))
    phone = idle(node, name, token(name, "phone"))
    node.put("address", name, mailbox(name, sign_in=0))
    assert goodbye(phone) and opens(node, name, token(name, "phone")) == NOTHING
    node.put("address", name, letting_in(name, consent(name, "phone"), sign_in=0))
    assert opens(node, name, token(name, "phone")) == NOTHING
    phone.shutdown()
    put(node, name, consent(name, "phone"))
    assert opens(node, name, token(name, "phone")) == ALL, "resumed, it is there again"


def test_the_control_plane_away_tokens_are_good_until_they_expire(node: LiveNode) -> None:
    name = "away@acme.example"
    put(node, name, consent(name, "phone"))
    away = node.source.folder / "away"
    away.touch()
    try:
        assert opens(node, name, token(name, "phone")) == ALL
        ends = int(time.time()) + 2
        shown = token(name, "phone", iat=ends - 2, exp=ends)
        assert until(lambda: time.time() > ends + 0.5) and opens(node, name, shown) == NOTHING
    finally:
        away.unlink()


def test_a_rotated_key_signs_from_then_on_and_the_old_one_no_more(node: LiveNode) -> None:
    name = "rotated-key@acme.example"
    put(node, name, consent(name, "phone"))
    by_second = token(name, "phone", key=OTHER, kid="second")
    assert opens(node, name, by_second) == NOTHING
    node.put("token key", "second", token_key("second", OTHER))
    assert opens(node, name, by_second) == ALL
    node.put("token key", "second", None)
    assert opens(node, name, by_second) == NOTHING
    assert opens(node, name, token(name, "phone")) == ALL


def test_the_evidence_is_what_the_node_answers(node: LiveNode) -> None:
    name = "evidence-token@acme.example"
    number = node.source.put("address", named(name), letting_in(name, consent(name, "phone")))
    assert until(lambda: node.source.evidence(number) is not None)
    said = {line["question"]: line["answer"] for line in node.source.evidence(number) or ()}
    assert said[f"consents of {name}"] == [str(named(name + "phone"))]


def test_guessed_tokens_shut_their_source_out_and_not_the_owner(node: LiveNode) -> None:
    name, stranger = "guessed@acme.example", "127.99.0.1"
    put(node, name, consent(name, "phone"))
    for number in range(4):
        with pytest.raises(imaplib.IMAP4.error):
            bearers.imap(node, name, token(name, "phone", key=OTHER, jti=str(number)), source=stranger)
    assert opens(node, name, token(name, "phone")) == ALL, "the owner comes from elsewhere"


def test_what_is_shown_is_as_the_protocol_has_it() -> None:
    assert oauthbearer("a@b", "t") == b"n,a=a@b,\x01auth=Bearer t\x01\x01"
