"""From rendered text to a running daemon: written beside, checked, switched by one rename, last good kept.

A configuration is a folder `conf-<marker>`; `conf` is a link to the one in force. A new smtpd reads main.cf whenever
master starts one, reload or not, so nothing is ever edited in place. The marker stands in the text and comes back from
the running process (a map in proxy_read_maps, a field of the user database): `postconf` and `doveconf` only read files.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from postroom.host import files

KEPT = 3
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

Texts = Mapping[str, str]


class ConfigurationRefused(Exception):
    """A rendered configuration did not pass its daemon's own check; the one in force stays."""


def marker(generation: int, render: Callable[[str], Texts]) -> str:
    """Names this text: equal text and generation, equal marker."""
    digest = hashlib.sha256(repr(sorted(render("").items())).encode()).hexdigest()
    return f"cfg-{generation}-{digest[:10]}"


def in_force(conf: Path) -> str | None:
    """The marker of the configuration `conf` links to."""
    return os.readlink(conf).removeprefix("conf-") if conf.is_symlink() else None


def stage(conf: Path, name: str, texts: Texts, check: Callable[[Path], None], *, mode: int = 0o644) -> Path | None:
    """Write these texts beside under this marker and have them checked; None if they are in force already.

    Raises ConfigurationRefused; what was refused is kept to be looked at.
    """
    if in_force(conf) == name:
        return None
    beside = conf.parent / f"conf-{name}"
    if beside.exists():
        shutil.rmtree(beside)
    for path, text in texts.items():
        files.folder((beside / path).parent)
        files.write(beside / path, text.encode(), mode=mode)
    try:
        check(beside)
    except ConfigurationRefused:
        refused = beside.with_name(beside.name + ".refused")
        shutil.rmtree(refused, ignore_errors=True)
        beside.rename(refused)
        raise
    return beside


def switch(conf: Path, staged: Path) -> None:
    """Put what was staged in force, by one rename."""
    link = conf.parent / ".conf-next"
    link.unlink(missing_ok=True)
    link.symlink_to(staged.name)
    os.replace(link, conf)
    _forget_old(conf, staged)


def _forget_old(conf: Path, current: Path) -> None:
    old = sorted(
        (one for one in conf.parent.glob("conf-*") if one.is_dir() and one != current), key=lambda x: x.stat().st_mtime
    )
    for one in old[: -(KEPT - 1)]:
        shutil.rmtree(one, ignore_errors=True)


def check_postfix(folder: Path) -> None:
    """`postfix check`, every parameter known, every query one SQLite takes."""
    _passes(["postconf", "-c", str(folder), "-n"], "postconf -n")
    for query in sorted(folder.glob("maps/*.cf")):
        # Straight at the file, not through proxymap, which does not know these yet.
        command = ["postmap", "-c", str(folder), "-q", "nobody@nowhere.invalid", f"sqlite:{query}"]
        _passes(command, query.name, codes=(0, 1))
    _passes(["postfix", "-c", str(folder), "check"], "postfix check")  # without a terminal it says why in its log


def check_dovecot(folder: Path) -> None:
    """`doveconf -n` reads it to the end."""
    _passes(["doveconf", "-c", str(folder / "dovecot.conf"), "-n"], "doveconf -n")


def _passes(command: Sequence[str], what: str, codes: tuple[int, ...] = (0,)) -> None:
    """Postfix says some faults only as a warning and still answers 0, so what it says is judged too."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, env=ENVIRONMENT, stdin=subprocess.DEVNULL
    )
    said = [line for line in done.stderr.splitlines() if re.search("warning|error|fatal", line, re.IGNORECASE)]
    # postconf 3.10 looks for maps where the compiled-in $config_directory is; ours are asked one by one.
    said = [line for line in said if 'open "sqlite" configuration "/etc/postfix/' not in line]
    if done.returncode not in codes or said:
        raise ConfigurationRefused(f"{what}: {'; '.join(said) or done.stderr.strip() or f'exit {done.returncode}'}")
