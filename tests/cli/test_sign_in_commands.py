"""The API's answers on sign-ins, and postroom sign-ins and sessions, against that API."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from django.utils import timezone

from api.conftest import Caller
from cast import MIA, House, app_password, do, let_in, person, redeemed, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.cli import main, remote
from postroom.models import Credential, Mailbox, RecordedEdit
from postroom.queries.sessions import Session
from sign_ins import devices_used, listed, sign_in


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


def test_who_is_in_is_listed_with_credential_and_program(house: House, run: Any) -> None:
    listed("192.0.2.7")
    sign_in(address="192.0.2.7", credential="main", program="Birdmail")
    assert run("olive", "sessions", MIA).output.strip().endswith("main  Birdmail")


def test_what_one_device_opened_is_ended(house: House, run: Any) -> None:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    phone, laptop = app_password(MIA, "Phone"), let_in(house, MIA, "Laptop")
    before = the(Mailbox, address__address=MIA).access_epoch
    for one, said in ((phone, f"app:{phone.pk}"), (laptop, f"oauth:{laptop.pk}"), (laptop, str(laptop.pk))):
        done = run("olive", "sessions", MIA, "--end", "--device", said, "--why", "it was lost")
        assert done.exit_code == 0 and "mailboxes.end_sessions" in done.output, done.output
        assert the(Credential, pk=one.pk).access_epoch > one.access_epoch
    assert the(Mailbox, address__address=MIA).access_epoch == before, "and nothing else"
    assert the(Credential, pk=laptop.pk).access_epoch == 2
    assert run("olive", "sessions", MIA, "--device", str(phone.pk)).exit_code == 2, "that lists nothing else"


def test_where_a_person_is_signed_in_is_listed_and_all_of_it_is_ended(house: House, run: Any) -> None:
    ada = ["sessions", "ada@northlight.example", "--person"]
    assert run("oskar", *ada).output.strip() == "nowhere"
    until = timezone.now() + timedelta(hours=2)
    do("sessions.open", SYSTEM, secrets={"session": "7" * 64}, person=ada[1], label="laptop", mfa="x", until=until)
    assert "terminal" in (said := run("oskar", *ada).output) and "laptop" in said and "not kept" in said
    assert json.loads(run("oskar", *ada, "--json").output)["items"][0]["program"] == "laptop"
    assert run("oskar", *ada, "--end").exit_code == 2, "a reason is asked for"
    assert run("oskar", *ada, "--end", "--device", "x", "--why", "x").exit_code == 2
    done = run("oskar", *ada, "--end", "--why", "it was stolen")
    assert done.exit_code == 0 and "sessions.end" in done.output, done.output
    assert run("oskar", *ada).output.strip() == "nowhere"


def test_credentials_say_when_each_was_used_last_and_from_where_is_a_look_at_the_mailbox(house: House) -> None:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    phone = devices_used(house)
    olive = Caller(house.olive)
    items = {one["name"]: one["last_use"] for one in olive.get("/credentials").json()["items"]}
    assert items["Phone"].pop("at") and items["Laptop"].pop("at")
    assert items == {
        "Phone": {"known": True, "protocol": "submission"}, "Laptop": {"known": True, "protocol": "imap"},
        "Drawer": {"known": True, "at": None, "protocol": None},
    }  # fmt: skip
    one = olive.get(f"/credentials/{phone.pk}").json()
    assert (one["last_use"]["protocol"], one["last_use"]["address"]) == ("submission", "192.0.2.9")
    with acting_as(SYSTEM):
        looks = [one.after for one in RecordedEdit.objects.filter(said="looked at") if one.after]
    assert [(one["noun"], one["object"], one["name"]) for one in looks] == [("mailboxes", MIA, "Olive")]


def test_of_whoever_may_not_see_sign_ins_the_last_use_is_not_known(house: House) -> None:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    phone = app_password(MIA, "Phone")
    sign_in(address="192.0.2.1", credential=f"app:{phone.pk}")
    do("roles.create", house.oskar, name="desk", permissions=["mailboxes.view", "credentials.view"])
    do("people.invite", house.oskar, name="Dee", email="dee@northlight.example")
    do("grants.give", house.oskar, person="dee@northlight.example", role="desk", client="acme")
    dee = Caller(person("dee@northlight.example", house.oskar))
    nothing = {"known": False, "at": None, "protocol": None}
    assert [one["last_use"] for one in dee.get("/credentials").json()["items"]] == [nothing]
    assert dee.get(f"/credentials/{phone.pk}").json()["last_use"] == {**nothing, "address": None}


def test_browsers_at_the_owners_page_are_listed_too(house: House, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    listed()
    now = timezone.now()
    found = [Session("browser", now, "192.0.2.44", "Firefox of tests", now)]
    monkeypatch.setattr("postroom.api.sign_ins.of_mailbox", lambda mailbox: found)
    assert "browser     192.0.2.44" in (said := run("olive", "sessions", MIA).output) and "nobody" not in said
    assert said.strip().endswith("Firefox of tests")
    listed(ago=70)
    assert run("olive", "sessions", MIA).output.startswith("unknown: ") and "192.0.2.44" in said


def test_all_are_ended_with_a_reason(house: House, run: Any) -> None:
    assert run("olive", "sessions", MIA, "--end").exit_code == 2
    assert run("olive", "sessions", MIA, "--end", "--why", "laptop lost").exit_code == 0
    assert the(Mailbox, address__address=MIA).access_epoch == 1
    assert run("henry", "sessions", MIA, "--end", "--why", "x").exit_code == 1, "no helpdesk ends them"


def test_a_page_that_never_ended_there_is_a_problem(house: House) -> None:
    answer = Caller(house.olive).get(f"/mailboxes/{MIA}/sign-ins?after=x")
    assert answer.status_code == 422 and "after" in answer.content.decode()
