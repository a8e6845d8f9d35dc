"""The API, from the outside: where it is, who we are there, and its problems in words for a terminal."""

import json
import os
import shutil
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import IO, Any

import click

TIMEOUT = 60


def state() -> Path:
    return Path(os.environ.get("POSTROOM_STATE") or "/var/lib/postroom")


def saved() -> Path:
    """Where `postroom login` keeps the session's token."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(base) / "postroom/session.json"


def api() -> str:
    """POSTROOM_URL, or the installation on this machine."""
    if url := os.environ.get("POSTROOM_URL"):
        return url.rstrip("/") + ("" if url.rstrip("/").endswith("/api/v1") else "/api/v1")
    try:
        told: dict[str, Any] = json.loads((state() / "endpoints.json").read_text())
    except FileNotFoundError:
        raise click.ClickException(f"{state()} is not running, and POSTROOM_URL is not set") from None
    return str(told["api"])


def token() -> str:
    if given := os.environ.get("POSTROOM_TOKEN"):
        return given
    try:
        kept: dict[str, str] = json.loads(saved().read_text())
    except FileNotFoundError:
        raise click.ClickException("sign in first: postroom login, or set POSTROOM_TOKEN") from None
    if kept.get("api") != api():
        raise click.ClickException(f"signed in at {kept.get('api')}, and this is {api()}: postroom login")
    return kept["token"]


def fetch(path: str, out: Path) -> int:
    """What the API answers, as it is, in a new file that is its owner's alone; how many bytes. FileExists: refused."""
    request = urllib.request.Request(api() + path, headers={"Authorization": f"Bearer {token()}"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer, _new(out) as file:
            shutil.copyfileobj(answer, file)
            return file.tell()
    except urllib.error.HTTPError as error:
        raise Refused(error.code, _document(error)) from None
    except FileExistsError:
        raise click.ClickException(f"{out} is there already") from None
    except (urllib.error.URLError, TimeoutError) as error:
        raise click.ClickException(f"{api()} does not answer: {error}") from None


def _new(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def ask(method: str, path: str, body: Any = None, *, key: str | None = None, signed_in: bool = True) -> Any:
    """One request. A problem document becomes an error that says what is wrong and where; exit code 1."""
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if signed_in:
        headers["Authorization"] = f"Bearer {token()}"
    if key:
        headers["Idempotency-Key"] = key
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(api() + path, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Refused(error.code, _document(error)) from None
    except (urllib.error.URLError, TimeoutError) as error:
        raise click.ClickException(f"{api()} does not answer: {error}") from None


class Refused(click.ClickException):
    """The API's answer was a problem document."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        lines = [f"{one['where']}: {one['what']}" for one in document.get("errors", [])]
        said = lines or [str(document.get("detail") or "")]
        super().__init__("\n  ".join([str(document.get("title", status)), *filter(None, said)]))
        self.status, self.document = status, document


def _document(error: urllib.error.HTTPError) -> dict[str, Any]:
    text = error.read().decode(errors="replace")
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"title": f"{error.code} {error.reason}", "detail": text[:500].strip()}


def query(wanted: dict[str, Any]) -> str:
    return urllib.parse.urlencode({name: value for name, value in wanted.items() if value is not None})


def quoted(ref: str) -> str:
    return urllib.parse.quote(ref, safe="@")
