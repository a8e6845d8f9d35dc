"""token-key: draws another key for the tokens of mail apps; the one before signs until the mail nodes have it."""

import click
from django.conf import settings

from postroom.access import token_keys
from postroom.host.files import write
from postroom.host.keys import GROUP


@click.command("token-key")
def token_key() -> None:
    """Draw another key for the tokens of mail apps. Nobody is signed out: apps get their next tokens by it."""
    path = settings.POSTROOM.token_keys_file
    if path is None or not path.exists():
        raise click.ClickException("this installation has no file of such keys: `postroom up` makes it")
    write(path, token_keys.with_another(path.read_bytes()), mode=0o640, group=GROUP)
    newest, *before = token_keys.read(path)
    click.echo(f"Tokens are signed by {newest.kid} as soon as the mail nodes have it, within a minute.")
    for one in before:
        click.echo(f"{one.kid} signs until then, and what it signed is good to its end.")
