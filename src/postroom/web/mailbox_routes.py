"""Routes touching a mailbox, on its page: what lands here, where its mail goes on to, and what lets it leave."""

from collections.abc import Iterator
from typing import Any

from postroom.models import CatchAll, Forward, Mailbox, RouteException, Transport
from postroom.models.filters import SCRIPT
from postroom.models.routes import REQUIRED, server
from postroom.queries.mailboxes import Routes, routes
from postroom.web.framed import offered, query
from postroom.web.parts.shapes import Act, Badge, Code, Item
from postroom.web.times import when


def items(request: Any, one: Mailbox) -> tuple[Item, ...]:
    found = routes(request.actor, one)
    return (
        *_handed(request, one, found),
        *_lands(request, one, found),
        *_goes_on(request, one, found),
        *_scripts(request, one, found),
        *_stops(request, one, found),
    )


def _handed(request: Any, one: Mailbox, found: Routes) -> Iterator[Item]:
    """First, as nothing below counts while it stands."""
    for each in found.handed:
        there = server(each.host, each.port)
        end = Act(
            "End…", f"/do/transports.end/{query(transport=str(each.pk))}", weight="asks", of=f"transport to {there}"
        )
        tls = "only with TLS" if each.tls == REQUIRED else "with TLS where it has it"
        yield Item(("Handed to another server,", Code(there), "and none of it lands here"),
                   f"{_until(each)}; {tls}; {each.owner} answers for it: {each.reason}", "warn",
                   icon="arrow-forward-up", acts=_may(request, one, ("transports.end", end)))  # fmt: skip
    hand = Act("Hand over", f"/do/transports.create/{query(address=one.label)}", of=f"mail of {one.label}")
    if not found.handed and not one.removed_at and (acts := _may(request, one, ("transports.create", hand))):
        yield Item("Another mail server", "all mail goes there instead of landing here, until a day", icon="plus",
                   acts=acts)  # fmt: skip


def _lands(request: Any, one: Mailbox, found: Routes) -> Iterator[Item]:
    for alias in found.aliases:
        change = Act("Change", f"/do/aliases.change/{query(alias=alias.label)}", of=alias.label)
        yield Item(("Alias", Code(alias.label), "lands here"), icon="route",
                   acts=_may(request, one, ("aliases.change", change)))  # fmt: skip
    for forward in found.forwards:
        if forward.address_id != one.address_id:
            yield Item(("Forward of", Code(forward.address.address), "lands here"), _until(forward), icon="route",
                       acts=_of_a_forward(request, one, forward))  # fmt: skip
    for caught in found.catch_alls:
        end = Act("End…", f"/do/catch_alls.end/{query(catch_all=caught.domain.name)}", weight="asks",
                  of=f"the catch-all of {caught.domain.name}")  # fmt: skip
        yield Item(("What is nobody’s at", Code(caught.domain.name), "lands here"), _until(caught), "warn",
                   icon="route", acts=_may(request, one, ("catch_alls.end", end)))  # fmt: skip


def _goes_on(request: Any, one: Mailbox, found: Routes) -> Iterator[Item]:
    let = {each.target: each for each in found.exceptions}
    for forward in found.forwards:
        if forward.address_id == one.address_id:
            by = let.pop(forward.to, None)
            copy = "a copy stays" if forward.address.keep_copy else "no copy stays"
            rests = f"; by the exception of {by.owner}" if by else ""
            yield Item(("Goes on to", Code(forward.to)), f"{_until(forward)}; {copy}{rests}",
                       "off" if forward.disabled_at else "warn",
                       icon="arrow-forward-up", acts=_of_a_forward(request, one, forward))  # fmt: skip
    for target, each in let.items():
        end = Act(
            "End…", f"/do/exceptions.end/{query(exception=str(each.pk))}", weight="asks", of=f"exception to {target}"
        )
        yield Item(("May go on to", Code(target)), f"{_until(each)}; by the exception of {each.owner}", "warn",
                   icon="arrow-forward-up", acts=_may(request, one, ("exceptions.end", end)))  # fmt: skip


def _scripts(request: Any, one: Mailbox, found: Routes) -> Iterator[Item]:
    """Which there are, and where the one in force sends mail: what else stands in them is their owner's."""
    for script in found.scripts:
        if not script.name:
            yield Item((Badge("unknown", "unknown"), "which filters it has"), script.unreadable, icon="question-mark")
            continue
        sends = ", ".join(each["to"] or "where it works out" for each in script.redirects)
        does = [f"sends mail to {sends}"] if sends else []
        does += ["answers by itself"] if script.vacation else []
        why = f"unreadable: {script.unreadable}" if script.unreadable else "; ".join(does) or "sends nothing"
        state, tone = (
            ("in force", "warn" if sends or script.unreadable else "plain") if script.active else ("stored", "off")
        )
        end = Act("End…", f"/do/filters.end/{query(mailbox=one.label)}", weight="asks", of=f"filter of {one.label}")
        ours = script.active and script.name == SCRIPT
        yield Item(("Filter", Code(script.name), state), f"{why}; read {when(script.at)}", tone,  # type: ignore[arg-type]
                   icon="mail-cog", acts=_may(request, one, ("filters.end", end)) if ours else ())  # fmt: skip
    put = Act("Set one", f"/do/filters.set/{query(mailbox=one.label)}", of=f"filter at {one.label}")
    if not one.removed_at and (acts := _may(request, one, ("filters.set", put))):
        yield Item("A filter or an automatic answer", "in place of what was put here; its owner is told", icon="plus",
                   acts=acts)  # fmt: skip


def _stops(request: Any, one: Mailbox, found: Routes) -> Iterator[Item]:
    """What its filters are stopped from, and what they might be."""
    stopped = {each.target for each in found.stops}
    for each in found.stops:
        resume = Act("Resume", f"/do/redirects.resume/{query(mailbox=one.label, target=each.target)}", of=each.target)
        why = f"stopped at the port {when(each.made)}: {each.reason}"
        yield Item(("Filters pass nothing on to", Code(each.target)), why, "off", icon="hand-stop",
                   acts=_may(request, one, ("redirects.resume", resume)))  # fmt: skip
    going = [each["to"] for script in found.scripts if script.active for each in script.redirects]
    for target in dict.fromkeys(to for to in going if to and to not in stopped):
        at = query(mailbox=one.label, target=target)
        stop = Act("Stop…", f"/do/redirects.stop/{at}", weight="asks", of=f"filters passing mail on to {target}")
        if acts := _may(request, one, ("redirects.stop", stop)):
            yield Item(("A filter passes mail on to", Code(target)), "outside, as far as it is allowed", "warn",
                       icon="arrow-forward-up", acts=acts)  # fmt: skip


def _of_a_forward(request: Any, one: Mailbox, forward: Forward) -> tuple[Act, ...]:
    at, of = query(forward=str(forward.pk)), f"{forward.address.address} to {forward.to}"
    way = query(address=forward.address.address, target=forward.to)
    instead = ("forwards.replace", Act("Replace by access", f"/do/forwards.replace/{way}", of=of))
    turn = ("enable", "Enable") if forward.disabled_at else ("disable", "Disable")
    return _may(
        request, one, (f"forwards.{turn[0]}", Act(turn[1], f"/do/forwards.{turn[0]}/{at}", of=of)),
        *(() if forward.disabled_at else (instead,)),
        ("forwards.end", Act("End…", f"/do/forwards.end/{at}", weight="asks", of=of)),
    )  # fmt: skip


def _may(request: Any, one: Mailbox, *wanted: tuple[str, Act]) -> tuple[Act, ...]:
    return offered(request, one.client_id, *wanted, domain=one.address.domain_id)


def _until(row: Forward | CatchAll | RouteException | Transport) -> str:
    ends = f"until {when(row.until)}"
    return f"disabled; {ends}" if isinstance(row, Forward) and row.disabled_at else ends
