"""What Debian's AppArmor profiles have to let through for programs of ours; nothing where none is in force."""

import os
import subprocess
from pathlib import Path

from . import files

PROFILES = Path("/etc/apparmor.d")
IN_FORCE = Path("/sys/kernel/security/apparmor/profiles")


def allow(profile: str, line: str, *, profiles: Path = PROFILES, in_force: Path = IN_FORCE) -> bool:
    """Add a line to what the machine says of a profile besides its package, and load it; whether that was needed.

    profile: a file of `profiles`. Only root can; whoever is not needs it done before.
    """
    whole, local = profiles / profile, profiles / "local" / profile
    if os.geteuid() != 0 or not whole.exists() or not _readable(in_force):
        return False
    said = local.read_text() if local.exists() else ""
    if line in said.splitlines():
        return False
    local.parent.mkdir(exist_ok=True)
    files.write(local, (said + ("" if not said or said.endswith("\n") else "\n") + line + "\n").encode())
    subprocess.run(["apparmor_parser", "-r", str(whole)], check=False, capture_output=True)
    return True


def _readable(in_force: Path) -> bool:
    """In a container the file may be there and not be ours to read: then the profiles are not ours to load either."""
    try:
        return bool(in_force.read_text())
    except OSError:
        return False
