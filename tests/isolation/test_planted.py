"""The matrix can fail: each flaw that peers shipped, planted in one place, turns the cells red that are about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from asked import API
from asked_kinds import of_kinds
from cells import Cell, grounds
from django.db.models import Q
from principals import NAMED
from test_matrix import Refusals, Watch, judged, tried
from three_clients import World

from postroom.access.acting import SYSTEM, Access, acting_as
from postroom.access.roles import ROLES
from postroom.api import changes as api_changes
from postroom.api import door as api_door
from postroom.api import objects as api_objects
from postroom.api import problems as api_problems
from postroom.changes import approvals
from postroom.changes.errors import NotThere
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.models import Entry
from postroom.queries import entries, objects, turned_away
from postroom.web import door as web_door

pytestmark = pytest.mark.matrix
Patch = pytest.MonkeyPatch
Plant = Callable[[Patch, World, Any], None]


@dataclass(frozen=True)
class Flaw:
    """plant: how it gets there. who asks what, and finds it. says: what the matrix has to say of it."""

    plant: Plant
    who: str
    what: Sequence[str]
    says: str


def every_row(actor: Any, model: Any, permission: str | None = None) -> Any:
    return model.objects.all()


def no_wall(admin: Any, *tables: str) -> None:
    for table in tables:
        admin.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def no_filter_in_a_view(patch: Patch, world: World, admin: Any) -> None:
    patch.setattr(objects, "visible", every_row)
    no_wall(admin, "mailboxes", "addresses", "clients", "domains", "people")


def no_filter_of_the_record(patch: Patch, world: World, admin: Any) -> None:
    patch.setattr(entries, "_scope", lambda access: Entry.objects.all())
    no_wall(admin, "entries", "edits", "places")


def no_wall_around_changes(patch: Patch, world: World, admin: Any) -> None:
    """And the filter before it, which would hide that it is gone."""
    no_wall(admin, "changes")
    patch.setattr(approvals, "changes_seen", Q)


def no_permission_on_one_verb(patch: Patch, world: World, admin: Any) -> None:
    real = api_door._must
    patch.setattr(api_door, "_must", lambda caller, wanted: None if wanted == "people.view" else real(caller, wanted))


def anybody_is_let_in(patch: Patch, world: World, admin: Any) -> None:
    caller = api_door.Caller(world.staff["operator of A"], None)
    patch.setattr(api_door.Bearer, "__call__", lambda self, request: caller)


def id_of_the_body_is_trusted(patch: Patch, world: World, admin: Any) -> None:
    """The door acts with the service's rights, not with those of who asks."""
    patch.setattr(api_changes, "submit", lambda kind, *, actor, **more: submit(kind, actor=SYSTEM, **more))
    patch.setattr(KINDS["mailboxes.suspend"], "by", frozenset({"person", "system"}), raising=False)


def cache_without_the_client(patch: Patch, world: World, admin: Any) -> None:
    kept: dict[str, Any] = {}
    real = api_objects.listed

    def cached(actor: Any, noun: str, **more: Any) -> Any:
        return kept.setdefault(noun, real(actor, noun, **more))

    with acting_as(world.house.oskar):
        cached(world.house.oskar, "domains")
    patch.setattr(api_objects, "listed", cached)


def forbidden_instead_of_not_there(patch: Patch, world: World, admin: Any) -> None:
    real = api_problems._listed

    def says(problems: Any, *, not_there: bool) -> Any:
        if not_there:
            return api_problems.problem(403, "not-allowed", "That is somebody else's")
        return real(problems, not_there=not_there)

    patch.setattr(api_problems, "_listed", says)


def told_apart(patch: Patch, world: World, admin: Any) -> None:
    """One word more where there is such a row."""
    real = api_objects.one

    def one(actor: Any, noun: str, ref: str, **more: Any) -> Any:
        try:
            return real(actor, noun, ref, **more)
        except NotThere:
            table = objects.NOUNS[noun].model._meta.db_table
            there = admin.execute(f"SELECT 1 FROM {table} WHERE id::text = %s", [ref]).fetchone()
            raise NotThere(noun, f"no such thing {ref}, or not yours" if there else f"no such thing {ref}") from None

    patch.setattr(api_objects, "one", one)


def sessions_never_end(patch: Patch, world: World, admin: Any) -> None:
    body = admin.execute("SELECT pg_get_functiondef('postroom_session'::regproc)").fetchone()[0]
    admin.execute(body.replace("(a.until > clock_timestamp())", "true"))


def suspended_people_go_on(patch: Patch, world: World, admin: Any) -> None:
    for name in ("postroom_session", "postroom_signed_in"):
        body = admin.execute(f"SELECT pg_get_functiondef('{name}'::regproc)").fetchone()[0]
        admin.execute(body.replace("(p.suspended_at IS NULL)", "true"))
    never = "RETURNS timestamptz STABLE LANGUAGE sql RETURN NULL::timestamptz"
    admin.execute(f"CREATE OR REPLACE FUNCTION postroom_stopped(who uuid) {never}")


def refusals_go_unrecorded(patch: Patch, world: World, admin: Any) -> None:
    patch.setattr(api_door, "turned_away", lambda *args: None)


def refusals_at_whoever_is_named(patch: Patch, world: World, admin: Any) -> None:
    """Whose object it is, is looked up with the service's rights."""
    real = turned_away._about
    patch.setattr(turned_away, "_about", lambda actor, noun, ref: real(SYSTEM, noun, ref))


def no_second_factor(patch: Patch, world: World, admin: Any) -> None:
    patch.setattr(web_door, "wants_factor", lambda request: False)


def everybody_may_everything(patch: Patch, world: World, admin: Any) -> None:
    patch.setattr(Access, "can_somewhere", lambda self, permission: True)


def one_role_may_more(patch: Patch, world: World, admin: Any) -> None:
    patch.setitem(ROLES, "client viewer", ROLES["client viewer"] | {"mailboxes.suspend"})


def fields_beside_what_is_asked(patch: Patch, world: World, admin: Any) -> None:
    """The answer carries how many there are of all clients, by name."""
    real = api_objects.listed

    def listed(actor: Any, noun: str, **more: Any) -> Any:
        found = real(actor, noun, **more)
        everybody = [row[0] for row in admin.execute("SELECT slug FROM clients").fetchall()]
        return replace(found, items=[{**one, "siblings": everybody} for one in found.items])

    patch.setattr(api_objects, "listed", listed)


ONE = ["GET /api/v1/mailboxes/<ref>"]
FLAWS: dict[str, Flaw] = {
    "the filter is dropped in one view": Flaw(no_filter_in_a_view, "client admin of A", ONE, "200 , and it should be"),
    "the filter of the record is dropped": Flaw(
        no_filter_of_the_record, "client viewer of A", ["GET /api/v1/entries"], "holds what is B's"),
    "one policy of row security is left out": Flaw(
        no_wall_around_changes, "operator of A", ["GET /api/v1/changes/<change_id>"], "it should be not there"),
    "the permission is dropped on one verb": Flaw(
        no_permission_on_one_verb, "custom role at A", ["GET /api/v1/people"], "it should be not let in"),
    "whoever asks is let in": Flaw(anybody_is_let_in, "anonymous", ["GET /api/v1/clients"], "it should be nobody"),
    "a cache is keyed without the client": Flaw(
        cache_without_the_client, "client admin of A", ["GET /api/v1/domains"], "holds what is B's"),
    "foreign answers 403": Flaw(
        forbidden_instead_of_not_there, "operator of A", ONE, "403 , and it should be not there"),
    "foreign is told apart from none": Flaw(told_apart, "operator of A", ONE, "told apart"),
    "a session never ends": Flaw(sessions_never_end, "expired session", ["GET /api/v1/clients"], "should be nobody"),
    "a suspended person goes on": Flaw(
        suspended_people_go_on, "suspended person", ["GET /api/v1/clients"], "should be nobody"),
    "a refusal is not recorded": Flaw(
        refusals_go_unrecorded, "custom role at A", ["GET /api/v1/people"], "is 0 times in the record"),
    "a refusal is written in the record of somebody else": Flaw(
        refusals_at_whoever_is_named, "client viewer of A", ["GET /api/v1/clients/<ref>/record"], "rows of B moved"),
    "no second factor is asked for": Flaw(
        no_second_factor, "operator without second factor", ["GET /clients/"], "it should be enrol"),
    "every role may everything": Flaw(
        everybody_may_everything, "client viewer of A", ["GET /api/v1/clients/<ref>/record"],
        "it should be not let in"),
    "an answer carries more than was asked": Flaw(
        fields_beside_what_is_asked, "client admin of B", ["GET /api/v1/mailboxes"], "holds what is A's"),
}  # fmt: skip
assert {one for flaw in FLAWS.values() for one in flaw.what if "/api/" in one} <= set(API)


@pytest.mark.parametrize("flaw", FLAWS)
def test_it_turns_the_matrix_red(world: World, admin: Any, monkeypatch: Patch, flaw: str) -> None:
    one, who = FLAWS[flaw], NAMED[FLAWS[flaw].who]

    def found() -> list[str]:
        http = who.at_api(world) if "/api/" in one.what[0] else who.at_pages(world)
        return tried(who, list(one.what), http, world, admin)

    assert found() == []
    one.plant(monkeypatch, world, admin)
    assert any(one.says in line for line in found()), found()


def suspending(who: str, world: World, admin: Any) -> list[str]:
    """What the matrix says of mailboxes.suspend, asked of every client's mailbox."""
    principal = NAMED[who]
    watch = Watch(admin, world, principal)
    wanted: list[Cell] = [
        cell for cell in of_kinds(principal, grounds(world, principal)) if cell.what.endswith(" mailboxes.suspend")
    ]
    found = list(judged(iter(wanted), principal.at_api(world), world, Refusals(admin)))
    return found + [f"rows of {letter} moved" for letter in watch.moved()]


def test_a_door_that_acts_with_the_services_rights_turns_it_red(world: World, admin: Any, monkeypatch: Patch) -> None:
    assert suspending("client admin of A", world, admin) == []
    id_of_the_body_is_trusted(monkeypatch, world, admin)
    assert "rows of B moved" in suspending("client admin of A", world, admin)


def test_a_role_that_may_more_than_the_table_says_turns_it_red(world: World, admin: Any, monkeypatch: Patch) -> None:
    assert suspending("client viewer of A", world, admin) == []
    one_role_may_more(monkeypatch, world, admin)
    assert any("it should be refused" in line for line in suspending("client viewer of A", world, admin))
