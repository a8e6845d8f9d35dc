"""A client that closed itself: by no page, list, search or operation of the API does the organization read of it more
than that it is there and closed; and nothing that waited, or is on its way, goes on in their name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from ninja.operation import Operation
from test_urls import PAGES, filled
from visitors import samples, visitor

from api.conftest import Caller
from cast import MIA, House, again, do, person, tick, waits
from postroom.access.acting import Actor
from postroom.access.declared import MAILBOX
from postroom.api.urls import api
from postroom.changes.pipeline import apply_scheduled

CANARY = "cachalot"  # stands in the texts of Acme and of nothing else
SAID = re.compile(rf"{CANARY}|[\w.-]+@acme\.example|acme\.example", re.IGNORECASE)
STAFF = ("oskar", "olive", "ada", "henry", "audrey", "carl")
QUERIES = ("client=acme", f"search={CANARY}", "search=mia", "object=acme.example", "stage=held", "state=any")


@pytest.fixture
def known(house: House) -> dict[str, str]:
    """Something of every sort at Acme, each with its word in it."""
    found = samples(house)
    do("clients.change", house.oskar, client="acme", notes=f"the {CANARY} plans")
    do("mailboxes.create", house.olive, address=f"{CANARY}@acme.example", name=CANARY, contact=f"x@{CANARY}.test")
    do("aliases.create", house.olive, address=f"{CANARY}-all@acme.example", targets=[MIA])
    do("domains.change", house.olive, domain="acme.example", registrar=CANARY)
    do("mailboxes.remove", house.olive, mailbox=f"{CANARY}@acme.example")
    return found


@pytest.fixture
def amy(house: House) -> Actor:
    do("people.invite", house.oskar, name="Amy", email="amy@elsewhere.example", client="acme")
    do("grants.give", house.oskar, person="amy@elsewhere.example", role="client admin", client="acme")
    return person("amy@elsewhere.example", house.oskar)


def operations(known: dict[str, str]) -> Iterator[str]:
    """Every address of the API that is read, its arguments filled with what is Acme's; narrowed by what it takes: any
    other parameter is refused by its name (test_unknown.py)."""
    values = {"ref": "acme", "change_id": known["change"], "batch_id": known["batch"], "number": known["entry"]}
    values |= {"finding_id": known["finding"], "invite_id": known["invite"], "noun": "mailboxes"}
    for _, router in api._routers:
        for path, operation in router.path_operations.items():
            for read in (one for one in operation.operations if "GET" in one.methods):
                address = re.sub(r"{(?:\w+:)?(\w+)}", lambda name: values.get(name[1], MIA), path)
                yield address
                yield from (f"{address}?{query}" for query in QUERIES if query.partition("=")[0] in taken(read))


def taken(operation: Operation) -> set[str]:
    """The parameters of its query."""
    models = [one for one in operation.models if one.__ninja_param_source__ == "query"]
    return {name for one in models for name in one.__ninja_flatten_map__}


def pages(known: dict[str, str]) -> Iterator[str]:
    """An owner's pages send everybody else away before they look at what was asked (mailbox_door)."""
    for address, one in PAGES:
        permission = one.callback.permission  # type: ignore[attr-defined]
        if permission != "public" and "logout" not in address:
            url = filled(address, one.name or "", known)
            yield url
            if "<" not in address and permission != MAILBOX:
                yield from (f"{url}?{query}" for query in QUERIES)


@pytest.mark.parametrize("who", STAFF)
def test_nothing_of_it_is_read_by_any_door(house: House, known: dict[str, str], amy: Actor, who: str) -> None:
    staff = getattr(house, who)
    browser, caller = visitor(staff), Caller(staff)
    told = [url for url in ("/", "/changes/", "/mailboxes/") if SAID.search(browser.get(url).content.decode())]
    assert told, "before, it was there to be read"
    assert do("access.suspend", amy, client="acme").version
    asked = [*((browser.get, url) for url in pages(known)), *((caller.get, url) for url in operations(known))]
    assert len(asked) > 300
    for get, url in asked:
        answer = get(url)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code < 500, (url, answer.status_code)
        assert not (found := SAID.search(shown(body.decode(errors="replace"), url))), (who, url, found)
    alters = {"client": "acme", "notes": "x"}
    tried = (
        browser.post("/do/clients.change/", {**alters, "why": "x"}), browser.get("/do/clients.change/?client=acme"),
        *(caller.change("clients.change", alters, dry_run=dry) for dry in (True, False)),
        caller.post("/batches", {"changes": [{"kind": "clients.change", "params": alters}], "why": "x"}),
    )  # fmt: skip
    for answer in tried:
        assert answer.status_code < 500 and not SAID.search(answer.content.decode()), (who, answer.content)
    mine = Caller(amy)
    assert CANARY in mine.get("/mailboxes").content.decode() and mine.get("/changes?client=acme").json()["items"]


def shown(body: str, url: str) -> str:
    """The body without what was typed into the address: a page shows a search in its own field again."""
    for typed in (MIA, f"mia@{'acme.example'}", "acme.example", CANARY):
        if typed in url:
            body = body.replace(typed, "")
    return body


def test_what_waited_or_was_on_its_way_does_not_go_on(house: House, amy: Actor) -> None:
    later = waits("mailboxes.suspend", house.olive, mailbox=MIA)
    held = do("mailboxes.remove", house.olive, mailbox=MIA)
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    names = {"name": "CI", "permissions": ["mailboxes.view", "mailboxes.suspend", "changes.view"], "until": until}
    do("tokens.create", house.olive, secrets={"token": "6" * 64}, **names)
    assert do("access.suspend", amy, client="acme").version
    assert Caller(house.olive).change("mailboxes.suspend", {"mailbox": MIA}).status_code == 404
    assert Caller(house.ada).post(f"/changes/{held.pk}/approve", {"plan_hash": held.plan_hash}).status_code == 404
    for asked in ("withdraw", "undo", "replan"):
        assert Caller(house.olive).post(f"/changes/{held.pk}/{asked}", {"why": "x"}).status_code == 404, asked
    assert [again(one).stage for one in tick(datetime.now(UTC) + timedelta(hours=2))] == ["held"]
    assert apply_scheduled(later.pk).stage == "held", "refused under the lock, and kept for Acme's own to see"
    assert visible_to(amy) >= {str(later.pk), str(held.pk)}
    assert do("access.resume", amy, client="acme").version


def visible_to(actor: Actor) -> set[str]:
    return {one["id"] for one in Caller(actor).get("/changes?client=acme&limit=200").json()["items"]}
