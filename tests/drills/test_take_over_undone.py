"""A domain that was live elsewhere is taken over, and that is taken back: its zone ends record for record as found."""

import uuid

import pytest
from hands import Hands

from conftest import House
from world import Stack, until

pytestmark = pytest.mark.drill


def test_undo_of_adding_a_domain_that_was_live(stack: Stack, hands: Hands, house: House) -> None:
    """Guard: `found` keeps the whole RRset with its TTL; what we do not answer for is not touched."""
    name = f"live{uuid.uuid4().hex[:8]}.example"
    hands.zones("POST", body={"name": f"{name}.", "kind": "Native", "nameservers": [], "rrsets": found_there(name)})
    before = hands.zone(name)
    client = house.new_client()
    added = house.operator.change("domains.add", {"client": client, "name": name}, "they move to us")
    assert added["stage"] == "held" and "live elsewhere" in str(added["verdicts"])
    assert hands.zone(name) == before, "held: nothing is touched"
    house.approver.approve(added)
    house.operator.verified(added, within=60)
    house.proven(name)
    assert stack.dns(name, "MX") == ["10 mx.postroom.example."]
    assert sorted(stack.dns(name, "TXT")) == ["site-verification=7", "v=spf1 ip4:192.0.2.1 include:other.test mx ~all"]
    assert stack.dns(f"www.{name}", "CNAME") == [f"{name}."]
    assert len([one for one in hands.zone(name) if "_domainkey" in one[0]]) == 3, "two of ours, one of theirs"
    until("mail is taken", lambda: stack.rcpt(f"postmaster@{name}") == 250)

    undone = house.operator.undo(added)
    if undone["stage"] == "held":
        house.approver.approve(undone)
    house.operator.verified(undone, within=60)
    assert hands.zone(name) == before, "as found, TTLs and sleeping records too; the SOA apart"
    until("no mail is taken", lambda: stack.rcpt(f"postmaster@{name}") in (550, 554))


def found_there(name: str) -> list[dict[str, object]]:
    """A zone as people have them: odd TTLs, several values, records we never touch, one put to sleep."""
    return [
        rrset(f"{name}.", "NS", 86399, "ns1.postroom.example.", "ns2.postroom.example."),
        rrset(f"{name}.", "MX", 777, "10 mail.other.test.", "20 backup.other.test."),
        rrset(f"{name}.", "TXT", 1234, '"v=spf1 ip4:192.0.2.1 include:other.test ~all"', '"site-verification=7"'),
        rrset(f"{name}.", "A", 61, "192.0.2.1", "192.0.2.2"),
        rrset(f"{name}.", "AAAA", 62, "2001:db8::1"),
        rrset(f"{name}.", "CAA", 4321, '0 issue "ca.test"'),
        rrset(f"www.{name}.", "CNAME", 59, f"{name}."),
        rrset(f"_dmarc.{name}.", "TXT", 555, '"v=DMARC1; p=quarantine; rua=mailto:d@other.test"'),
        rrset(f"old._domainkey.{name}.", "TXT", 333, '"v=DKIM1; p=" "MIIBIjANBg" "kqhkiG9w0B"'),
        rrset(f"_imaps._tcp.{name}.", "SRV", 99, "0 1 993 mail.other.test."),
        rrset(f"host.{name}.", "HINFO", 88, '"a" "b"'),
        {
            **rrset(f"sleeping.{name}.", "A", 77, "192.0.2.3"),
            "records": [{"content": "192.0.2.3", "disabled": False}, {"content": "192.0.2.4", "disabled": True}],
        },
    ]


def rrset(name: str, type: str, ttl: int, *values: str) -> dict[str, object]:
    return {
        "name": name, "type": type, "ttl": ttl,
        "records": [{"content": value, "disabled": False} for value in values],
    }  # fmt: skip
