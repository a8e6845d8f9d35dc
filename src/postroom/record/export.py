"""One client's record, to be taken away and verified by anybody: entries, proofs, checkpoint, and what verifies them.

A zip archive of entries.jsonl, checkpoint.note, key.txt and verify.py, which needs Python and nothing else.
"""

import json
import os
import zipfile
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import psycopg

from postroom.protocols import merkle, note

from .stored import Erased, Stored
from .verify import entries_of, node

# Its name here is another: verify.py is what looks at the whole log in the database.
PROGRAM, SOURCE = "verify.py", "check_bundle.py"


class NothingSigned(LookupError):
    """There is no checkpoint yet, so nothing can be proven."""


class NotSignedYet(NothingSigned):
    """Something was erased a moment ago, and the entry that says so is not signed yet."""


def export(connection: "psycopg.Connection[Any]", client: UUID, who: note.Verifier, path: Path) -> int:
    """Write the archive: how many entries are in it. Those the newest checkpoint does not reach yet are not."""
    row = connection.execute("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
    if row is None:
        raise NothingSigned("nothing is signed yet: is the signer running?")
    size = note.checkpoint(note.opened(row[0], who)).size
    nodes = lru_cache(maxsize=1 << 16)(lambda level, index: node(connection, level, index))
    try:
        with _new(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            count = _written(archive, connection, client, size, nodes)
            archive.writestr("checkpoint.note", row[0])
            archive.writestr("key.txt", f"{who}\n")
            archive.writestr(PROGRAM, files("postroom.record").joinpath(SOURCE).read_text())
    except FileExistsError:
        raise
    except BaseException:
        path.unlink(missing_ok=True)  # half an archive is none
        raise
    return count


def _new(path: Path) -> IO[bytes]:
    """For whoever takes it out alone: names, addresses and reasons stand in it. FileExistsError where there is one."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600), "w+b")


def _written(
    archive: zipfile.ZipFile, connection: "psycopg.Connection[Any]", client: UUID, size: int, nodes: merkle.Nodes
) -> int:
    """entries.jsonl, an entry a line; how many."""
    count, erased = 0, Erased()
    with archive.open("entries.jsonl", "w", force_zip64=True) as out:
        for stored in entries_of(connection, client):
            if stored.place < size:
                for _ in erased.of(stored, stored.leaf or b""):
                    pass
                proof = merkle.inclusion(stored.place, size, nodes)
                one = {**_entry(stored), "proof": [each.hex() for each in proof]}
                out.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")
                count += 1
    if erased.waiting:
        raise NotSignedYet("what was erased is not accounted for by what is signed yet: try again in a moment")
    return count


def _entry(one: Stored) -> dict[str, Any]:
    lines = [
        {"table": table, "row": row, "before": before, "after": after, "salt": salt.hex()}
        | ({"hashed": kept.hex()} if kept is not None else {})
        for (table, row, before, after), salt, kept in one.lines
    ]
    return {"index": one.place, "number": one.number, "client": one.client, "version": one.version, "lines": lines}
