"""A line for a profile of the machine's own: added once, where profiles are in force, and nothing else is touched."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from postroom.host import apparmor

LINE = "/var/lib/postroom/resolver/** r,"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    loaded: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: loaded.append(command))
    monkeypatch.setattr(apparmor.os, "geteuid", lambda: 0)
    (tmp_path / "usr.sbin.unbound").write_text("profile")
    in_force = tmp_path / "in-force"
    in_force.write_text("unbound (enforce)\n")
    return {"profiles": tmp_path, "in_force": in_force, "loaded": loaded}


def allow(machine: dict[str, Any], line: str = LINE) -> bool:
    return apparmor.allow("usr.sbin.unbound", line, profiles=machine["profiles"], in_force=machine["in_force"])


def test_added_once_and_loaded_beside_what_stands_there(machine: dict[str, Any]) -> None:
    local = machine["profiles"] / "local/usr.sbin.unbound"
    assert allow(machine) and not allow(machine)
    assert local.read_text() == f"{LINE}\n"
    local.write_text("# theirs")
    assert allow(machine) and allow(machine, "/srv/x/** r,")
    assert local.read_text() == f"# theirs\n{LINE}\n/srv/x/** r,\n"
    assert machine["loaded"] == [["apparmor_parser", "-r", str(machine["profiles"] / "usr.sbin.unbound")]] * 3


@pytest.mark.parametrize("lacking", ["profile", "in force", "root", "readable"])
def test_nothing_where_nothing_is_in_force(
    machine: dict[str, Any], lacking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lacking == "profile":
        (machine["profiles"] / "usr.sbin.unbound").unlink()
    elif lacking == "in force":
        machine["in_force"].write_text("")
    elif lacking == "readable":
        machine["in_force"].unlink()
    else:
        monkeypatch.setattr(apparmor.os, "geteuid", lambda: 1000)
    assert not allow(machine) and not machine["loaded"] and not (machine["profiles"] / "local").exists()
