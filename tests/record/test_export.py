"""One client's record, taken away: it verifies with the standard library alone, and nothing can be changed in it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cast import MIA, House, do
from postroom.protocols import note
from postroom.record import check_bundle
from postroom.record.export import NothingSigned, export
from postroom.record.sequencer import Sequencer
from postroom.record.signer import Signer

GLOBEX = "mia@globex.example"


def verified(folder: Path, *key: str) -> tuple[int, str]:
    """By the program in the export, in a Python that knows nothing of ours."""
    command = [sys.executable, "-I", str(folder / "verify.py"), str(folder), *key]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/")
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def bundle(house: House, sequencer: Sequencer, signer: Signer, connect: Any, tmp_path: Path) -> Path:
    """Acme's record, unpacked; some entries of others between."""
    for n in range(6):
        for box in (MIA, GLOBEX):
            do("mailboxes.change", house.olive, mailbox=box, name=f'Mia {n} ünï \\ "')
    sequencer.place()
    signer.sign(connect("postroom_signer"))
    system = connect("postroom_system")
    ((acme,),) = system.execute("SELECT id FROM clients WHERE slug = 'acme'").fetchall()
    do("mailboxes.change", house.olive, mailbox=MIA, name="not signed yet")
    sequencer.place()
    ((there,),) = system.execute("SELECT count(*) FROM places WHERE client_id = %s", [acme]).fetchall()
    assert export(system, acme, signer.who, tmp_path / "acme.zip") == there - 1
    zipfile.ZipFile(tmp_path / "acme.zip").extractall(tmp_path / "acme")
    return tmp_path / "acme"


def test_it_verifies_offline_and_holds_nobody_elses(bundle: Path, signer: Signer) -> None:
    assert verified(bundle) == verified(bundle, str(signer.who)) == (0, said(bundle))
    text = (bundle / "entries.jsonl").read_text()
    assert "globex" not in text and "not signed yet" not in text and MIA in text
    assert {one.name for one in bundle.iterdir()} == {"entries.jsonl", "checkpoint.note", "key.txt", "verify.py"}
    program = (bundle / "verify.py").read_text()
    assert len(program.splitlines()) < 300 and "python3 verify.py FOLDER [KEY]" in program


def said(bundle: Path) -> str:
    """What is said where all of it fits: how far it goes, and what no export can show."""
    entries = [json.loads(line) for line in (bundle / "entries.jsonl").read_text().splitlines()]
    version = max(one["version"] or 0 for one in entries)
    size = int((bundle / "checkpoint.note").read_text().splitlines()[1])
    return (
        f"every entry is what was signed: 0 to {len(entries) - 1:,}, versions to {version:,},"
        f" of a log of {size:,} entries\nwhether entries of this client come after these, an export cannot show\n"
    )


def test_one_that_was_cut_off_says_how_far_it_goes(bundle: Path) -> None:
    """Entries left out at the end are no fault that could be found; that there were more shows in what is said."""
    entries, whole = bundle / "entries.jsonl", said(bundle)
    lines = entries.read_text().splitlines(keepends=True)
    entries.write_text("".join(lines[:-3]))
    assert verified(bundle) == (0, said(bundle)) and said(bundle) != whole
    assert said(bundle).startswith(f"every entry is what was signed: 0 to {len(lines) - 4}, ")
    entries.write_text("")
    assert verified(bundle) == (1, "entries.jsonl: there is no entry\n")


def test_another_key_than_the_one_you_know_is_found(bundle: Path) -> None:
    other = note.Verifier("postroom.example/log", Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    code, said = verified(bundle, str(other))
    assert code == 1 and "not signed by" in said


def a_word(entries: list[Any], rng: random.Random) -> None:
    rng.choice(entries)["lines"][0]["after"]["why"] = "because"


def a_salt(entries: list[Any], rng: random.Random) -> None:
    rng.choice(entries)["lines"][-1]["salt"] = rng.randbytes(16).hex()


def one_less(entries: list[Any], rng: random.Random) -> None:
    del entries[rng.randrange(len(entries) - 1)]


def one_twice(entries: list[Any], rng: random.Random) -> None:
    at = rng.randrange(len(entries))
    entries.insert(at, entries[at])


def two_swapped(entries: list[Any], rng: random.Random) -> None:
    at = rng.randrange(len(entries) - 1)
    entries[at], entries[at + 1] = entries[at + 1], entries[at]


def a_proof(entries: list[Any], rng: random.Random) -> None:
    rng.choice(entries)["proof"][0] = rng.randbytes(32).hex()


def a_version(entries: list[Any], rng: random.Random) -> None:
    rng.choice([one for one in entries if one["version"]])["version"] = None


def test_what_is_changed_in_it_is_found(bundle: Path, signer: Signer) -> None:
    lines = (bundle / "entries.jsonl").read_text().splitlines()
    for change in (a_word, a_salt, one_less, one_twice, two_swapped, a_proof, a_version):
        for seed in range(20):
            entries = [json.loads(line) for line in lines]
            change(entries, random.Random(seed))
            (bundle / "entries.jsonl").write_text("".join(json.dumps(one) + "\n" for one in entries))
            assert check_bundle.main(bundle, str(signer.who)), (change.__name__, seed)


def test_its_ed25519_is_the_librarys() -> None:
    """Signatures, and the same with a bit turned over."""
    rng = random.Random(5)
    for n in range(30):
        key, message = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)), rng.randbytes(n)
        public, signature = key.public_key().public_bytes_raw(), key.sign(message)
        assert check_bundle.verified(public, message, signature)
        place = rng.randrange(64)
        broken = signature[:place] + bytes([signature[place] ^ 1 << rng.randrange(8)]) + signature[place + 1 :]
        assert not check_bundle.verified(public, message, broken)
        assert not check_bundle.verified(public, message + b"x", signature)


def test_where_nothing_is_signed_nothing_is_exported(
    house: House, signer: Signer, connect: Any, tmp_path: Path
) -> None:
    with pytest.raises(NothingSigned):
        export(connect("postroom_system"), house.olive.person, signer.who, tmp_path / "x.zip")  # type: ignore[arg-type]
    assert not (tmp_path / "x.zip").exists()
