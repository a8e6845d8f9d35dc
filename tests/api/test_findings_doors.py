"""Findings at the API and in the program; and one from the check that found it to the read that showed it gone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner

from cast import House, do, the
from postroom import catalogue
from postroom.cli import remote
from postroom.cli.findings import findings
from postroom.models import Client, Grant
from postroom.posture.findings import Found, observed
from postroom.posture.run import CHECKS, Turns
from postroom.worker import clock

Ask = Callable[[str], Any]


def wrong(slug: str, severity: str = "high", title: str = "wrong") -> None:
    client = the(Client, slug=slug).pk
    observed(f"t.{slug}", [Found(severity, "clients", client, slug, title, client=client, evidence={"before": 1})])


def test_lists_and_one_of_them(house: House, at_api: Ask) -> None:
    wrong("acme"), wrong("globex", "critical")
    ada, carl = at_api("ada"), at_api("carl")
    first = ada.get("/findings?limit=1").json()
    then = ada.get(f"/findings?limit=1&after={first['next']}").json()
    assert [one["client"] for one in first["items"] + then["items"]] == ["globex", "acme"] and then["next"] is None
    (ours,) = carl.get("/findings").json()["items"]
    assert (ours["severity"], ours["state"], ours["object"]["label"], ours["evidence"]) == (
        "high", "open", "acme", {"before": 1})  # fmt: skip
    assert carl.get(f"/findings/{ours['id']}").json()["decisions"] == []
    theirs = first["items"][0]["id"]
    answers = [carl.get(f"/findings/{one}") for one in (theirs, uuid4())]
    assert [one.status_code for one in answers] == [404, 404]
    counted = carl.get("/findings/counts").json()
    assert counted["open"] == {"critical": 0, "high": 1, "medium": 0, "low": 0}
    assert set(counted["unread"]) == {one.name for one in CHECKS} and counted["read"] is None


@pytest.mark.parametrize(
    "query, where",
    [("after=x", "after"), ("state=new", "state"), ("severity=urgent", "severity"),
     ("search=ab", "search"), ("state=closed&after=0x", "after"), ("object=x", "object")],
)  # fmt: skip
def test_what_narrows_by_nothing_is_a_problem(house: House, at_api: Ask, query: str, where: str) -> None:
    answer = at_api("ada").get(f"/findings?{query}")
    assert answer.status_code == 422 and answer["content-type"] == "application/problem+json", answer.content
    assert where in str(answer.json()["errors"][0]["where"])


def test_a_role_that_ends_is_found_decided_about_and_gone(
    house: House, at_api: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the worker's beat to the read that shows it gone, through the program and the API."""
    beats = [one.work for one in clock.beats()]
    turns = next(work.__self__ for work in beats if isinstance(getattr(work, "__self__", None), Turns))
    assert [one.name for one in CHECKS] == [one.name for one in catalogue.CHECKS]
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="seconds")
    do("grants.give", house.oskar, person="henry@northlight.example", role="auditor", client="acme", until=until)
    looked(turns)
    olive = at_api("olive")
    monkeypatch.setattr(remote, "ask", lambda method, path, *_, **__: olive.get(path).json())
    said = CliRunner().invoke(findings, ["--client", "acme"])
    assert said.exit_code == 0 and "The role auditor of somebody at the organization ends" in said.output, said
    one = said.output.splitlines()[1].split()[0]
    whole = CliRunner().invoke(findings, [one]).output
    assert "postroom change grants.give" in whole and "until:" in whole
    made = olive.change("findings.acknowledge", {"finding": one, "reason": "covers until Friday"})
    assert made.json()["stage"] == "verified"
    assert "covers until Friday" in CliRunner().invoke(findings, [one]).output
    assert "(acknowledged, since" in CliRunner().invoke(findings, ["--severity", "low"]).output
    looked(turns)
    assert olive.get(f"/findings/{one}").json()["state"] == "acknowledged"
    do("grants.end", house.oskar, grant=str(the(Grant, until__isnull=False).pk))
    assert olive.get(f"/findings/{one}").json()["state"] == "acknowledged", "gone only when it was read"
    looked(turns)
    assert olive.get(f"/findings/{one}").json()["state"] == "closed"
    unread = "not read, so unknown: nodes.maps, dns.name_servers, nodes.engines, nodes.sign_in_guard, record.signed"
    unread += ", dns.standing\n"
    rest = CliRunner().invoke(findings, ["--client", "acme", "--severity", "high"]).output
    assert rest == unread, "no node runs, no name server either"
    assert CliRunner().invoke(findings, ["--severity", "urgent"]).exit_code == 2


def looked(turns: Turns) -> None:
    turns.next.clear()
    for work in turns.due():
        work()
