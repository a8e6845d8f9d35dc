"""Who may do what, at the API and in the program."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from cast import House, do, person
from postroom.cli import remote
from postroom.cli.access import access

Ask = Callable[[str], Any]


def test_who_may_act_here_by_the_api_and_the_program(
    house: House, at_api: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    do("people.invite", house.oskar, name="Amy", email="amy@acme.example", client="acme")
    do("grants.give", house.oskar, person="amy@acme.example", role="client admin", client="acme", reason="contract")
    house.amy = person("amy@acme.example", house.oskar)  # type: ignore[attr-defined]
    do("mailboxes.change", house.olive, mailbox="mia@acme.example", name="Mia M")
    ada, amy = at_api("ada"), at_api("amy")
    first = ada.get("/access?client=acme&limit=2").json()
    rest = ada.get(f"/access?client=acme&after={first['next']}").json()
    items = [*first["items"], *rest["items"]]
    assert [one["name"] for one in first["items"]] == ["Amy", "Carl"] and rest["next"] is None
    assert {one["name"] for one in items} == {"Oskar", "Olive", "Ada", "Henry", "Audrey", "Carl", "Amy"}
    assert first["others"] == [] and first["items"][0]["reason"] == "contract"
    (olive,) = [one for one in items if one["name"] == "Olive"]
    assert olive["last_changed"] and olive["last_used"] >= olive["last_changed"] and olive["given_by"] == "Oskar"
    hers = amy.get("/access").json()
    assert [one["name"] for one in hers["items"]] == ["Amy"] and hers["client"] == "acme"
    (olive,) = [one for one in hers["others"] if one["name"] == "Olive"]
    assert (olive["email"], olive["reason"], olive["given_by"]) == ("", None, None) and olive["last_changed"]
    assert amy.get("/access?client=globex").status_code == ada.get("/access?client=none").status_code == 404
    monkeypatch.setattr(remote, "ask", lambda method, path: amy.get(path).json())
    said = CliRunner().invoke(access, [])
    assert said.exit_code == 0 and "Olive" in said.output and "operator" in said.output, said.output
