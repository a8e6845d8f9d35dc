"""Does whoever holds a domain want us to serve it? Read from outside, never from our own servers' zones.

A delegation to our name servers in the parent zone, or our token at the name servers the domain has now.
That a provider key can write the zone is the third proof; who holds the key knows that without asking here.
What lies inside a zone that is delegated to us, with no zone cut between, is that zone's (RFC 1034, 4.2): who proved
the zone has proven it. Whose the zone is, `below` does not know: its caller does (worker/proofs.py, decision 17).
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from postroom.dns.read_back import Evidence
from postroom.protocols.rrset import as_read
from postroom.protocols.txt import txt_text
from postroom.resolve.answer import Answer, NotRead, Resolver
from postroom.resolve.ask import now

DELEGATION, TOKEN, PARENT = "delegation", "token", "parent"


@dataclass(frozen=True)
class Proof:
    """`sort` is "delegation", "token", "parent", or None when none was read; the evidence says what was."""

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


def below(resolver: Resolver, domain: str, above: str, our_names: Iterable[str]) -> Proof:
    """Whether `domain` lies in the zone `above`, which is delegated to us alone, with no cut on the way that leads to
    somebody else. What was not read proves nothing."""
    ours = frozenset(_dotted(our_names))
    parent = _delegation(resolver, above, ours)
    seen = [_uncut(resolver, name, ours) for name in names_between(domain, above)] if parent.agrees else []
    proven = bool(seen) and all(one.agrees for one in seen)
    return Proof(PARENT if proven else None, (*seen, parent))


def names_between(domain: str, above: str) -> tuple[str, ...]:
    """Where a zone cut would take `domain` out of the zone `above`: from it up to just below. None: it is not in it."""
    name, zone = as_read(domain, "NS", 0, ()).name, as_read(above, "NS", 0, ()).name
    if not name.endswith(f".{zone}"):
        return ()
    labels = name.removesuffix(f".{zone}").split(".")
    return tuple(f"{'.'.join(labels[n:])}.{zone}" for n in range(len(labels)))


def _uncut(resolver: Resolver, name: str, ours: frozenset[str]) -> Evidence:
    found = resolver.authoritative(name)
    if isinstance(found, NotRead):
        return Evidence(f"NS {name}", str(found), str(found.server or "-"), found.at, None)
    said = " | ".join(server.name for server in found) or "no zone of its own"
    return Evidence(f"NS {name}", said, "from its parent down", now(), {server.name for server in found} <= ours)


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
