"""Changes as a person reads them in a terminal; or as the API's own JSON."""

import json
from typing import Any

import click

DONE = {"verified": "done and read back", "applied": "applied; not everything is read back yet"}


def as_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def change(one: dict[str, Any]) -> None:
    """A change: what it came to, what it does, why it waits, what is left."""
    stage = one["stage"]
    click.secho(f"{one['kind']}  {stage}", bold=True, nl=False)
    click.echo(f"  {one['id'] or '(dry run)'}")
    if stage in DONE:
        click.echo(f"  {DONE[stage]}")
    for name in ("why", "ticket"):
        if one.get(name):
            click.echo(f"  {name}: {one[name]}")
    if one.get("proposer"):
        click.echo(f"  by {one['proposer']['name']} <{one['proposer']['email']}>, {one['now']}")
    for edit in one["edits"]:
        _edit(edit)
    for verdict in one["verdicts"]:
        click.echo(f"  {verdict['says']} ({verdict['policy']}): {verdict['reason']}")
    for left in one.get("left_out", ()):
        click.echo(f"  left out: {left['table']} {left['id']}: {left['because']}")
    for moved in one.get("landing", ()):
        _moved(moved)
    if one.get("more_landings"):
        click.echo(f"  and where mail to {one['more_landings']} more addresses lands")
    for left in one["incomplete"]:
        click.echo(f"  still to do: {left['target']} {left['object']}: {left['why']}")
    if stage == "held":
        click.echo(f"  to let it through, somebody else: postroom approve {one['id']} --plan-hash {one['plan_hash']}")


def _moved(moved: dict[str, Any]) -> None:
    """Where mail to an address lands now, and by the change."""
    before, after = (lands(moved[name]) for name in ("before", "after"))
    said = f"{before} -> {after}" if moved["moved"] else f"{before}, as before"
    click.echo(f"  mail to {moved['address']}: {said}")


def lands(landings: list[dict[str, Any]]) -> str:
    return ", ".join(map(landing, landings)) or "thrown away"


def landing(one: dict[str, Any]) -> str:
    """One end of mail, in words; nothing is left out of what is not known."""
    words = {
        "mailbox": one["address"], "outside": f"{one['address']} (outside)", "refused": f"nowhere ({one['why']})",
        "loop": f"nowhere ({one['why']})", "discarded": f"nowhere ({one['address']}: {one['why']})",
        "unknown": f"unknown at {one['address']} ({one['why']})",
        "hidden": f"{one['address']} (what is there you do not see)",
    }[one["sort"]]  # fmt: skip
    words += f", of {one['client']['name']}" if one["client"] else ""
    return f"sometimes {words}" if one["sometimes"] else words


def _edit(edit: dict[str, Any]) -> None:
    before, after = edit["before"], edit["after"]
    name = edit.get("label") or _name(after or before or {}) or edit["id"]
    if before is None:
        click.echo(f"  + {edit['table']} {name}")
    elif after is None:
        click.echo(f"  - {edit['table']} {name}")
    else:
        click.echo(f"  ~ {edit['table']} {name}")
        for field in after:
            click.echo(f"      {field}: {_value(before.get(field))} -> {_value(after[field])}")


def _name(row: dict[str, Any]) -> str:
    return str(
        next((row[n] for n in ("address", "name", "slug", "email", "selector", "role", "contact") if row.get(n)), "")
    )


def _value(value: Any) -> str:
    return "nothing" if value in (None, "", []) else json.dumps(value, ensure_ascii=False)


def timeline(items: list[dict[str, Any]]) -> None:
    for one in items:
        who = one["proposer"]["email"] if one["proposer"] else one["actor"]
        where = one["client"] or "organization"
        click.echo(f"{one['now']}  {one['stage']:9}  {where:16}  {one['kind']:22}  {who}  {one['why']}")
        click.echo(f"    {one['id']}")


def entries(items: list[dict[str, Any]]) -> None:
    """The record, newest first: when, how far it is proven, where, what, by whom, why."""
    for one in items:
        facts = one["facts"] or {}
        who = one["who"]["email"] if one["who"] else facts.get("name") or facts.get("actor") or "nobody known"
        where, what = one["client"] or "organization", one["said"] or "erased"
        stage = f" {facts['stage']}" if "stage" in facts else ""
        click.echo(f"{one['at'][:19]}Z  {one['proof']:10}  {where:16}  {what}{stage}  {who}  {facts.get('why') or ''}")
        click.echo(f"    {one['id']}")


def reviews(items: list[dict[str, Any]]) -> None:
    """What is to be looked at, first due first."""
    for one in items:
        click.echo(f"{one['id']}  due {one['until']}  {one['reason']}")
        timeline([one["change"]])


def findings(items: list[dict[str, Any]], unread: list[str]) -> None:
    """Worst first; what was not read is said, since it says nothing."""
    for one in items:
        where = one["client"] or "organization"
        unknown = "  unknown" if one["unknown_since"] else ""
        click.echo(f"{one['severity']:8}  {where:16}  {one['title']}  ({one['state']}{unknown}, since {one['since']})")
        click.echo(f"    {one['id']}  {one['check']}")
    if unread:
        click.echo(f"not read, so unknown: {', '.join(unread)}")
    elif not items:
        click.echo("nothing: every check was read")


def finding(one: dict[str, Any]) -> None:
    findings([one], [])
    for name, value in one["evidence"].items():
        click.echo(f"  {name}: {_value(value)}")
    for decided in one["decisions"]:
        until = f" until {decided['until']}" if decided["until"] else ""
        ended = f", ended {decided['ended_at']}" if decided["ended_at"] else ""
        click.echo(f"  {decided['sort']}{until} by {decided['person'] or 'somebody'}: {decided['reason']}{ended}")
    if suggestion := one["suggestion"]:
        params = " ".join(f"-p {name}={value}" for name, value in suggestion["params"].items())
        click.echo(f"  what would help: postroom change {suggestion['kind']} {params}")


def objects(items: list[dict[str, Any]]) -> None:
    """Objects of one sort: what people call each, then what is known of it."""
    for one in items:
        click.secho(str(one.get("label", one.get("id"))), bold=True)
        for name, value in one.items():
            if name not in ("label",) and value not in (None, "", []):
                click.echo(f"  {name}: {value}")
