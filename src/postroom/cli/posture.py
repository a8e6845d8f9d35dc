"""posture: domains by the rules mail is judged by, as an installation looked at their DNS last; or one, with all."""

from typing import Any

import click

from postroom.protocols.posture import AREAS
from postroom.protocols.text import shown

from . import remote, show
from .changes import json_option
from .checked import COLOURS, QUIET

STATES = ("bad", "unknown", "warn", "good")


@click.command()
@click.argument("domain", required=False)
@click.option("--client", help="Of one client, by its slug.")
@click.option("--state", type=click.Choice(STATES), help="good: nothing to mend.")
@click.option("--area", type=click.Choice(AREAS), help="Whose state is meant; left out, the worst of all.")
@click.option("--search", help="With this in the name.")
@click.option("--after", help="Go on where the last page ended.")
@click.option("--limit", default=50, show_default=True)
@click.option("--all", "everything", is_flag=True, help="Of one domain: show what is good as well.")
@json_option
def posture(domain: str | None, everything: bool, as_json: bool, **narrowed: Any) -> None:
    """What is wrong with the DNS of DOMAIN; without one, how each domain stands."""
    if domain is None:
        asked = {name: value for name, value in narrowed.items() if value}
        found = remote.ask("GET", f"/postures?{remote.query(asked)}")
        show.as_json(found) if as_json else _many(found)
        return
    found = remote.ask("GET", f"/domains/{remote.quoted(domain)}/posture")
    show.as_json(found) if as_json else _one(found, everything)


def _many(found: dict[str, Any]) -> None:
    for one in found["items"]:
        wrong = ", ".join(f"{area} {level}" for area, level in one["levels"].items() if level not in QUIET)
        level = click.style(f"{one['level']:8}", fg=COLOURS[one["level"]])
        click.echo(f"{level} {one['domain']:32} {one['client']:16} {shown(one['unknown'], 200) or wrong}".rstrip())
    if found["next"]:
        click.echo(f"more: --after {found['next']}")


def _one(found: dict[str, Any], everything: bool) -> None:
    score = found["score"]
    points = f", {'at most ' if score['at_most'] else ''}{score['points']} of 100" if score else ""
    at = f", looked at {found['at'][:16].replace('T', ' ')} UTC" if found["at"] else ""
    click.secho(f"{found['domain']}: {found['level']}{points}{at}", bold=True)
    if found["unknown"]:
        click.echo(f"  not known: {shown(found['unknown'], 400)}")
    for one in found["results"]:
        if everything or one["level"] not in QUIET:
            level = click.style(f"{one['level']:8}", fg=COLOURS[one["level"]])
            click.echo(f"  {level} {shown(one['says'], 400)}  [{one['rule']}, {one['source']}]")
            for value in (one["publish"] or {"values": []})["values"]:
                record = one["publish"]
                click.echo(f"           {record['name']} {record['ttl']} IN {record['type']} {shown(value, 1000)}")
