"""Access reviews and rosters at the API: lists, lines a page at a time, answers by POST /changes; nothing of others."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cast import MIA, House, do

Ask = Callable[[str], Any]
NO_ID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def opened(house: House) -> House:
    for client in ("acme", "globex"):
        do("access_reviews.open", house.ada, client=client)
        do("rosters.open", house.olive, client=client)
    return house


def one(caller: Any, path: str, client: str = "acme") -> dict[str, Any]:
    (found,) = caller.get(f"{path}?client={client}").json()["items"]
    whole = caller.get(f"{path}/{found['id']}").json()
    return {**found, **whole}


def test_an_approver_reads_a_review_and_signs_a_line_of_it(opened: House, at_api: Ask) -> None:
    ada = at_api("ada")
    review = one(ada, "/access-reviews")
    assert (review["client"], review["lines"], review["left"], review["closed"]) == ("acme", 6, 6, False)
    lines = {line["name"]: line for line in review["items"]}
    henry = lines["helpdesk of Henry"]
    assert (henry["stood"]["where"], henry["now"]["stands"], henry["answer"]) == ("organization", True, None)
    assert lines["approver of Ada"]["own"] and henry["now"]["given_by"] == "Oskar" and "given_by" not in henry["stood"]
    signed = ada.change("access_reviews.sign", {"line": henry["id"], "answer": "keep"}, why="I asked his lead")
    assert signed.status_code == 200 and signed.json()["stage"] == "verified"
    again = {line["name"]: line for line in one(ada, "/access-reviews")["items"]}["helpdesk of Henry"]
    assert (again["answer"], again["note"], again["by"]) == ("keep", "I asked his lead", "Ada")
    assert again["saw"]["stands"] is True and again["at"]
    own = ada.change("access_reviews.sign", {"line": lines["approver of Ada"]["id"], "answer": "keep"})
    assert own.json()["stage"] == "refused" and "nobody signs their own rights" in str(own.json()["verdicts"])
    at = f"/access-reviews/{review['id']}"
    assert len(ada.get(f"{at}?state=open").json()["items"]) == 5
    assert [line["name"] for line in ada.get(f"{at}?search=helpdesk").json()["items"]] == ["helpdesk of Henry"]
    first = ada.get(f"{at}?limit=4").json()
    rest = ada.get(f"{at}?limit=4&after={first['next']}").json()
    assert len(first["items"]) == 4 and len(rest["items"]) == 2 and rest["next"] is None


def test_a_client_admin_answers_a_roster_and_sees_no_other(opened: House, at_api: Ask) -> None:
    carl = at_api("carl")
    assert [item["client"] for item in carl.get("/rosters").json()["items"]] == ["acme"]
    roster = one(carl, "/rosters")
    (mia,) = roster["items"]
    assert (mia["name"], mia["noun"], mia["answer"]) == (MIA, "mailboxes", None)
    assert carl.change("rosters.answer", {"line": mia["id"], "answer": "unknown"}).status_code == 200
    assert (one(carl, "/rosters")["left"], one(carl, "/rosters")["unknown"]) == (0, 1)
    theirs = one(at_api("oskar"), "/rosters", "globex")
    assert carl.get(f"/rosters/{theirs['id']}").status_code == carl.get(f"/rosters/{NO_ID}").status_code == 404
    answer = carl.change("rosters.answer", {"line": theirs["items"][0]["id"], "answer": "left"})
    assert answer.status_code == 404 and carl.get("/rosters?client=globex").json()["items"] == []
    review = one(at_api("oskar"), "/access-reviews")
    assert at_api("oskar").get(f"/rosters/{review['id']}").status_code == 404, "that is no roster"


def test_what_is_asked_wrongly_is_a_problem_document(opened: House, at_api: Ask) -> None:
    ada = at_api("ada")
    review = one(ada, "/access-reviews")
    line = review["items"][0]["id"]
    for answer in (
        ada.get("/rosters?after=x"), ada.get(f"/access-reviews/{review['id']}?state=nonsense"),
        ada.get(f"/access-reviews/{review['id']}?after=x"), ada.get("/access-reviews/x"),
        ada.change("access_reviews.sign", {"line": line, "answer": "perhaps"}),
        ada.change("rosters.answer", {"line": line, "answer": "here"}),
        ada.change("access_reviews.open", {"client": "acme"}),
    ):  # fmt: skip
        assert answer.status_code == 422 and answer["content-type"] == "application/problem+json", answer.content


def test_a_program_reads_along_and_signs_nothing(opened: House, at_api: Ask) -> None:
    ada = at_api("ada")
    asked = {"name": "HR", "permissions": ["rounds.view", "round_lines.view", "changes.view", "access_reviews.sign"],
             "until": (datetime.now(UTC) + timedelta(days=30)).isoformat(), "why": "a list a week"}  # fmt: skip
    made = ada.post("/tokens", asked)
    assert made.status_code == 200, made.content
    bearer = {"authorization": f"Bearer {made.json()['token']}"}
    items = one(ada, "/access-reviews")["items"]
    line = next(item["id"] for item in items if item["name"] == "helpdesk of Henry")
    body = {"kind": "access_reviews.sign", "params": {"line": line, "answer": "keep"}, "why": "x"}
    answer = ada.post("/changes", body, **bearer)
    assert answer.json()["stage"] == "refused", answer.content
    assert "access_reviews.sign is not allowed" in str(answer.json()["verdicts"])
    assert ada.change("access_reviews.sign", body["params"]).json()["stage"] == "verified"
