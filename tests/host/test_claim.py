"""Every installation has an address of its own."""

import ipaddress
import socket
from pathlib import Path

import pytest

from postroom.host import claim
from postroom.host.ports import Port

# A network of the tests' own, apart from where installations claim theirs.
NETWORK = ipaddress.IPv4Network("127.101.0.0/16")
PORTS = (Port("smtp", 2525, True, ""), Port("dns", 5300, True, "", udp=True))


def test_two_at_once_get_two_addresses(state: Path) -> None:
    two = ipaddress.IPv4Network("127.101.7.0/30")
    first = claim.address(network=two, ports=PORTS, locks=state)
    second = claim.address(network=two, ports=PORTS, locks=state)

    assert {first.name, second.name} == {"127.101.7.1", "127.101.7.2"}
    with pytest.raises(claim.NoFreeAddress, match="claimed by another installation"):
        claim.address(network=two, ports=PORTS, locks=state)
    first.release()
    assert claim.address(network=two, ports=PORTS, locks=state).name == first.name


def test_the_address_of_before_is_taken_again_if_it_is_free(state: Path) -> None:
    first = claim.address(network=NETWORK, ports=PORTS, locks=state)
    first.release()
    again = claim.address(kept=first.name, network=NETWORK, ports=PORTS, locks=state)
    assert again.name == first.name

    other = claim.address(kept=first.name, network=NETWORK, ports=PORTS, locks=state)
    assert other.name != first.name


@pytest.mark.parametrize("sort, number", [(socket.SOCK_STREAM, 2525), (socket.SOCK_DGRAM, 5300)])
def test_an_address_with_one_port_taken_is_not_free(state: Path, sort: socket.SocketKind, number: int) -> None:
    address = claim.address(network=NETWORK, ports=PORTS, locks=state)
    address.release()
    with socket.socket(socket.AF_INET, sort) as other:
        other.bind((address.name, number))
        if sort == socket.SOCK_STREAM:
            other.listen()
        assert claim.address(kept=address.name, network=NETWORK, ports=PORTS, locks=state).name != address.name


def test_a_port_taken_everywhere_is_named(state: Path) -> None:
    with socket.socket(socket.AF_INET) as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(claim.NoFreeAddress, match=rf"port {taken} \(lmtp\) is taken"):
            claim.address(network=NETWORK, ports=(*PORTS, Port("lmtp", taken, False, "")), locks=state)


def test_installations_never_claim_where_other_programs_live() -> None:
    assert not claim.NETWORK.overlaps(ipaddress.IPv4Network("127.0.0.0/24"))
    assert claim.NETWORK.subnet_of(ipaddress.IPv4Network("127.0.0.0/8"))


def test_a_link_in_the_lock_folder_is_not_followed(state: Path) -> None:
    (state / "127.101.0.9").symlink_to(state / "elsewhere")
    assert claim.hold("127.101.0.9", state) is None
    assert not (state / "elsewhere").exists()


def test_pages_take_the_first_port_that_is_free_on_both_localhosts(state: Path) -> None:
    with socket.socket(socket.AF_INET) as any_port:
        any_port.bind(("127.0.0.1", 0))
        any_port.listen()
        taken = any_port.getsockname()[1]
        port, held = claim.web_port(range(taken, taken + 50), locks=state)
        assert port > taken
        other, also_held = claim.web_port(range(taken, taken + 50), locks=state)
        assert other > port
        held.release()
        also_held.release()
