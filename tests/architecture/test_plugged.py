"""What is plugged in says what it is: kinds, policies, models; and the database guards what the models say."""

import re
import sys
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from postroom import catalogue
from postroom.changes.kind import Kind
from postroom.changes.policy import Policy
from postroom.models.base import Row, StateModel, state_models
from postroom.posture.run import Check, Seen

Sql = Callable[..., list[tuple[Any, ...]]]
TESTS = Path(__file__).parent.parent
SORTS = {"person", "owner", "code", "founder", "clock", "system", "link"}

# Names that say by themselves what goes in; every other field has a description.
OBVIOUS = {"name", "address", "email", "kind", "role", "until", "reason", "label", "notes", "security_contact",
           "may_ask", "registrar", "contact", "ttl", "region", "targets", "vip", "quota_mb", "expires_on"}  # fmt: skip


def kinds_that_do_not_say_enough(kinds: Iterable[type[Kind]]) -> Iterator[str]:
    for kind in kinds:
        if not (kind.__doc__ or "").strip() or kind.__doc__ == Kind.__doc__:
            yield f"{kind.__name__} has no docstring"
        if not re.fullmatch(r"[a-z_]+\.[a-z_]+", kind.permission):
            yield f"{kind.__name__} is called {kind.permission}, which is no noun.verb"
        if strange := kind.by - SORTS:
            yield f"{kind.__name__} is submitted by {', '.join(sorted(strange))}"
        for name, field in kind.model_fields.items():
            if field.annotation in (None, Any, object, dict):
                yield f"{kind.__name__}.{name} has no type"
            if not field.description and name not in OBVIOUS and not _of_the_type(kind, name):
                yield f"{kind.__name__}.{name} says not what it is"


def _of_the_type(kind: type[Kind], name: str) -> bool:
    """An optional reference: its description stands at the type it may be, `PersonRef | None`."""
    hint = typing.get_type_hints(kind, include_extras=True)[name]
    found = [m for part in (hint, *typing.get_args(hint)) for m in getattr(part, "__metadata__", ())]
    return any(getattr(m, "description", None) for m in found)


def kinds_without_a_test(names: Iterable[str], tests: Path) -> Iterator[str]:
    """Named in a test that tries it, or builds it; the table of all kinds (changes/every_kind.py) does not count."""
    texts = [p.read_text() for p in tests.rglob("test_*.py")]
    yield from (name for name in names if not any(f'"{name}"' in text for text in texts))


def policies_without_a_reason(policies: Iterable[Policy]) -> Iterator[str]:
    yield from (policy.__name__ for policy in policies if not (policy.__doc__ or "").strip())


def test_every_kind_says_what_it_is() -> None:
    assert list(kinds_that_do_not_say_enough(catalogue.KINDS)) == []


def test_every_kind_stands_in_the_catalogue_once_and_in_some_test() -> None:
    names = [kind.permission for kind in catalogue.KINDS]
    assert len(names) == len(set(names))
    assert list(kinds_without_a_test(names, TESTS)) == []


def test_every_policy_has_its_reason() -> None:
    assert list(policies_without_a_reason(catalogue.POLICIES)) == []


def test_what_is_plugged_in_badly_is_found(tmp_path: Path) -> None:
    class Mute(Kind, name="Mute"):
        by = frozenset({"anybody"})
        thing: Any
        where: str = Field(default="")

    Mute.__doc__ = ""
    assert list(kinds_that_do_not_say_enough([Mute])) == [
        "Mute has no docstring",
        "Mute is called Mute, which is no noun.verb",
        "Mute is submitted by anybody",
        "Mute.thing has no type",
        "Mute.thing says not what it is",
        "Mute.where says not what it is",
    ]
    assert list(policies_without_a_reason([lambda proposed: None])) == ["<lambda>"]
    (tmp_path / "test_x.py").write_text('do("mailboxes.create")')
    (tmp_path / "every_kind.py").write_text('WALKS = {"mailboxes.drop": 1}')
    assert list(kinds_without_a_test(["mailboxes.create", "mailboxes.drop"], tmp_path)) == ["mailboxes.drop"]


def checks_that_do_not_say_enough(checks: Iterable[Check], tests: Path) -> Iterator[str]:
    """Each asks a question, names its standard there and in its module, and stands by its name in a test of its own."""
    texts = [p.read_text() for p in tests.rglob("test_*.py")]
    for check in checks:
        module = sys.modules.get(f"postroom.posture.checks.{check.name.rpartition('.')[2]}")
        if not check.asks.endswith("?") or not check.source:
            yield f"{check.name} asks nothing, or has no source"
        if module is None or check.source.split(",")[0] not in " ".join((module.__doc__ or "").split()):
            yield f"{check.name}: posture/checks/{check.name.rpartition('.')[2]}.py does not name its source"
        if not any(f'"{check.name}"' in text for text in texts):
            yield f"{check.name} is in no test"


def test_every_check_says_by_what_standard_and_is_tried(tmp_path: Path) -> None:
    names = [check.name for check in catalogue.CHECKS]
    assert len(names) == len(set(names)) and all(re.fullmatch(r"[a-z_]+\.[a-z_]+", name) for name in names)
    assert list(checks_that_do_not_say_enough(catalogue.CHECKS, TESTS)) == []
    mute = Check("dns.nothing", "What", "", 60, lambda now: Seen(()))
    assert len(list(checks_that_do_not_say_enough([mute], tmp_path))) == 3


# What opens something has to be closed when somebody leaves. Until there are offboarding steps, all of it stands here.
NOT_YET_COVERED_BY_OFFBOARDING = {
    "ApiSession", "ApiToken", "Credential", "Delegation", "Grant", "Invite", "RecoveryChannel", "ResetCode", "Role",
    "RouteException", "Secret", "Transport", "Verification",
}  # fmt: skip


def test_whatever_grants_access_is_covered_by_an_offboarding_step_or_listed() -> None:
    opening = {model.__name__ for model in state_models().values() if model.grants_access}
    assert opening == NOT_YET_COVERED_BY_OFFBOARDING


def test_whatever_grants_access_says_what_it_opens_and_how_it_ends() -> None:
    for model in state_models().values():
        if model.grants_access:
            assert model.opens.__func__ is not StateModel.opens.__func__, model  # type: ignore[attr-defined]
            assert model.__name__ == "Secret" or "ended_at" in model.columns(), f"{model}: how does it end?"


def test_what_is_soft_removed_or_ended_opens_nothing() -> None:
    for model in state_models().values():
        row: Row = {f.attname: "x" for f in model._meta.concrete_fields} | {"targets": ["a"], "used_at": None}
        for end in ("removed_at", "ended_at"):
            if end in model.columns():
                assert model.opens(row) == frozenset(), f"{model.__name__} with {end}"


# The database.


def unguarded(sql: Sql, tables: Iterable[str]) -> set[str]:
    """State tables on which the trigger is missing, off, or not for all four ways to write."""
    whole = "tgname = 'postroom_guard' AND tgenabled = 'O' AND tgtype & 2 = 2 AND tgtype & 60 = 60 AND tgtype & 1 = 0"
    guarded = {table for (table,) in sql(f"SELECT tgrelid::regclass::text FROM pg_trigger WHERE {whole}")}
    return set(tables) - guarded


@pytest.mark.parametrize("sabotage", [
    "DROP TRIGGER postroom_guard ON mailboxes",
    "ALTER TABLE mailboxes DISABLE TRIGGER postroom_guard",
    "DROP TRIGGER postroom_guard ON mailboxes; CREATE TRIGGER postroom_guard BEFORE INSERT ON mailboxes "
    "FOR EACH STATEMENT EXECUTE FUNCTION postroom_guard()",
])  # fmt: skip
def test_the_state_trigger_is_on_every_state_table(database: str, sql: Sql, sabotage: str) -> None:
    assert unguarded(sql, state_models()) == set()
    sql(*sabotage.split("; "))
    assert unguarded(sql, state_models()) == {"mailboxes"}


def test_nothing_cascades_and_nothing_is_implicit() -> None:
    from django.apps import apps
    from django.db.models import DO_NOTHING, PROTECT

    for model in apps.get_app_config("postroom").get_models():
        assert not model._meta.many_to_many, f"{model.__name__}: no implicit tables"
        for field in model._meta.concrete_fields:
            if field.remote_field and issubclass(model, StateModel):
                assert field.remote_field.on_delete in (DO_NOTHING, PROTECT), f"{model.__name__}.{field.name}"


def test_what_ends_by_time_has_a_kind_that_tidies() -> None:
    columns = {table: set(model.columns()) for table, model in state_models().items()}
    ending = {table for table, own in columns.items() if "until" in own and own & {"ended_at", "removed_at"}}
    tidied = {table for table, ends in catalogue.ENDS.items() if ends.column == "until"}
    assert ending - {"invites"} == tidied, "an invite's link is void by itself, and its hash harmless"
    permissions = {kind.permission for kind in catalogue.KINDS}
    for ends in catalogue.ENDS.values():
        assert ends.kind in permissions


def test_every_target_of_a_delivery_has_somebody_who_carries_it() -> None:
    from postroom.changes import carry

    targets = {served.target for served in catalogue.SERVED_BY.values()}
    assert targets <= {"nodes", *carry.SENDERS, "zone", "mail"} and set(catalogue.SERVED_BY) <= set(state_models())
