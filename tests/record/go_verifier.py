"""Go's golang.org/x/mod/sumdb as Debian ships it, asked by a small program (go/) that shares nothing with ours."""

from __future__ import annotations

import os
import subprocess
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from postroom.protocols import note

SOURCE = Path(__file__).with_name("go")
LIBRARIES = "/usr/share/gocode"  # where golang-golang-x-mod-dev puts its source


@dataclass(frozen=True)
class GoVerifier:
    program: Path
    who: note.Verifier

    def answers(self, cases: Iterable[str]) -> list[str]:
        """To each case one line: "accepted", or "refused: " and why."""
        found = self._run(str(self.who), cases="".join(f"{one}\n" for one in cases)).splitlines()
        assert all(one == "accepted" or one.startswith("refused: ") for one in found), found[:5]
        return found

    def of_bundle(self, folder: Path) -> str:
        return self._run(str(self.who), str(folder)).rstrip("\n")

    def _run(self, *arguments: str, cases: str = "") -> str:
        done = subprocess.run([self.program, *arguments], input=cases, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout


def built(into: Path) -> Path:
    """Without a network and without modules: from Debian's packages alone. Go 1.19 to 1.24 build it so."""
    environ = {"PATH": os.environ["PATH"], "GO111MODULE": "off", "GOPATH": LIBRARIES, "GOPROXY": "off", "GOFLAGS": ""}
    environ |= {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOCACHE": os.environ.get("GOCACHE", str(into / "cache"))}
    command = ["go", "build", "-o", str(into / "verify"), "."]
    done = subprocess.run(command, cwd=SOURCE, env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return into / "verify"


def inclusion(said: bytes, index: int, entry: bytes, proof: Sequence[bytes]) -> str:
    return f"inclusion {_64(said)} {index} {_64(entry)} {_64(b''.join(proof))}"


def consistency(old: bytes, new: bytes, proof: Sequence[bytes]) -> str:
    return f"consistency {_64(old)} {_64(new)} {_64(b''.join(proof))}"


def _64(value: bytes) -> str:
    return b64encode(value).decode()
