"""access-review, roster: what is asked of each client every quarter; signing and answering it line by line."""

from typing import Any

import click

from . import remote, show
from .changes import done

json_option = click.option("--json", "as_json", is_flag=True, help="Print the API's answer as it is.")
PATHS = {"access review": "/access-reviews", "roster": "/rosters"}
SIGNED, ANSWERS = ("keep", "end", "change"), ("here", "left", "unknown")


@click.group("access-review")
def access_review() -> None:
    """Who may do what at a client, signed every quarter by an approver, line by line."""


@click.group()
def roster() -> None:
    """Who of a client is still there, asked of its own people every quarter."""


def _listed(sort: str) -> click.Command:
    @click.command("list", help=f"The {sort}s, newest first, and how far each is.")
    @click.option("--client", help="Of one client, by its slug.")
    @click.option("--limit", default=50, show_default=True)
    @json_option
    def command(as_json: bool, **narrowed: Any) -> None:
        found = remote.ask("GET", f"{PATHS[sort]}?" + remote.query(narrowed))
        if as_json:
            show.as_json(found)
            return
        for one in found["items"]:
            click.echo(_round(one))
        if not found["items"]:
            click.echo("none yet")

    return command


def _shown(sort: str, states: tuple[str, ...]) -> click.Command:
    @click.command("show", help=f"The lines of one {sort}, ROUND_ID: as each stood, what is so now, what was answered.")
    @click.argument("round_id")
    @click.option("--state", type=click.Choice(("open", *states)), help="Those alone; open: without an answer.")
    @click.option("--search", help="With this in its name, or in why it was answered so.")
    @click.option("--after", help="The page after this line.")
    @click.option("--limit", default=50, show_default=True)
    @json_option
    def command(round_id: str, as_json: bool, **narrowed: Any) -> None:
        found = remote.ask("GET", f"{PATHS[sort]}/{remote.quoted(round_id)}?" + remote.query(narrowed))
        if as_json:
            show.as_json(found)
            return
        click.echo(_round(found))
        for one in found["items"]:
            click.echo(_line(one))
        if found["next"]:
            click.echo(f"more: --after {found['next']}")

    return command


def _answered(kind: str, name: str, answers: tuple[str, ...], help: str) -> click.Command:
    @click.command(name, help=help)
    @click.argument("line_id")
    @click.argument("answer", type=click.Choice(answers))
    @click.option("--why", required=True, help="Why; it stands beside the line, and in the record.")
    @json_option
    def command(line_id: str, answer: str, why: str, as_json: bool) -> None:
        body = {"kind": kind, "params": {"line": line_id, "answer": answer}, "why": why}
        done(remote.ask("POST", "/changes", body), as_json)

    return command


def _opened(kind: str, sort: str) -> click.Command:
    @click.command("open", help=f"Open the {sort} of this quarter for CLIENT now; it opens by itself else.")
    @click.argument("client")
    @click.option("--why", required=True, help="Why now.")
    @json_option
    def command(client: str, why: str, as_json: bool) -> None:
        done(remote.ask("POST", "/changes", {"kind": kind, "params": {"client": client}, "why": why}), as_json)

    return command


def _round(one: dict[str, Any]) -> str:
    far = f"{one['lines'] - one['left']} of {one['lines']} answered"
    unknown = f", {one['unknown']} unknown" if one["unknown"] else ""
    state = "closed" if one["closed"] else "LATE" if one["late"] else "open"
    return f"{one['client']:16}  {one['quarter']}  {state:6}  {far}{unknown}, due {one['due'][:10]}  {one['id']}"


def _line(one: dict[str, Any]) -> str:
    stood, now = one["stood"], one["now"]
    where = stood.get("domain") or stood.get("where") or stood.get("kind") or ""
    if one["noun"] == "delegations":
        until = f"until {stood['until'][:10]}" if stood["until"] else "no end"
        where = f"{until}, asked for by {stood['given_by']}"
    meanwhile = f"  (now: {now['what']})" if now["what"] else ""
    by = f" by {one['by']}{', as told to them' if one['on_behalf'] else ''}: {one['note']}" if one["answer"] else ""
    return f"{one['name']:40}  {where:14}{meanwhile}  {one['answer'] or 'no answer'}{by}\n    {one['id']}"


SIGN = "Sign one line, LINE_ID: the right stays (keep), ends (end), or somebody shall change it (change)."
TELL = "Say of one line, LINE_ID, whether who it names is still there: here, left or unknown."
for group, sort, states in ((access_review, "access review", SIGNED), (roster, "roster", ANSWERS)):
    group.add_command(_listed(sort))
    group.add_command(_shown(sort, states))
access_review.add_command(_answered("access_reviews.sign", "sign", SIGNED, SIGN))
access_review.add_command(_opened("access_reviews.open", "access review"))
roster.add_command(_answered("rosters.answer", "answer", ANSWERS, TELL))
roster.add_command(_opened("rosters.open", "roster"))
