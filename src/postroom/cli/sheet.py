"""sheet: the inventory of a client, on the terminal or as a file."""

from pathlib import Path
from typing import Any

import click

from . import remote, show

PARTS = ("domains", "mailboxes", "routes", "roles")
FORMATS = {".csv": "csv", ".pdf": "pdf"}


@click.command()
@click.argument("client")
@click.option("--part", type=click.Choice(PARTS), default="domains", show_default=True)
@click.option("--after", help="Go on where a page ended.")
@click.option("--limit", default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer as it is.")
@click.option("--out", type=click.Path(path_type=Path), help="Write all of it to this file instead, .csv or .pdf.")
@click.option("--why", default="", help="Why it is taken out; stands in the record.")
def sheet(client: str, out: Path | None, why: str, as_json: bool, **narrowed: Any) -> None:
    """Who holds, owns and may do what at a client, and how much of it is known."""
    path = f"/clients/{remote.quoted(client)}/sheet"
    if out is not None:
        _written(path, out, why)
        return
    found = remote.ask("GET", f"{path}?{remote.query(narrowed)}")
    show.as_json(found) if as_json else _shown(found)


def _written(path: str, out: Path, why: str) -> None:
    if out.suffix not in FORMATS:
        raise click.BadParameter("say a file that ends in .csv or .pdf", param_hint="--out")
    if not why:
        raise click.UsageError("say --why: it stands in the record")
    size = remote.fetch(f"{path}/file?{remote.query({'format': FORMATS[out.suffix], 'why': why})}", out)
    click.echo(f"{size:,} bytes in {out}")


def _shown(found: dict[str, Any]) -> None:
    said = ", ".join(f"{name} {one['known']} of {one['of']}" for name, one in found["complete"].items())
    click.echo(f"{found['client']}: known of {said}; mail leaves: {found['sending'] or 'not known'}")
    for one in found["items"]:
        first, *rest = one.items()
        click.secho(str(first[1]), bold=True)
        for name, value in rest:
            click.echo(f"  {name}: {'not known' if value is None else value}")
    if found["next"]:
        click.echo(f"more: --after {found['next']}")
