"""Saved views of the forwards that leave, in the program: opened, saved, listed and removed by their names."""

from typing import Any

import click

from . import remote

PATH = "/forwards-leaving/views"
ONLY = {(True, True): "both", (True, False): "private", (False, True): "unexcepted", (False, False): ""}


def opened(name: str) -> dict[str, Any]:
    """What it narrows by, as the options of the program have it."""
    found = next((one for one in remote.ask("GET", PATH)["items"] if one["name"] == name), None)
    if found is None:
        raise click.ClickException(f"no view of yours is called {name}: postroom leaving --views")
    only = found["only"]
    return {
        "client": found["client"], "mechanism": found["mechanism"], "risk": found["risk"], "search": found["q"],
        "private": only in ("private", "both"), "unexcepted": only in ("unexcepted", "both"),
    }  # fmt: skip


def saved(name: str, narrowed: dict[str, Any]) -> None:
    only = ONLY[bool(narrowed.get("private")), bool(narrowed.get("unexcepted"))]
    plain = {one: narrowed.get(one) or "" for one in ("client", "mechanism", "risk")}
    remote.ask("POST", PATH, {"name": name, **plain, "only": only, "q": narrowed.get("search") or ""})
    click.echo(f"saved as {name}", err=True)


def listed(remove: str | None = None) -> None:
    """All of them, after one was removed if it is named."""
    found = remote.ask("POST", f"{PATH}/remove", {"name": remove}) if remove else remote.ask("GET", PATH)
    for one in found["items"]:
        said = [f"{name} {one[name]}" for name in ("client", "mechanism", "risk", "only", "q") if one[name]]
        click.echo(f"{one['name']}: {', '.join(said) or 'everything'}")
    if not found["items"]:
        click.echo("none is saved")
