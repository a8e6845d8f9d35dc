"""audit: what stands in the record, through the API; and on the machine, as root: is it still what was signed?"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import psycopg

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.changes.record import note as event
from postroom.host.installation import Installation
from postroom.host.up import cluster_of
from postroom.models import Client
from postroom.protocols import note
from postroom.queries.about import lines_about
from postroom.record.export import PROGRAM, NothingSigned
from postroom.record.export import export as take_out
from postroom.record.verify import Verdict, Verification

from . import remote, show
from .place import installation


@click.group()
def audit() -> None:
    """The record: verified by what was signed."""


@audit.command()
@click.option("--client", help="One client's entries alone, by its slug.")
@click.option("--from", "kept", type=click.Path(path_type=Path, exists=True, dir_okay=False), multiple=True,
              help="A checkpoint that was kept elsewhere, as a file; again for more.")  # fmt: skip
@click.option("--key", help="The signer's line as you know it; left out, the one in the state folder is believed.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def verify(client: str | None, kept: tuple[Path, ...], key: str | None, as_json: bool) -> None:
    """Hash every entry again and hold the roots against every checkpoint; exit code 1 if anything differs."""
    here = installation()
    who = _signed_by(here, key)
    found = _verified(here, who, [path.read_text() for path in (*kept, *_last(here))], client)
    click.echo(json.dumps(asdict(found), indent=2)) if as_json else _shown(found, who)
    if found.problems:
        raise SystemExit(1)


@audit.command()
@click.option("--client", required=True, help="Whose record, by its slug.")
@click.option("--out", type=click.Path(path_type=Path, exists=False), required=True, help="The archive to write.")
def export(client: str, out: Path) -> None:
    """One client's record, with proofs and a program that verifies it anywhere; that it was exported is recorded."""
    here = installation()
    who = _signed_by(here)
    try:
        with psycopg.connect(cluster_of(here).dsn("postroom_system", "postroom"), autocommit=True) as connection:
            whose = _client(connection, client)
            with acting_as(SYSTEM):  # first the entry: what is taken away without one would be no use to say later
                event("record exported", client=whose, by="root, on the machine")
            count = take_out(connection, whose, who, out)
    except (psycopg.OperationalError, NothingSigned, OSError) as error:
        raise click.ClickException(str(error).splitlines()[0]) from None
    click.echo(f"{count:,} entries in {out}; whoever gets it runs: python3 {PROGRAM} FOLDER '{who}'")


@audit.command("list")
@click.option("--client", help="Of one client, by its slug.")
@click.option("--person", help="By one person, by mail address.")
@click.option("--object", "about", help="About one object: an id, an address, a domain.")
@click.option("--kind", help="A kind of change, or an event (signed in, refused, looked at); several apart by commas.")
@click.option("--since", help="From this time on (2026-05-03T12:00:00Z).")
@click.option("--until", help="Up to this time.")
@click.option("--limit", default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer as it is.")
def listed(
    client: str, person: str, about: str, kind: str, since: str, until: str, limit: int, as_json: bool
) -> None:  # fmt: skip
    """Every entry you may see, newest first, each with how far it is proven."""
    wanted = {"client": client, "person": person, "object": about, "kind": kind, "since": since, "until": until,
              "limit": limit}  # fmt: skip
    found = remote.ask("GET", "/entries?" + remote.query(wanted))
    show.as_json(found) if as_json else show.entries(found["items"])


@audit.command()
@click.argument("who", metavar="ADDRESS")
@click.option("--client", help="Whose record, by its slug; left out, the organization's own.")
@click.option("--json", "as_json", is_flag=True, help="Print the lines as JSON.")
def about(who: str, client: str | None, as_json: bool) -> None:
    """Lines of the record in which a mail address stands, or the row it belongs to; what record.erase is given."""
    with acting_as(SYSTEM):
        owner = visible(SYSTEM, Client).filter(slug=client).first() if client else None
        if client and owner is None:
            raise click.BadParameter(f"there is no client {client}", param_hint="--client")
        lines = list(_about(who, owner.pk if owner else None))
    if as_json:
        click.echo(json.dumps(lines, indent=2, ensure_ascii=False))
        return
    for one in lines:
        words = " ".join(part for part in (one["table"], one["what"], one["row"], ", ".join(one["fields"])) if part)
        click.echo(f"{one['line']:>12}  {one['at']}  {words}")
    click.echo(f"{len(lines):,} lines; to erase some: postroom change record.erase -p lines=LINE … -p reason=WHAT_FOR")


def _about(who: str, client: UUID | None) -> Iterator[dict[str, Any]]:
    page = lines_about(SYSTEM, who, client=client)
    yield from page.items
    while page.next:
        page = lines_about(SYSTEM, who, client=client, after=page.next)
        yield from page.items


@audit.command()
def key() -> None:
    """The signer's line: write it down elsewhere, and give it to whoever shall be able to verify."""
    click.echo(str(_signed_by(installation())))


def _signed_by(here: Installation, key: str | None = None) -> note.Verifier:
    try:
        return note.verifier(key or (here.signer / "public").read_text())
    except note.BadNote as bad:
        raise click.BadParameter(str(bad), param_hint="--key") from None
    except FileNotFoundError:
        raise click.ClickException("the signer has not started here yet: there is no key to verify by") from None


def _last(here: Installation) -> list[Path]:
    """What the signer keeps outside of the database."""
    path = here.signer / "last.note"
    return [path] if path.exists() else []


def _verified(here: Installation, who: note.Verifier, kept: list[str], client: str | None) -> Verdict:
    dsn = cluster_of(here).dsn("postroom_system", "postroom")
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            over = Verification(connection, who, kept)
            return over.of_client(_client(connection, client)) if client else over.whole()
    except psycopg.OperationalError as away:
        raise click.ClickException(f"the database does not answer: {str(away).splitlines()[0]}") from None


def _client(connection: "psycopg.Connection[Any]", slug: str) -> Any:
    row = connection.execute("SELECT id FROM clients WHERE slug = %s", [slug]).fetchone()
    if row is None:
        raise click.BadParameter(f"there is no client {slug}", param_hint="--client")
    return row[0]


def _shown(found: Verdict, who: note.Verifier) -> None:
    for problem in found.problems:
        click.secho(f"WRONG  {problem}", bold=True)
    good = "not whole" if found.problems else "as recorded"
    click.echo(f"{found.entries:,} entries, {good}; {found.signed:,} of the log are signed by {who.name}")
