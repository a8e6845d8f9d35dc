"""Forwards that leave at the API and in the program: what is found, how much is known, and the recorded file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.utils import timezone

from api.test_shapes import Described
from cast import MIA, House, do, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.cli import remote
from postroom.cli.leaving import leaving
from postroom.posture.signed import signed
from postroom.queries.entries import Wanted, entries
from routed import later, left, logs_read, looked, script

Ask = Callable[[str], Any]


def planted(house: House) -> None:
    asked = {"address": MIA, "to": "mia@gmail.com", "until": later(), "owner": "Mia"}
    with_consent(house, do("forwards.create", house.olive, **asked))
    script("mia@globex.example", {"to": "=x@elsewhere.test", "conditional": True}, node="mx2")


def whole(answer: Any) -> bytes:
    found = b"".join(answer.streaming_content)
    answer.close()
    return found


def exported() -> list[dict[str, Any]]:
    with acting_as(SYSTEM):
        return [one["facts"] for one in entries(SYSTEM, Wanted(said=("forwards exported",)), signed()).items]


def test_who_agreed_to_an_exception_why_and_when_it_is_looked_at_are_fields(house: House, at_api: Ask) -> None:
    planted(house)
    told = at_api("olive").get("/exceptions").json()["items"][0]
    assert (told["asked_by"], told["approved_by"], told["reason"]) == ("Olive", ["Ada"], told["reason"])
    assert told["reason"] and told["review_on"] and at_api("olive").get(f"/changes/{told['change']}").status_code == 200
    assert at_api("olive").get(f"/exceptions/{told['id']}").json()["approved_by"] == ["Ada"]
    way = at_api("olive").get("/forwards-leaving?client=acme").json()["items"][0]["exception"]
    assert {name: told[name] for name in way} == way, "the list of ways says the same of it"
    file = whole(at_api("olive").get("/forwards-leaving/file?why=audit")).decode("utf-8-sig")
    head, row = [line for line in csv.reader(io.StringIO(file)) if line and line[0] in ("Risk", "high")][:2]
    said = dict(zip(head, row, strict=True))
    assert (said["Its reason"], said["Review on"], said["Asked by"], said["Approved by"]) == (
        told["reason"], told["review_on"], "Olive", "Ada")  # fmt: skip


def test_what_is_found_is_as_the_document_says(house: House, at_api: Ask) -> None:
    planted(house)
    looked("mx2")
    described = Described()
    told = described.held(at_api("olive").get("/forwards-leaving?limit=1"), "get", "/forwards-leaving")
    rest = described.held(at_api("olive").get(f"/forwards-leaving?after={told['next']}"), "get", "/forwards-leaving")
    (first,), (second,) = told["items"], rest["items"]
    assert (first["client"], first["address"], first["made_by"]["by"]) == ("acme", MIA, "Olive")
    assert (second["client"], second["blocked"], second["made_by"]) == ("globex", True, None) and rest["next"] is None
    assert first["last_hit"] is None and first["measured_since"] is None and second["conditional"]
    known = told["coverage"]
    assert (known["checked"], known["mailboxes"], known["whole"]) == (1, 2, False)
    assert [(one["reason"], one["node"], one["example"]) for one in known["unchecked"]] == [("never", "mx1", MIA)]
    carls = at_api("carl").get("/forwards-leaving").json()
    assert [one["client"] for one in carls["items"]] == ["acme"] and carls["coverage"]["mailboxes"] == 1


@pytest.mark.parametrize("query, where", [("mechanism=x", "mechanism"), ("risk=x", "risk"), ("search=ab", "search"),
                                          ("after=x", "after"), ("privat=1", "privat")])  # fmt: skip
def test_what_narrows_by_nothing_is_a_problem(house: House, at_api: Ask, query: str, where: str) -> None:
    answer = at_api("ada").get(f"/forwards-leaving?{query}")
    assert answer.status_code == 422 and answer["content-type"] == "application/problem+json", answer.content
    assert where in str(answer.json()["errors"][0])


def test_the_file_stands_in_the_record_and_holds_no_formula(house: House, at_api: Ask) -> None:
    planted(house)
    olive, carl = at_api("olive"), at_api("carl")
    assert olive.get("/forwards-leaving/file").status_code == 422 and exported() == []
    answer = olive.get("/forwards-leaving/file?why=asked")
    rows = list(csv.reader(io.StringIO(whole(answer).decode("utf-8-sig"))))
    assert ["Mailboxes whose scripts were checked", "0 of 2"] in rows
    assert [row[:4] for row in rows[-2:]] == [["high", "acme", MIA, "forward"],
                                              ["medium", "globex", "mia@globex.example", "sieve redirect"]]  # fmt: skip
    assert rows[-1][8] == "'=x@elsewhere.test" and rows[-1][-5:] == ["not measured", "not measured", "yes", "no", "1"]
    (entry,) = exported()
    assert (entry["why"], entry["format"], entry["client_id"]) == ("asked", "csv", None)
    assert carl.get("/forwards-leaving/file?why=asked").status_code == 403, "all clients are for the organization"
    own = whole(carl.get("/forwards-leaving/file?why=mine&client=acme")).decode()
    assert "globex" not in own and "mia@gmail.com" in own and len(exported()) == 2
    assert carl.get("/forwards-leaving/file?why=mine&client=globex").status_code == 404


def test_when_mail_last_left_and_since_when_that_is_known(
    house: House, at_api: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(house)
    olive = at_api("olive")
    monkeypatch.setattr(remote, "ask", lambda method, path, *_, **__: olive.get(path).json())
    hit, since = timezone.now() - timedelta(minutes=3), timezone.now() - timedelta(hours=1)
    logs_read("mx1", since=since)
    way = olive.get("/forwards-leaving").json()["items"][0]
    assert way["address"] == MIA and way["last_hit"] is None and way["measured_since"] >= way["made"]
    assert "no hit since " in CliRunner().invoke(leaving, ["--private"]).output
    left(MIA, "mia@gmail.com", hit)
    first, second = olive.get("/forwards-leaving").json()["items"][:2]
    assert first["last_hit"] == hit.isoformat() and first["measured_since"] == way["measured_since"]
    assert second["last_hit"] is None and second["measured_since"] is None, "mx2 has told of nothing"
    said = CliRunner().invoke(leaving).output
    assert f"last hit {hit:%Y-%m-%d %H:%M} UTC" in said and "last hit not measured" in said
    rows = list(csv.reader(io.StringIO(whole(olive.get("/forwards-leaving/file?why=asked")).decode("utf-8-sig"))))
    assert rows[-2][-5] == f"{hit:%Y-%m-%d %H:%M} UTC" and rows[-2][-4].endswith(" UTC")
    assert rows[-1][-5:-3] == ["not measured", "not measured"]
    logs_read("mx1", since=since, at=timezone.now() - timedelta(minutes=6))
    (first,) = olive.get("/forwards-leaving?private=true").json()["items"]
    assert first["last_hit"] == hit.isoformat() and first["measured_since"] is None
    assert ", not measured now" in CliRunner().invoke(leaving, ["--private"]).output


def test_the_program_says_what_is_known_and_never_none_where_not_all_was_checked(
    house: House, at_api: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    olive = at_api("olive")
    monkeypatch.setattr(remote, "ask", lambda method, path, *_, **__: olive.get(path).json())
    empty = CliRunner().invoke(leaving).output
    assert "none was found, which says nothing of what was not checked" in empty
    assert "scripts of 0 of 2 mailboxes checked" in empty and "1 not: mx1 has never looked at scripts" in empty
    planted(house)
    said = CliRunner().invoke(leaving, ["--private"]).output
    assert f"high    {MIA} to mia@gmail.com" in said and "globex" not in said and "last hit not measured" in said
    assert "made by Olive" in said and "by exception of Mia" in said and ", agreed by Ada, review 2" in said
    refused = CliRunner().invoke(leaving, ["--csv", str(tmp_path / "a.csv")])
    assert refused.exit_code == 2 and "--why" in refused.output
