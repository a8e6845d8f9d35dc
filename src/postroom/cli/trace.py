"""trace: where mail to an address lands."""

from collections.abc import Iterator
from typing import Any

import click

from . import remote, show
from .changes import json_option


@click.command()
@click.argument("address")
@json_option
def trace(address: str, as_json: bool) -> None:
    """Where mail to ADDRESS lands: each hop with its rule, who made it, how old it is and until when."""
    found = remote.ask("GET", f"/addresses/{remote.quoted(address)}/trace")
    if as_json:
        show.as_json(found)
        return
    click.secho(found["address"], bold=True)
    for hop in found["hops"]:
        for line in _hop(hop):
            click.echo(line)
    for one in found["landings"]:
        click.echo(f"lands: {show.landing(one)}")
    if not found["landings"]:
        click.echo("lands: thrown away by its own filter")
    for one in found["leads_here"]:
        click.echo(f"comes here: {one['address']} by {one['by']}{', sometimes' if one['sometimes'] else ''}")
    if found["more_lead_here"]:
        click.echo(f"comes here: perhaps {found['more_lead_here']} more")


def _hop(hop: dict[str, Any]) -> Iterator[str]:
    notes = [word for word, so in (("keeps a copy", hop["keeps"]), ("sometimes", hop["sometimes"])) if so]
    notes += [f"until {hop['until'][:16]}Z"] if hop["until"] else []
    notes += [f"unknown: {hop['unknown']}"] if hop["unknown"] else []
    notes += [f"not sent to {', '.join(hop['not_sent'])}"] if hop["not_sent"] else []
    indent = "  " * (hop["step"] + 1)
    yield f"{indent}{hop['at']}  {hop['mechanism']} -> {', '.join(hop['to']) or 'nobody'}  {', '.join(notes)}".rstrip()
    for made in filter(None, (hop["made"], (hop["made"] or {}).get("changed"))):
        yield f"{indent}  {made['kind']} by {made['by']}, {made['at'][:16]}Z: {made['why'] or 'no reason given'}"
    if let := hop["exception"]:
        more = f", {let['owner']} answers, until {let['until'][:16]}Z: {let['reason']}" if let["owner"] else ""
        yield f"{indent}  leaves by an exception{more or ' that is not yours to see'}"
