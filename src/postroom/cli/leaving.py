"""leaving: every way by which mail leaves a client, worst first, and how much of scripts is known."""

import time
from pathlib import Path
from typing import Any

import click

from . import leaving_views, remote, show

MECHANISMS = ("forward", "alias", "catch-all", "domain alias", "sieve redirect", "sieve notify", "transport", "by way")
RISKS = ("high", "medium", "low")
LOOKED, WAITED = "looked", "waited for"


@click.command()
@click.option("--client", help="Of one client, by its slug.")
@click.option("--mechanism", type=click.Choice(MECHANISMS), help="By way: those that lead over another address.")
@click.option("--risk", type=click.Choice(RISKS))
@click.option("--private", is_flag=True, help="Only to providers of private mailboxes.")
@click.option("--unexcepted", is_flag=True, help="Only what no exception covers.")
@click.option("--search", help="With this in an address on the way, or in the target.")
@click.option("--after", help="Go on where the last page ended.")
@click.option("--limit", default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer as it is.")
@click.option("--view", help="As narrowed by one of your saved views; what else is said here counts before it.")
@click.option("--save-view", metavar="NAME", help="Save how it is narrowed under this name.")
@click.option("--remove-view", metavar="NAME", help="Remove one of your saved views, and show nothing.")
@click.option("--views", is_flag=True, help="List your saved views, and show nothing else.")
@click.option("--refresh", is_flag=True, help="Have every node look at all scripts first, and wait for it.")
@click.option("--csv", "out", type=click.Path(path_type=Path), help="Write all of them to this file instead.")
@click.option("--why", default="", help="With --csv: why they are taken out; stands in the record.")
def leaving(
    out: Path | None, why: str, as_json: bool, after: str | None, limit: int, refresh: bool, view: str | None,
    save_view: str | None, remove_view: str | None, views: bool, **narrowed: Any,
) -> None:  # fmt: skip
    """Every way by which mail leaves, worst first."""
    if out is not None and not why:
        raise click.UsageError("say --why: it stands in the record")
    if views or remove_view:
        leaving_views.listed(remove=remove_view)
        return
    if view:
        narrowed = leaving_views.opened(view) | {name: value for name, value in narrowed.items() if value}
    if save_view:
        leaving_views.saved(save_view, narrowed)
    if refresh:
        _refreshed(narrowed.get("client"))
    if out is not None:
        size = remote.fetch(f"/forwards-leaving/file?{remote.query({**_said(narrowed), 'why': why})}", out)
        click.echo(f"{size:,} bytes in {out}")
        return
    asked = {**_said(narrowed), "after": after, "limit": limit}
    found = remote.ask("GET", f"/forwards-leaving?{remote.query(asked)}")
    show.as_json(found) if as_json else _shown(found)


def _said(narrowed: dict[str, Any]) -> dict[str, Any]:
    return {name: "true" if value is True else value for name, value in narrowed.items() if value}


def _refreshed(client: str | None) -> None:
    """Wait until every node has looked, or has had its time; told on the error stream, as it comes. Ctrl-C ends it."""
    path = f"/forwards-leaving/looks?{remote.query({'client': client})}"
    found, told = remote.ask("POST", path), set[tuple[str, str]]()
    while True:
        for one in found["items"]:
            if one["state"] != WAITED and (one["node"], one["state"]) not in told:
                told.add((one["node"], one["state"]))
                click.secho(f"  {one['node']}: {one['state']}", err=True, fg=None if one["state"] == LOOKED else "red")
        if found["over"]:
            break
        time.sleep(1)
        found = remote.ask("GET", path)
    of_all = f"{found['looked']} of {found['nodes']}"
    click.echo(f"{of_all} nodes have looked at all scripts since they were asked", err=True)


def _shown(found: dict[str, Any]) -> None:
    for one in found["items"]:
        click.secho(f"{one['risk']:6}  {one['address']} to {one['target'] or 'an unknown target'}", bold=True)
        click.echo("    " + "  ".join(filter(None, _about(one))))
    known = found["coverage"]
    if not found["items"]:
        click.echo("none" if known["whole"] else "none was found, which says nothing of what was not checked")
    if found["next"]:
        click.echo(f"more: --after '{found['next']}'")
    at = f", as of {known['at'][:19]}Z" if known["at"] else ""
    click.echo(f"scripts of {known['checked']} of {known['mailboxes']} mailboxes checked{at}")
    for one in known["unchecked"]:
        click.echo(f"  {one['mailboxes']} not: {one['words']}" if one["mailboxes"] else f"  {one['words']}")


def _last(one: dict[str, Any]) -> str:
    hit, since = one["last_hit"], one["measured_since"]
    if hit:
        return f"last hit {hit[:16].replace('T', ' ')} UTC" + ("" if since else ", not measured now")
    return f"no hit since {since[:16].replace('T', ' ')} UTC" if since else "last hit not measured"


def _let(exception: dict[str, Any]) -> str:
    """Who answers for it, until when, why and who agreed; what is not theirs to see is said so."""
    if exception["until"] is None:
        return "by an exception that is not yours to see"
    by = ", ".join(exception["approved_by"] or ()) or ("nobody" if exception["change"] else "somebody you do not see")
    return (
        f"by exception of {exception['owner']} until {exception['until'][:10]}, agreed by {by}, "
        f"review {exception['review_on']}: {exception['reason']}"
    )


def _about(one: dict[str, Any]) -> list[str]:
    """What is known of it besides, in words."""
    exception, made = one["exception"], one["made_by"]
    return [
        one["client"], one["mechanism"], f"by way of {one['via']}" if one["via"] else "",
        "some mail" if one["conditional"] else "", "private provider" if one["private"] else "",
        "stopped at the port" if one["stopped"] else "disabled" if one["off"] else "",
        "blocked by its node: the mail stays" if one["blocked"] and not one["stopped"] else "",
        f"one of {one['ways']} ways to the same exit" if one["ways"] > 1 else "",
        _let(exception) if exception else "",
        f"allowed by {one['allowed']}" if one["allowed"] else "",
        f"forbidden by {one['forbidden']}" if one["forbidden"] else "",
        "" if exception or one["allowed"] or one["forbidden"] else "no exception",
        f"made by {made['by']}" if made else "", _last(one),
    ]  # fmt: skip
