"""Files another process may be reading: whole or not there, and never wider open than meant."""

import contextlib
import grp
import json
import os
import pwd
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write(path: Path, content: bytes, *, mode: int = 0o644, group: str | None = None, replace: bool = True) -> bool:
    """Write beside, with owner and mode set first, then rename. False: there was one and `replace` is off."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if group is not None and os.geteuid() == 0:
                os.fchown(descriptor, -1, grp.getgrnam(group).gr_gid)
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        if replace:
            os.rename(beside, path)
            return True
        os.link(beside, path)
        return True
    except FileExistsError:
        return False
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    write(path, (json.dumps(value, indent=2) + "\n").encode())


def folder(path: Path, *, owner: str | None = None, group: str | None = None, mode: int = 0o755) -> Path:
    """A folder with exactly this owner, group and mode, made where missing. Owners need root, else they are left."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.geteuid() == 0:
        uid = pwd.getpwnam(owner).pw_uid if owner else 0
        gid = grp.getgrnam(group).gr_gid if group else pwd.getpwuid(uid).pw_gid
        os.chown(path, uid, gid)
    path.chmod(mode)
    return path
