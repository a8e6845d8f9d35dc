"""Northlight, an agency, and its clients Acme and Globex, in a unit test: everything by submitting changes.

Oskar owns, Olive operates, Ada approves, Henry is at the helpdesk, Audrey audits, Carl administers Acme. Two nodes
serve: mx1 Acme, mx2 Globex. Zones are read from `ZONES`, since nothing of DNS is under test where this cast plays.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from unittest.mock import patch

from django.db import connection
from django.utils import timezone

from postroom.access.acting import FOUNDER, SYSTEM, Actor, acting_as
from postroom.changes import carry, clock, due, pipeline, readings
from postroom.changes.approvals import approve
from postroom.changes.deliver import incomplete
from postroom.changes.kind import KINDS, Kind
from postroom.changes.pipeline import submit
from postroom.changes.readings import ZoneRead
from postroom.models import (
    Change,
    Client,
    Credential,
    Domain,
    Doubt,
    Invite,
    MailApp,
    Mailbox,
    Person,
    RecordSet,
    RecoveryChannel,
    StateModel,
)
from postroom.queries.owning import story

M = TypeVar("M", bound=StateModel)
POSTMASTER = "postmaster@northlight.example"
MIA = "mia@acme.example"
ROLES = {
    "olive": ("operator", None),
    "ada": ("approver", None),
    "henry": ("helpdesk", None),
    "audrey": ("auditor", None),
    "carl": ("client admin", "acme"),
}


@dataclass
class House:
    oskar: Actor
    olive: Actor
    ada: Actor
    henry: Actor
    audrey: Actor
    carl: Actor
    zones: dict[str, ZoneRead] = field(default_factory=dict)


def kind(permission: str, /, **params: Any) -> Kind:
    return KINDS[permission].model_validate(params)


def do(
    permission: str, by: Actor, /, *, secrets: dict[str, str] | None = None, once: str | None = None, **params: Any
) -> Change:
    """Submit one change; what it came to."""
    return submit(kind(permission, **params), actor=by, why="a test", secrets=secrets, key=once)


def do_all(permission: str, by: Actor, parts: list[dict[str, Any]]) -> Change:
    """Submit one change of many parts."""
    return submit([kind(permission, **one) for one in parts], actor=by, why="a test")


def waits(permission: str, by: Actor, /, **params: Any) -> Change:
    """Submit one for an hour from now: planned now, applied when a test says so."""
    later = datetime.now(UTC) + timedelta(hours=1)
    return submit(kind(permission, **params), actor=by, why="a test", at=later)


def again(change: Change) -> Change:
    """The change as it is in the database now."""
    with acting_as(SYSTEM):
        return Change.objects.get(pk=change.pk)


def reasons(change: Change) -> str:
    return "; ".join(verdict["reason"] for verdict in change.verdicts)


def the(model: type[M], by: Actor = SYSTEM, /, **where: Any) -> M:
    """The one row of state that is so, as `by` sees it."""
    with acting_as(by):
        row: M = model.objects.get(**where)
        return row


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Run at once, each on a connection of its own; bounded. What each came to: its result, or its error."""
    results: list[Any] = [None] * len(jobs)

    def one(n: int) -> None:
        try:
            results[n] = jobs[n]()
        except Exception as error:
            results[n] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(n,), daemon=True) for n in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


def tick(now: datetime) -> list[Change]:
    """What the worker does each second, at a time of the test's own."""
    return [change for line in due.waiting(now) if (change := clock.do(line))]


def acknowledged() -> None:
    """What the worker does when nodes have read something back."""
    for change in carry.movable():
        carry.settle(change)


def left(change: Change) -> list[tuple[str, str]]:
    with acting_as(SYSTEM):
        return [(one["target"], one["why"]) for one in incomplete(again(change))]


def left_out(change: Change) -> list[tuple[str, str]]:
    return [(table, because) for table, _, because in change.left_out]


def agreed(house: House, change: Change) -> Change:
    """It goes through; where it is held, somebody agrees."""
    return change if change.version else with_consent(house, change)


def with_consent(house: House, change: Change) -> Change:
    assert change.stage == "held", (change.stage, reasons(change))
    done = approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert done.version, (done.stage, reasons(done))
    return done


def holds(house: House, zone: str, rrsets: dict[tuple[str, str], list[str]], *, ttl: int = 3600) -> None:
    """From now on this stands in the zone, and was just read there."""
    read = ZoneRead(zone, {key: {"ttl": ttl, "values": sorted(values)} for key, values in rrsets.items()})
    house.zones[zone] = read
    with acting_as(SYSTEM):
        client = Domain.objects.filter(name=zone).values_list("client_id", flat=True).first()
    readings.keep(read, client)


def as_wanted(house: House, zone: str) -> None:
    """The zone holds just what our record sets of it say: everything was published."""
    with acting_as(SYSTEM):
        wanted = list(RecordSet.objects.filter(domain__name=zone))
    holds(house, zone, {(one.name, one.type): one.values for one in wanted if one.values})


LINK = "1" * 64  # the SHA-256 of a link's token, as a test would have it


def redeemed(address: str) -> None:
    """The owner of an invited mailbox has opened the link and set the secret."""
    invite = the(Invite, mailbox__address__address=address, ended_at=None, used_at=None)
    submit(kind("invites.issue", invite=str(invite.pk)), actor=SYSTEM, why="a test", secrets={"link": LINK})
    secrets = {"password": "{HASH}p", "recovery code": "{HASH}c"}
    done = do("invites.redeem", Actor(None, address, "link", LINK), secrets=secrets)
    assert done.version, reasons(done)


def owner_of(address: str) -> Actor:
    """The owner of a mailbox, signed in to it just now."""
    box = the(Mailbox, address__address=address)
    return Actor(None, "the mailbox's owner", "owner", mailbox=box.pk, epoch=box.access_epoch)


def app_password(address: str, name: str, /, *, kept: str = "", **more: Any) -> Credential:
    """One of a mailbox's, made by its owner; kept: the SHA-256."""
    asked = {"protocols": ["imap", "submission"], **more}
    secrets = {"app password": kept or name.encode().hex().ljust(64, "0")[:64]}
    done = do("app_passwords.create", owner_of(address), secrets=secrets, name=name, **asked)
    assert done.version, reasons(done)
    return the(Credential, mailbox__address__address=address, name=name, ended_at=None)


def newest_of(address: str) -> int:
    """The number of the newest entry that a mailbox's owner reads of it."""
    own = owner_of(address)
    with acting_as(own):
        return story(own, limit=1).items[0].entry


def doubted(address: str) -> Doubt:
    """The newest of what was done to a mailbox, which its owner says they do not know."""
    entry = newest_of(address)
    done = do("doubts.raise", owner_of(address), entry=entry)
    assert done.version, reasons(done)
    return the(Doubt, mailbox__address__address=address, entry=entry)


def let_in(house: House, address: str, name: str, app: str = "Mail of tests") -> Credential:
    """A consent of a mailbox's owner, that a mail app of this test gets in."""
    with acting_as(SYSTEM):
        there = MailApp.objects.filter(name=app, ended_at=None).exists()
    if not there:
        do("mail_apps.add", house.oskar, name=app, redirect_uris=["http://127.0.0.1/"])
    until = (timezone.now() + timedelta(days=30)).replace(microsecond=0).isoformat()
    done = do("consents.grant", owner_of(address), app=app, name=name, protocols=["imap", "submission"], until=until)
    assert done.version, reasons(done)
    return the(Credential, mailbox__address__address=address, name=name, ended_at=None)


def person(email: str, by: Actor) -> Actor:
    with acting_as(by):
        row = Person.objects.get(email=email)
    return Actor(row.pk, row.name)


def at_home(people: House) -> House:
    """The same people, with zones of their own that nothing stands in yet."""
    house = replace(people, zones={})
    readings.READERS[:] = [lambda zone, hosting: house.zones.get(zone, ZoneRead(zone))]
    return house


def found() -> House:
    zones: dict[str, ZoneRead] = {}
    readings.READERS[:] = [lambda zone, hosting: zones.get(zone, ZoneRead(zone))]
    owner = {"owner_name": "Oskar", "owner_email": "owner@northlight.example"}
    do("organization.found", FOUNDER, name="Northlight", postmaster=POSTMASTER, **owner)
    oskar = person("owner@northlight.example", FOUNDER)
    for node in ("mx1", "mx2"):
        do("nodes.add", oskar, node=node, role=f"postroom_node_{node}")
    for name in ("Acme", "Globex"):
        do("clients.create", oskar, name=name)
        domain = f"{name.lower()}.example"
        do("domains.add", oskar, client=name.lower(), name=domain)
        do("domains.prove", SYSTEM, domain=domain, proof="a test")
        do("mailboxes.create", oskar, address=f"mia@{domain}", name="Mia")
    people = {name: _joins(name, role, client, oskar) for name, (role, client) in ROLES.items()}
    return House(oskar, **people, zones=zones)


def _joins(name: str, role: str, client: str | None, oskar: Actor) -> Actor:
    """Invited and given a role. The first approver has nobody to approve her but the founder's wait: see below."""
    email = f"{name}@northlight.example"
    do("people.invite", oskar, name=name.title(), email=email)
    given = do("grants.give", oskar, person=email, role=role, client=client)
    if given.stage == "scheduled":  # no second person yet: what the clock does after a day
        from postroom.changes.pipeline import apply_scheduled

        given = apply_scheduled(given.pk)
    elif given.stage == "held":
        ada = person("ada@northlight.example", oskar)
        given = approve(given.pk, actor=ada, plan_hash=given.plan_hash)
    assert given.stage == "verified", given.verdicts
    return person(email, oskar)


def version_of(slug: str, by: Actor) -> int:
    with acting_as(by):
        return int(Client.objects.get(slug=slug).version)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """What is submitted meanwhile is submitted then."""
    with patch.object(pipeline.timezone, "now", lambda: moment):
        yield


def reachable(
    house: House, mailbox: str, value: str, *, link: str, ago: timedelta = timedelta(days=8)
) -> RecoveryChannel:
    """A recovery channel of this mailbox that was named so long ago, and confirmed."""
    with at(datetime.now(UTC) - ago):
        named = do("recovery_channels.name", house.olive, mailbox=mailbox, value=value)
        if named.stage == "held":
            named = approve(named.pk, actor=house.ada, plan_hash=named.plan_hash)
        assert named.version, reasons(named)
        channel = the(RecoveryChannel, mailbox__address__address=mailbox, value=value, ended_at=None)
        invite = str(the(Invite, confirms=channel, ended_at=None).pk)
        do("recovery_channels.issue", SYSTEM, secrets={"link": link}, confirmation=invite)
        assert do("recovery_channels.confirm", Actor(None, "who reads it", "link", link)).version
    return the(RecoveryChannel, pk=channel.pk)
