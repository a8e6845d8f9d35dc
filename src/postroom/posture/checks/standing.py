"""What is bad in a domain's DNS by the rules mail is judged by (docs/dns-rules.md), as it was looked at last.

One finding a domain and area: all that is bad there, the record sets that would mend it, and the RFC of each. Domains
whose proof is not read yet are still being set up: their page says what is missing, and nothing is wrong with them.
What was looked at too long ago, or could not be, is unknown. RFC 5321, 5.1 (where mail goes), RFC 7208 (who may send),
RFC 6376 (whose signature holds), RFC 9989 (what becomes of the rest), and those that each rule names.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Q

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Domain, Posture
from postroom.models.postures import HOLDS
from postroom.posture.findings import Found
from postroom.posture.run import Check, Seen
from postroom.protocols.posture import AREAS, area

NAME, UNREAD = "dns.standing", "it was not looked at within three quarters of an hour, or could not be"
HIGH = frozenset({"mx", "ns", "spf", "dkim", "cname"})  # mail is lost or refused, or somebody else may have the name
WORDS = {name: name.upper().replace("_", "-") for name in AREAS} | {
    "ptr": "names of addresses",
    "ns": "name servers",
    "cname": "aliases",
}


def evaluate(rows: Iterable[Posture]) -> Iterator[Found]:
    """rows: with their domains."""
    for row in rows:
        wrong: dict[str, list[dict[str, Any]]] = {}
        for one in row.results:
            if one["level"] == "bad":
                wrong.setdefault(area(one["rule"]), []).append(one)
        yield from (_found(row, name, wrong[name]) for name in AREAS if name in wrong)


def _found(row: Posture, name: str, results: list[dict[str, Any]]) -> Found:
    domain, first = row.domain, results[0]
    more = f", and {len(results) - 1} more" if len(results) > 1 else ""
    evidence = {
        "found": [f"{one['says']} ({one['rule']}, {one['source']})" for one in results],
        "looked": row.at.isoformat(timespec="seconds"), "since": row.since.isoformat(timespec="seconds"),
    }  # fmt: skip
    return Found(
        "high" if name in HIGH else "medium", "domains", domain.pk, domain.name,
        f"{WORDS[name]} of {domain.name}: {first['says']}{more}", name, client=row.client_id, domain=domain.pk,
        evidence=evidence,
    )  # fmt: skip


def _look(now: datetime) -> Seen:
    with acting_as(SYSTEM):
        cared = Domain.objects.filter(removed_at=None, client__removed_at=None, proof="read")
        known = Posture.objects.filter(domain__in=cared, at__gt=now - HOLDS, unfinished="")
        found = tuple(evaluate(known.filter(Q(level="bad")).select_related("domain").order_by("domain__name")))
        unread = frozenset(cared.exclude(pk__in=known.values("domain")).values_list("pk", flat=True))
    return Seen(found, unread=unread, why=UNREAD if unread else "")


STANDING = Check(NAME, "Is a domain's DNS as mail needs it?", "RFC 5321, 7208, 6376, 9989", 60, _look)
