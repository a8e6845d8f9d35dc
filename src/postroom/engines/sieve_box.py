"""One Sieve script taken apart by `sievec` and `sieve-dump`, which are given a stranger's text and may go wrong on it.

Run by the node's parent, as a user who owns nothing, in an empty folder, with an environment and a configuration that
hold no secret, and bounded: memory, time, what it writes, no second process. One at a time, so that none can reach into
another's. What does not end well says nothing of the script but that. The compiler's words quote it, and what
stands in a script is its owner's: of a refusal the line is told, and of what sort it is.
"""

import base64
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

from postroom.host import files
from postroom.protocols.sieve import REFUSES

from .layout import NodeConfig
from .rendering import ENVIRONMENT

MEMORY, CPU, WRITTEN, SECONDS = 268_435_456, 2, 2_097_152, 3  # bytes, seconds, bytes of a file, seconds
LIMITS = (f"--as={MEMORY}", f"--cpu={CPU}", f"--fsize={WRITTEN}", "--nofile=64", "--core=0", "--nproc=1")
TIMED_OUT = 124
REFUSED = re.compile(r"^x: (line \d+: )?error: (.*)$", re.MULTILINE)
# What the compiler's words begin with, or hold → what is told of them. None of these is the script's.
SORTS = (
    (re.compile(r"unknown Sieve capability|unknown extension"), "an extension that is not offered"),
    (re.compile(r"unknown (?:command|test|tagged|argument)"), "a command, test or argument that is not known"),
    (re.compile(r"nest"), "it is nested too deep"),
    (re.compile(r"expected|parse|character"), "what stands there is not how a script is written"),
    (re.compile(r"address|invalid"), "a value that is not valid"),
)
OTHER = "something that it does not take"
NOT_STARTED = (125, 126, 127)  # of timeout, setpriv and prlimit: the program was not run, so nothing read the script
# Where a script includes another, what it does is not in it: it is refused, and so unreadable. No more is refused here
# than by the node's own Dovecot: of what the compiler refuses, the mailbox keeps all mail (changes/rules.py).
CONFIGURATION = {
    False: "protocols =\nlog_path = /dev/stderr\nplugin {\n  sieve_extensions = -include -reject\n}\n",
    True: "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\nlog_path = /dev/stderr\n"
    "sieve_extensions {\n  include = no\n  reject = no\n}\n",
}
ONE_AT_A_TIME = threading.Lock()


class _Ended(Exception):
    """A program did not say 0. `again`: that may be the machine's doing and not the script's."""

    def __init__(self, why: str, again: bool) -> None:
        super().__init__(why)
        self.again = again


def dumped(config: NodeConfig, text: bytes) -> dict[str, Any]:
    """{"dump": base64} of what sieve-dump printed; else {"why": …, "again": whether another try may help}."""
    with ONE_AT_A_TIME:
        try:
            box = _box(config)
            (box / "x.sieve").write_bytes(text)
            _run(config, box, "sievec", "x.sieve", "x.svbin")
            return {"dump": base64.b64encode(_run(config, box, "sieve-dump", "x.svbin")).decode()}
        except _Ended as error:
            return {"why": str(error), "again": error.again}
        except (OSError, subprocess.TimeoutExpired) as error:
            return {"why": f"it could not be tried: {type(error).__name__}", "again": True}


def _box(config: NodeConfig) -> Path:
    """Its folder, empty. What was in it may be a stranger's: links are removed and not followed (shutil.rmtree)."""
    top = files.folder(config.folder / "run/sieve")
    box = top / "box"
    shutil.rmtree(box, ignore_errors=True)
    conf, wanted = top / "reader.conf", CONFIGURATION[config.dovecot_version >= (2, 4)].encode()
    if not conf.exists() or conf.read_bytes() != wanted:
        files.write(conf, wanted)
    return files.folder(box, owner=config.users.sieve, mode=0o700)


def _run(config: NodeConfig, box: Path, *command: str) -> bytes:
    """What it printed. Into files, since those are bounded and a pipe is not. Raises _Ended."""
    user, program, arguments = config.users.sieve, command[0], command[1:]
    bounded = [
        "timeout", "-k1", str(SECONDS), "setpriv", "--reuid", user, "--regid", user, "--clear-groups",
        "--inh-caps=-all", "--no-new-privs", "prlimit", *LIMITS, program, "-c", str(box.parent / "reader.conf"),
        *arguments,
    ]  # fmt: skip
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as said:
        code = subprocess.run(
            bounded, stdin=subprocess.DEVNULL, stdout=printed, stderr=said, cwd=box, timeout=30,
            env={"PATH": ENVIRONMENT["PATH"]},
        ).returncode  # fmt: skip
        for file in (printed, said):
            file.seek(0)
        if code:
            raise _ended(program, code, said.read(WRITTEN).decode(errors="replace"))
        return printed.read(WRITTEN)


def _ended(program: str, code: int, said: str) -> _Ended:
    """Of a refusal the first line and its sort; of any other end no words of whatever has read the script."""
    if code == TIMED_OUT:
        return _Ended(f"{program} took more than {SECONDS} seconds", True)
    if code < 0 or code > 128:
        return _Ended(f"{program} was stopped by {_signal(code)}", False)
    if refused := REFUSED.search(said):
        return _Ended(f"{REFUSES}{refused[1] or ''}{_sort(refused[2])}", False)
    words = f": {' '.join(said.split())[-200:]}" if code in NOT_STARTED else ""
    return _Ended(f"{program} ended with {code}{words}", True)


def _sort(words: str) -> str:
    return next((sort for found, sort in SORTS if found.search(words)), OTHER)


def _signal(code: int) -> str:
    number = -code if code < 0 else code - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
