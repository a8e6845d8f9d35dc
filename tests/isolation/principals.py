"""Everybody who may come to a door: how they come, and which of the three clients they know.

A role, or a way to sign in, that nobody here stands for fails test_principals.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from factories import soon
from three_clients import LETTERS, World, done, joins, ours

from cast import agreed, do, kind, person, the
from postroom.access.acting import CLOCK, Actor
from postroom.access.tokens import draw
from postroom.changes.pipeline import submit
from postroom.models import ApiSession, ApiToken, Grant, Invite, Login, Mailbox
from postroom.queries.sessions import BEGAN, EPOCH
from postroom.web.mailbox_door import BACKEND
from web.visitors import visitor

AGENCY = "northlight.example"
ALL = "".join(LETTERS)
CUSTOM = "mail desk of one's own"
CUSTOM_MAY = ("clients.view", "changes.view", "domains.view", "addresses.view", "mailboxes.view", "mailboxes.suspend",
              "overview.view")  # fmt: skip
READS = ("clients.view", "domains.view", "mailboxes.view", "addresses.view", "aliases.view", "people.view",
         "changes.view", "invites.view", "grants.view", "record_sets.view", "dkim_keys.view", "freezes.view",
         "nodes.view", "overview.view", "findings.view",
         "entries.view", "tokens.view", "approvals.view")  # fmt: skip
ADMINS = (*READS, "mailboxes.suspend", "mailboxes.change", "invites.resend", "invites.cancel", "aliases.change",
          "findings.acknowledge")  # fmt: skip
WRITES = (*ADMINS, "clients.change", "domains.change")

# How somebody comes. `nobody`: what they bring opens nothing, at either door.
PERSON, TOKEN, NOBODY, NO_FACTOR, LINK = "person", "token", "nobody", "no second factor", "link"
OWNER = "mailbox owner"  # of one mailbox: their own pages, and no other


@dataclass(frozen=True)
class Principal:
    """knows: the clients they may see anything of. roles: what they hold, by client, or by `*`, the agency itself.

    only: what a token names. browser, bearer: how they come to the pages and to the API; none: as a stranger does.
    narrow: what they hold is at one domain alone, so of the client they see what is about that.
    """

    name: str
    comes: str
    knows: str = ""
    roles: dict[str, str] = field(default_factory=dict)
    only: tuple[str, ...] | None = None
    narrow: bool = False
    shows: str = ""  # of a link: whose pages it opens
    browser: Callable[[World], Client] | None = None
    bearer: str = ""

    def at_pages(self, world: World) -> Client:
        return self.browser(world) if self.browser else Client(SERVER_NAME="localhost", headers=self._headers(world))

    def at_api(self, world: World) -> Client:
        """The bearer alone: a cookie opens nothing there."""
        return Client(SERVER_NAME="localhost", headers=self._headers(world), raise_request_exception=False)

    def _headers(self, world: World) -> dict[str, str]:
        return {"authorization": f"Bearer {world.secrets[self.bearer]}"} if self.bearer else {}


def _somebody(name: str, roles: dict[str, str], **more: Any) -> Principal:
    """A person with a session at each door. Roles at the agency reach every client."""
    knows = ALL if "*" in roles else "".join(sorted(roles))
    return Principal(name, PERSON, knows, roles, bearer=name, browser=lambda w: visitor(w.staff[name]), **more)


def _token(name: str, knows: str, roles: dict[str, str], only: tuple[str, ...], **more: Any) -> Principal:
    return Principal(name, TOKEN, knows, roles, only, bearer=name, **more)


def _expired(world: World) -> Client:
    browser = visitor(world.staff["expired session"])
    session = browser.session
    session[BEGAN] = time.time() - 400 * 24 * 3600
    session.save()
    return browser


def _revoked(world: World) -> Client:
    """The cookie is still there; what it named is not."""
    browser = visitor(world.staff["revoked session"])
    browser.session.delete()
    return browser


def _by_link(where: str, name: str) -> Callable[[World], Client]:
    def opened(world: World) -> Client:
        browser = Client(SERVER_NAME="localhost")
        assert browser.get(f"/{where}/{world.secrets[name]}").status_code == 302
        return browser

    return opened


def _owns(world: World) -> Client:
    """Signed in to a mailbox of A's with its own password."""
    mailbox = the(Mailbox, pk=world["A"].ids["mailbox"])
    found, _ = Login.objects.get_or_create(mailbox=mailbox, defaults={"email": str(mailbox.pk)})
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(found, backend=BACKEND)
    session = browser.session
    session[EPOCH] = mailbox.access_epoch
    session.save()
    return browser


PRINCIPALS = [
    Principal("anonymous", NOBODY),
    Principal("expired session", NOBODY, bearer="expired session", browser=_expired),
    Principal("revoked session", NOBODY, bearer="revoked session", browser=_revoked),
    Principal("suspended person", NOBODY, bearer="suspended person",
              browser=lambda w: visitor(w.staff["suspended person"])),
    Principal("mailbox owner", OWNER, shows="A", browser=_owns),
    Principal("mailbox owner's link", LINK, shows="A", bearer="invite link", browser=_by_link("invite", "invite link")),
    Principal("recovery link", LINK, shows="A", bearer="recovery link", browser=_by_link("recover", "recovery link")),
    Principal("notice's link", LINK, shows="A", bearer="notice link", browser=_by_link("not-me", "notice link")),
    Principal("terminal's code", NOBODY, bearer="device code"),
    Principal("ended token", NOBODY, bearer="ended token"),
    Principal("token from elsewhere", NOBODY, bearer="token from elsewhere"),
    Principal("operator without second factor", NO_FACTOR, bearer="operator without second factor",
              browser=lambda w: visitor(w.staff["operator of A"], factor=False)),
    _somebody("nobody's role", {}),
    _somebody("client admin of A", {"A": "client admin"}),
    _somebody("client viewer of A", {"A": "client viewer"}),
    _somebody("client admin of B", {"B": "client admin"}),
    _somebody("operator of A", {"A": "operator"}),
    _somebody("operator of A and C", {"A": "operator", "C": "operator"}),
    _somebody("operator of A, auditor of C", {"A": "operator", "C": "auditor"}),
    _somebody("helpdesk of A", {"A": "helpdesk"}),
    _somebody("approver of A", {"A": "approver"}),
    _somebody("operator of one domain of A", {"A": "operator"}, narrow=True),
    _somebody("client admin of one domain of A", {"A": "client admin"}, narrow=True),
    _somebody("custom role at A", {"A": CUSTOM}),
    _somebody("owner", {"*": "owner"}),
    _somebody("operator", {"*": "operator"}),
    _somebody("approver", {"*": "approver"}),
    _somebody("helpdesk", {"*": "helpdesk"}),
    _somebody("auditor", {"*": "auditor"}),
    _somebody("break-glass", {"*": "break-glass"}),
    _token("token that reads A", "A", {"A": "operator"}, READS),
    _token("token that writes A", "A", {"A": "operator"}, WRITES),
    _token("agency's token for A", "A", {"A": "operator"}, WRITES),
    _token("token of one domain of A", "A", {"A": "client admin"}, ADMINS, narrow=True),
]  # fmt: skip
NAMED = {one.name: one for one in PRINCIPALS}


def staff(world: World) -> None:
    """The people behind these, and what they come with."""
    _people(world)
    _more_people(world)
    _links(world)
    for one in PRINCIPALS:
        if one.name in world.staff and one.comes in (PERSON, NOBODY, NO_FACTOR):
            world.secrets[one.name] = _session(world.staff[one.name], mfa="" if one.comes == NO_FACTOR else "test")
    _tokens(world)
    _ended(world)


def _people(world: World) -> None:
    house, a, c = world.house, world["A"].slug, world["C"].slug
    done(house, "roles.create", house.oskar, name=CUSTOM, permissions=list(CUSTOM_MAY))
    given: dict[str, tuple[str, list[dict[str, str]]]] = {
        "operator of A": ("tess", [{"role": "operator", "client": a}]),
        "operator of A and C": ("tom", [{"role": "operator", "client": a}, {"role": "operator", "client": c}]),
        "operator of A, auditor of C": ("cora", [{"role": "operator", "client": a}, {"role": "auditor", "client": c}]),
        "helpdesk of A": ("hugo", [{"role": "helpdesk", "client": a}]),
        "approver of A": ("abel", [{"role": "approver", "client": a}]),
        "operator of one domain of A": ("dora", [{"role": "operator", "domain": world["A"].domain}]),
        "custom role at A": ("milo", [{"role": CUSTOM, "client": a}]),
        "expired session": ("ella", [{"role": "operator", "client": a}]),
        "revoked session": ("rene", [{"role": "operator", "client": a}]),
        "nobody's role": ("nora", []),
    }
    for name, (local, grants) in given.items():
        world.staff[name] = joins(house, f"{local}@{AGENCY}", *grants, name=local.title())
    whole = {"role": "client admin", "client": a}
    world.staff["client admin of one domain of A"] = joins(house, world["A"].at("dom"), whole, client=a, name="Dom")
    world.staff["client admin of A"] = world["A"].people["admin"]
    world.staff["client viewer of A"] = world["A"].people["viewer"]
    world.staff["client admin of B"] = world["B"].people["admin"]
    world.staff["suspended person"] = world["A"].people["gone"]


def _more_people(world: World) -> None:
    house = world.house
    world.staff |= {
        "owner": house.oskar, "operator": house.olive, "approver": house.ada, "helpdesk": house.henry,
        "auditor": house.audrey, "operator without second factor": world.staff["operator of A"],
    }  # fmt: skip
    ours("people.seal", name="Sealed login 1", email=f"sealed-1@{AGENCY}")
    world.staff["break-glass"] = person(f"sealed-1@{AGENCY}", house.oskar)


def _session(who: Actor, *, mfa: str = "test") -> str:
    token, kept = draw()
    ours("sessions.open", {"session": kept}, person=str(who.person), mfa=mfa, until=soon(1))
    return token


def _tokens(world: World) -> None:
    """Each of somebody's own: none is more than its maker."""
    for name, whose, only, more in (
        ("token that reads A", "operator of A", READS, {}),
        ("token that writes A", "operator of A", WRITES, {}),
        ("agency's token for A", "operator", WRITES, {"clients": [world["A"].slug]}),
        ("token of one domain of A", "client admin of one domain of A", ADMINS, {"clients": []}),
        ("ended token", "operator of A", WRITES, {}),
        ("token from elsewhere", "operator of A", WRITES, {"networks": ["192.0.2.0/24"]}),
    ):
        token, kept = draw()
        agreed(world.house, do("tokens.create", world.staff[whose], secrets={"token": kept}, name=name, until=soon(),
                               permissions=list(only), **{"clients": [world["A"].slug], **more}))  # fmt: skip
        world.secrets[name] = token
    _narrowed(world)
    done(world.house, "tokens.end", world.staff["operator of A"], token=str(the(ApiToken, name="ended token").pk))


def _narrowed(world: World) -> None:
    """Whoever held the whole of A when they made their token holds one domain of it from now on; so does the token."""
    house, who = world.house, world.staff["client admin of one domain of A"]
    done(house, "grants.end", house.oskar, grant=str(the(Grant, person=who.person, ended_at=None).pk))
    done(house, "grants.give", house.oskar, person=world["A"].at("dom"), role="client admin", domain=world["A"].domain)


def _links(world: World) -> None:
    """Links of A: of a mailbox's owner, of somebody who cannot sign in, of who was told of a change."""
    here = world["A"]
    world.secrets["invite link"], world.secrets["device code"] = here.secrets["invite"], here.secrets["device"]
    submit(kind("people.forgot", email=here.at("admin")), actor=CLOCK, why="a test")
    recovery = the(Invite, person__email=here.at("admin"), recovers="password")
    world.secrets["recovery link"] = _issued("people.issue_recovery", recovery=str(recovery.pk))
    submit(kind("notices.send", change=here.ids["later"]), actor=CLOCK, why="a test")
    notice = the(Invite, stops=here.ids["later"], contact="owner@northlight.example")
    world.secrets["notice link"] = _issued("notices.issue", notice=str(notice.pk))


def _issued(permission: str, **params: str) -> str:
    token, kept = draw()
    ours(permission, {"link": kept}, **params)
    return token


def _ended(world: World) -> None:
    """Sessions that are over, and a person who may not sign in any more."""
    house = world.house
    done(house, "sessions.end", house.oskar,
         session=str(the(ApiSession, person=world.staff["revoked session"].person).pk))  # fmt: skip
    done(house, "people.suspend", house.oskar, person=world["A"].at("gone"))
    token, kept = draw()
    past = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    ours("sessions.open", {"session": kept}, person=str(world.staff["expired session"].person), mfa="test", until=past)
    world.secrets["expired session"] = token
    time.sleep(1)  # over before any test has begun: the world is copied after it


__all__ = ["NAMED", "PRINCIPALS", "Principal", "staff"]
