"""login and logout: a session of one's own at an API, confirmed in the browser, kept for this user alone."""

import getpass
import json
import os
import socket
import time

import click

from . import remote


@click.command()
def login() -> None:
    """Sign in: shows a code to type in the browser, where you are signed in with both factors."""
    label = f"{getpass.getuser()} at {socket.gethostname()}"
    asked = remote.ask("POST", "/device", {"label": label}, signed_in=False)
    click.echo(f"Open {asked['verification_uri']} and type {asked['user_code']}")
    end = time.monotonic() + int(asked["expires_in"])
    while time.monotonic() < end:
        time.sleep(int(asked["interval"]))
        try:
            got = remote.ask("POST", "/device/token", {"device_code": asked["device_code"]}, signed_in=False)
        except remote.Refused as refused:
            if refused.document.get("error") == "authorization_pending":
                continue
            raise
        _keep(got["access_token"])
        click.echo("Signed in, for twelve hours.")
        return
    raise click.ClickException("nobody confirmed the code in time")


@click.command()
def logout() -> None:
    """End the session that login opened."""
    remote.ask("POST", "/session/end", {})
    remote.saved().unlink(missing_ok=True)
    click.echo("Signed out.")


def _keep(token: str) -> None:
    """For this user alone, from the first byte on."""
    path = remote.saved()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"token": token, "api": remote.api()}, file)
