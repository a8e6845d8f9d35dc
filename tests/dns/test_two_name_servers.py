"""Two real name servers of one zone: each is asked by itself, whatever the other says."""

from collections.abc import Iterator

import pytest
from name_servers import NS, NameServers, until

from postroom.dns.powerdns import prepare
from postroom.dns.providers import write
from postroom.dns.zone import RRsetChange
from postroom.protocols.rrset import rrset
from postroom.resolve.walk import NetResolver
from postroom.worker import name_servers as worker

pytestmark = pytest.mark.server
Said = dict[str, tuple[dict[str, list[str]], str]]


@pytest.fixture
def second() -> Iterator[NameServers]:
    one = NameServers()
    prepare(one.powerdns)
    one.start_powerdns()
    yield one
    one.stop()


def test_the_one_that_differs_and_the_one_that_is_gone_are_told_apart(
    name_servers: NameServers, second: NameServers, zone: str
) -> None:
    where = {NS[0]: name_servers.names[NS[0]], NS[1]: second.names[NS[1]]}
    resolver = NetResolver([name_servers.parent], where, ours=NS, timeout=0.5)
    mx, other = (rrset(zone, "MX", 300, [f"10 {host}.postroom.example."]) for host in ("mx", "evil"))
    for one in (name_servers, second):
        write(one.provider(), zone, [RRsetChange(zone, "MX", None, mx)])
    assert until(lambda: resolver.delegation(zone) == NS, 5)

    def said() -> Said:
        servers = resolver.authoritative(zone)
        assert isinstance(servers, tuple)
        asked = worker.NameServers()
        return {server.name: asked._ask(resolver, server, [(zone, "MX")]) for server in servers}

    right = ({f"MX {zone}": list(mx.values)}, "")
    assert until(lambda: said() == {NS[0]: right, NS[1]: right}, 5), said()
    write(second.provider(), zone, [RRsetChange(zone, "MX", mx, other)])
    assert until(lambda: said() == {NS[0]: right, NS[1]: ({f"MX {zone}": list(other.values)}, "")}, 5), said()
    second.stop_powerdns()
    try:
        silent, why = said()[NS[1]]
        assert silent == {} and why and said()[NS[0]] == right
    finally:
        second.start_powerdns()
