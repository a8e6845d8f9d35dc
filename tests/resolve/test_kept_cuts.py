"""One look at many domains asks the servers above them once; what is asked about itself is always asked."""

from __future__ import annotations

import dns.message
import dns.rrset
import pytest

from postroom.resolve import walk
from postroom.resolve.answer import NotRead, Server

ROOT = Server("root.", "192.0.2.1")


def test_the_zones_above_are_learnt_once_and_the_zone_itself_never(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def exchange(server: Server, name: str, type: str, timeout: float) -> dns.message.Message:
        asked.append((server.address, name))
        reply = dns.message.make_response(dns.message.make_query(name, type))
        zone, ns = ("example.", "tld") if server == ROOT else (name, "ns1")
        reply.authority.append(dns.rrset.from_text(zone, 300, "IN", "NS", f"{ns}.servers.example."))
        return reply

    monkeypatch.setattr(walk, "exchange", exchange)
    places = {"tld.servers.example": ("192.0.2.2", 53), "ns1.servers.example": ("192.0.2.3", 53)}
    net = walk.NetResolver([ROOT], places)
    for name in ("a.example.", "b.example.", "a.example."):
        found = net.authoritative(name)
        assert not isinstance(found, NotRead) and [one.address for one in found] == ["192.0.2.3"]
    assert asked == [("192.0.2.1", "a.example."), ("192.0.2.2", "a.example."), ("192.0.2.2", "b.example."),
                     ("192.0.2.2", "a.example.")]  # fmt: skip
    assert len([one for one in asked if one[0] == "192.0.2.1"]) == 1, "of the root, for all of them"
