"""trace: where mail to an address lands; and a probe, to prove it."""

import time
from collections.abc import Iterator
from typing import Any

import click

from . import remote, show
from .changes import done, json_option


@click.command()
@click.argument("address")
@click.option(
    "--prove",
    is_flag=True,
    help="Send a message there, and say where it was seen to arrive; exit code 1 if not where it was computed to.",
)
@click.option("--why", default="", help="Why, with --prove; whoever looks at this later will ask.")
@click.option("--within", default=60, show_default=True, help="Seconds to wait for a probe to arrive.")
@json_option
def trace(address: str, prove: bool, why: str, within: int, as_json: bool) -> None:
    """Where mail to ADDRESS lands: each hop with its rule, who made it, how old it is and until when."""
    if prove:
        _prove(address, why, within, as_json)
        return
    found = remote.ask("GET", f"/addresses/{remote.quoted(address)}/trace")
    if as_json:
        show.as_json(found)
        return
    click.secho(found["address"], bold=True)
    for hop in found["hops"]:
        for line in _hop(hop):
            click.echo(line)
    hits = {one["target"]: f", last hit {one['at'][:16].replace('T', ' ')} UTC" for one in found["last_hits"]}
    for one in found["landings"]:
        click.echo(f"lands: {show.landing(one)}{hits.get(one['address'], '') if one['sort'] == 'outside' else ''}")
    if not found["landings"]:
        click.echo("lands: thrown away by its own filter")
    for one in found["leads_here"]:
        click.echo(f"comes here: {one['address']} by {one['by']}{', sometimes' if one['sometimes'] else ''}")
    if found["more_lead_here"]:
        click.echo(f"comes here: perhaps {found['more_lead_here']} more")


PAUSE = 2  # seconds between two looks
OPEN = ("waits", "not sent yet")


def _prove(address: str, why: str, within: int, as_json: bool) -> None:
    """Send one, and look until all of it is seen, or the time is over."""
    if not why:
        raise click.UsageError("--prove needs --why: whoever looks at this later will ask")
    path = f"/addresses/{remote.quoted(address)}/probe"
    change = remote.ask("POST", path, {"why": why})
    if change["stage"] not in ("applied", "verified"):
        done(change, as_json)
        return
    until = time.monotonic() + within
    while (found := _of(remote.ask("GET", path)["probe"], change))["verdict"] in OPEN and time.monotonic() < until:
        time.sleep(PAUSE)
    if as_json:
        show.as_json(found)
    else:
        for one in found["landings"]:
            click.echo(_landed(one))
        why = f"; {found['not_sent']}" if found["not_sent"] else ""
        click.secho(f"{address}: {found['verdict']}{why}", bold=True)
    if found["verdict"] != "as computed":
        raise SystemExit(1)


def _of(probe: dict[str, Any] | None, change: dict[str, Any]) -> dict[str, Any]:
    if probe is None or probe["change"] != change["id"]:
        raise click.ClickException("another probe was sent there since; look at that one")
    return probe


def _landed(one: dict[str, Any]) -> str:
    name = one["address"] or "an address that is not shown"
    notes = [word for word, so in (("sometimes", one["sometimes"]), ("not computed", not one["computed"])) if so]
    notes += [note for note in (one["folder"], one["said"] or one["status"], one["why"]) if note]
    return f"{name} ({one['sort']}): {one['state']}{'; ' if notes else ''}{'; '.join(notes)}"


def _hop(hop: dict[str, Any]) -> Iterator[str]:
    notes = [word for word, so in (("keeps a copy", hop["keeps"]), ("sometimes", hop["sometimes"])) if so]
    notes += [f"until {hop['until'][:16]}Z"] if hop["until"] else []
    notes += [f"unknown: {hop['unknown']}"] if hop["unknown"] else []
    notes += [f"not sent to {', '.join(hop['not_sent'])}"] if hop["not_sent"] else []
    notes += [f"of {hop['client']['name']}"] if hop["client"] else []
    indent = "  " * (hop["step"] + 1)
    yield f"{indent}{hop['at']}  {hop['mechanism']} -> {', '.join(hop['to']) or 'nobody'}  {', '.join(notes)}".rstrip()
    for made in filter(None, (hop["made"], (hop["made"] or {}).get("changed"))):
        yield f"{indent}  {made['kind']} by {made['by']}, {made['at'][:16]}Z: {made['why'] or 'no reason given'}"
    if let := hop["exception"]:
        more = f", {let['owner']} answers, until {let['until'][:16]}Z: {let['reason']}" if let["owner"] else ""
        yield f"{indent}  leaves by an exception{more or ' that is not yours to see'}"
