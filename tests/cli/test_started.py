"""The program as it starts in a terminal: it loads what its command needs, and no more."""

import json
import subprocess
import sys

import pytest

# What the parts of an installation need: none of it is needed to ask the API, and together it takes half a second.
HEAVY = {"django", "psycopg", "cryptography", "dns", "asyncio", "postroom.host", "postroom.models"}
LOADED = """
import json, sys
from postroom.cli import COMMANDS, main
for name in sys.argv[1].split():
    if COMMANDS[name].before is None:
        main.get_command(None, name)
print(json.dumps(sorted(sys.modules)))
"""


def loaded(commands: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", LOADED, commands], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.fixture
def by_the_api() -> str:
    from postroom.cli import COMMANDS

    apart = {"up", "node", "check"}  # these run something themselves
    return " ".join(name for name, command in COMMANDS.items() if command.before is None and name not in apart)


def test_what_asks_the_api_loads_nothing_of_an_installation(by_the_api: str) -> None:
    assert "posture" in by_the_api and HEAVY & loaded(by_the_api) == set()


def test_what_runs_one_does() -> None:
    assert {"psycopg", "postroom.host"} <= loaded("up")
