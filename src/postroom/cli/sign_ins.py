"""sign-ins, sessions: who signed in to a mailbox, who is in now; and end all of these."""

from collections.abc import Iterator
from typing import Any

import click

from . import remote, show
from .changes import done, json_option


@click.command("sign-ins")
@click.argument("mailbox")
@click.option("--limit", default=50, show_default=True)
@click.option("--after", help="Go on where the last page ended.")
@json_option
def sign_ins(mailbox: str, as_json: bool, **narrowed: Any) -> None:
    """Sign-ins to MAILBOX and tries, newest first."""
    found = remote.ask("GET", f"/mailboxes/{remote.quoted(mailbox)}/sign-ins?{remote.query(narrowed)}")
    if as_json:
        show.as_json(found)
        return
    for one in found["items"]:
        click.echo(_line(one))
    if found["next"]:
        click.echo(f"more: --after {found['next']}")


def _line(one: dict[str, Any]) -> str:
    what = "signed in" if one["success"] else "REFUSED" if one["refused"] else "failed"
    times = f"  {one['times']} times" if one["times"] > 1 else ""
    by = "  ".join(filter(None, (one["credential"], one["program"])))
    return f"{one['at'][:19]}Z  {what:9}  {one['protocol']:10}  {one['address'] or 'no address':39}  {by}{times}"


@click.command()
@click.argument("address")
@click.option("--person", is_flag=True, help="Browsers and terminals of the person with this address; no mailbox's.")
@click.option("--end", is_flag=True, help="End all of them; whoever it is signs in anew.")
@click.option("--device", help="With --end: only what this app password or mail app opened; its id, or as listed.")
@click.option("--why", help="Why they are ended.")
@json_option
def sessions(address: str, person: bool, end: bool, device: str | None, why: str | None, as_json: bool) -> None:
    """Who is signed in to the mailbox ADDRESS now; with --person, where that person is signed in here."""
    if device and (person or not end):
        raise click.UsageError("--device goes with --end, and with a mailbox")
    if end:
        if not why:
            raise click.UsageError("say --why")
        done(remote.ask("POST", "/changes", {**_ended(address, person, device), "why": why}), as_json)
        return
    where = f"/people/{remote.quoted(address)}" if person else f"/mailboxes/{remote.quoted(address)}/sessions"
    found = remote.ask("GET", where)
    if as_json:
        show.as_json(found["sessions"] if person else found)
        return
    for line in _of_person(found["sessions"]) if person else _open(found):
        click.echo(line)


def _ended(address: str, person: bool, device: str | None) -> dict[str, Any]:
    if person:
        return {"kind": "sessions.end", "params": {"person": address}}
    of_it = {"app_password": device.rpartition(":")[2]} if device else {}  # app:<id>, oauth:<id>
    return {"kind": "mailboxes.end_sessions", "params": {"mailbox": address, **of_it}}


def _of_person(found: dict[str, Any]) -> Iterator[str]:
    """Browsers and terminals; unknown where it is not for who asks to look at all of them."""
    if not found["known"]:
        yield "unknown: not yours to see"
    elif not found["items"]:
        yield "nowhere"
    for one in found["items"] or ():
        yield f"{one['sort']:10}  {one.get('address') or 'not kept':39}  {_since(one)}  {one['program'] or ''}"


def _open(found: dict[str, Any]) -> Iterator[str]:
    """Mail programs, and browsers at the owner's pages. Nobody is said only where the node has just listed them."""
    if not found["known"]:
        last = f"; it last did at {found['at'][:19]}Z" if found["at"] else ""
        yield f"unknown: its node has not listed them within a minute{last}"
    elif not found["items"] and not found["browsers"]:
        yield "nobody"
    for one in found["items"] or ():
        by = "  ".join(filter(None, (one["credential"], one["program"])))
        yield f"{one['protocol']:10}  {one['address']:39}  {_since(one)}  {by}"
    for one in found["browsers"]:
        yield f"{'browser':10}  {one['address']:39}  {_since(one)}  {one['program'] or ''}"


def _since(one: dict[str, Any]) -> str:
    return f"since {one['since'][:19]}Z" if one["since"] else "since when is not known"
