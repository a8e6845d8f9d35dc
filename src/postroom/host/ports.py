"""Every port of an installation, the same on each address; and `endpoints.json`, which tells others where they are.

An installation has a loopback address of its own, so these numbers never meet another's. The pages alone are on
localhost, where passkeys work (WebAuthn refuses IP addresses): see `web.py`. `docs/operating.md` shows this table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Port:
    name: str
    number: int
    told: bool  # stands in endpoints.json
    doc: str
    udp: bool = False  # besides TCP


PORTS = (
    Port("smtp", 2525, True, "Postfix: mail from outside"),
    Port("submission", 2587, True, "Dovecot: mail from mailbox owners, STARTTLS"),
    Port("submissions", 2465, True, "Dovecot: the same, TLS from the first byte"),
    Port("imap", 2143, True, "Dovecot: IMAP, STARTTLS"),
    Port("imaps", 2993, True, "Dovecot: IMAP, TLS from the first byte"),
    Port("managesieve", 4190, True, "Dovecot: filters"),
    Port("lmtp", 2524, False, "kept free: delivery from Postfix goes by a unix socket"),
    Port("doveadm", 2080, False, "Dovecot: HTTP for kick and who"),
    Port("auth_policy", 2081, False, "the node's count of sign-ins, asked by Dovecot"),
    Port("submission_backend", 2590, False, "Postfix: what Dovecot's submission proxy hands on"),
    Port("sieve_out", 2591, False, "Postfix: what filters send, from Dovecot"),
    Port("forwards", 2592, False, "Postfix: what a forward passes on to outside, to be given a sender that leads back"),
    Port("bounces", 2593, False, "Postfix: what came back to such a sender"),
    Port("srs_forward", 2594, False, "postsrsd, asked by Postfix for such a sender"),
    Port("srs_reverse", 2595, False, "postsrsd, asked by Postfix whom one leads back to"),
    Port("milter", 2534, False, "kept free: signing and the From: check go by a unix socket"),
    Port("dns", 5300, True, "PowerDNS: the zones we host", udp=True),
    Port("resolver", 5303, False, "unbound: the validating resolver that domains are looked at through", udp=True),
    Port("parent_dns", 5301, False, "the stand-in parent of .example and .test", udp=True),
    Port("pdns_api", 5302, False, "PowerDNS: HTTP interface"),
    Port("postgres", 5432, True, "PostgreSQL: for roles with a password; ours use the socket"),
)

NUMBERS: Mapping[str, int] = {port.name: port.number for port in PORTS}


def endpoints(address: str, ports: Iterable[Port] = PORTS) -> dict[str, str]:
    """`{"smtp": "127.1.2.3:2525", …}` for the ports that are told."""
    return {port.name: f"{address}:{port.number}" for port in ports if port.told}
