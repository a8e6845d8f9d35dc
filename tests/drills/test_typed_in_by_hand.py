"""A domain whose DNS somebody else runs: told what to type in, and done when it is read, not when it is promised."""

import re
import uuid

import pytest
from hands import Hands
from test_take_over_undone import rrset

from conftest import House
from world import Stack, until

pytestmark = pytest.mark.drill
LINE = re.compile(r"(\S+) (\d+) IN (\S+) (.+)")


def typed_in(hands: Hands, name: str, lines: list[str]) -> None:
    """What a person does with the lines at their provider's panel: each RRset as a whole."""
    sets: dict[tuple[str, str], tuple[int, list[str]]] = {}
    for line in lines:
        found = LINE.fullmatch(line)
        assert found, line
        owner, ttl, type, value = found.groups()
        sets.setdefault((owner, type), (int(ttl), []))[1].append(value)
    rrsets = [{**rrset(owner, t, ttl, *values), "changetype": "REPLACE"} for (owner, t), (ttl, values) in sets.items()]
    hands.zones("PATCH", f"/{name}.", {"rrsets": rrsets})


def test_what_is_to_be_typed_in_is_told_and_counts_when_it_is_read(stack: Stack, hands: Hands, house: House) -> None:
    """Guard: verified waits for the answer of the domain's own name servers."""
    name = f"hand{uuid.uuid4().hex[:8]}.example"
    there = [
        rrset(f"{name}.", "NS", 3600, "ns1.postroom.example.", "ns2.postroom.example."),
        rrset(f"{name}.", "TXT", 900, '"v=spf1 include:news.test ~all"', '"site-verification=7"'),
    ]
    hands.zones("POST", body={"name": f"{name}.", "kind": "Native", "nameservers": [], "rrsets": there})
    until("its parent delegates it", lambda: stack.delegated(name))
    before, client = hands.zone(name), house.new_client()
    params = {"client": client, "name": name, "hosting": "manual", "dns_holder": "Gus at Globex"}
    added = house.operator.change("domains.add", params, "their DNS stays with them")
    if added["stage"] == "held":
        house.approver.approve(added)
    house.proven(name)  # by its delegation; until then the proof is among what is told
    told = until("it says what it waits for", lambda: house.operator.get(f"/domains/{name}/by_hand")["zone_file"])
    assert f"{name}. 3600 IN MX 10 mx.postroom.example." in told
    (spf,) = (line for line in told if "v=spf1" in line)
    assert "include:news.test" in spf and any('"site-verification=7"' in line for line in told), "the whole RRset"
    assert stack.run("by-hand", name, token=house.operator.token).splitlines() == told
    left = house.operator.get(f"/changes/{added['id']}")
    assert left["stage"] == "applied" and left["incomplete"] and hands.zone(name) == before, "nothing is written there"

    typed_in(
        hands, name, [f'{name}. 900 IN TXT "v=spf1 include:news.test ~all"', f'{name}. 900 IN TXT "added-since=2"']
    )
    moved = until("it is seen", lambda: house.operator.get(f"/domains/{name}/by_hand")["moved"], within=60)
    assert [(one["type"], one["name"]) for one in moved] == [("TXT", f"{name}.")], "typed in now, the new one were lost"
    typed_in(hands, name, told)
    until("the keys are made", lambda: len([k for k in keys(house, name) if k["public"]]) == 2, within=120)
    typed_in(hands, name, house.operator.get(f"/domains/{name}/by_hand")["zone_file"])
    house.operator.verified(added, within=120)
    assert house.operator.get(f"/domains/{name}/by_hand") == {"items": [], "moved": [], "zone_file": []}
    until("both keys sign", lambda: all(k["activated_at"] for k in keys(house, name)), within=60)
    until("mail is taken", lambda: stack.rcpt(f"postmaster@{name}") == 250)


def keys(house: House, name: str) -> list[dict[str, object]]:
    return list(house.operator.get(f"/dkim_keys?domain={name}")["items"])
