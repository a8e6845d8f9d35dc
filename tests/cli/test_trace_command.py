"""postroom trace, and the landing of a change, against the API in this process."""

import json
from datetime import timedelta
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from django.utils import timezone

from api.conftest import Caller
from cast import MIA, House, do, with_consent
from postroom.cli import main, remote

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
    assert f"comes here: {TEAM} by alias" in run("carl", "trace", LEO).output
    assert json.loads(run("carl", "trace", LEO, "--json").output)["address"] == LEO
    assert run("carl", "trace", "mia@globex.example").exit_code == 1


def test_a_dry_run_says_where_mail_would_land(house: House, run: Any) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address=TEAM, targets=[LEO])
    words = ("change", "aliases.change", "-p", f"alias={TEAM}", "-p", f"targets={MIA}", "--why", "x", "--dry-run")
    told = run("olive", *words).output
    assert f"mail to {TEAM}: sometimes {LEO}" in told and f"-> sometimes {MIA}" in told
