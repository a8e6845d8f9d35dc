"""`docs/operating.md` shows the ports as they are, and the units start what runs on one machine."""

import configparser
from pathlib import Path

import pytest

from postroom.host import services
from postroom.host.installation import Installation
from postroom.host.ports import PORTS

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy").glob("*.service"))


def test_the_table_of_ports_is_the_one_in_code() -> None:
    text = (ROOT / "docs/operating.md").read_text()
    for port in PORTS:
        sort = "TCP, UDP" if port.udp else "TCP"
        told = "yes" if port.told else ""
        assert f"| `{port.name}` | {port.number} | {sort} | {told} | {port.doc} |".replace("|  |", "| |") in text


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_depends_on_no_other_and_comes_back(unit: Path) -> None:
    """Mail goes on without pages, worker and database, and those without mail."""
    parsed = read(unit)
    assert not {"Requires", "BindsTo", "Requisite", "PartOf"} & set(parsed["Unit"])
    assert parsed["Service"]["Restart"] == "always"


def test_the_death_of_the_nodes_parent_takes_no_daemon_along() -> None:
    assert read(ROOT / "deploy/postroom-node.service")["Service"]["KillMode"] == "process"


@pytest.mark.parametrize("name", ["node", "web", "worker"])
def test_a_unit_runs_what_runs_on_one_machine(name: str) -> None:
    installation = Installation(Path("/var/lib/postroom"), "id", False, "127.200.0.1", "now", 8480)
    words = read(ROOT / f"deploy/postroom-{name}.service")["Service"]["ExecStart"].split()
    ours = [str(word) for word in getattr(services, name)(installation).command]
    assert words[0].startswith("/var/lib/postroom/venv/bin/")
    assert words[1:4] == ours[1:4] if name != "web" else words[1:2] == ours[1:2]


def read(unit: Path) -> configparser.RawConfigParser:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(unit)
    return parsed
