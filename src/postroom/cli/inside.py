"""Commands that are a part of the installation: the worker, and sessions made on the machine itself."""

import json
from datetime import timedelta

import click
from django.conf import settings
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.access.tokens import draw, invite_link
from postroom.changes.errors import ChangeError
from postroom.changes.kinds.links import PrintLink
from postroom.changes.kinds.people import COUNTED, OpenSession
from postroom.changes.pipeline import submit
from postroom.host.files import write
from postroom.models import Organization
from postroom.worker.run import run

from .portfolio import PEOPLE

LASTS = timedelta(hours=12)


@click.command()
def worker() -> None:
    """Run deliveries, the clock, proofs and our own mail."""
    run()


@click.group()
def token() -> None:
    """Sessions at the API."""


@token.command("create")
@click.option("--as", "email", required=True, metavar="ADDRESS", help="Whose session it is.")
@click.option("--json", "as_json", is_flag=True, help='Print {"token": …}.')
def create(email: str, as_json: bool) -> None:
    """A personal session of a demo person, MFA counted as done, for twelve hours. In demo installations only."""
    if not settings.POSTROOM.demo:
        raise click.ClickException("only in a demo installation; here people sign in: postroom login")
    made, hashed = draw()
    kind = OpenSession(person=email.lower(), label="demo", mfa=COUNTED, until=timezone.now() + LASTS)
    try:
        change = submit(kind, actor=SYSTEM, why="postroom token create, in a demo", secrets={"session": hashed})
    except ChangeError as error:
        raise click.ClickException(str(error)) from None
    if change.version is None:
        raise click.ClickException("; ".join(v["reason"] for v in change.verdicts))
    click.echo(json.dumps({"token": made}) if as_json else made)


@click.command()
def links() -> None:
    """The one-time links with which people get in: to found the installation, or for the demo people."""
    with acting_as(SYSTEM):
        founded = visible(SYSTEM, Organization).exists()
    if not founded:
        token, kept = draw()
        write(settings.POSTROOM.state / "keys/founding", kept.encode(), mode=0o640, group="postroom")
        click.echo(f"The first owner founds this installation here, once:\n  {settings.POSTROOM.origin}/found/{token}")
    elif settings.POSTROOM.demo:
        click.echo("Sign in as (each link works once, and stands for both factors):")
        for email in PEOPLE:
            click.echo(f"  {email:34} {_printed(email)}")


def _printed(email: str) -> str:
    token, kept = draw()
    change = submit(PrintLink(person=email), actor=SYSTEM, why="printed at the start", secrets={"link": kept})
    return invite_link(token) if change.version else "; ".join(v["reason"] for v in change.verdicts)
