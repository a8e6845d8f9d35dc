"""The API's answers on sign-ins, and postroom sign-ins and sessions, against that API."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from api.conftest import Caller
from cast import MIA, House, the
from postroom.cli import main, remote
from postroom.models import Mailbox
from sign_ins import listed, sign_in


def test_a_session_is_for_the_place_where_it_was_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its token goes nowhere else, whatever POSTROOM_URL says."""
    kept = tmp_path / "postroom/session.json"
    kept.parent.mkdir()
    kept.write_text(json.dumps({"token": "t", "api": "https://here.example/api/v1"}))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("POSTROOM_TOKEN", raising=False)
    monkeypatch.setenv("POSTROOM_URL", "https://here.example/")
    assert remote.token() == "t"
    monkeypatch.setenv("POSTROOM_URL", "https://there.example")
    with pytest.raises(click.ClickException, match=r"signed in at https://here\.example/api/v1"):
        remote.token()


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


def test_sign_ins_are_listed_a_page_at_a_time(house: House, run: Any) -> None:
    sign_in(program="Birdmail", credential="main")
    sign_in(address="2001:db8::1", success=False, refused=True, times=3)
    first = run("olive", "sign-ins", MIA, "--limit", "1")
    assert "REFUSED" in first.output and "2001:db8::1" in first.output and "3 times" in first.output
    after = first.output.split("--after ")[1].strip()
    second = run("olive", "sign-ins", MIA, "--after", after).output
    assert "signed in" in second and "main  Birdmail" in second and "more:" not in second
    assert len(json.loads(run("olive", "sign-ins", MIA, "--json").output)["items"]) == 2
    assert run("olive", "sign-ins", "nobody@acme.example").exit_code == 1


def test_who_is_in_is_unknown_nobody_or_listed(house: House, run: Any) -> None:
    assert run("olive", "sessions", MIA).output.startswith("unknown: its node has not listed them")
    assert json.loads(run("olive", "sessions", MIA, "--json").output)["items"] is None
    listed()
    assert run("olive", "sessions", MIA).output.strip() == "nobody"
    listed("192.0.2.7")
    assert "192.0.2.7" in run("olive", "sessions", MIA).output
    listed("192.0.2.7", ago=70)
    assert "it last did at" in run("olive", "sessions", MIA).output


def test_all_are_ended_with_a_reason(house: House, run: Any) -> None:
    assert run("olive", "sessions", MIA, "--end").exit_code == 2
    assert run("olive", "sessions", MIA, "--end", "--why", "laptop lost").exit_code == 0
    assert the(Mailbox, address__address=MIA).access_epoch == 1
    assert run("henry", "sessions", MIA, "--end", "--why", "x").exit_code == 1, "no helpdesk ends them"


def test_a_page_that_never_ended_there_is_a_problem(house: House) -> None:
    answer = Caller(house.olive).get(f"/mailboxes/{MIA}/sign-ins?after=x")
    assert answer.status_code == 422 and "after" in answer.content.decode()
