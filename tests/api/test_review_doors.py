"""Reviews at the API: what is open, a page at a time; closing one, and what stands in the way."""

from collections.abc import Callable
from typing import Any

import pytest

from cast import House, do

Ask = Callable[[str], Any]
FOUND = {"why": "called Acme, it was right"}


@pytest.fixture
def frozen(house: House) -> House:
    for client in ("acme", "globex"):
        do("freezes.start", house.oskar, scope=client, reason="dispute")
    return house


def suspended(house: House, client: str = "acme") -> str:
    return str(do("mailboxes.suspend", house.olive, mailbox=f"mia@{client}.example").pk)


def test_who_reads_the_list_closes_what_is_in_it(frozen: House, at_api: Ask) -> None:
    change, ada = suspended(frozen), at_api("ada")
    (review,) = ada.get("/reviews").json()["items"]
    assert (review["change"]["id"], review["change"]["client"]) == (change, "acme")
    assert review["reason"] == "during freeze: dispute" and review["until"]
    closed = ada.post(f"/reviews/{review['id']}/close", FOUND)
    assert closed.status_code == 200 and closed.json()["id"] == change
    (shown,) = closed.json()["reviews"]
    assert (shown["closed"], shown["found"], shown["closed_by"]["name"]) == (True, FOUND["why"], "Ada")
    assert ada.get("/reviews").json() == {"items": [], "next": None}


def test_the_list_goes_on_where_it_stopped_and_is_narrowed_to_a_client(frozen: House, at_api: Ask) -> None:
    made, ada = [suspended(frozen), suspended(frozen, "globex")], at_api("ada")
    first = ada.get("/reviews?limit=1").json()
    then = ada.get(f"/reviews?limit=1&after={first['next']}").json()
    assert [one["change"]["id"] for one in first["items"] + then["items"]] == made and then["next"] is None
    assert [one["change"]["id"] for one in ada.get("/reviews?client=globex").json()["items"]] == made[1:]
    assert ada.get("/reviews?client=nobody").json()["items"] == []
    carl = at_api("carl")
    assert [one["change"]["id"] for one in carl.get("/reviews").json()["items"]] == made[:1]
    assert carl.get("/reviews?client=globex").json()["items"] == []


@pytest.mark.parametrize("after", ["x", "1.5", "00000000-0000-0000-0000-000000000000"])
def test_a_place_where_no_page_ended_is_a_problem(house: House, at_api: Ask, after: str) -> None:
    answer = at_api("ada").get(f"/reviews?after={after}")
    assert answer.status_code == 422 and answer["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["where"] == "after"


def test_what_stands_in_the_way_is_a_problem_document(frozen: House, at_api: Ask) -> None:
    suspended(frozen)
    do("mailboxes.suspend", frozen.oskar, mailbox="mia@globex.example")
    review, own = at_api("ada").get("/reviews").json()["items"]
    at = f"/reviews/{review['id']}/close"
    for who, path, body, status, sort in (
        ("ada", at, {"why": " "}, 422, "wrong"),
        ("ada", at, {"why": 7}, 422, "wrong"),
        ("olive", at, FOUND, 403, "not-allowed"),
        ("carl", at, FOUND, 403, "not-allowed"),
        ("oskar", f"/reviews/{own['id']}/close", FOUND, 403, "own-change"),
        ("carl", f"/reviews/{own['id']}/close", FOUND, 403, "not-allowed"),
        ("ada", "/reviews/999999/close", FOUND, 404, "not-there"),
        ("ada", f"/reviews/{'9' * 30}/close", FOUND, 404, "not-there"),
        ("ada", "/reviews/x/close", FOUND, 422, "wrong"),
        ("ada", at, FOUND, 200, ""),
        ("ada", at, FOUND, 409, "not-seen"),
    ):
        answer = at_api(who).post(path, body)
        assert answer.status_code == status, (who, path, answer.content)
        if status != 200:
            assert answer["content-type"] == "application/problem+json"
            assert answer.json()["type"] == f"/problems/{sort}"
