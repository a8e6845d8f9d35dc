"""Everything but mail is dead: a mail app that its owner let in reads, sends and filters by the token that it has."""

import contextlib
from collections.abc import Iterator

import pytest
from hands import Hands, asked

from conftest import SECRET, House
from oauth_app import OAuthApp, listening, says_yes, signed_in_at
from real_clients import PROTOCOLS, Credential, msmtp, opens, server_of
from world import Stack, letter, received, until

pytestmark = pytest.mark.drill
ALL, NONE = dict.fromkeys(PROTOCOLS, True), dict.fromkeys(PROTOCOLS, False)


@pytest.fixture
def app(house: House, stack: Stack) -> Iterator[OAuthApp]:
    name = f"App of {house.client}"
    made = house.owner.change("mail_apps.add", {"name": name, "redirect_uris": ["http://127.0.0.1/back"]}, "a drill")
    rows = house.owner.get(f"/changes/{made['id']}")["edits"]
    with listening(stack.at["web"], next(str(one["id"]) for one in rows if one["table"] == "mail_apps")) as running:
        yield running
    house.owner.change("mail_apps.end", {"mail_app": name}, "a drill is over")


@contextlib.contextmanager
def nobody_at_home(hands: Hands, house: House) -> Iterator[None]:
    """Database, pages, API and worker are gone, and nobody starts them again meanwhile."""
    supervisor, postmaster = hands.pid("up"), hands.pid("postgres")
    with hands.holding(supervisor):
        hands.kill(postmaster)
        until("the database is gone", lambda: not hands.pid("postgres"))
        hands.kill(*hands.below("web"), hands.pid("web"), hands.pid("worker"))
        until("nobody answers", lambda: asked(house.operator, "GET", "/changes?limit=1")[0] == 0)
        yield
    until("the API answers again", lambda: asked(house.operator, "GET", "/changes?limit=1")[0] == 200, within=60)


def test_a_token_opens_mail_while_nobody_is_at_home(
    stack: Stack, hands: Hands, house: House, mia: str, app: OAuthApp
) -> None:
    """Guard: the node looks at tokens by its own maps (engines/bearer.py); Dovecot asks that process and no other."""
    server, page = server_of(stack), signed_in_at(stack.at["web"], mia, SECRET)
    ended, kept = (says_yes(app, page, SECRET, f"{name} of {app.identity[-6:]}") for name in ("Old", "New"))
    by_old, by_new = (Credential(mia, one["access_token"], "OAUTHBEARER") for one in (ended, kept))
    until("both open mail", lambda: opens(server, by_old) == opens(server, by_new) == ALL, within=20)
    house.operator.verified(house.operator.change("consents.end", {"consent": consent_of(house, mia, "Old")}))
    with nobody_at_home(hands, house):
        assert opens(server, by_new) == ALL
        subject = f"nobody is at home {app.identity[-6:]}"
        msmtp(server, by_new, mia, letter(mia, mia, subject).as_bytes())
        assert stack.signed(received(stack.imap(mia, SECRET), subject))
        assert opens(server, by_old) == NONE, "what had ended stays shut"
        forged = by_new.secret[:-6] + ("AAAAAA" if by_new.secret[-6:] != "AAAAAA" else "BBBBBB")
        assert opens(server, Credential(mia, forged, "OAUTHBEARER")) == NONE
    status, newer = app.refreshes(kept["refresh_token"])
    assert status == 200 and opens(server, Credential(mia, newer["access_token"], "XOAUTH2")) == ALL
    house.operator.verified(house.operator.change("consents.end", {"consent": consent_of(house, mia, "New")}))
    assert opens(server, by_new) == NONE


def consent_of(house: House, address: str, name: str) -> str:
    listed = house.operator.get(f"/credentials?search={address}")["items"]
    return next(str(one["id"]) for one in listed if one["name"].startswith(name) and not one["ended_at"])
