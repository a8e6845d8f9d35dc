"""Zones: read before a plan, published after it, and read back from every authoritative server.

Where a zone stands is a matter of its hosting: hosted on our own PowerDNS, or manual, where we cannot write
and only ask the servers the world asks until they say what was agreed.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import readings
from postroom.changes.carry import Outcome
from postroom.changes.readings import ZoneRead, planned_from
from postroom.changes.state import MX_ELSEWHERE
from postroom.dns.providers import Provider, open_provider, read_zone, write
from postroom.dns.read_back import Evidence, all_agree, read_back
from postroom.dns.zone import RRsetChange, ZoneError, ZoneMoved
from postroom.models import Change, Delivery, Domain, RecordedEdit, RecordSet, ServerReading
from postroom.protocols.rrset import RRset
from postroom.resolve.answer import Answer, NotRead, Server
from postroom.resolve.pace import Pace
from postroom.resolve.walk import NetResolver

GOES_BACK = ("domains.remove", "domains.restore", "history.roll_back")
POLLS, PAUSE = 10, 0.3
LATER = timedelta(minutes=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
PACE = Pace()  # of this process: whoever asks, a server is asked no more often
TYPING = timedelta(seconds=10)  # somebody may be at it; every further look waits longer


def resolver() -> NetResolver:
    """Who is authoritative, from the configured root on."""
    env = settings.POSTROOM
    names, ours = dict(env.dns_servers), env.name_servers
    if env.dns_root:
        return NetResolver([Server("root.", *env.dns_root)], names, ours=ours, pace=PACE)
    return NetResolver(names=names, ours=ours, pace=PACE)


def hosted() -> Provider | None:
    """Our own PowerDNS; None where this installation has none."""
    env = settings.POSTROOM
    if not env.pdns_api:
        return None
    host, port = env.pdns_api
    key = env.pdns_key_file.read_text().strip()
    return open_provider("powerdns", {"host": host, "port": str(port), "api_key": key}, nameservers=env.name_servers)


def read(zone: str, hosting: str) -> ZoneRead:
    """All that stands in a zone, or why it is not known."""
    if hosting == "provider":
        return ZoneRead(zone, failed="no account at its DNS provider is set up; choose hosted or manual")
    return _read_hosted(zone) if hosting == "hosted" else _read_by_name(zone)


def _read_hosted(zone: str) -> ZoneRead:
    provider = hosted()
    if provider is None:
        return ZoneRead(zone, failed="this installation has no name server of its own")
    try:
        live = read_zone(provider, zone)
    except ZoneError as error:
        return ZoneRead(zone, failed=str(error))
    found = {(one.name, one.type): {"ttl": one.ttl, "values": list(one.values)} for one in live}
    if elsewhere := _mx_elsewhere(zone):
        found[zone, MX_ELSEWHERE] = elsewhere
    return ZoneRead(zone, found, server="our own PowerDNS")


def _mx_elsewhere(zone: str) -> dict[str, Any] | None:
    """The MX the world sees, where name servers other than ours answer for the domain now."""
    names = resolver()
    present = names.authoritative(f"{zone}.")
    ours = {f"{name}." for name in settings.POSTROOM.name_servers}
    if isinstance(present, NotRead) or not present or {server.name for server in present} <= ours:
        return None
    answer = names.look_up(f"{zone}.", "MX")
    return {"ttl": answer.ttl, "values": list(answer.values)} if isinstance(answer, Answer) and answer.values else None


def _read_by_name(zone: str) -> ZoneRead:
    """Where only questions can be asked: what every domain needs, and what we answer for there already."""
    wanted = {(f"{zone}.", "MX"), (f"{zone}.", "TXT"), (f"_dmarc.{zone}.", "TXT")}
    with acting_as(SYSTEM):
        wanted |= set(RecordSet.objects.filter(domain__name=zone).values_list("name", "type"))
    names, found = resolver(), {}
    for name, type in sorted(wanted):
        answer = names.look_up(name, type)
        if isinstance(answer, NotRead):
            return ZoneRead(zone, failed=f"{type} {name}: {answer.why}")
        if answer.values:
            found[name, type] = {"ttl": answer.ttl, "values": list(answer.values)}
    return ZoneRead(zone, found, server="its own name servers")


def publish(change: Change, delivery: Delivery) -> Outcome:
    """Bring the zone to what this change wants, and read it back; idempotent, since what stands is read first."""
    with acting_as(SYSTEM):
        zone, hosting = _whose(delivery)
        changes = list(_changes(change, delivery))
        if beyond := _beyond(change, zone, delivery, changes):
            return Outcome(why=beyond, again_in=LATER)
    if hosting == "hosted" and (failed := _written(change, zone, changes)):
        return failed
    if hosting == "provider":
        return Outcome(why="no account at its DNS provider is set up", again_in=LATER)
    found = list(_read_back(zone, hosting, changes))
    if all_agree(found):
        readings.keep(read(zone, hosting), delivery.client_id)
        _asked_before(delivery)
        return Outcome(evidence=[one.as_json() for one in found])
    if not found:
        return Outcome(why=f"{zone}: its parent names no name server yet", again_in=TYPING)
    if hosting == "manual" and (moved := _moved(zone, changes)):
        return Outcome(why=f"zone moved: {moved}; plan it again", again_in=TYPING)
    left = next(one for one in found if not one.agrees)
    said = f"{left.question} at {left.server}: {left.answer}"
    return Outcome(why=said, again_in=timedelta(seconds=5) if hosting == "hosted" else TYPING)


def _asked_before(delivery: Delivery) -> None:
    """What its servers said before the zone was written is no answer to what is agreed now: they are asked anew."""
    with acting_as(SYSTEM):
        ServerReading.objects.filter(domain=delivery.object).update(at=LONG_AGO)


def _moved(zone: str, changes: list[RRsetChange]) -> str:
    """What stands in a zone that we only read, and neither stood there when this was planned nor is to stand there."""
    live = _read_by_name(zone)
    for change in changes:
        there = live.rrsets.get((change.name, change.type))
        known = {value for one in (change.before, change.after) if one for value in one.values}
        if strange := [value for value in (there or {}).get("values", ()) if value not in known]:
            return f"{change.type} {change.name} holds {', '.join(strange)}"
    return ""


def _whose(delivery: Delivery) -> tuple[str, str]:
    """Name and hosting of the domain; of one that is gone with an undo, as it was then."""
    domain = Domain.objects.filter(pk=delivery.object).first()
    if domain:
        return domain.name, domain.hosting
    edits = RecordedEdit.objects.filter(row=str(delivery.object), table="domains")
    gone = edits.filter(after__isnull=True, hashed=None).latest(
        "entry_id"
    )  # not after=None: that is JSON null to Django
    row: dict[str, Any] = gone.before or {}
    return str(row["name"]), str(row["hosting"])


def _beyond(change: Change, zone: str, delivery: Delivery, changes: list[RRsetChange]) -> str:
    """What keeps a change out of a zone, asked once more where it would be written: a zone has no row security, and
    its server takes whatever it is sent. The zone is of the change's client, and every name stands in it.
    """
    theirs = Domain.objects.filter(pk=delivery.object).exclude(client=change.client_id).exists()
    if theirs or delivery.client_id != change.client_id:
        return f"{zone} is not of the client that this change is of: nothing is written"
    names = [one.name for one in changes if one.name != f"{zone}." and not one.name.endswith(f".{zone}.")]
    return f"{names[0]} does not stand in {zone}: nothing is written" if names else ""


def _changes(change: Change, delivery: Delivery) -> Iterator[RRsetChange]:
    """This change's record sets in one domain, as what stood there and what shall."""
    edits = RecordedEdit.objects.filter(
        entry__client=change.client_id, entry__version=change.version, table="record_sets"
    )
    for e in edits.order_by("n"):
        row = e.after if e.before is None else e.before if e.after is None else None
        row = row or RecordSet.objects.get(pk=e.row).row()
        if row["domain_id"] != str(delivery.object) or planned_from(e.before, e.after) == "untouched":
            continue
        after = row.get("found") if e.after is None else {**(e.before or {}), **e.after}
        yield RRsetChange(row["name"], row["type"], _rrset(row, planned_from(e.before, e.after)), _rrset(row, after))


def _rrset(row: dict[str, Any], one: dict[str, Any] | None) -> RRset | None:
    if not one or not one.get("values"):
        return None
    return RRset(row["name"], row["type"], int(one["ttl"]), tuple(sorted(one["values"])))


def _written(change: Change, zone: str, changes: list[RRsetChange]) -> Outcome | None:
    provider = hosted()
    if provider is None:
        return Outcome(why="this installation has no name server of its own", again_in=LATER)
    back = change.kind in GOES_BACK
    try:
        # The policy on DNS roles has judged the loss already, record set by record set.
        write(provider, zone, changes, accept_loss=True, restore=back)
    except ZoneMoved as moved:
        return Outcome(why=f"zone moved: {moved}; plan it again", again_in=LATER)
    except ZoneError as error:
        return Outcome(why=str(error))
    return None


def _read_back(zone: str, hosting: str, changes: list[RRsetChange]) -> Iterable[Evidence]:
    servers = _servers(zone, hosting)
    found: list[Evidence] = []
    for _ in range(POLLS if hosting == "hosted" else 1):
        found = [one for c in changes for one in read_back(servers, c.after, c.name, c.type)]
        if all_agree(found):
            break
        time.sleep(PAUSE)
    return found


def _servers(zone: str, hosting: str) -> list[Server]:
    """Every authoritative server: ours where we host, else those its parent names."""
    if hosting == "hosted":
        where = settings.POSTROOM.dns_servers
        return [Server(f"{name}.", *where.get(name, (name, 53))) for name in settings.POSTROOM.name_servers]
    answer = resolver().authoritative(f"{zone}.")
    return [] if isinstance(answer, NotRead) else list(answer)
