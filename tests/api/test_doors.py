"""The API as a door: who gets in, what is said of what is wrong, and that nothing happens then."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from cast import MIA, House, do, the
from postroom.api.urls import api
from postroom.changes.approvals import undo
from postroom.changes.pipeline import apply_scheduled
from postroom.models import Grant

Ask = Callable[[str], Any]
Sql = Callable[..., Any]
NUL, LONG = "a\0b", "x" * 300
UNPRINTABLE = ["a\r\nb", NUL, LONG, "\u202eevil"]  # no name of anything, whoever asks
HOSTILE = [
    *UNPRINTABLE,
    "аcme",
    "../etc/passwd",
    "'; DROP TABLE clients; --",
    '"quoted"',
    "%s%n",
    "{{7*7}}",
]


def operations() -> list[tuple[str, str, Any]]:
    found = []
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            found += [(method, prefix + path, one) for one in view.operations for method in one.methods]
    return found


def test_every_operation_declares_what_it_requires() -> None:
    without = [(method, path) for method, path, one in operations() if not hasattr(one.view_func, "permission")]
    assert len(operations()) > 30 and without == []


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer nonsense", "Basic b3A6"])
def test_nobody_gets_in_without_a_session(house: House, header: str) -> None:
    http = Client(headers={"authorization": header, "host": "localhost"})
    for method, path, one in operations():
        if one.view_func.permission == "public":
            continue
        url = "/api/v1" + path.replace("{change_id}", str(house.oskar.person)).replace("{ref}", "acme")
        url = url.replace("{invite_id}", str(house.oskar.person)).replace("{batch_id}", str(house.oskar.person))
        url = url.replace("{review_id}", "1")
        answer = http.generic(method, url, b"{}", content_type="application/json")
        assert answer.status_code == 401 and answer["content-type"] == "application/problem+json", (method, path)


def test_an_ended_session_is_nobody(house: House, at_api: Ask, sql: Sql) -> None:
    olive = at_api("olive")
    assert olive.get("/clients").status_code == 200
    (session,) = sql("SELECT id::text FROM api_sessions")[0]
    do("sessions.end", house.oskar, session=session)
    assert olive.get("/clients").status_code == 401


def test_a_suspended_person_is_nobody_at_once(house: House, at_api: Ask) -> None:
    olive = at_api("olive")
    do("people.suspend", house.oskar, person="olive@northlight.example")
    assert olive.get("/clients").status_code == 401


def test_what_is_wrong_is_said_all_at_once_and_nothing_changed(house: House, at_api: Ask, sql: Sql) -> None:
    before = sql("SELECT count(*) FROM entries")
    answer = at_api("olive").change("mailboxes.create", [{"address": "two@@ats"}, {"address": MIA, "quota_mb": -1}, {}])
    problem = answer.json()
    assert answer.status_code == 422 and answer["content-type"] == "application/problem+json"
    assert {one["where"] for one in problem["errors"]} == {"0.address", "1.quota_mb", "2.address"}
    assert sql("SELECT count(*) FROM entries") == [(before[0][0] + 1,)], "the session's own entry, and no other"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_refused_or_kept_as_it_is(house: House, at_api: Ask, sql: Sql, text: str) -> None:
    olive = at_api("olive")
    for kind, params in (
        (text, {}),
        ("clients.create", {"name": text}),
        ("domains.add", {"client": "acme", "name": f"{text}.example"}),
        ("mailboxes.create", {"address": f"{text}@acme.example"}),
        ("mailboxes.create", {"address": "h@acme.example", "name": text}),
        ("mailboxes.suspend", {"mailbox": text}),
        ("record_sets.set", {"domain": "acme.example", "name": text, "type": text, "values": [text]}),
        ("mailboxes.suspend", {"mailbox": MIA, text: text}),
        ("freezes.start", {"scope": text}),
    ):
        answer = olive.change(kind, params)
        assert answer.status_code in (200, 404, 409, 422), (kind, params, answer.content)
        if "name" in params and text in UNPRINTABLE:
            assert answer.status_code == 422, (kind, params, answer.content)
    kept = olive.get("/mailboxes/h@acme.example")
    assert kept.status_code == 404 if text in UNPRINTABLE else kept.json()["name"] == text
    assert olive.change("mailboxes.suspend", {"mailbox": MIA}, why=text).status_code in (200, 409, 422)
    for path in (f"/mailboxes/{text}", f"/mailboxes?search={text}", f"/changes?client={text}", f"/clients?at={text}"):
        assert olive.get(path.replace("\0", "%00").replace("\r\n", "%0d%0a")).status_code in (200, 400, 404, 422), path


def test_the_same_key_is_one_change_and_with_another_request_a_conflict(house: House, at_api: Ask) -> None:
    olive = at_api("olive")
    body = {"kind": "mailboxes.change", "params": {"mailbox": MIA, "quota_mb": 77}, "why": "once"}
    first = olive.post("/changes", body, **{"Idempotency-Key": "k"})
    assert olive.post("/changes", body, **{"Idempotency-Key": "k"}).json()["id"] == first.json()["id"]
    body["why"], body["params"] = "twice", {"mailbox": MIA, "quota_mb": 78}
    assert olive.post("/changes", body, **{"Idempotency-Key": "k"}).status_code == 409


def test_a_dry_run_shows_the_plan_and_does_nothing(house: House, at_api: Ask, sql: Sql) -> None:
    olive = at_api("olive")
    shown = olive.change("mailboxes.suspend", {"mailbox": MIA}, dry_run=True).json()
    assert shown["dry_run"] and shown["edits"][0]["label"] == MIA and shown["id"] is None
    assert sql("SELECT suspended_at FROM mailboxes WHERE suspended_at IS NOT NULL") == []


def test_a_client_admin_sees_one_client_and_no_trace_of_others(house: House, at_api: Ask) -> None:
    carl = at_api("carl")
    for noun in ("clients", "domains", "mailboxes", "addresses", "record_sets", "dkim_keys", "aliases", "changes"):
        assert b"globex" not in carl.get(f"/{noun}?limit=500").content, noun
    foreign, nowhere = carl.get("/mailboxes/mia@globex.example"), carl.get("/mailboxes/mia@nobody1.example")
    assert foreign.status_code == nowhere.status_code == 404
    assert foreign.content.replace(b"globex", b"nobody1") == nowhere.content


def test_as_it_stood_at_a_version_or_a_time(house: House, at_api: Ask, sql: Sql) -> None:
    olive = at_api("olive")
    (before,) = sql("SELECT version FROM clients WHERE slug = 'acme'")[0]
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia Hart")
    do("mailboxes.create", house.olive, address="leo@acme.example")
    assert olive.get(f"/mailboxes/{MIA}").json()["name"] == "Mia Hart"
    assert olive.get(f"/mailboxes/{MIA}?at={before}").json()["name"] == "Mia"
    then = olive.get(f"/mailboxes?client=acme&at={before}").json()["items"]
    assert [one["label"] for one in then] == [MIA] and then[0]["name"] == "Mia"
    for narrower, found in (("search=mia@", 1), ("search=Hart", 0), ("domain=acme.example", 1), ("domain=a.test", 0)):
        then = olive.get(f"/mailboxes?client=acme&at={before}&{narrower}").json()["items"]
        assert len(then) == found, narrower
    assert olive.get("/mailboxes/leo@acme.example?at=1").status_code == 404
    assert olive.get("/mailboxes?client=acme&at=yesterday").status_code == 422


def test_what_is_the_organizations_is_read_by_its_own_history(house: House, at_api: Ask, sql: Sql) -> None:
    """Versions count a history each: a node's is the organization's, whichever clients it serves."""
    olive, carl = at_api("olive"), at_api("carl")
    (before,) = sql("SELECT version FROM organizations")[0]
    do("nodes.drain", house.oskar, node="mx1")
    do("people.change", house.oskar, person="henry@northlight.example", name="Henrietta")
    now, then = olive.get("/nodes/mx1").json(), olive.get(f"/nodes/mx1?at={before}").json()
    assert now["drained_at"] and not then["drained_at"]
    (listed,) = [one for one in olive.get(f"/nodes?at={before}").json()["items"] if one["label"] == "mx1"]
    assert not listed["drained_at"]
    people = olive.get(f"/people?at={before}&limit=500").json()["items"]
    assert {one["name"] for one in people} >= {"Henry"} and "Henrietta" not in str(people)
    assert not any(one["client"] for one in people) and olive.get(f"/grants?at={before}").status_code == 200

    refused = olive.get(f"/nodes?client=acme&at={before}")
    assert refused.status_code == 422 and refused.json()["errors"][0]["where"] == "client"
    for path in ("/nodes", "/nodes/mx1", "/people"):
        answer = carl.get(f"{path}?at=1")
        assert answer.status_code in (404, 422) and "drained_at" not in answer.text, (path, answer.text)


def test_what_is_yet_to_come_is_no_answer_of_now(house: House, at_api: Ask) -> None:
    olive = at_api("olive")
    for path in (f"/mailboxes/{MIA}?", "/mailboxes?client=acme&", "/clients/acme?", "/nodes?"):
        for at in ("999999", "2099-01-01T00:00:00Z"):
            answer = olive.get(f"{path}at={at}")
            assert answer.status_code == 422 and "yet to come" in answer.text, (path, at, answer.text)


def test_what_is_gone_is_read_as_it_stood(house: House, at_api: Ask, sql: Sql) -> None:
    olive, carl, leo = at_api("olive"), at_api("carl"), "leo@acme.example"
    made = do("mailboxes.create", house.olive, address=leo, name="Leo")
    (id,) = sql("SELECT m.id::text FROM mailboxes m WHERE m.name = 'Leo'")[0]
    taken_back = undo(made.pk, actor=house.olive, why="x")
    assert taken_back.version and sql("SELECT FROM mailboxes WHERE name = 'Leo'") == []
    at, before = f"at={made.version}", f"at={made.version - 1}"
    for one in (olive, carl):
        for ref in (leo, id, leo.upper()):
            then = one.get(f"/mailboxes/{ref}?{at}").json()
            assert (then["label"], then["address"], then["name"], then["client"]) == (leo, leo, "Leo", "acme"), ref
        assert one.get(f"/addresses/{leo}?{at}").json()["label"] == leo
        for narrower in ("", "&search=leo@", "&search=Leo", "&domain=acme.example"):
            items = one.get(f"/mailboxes?client=acme&{at}{narrower}").json()["items"]
            assert leo in [item["label"] for item in items], narrower
        assert one.get(f"/mailboxes?client=acme&{at}&domain=a.test").json()["items"] == []
    for nothing in (f"{leo}?{before}", f"{leo}?at={taken_back.version}", leo, f"no@acme.example?{at}"):
        assert olive.get(f"/mailboxes/{nothing}").status_code == 404, nothing
    do("mailboxes.create", house.olive, address=leo, name="Another Leo")
    assert olive.get(f"/mailboxes/{leo}?{at}").json()["name"] == "Leo", "who had the address then, not who has it now"
    # Of another client: no trace, whatever is asked.
    foreign = do("mailboxes.create", house.olive, address="zoe@globex.example")
    undo(foreign.pk, actor=house.olive, why="x")
    assert olive.get(f"/mailboxes/zoe@globex.example?at={foreign.version}").status_code == 200
    assert carl.get(f"/mailboxes/zoe@globex.example?at={foreign.version}").status_code == 404


def test_lists_go_on_where_they_stopped(house: House, at_api: Ask) -> None:
    olive = at_api("olive")
    olive.change("mailboxes.create", [{"address": f"p{n}@acme.example"} for n in range(7)])
    seen, after = [], ""
    while True:
        page = olive.get(f"/mailboxes?client=acme&limit=3{after}").json()
        seen += [one["label"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == sorted([MIA, *(f"p{n}@acme.example" for n in range(7))])


def test_the_link_of_an_invite_appears_in_one_answer_only(house: House, at_api: Ask, sql: Sql) -> None:
    olive = at_api("olive")
    olive.change("mailboxes.create", {"address": "n@acme.example", "contact": "n@home.test"})
    (invite,) = olive.get("/invites?client=acme").json()["items"]
    answer = olive.post(f"/invites/{invite['id']}/link", {"why": "asked on the phone"}, **{"Idempotency-Key": "one"})
    again = olive.post(f"/invites/{invite['id']}/link", {"why": "asked on the phone"}, **{"Idempotency-Key": "one"})
    assert answer["cache-control"] == "no-store" and answer.json()["link"] != again.json()["link"]
    token = answer.json()["link"].rpartition("/")[2]
    everything = (
        sql("SELECT e::text FROM edits e") + sql("SELECT c::text FROM changes c") + sql("SELECT s::text FROM secrets s")
    )
    assert not any(token in row[0] for row in everything)


def test_an_invite_is_acted_on_without_a_word_why_too(house: House, at_api: Ask) -> None:
    olive = at_api("olive")
    olive.change("mailboxes.create", {"address": "n@acme.example", "contact": "n@home.test"})
    (invite,) = olive.get("/invites?client=acme").json()["items"]
    for act in ("resend", "link", "cancel"):
        answer = olive.http.generic("POST", f"/api/v1/invites/{invite['id']}/{act}")
        assert answer.status_code == 200, (act, answer.content)
    (cancelled, *_) = olive.get("/changes?client=acme").json()["items"]
    assert (cancelled["kind"], cancelled["why"]) == ("invites.cancel", "asked for at the API")


def test_a_batch_over_two_clients_is_shown_and_approved_as_a_whole(house: House, at_api: Ask) -> None:
    olive, ada = at_api("olive"), at_api("ada")
    parts = [{"kind": "mailboxes.remove", "params": {"mailbox": f"mia@{c}.example"}} for c in ("acme", "globex")]
    held = olive.post("/batches", {"changes": parts, "why": "both left"})
    assert held.status_code == 202
    batch = held.json()
    assert {one["stage"] for one in batch["changes"]} == {"held"}
    seen = ada.get(f"/batches/{batch['id']}").json()
    done = ada.post(f"/batches/{batch['id']}/approve", {"plan_hash": seen["plan_hash"]})
    assert done.status_code == 200 and {one["stage"] for one in done.json()["changes"]} == {"applied"}
    undone = olive.post(f"/batches/{batch['id']}/undo", {"why": "they came back"})
    assert undone.status_code in (200, 202)


@pytest.mark.parametrize("noun", ["domains", "mailboxes", "addresses", "aliases", "grants", "record_sets", "dkim_keys"])
def test_a_list_is_narrowed_to_one_domain(at_api: Ask, house: House, noun: str) -> None:
    olive = at_api("olive")
    whole, narrow, nowhere = (
        olive.get(f"/{noun}?limit=500{more}").json()["items"]
        for more in ("", "&domain=ACME.example", "&domain=nobody.example")
    )
    assert [one for one in whole if one in narrow] == narrow and nowhere == []
    assert all("globex" not in str(one) for one in narrow) and (narrow or noun == "grants")


@pytest.mark.parametrize("noun", ["clients", "people", "nodes", "freezes"])
def test_what_is_of_no_domain_says_so(at_api: Ask, house: House, noun: str) -> None:
    answer = at_api("olive").get(f"/{noun}?domain=acme.example")
    assert answer.status_code == 422 and "of no domain" in answer.text


def test_a_time_that_never_comes_is_refused_where_it_stands(house: House, at_api: Ask) -> None:
    olive = at_api("olive")
    for at in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2030-01-01T00:00:00", "2020-01-01T00:00:00Z"):
        for more in ({}, {"dry_run": True}):
            answer = olive.change("mailboxes.suspend", {"mailbox": MIA}, at=at, **more)
            assert answer.status_code == 422 and answer.json()["errors"][0]["where"].endswith("at"), (at, answer.json())
        for word in ("since", "until"):
            found = olive.get(f"/changes?{word}={at.replace('+', '%2B')}")
            assert found.status_code == (200 if at.startswith("2020") else 422), (word, at)
        assert olive.get(f"/mailboxes?client=acme&at={at.replace('+', '%2B')}").status_code in (200, 422)
    assert olive.get("/changes").status_code == 200


def test_who_ends_their_own_last_role_is_told_what_became_of_it(house: House, at_api: Ask) -> None:
    olive, ada = at_api("olive"), at_api("ada")
    answer = olive.change("grants.end", {"grant": str(the(Grant, person=house.olive.person).pk)})
    done = answer.json()
    assert (answer.status_code, done["stage"], done["kind"]) == (200, "verified", "grants.end"), done
    assert done["id"] and done["plan_hash"] and done["verdicts"] == [] and "proposer" not in done
    assert olive.get("/changes").status_code in (401, 403)

    given = do("grants.give", house.oskar, person="ada@northlight.example", role="operator")
    assert given.stage == "scheduled" and apply_scheduled(given.pk).version, "nobody agrees to a role of their own"
    do("grants.end", house.oskar, grant=str(the(Grant, person=house.ada.person, role="approver").pk))
    last = {"grant": str(the(Grant, person=house.ada.person, ended_at=None).pk)}
    batch = ada.post("/batches", {"changes": [{"kind": "grants.end", "params": last}], "why": "a test"})
    assert batch.status_code == 200, batch.json()
    assert [one["stage"] for one in batch.json()["changes"]] == ["verified"]
