"""What the pages give to an app opens a real mail node, as it is compiled for it; and what they take back is shut."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bearers
import pytest
from django.test import Client
from live_node import LiveNode, live_node, until
from test_app_passwords_live import goodbye, is_open

from cast import MIA
from postroom.models import MailApp
from web.test_oauth import app, browser, consent, dovecot, keys, let_in, mia, mx1, refreshed

__all__ = ["app", "browser", "dovecot", "keys", "mia", "mx1"]
pytestmark = pytest.mark.server
OF_MX1 = "SELECT object, id, compiled FROM compiled WHERE node_id = (SELECT id FROM nodes WHERE name = 'mx1')"


@pytest.fixture
def real() -> Iterator[LiveNode]:
    with live_node() as running:
        running.start()
        assert running.ready(), running.log() + running.log("auth_policy")
        yield running


def delivered(real: LiveNode, sql: Any) -> None:
    """The node has what is compiled for it now, and says so."""
    numbers = [real.source.put(object, id, compiled) for object, id, compiled in sql(OF_MX1) if compiled]
    assert until(lambda: all(real.source.evidence(one) is not None for one in numbers), 30), real.log("agent")[-2000:]


def idle(real: LiveNode, shown: str) -> Any:
    box = bearers.imap(real, MIA, shown)
    box.select("INBOX")
    box.send(b"a IDLE\r\n")
    assert box.readline() == b"+ idling\r\n"
    return box


def test_from_the_owners_yes_to_the_end(browser: Client, app: MailApp, keys: Path, sql: Any, real: LiveNode) -> None:
    phone, laptop = let_in(browser, app, name="Phone"), let_in(browser, app)
    delivered(real, sql)
    wanted = {"imap": True, "submission": True, "managesieve": False}
    assert bearers.opens(real, MIA, phone["access_token"]) == wanted
    assert bearers.opens(real, MIA, phone["access_token"], "OAUTHBEARER") == wanted
    again = refreshed(app, phone["refresh_token"]).json()
    assert bearers.opens(real, MIA, again["access_token"]) == wanted
    going, staying = idle(real, again["access_token"]), idle(real, laptop["access_token"])
    sending = bearers.submission(real, MIA, again["access_token"], "OAUTHBEARER")

    browser.post("/mailbox/app-passwords/end/", {"consent": str(consent("Phone").pk)})
    delivered(real, sql)
    assert goodbye(going) and is_open(staying)
    with pytest.raises((smtplib.SMTPServerDisconnected, smtplib.SMTPResponseException)):
        sending.mail(MIA)
        sending.rcpt(MIA)
        sending.mail(MIA)
    for shown in (phone, again):
        assert not any(bearers.opens(real, MIA, shown["access_token"]).values())
    assert bearers.opens(real, MIA, laptop["access_token"]) == wanted
    for line in (going, staying):
        line.shutdown()
    sending.close()
