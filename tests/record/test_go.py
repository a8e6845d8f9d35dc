"""Proofs and checkpoints are those that a verifier accepts which we did not write; and it refuses any bit turned over.

The log is made by the database's sequencer and signed by a signer, at a hundred sizes; Go opens each checkpoint with
the key's line, and what it is given of an entry is what our leaf is hashed over: the salted hashes of its lines.
"""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from go_verifier import GoVerifier, built, consistency, inclusion
from test_erased import HIDDEN

from cast import MIA, House, do, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import record
from postroom.models import Client
from postroom.protocols import merkle, note
from postroom.record import sequencer as places
from postroom.record.export import export
from postroom.record.sequencer import Sequencer
from postroom.record.signer import Signer

pytestmark = pytest.mark.drill  # no server, but seconds of work, and a compiler
ORIGIN = b"postroom.example/log\n"
ENTRIES = 4_000
LINES = (
    'SELECT p.log_index, e.leaf, x."table", x."row"::text, x.before, x.after, x.salt FROM places p'
    " JOIN entries e ON e.id = p.entry_id JOIN edits x ON x.entry_id = e.id ORDER BY 1, x.n"
)
HOSTILE = 'ü "quoted" \\ back\n\t\x01\x7f\b\f\u2028 <b>&amp;</b> 📧 {"a": 1}'


@dataclass
class Log:
    """As it stands in the database: what each leaf is hashed over, the tree, the note of each size that was signed."""

    entries: list[bytes]
    leaves: list[bytes]
    tree: dict[tuple[int, int], bytes]
    notes: dict[int, bytes]
    sizes: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.sizes = sorted(self.notes)

    def node(self, level: int, index: int) -> bytes:
        return self.tree[level, index]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("go"))


@pytest.fixture
def go(program: Path, signer: Signer) -> GoVerifier:
    return GoVerifier(program, signer.who)


@pytest.fixture
def grown(house: House, sequencer: Sequencer, signer: Signer, connect: Any) -> None:
    """Thousands of entries, changes of many lines among them, signed at random sizes."""
    for n in range(6):
        do("mailboxes.change", house.olive, mailbox=MIA, name=f"Mia ünï {n}", quota_mb=900 + n)
    client = acme()
    with acting_as(SYSTEM):
        for n in range(ENTRIES):
            record.note("looked", client=None if n % 3 else client, n=n, of_whom=HOSTILE)
    rng, signing = random.Random(11), connect("postroom_signer")
    with pytest.MonkeyPatch.context() as patch:
        while True:
            patch.setattr(places, "AT_ONCE", rng.randrange(1, 80))
            if not sequencer.place():
                break
            assert signer.sign(signing)


def acme() -> UUID:
    return the(Client, slug="acme").pk


@pytest.fixture
def log(grown: None, connect: Any) -> Log:
    system = connect("postroom_system")
    hashed: dict[int, list[bytes]] = {}
    leaves: dict[int, bytes] = {}
    for place, leaf, table, row, before, after, salt in system.execute(LINES):
        line = json.dumps([table, row, before, after], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        hashed.setdefault(place, []).append(sha256(salt + line.encode()).digest())
        leaves[place] = leaf
    tree = {(level, index): one for level, index, one in system.execute("SELECT level, index, hash FROM tree_nodes")}
    notes = {size: said.encode() for size, said in system.execute("SELECT size, note FROM checkpoints")}
    return Log(
        [b"".join(hashed[at]) for at in range(len(hashed))], [leaves[at] for at in range(len(hashed))], tree, notes
    )


@dataclass(frozen=True)
class Case:
    """What the verifier is given: its words that are bytes, an index, the hashes of a proof."""

    sort: Callable[..., str]
    words: tuple[bytes, ...]
    proof: tuple[bytes, ...]
    index: int | None = None

    def line(self) -> str:
        at = () if self.index is None else (self.index,)
        return self.sort(self.words[0], *at, *self.words[1:], self.proof)

    def bits(self) -> int:
        return sum(8 * meant(one) for one in (*self.words, *self.proof))

    def turned(self, bit: int) -> Case:
        """With one bit turned over, somewhere in words and proof."""
        parts, at = [*self.words, *self.proof], 0
        while bit >= 8 * meant(parts[at]):
            bit, at = bit - 8 * meant(parts[at]), at + 1
        changed = bytearray(parts[at])
        changed[bit // 8] ^= 1 << bit % 8
        parts[at] = bytes(changed)
        return replace(self, words=tuple(parts[: len(self.words)]), proof=tuple(parts[len(self.words) :]))


def meant(part: bytes) -> int:
    """How many of its octets mean something to their last bit: of a note all but the end of its base64."""
    return len(part) - 3 if part.startswith(ORIGIN) else len(part)


def an_inclusion(log: Log, rng: random.Random) -> Case:
    size = rng.choice(log.sizes)
    index = rng.randrange(size)
    proof = tuple(merkle.inclusion(index, size, log.node))
    return Case(inclusion, (log.notes[size], log.entries[index]), proof, index)


def a_consistency(log: Log, rng: random.Random) -> Case:
    old, new = sorted(rng.choices(log.sizes, k=2))
    return Case(consistency, (log.notes[old], log.notes[new]), tuple(merkle.consistency(old, new, log.node)))


@pytest.mark.parametrize("proofs", [1_000, pytest.param(50_000, marks=pytest.mark.soak)])
def test_every_proof_is_accepted_and_none_with_a_bit_turned_over(log: Log, go: GoVerifier, proofs: int) -> None:
    assert len(log.entries) > ENTRIES and len(log.sizes) > 50
    assert [merkle.leaf_hash(one) for one in log.entries] == log.leaves
    rng = random.Random(proofs)
    for draw in (an_inclusion, a_consistency):
        cases = [draw(log, rng) for _ in range(proofs)]
        assert go.answers(case.line() for case in cases) == ["accepted"] * proofs
        broken = [case.turned(rng.randrange(case.bits())) for case in cases]
        assert accepted(go, broken) == []
        whole = [case.turned(bit) for case in cases[: max(2, proofs // 1_000)] for bit in range(case.bits())]
        assert accepted(go, whole) == []
    near_misses(log, go, rng)


def accepted(go: GoVerifier, cases: Sequence[Case]) -> list[Case]:
    answers = go.answers(case.line() for case in cases)
    return [case for case, said in zip(cases, answers, strict=True) if said == "accepted"]


def near_misses(log: Log, go: GoVerifier, rng: random.Random) -> None:
    """Another place, a shorter proof, another entry, another key."""
    for _ in range(200):
        good, other = an_inclusion(log, rng), an_inclusion(log, rng)
        near = [replace(good, index=(good.index or 0) + 1), replace(good, proof=good.proof[:-1])]
        near += [replace(good, words=(good.words[0], other.words[1]))] if good.words[1] != other.words[1] else []
        assert accepted(go, near) == []
    strange = note.Verifier(go.who.name, bytes(range(32)))
    assert accepted(replace(go, who=strange), [an_inclusion(log, rng)]) == []


@pytest.fixture
def folder(grown: None, connect: Any, signer: Signer, tmp_path: Path) -> Path:
    """Acme's record as it is given away, unpacked."""
    count = export(connect("postroom_system"), acme(), signer.who, tmp_path / "acme.zip")
    assert count > ENTRIES / 4
    zipfile.ZipFile(tmp_path / "acme.zip").extractall(tmp_path / "acme")
    return tmp_path / "acme"


def test_what_was_erased_is_verified_where_the_record_says_so(
    entries: dict[str, Any], signer: Signer, connect: Any, go: GoVerifier, tmp_path: Path
) -> None:
    export(connect("postroom_system"), acme(), signer.who, tmp_path / "acme.zip")
    zipfile.ZipFile(tmp_path / "acme.zip").extractall(tmp_path)
    whole = (tmp_path / "entries.jsonl").read_text()
    assert whole.count('"hashed"') == 6
    assert go.of_bundle(tmp_path) == f"accepted {len(whole.splitlines())}"
    for hide in HIDDEN:
        one = [json.loads(line) for line in whole.splitlines()]
        hide(one)
        (tmp_path / "entries.jsonl").write_text("".join(json.dumps(line) + "\n" for line in one))
        assert go.of_bundle(tmp_path).startswith("refused: "), hide.__name__


def test_an_exported_record_is_verified_and_what_was_changed_in_it_is_not(folder: Path, go: GoVerifier) -> None:
    entries = folder / "entries.jsonl"
    lines, rng = entries.read_bytes().splitlines(keepends=True), random.Random(4)
    assert go.of_bundle(folder) == f"accepted {len(lines)}"
    for _ in range(50):
        at = rng.randrange(len(lines) - 1)
        one = json.loads(lines[at])
        one["lines"][-1]["after"]["at"] = "2020-01-01T00:00:00+00:00"
        for changed in ([json.dumps(one).encode() + b"\n"], [], [lines[at]] * 2, lines[at : at + 2][::-1]):
            gone = len(changed) or 1
            entries.write_bytes(b"".join([*lines[:at], *changed, *lines[at + gone :]]))
            assert go.of_bundle(folder).startswith("refused: ")
    entries.write_bytes(b"".join(lines[:-7]))
    assert go.of_bundle(folder) == f"accepted {len(lines) - 7}", "how far it goes is all that it can say"
    entries.write_bytes(b"".join(lines))
    (folder / "checkpoint.note").write_text((folder / "checkpoint.note").read_text().replace("\n", "\n1", 1))
    assert go.of_bundle(folder).startswith("refused: ")
