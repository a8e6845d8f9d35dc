"""DNS providers through octoDNS, used as a library: no configuration files, no output, nothing global kept.

One line in PROVIDERS and its octoDNS package add a provider. octoDNS writes whole zones, so what is wanted
is always the live zone with our changes laid over it; its plan is then held against our list before it runs.
A provider without transactions may stop half-way: the next call reads again and goes on.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from octodns.provider import ProviderException
from octodns.provider.plan import Plan, UnsafePlan
from octodns.record import Record, ValidationError
from octodns.zone import Zone as OctoZone

from postroom.dns.octo_powerdns import ExactPowerDns
from postroom.dns.translate import empty_zone, octo_record, our_rrset, our_zone, zone_problems
from postroom.dns.zone import CannotStand, Key, RRsetChange, Zone, ZoneError, ZoneMoved
from postroom.protocols.rrset import RRset

NS_TTL = 3600

# octoDNS checks safety only from ten records on; most zones of small clients are below.
Plan.MIN_EXISTING_RECORDS = 1
Record.enable_validators({"strict", "best-practice"})
OctoZone.enable_zone_validators({"strict"})


# What a provider may raise while it reads: no network, an odd answer, our own refusal from below.
_FAILURES = (requests.RequestException, ProviderException, ZoneError, ValueError, KeyError)


class ZoneNotRead(ZoneError):
    """The provider did not tell what stands in the zone: nothing is known, nothing was written."""


class NotWritten(ZoneError):
    """The provider refused or did not answer; what stands there is told by the next reading."""


class Unsafe(ZoneError):
    """The change takes away more of the zone than is safe; it needs `accept_loss`."""


@dataclass(frozen=True)
class Setting:
    """One thing to know about a provider account."""

    name: str
    title: str
    secret: bool = False
    default: str | None = None


@dataclass(frozen=True)
class ProviderSort:
    """A kind of provider: what to ask for, and how octoDNS is made to reach it."""

    title: str
    settings: tuple[Setting, ...]
    open: Callable[[Mapping[str, str]], Any]


@dataclass(frozen=True)
class Provider:
    """An opened provider. With `nameservers` zones that are absent are made, served by these."""

    sort: str
    octo: Any
    nameservers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of one change: "written" now, or "already" as it shall be."""

    change: RRsetChange
    done: str


PROVIDERS: dict[str, ProviderSort] = {
    "powerdns": ProviderSort(
        "PowerDNS",
        (
            Setting("host", "Address of the API"),
            Setting("port", "Port of the API", default="8081"),
            Setting("api_key", "API key", secret=True),
        ),
        ExactPowerDns.opened,
    ),
}


def open_provider(sort: str, settings: Mapping[str, str], *, nameservers: Iterable[str] = ()) -> Provider:
    """Open a provider by its settings; nothing is asked yet. Raises ZoneError naming all settings that lack."""
    known = PROVIDERS[sort]
    given = {one.name: settings.get(one.name, one.default) for one in known.settings}
    if lacking := [one.title for one in known.settings if not given[one.name]]:
        raise ZoneError(f"{known.title}: missing {', '.join(lacking)}")
    octo = known.open({name: value for name, value in given.items() if value is not None})
    for chatty in (octo.log, Plan.log, OctoZone.log, Record.log):
        chatty.setLevel(logging.CRITICAL)
    return Provider(sort, octo, tuple(name.rstrip(".").lower() + "." for name in nameservers))


def read_zone(provider: Provider, name: str) -> Zone:
    """All of a zone as it stands at the provider. Raises ZoneNotRead."""
    octo, exists = _read(provider, name)
    return our_zone(octo, exists)


def _read(provider: Provider, name: str) -> tuple[Any, bool]:
    octo = empty_zone(name.rstrip(".").lower() + ".")
    try:
        return octo, bool(provider.octo.populate(octo, target=True, lenient=True))
    except _FAILURES as why:
        raise ZoneNotRead(f"{octo.name} was not read: {_said(why)}") from why


def write(
    provider: Provider,
    zone: str,
    changes: Iterable[RRsetChange],
    *,
    accept_loss: bool = False,
    restore: bool = False,
) -> tuple[Outcome, ...]:
    """Bring a zone to the `after` of every change, or write nothing.

    Reads first: where `after` stands already there is nothing to do; where `before` no longer stands,
    ZoneMoved. Without `accept_loss` more than 30 % of the zone may not go. `restore` puts back what once
    stood there without judging it. Raises also ZoneNotRead, CannotStand, Unsafe, NotWritten.
    """
    changes = list(changes)
    octo, exists = _read(provider, zone)
    live = our_zone(octo, exists)
    if not exists and not provider.nameservers:
        raise ZoneNotRead(f"{live.name} is not at this provider")
    live.overlay(changes)
    waiting = live.open_changes(changes)
    if waiting or not exists:
        news = [change.after for change in waiting if change.after is not None]
        if not exists:
            news.append(RRset(live.name, "NS", NS_TTL, tuple(sorted(provider.nameservers))))
        desired = _desired(octo, [change.key for change in waiting], news, restore)
        _apply(provider, _planned(provider, live, desired, waiting, accept_loss))
    open_keys = {change.key for change in waiting}
    return tuple(Outcome(change, "written" if change.key in open_keys else "already") for change in changes)


def remove_empty_zone(provider: Provider, name: str) -> bool:
    """Take a zone we made off our own servers; False if it is not there or more than SOA and NS stands in it.

    Raises ZoneNotRead, NotWritten.
    """
    live = read_zone(provider, name)
    if not live.exists or not provider.nameservers:
        return False
    try:
        return bool(provider.octo.remove_empty_zone(live.name))
    except (requests.RequestException, ZoneError) as why:
        raise NotWritten(f"{live.name} was not removed: {_said(why)}") from why


def _planned(provider: Provider, live: Zone, desired: Any, waiting: list[RRsetChange], accept_loss: bool) -> Any:
    octo = provider.octo
    # Updates are held against our list one by one, below; what counts here is how much goes.
    octo.update_pcent_threshold = 1.0
    octo.delete_pcent_threshold = 1.0 if accept_loss else Plan.MAX_SAFE_DELETE_PCENT
    try:
        plan = octo.plan(desired)
    except _FAILURES as why:
        raise ZoneNotRead(f"{live.name} was not read: {_said(why)}") from why
    if plan is None:
        raise NotWritten(f"{live.name}: the provider cannot hold these records")
    _only_ours(plan, live, waiting)
    try:
        plan.raise_if_unsafe()
    except UnsafePlan as why:
        raise Unsafe(str(why)) from why
    return plan


def _desired(octo: Any, going: Iterable[Key], news: Iterable[RRset], restore: bool) -> Any:
    """The zone for octoDNS: foreign records as they were read, unchecked; ours checked strictly."""
    desired = octo.copy()
    for record in list(desired.records):
        if (record.fqdn, record._type) in set(going):
            desired.remove_record(record)
    problems: list[str] = []
    for rrset in news:
        try:
            desired.add_record(octo_record(desired, rrset, lenient=restore), lenient=True)
        except ValidationError as why:
            problems += [f"{rrset.type} {rrset.name}: {reason}" for reason in why.reasons]
    if not restore:
        problems += sorted(zone_problems(desired) - zone_problems(octo))
    if problems:
        raise CannotStand(problems)
    return desired


def _only_ours(plan: Any, live: Zone, waiting: list[RRsetChange]) -> None:
    """The zone was read once more for the plan: whatever differs beyond our list has moved since."""
    ours = {change.key: change for change in waiting}
    for change in plan.changes:
        found = our_rrset(change.existing) if change.existing else None
        wanted = our_rrset(change.new) if change.new else None
        one = found or wanted
        if one is None or (not live.exists and one.type == "NS" and one.name == live.name):
            continue
        asked = ours.pop((one.name, one.type), None)
        if asked is None or (asked.before, asked.after) != (found, wanted):
            raise ZoneMoved(one.name, one.type, asked.before if asked else wanted, found)
    if ours:
        lost = next(iter(ours.values()))
        raise NotWritten(f"{lost.type} {lost.name}: the provider cannot hold this record")


def _apply(provider: Provider, plan: Any) -> None:
    try:
        provider.octo.apply(plan)
    except (requests.RequestException, ProviderException, ZoneError) as why:
        raise NotWritten(f"{plan.desired.name} was not written: {_said(why)}") from why


def _said(why: BaseException) -> str:
    response = getattr(why, "response", None)
    if response is not None:
        return f"{response.status_code} {response.text[:200]}"
    return str(why) or type(why).__name__
