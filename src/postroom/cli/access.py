"""access: who may do what, where, since when and until when, and when it was last used."""

from typing import Any

import click

from . import remote, show


@click.command()
@click.option("--client", help="At one client, by its slug: its own people and the organization's.")
@click.option("--search", help="With this in the name, the address or the role.")
@click.option("--limit", default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer as it is.")
def access(as_json: bool, **narrowed: Any) -> None:
    """Who may do what here."""
    found = remote.ask("GET", "/access?" + remote.query(narrowed))
    if as_json:
        show.as_json(found)
        return
    if found["closed"]:
        click.echo(f"{found['client']} is closed to the organization since {found['closed']}")
    for one in (*found["items"], *found["others"], *found["tokens"]):
        click.echo(_line(one))
    if found["next"]:
        click.echo(f"more: --limit {narrowed['limit'] * 2}, or --search")


def _line(one: dict[str, Any]) -> str:
    where = one["domain"] or one["client"] or "organization"
    what = f"token {one['role']}" if one["sort"] == "token" else one["role"]
    until = one["until"] or "no end"
    sealed = "  (sealed login)" if one["sealed"] else ""
    return f"{one['name']:20}  {what:16}  {where:16}  until {until}, last used {one['last_used'] or 'never'}{sealed}"
