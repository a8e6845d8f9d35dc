"""access: who may do what, where, since when, and when it was last used; who-can-reset: who gets into a mailbox."""

from typing import Any
from urllib.parse import quote

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


@click.command()
@click.argument("mailbox")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer as it is.")
def who_can_reset(mailbox: str, as_json: bool) -> None:
    """Every path to control of a MAILBOX, the weakest first."""
    found = remote.ask("GET", f"/mailboxes/{quote(mailbox)}/who-can-reset")
    if as_json:
        show.as_json(found)
        return
    for one in found["items"]:
        click.echo(_path(one))


def _path(one: dict[str, Any]) -> str:
    mark = "weakest" if one["weakest"] else ""
    age = f"since {one['since'][:10]}" if one["since"] else "age not known"
    counts = {"yes": "counts", "no": "does not count", "unknown": "not known"}[one["counts"]]
    return f"{mark:8}{counts:15} {age:16} {one['who']}: {one['reason'] if one['weakest'] else one['why']}"
