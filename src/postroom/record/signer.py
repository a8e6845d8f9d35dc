"""The signer: says, signed, how long the log is and what its root is. It holds the key and nobody else reads it.

It remembers all it ever signed as the whole subtrees of its own tree and adds to them the leaves it has not seen; so a
root it signs is that of everything it has read, whatever became of it in the database since. Before each signature it
compares its subtrees with the log's; where one differs, or leaves are gone, it signs nothing any more and says so.

FILES, in its own folder: `key` (32 octets, 0600), `public` (the verifier line, for everybody), `memory.json` (size,
subtrees, the last note), `last.note` (for everybody), `alarm` (why it does not sign).
"""

import json
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from postroom.host import files
from postroom.protocols import merkle, note

from . import process

log = logging.getLogger("postroom.signer")
AT_ONCE = 10_000
EVERY = 1.0
ALARMED = 5.0  # seconds until it looks whether the log is the signed one again


class Rewritten(Exception):
    """The log is not the one that was signed."""


class Signer:
    """Over its own folder; `origin` names the log and its key."""

    def __init__(self, folder: Path, origin: str) -> None:
        self.folder, self.origin = folder, origin
        self.key = _key(folder)
        self.who = note.Verifier(origin, self.key.public_key().public_bytes_raw())
        _write(folder / "public", f"{self.who}\n", mode=0o644)
        kept: Mapping[str, Any] = _kept(folder / "memory.json")
        self.tree = merkle.Frontier(kept.get("size", 0), [bytes.fromhex(one) for one in kept.get("hashes", ())])
        self.last = str(kept.get("note", ""))
        self.quiet = False  # whether the database was told that there is no alarm

    def sign(self, connection: "psycopg.Connection[Any]") -> bool:
        """Sign what came since, if anything did. Rewritten when the log is another than it was."""
        with connection.transaction():
            ((size,),) = connection.execute("SELECT record_size()").fetchall()
            self._compare(connection, size)
            if size == self.tree.size:
                self._told(connection)
                return False
            tree = merkle.Frontier(self.tree.size, list(self.tree.hashes))
            while tree.size < size:
                self._read(connection, tree, size)
        said = str(note.Checkpoint(self.origin, tree.size, tree.root()))
        self._remember(tree, note.signed(said, self.origin, self.key))
        with connection.transaction():
            self._told(connection)
        return True

    def _compare(self, connection: "psycopg.Connection[Any]", size: int) -> None:
        if size < self.tree.size:
            raise Rewritten(f"the log has {size:,} leaves, {self.tree.size:,} were signed")
        mine = dict(zip(merkle.whole(0, self.tree.size), self.tree.hashes, strict=True))
        levels, indexes = [level for level, _ in mine], [index for _, index in mine]
        found = connection.execute("SELECT level, index, hash FROM record_nodes(%s, %s)", [levels, indexes]).fetchall()
        theirs = {(level, index): bytes(one) for level, index, one in found}
        for (level, index), one in mine.items():
            if theirs.get((level, index)) != one:
                first, last = index << level, (index + 1 << level) - 1
                raise Rewritten(f"leaves {first:,} to {last:,} of the log are not those that were signed")

    def _read(self, connection: "psycopg.Connection[Any]", tree: merkle.Frontier, size: int) -> None:
        at_once = min(AT_ONCE, size - tree.size)
        leaves = connection.execute("SELECT * FROM record_leaves(%s, %s)", [tree.size, at_once]).fetchall()
        if len(leaves) != at_once:
            raise Rewritten(f"{at_once - len(leaves):,} leaves from {tree.size:,} on are not there")
        for (leaf,) in leaves:
            for _ in tree.append(bytes(leaf)):
                pass

    def _remember(self, tree: merkle.Frontier, signed: str) -> None:
        """Before anybody is told: what was signed once is never signed otherwise."""
        kept = {"size": tree.size, "hashes": [one.hex() for one in tree.hashes], "note": signed}
        _write(self.folder / "memory.json", json.dumps(kept), mode=0o600)
        _write(self.folder / "last.note", signed, mode=0o644)
        self.tree, self.last = tree, signed

    def _told(self, connection: "psycopg.Connection[Any]") -> None:
        if self.last:
            said = note.checkpoint(note.opened(self.last, self.who))
            connection.execute("SELECT record_sign(%s, %s, %s)", [said.size, said.root, self.last])


def _key(folder: Path) -> Ed25519PrivateKey:
    """Drawn once, by the signer itself."""
    path = folder / "key"
    if not path.exists():
        files.write(path, Ed25519PrivateKey.generate().private_bytes_raw(), mode=0o600, replace=False)
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def _kept(path: Path) -> Any:
    return json.loads(path.read_text()) if path.exists() else {}


def _write(path: Path, content: str, *, mode: int) -> None:
    files.write(path, content.encode(), mode=mode)


def turn(signer: Signer, connection: "psycopg.Connection[Any]") -> float:
    """Sign what came; where the log was rewritten, say so and sign nothing. Seconds to rest."""
    alarm = signer.folder / "alarm"
    try:
        signer.sign(connection)
    except Rewritten as found:
        signer.quiet = False
        log.critical("nothing is signed any more: %s", found)
        _write(alarm, f"{found}\n", mode=0o644)
        connection.execute("SELECT record_alarm(%s)", [f"{found}; nothing after {signer.tree.size:,} is signed"])
        return ALARMED
    if alarm.exists() or not signer.quiet:
        connection.execute("SELECT record_alarm('')")
        signer.quiet = True
    alarm.unlink(missing_ok=True)
    return EVERY


def main() -> None:
    parser = process.arguments(__doc__, "postroom_signer")
    parser.add_argument("--folder", type=Path, required=True, help="its own, where nobody else may write")
    parser.add_argument("--origin", required=True, help="the name of the log")
    asked = parser.parse_args()
    signer = Signer(asked.folder, asked.origin)
    process.run(asked.dsn, lambda connection: partial(turn, signer, connection))


if __name__ == "__main__":
    main()
