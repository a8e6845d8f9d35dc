"""postroom access-review and postroom roster: read, sign and answer in a terminal, against the API itself."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from api.conftest import Caller
from cast import MIA, House, do
from postroom.cli import main, remote


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


def test_a_review_is_listed_shown_and_signed(house: House, run: Any) -> None:
    assert "none yet" in run("ada", "access-review", "list").output
    assert run("olive", "access-review", "open", "acme", "--why", "an audit").exit_code == 1, "no operator opens one"
    assert run("ada", "access-review", "open", "acme", "--why", "an audit").exit_code == 0
    listed = run("ada", "access-review", "list", "--client", "acme").output
    assert "acme" in listed and "0 of 6 answered" in listed and "open" in listed
    round = listed.split()[-1]
    items = json.loads(run("ada", "access-review", "show", round, "--json").output)["items"]
    lines = {one["name"]: one["id"] for one in items}
    signed = run("ada", "access-review", "sign", lines["helpdesk of Henry"], "keep", "--why", "asked his lead")
    assert signed.exit_code == 0 and "verified" in signed.output
    own = run("ada", "access-review", "sign", lines["approver of Ada"], "keep", "--why", "it is me")
    assert own.exit_code == 1 and "nobody signs their own rights" in own.output
    shown = run("ada", "access-review", "show", round, "--state", "keep").output
    assert "helpdesk of Henry" in shown and "keep by Ada: asked his lead" in shown and "1 of 6 answered" in shown


def test_a_delegation_says_until_when_and_who_asked(house: House, run: Any) -> None:
    office, until = "office@acme.example", (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
    do("mailboxes.create", house.olive, address=office, kind="shared")
    do("delegations.ask", house.olive, mailbox=office, to=MIA, rights=["open"], until=until.isoformat())
    do("access_reviews.open", house.ada, client="acme")
    round = run("ada", "access-review", "list").output.split()[-1]
    said = run("ada", "access-review", "show", round).output
    assert f"open at {office} by {MIA}" in said and f"until {until:%Y-%m-%d}, asked for by Olive" in said


def test_a_roster_is_answered_by_its_client(house: House, run: Any) -> None:
    do("rosters.open", house.olive, client="acme")
    do("rosters.open", house.olive, client="globex")
    listed = run("carl", "roster", "list").output
    assert "acme" in listed and "globex" not in listed
    round = listed.split()[-1]
    (line,) = json.loads(run("carl", "roster", "show", round, "--json").output)["items"]
    assert line["name"] == MIA and "no answer" in run("carl", "roster", "show", round, "--state", "open").output
    assert run("carl", "roster", "answer", line["id"], "left", "--why", "moved away").exit_code == 0
    assert "left by Carl: moved away" in run("carl", "roster", "show", round).output
    assert run("carl", "roster", "answer", line["id"], "perhaps", "--why", "x").exit_code == 2
    assert run("henry", "roster", "answer", line["id"], "here", "--why", "x").exit_code == 1
