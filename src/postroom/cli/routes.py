"""routes: every address of the pages and the API, whom it lets in, what comes before, what is recorded."""

import json

import click

from postroom.web.routes import page
from postroom.web.routes import routes as every


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, one object a method of an address.")
def routes(as_json: bool) -> None:
    """Print every route with its permission, as Markdown."""
    click.echo(json.dumps([one.as_json() for one in every()], indent=1) if as_json else page(), nl=as_json)
