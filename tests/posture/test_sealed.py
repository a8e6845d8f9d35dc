"""access.sealed_login: a sealed login that was used: an alarm each time, open until it is printed anew."""

from datetime import timedelta
from pathlib import Path

import click
import pytest
from allauth.mfa.models import Authenticator
from click.testing import CliRunner
from django.test import Client as Visitor
from django.utils import timezone

from cast import House, do, person
from postroom.access.acting import SYSTEM, acting_as, session_of, token_of
from postroom.access.roles import SEALED
from postroom.cli import doctor
from postroom.cli import sealed as command
from postroom.host.installation import Installation
from postroom.models import Finding, Grant, Login, Person, RecordedEdit
from postroom.posture.checks.sealed_login import SEALED_LOGINS
from postroom.posture.run import run


def printed(monkeypatch: pytest.MonkeyPatch, *options: str) -> list[tuple[int, str, str, str]]:
    """Run the command on a terminal; what it would have shown."""
    shown: list[tuple[int, str, str, str]] = []
    monkeypatch.setattr(command.sys, "stdout", type("Terminal", (), {"isatty": lambda self: True})())
    monkeypatch.setattr(command, "_print", lambda *one: shown.append(one))
    monkeypatch.setattr(command.click, "echo", lambda *_: None)
    command.break_glass.callback(wait="--wait" in options, anew="--anew" in options)  # type: ignore[misc]
    monkeypatch.undo()
    return shown


def open_findings() -> list[Finding]:
    with acting_as(SYSTEM):
        return list(Finding.objects.filter(check_name="access.sealed_login", closed_at=None).order_by("since"))


def test_a_sealed_login_is_printed_once_and_each_use_is_an_alarm(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = printed(monkeypatch)
    assert [one[1] for one in shown] == ["sealed-1@northlight.example", "sealed-2@northlight.example"]
    with acting_as(SYSTEM):
        assert Grant.objects.filter(role=SEALED).count() == 2 == Authenticator.objects.count()
        secrets = {value for _, _, *both in shown for value in both}
        text = str(list(RecordedEdit.objects.values_list("before", "after")))
        assert len(secrets) == 4 and not any(secret in text for secret in secrets), "no secret is on record"
        assert "sealed login printed" in text
    with pytest.raises(click.ClickException, match="printed before"):
        printed(monkeypatch)
    assert printed(monkeypatch, "--wait") == [], "up prints them once"

    browser = Visitor(SERVER_NAME="localhost")
    answer = browser.post("/sign-in/", {"login": shown[0][1], "password": shown[0][2]})
    assert answer.status_code == 302 and answer["Location"] == "/sign-in/factor/", "both factors, as anybody"
    assert open_findings() == []
    with acting_as(SYSTEM):
        login = Login.objects.get(person=Person.objects.get(email=shown[0][1]))
    for _ in range(2):
        Visitor(SERVER_NAME="localhost").force_login(
            login, backend="allauth.account.auth_backends.AuthenticationBackend"
        )
    with acting_as(SYSTEM):
        login.authenticator_set.update(created_at=timezone.now())  # as if whoever used it had set one up of their own
    sealed, until = person(shown[0][1], SYSTEM), (timezone.now() + timedelta(hours=12)).isoformat()
    do("sessions.open", SYSTEM, secrets={"session": "8" * 64}, person=shown[0][1], mfa="x", until=until)
    names = {"name": "x", "permissions": ["changes.view"], "until": until}
    assert do("tokens.create", sealed, secrets={"token": "9" * 64}, **names).version
    assert session_of("8" * 64) and token_of("9" * 64)
    run(SEALED_LOGINS)
    found = open_findings()
    assert [one.severity for one in found] == ["critical", "critical"] and not any(one.told for one in found)
    assert found[0].title == "Sealed login 1 was used: signed in"

    again = printed(monkeypatch, "--anew")
    assert {one[2] for one in again}.isdisjoint(one[2] for one in shown)
    run(SEALED_LOGINS)
    assert open_findings() == [], "what was read opens nothing any more"
    assert session_of("8" * 64) is None and token_of("9" * 64) is None, "nor what was opened by it"


def test_that_none_was_printed_is_said_by_doctor_and_found(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service manager's `up` prints none, and says nothing of it."""
    (said,) = doctor._safely(doctor._sealed)
    assert (said.good, said.words) == (False, "none printed of 2: postroom break-glass, on a terminal")
    run(SEALED_LOGINS)
    (found,) = open_findings()
    assert (found.severity, found.evidence) == ("medium", {"printed": 0}) and "None of the 2" in found.title
    run(SEALED_LOGINS)
    assert [one.pk for one in open_findings()] == [found.pk]
    printed(monkeypatch)
    (said,) = doctor._safely(doctor._sealed)
    assert (said.good, said.words) == (True, "2 printed")
    run(SEALED_LOGINS)
    assert open_findings() == []
    with acting_as(SYSTEM):
        Authenticator.objects.filter(user__email="sealed-1@northlight.example").delete()
        other = Authenticator.objects.get()
        Authenticator.objects.create(user=other.user, type=Authenticator.Type.RECOVERY_CODES, data={})
    run(SEALED_LOGINS)
    assert [one.title for one in open_findings()] == ["One of the 2 sealed logins was printed: postroom break-glass"]


@pytest.mark.parametrize("demo, asked", [(False, True), (True, False)])
def test_doctor_asks_it_where_they_are_printed(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo: bool, asked: bool
) -> None:
    here = Installation(tmp_path, "1" * 16, demo, "127.0.0.1", "")
    monkeypatch.setattr(doctor.answers, "tcp", lambda *_, **__: False)
    assert ("sealed logins" in [one.asked for one in doctor._asked(here)]) == asked


def test_nothing_is_printed_into_a_pipe(house: House) -> None:
    said = CliRunner().invoke(command.break_glass, [])
    assert said.exit_code == 1 and "on a terminal" in said.output
    assert CliRunner().invoke(command.break_glass, ["--wait"]).output == ""
    do("people.seal", SYSTEM, name="Sealed login 1", email="sealed-1@northlight.example")
    assert person("sealed-1@northlight.example", SYSTEM).name == "Sealed login 1"
