"""The way from an address, wherever it stands, to the page that says where its mail lands."""

from postroom.protocols.addresses import BadAddress, address
from postroom.web.framed import query
from postroom.web.parts.shapes import Inline, Link

TRACE = "/trace/"


def follow(typed: str) -> Inline:
    """Nothing for what is no single address: a domain, a catch-all, another server."""
    try:
        one = address(typed)
    except BadAddress:
        return ""
    return Link("Follow it", f"{TRACE}{query(address=one)}", of=one)


def follow_at(domain: str) -> Link:
    """To the page with its name typed in already."""
    return Link("Follow an address of it", f"{TRACE}{query(at=domain)}")
