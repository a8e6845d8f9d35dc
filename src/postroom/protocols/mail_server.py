"""A mail server that mail of an address is handed to: its name, or an IPv4 address of the public network (RFC 5321).

What a name stands for is asked of the DNS when mail is sent, so nothing here says where it leads. An address is looked
at: ourselves, the machine next to us and a whole network are no server of somebody else's (RFC 6890).
"""

import ipaddress

from .addresses import BadName, domain_name

LOCAL = ("localhost", "local", "internal", "localdomain", "home.arpa")


def host(text: str) -> str:
    """In its one form. Raises ValueError."""
    typed = text.strip().removeprefix("[").removesuffix("]")
    number = _number(typed)
    if number is None:
        name = domain_name(typed) if "." in typed.strip(".") or typed.lower() not in LOCAL else typed.lower()
        if any(name == one or name.endswith(f".{one}") for one in LOCAL):
            raise BadName(f"{name} is this machine, or in a network of its own; name a server of the public one")
        return name
    if number.version != 4:
        raise BadName(f"{number}: mail nodes speak IPv4; name the server, or its IPv4 address")
    if not number.is_global or number.is_multicast:
        raise BadName(f"{number} is no address of a server in the public network")
    return str(number)


def numeric(host: str) -> bool:
    """Whether it is an address and no name."""
    return _number(host) is not None


def _number(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
