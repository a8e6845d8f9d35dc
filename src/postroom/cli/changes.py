"""change, approve, withdraw, undo, replan, log, show: the same as the pages, in a terminal."""

from typing import Any

import click

from . import remote, show

json_option = click.option("--json", "as_json", is_flag=True, help="Print the API's answer as it is.")
why_option = click.option("--why", required=True, help="Why; whoever looks at this later will ask.")
NOTHING_CAME = ("refused", "stale")


@click.command()
@click.argument("kind")
@click.option("--param", "-p", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; again for a list.")
@why_option
@click.option("--ticket", default="", help="The ticket it belongs to.")
@click.option("--dry-run", is_flag=True, help="Show the plan and do nothing.")
@click.option("--key", help="An idempotency key: the same request again is the same change.")
@json_option
def change(
    kind: str, params: tuple[str, ...], why: str, ticket: str, dry_run: bool, key: str | None, as_json: bool
) -> None:
    """Propose a change of a KIND (postroom kinds lists them)."""
    body = {"kind": kind, "params": _params(kind, params), "why": why, "ticket": ticket, "dry_run": dry_run}
    done(remote.ask("POST", "/changes", body, key=key), as_json)


def _params(kind: str, given: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE pairs as the kind's schema wants them; a parameter that is a list takes every value named."""
    schema = _schema(kind)
    found: dict[str, Any] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE")
        if _is_list(schema.get(name, {})):
            found.setdefault(name, []).append(value)
        elif name in found:
            raise click.BadParameter(f"{name} is given twice")
        else:
            found[name] = value
    return found


def _schema(kind: str) -> dict[str, Any]:
    for one in remote.ask("GET", "/kinds")["items"]:
        if one["kind"] == kind:
            return dict(one["params"].get("properties", {}))
    raise click.BadParameter(f"there is no kind {kind!r}; postroom kinds lists them")


def _is_list(field: dict[str, Any]) -> bool:
    return field.get("type") == "array" or any(one.get("type") == "array" for one in field.get("anyOf", ()))


@click.command()
@json_option
def kinds(as_json: bool) -> None:
    """What can be changed, and what each takes."""
    found = remote.ask("GET", "/kinds")
    if as_json:
        show.as_json(found)
        return
    for one in found["items"]:
        if "person" in one["by"]:
            names = ", ".join(one["params"].get("properties", {}))
            click.echo(f"{one['kind']:24} {one['does'].splitlines()[0]}\n{'':24} {names}")


@click.command()
@click.argument("change_id")
@click.option("--plan-hash", help="The plan you looked at; left out, it is shown and asked for.")
@json_option
def approve(change_id: str, plan_hash: str | None, as_json: bool) -> None:
    """Let a held change through, having seen its plan."""
    if plan_hash is None:
        seen = remote.ask("GET", f"/changes/{change_id}")
        show.change(seen)
        click.confirm("Let exactly this through?", abort=True)
        plan_hash = str(seen["plan_hash"])
    done(remote.ask("POST", f"/changes/{change_id}/approve", {"plan_hash": plan_hash}), as_json)


def _with_why(name: str, help: str) -> click.Command:
    @click.command(name, help=help)
    @click.argument("change_id")
    @why_option
    @json_option
    def command(change_id: str, why: str, as_json: bool) -> None:
        done(remote.ask("POST", f"/changes/{change_id}/{name}", {"why": why}), as_json)

    return command


@click.command()
@click.option("--client", help="Of one client, by its slug.")
@click.option("--object", "about", help="Of one object, by its id.")
@click.option("--person", help="By one person, by mail address.")
@click.option("--since", help="From this time on (2026-05-03T12:00:00Z).")
@click.option("--limit", default=20, show_default=True)
@json_option
def log(client: str, about: str, person: str, since: str, limit: int, as_json: bool) -> None:
    """What changed, newest first."""
    wanted = {"client": client, "object": about, "person": person, "since": since, "limit": limit}
    found = remote.ask("GET", "/changes?" + remote.query(wanted))
    show.as_json(found) if as_json else show.timeline(found["items"])


@click.command("show")
@click.argument("noun")
@click.argument("ref", required=False)
@click.option("--at", help="As it stood at a version or a time.")
@click.option("--client", help="Of one client, by its slug.")
@click.option("--state", help="Of exceptions and transports: standing, review, soon or ended.")
@json_option
def show_one(noun: str, ref: str | None, at: str | None, client: str | None, state: str | None, as_json: bool) -> None:
    """A change by its id; or NOUN [REF]: clients, domains, mailboxes, addresses, people, nodes."""
    if ref is None and "-" in noun:
        _shown(remote.ask("GET", f"/changes/{noun}"), as_json)
        return
    path = f"/{noun}/{remote.quoted(ref)}" if ref else f"/{noun}"
    found = remote.ask("GET", f"{path}?" + remote.query({"at": at, "client": client, "state": state}))
    if as_json:
        show.as_json(found)
    else:
        show.objects(found["items"] if ref is None else [found])


@click.command()
@click.argument("domain")
@json_option
def by_hand(domain: str, as_json: bool) -> None:
    """What has to be typed in where a DOMAIN's DNS is run, as lines of a zone file."""
    found = remote.ask("GET", f"/domains/{remote.quoted(domain)}/by_hand")
    if as_json:
        show.as_json(found)
    else:
        click.echo("\n".join(found["zone_file"]) or f"nothing: all of {domain} stands, or is published by Postroom")


def _shown(one: dict[str, Any], as_json: bool) -> None:
    show.as_json(one) if as_json else show.change(one)


def done(one: dict[str, Any], as_json: bool) -> None:
    """What came of it; exit code 1 if it came to nothing (or would, in a dry run), so that a script can tell."""
    _shown(one, as_json)
    if one["stage"] in NOTHING_CAME or any(verdict["says"] == "refuse" for verdict in one["verdicts"]):
        raise SystemExit(1)


@click.command()
@click.argument("review_id", required=False)
@click.option("--why", help="What you found; it closes the review.")
@json_option
def review(review_id: str | None, why: str | None, as_json: bool) -> None:
    """What went through at once and is to be looked at; or close one of them, REVIEW_ID, with what you found."""
    if review_id is None and why is None:
        found = remote.ask("GET", "/reviews")
        show.as_json(found) if as_json else show.reviews(found["items"])
    elif review_id is None or why is None:
        raise click.UsageError("to close one, name it and say what you found: REVIEW_ID --why …")
    else:
        done(remote.ask("POST", f"/reviews/{remote.quoted(review_id)}/close", {"why": why}), as_json)


withdraw = _with_why("withdraw", "Take back what waits; for an approver, this is a no.")
undo = _with_why("undo", "Take back one change.")
replan = _with_why("replan", "Plan a stale, refused or withdrawn change again, now.")
