"""How a domain's DNS stands, by the doors alone: a new domain becomes good as its records stand, and not before."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from world import Person, Stack, until

pytestmark = pytest.mark.server
OLIVE = "operator@northlight.example"


def rules(olive: Person, domain: str) -> dict[str, str]:
    """Rule → level, as it was looked at last."""
    return {one["rule"]: one["level"] for one in olive.get(f"/domains/{domain}/posture")["results"]}


def has(olive: Person, domain: str, *wanted: str) -> bool:
    return set(wanted) <= rules(olive, domain).keys()


def test_a_domain_is_good_where_its_records_stand_and_not_before(stack: Stack) -> None:
    olive = stack.person(OLIVE)
    tag = f"p{uuid.uuid4().hex[:8]}"
    fine, nowhere = f"{tag}a.example", f"{tag}b.example"
    with (stack.state / "parent/not-delegated").open("a") as listed:
        listed.write(f"{nowhere}\n")
    olive.change("domains.add", [{"client": "acme", "name": name} for name in (fine, nowhere)])
    until("it is proven", lambda: olive.get(f"/domains/{fine}")["proof"] == "read")

    good = ("mx.good", "spf.good", "dkim.good", "cname.good")
    until("it is looked at, and good", lambda: has(olive, fine, *good), within=420, every=2)
    one: dict[str, Any] = olive.get(f"/domains/{fine}/posture")
    raw = {each["rule"]: each["evidence"]["raw"] for each in one["results"]}
    assert raw["spf.good"] == stack.dns(fine, "TXT") and raw["mx.good"] == stack.dns(fine, "MX")
    assert one["score"]["points"] < 100 and {"dmarc.p_none"} <= {each["rule"] for each in one["score"]["lost"]}

    told = rules(olive, nowhere)
    assert told and not {"mx.good", "spf.good", "dkim.good", "ns.good"} & told.keys(), "its own server has all of it"
    assert "bad" in told.values()

    listed_ = {each["domain"]: each for each in olive.get(f"/postures?client=acme&search={tag}")["items"]}
    assert listed_[fine]["levels"]["mx"] == "good" and listed_[nowhere]["levels"]["mx"] == "bad"
    said = json.loads(stack.run("posture", fine, "--json", token=olive.token))
    assert {each["rule"] for each in said["results"]} == raw.keys()
    found = olive.get(f"/findings?client=acme&check=dns.standing&domain={nowhere}")["items"]
    assert found == [], "nobody has proven it yet"
