"""Who asks, where a proxy of yours stands in between: it says so in X-Forwarded-For, and it alone is believed.

Everything after this sees one address, the client's: limits, networks of tokens, devices, the record. Hops are read
from the right, the way they were added; the first that is no proxy of yours is who asks. What a client wrote itself
stands further left and is never reached.
"""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Networks = Sequence[IPv4Network | IPv6Network]
MOST = 30  # hops that are looked at; no chain of proxies is longer


class Proxies:
    """Middleware, before everything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        ours = settings.POSTROOM.proxies
        if ours:
            asked = str(request.META.get("REMOTE_ADDR", ""))
            request.META["REMOTE_ADDR"] = client(asked, str(request.META.get("HTTP_X_FORWARDED_FOR", "")), ours)
        return self.get_response(request)


def client(peer: str, forwarded: str, ours: Networks) -> str:
    """The address of who asks. A hop that is no address ends the search: who named it is the last that is known."""
    known = _address(peer)
    if not known:
        return peer
    hops = forwarded.rsplit(",", MOST) if forwarded else []
    while _within(known, ours) and hops and (hop := _address(hops.pop())):
        known = hop
    return known


def _address(text: str) -> str:
    """As it is written everywhere else; empty for what is none. Some proxies add a port (RFC 7239, 6)."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return ""
    return str(found.ipv4_mapped or found) if isinstance(found, IPv6Address) else str(found)


def _within(address: str, networks: Networks) -> bool:
    return any(ip_address(address) in one for one in networks)
