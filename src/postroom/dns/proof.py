"""Does whoever holds a domain want us to serve it? Read from outside, never from our own servers' zones.

A delegation to our name servers in the parent zone, or our token at the name servers the domain has now.
That a provider key can write the zone is the third proof; who holds the key knows that without asking here.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from postroom.dns.read_back import Evidence
from postroom.protocols.rrset import as_read
from postroom.protocols.txt import txt_text
from postroom.resolve.answer import Answer, NotRead, Resolver
from postroom.resolve.ask import now

DELEGATION, TOKEN = "delegation", "token"


@dataclass(frozen=True)
class Proof:
    """`sort` is "delegation", "token", or None when neither was read; the evidence says what was."""

    sort: str | None
    evidence: tuple[Evidence, ...]


def token_name(domain: str) -> str:
    """Where the token is looked for."""
    return f"_postroom.{domain.rstrip('.').lower()}."


def token_text(token: str) -> str:
    """The TXT text that proves."""
    return f"postroom-proof={token}"


def proof(resolver: Resolver, domain: str, token: str, our_names: Iterable[str]) -> Proof:
    """Which proof of a domain can be read now. What was not read proves nothing and disproves nothing."""
    parent = _delegation(resolver, domain, our_names)
    if parent.agrees:
        return Proof(DELEGATION, (parent,))
    seen = tuple(_tokens(resolver, domain, token, our_names))
    told = [one.agrees for one in seen if one.agrees is not None]
    return Proof(TOKEN if told and all(told) else None, (parent, *seen))


def _delegation(resolver: Resolver, domain: str, our_names: Iterable[str]) -> Evidence:
    """Ours only: with another server in the set, somebody else answers for the domain too."""
    zone = as_read(domain, "NS", 0, ()).name
    found = resolver.delegation(zone)
    question = f"NS {zone} at its parent"
    if isinstance(found, NotRead):
        return Evidence(question, str(found), str(found.server or "-"), found.at, None)
    ours = _dotted(our_names)
    return Evidence(question, " | ".join(found) or "not delegated", "parent", now(), bool(found) and set(found) <= ours)


def _dotted(names: Iterable[str]) -> set[str]:
    return {name.lower().rstrip(".") + "." for name in names}


def _tokens(resolver: Resolver, domain: str, token: str, our_names: Iterable[str]) -> Iterable[Evidence]:
    """At every present name server but our own: whoever may write in our zones has proven nothing by that."""
    name = token_name(domain)
    servers = resolver.authoritative(as_read(domain, "NS", 0, ()).name)
    if isinstance(servers, NotRead):
        yield Evidence(f"TXT {name}", str(servers), str(servers.server or "-"), servers.at, None)
        return
    ours = _dotted(our_names)
    for server in servers:
        if server.name in ours:
            continue
        answer = resolver.ask(server, name, "TXT")
        agrees = _holds(answer, token) if isinstance(answer, Answer) else None
        yield Evidence(f"TXT {name}", str(answer), str(server), answer.at, agrees)


def _holds(answer: Answer, token: str) -> bool:
    wanted = token_text(token).encode()
    return any(hmac.compare_digest(txt_text(value).encode(), wanted) for value in answer.values)
