"""Keys between processes of one installation: drawn once, kept in `<state>/keys`, read by one group.

Not DKIM keys or anybody's password: those are state, and sealed in the database.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from postroom.access import token_keys

from . import files

GROUP = "postroom"


@dataclass(frozen=True)
class Key:
    name: str
    doc: str
    group: str = GROUP
    draw: Callable[[], bytes] | None = None


KEYS = (
    Key("django", "signs sessions and sign-in links of the pages, and encrypts seeds of second factors"),
    Key("pdns-api", "opens PowerDNS's HTTP interface"),
    Key("submission", "password of our own sender at submission"),
    Key(
        "tokens",
        "signs the tokens that mail apps get instead of a password; `postroom token-key` draws another",
        draw=token_keys.drawn,
    ),
)


def make_once(folder: Path, key: Key, draw: Callable[[], bytes] | None = None) -> Path:
    """The key's file, made now if it is not there. `draw`, or the key's own, makes the content; else 256 random bits as
    43 letters."""
    path, draw = folder / key.name, draw or key.draw
    if not path.exists():
        content = draw() if draw else secrets.token_urlsafe(32).encode()
        files.write(path, content, mode=0o640, group=key.group, replace=False)
    return path


def make_all(folder: Path) -> dict[str, Path]:
    """Every key of the table, by name."""
    files.folder(folder, group=GROUP, mode=0o750)
    return {key.name: make_once(folder, key) for key in KEYS}
