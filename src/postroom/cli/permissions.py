"""permissions: the table of who may what, from code, as the docs have it."""

import click

from postroom.queries.permissions import page


@click.command()
def permissions() -> None:
    """Print the permissions table, as Markdown."""
    click.echo(page(), nl=False)
