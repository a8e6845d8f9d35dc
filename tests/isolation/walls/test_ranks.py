"""Who acts × on whom × every act on a person or a mailbox of theirs: never on somebody who stands above.

What is expected stands here by hand (design, section 6; decision 13), and is not worked out by what is under test.
Plans are judged and not applied, so that every cell finds the same house.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from city import City, given, grant_of, later
from django.db import DatabaseError, connection

from cast import House, app_password, at_home, do, doubted, kind, let_in, person, reachable, reasons, redeemed, the
from databases import Copies
from postroom.access.acting import CLOCK, SYSTEM, Actor, acting_as
from postroom.access.tokens import reset_code
from postroom.changes.approvals import approve
from postroom.changes.errors import ChangeError, NotAllowed
from postroom.changes.kind import KINDS
from postroom.changes.kinds.recovery import PASSWORD
from postroom.changes.pipeline import dry_run, submit
from postroom.changes.policies import rank as rule
from postroom.models import (
    ApiSession,
    ApiToken,
    Change,
    Delegation,
    Forward,
    Invite,
    Login,
    Person,
    ResetCode,
    RouteException,
    Transport,
    Verification,
)

pytestmark = pytest.mark.matrix

# From low to high.
HEIGHT = {
    "": -1, "client viewer": 0, "auditor": 1, "client admin": 2, "helpdesk": 3, "approver": 4, "operator": 5,
    "owner": 6, "break-glass": 7,
}  # fmt: skip


@dataclass(frozen=True)
class Who:
    """A role, and where it is held: at the organization (""), or at a client. home: the client they belong to."""

    role: str
    at: str = ""
    home: str = ""
    suspended: bool = False
    removed: bool = False

    def height(self, client: str) -> int:
        """How high they stand at this client, or ("") at the organization."""
        return HEIGHT[self.role] if self.at in ("", client) else -1


ACTORS = {
    "vera": Who("client viewer", "acme", "acme"), "carl": Who("client admin", "acme"), "audrey": Who("auditor"),
    "henry": Who("helpdesk"), "ada": Who("approver"), "otto": Who("operator", "acme"), "olive": Who("operator"),
    "oskar": Who("owner"), "sealed": Who("break-glass"),
}  # fmt: skip
TARGETS = {
    "nobody": Who(""), "viewer": Who("client viewer", "acme"), "auditor": Who("auditor"),
    "admin": Who("client admin", "acme"), "helpdesk": Who("helpdesk"), "approver": Who("approver"),
    "operator": Who("operator"), "owner": Who("owner"), "envelope": Who("break-glass"),
    "elsewhere": Who("operator", "globex"), "ownerelse": Who("owner", "globex"),
    "local": Who("client viewer", "acme", "acme"), "localelse": Who("operator", "globex", "acme"),
    "gone": Who("", "", "acme", removed=True), "gonelse": Who("operator", "globex", "acme", removed=True),
    "away": Who("owner", "", "", True), "awaylow": Who("auditor", "", "", True),
}  # fmt: skip

CLIENTS_OWN, DESK = {"client admin", "operator", "owner", "break-glass"}, {"helpdesk"}
RUNS = {"operator", "owner", "break-glass"}
ANYBODY = set(HEIGHT) - {"", "client viewer"}

SIGN_IN, BOX, GRANT = "sign-in", "mailbox", "grant"


@dataclass(frozen=True)
class Act:
    """may: which roles may do it at all. of: what of the person it touches."""

    may: set[str]
    of: str
    aim: Callable[[str, dict[str, str]], dict[str, Any] | None]


def named(**more: Any) -> Callable[[str, dict[str, str]], dict[str, Any] | None]:
    """Parameters, `{x}` filled from what there is of the target; None where there is no such thing."""

    def aim(_: str, ids: dict[str, str]) -> dict[str, Any] | None:
        wanted = [value[1:-1] for value in more.values() if isinstance(value, str) and value.startswith("{")]
        if any(name not in ids for name in wanted):
            return None
        return {k: ids[v[1:-1]] if isinstance(v, str) and v.startswith("{") else v for k, v in more.items()}

    return aim


ACTS: dict[str, list[Act]] = {
    "people.change": [
        Act(RUNS, SIGN_IN, named(person="{email}", name="Another")),
        Act(RUNS, SIGN_IN, named(person="{email}", email="new@elsewhere.test")),
    ],
    "people.suspend": [Act(RUNS, SIGN_IN, named(person="{awake}"))],
    "people.resume": [Act(RUNS, SIGN_IN, named(person="{asleep}"))],
    "people.remove": [Act(RUNS, SIGN_IN, named(person="{removable}"))],
    "people.restore": [Act(RUNS, SIGN_IN, named(person="{removed}"))],
    "sessions.end": [Act(RUNS, SIGN_IN, named(session="{session}")), Act(RUNS, SIGN_IN, named(person="{awake}"))],
    "tokens.end": [Act(ANYBODY, SIGN_IN, named(token="{token}"))],
    "invites.resend": [
        Act(CLIENTS_OWN | DESK, BOX, named(invite="{box invite}")),
        Act(CLIENTS_OWN | DESK, SIGN_IN, named(invite="{invite}")),
    ],
    "invites.redirect": [
        Act(CLIENTS_OWN, BOX, named(invite="{box invite}", contact="x@elsewhere.test")),
        Act(CLIENTS_OWN, SIGN_IN, named(invite="{invite}", contact="x@elsewhere.test")),
    ],
    "invites.cancel": [
        Act(CLIENTS_OWN | DESK, BOX, named(invite="{box invite}")),
        Act(CLIENTS_OWN | DESK, SIGN_IN, named(invite="{invite}")),
    ],
    "invites.issue": [
        Act(CLIENTS_OWN, BOX, named(invite="{box invite}")),
        Act(CLIENTS_OWN, SIGN_IN, named(invite="{invite}")),
    ],
    "invites.send": [Act(CLIENTS_OWN, BOX, named(mailbox="{box}", contact="x@elsewhere.test"))],
    "mailboxes.change": [Act(CLIENTS_OWN, BOX, named(mailbox="{box}", name="Another"))],
    "mailboxes.suspend": [Act(CLIENTS_OWN, BOX, named(mailbox="{box}"))],
    "mailboxes.resume": [Act(CLIENTS_OWN, BOX, named(mailbox="{off box}"))],
    "mailboxes.remove": [Act(CLIENTS_OWN, BOX, named(mailbox="{box}"))],
    "mailboxes.restore": [Act(CLIENTS_OWN, BOX, named(mailbox="{gone box}", contact="x@elsewhere.test"))],
    "mailboxes.end_sessions": [Act(CLIENTS_OWN, BOX, named(mailbox="{box}"))],
    "recovery_channels.name": [Act(CLIENTS_OWN, BOX, named(mailbox="{box}", value="x@elsewhere.test"))],
    "resets.start": [Act(CLIENTS_OWN | {"helpdesk"}, BOX, named(mailbox="{set box}", ticket="T"))],
    "mailboxes.transfer": [Act(RUNS, BOX, named(mailbox="{box}", contact="x@elsewhere.test", owner="{taker}"))],
    "app_passwords.end": [Act(CLIENTS_OWN, BOX, named(app_password="{app password}"))],
    "consents.end": [Act(CLIENTS_OWN, BOX, named(consent="{consent}"))],
    "doubts.settle": [Act(CLIENTS_OWN, BOX, named(doubt="{doubt}", outcome="It was us"))],
    "recovery_channels.ask": [Act(CLIENTS_OWN, BOX, named(channel="{channel}"))],
    "recovery_channels.end": [Act(CLIENTS_OWN, BOX, named(channel="{channel}"))],
    "resets.ask_code": [Act(CLIENTS_OWN | DESK, BOX, named(verification="{verification}", channel="{channel}"))],
    "resets.vouch": [Act({"client admin"}, BOX, named(verification="{verification}", answer="right"))],
    "resets.end": [Act(CLIENTS_OWN | DESK, BOX, named(verification="{verification}"))],
    "forwards.create": [Act(CLIENTS_OWN, BOX, named(address="{box}", to="mia@acme.example", until=later()))],
    "forwards.replace": [
        Act(CLIENTS_OWN, BOX, named(address="{off box}", target="leo@acme.example", to="leo@acme.example",
                                    until=later())),
    ],
    "forwards.stop": [Act(CLIENTS_OWN, BOX, named(address="{off box}", target="leo@acme.example"))],
    "forwards.change": [Act(CLIENTS_OWN, BOX, named(forward="{forward}", until=later(days=9)))],
    "forwards.disable": [Act(CLIENTS_OWN, BOX, named(forward="{forward}"))],
    "forwards.enable": [Act(CLIENTS_OWN, BOX, named(forward="{off forward}"))],
    "forwards.end": [Act(CLIENTS_OWN, BOX, named(forward="{forward}"))],
    "exceptions.create": [
        Act(CLIENTS_OWN, BOX, named(address="{box}", target="x@elsewhere.test", owner="x", until=later())),
    ],
    "exceptions.end": [Act(CLIENTS_OWN, BOX, named(exception="{exception}"))],
    "transports.create": [
        Act(CLIENTS_OWN, BOX, named(address="{box}", host="mx.elsewhere.test", owner="x", until=later())),
    ],
    "transports.end": [Act(CLIENTS_OWN, BOX, named(transport="{transport}"))],
    "filters.set": [Act(CLIENTS_OWN, BOX, named(mailbox="{box}", script="stop;"))],
    "delegations.ask": [
        Act(CLIENTS_OWN, BOX, named(mailbox="{box}", to="leo@acme.example", rights=["open"], until=later())),
    ],
    "delegations.end": [Act(CLIENTS_OWN | {"approver"}, BOX, named(delegation="{delegation}"))],
    "redirects.stop": [Act(CLIENTS_OWN, BOX, named(mailbox="{box}", target="x@elsewhere.test"))],
    "redirects.resume": [Act(CLIENTS_OWN, BOX, named(mailbox="{box}", target="stopped@elsewhere.test"))],
    "filters.end": [Act(CLIENTS_OWN, BOX, named(mailbox="{box}"))],
    # Further down, in their order: they need what was proven before.
    "resets.enter_code": [], "resets.record_call": [], "resets.send_link": [], "resets.declare_emergency": [],
    "resets.waive_wait": [],
    "grants.give": [Act(RUNS, GRANT, named(person="{email}", role="client viewer", client="acme"))],
    "grants.end": [Act(RUNS | {"approver"}, GRANT, named(grant="{grant}"))],
    "history.roll_back": [Act(CLIENTS_OWN, BOX, named(change="{change}"))],
    "roles.change": [], "roles.end": [],  # further down: what is held is a role of the organization's own
    "people.recover": [],  # further down: who agrees
}  # fmt: skip
TOUCH_NOBODY = {
    "mailboxes.create": "a mailbox that was not there; its owner gets it",
    "forwards.give_way": "by the system, once what its owner consented to stands",
    "delegations.consent": "by whose mailbox it is, and an admin of a VIP's client",
    "delegations.decline": "by whose mailbox it is, and an admin of a VIP's client",
    "forwards.tell_owner": "a letter to the owner that their own mail leaves: whoever finds that may say it to anybody",
    "people.print_link": "by the machine itself", "sessions.open": "by what has checked two factors",
    "devices.register": "one's own, by its page", "people.tell_of_factor": "one's own, by the sign-in pages",
    "people.issue_recovery": "by the worker", "notices.issue": "by the worker", "notices.send": "by the clock",
    "people.invite": "somebody who was not there", "people.forgot": "asked for by whoever holds the address",
    "people.regain": "by who holds link and factor", "people.enrol": "by who holds the link",
    "mailboxes.forgot": "asked for by whoever says that it is theirs; goes to its recovery addresses",
    "recovery_channels.issue": "by the worker", "resets.issue_code": "by the worker", "invites.remind": "by the clock",
    "people.seal": "by the machine itself", "tokens.create": "one's own", "grants.elevate": "one's own",
}  # fmt: skip
PERSONAL = {
    "people",
    "mailboxes",
    "invites",
    "grants",
    "api_sessions",
    "api_tokens",
    "credentials",
    "recovery_channels",
    "verifications",
    "reset_codes",
    "doubts",
    "own_roles",
    "changes",
    "forwards",
    "exceptions",
    "transports",
    "delegations",
}
NOUNS = (
    "people",
    "sessions",
    "tokens",
    "grants",
    "invites",
    "mailboxes",
    "roles",
    "forwards",
    "exceptions",
    "transports",
    "delegations",
)


def test_every_kind_that_can_touch_a_person_stands_in_the_table() -> None:
    def refers(one: Any) -> bool:
        fields = one.model_json_schema()["properties"].values()
        return any(part.get("ref") in PERSONAL for schema in fields for part in (schema, *schema.get("anyOf", ())))

    touching = {name for name, one in KINDS.items() if refers(one) or name.partition(".")[0] in NOUNS}
    makes_only = {"roles.create", "invites.redeem"}  # a role nobody holds yet; by who holds the link
    assert touching - makes_only == set(ACTS) | set(TOUCH_NOBODY)
    by_people = {name for name in TOUCH_NOBODY if "person" in KINDS[name].by}
    assert by_people == {
        "mailboxes.create", "people.invite", "tokens.create", "grants.elevate", "forwards.tell_owner",
        "delegations.consent", "delegations.decline",
    }  # fmt: skip


@dataclass
class Street:
    """The targets, and by name what there is of each."""

    house: House
    ids: dict[str, dict[str, str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def street_founded(city_founded: tuple[str, City], copies: Copies) -> Iterator[Any]:
    """(its database, who lives there); everybody moves in once."""
    databases = copies.template(city_founded[0])
    name = next(databases)
    house = at_home(city_founded[1].house)
    do("people.invite", house.oskar, name="Taker", email="taker@acme.example", client="acme")
    street = Street(house, {name: _moves_in(house, name, who) for name, who in TARGETS.items()})
    for ids in street.ids.values():
        if "set box" in ids:
            ids["verification"] = _started(ids["set box"])
    connection.close()
    yield name, street
    next(databases, None)


@pytest.fixture
def database(street_founded: Any, copies: Copies) -> Iterator[str]:
    yield from copies(street_founded[0])


@pytest.fixture
def street(database: str, street_founded: Any) -> Street:
    found: Street = street_founded[1]
    return found


def _moves_in(house: House, name: str, who: Who) -> dict[str, str]:
    email = f"the.{name}@{who.home or 'northlight'}.example"
    ids = {"email": email, "taker": "taker@acme.example"}
    if who.role == "break-glass":
        do("people.seal", SYSTEM, name=name, email=email)
    else:
        do("people.invite", house.oskar, name=name, email=email, client=who.home or None)
        ids["invite"] = _invite(person__email=email)
        if who.role:
            given(house, email, who.role, client=who.at or None)
    if who.role:
        ids["grant"] = grant_of(email)
    if who.role not in ("", "client viewer") and who.home in ("", who.at):  # the others make no tokens
        ids["token"] = _token(person(email, SYSTEM), name)
    if who.removed:
        assert do("people.remove", house.oskar, person=email).version
        return {"removed": email}
    _boxes(house, name, email, ids)
    do(
        "sessions.open",
        SYSTEM,
        secrets={"session": name.ljust(9, "x") * 4},
        person=email,
        mfa="x",
        until=later(hours=6),
    )
    ids["session"] = str(the(ApiSession, person__email=email, ended_at=None).pk)
    if who.suspended:
        ids.pop("session")
        do("people.suspend", house.oskar, person=email)
    ids["asleep" if who.suspended else "awake"] = email
    if who.home or not who.at:
        ids["removable"] = email
    return ids


def _invite(**where: Any) -> str:
    return str(the(Invite, **where, used_at=None, ended_at=None).pk)


def _token(actor: Actor, name: str) -> str:
    asked = {"permissions": ["domains.view"], "until": later(days=2), "clients": [TARGETS[name].at or "acme"]}
    made = do("tokens.create", actor, secrets={"token": name.ljust(9, "y") * 4}, name=name, **asked)
    assert made.version, reasons(made)
    return str(the(ApiToken, name=name).pk)


def _started(address: str) -> str:
    """A verification for this mailbox; by nobody who acts here: who starts one proves nothing in it."""
    by = person("the.envelope@northlight.example", SYSTEM)
    made = do("resets.start", by, mailbox=address, ticket="T-1")
    assert made.version, reasons(made)
    return str(the(Verification, mailbox__address__address=address, ended_at=None).pk)


def _boxes(house: House, name: str, email: str, ids: dict[str, str]) -> None:
    for sort, contact in (("box", f"{name}@home.test"), ("off box", None), ("gone box", None)):
        address = f"{name}-{sort.split()[0]}@acme.example"
        do("mailboxes.create", house.oskar, address=address, owner=email, **({"contact": contact} if contact else {}))
        ids[sort] = address
    own = f"{name}-app@acme.example"
    do("mailboxes.create", house.oskar, address=own, owner=email, contact=f"{name}@home.test")
    redeemed(own)
    ids["set box"] = own
    ids["app password"] = str(app_password(own, "Phone").pk)
    ids["consent"] = str(let_in(house, own, "Laptop").pk)
    ids["doubt"] = str(doubted(own).pk)
    _routes(house, ids)
    top = person("sealed@northlight.example", SYSTEM)
    reads = reachable(replace(house, olive=top), own, f"{name}@read.test", link=name.ljust(9, "z").encode().hex())
    ids["channel"] = str(reads.pk)
    ids["box invite"] = _invite(mailbox__address__address=ids["box"])
    assert do("mailboxes.suspend", top, mailbox=ids["off box"]).version
    gone = do("mailboxes.remove", top, mailbox=ids["gone box"])
    approve(gone.pk, actor=house.ada, plan_hash=gone.plan_hash)
    ids["change"] = str(do("mailboxes.change", top, mailbox=ids["box"], quota_mb=7).pk)


def _routes(house: House, ids: dict[str, str]) -> None:
    """A forward of one box and a disabled one of another, and an exception."""
    top = person("sealed@northlight.example", SYSTEM)
    for name, box in (("forward", "off box"), ("off forward", "gone box")):
        made = do("forwards.create", top, address=ids[box], to="leo@acme.example", until=later())
        assert made.version, reasons(made)
        ids[name] = str(the(Forward, address__address=ids[box]).pk)
    do("forwards.disable", top, forward=ids["off forward"])
    do("filters.set", top, mailbox=ids["box"], script="keep;")
    do("redirects.stop", top, mailbox=ids["box"], target="stopped@elsewhere.test")
    asked = {"address": ids["box"], "target": "out@elsewhere.test", "owner": "x", "until": later()}
    held = do("exceptions.create", top, **asked)
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    ids["exception"] = str(the(RouteException, address__address=ids["box"]).pk)
    do("delegations.ask", top, mailbox=ids["set box"], to="leo@acme.example", rights=["open"], until=later())
    ids["delegation"] = str(the(Delegation, mailbox__address__address=ids["set box"]).pk)
    asked = {"address": ids["set box"], "host": "mx.elsewhere.test", "owner": "x", "until": later()}
    held = do("transports.create", top, **asked)
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    ids["transport"] = str(the(Transport, address__address=ids["set box"]).pk)


# The cells.


# Who has the link to a sign-in becomes its person, and so does who reads the mail to their address, by a lost password:
# these stand lower, and may what an operator may not (approve what others proposed; close the client).
MAY_MORE = {"operator": {"approver", "client admin"}}
LINKS = {"invites.redirect", "invites.issue"}


def may(actor: Who, act: Act, target: Who, permission: str, params: dict[str, Any]) -> bool:
    """By hand: is it theirs to do at all, and does the other one stand no higher?"""
    if (permission in LINKS or "email" in params) and act.of == SIGN_IN and target.role in MAY_MORE.get(actor.role, ()):
        return False
    return actor.role in act.may and _reaches(actor, act, target, permission) and not stands_above(actor, act, target)


def stands_above(actor: Who, act: Act, target: Who) -> bool:
    if act.of == SIGN_IN:  # wherever the target holds anything: what does the actor hold there?
        return HEIGHT[target.role] > actor.height(target.at)
    if act.of == BOX:  # it lives at Acme: what the actor holds there, against the most that its owner holds anywhere
        return HEIGHT[target.role] > actor.height("acme")
    place = target.at if permission_of_an_end(act) else "acme"
    return target.height(place) > actor.height(place)


def permission_of_an_end(act: Act) -> bool:
    return act is ACTS["grants.end"][0]


def _reaches(actor: Who, act: Act, target: Who, permission: str) -> bool:
    """Whether the row is one of the actor's clients, or the organization's and they are too."""
    if not actor.at:
        return True
    if act.of == BOX:
        return actor.at == "acme"
    if permission == "grants.give":
        return target.home == actor.at  # else they cannot even see the person
    if permission == "grants.end":
        return target.at == actor.at
    if permission == "tokens.end":
        return (target.home or target.at or "acme") == actor.at  # of the person's client, or the one it names
    return target.home == actor.at and act is not ACTS["sessions.end"][0]  # one session is the organization's


def came_to(actor: Actor, permission: str, params: dict[str, Any]) -> tuple[bool, str]:
    """(whether nothing refuses it, why not)."""
    asked = kind(permission, **params)
    try:
        if asked.carries_secret:
            change = submit(asked, actor=actor, why="a test", secrets={"link": "d" * 64})
            return change.stage != "refused", reasons(change)
        verdicts = dry_run(asked, actor=actor, why="a test").change.verdicts
    except (ChangeError, NotAllowed) as no:
        return False, str(no)
    except DatabaseError as error:
        raise AssertionError(f"{permission} {params}") from error
    return not any(v["says"] == "refuse" for v in verdicts), "; ".join(v["reason"] for v in verdicts)


def cells(street: Street, only: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str, Act, dict[str, Any]]]:
    for permission, acts in ACTS.items():
        for act in acts if not only or permission in only else ():
            for target in TARGETS:
                params = act.aim(target, street.ids[target])
                if params is not None:
                    may_at_all = [actor for actor, who in ACTORS.items() if who.role in act.may]
                    for actor in ACTORS if target in ("viewer", "local") else may_at_all:
                        yield actor, permission, target, act, params


def every_cell_is_as_written(city: City, street: Street, only: tuple[str, ...] = ()) -> dict[bool, int]:
    seen = {True: 0, False: 0}
    wrong = list(wrong_cells(city, street, only, seen))
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
    return seen


def wrong_cells(city: City, street: Street, only: tuple[str, ...], seen: dict[bool, int]) -> Iterator[str]:
    for actor, permission, target, act, params in cells(street, only):
        wanted = may(ACTORS[actor], act, TARGETS[target], permission, params)
        got, why = came_to(city.who[actor], permission, params)
        seen[wanted] += 1
        if got != wanted:
            yield f"{actor} {permission} of {target}, {params}: {'let through' if got else 'refused'} ({why})"


def a_cell_is_wrong(city: City, street: Street, only: tuple[str, ...], says: str) -> bool:
    """Whether the table finds what was planted: one cell is enough, and the rest is not asked."""
    return any(says in one for one in wrong_cells(city, street, only, {True: 0, False: 0}))


def test_nobody_acts_on_somebody_above_them_and_on_equals_they_may(city: City, street: Street) -> None:
    seen = every_cell_is_as_written(city, street)
    assert seen[True] > 300 and seen[False] > 400


# Who holds a role of the organization's own; who agrees to a recovery.


def test_a_role_that_somebody_above_holds_is_not_changed(city: City, street: Street) -> None:
    do("roles.create", city.house.oskar, name="mail desk", permissions=["mailboxes.suspend", "mailboxes.resume"])
    smaller = {"role": "mail desk", "permissions": ["mailboxes.suspend"]}
    assert came_to(city.who["oskar"], "roles.change", smaller)[0]
    given(city.house, "the.operator@northlight.example", "mail desk")
    assert came_to(city.who["oskar"], "roles.change", smaller)[0], "who holds it stands below"
    do("grants.give", city.who["sealed"], person="the.envelope@northlight.example", role="mail desk")
    got, why = came_to(city.who["oskar"], "roles.change", smaller)
    assert not got and "stands above" in why
    assert came_to(city.who["sealed"], "roles.change", smaller)[0]
    for actor in ("olive", "otto", "carl", "ada"):
        assert not came_to(city.who[actor], "roles.change", smaller)[0]
    assert not came_to(city.who["oskar"], "roles.end", {"role": "mail desk"})[0], "somebody holds it"


def recovered(house: House, email: str, link: str) -> Change:
    """Somebody holds the mailed link of a person, and has no second factor to show."""
    with acting_as(SYSTEM):
        Login.objects.get_or_create(email=email, person=Person.objects.get(email=email))
    submit(kind("people.forgot", email=email), actor=CLOCK, why="a test")
    invite = the(Invite, person__email=email, recovers=PASSWORD, ended_at=None)
    issue = kind("people.issue_recovery", recovery=str(invite.pk))
    submit(issue, actor=SYSTEM, why="a test", secrets={"link": link})
    held = submit(kind("people.recover", person=email), actor=Actor(None, email, "link", link), why="I lost it")
    assert held.stage == "held", reasons(held)
    return held


def nobody_lets_somebody_above_back_in(city: City, street: Street) -> None:
    plain = recovered(city.house, "the.operator@northlight.example", "1" * 64)
    for actor in ("ada", "olive", "carl", "otto"):
        with pytest.raises(ChangeError):
            approve(plain.pk, actor=city.who[actor], plan_hash=plain.plan_hash)
    envelope = recovered(city.house, "the.envelope@northlight.example", "2" * 64)
    with pytest.raises(NotAllowed, match="stands above"):
        approve(envelope.pk, actor=city.who["oskar"], plan_hash=envelope.plan_hash)
    equal = recovered(city.house, "the.owner@northlight.example", "3" * 64)
    for change in (plain, equal):
        assert approve(change.pk, actor=city.who["sealed"], plan_hash=change.plan_hash).stage != "held"


def test_an_owner_agrees_to_a_recovery_and_never_of_somebody_above(city: City, street: Street) -> None:
    nobody_lets_somebody_above_back_in(city, street)


def stands_below(actor: Actor, permission: str, **params: Any) -> bool:
    got, why = came_to(actor, permission, params)
    return not got and "stands above" in why


def test_no_step_of_a_reset_is_for_who_stands_below_its_owner(city: City, street: Street) -> None:
    """The mailbox of one of the organization's owners, a VIP: each step is refused to an operator and a client's admin
    for whose it is, and made by an equal or by who stands above."""
    ids, who = street.ids["owner"], city.who
    box, session = ids["set box"], {"verification": ids["verification"]}
    do("mailboxes.change", who["sealed"], mailbox=box, vip=True)
    number = reachable(replace(city.house, olive=who["sealed"]), box, "+442079460123", link="e" * 64)
    call = {**session, "channel": str(number.pk), "answer": "right"}
    assert do("resets.ask_code", who["oskar"], **session, channel=ids["channel"]).version
    digits, kept = reset_code(code := the(ResetCode, verification=ids["verification"]).pk)
    assert do("resets.issue_code", SYSTEM, secrets={"reset code": kept}, code=str(code)).version
    assert stands_below(who["olive"], "resets.enter_code", **session, said=digits)
    assert do("resets.enter_code", who["sealed"], **session, said=digits).version
    assert stands_below(who["olive"], "resets.record_call", **call)
    assert do("resets.record_call", who["oskar"], **call).version
    link = {**session, "contact": "owner@read.test"}
    assert stands_below(who["olive"], "resets.send_link", **link)
    assert do("resets.send_link", who["sealed"], **link).stage == "held"
    assert stands_below(who["olive"], "resets.declare_emergency", **session, reason="x")
    assert do("resets.declare_emergency", who["oskar"], **session, reason="x").version
    assert stands_below(who["carl"], "resets.waive_wait", **session)


# Planted: each of these lets through what it should not, and the table above says so.


def test_without_the_rule_the_table_is_wrong(city: City, street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("signs_in_above", "outranked", "more_here"):
        with monkeypatch.context() as planted:
            planted.setattr(rule, name, lambda *_: False)
            asked = ("people.change", "mailboxes.suspend", "grants.give")
            assert a_cell_is_wrong(city, street, asked, "let through")


HANGING = {
    "doubts.settle": ("Doubt", rule.Credential),
    "forwards.create": ("Forward", rule.Credential),
    "exceptions.end": ("RouteException", rule.Credential),
    "transports.end": ("Transport", rule.Credential),
    "filters.set": ("Filter", rule.Credential),
    "redirects.stop": ("RedirectStop", rule.Credential),
    "resets.ask_code": ("_of_codes", lambda _: set()),
    "resets.end": ("Verification", rule.Credential),
    "recovery_channels.ask": ("RecoveryChannel", rule.Credential),
}


@pytest.mark.parametrize("permission", HANGING)
def test_what_hangs_on_a_mailbox_and_is_forgotten_is_found(
    city: City, street: Street, monkeypatch: pytest.MonkeyPatch, permission: str
) -> None:
    every_cell_is_as_written(city, street, (permission,))
    monkeypatch.setattr(rule, *HANGING[permission])
    assert a_cell_is_wrong(city, street, (permission,), "let through")


HEIGHTS_WRONG = {
    "equals too": lambda real: lambda height: real(height - 1),
    "one step up is as good": lambda real: lambda height: real(height + 1),
}


@pytest.mark.parametrize("how", HEIGHTS_WRONG)
def test_a_comparison_that_is_off_by_one_is_found(
    city: City, street: Street, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    from postroom.changes import cover

    monkeypatch.setattr(cover, "roles_above", HEIGHTS_WRONG[how](cover.roles_above))
    says = "refused" if how == "equals too" else "let through"
    assert a_cell_is_wrong(city, street, ("people.suspend", "mailboxes.change"), says)


def test_what_somebody_holds_elsewhere_or_while_suspended_counts(city: City, street: Street, sql: Any) -> None:
    """As it was once: at the client of the plan alone, and of those alone who may sign in now."""
    ((whole,),) = sql("SELECT pg_get_functiondef('postroom_stand_above(uuid[], jsonb)'::regprocedure)")
    head = whole[: whole.index("BEGIN ATOMIC")] + "AS $$ "
    body = "SELECT EXISTS (SELECT FROM grants g JOIN people p ON p.id = g.person_id WHERE g.person_id = ANY (among)" \
        " AND g.ended_at IS NULL AND {} AND" \
        " coalesce(above -> coalesce(g.client_id::text, 'organization'), above -> '') ? g.role) $$"  # fmt: skip
    for forgets, about in (
        ("p.suspended_at IS NULL", "the.away@northlight.example"),
        (
            "(g.client_id IS NULL OR g.client_id = (SELECT id FROM clients WHERE slug = 'acme'))",
            "the.ownerelse@northlight",
        ),
    ):
        sql(head + body.format(forgets))
        assert a_cell_is_wrong(city, street, ("people.change",), about)


def test_a_recovery_whose_agreement_forgets_rank_is_found(
    city: City, street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    from postroom.changes import approvals

    monkeypatch.setattr(approvals, "signs_in_above", lambda *_: False)
    with pytest.raises(pytest.fail.Exception):
        nobody_lets_somebody_above_back_in(city, street)
