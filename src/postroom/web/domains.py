"""Domains: the list; and one of them with proof, records as found, wanted and live, and its signing keys."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from postroom.access.scope import visible
from postroom.dns.proof import token_name, token_text
from postroom.models import Domain, Mailbox
from postroom.models.recovery import readable, unsaid
from postroom.queries import records
from postroom.queries.changes import timeline
from postroom.queries.lists import listed
from postroom.queries.objects import row_of
from postroom.queries.records import CHECKS, Live
from postroom.web.badges import NOT_MEASURED, check, proof, spelt, standing
from postroom.web.domain_keys import keys_table
from postroom.web.domain_landing import landing
from postroom.web.door import page
from postroom.web.following import follow_at
from postroom.web.framed import freeze_notes, offered
from postroom.web.lines import lines
from postroom.web.lists import STATES, Narrow, scopes
from postroom.web.parts.pages import Check, DomainPage, DomainsPage
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Cell,
    Code,
    Column,
    Crumb,
    Fact,
    Item,
    Link,
    Note,
    PageHead,
    Row,
    Strong,
    Table,
)
from postroom.web.times import when

HOSTING = {"hosted": "hosted here", "provider": "at a DNS provider", "manual": "typed in by hand elsewhere"}
COLUMNS = (
    Column("Domain"), Column("Client", phone="under"), Column("Proof"), *(Column(name) for name in CHECKS),
    Column("Ends", phone="gone"),
)  # fmt: skip
ADD = Act("Add a domain", "/do/domains.add/", icon="world-plus", weight="primary")
SHOWN = 130  # characters of one value; a DKIM key has 400


@page("domains.view")
def domains(request: Any) -> HttpResponse:
    narrow = Narrow(request)
    found = listed(request.actor, "domains", narrow.asked)
    states = records.standing(request.actor, [one.pk for one in found.items])
    add = (ADD,) if request.access.can_somewhere("domains.add") else ()
    fields = [narrow.select("client", "Client", scopes(request)), narrow.select("state", "State", STATES)]
    shown = DomainsPage(
        head=PageHead("Domains", "proof, and authentication as last read", acts=add),
        notes=(*narrow.notes(), *freeze_notes(request)),
        label="Domains",
        filters=narrow.filters("Domains", fields),
        table=Table("Domains", COLUMNS, tuple(_row(one, states.get(one.pk, {})) for one in found.items), dense=True),
        pager=narrow.pager([one.name for one in found.items], found.next),
        empty=None if found.items else narrow.nothing("domain", "Mail starts with a domain.", "world", add),
    )  # fmt: skip
    return render(request, "domains.html", {"page": shown})


def _row(one: Domain, states: dict[str, str]) -> Row:
    return Row((
        Cell((Link(one.name, f"/domains/{one.name}/", strong=True), *spelt(one.name), *standing(one)),
             HOSTING.get(one.hosting, "")),
        Link(one.client.name, f"/clients/{one.client.slug}/"), proof(one),
        *(check(states.get(name, "")) for name in CHECKS), f"{one.expires_on:%d %b %Y}" if one.expires_on else "",
    ), name=one.name)  # fmt: skip


@page("domains.view")
def domain(request: Any, ref: str) -> HttpResponse:
    one: Domain = row_of(request.actor, "domains", ref)
    live, keys = records.live(request.actor, one), records.keys(request.actor, one)
    coming = records.being_written(one) if one.hosting == "hosted" else None
    if coming and not coming.stuck:
        live = [replace(each, state="waits") if each.state == "bad" else each for each in live]
    boxes = visible(request.actor, Mailbox).filter(address__domain=one, removed_at=None).count()
    states = records.standing(request.actor, [one.pk]).get(one.pk, {})
    if any(each.state == "waits" for each in live):
        states = {name: "waits" if state == "bad" else state for name, state in states.items()}
    recent = timeline(request.actor, object=one.pk, limit=8).items
    shown = DomainPage(
        head=_head(request, one, boxes), notes=(*_stuck(coming), *freeze_notes(request, one.client_id)),
        checks=_checks(states, live), checks_sub=_read(live), proof=_proof(one), records=_records(request, one, live),
        records_sub="as found, as wanted, as read",
        by_hand=tuple(records.by_hand(one, live).lines()), by_hand_why=_by_hand(one),
        keys=keys_table(request, one, keys, live), landing=landing(request, one), recent=lines(recent),
        changes_url=f"/changes/?object={one.pk}",
        holders=_holders(one), facts=_facts(one, boxes),
    )  # fmt: skip
    return render(request, "domain.html", {"page": shown})


def _stuck(coming: records.OnItsWay | None) -> tuple[Note, ...]:
    """A zone that cannot be written holds what it held: what differs there stays so until somebody looks."""
    if coming is None or not coming.stuck:
        return ()
    look = Act("Look at the change", f"/changes/{coming.change}/")
    return (Note("A change of this zone does not get through", coming.stuck, "bad", acts=(look,)),)


def _head(request: Any, one: Domain, boxes: int) -> PageHead:
    at = f"?domain={one.name}"
    closed = one.removed_at or one.suspended_at
    back = ("domains.restore", Act("Restore", f"/do/domains.restore/{at}", icon="restore", weight="primary"))
    if one.suspended_at and not one.removed_at:
        back = ("domains.resume", Act("Resume", f"/do/domains.resume/{at}", icon="player-play", weight="primary"))
    wanted = (
        ("domains.change", Act("Change", f"/do/domains.change/{at}", icon="pencil")),
        ("domains.suspend", Act("Suspend…", f"/do/domains.suspend/{at}", icon="lock", weight="asks")),
        ("domains.remove", Act("Remove…", f"/do/domains.remove/{at}", icon="trash", weight="asks")),
    )  # fmt: skip
    return PageHead(
        one.name, f"{HOSTING.get(one.hosting, one.hosting)} · {boxes} mailboxes",
        crumbs=(Crumb("Domains", "/domains/"), Crumb(one.client.name, f"/clients/{one.client.slug}/")),
        badges=(*spelt(one.name), *standing(one)),
        acts=offered(request, one.client_id, *((back,) if closed else wanted), domain=one.pk),
    )  # fmt: skip


def _checks(states: dict[str, str], live: list[Live]) -> tuple[Check, ...]:
    failed, old = next((one.failed for one in live if one.failed), ""), next((one for one in live if _old(one)), None)
    sub = f"could not be read: {failed}" if failed else f"last read {when(old.at)}, too long ago" if old else ""
    return tuple(
        Check(name, check(states.get(name, "")), sub if states.get(name) == "unmeasured" else "") for name in CHECKS
    )


def _read(live: list[Live]) -> str:
    newest = next((one for one in live if one.at and not one.failed), None)
    if newest is None:
        return "not read yet"
    said = f"read {when(newest.at)} at {newest.server}"
    return f"last {said}: what stands there now is unknown" if _old(newest) else said


def _old(one: Live) -> bool:
    """Read, but too long ago to say what stands there now."""
    return one.state == "unmeasured" and bool(one.at) and not one.failed


def _proof(one: Domain) -> tuple[Item, ...]:
    if one.proof == "read":
        return (Item("Control is proven", "read from outside; from then on it delivers", "ok"),)
    servers = ", ".join(settings.POSTROOM.name_servers)
    return (
        Item(proof(one), "nobody gets mail here until one of these is read", "warn"),
        Item(("Delegate", Code(one.name), "to", Code(servers)), "at its registrar", icon="world-cog"),
        Item(("Or a TXT record at", Code(token_name(one.name)), Code(token_text(one.proof_token))),
             "at its present name servers", icon="note"),
    )  # fmt: skip


def _by_hand(one: Domain) -> str:
    """By whom, and what becomes of it; the lines are the whole of what shall stand under each name."""
    if one.hosting != "manual":
        return "one way to prove control; it goes when you like, once it was read"
    who = f"by {one.dns_holder}, " if one.dns_holder else ""
    return f"{who}in place of what stands under the same name and type; looked for again and again until it is seen"


def _records(request: Any, one: Domain, live: list[Live]) -> Table | None:
    if not live:
        return None
    may = not one.removed_at and request.access.can_about("record_sets.set", one.client_id, [one.pk])
    columns = (Column("Record"), Column("As found"), Column("Wanted"), Column("Live"), Column("State"))
    rows = tuple(_record(each, _again(one.name, each) if may and each.state == "bad" else ()) for each in live)
    return Table("Record sets", columns, rows, high=True)


def _again(zone: str, one: Live) -> tuple[Act, ...]:
    """To the plan that sets what differs to what is wanted."""
    row = one.row
    asked = {"domain": zone, "name": row.name, "type": row.type, "values": row.values, "ttl": row.ttl}
    url = f"/do/record_sets.set/?{urlencode(asked, doseq=True)}"
    return (Act("Set again…", url, of=f"{row.type} {row.name.rstrip('.')}"),)


def _record(one: Live, acts: tuple[Act, ...]) -> Row:
    found = (one.row.found or {}).get("values", [])
    state = check(one.state, f"read {when(one.at)}" if one.state == "good" else "")
    shown = _values(one.values or [], "nothing") if one.state != "unmeasured" else NOT_MEASURED
    return Row((Cell(Strong(one.row.type), one.row.name.rstrip(".")), _values(found, "nothing"),
                _values(one.row.values, "nothing"), shown, Cell(state, acts=acts)))  # fmt: skip


def _values(values: list[str], none: str) -> Any:
    return tuple(Code(one if len(one) <= SHOWN else one[:SHOWN] + "…") for one in values) or none


def _said(one: Domain) -> str:
    """Whether whoever reads there said so within half a year; nothing of what is no mail address."""
    if not readable(one.registrar_account):
        return ""
    return unsaid(one.registrar_confirmed_at, timezone.now()) or "confirmed"


def _holders(one: Domain) -> tuple[Fact, ...]:
    unknown = Badge("unknown", "not known")
    return (
        Fact("Registrar", one.registrar or unknown),
        Fact("Who holds that login", one.registrar_holder or unknown),
        Fact("Account address there", one.registrar_account or unknown, _said(one)),
        Fact("Who holds that address", one.registrar_account_holder or unknown),
        Fact("Second holder", one.second_holder or unknown),
        Fact("Second factor there", one.registrar_mfa if one.registrar_mfa != "unknown" else unknown),
        Fact("Who holds the DNS login", one.dns_holder or unknown),
        Fact("Confirmed", f"{one.confirmed_on:%d %b %Y}" if one.confirmed_on else unknown),
    )


def _facts(one: Domain, boxes: int) -> tuple[Fact, ...]:
    ends = f"{one.expires_on:%d %b %Y}" if one.expires_on else Badge("unknown", "not known")
    return (
        Fact("Client", Link(one.client.name, f"/clients/{one.client.slug}/")),
        Fact("Mailboxes", Link(str(boxes), f"/mailboxes/?domain={one.name}")),
        Fact("Routing map", Link("Where its mail lands", f"/domains/{one.name}/routing/"), follow_at(one.name)),
        Fact("DNS posture", Link("By every rule of mail", f"/domains/{one.name}/posture/")),
        Fact("DNS", HOSTING.get(one.hosting, one.hosting)),
        Fact("Registration ends", ends),
    )
