"""Mailboxes' Sieve scripts as they lie in their folders, read by the node's parent, which is root.

    mail/<domain>/<local part>/sieve/NAME.sieve      all there are
    mail/<domain>/<local part>/.dovecot.sieve        a link to the one in force (Pigeonhole's)

All below `mail` is the mail user's, who runs what strangers talk to; so no link is followed, only what is a plain file
of that user's is opened, and no more than a bounded part is read. A file in the place of that link is read, since
Dovecot runs it too; of a link that leads elsewhere it is said that it is there.
"""

import base64
import os
import pwd
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import Any

from .layout import NodeConfig

ENDING = ".sieve"
LINK = ".dovecot.sieve"
ITSELF = f"~/{LINK}"  # no script's name: those have no slash
MOST_FILES = 1_000
MOST_BYTES = 1_048_576  # Dovecot runs nothing that is larger (sieve_max_script_size)
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
NO_FILE = "it is no plain file of the mail user's"
LARGE = "it is larger than 1 MB"

Said = dict[str, Any]


class _Strange(Exception):
    """Something lies there that is not as Dovecot makes it; the message says what."""


def listed(config: NodeConfig, addresses: Sequence[str]) -> list[Said]:
    """For each: address, active (the name of the one in force, or empty), scripts: [{name, stamp, why}], and why
    nothing of all that is known. A stamp is another one when the file was written, whatever its times were set to."""
    return [_listed(config, address) for address in addresses]


def text(config: NodeConfig, address: str, name: str) -> Said:
    """{"text": base64}, or {"why": …}; {"gone": true} for one that is not there any more."""
    try:
        with ExitStack() as held:
            home = _home(config, address, held)
            inside = home if name == ITSELF else _below(home, "sieve", held)
            return _read(config, LINK if name == ITSELF else f"{_plain(name)}{ENDING}", inside)
    except FileNotFoundError:
        return {"gone": True}
    except (OSError, _Strange, ValueError) as error:
        return {"why": _why(error)}


def _listed(config: NodeConfig, address: str) -> Said:
    said: Said = {"address": address, "active": "", "scripts": [], "why": ""}
    try:
        with ExitStack() as held:
            home = _home(config, address, held)
            scripts = list(_scripts(config, home, held))
            active = _active(config, address, home)
            if active == ITSELF:
                scripts.append(_script(config, LINK, home) | {"name": ITSELF})
            return said | {"active": active, "scripts": scripts}
    except FileNotFoundError:  # nothing was ever delivered to it
        return said
    except (OSError, _Strange, ValueError) as error:
        return said | {"why": _why(error)}


def _home(config: NodeConfig, address: str, held: ExitStack) -> int:
    local, _, domain = address.rpartition("@")
    mail = _below(None, str(config.folder / "mail"), held)
    return _below(_below(mail, _plain(domain), held), _plain(local), held)


def _plain(name: str) -> str:
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise _Strange("its name is that of no folder or file")
    return name


def _below(above: int | None, name: str, held: ExitStack) -> int:
    """A folder that is one, and no link to one."""
    try:
        found = os.open(name, FOLDER, dir_fd=above)
    except NotADirectoryError as error:
        raise _Strange(f"{Path(name).name} is no folder") from error
    held.callback(os.close, found)
    return found


def _scripts(config: NodeConfig, home: int, held: ExitStack) -> Iterator[Said]:
    try:
        inside = _below(home, "sieve", held)
    except FileNotFoundError:
        return
    with os.scandir(inside) as entries:
        for n, entry in enumerate(entries):
            if n >= MOST_FILES:
                raise _Strange(f"there are more than {MOST_FILES} files with its scripts")
            if entry.name.endswith(ENDING) and entry.name != ENDING:
                yield _script(config, entry.name, inside)


def _script(config: NodeConfig, name: str, inside: int) -> Said:
    found = os.stat(name, dir_fd=inside, follow_symlinks=False)
    stamp = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
    why = "" if _ours(config, found) else NO_FILE
    return {"name": name.removesuffix(ENDING), "stamp": stamp, "why": why}


def _ours(config: NodeConfig, found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_uid == _uid(config.users.mail)


@cache
def _uid(user: str) -> int:
    return pwd.getpwnam(user).pw_uid


def _active(config: NodeConfig, address: str, home: int) -> str:
    """The name of the script that the link names; ITSELF where it is no such link."""
    try:
        link = os.readlink(LINK, dir_fd=home)
    except FileNotFoundError:
        return ""
    except OSError:  # no link
        return ITSELF
    local, _, domain = address.rpartition("@")
    where = re.escape(str(config.folder / "mail" / domain / local))
    named = re.fullmatch(rf"(?:{where}/|\./)?sieve/([^/]+){re.escape(ENDING)}", link)
    return named[1] if named else ITSELF


def _read(config: NodeConfig, name: str, inside: int) -> Said:
    descriptor = os.open(name, FILE, dir_fd=inside)
    with closing(os.fdopen(descriptor, "rb")) as file:
        if not _ours(config, os.fstat(descriptor)):
            return {"why": NO_FILE}
        read = file.read(MOST_BYTES + 1)
    return {"why": LARGE} if len(read) > MOST_BYTES else {"text": base64.b64encode(read).decode()}


def _why(error: Exception) -> str:
    """Without the path, which says more of the machine than of the mailbox."""
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
