"""Sieve scripts read as a node's agent reads them, beside `sievec` and `sieve-dump` alone on the same texts.

Ours asks the node's parent for the files, has each taken apart by another user under limits, reads what is printed and
makes the rows of a report. Theirs are the two programs and nothing around them. Then the same look when nothing
changed. Goals: a fifth of the programs alone, as another user, limits and an empty environment for each are up to four
processes more; and a tenth of a millisecond for a mailbox that did not change, so that a node looks at 100,000 within
ten seconds. Where one is missed, it ends with 1. Usage: sieve_scan.py [scripts]
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from uuid import UUID

from postroom.engines import asking, compile, maps, sieve_box
from postroom.engines.asking import Desk
from postroom.engines.layout import NodeConfig, make_folders
from postroom.engines.node import with_versions
from postroom.engines.sieve_known import SieveKnown
from postroom.engines.sieve_scripts import SieveScripts
from postroom.engines.source import Todo

ROUNDS = 3
GOAL, UNCHANGED = 0.2, 1e-4  # a share; seconds a mailbox
SCRIPT = """require ["fileinto", "copy", "variables"];
# Rules of mailbox {n}.
if header :contains "list-id" "<all.acme.example>" {{ fileinto "Lists"; stop; }}
if anyof (address :is "from" "boss@acme.example", header :contains "subject" "urgent") {{ keep; }}
elsif header :matches "subject" "*invoice*" {{ redirect :copy "books{n}@elsewhere.example"; }}
"""


class Nobody:
    """Where reports go."""

    def report(self, sort: str, rows: Any) -> None:
        pass


def main(many: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="postroom-bench-"))
    folder.chmod(0o755)
    config = with_versions(NodeConfig("mx1", folder, "127.0.0.1"))
    make_folders(config)
    files = maps.open_files(config)
    logins = [f"m{n}@acme.example" for n in range(many)]
    compile.write(files, [Todo(n, "address", UUID(int=n + 1), None, {"maps": {"mailbox": [{"address": login}]}})
                          for n, login in enumerate(logins)])  # fmt: skip
    texts = [SCRIPT.format(n=n).encode() for n in range(many)]
    for login, text in zip(logins, texts, strict=True):
        put(config, login, text)
    asking.serve(config, Desk(config, {}), 0)
    sieve_box.dumped(config, texts[0])  # the configuration is there, and the programs are in memory
    theirs, ours = [], []
    for _ in range(ROUNDS):  # in turns: the machine is not equally busy all the time
        theirs.append(many / alone(folder, texts))
        ours.append(many / looked(config))
    scripts, known = SieveScripts(config), SieveKnown(config.sieve_known, "bench")
    look(scripts, known)
    again = look(scripts, known)
    ratio, each = max(ours) / max(theirs), again / many
    print(f"{many} scripts, best of {ROUNDS}: ours {max(ours):.1f}/s, sievec and sieve-dump alone {max(theirs):.1f}/s; "
          f"a look at {many} mailboxes that did not change: {again * 1000:.0f} ms, {each * 1e6:.0f} us each "
          f"(goal {UNCHANGED * 1e6:.0f})")  # fmt: skip
    print(f"ratio {ratio:.2f} of the programs alone (goal {GOAL:.2f})")
    shutil.rmtree(folder)
    sys.exit(ratio < GOAL or each > UNCHANGED)


def put(config: NodeConfig, login: str, text: bytes) -> None:
    local, _, domain = login.partition("@")
    home = config.folder / "mail" / domain / local
    (home / "sieve").mkdir(parents=True)
    (home / "sieve/rules.sieve").write_bytes(text)
    os.chown(home / "sieve/rules.sieve", pwd.getpwnam(config.users.mail).pw_uid, -1)
    (home / ".dovecot.sieve").symlink_to("sieve/rules.sieve")


def alone(folder: Path, texts: list[bytes]) -> float:
    """Seconds for all of them, one after the other."""
    place = folder / "alone"
    place.mkdir(exist_ok=True)
    conf = str(folder / "run/sieve/reader.conf")
    began = time.perf_counter()
    for text in texts:
        (place / "x.sieve").write_bytes(text)
        subprocess.run(["sievec", "-c", conf, "x.sieve", "x.svbin"], cwd=place, check=True)
        subprocess.run(["sieve-dump", "-c", conf, "x.svbin"], cwd=place, check=True, stdout=subprocess.PIPE)
    return time.perf_counter() - began


def looked(config: NodeConfig) -> float:
    """Seconds of one look of an agent that knows no script yet."""
    config.sieve_known.unlink(missing_ok=True)
    scripts = SieveScripts(config)
    took = look(scripts, SieveKnown(config.sieve_known, "bench"))
    assert not any(row["unreadable"] for one in scripts.telling for row in one.get("scripts", ()))
    return took


def look(scripts: SieveScripts, known: SieveKnown) -> float:
    began = time.perf_counter()
    scripts.look(known)
    took = time.perf_counter() - began
    while scripts.waiting:
        scripts.hand_on(Nobody())  # type: ignore[arg-type]
    return took


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
