"""The published suite of RFC 7208, all of it: what each sender gets, and what it is told."""

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml

from postroom.protocols.answers import Answers, Held, Key, Missing
from postroom.protocols.spf_check import Verdict, check_host
from postroom.protocols.spf_sender import sender

SUITE = Path(__file__).parents[1] / "golden/spf/rfc7208-tests.yml"
SCENARIOS: list[dict[str, Any]] = list(yaml.safe_load_all(SUITE.read_bytes()))
CASES = [
    pytest.param(scenario["zonedata"], case, id=name)
    for scenario in SCENARIOS
    for name, case in scenario["tests"].items()
]


class Zone:
    """The suite's names. An SPF record stands for a TXT record too, unless the name has one of its own ("NONE" to have
    none); TIMEOUT is the answer to whatever the name does not hold."""

    def __init__(self, data: dict[str, list[Any]]) -> None:
        self.data = {name.lower(): list(held) for name, held in data.items()}

    def ask(self, name: str, type: str) -> Held:
        chain: list[str] = []
        while cname := self.values(name, "CNAME"):
            name = cname[0].lower().rstrip(".")
            if name in chain:
                return Held(failed="CNAME loop")
            chain.append(name)
        if name not in self.data:
            return Held(nowhere=True, chain=tuple(chain))
        values = tuple(sorted(set(self.values(name, type))))
        if not values and "TIMEOUT" in self.data[name]:
            return Held(failed="timeout")
        return Held(values, 300, chain=tuple(chain))

    def values(self, name: str, type: str) -> list[Any]:
        pairs = [pair for one in self.data.get(name, []) if isinstance(one, dict) for pair in one.items()]
        if type == "TXT" and not any(key == "TXT" for key, _ in pairs):
            type = "SPF"
        return [self.value(type, value) for key, value in pairs if key == type and value != "NONE"]

    def value(self, type: str, value: Any) -> Any:
        if type in {"TXT", "SPF"}:
            return "".join([value] if isinstance(value, str) else value)
        if type == "MX":
            return value[0], value[1].lower()
        return value.lower().rstrip(".") if type == "PTR" else value


def answered(zone: Zone, case: dict[str, Any]) -> tuple[Verdict, int]:
    """The verdict, and how many rounds it took."""
    held: dict[Key, Held] = {}
    who = sender(ip_address(case["host"]), case["mailfrom"], case["helo"])
    for rounds in range(30):
        try:
            return check_host(Answers(held), who), rounds
        except Missing as missing:
            assert not set(missing.keys) & set(held)
            held |= {key: zone.ask(*key) for key in missing.keys}
    raise AssertionError("it never ends")


def test_the_suite_is_whole() -> None:
    assert len(CASES) == 203


@pytest.mark.parametrize("data, case", CASES)
def test_as_the_suite_says(data: dict[str, Any], case: dict[str, Any]) -> None:
    verdict, _ = answered(Zone(data), case)
    expected = case["result"]
    assert verdict.result in ([expected] if isinstance(expected, str) else expected), verdict
    if "explanation" in case:
        assert (verdict.explanation or "DEFAULT") == case["explanation"]
