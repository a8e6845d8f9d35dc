"""An id from the body that is trusted, and answers that say too much (rows 9, 10, 11, 12, 30)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from pydantic import ValidationError
from test_urls import PAGES, filled
from visitors import login, samples, visitor

from cast import MIA, House, do, kind, person, reasons, the
from changes.every_kind import WALKS, something_for_each
from postroom.access import tokens
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.api.urls import api
from postroom.changes.approvals import approve
from postroom.changes.errors import ChangeError, Problems
from postroom.changes.kind import KINDS, Kind
from postroom.changes.pipeline import submit
from postroom.models import (
    Alias,
    Client,
    DkimKey,
    Domain,
    Grant,
    Invite,
    Login,
    Mailbox,
    Person,
    RecordSet,
    StateModel,
)

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def ola(house: House) -> Actor:
    """An operator at Acme alone: she may give roles there, and nothing elsewhere."""
    do("people.invite", house.oskar, name="Ola", email="ola@acme.example", client="acme")
    do("people.invite", house.oskar, name="Gus", email="gus@globex.example", client="globex")
    wanted = ["grants.give", "grants.end", "domains.change", "domains.view", "mailboxes.create", "mailboxes.change",
              "aliases.create", "clients.view", "people.view", "record_sets.set", "mailboxes.view"]  # fmt: skip
    do("roles.create", house.oskar, name="acme desk", permissions=wanted)
    do("roles.create", house.oskar, name="looker", permissions=["domains.view"])
    given = do("grants.give", house.oskar, person="ola@acme.example", role="acme desk", client="acme")
    # It ranks with operators, so it is held.
    done = approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    assert done.version, reasons(done)
    return person("ola@acme.example", house.oskar)


def test_row_09_nobody_is_given_a_role_who_is_out_of_sight(house: House, ola: Actor) -> None:
    gus = str(the(Person, email="gus@globex.example").pk)
    globex = {"client": "globex"}, {"client": str(the(Client, slug="globex").pk)}, {"domain": "globex.example"}
    for ref in ("gus@globex.example", gus, "henry@northlight.example", str(house.henry.person)):
        with pytest.raises(Problems, match="no person"):
            do("grants.give", ola, person=ref, role="looker", client="acme")
    for where in (*globex, {"client": "acme", "domain": "globex.example"}):
        with pytest.raises(Problems, match="that you can see"):
            do("grants.give", ola, person="ola@acme.example", role="looker", **where)
    assert do("grants.give", ola, person="ola@acme.example", role="looker", client="acme").version
    assert not Grant_of("gus@globex.example") and not Grant_of("ola@acme.example", client__slug="globex")


def Grant_of(email: str, **where: Any) -> list[Grant]:
    with acting_as(SYSTEM):
        return list(Grant.objects.filter(person__email=email, **where))


WRITTEN_BY_NOBODY = ("id", "client_id", "owner_row", "version", "person_id", "granted_by", "given_by_id", "made",
                     "removed_at", "proof", "access_epoch", "operator_id", "node_id", "client__slug",
                     "*", "__class__")  # fmt: skip


@pytest.mark.parametrize("permission", WALKS)
def test_row_09_no_kind_takes_a_field_it_does_not_name(permission: str) -> None:
    """Whose an object is, is no parameter: a field that is not of the kind is refused by its name."""
    known = KINDS[permission].model_fields
    for name in WRITTEN_BY_NOBODY:
        if name not in known:
            with pytest.raises(ValidationError) as refused:
                KINDS[permission].model_validate({name: "x"})
            assert any(name in map(str, one["loc"]) for one in refused.value.errors()), name


def theirs() -> dict[str, list[str]]:
    """Noun → what is of Globex, by name and by id."""

    def of(model: type[StateModel], **where: Any) -> list[str]:
        row = model.objects.filter(**where).order_by("pk").first()
        return [str(row.pk), *([row.label] if model.natural_key != "id" else [])] if row else []

    with acting_as(SYSTEM):
        return {
            "clients": of(Client, slug="globex"),
            "domains": of(Domain, name="globex.example"),
            "mailboxes": of(Mailbox, address__address="mia@globex.example"),
            "aliases": of(Alias, client__slug="globex"),
            "people": of(Person, email="gus@globex.example"),
            "grants": of(Grant, person__email="gus@globex.example"),
            "invites": of(Invite, client__slug="globex"),
            "record_sets": of(RecordSet, client__slug="globex"),
            "dkim_keys": of(DkimKey, client__slug="globex"),
        }


def refs(one: type[Kind]) -> Iterator[tuple[str, str]]:
    """(parameter, noun of what it names) of a kind."""
    for name, field in one.model_json_schema().get("properties", {}).items():
        sides = [field, *field.get("anyOf", ())]
        yield from ((name, side["ref"]) for side in sides if "ref" in side)


def test_row_10_an_object_of_another_client_is_not_there_whatever_names_it(house: House, sql: Sql) -> None:
    """Every parameter of every kind that names something: one's own request with somebody else's object in it."""
    ids = something_for_each(house)
    do("people.invite", house.oskar, name="Gus", email="gus@globex.example", client="globex")
    do("grants.give", house.oskar, person="gus@globex.example", role="client viewer", client="globex")
    do("mailboxes.create", house.oskar, address="new@globex.example", contact="new@home.test")
    foreign, tried = theirs(), 0
    assert all(foreign.values()), foreign
    whole = (
        "SELECT md5(string_agg(t::text, '' ORDER BY t.id)) FROM {} t"
        " WHERE client_id = (SELECT id FROM clients WHERE slug = 'globex')"
    )
    tables = ("domains", "mailboxes", "aliases", "invites", "record_sets", "dkim_keys", "grants", "addresses")
    before = [sql(whole.format(table)) for table in tables]
    for permission, walk in WALKS.items():
        if "person" not in KINDS[permission].by:
            continue
        for name, noun in refs(KINDS[permission]):
            for ref in foreign.get(noun, ()):
                wanted = kind(
                    permission, **{**walk.kind(permission, ids).model_dump(mode="json", exclude_unset=True), name: ref}
                )
                with pytest.raises(ChangeError) as refused:
                    submit(wanted, actor=house.carl, why="a test", secrets=walk.values() or None)
                    pytest.fail(f"{permission} took {name}={ref}")
                assert "globex" not in str(refused.value).replace(ref, ""), (permission, name)
                tried += 1
    assert tried > 60 and [sql(whole.format(table)) for table in tables] == before


# Row 11: what an answer holds


def planted_secrets(house: House, at_api: Callable[[str], Any]) -> dict[str, str]:
    """What → a value that must stand in no answer, wherever the product keeps it."""
    found = {name: f"CANARY-{n}-{os.urandom(9).hex()}" for n, name in enumerate(
        ("password", "recovery code", "private key", "login", "factor", "link", "token", "submission",
         "code"))}  # fmt: skip
    whose = login(house.olive, "two plain words")
    with acting_as(SYSTEM):
        Login.objects.filter(pk=whose.pk).update(password=f"argon2${found['login']}")
        Authenticator.objects.create(user=whose, type="totp", data={"secret": found["factor"]})
        key = DkimKey.objects.get(domain__name="acme.example", selector__endswith="a")
    done = do("dkim_keys.make", SYSTEM, secrets={"private key": found["private key"]}, key=str(key.pk), public="abcd",
              domain="acme.example")  # fmt: skip
    assert done.version, reasons(done)
    box = do("mailboxes.create", house.olive, address="sam@acme.example", contact="sam@home.test")
    invite = the(Invite, mailbox__address__address="sam@acme.example")
    issued = do("invites.issue", SYSTEM, secrets={"link": tokens.hashed(found["link"])}, invite=str(invite.pk))
    assert box.version and issued.version
    owner = Actor(None, "sam@acme.example", "link", tokens.hashed(found["link"]))
    secrets = {"password": f"{{ARGON2ID}}{found['password']}", "recovery code": found["recovery code"]}
    assert do("invites.redeem", owner, secrets=secrets).version
    until = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    made = do("tokens.create", house.olive, secrets={"token": tokens.hashed(found["token"])}, name="CI", until=until,
              permissions=["domains.view"])  # fmt: skip
    assert made.version
    found |= {f"hash of {name}": tokens.hashed(found[name]) for name in ("link", "token")}
    caller = at_api("oskar")
    found |= {"session": caller.token, "hash of session": tokens.hashed(caller.token)}
    found |= {"secret key": settings.SECRET_KEY}
    return found


def gets() -> Iterator[str]:
    """Every path of the API that is read."""
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            if any("GET" in one.methods for one in view.operations):
                yield prefix + path


def reading(caller: Any) -> Iterator[tuple[str, Any]]:
    """(path, answer) of every GET of the API, each list and one of each of its items."""
    caller.http.raise_request_exception = True
    singles = [path for path in gets() if "{" in path]
    for path in (path for path in gets() if "{" not in path):
        answer = caller.get(f"{path}?client=acme" if path == "/access" else path)
        yield path, answer
        items = answer.json().get("items", []) if answer.status_code == 200 else []
        inside = [one for one in singles if one.startswith(f"{path}/{{")]
        for item in [one for one in items if "id" in one][:3]:
            for one in inside:
                before, _, rest = one.partition("{")
                url = before + str(item["id"]) + rest.partition("}")[2]
                yield one, caller.get(url)


def test_row_11_no_answer_holds_a_secret(house: House, at_api: Callable[[str], Any]) -> None:
    hidden = planted_secrets(house, at_api)
    known, browser = samples(house), visitor(house.oskar)
    seen = 0
    for path, answer in reading(at_api("oskar")):
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert [name for name, value in hidden.items() if value.encode() in text] == [], path
        seen += answer.status_code == 200
    boxes = ("/mailboxes/sam@acme.example/", "/people/olive@northlight.example/", "/domains/acme.example/")
    for url in [*(filled(address, one.name or "", known) for address, one in PAGES), *boxes]:
        answer = browser.get(url, follow=True)
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert [name for name, value in hidden.items() if value.encode() in text] == [], url
        seen += answer.status_code == 200
    assert seen > 80, seen


# Rows 12 and 30: whose rights count


def made(by: Actor, permissions: list[str], clients: tuple[str, ...] = ()) -> str:
    token, kept = tokens.draw()
    until = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    done = do("tokens.create", by, secrets={"token": kept}, name="CI", permissions=permissions, clients=list(clients),
              until=until)  # fmt: skip
    assert done.version, reasons(done)
    return token


def test_row_12_a_program_acts_with_the_rights_of_its_token_and_nobodys_else(
    house: House, at_api: Callable[[str], Any]
) -> None:
    """Neither with those of the person who made it, nor with the system's, by which the door reads who asks."""
    caller = at_api("oskar")
    caller.http.defaults["HTTP_AUTHORIZATION"] = f"Bearer {made(house.oskar, ['mailboxes.view'], ('acme',))}"
    assert [one["label"] for one in caller.get("/mailboxes").json()["items"]] == [MIA]
    assert caller.get("/mailboxes/mia@globex.example").status_code == 404
    readable = {path for path, answer in reading(caller) if answer.status_code == 200 and answer.json().get("items")}
    assert readable <= {"/mailboxes", "/mailboxes/{ref}/who-can-reset", "/kinds"}, readable
    paths = caller.get(f"/mailboxes/{MIA}/who-can-reset").json()["items"]
    assert {one["counts"] for one in paths} == {"unknown"}, "whatever hangs on it is not this program's to see"
    for name, params in (("mailboxes.suspend", {"mailbox": MIA}), ("clients.create", {"name": "X"})):
        answer = caller.change(name, params)
        assert answer.status_code in (403, 200) and answer.json().get("stage", "refused") == "refused", (
            name,
            answer.json(),
        )
    assert the(Mailbox, address__address=MIA).suspended_at is None


def test_row_30_no_token_makes_another_or_lends_what_it_lacks(house: House, at_api: Callable[[str], Any]) -> None:
    caller = at_api("oskar")
    caller.http.defaults["HTTP_AUTHORIZATION"] = f"Bearer {made(house.oskar, ['people.view'])}"
    until = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    wanted = {"name": "more", "permissions": ["clients.view"], "until": until, "why": "x"}
    assert caller.post("/tokens", wanted).status_code == 403
    params = {name: value for name, value in wanted.items() if name != "why"}
    answer = caller.change("tokens.create", params)
    assert answer.status_code in (403, 409, 422) or answer.json()["stage"] == "refused", answer.json()
    answer = caller.change("grants.give", {"person": "henry@northlight.example", "role": "owner"})
    assert answer.status_code == 403 or answer.json()["stage"] == "refused", answer.json()
