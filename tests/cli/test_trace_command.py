"""postroom trace, and the landing of a change, against the API in this process."""

import json
from datetime import timedelta
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from django.utils import timezone

from api.conftest import Caller
from cast import MIA, SYSTEM, House, do, the, with_consent
from postroom.access.acting import acting_as
from postroom.cli import main, remote, trace
from postroom.models import Change, Delivery, Mailed, Probe, ProbeLanding
from postroom.models.probes import STILL_TO_BE_SENT
from routed import left

LEO, TEAM = "leo@acme.example", "team@acme.example"


@pytest.fixture
def run(house: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program as somebody types it; its requests go to the API in this process."""

    def typed(who: str, *words: str) -> Result:
        caller = Caller(getattr(house, who))

        def ask(method: str, path: str, body: Any = None, **_: Any) -> Any:
            answer = caller.get(path) if method == "GET" else caller.post(path, body)
            if answer.status_code >= 400:
                raise click.ClickException(answer.json()["title"])
            return answer.json()

        monkeypatch.setattr(remote, "ask", ask)
        return CliRunner().invoke(main, list(words))

    return typed


def test_the_way_is_told_line_by_line(house: House, run: Any) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address=TEAM, targets=[LEO])
    until = (timezone.now() + timedelta(days=30)).replace(microsecond=0).isoformat()
    asked = {"address": LEO, "to": "leo@gmail.com", "until": until, "owner": "Leo Lund"}
    with_consent(house, do("forwards.create", house.olive, **asked))
    told = run("carl", "trace", TEAM).output
    for words in (
        f"  {TEAM}  alias -> {LEO}", "aliases.create by Olive", f"    {LEO}  forward -> leo@gmail.com  keeps a copy",
        "leaves by an exception, Leo Lund answers", "lands: leo@gmail.com (outside)", f"lands: sometimes {LEO}",
        f"lands: unknown at {LEO} (its node has not said which filters it has)",
    ):  # fmt: skip
        assert words in told, (words, told)
    left(LEO, "leo@gmail.com", timezone.now())
    said = f"lands: leo@gmail.com (outside), last hit {timezone.now():%Y-%m-%d} "
    assert said in run("carl", "trace", LEO).output and said not in run("carl", "trace", TEAM).output
    assert f"comes here: {TEAM} by alias" in run("carl", "trace", LEO).output
    assert json.loads(run("carl", "trace", LEO, "--json").output)["address"] == LEO
    assert run("carl", "trace", "mia@globex.example").exit_code == 1
    asked = {"address": "over@acme.example", "to": "mia@globex.example", "until": until, "owner": "Leo Lund"}
    with_consent(house, do("forwards.create", house.olive, **asked))
    assert "lands: sometimes mia@globex.example, of Globex" in run("olive", "trace", "over@acme.example").output


def test_a_dry_run_says_where_mail_would_land(house: House, run: Any) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address=TEAM, targets=[LEO])
    words = ("change", "aliases.change", "-p", f"alias={TEAM}", "-p", f"targets={MIA}", "--why", "x", "--dry-run")
    told = run("olive", *words).output
    assert f"mail to {TEAM}: sometimes {LEO}" in told and f"-> sometimes {MIA}" in told


def arrived(address: str, *, predicted: bool = True) -> None:
    """As the worker and a node leave it."""
    probe, now = the(Probe), timezone.now()
    with acting_as(SYSTEM):
        Mailed.objects.get_or_create(
            object=probe.pk, defaults={"contact": TEAM, "token": "a", "state": "queued", "at": now}
        )
        ProbeLanding.objects.create(
            probe=probe, client_id=probe.client_id, domain_id=probe.domain_id, at=now, seen_at=now, sort="mailbox",
            address=address, predicted=predicted, folder="INBOX",
        )  # fmt: skip


def test_a_probe_is_sent_and_where_it_arrived_is_told(house: House, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    do("aliases.create", house.olive, address=TEAM, targets=[MIA])
    looked: list[float] = []

    def later(seconds: float) -> None:
        looked.append(seconds)
        arrived(MIA)

    monkeypatch.setattr(trace.time, "sleep", later)
    told = run("olive", "trace", TEAM, "--prove", "--why", "a ticket")
    assert told.exit_code == 0 and looked == [trace.PAUSE]
    assert told.output.splitlines() == [f"{MIA} (mailbox): arrived; INBOX", f"{TEAM}: as computed"]
    with acting_as(SYSTEM):
        assert Change.objects.get(kind="probes.send").why == "a ticket"


def test_a_probe_that_came_elsewhere_ends_with_one(house: House, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    do("aliases.create", house.olive, address=TEAM, targets=[MIA])
    monkeypatch.setattr(trace.time, "sleep", lambda seconds: arrived(LEO, predicted=False))
    told = run("olive", "trace", TEAM, "--prove", "--why", "x", "--json")
    assert told.exit_code == 1 and json.loads(told.output)["verdict"] == "differs"
    silent = run("olive", "trace", MIA, "--prove", "--why", "x", "--within", "0")
    assert silent.exit_code == 1 and f"{MIA}: not sent yet" in silent.output
    assert run("olive", "trace", TEAM, "--prove").exit_code == 2
    assert run("audrey", "trace", TEAM, "--prove", "--why", "x").exit_code == 1
    assert run("carl", "trace", "mia@globex.example", "--prove", "--why", "x").exit_code == 1


def test_a_probe_that_is_not_sent_ends_at_once(house: House, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    do("aliases.create", house.olive, address=TEAM, targets=[MIA])

    def turned_down(seconds: float) -> None:
        evidence = [{"question": STILL_TO_BE_SENT, "answer": "no: too many within the hour"}]
        with acting_as(SYSTEM):
            assert Delivery.objects.filter(object=the(Probe).pk, done=False).update(done=True, evidence=evidence)

    monkeypatch.setattr(trace.time, "sleep", turned_down)
    told = run("olive", "trace", TEAM, "--prove", "--why", "x")
    assert told.exit_code == 1 and told.output == f"{TEAM}: not sent; too many within the hour\n"
