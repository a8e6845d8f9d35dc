"""Files are whole or not there, and keys never readable by more than they are for."""

import json
import os
import stat
from pathlib import Path

import pytest

from postroom.host import files, keys

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")


def test_a_file_replaces_the_one_before_and_leaves_nothing_beside(state: Path) -> None:
    files.write_json(state / "endpoints.json", {"web": "old"})
    files.write_json(state / "endpoints.json", {"web": "new"})
    assert json.loads((state / "endpoints.json").read_text()) == {"web": "new"}
    assert os.listdir(state) == ["endpoints.json"]


def test_a_write_that_must_not_replace_keeps_what_is_there(state: Path) -> None:
    assert files.write(state / "key", b"first", replace=False)
    assert not files.write(state / "key", b"second", replace=False)
    assert (state / "key").read_bytes() == b"first"
    assert os.listdir(state) == ["key"]


@AS_ROOT
def test_keys_are_drawn_once_and_read_by_their_group_alone(state: Path) -> None:
    first = {name: path.read_text() for name, path in keys.make_all(state / "keys").items()}
    again = {name: path.read_text() for name, path in keys.make_all(state / "keys").items()}

    assert first == again
    assert len(set(first.values())) == len(keys.KEYS)
    assert all(len(first[key.name]) == 43 for key in keys.KEYS if key.draw is None)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (state / "keys").iterdir()}
    assert modes == {0o640}
    assert stat.S_IMODE((state / "keys").stat().st_mode) == 0o750
    assert {path.group() for path in (state / "keys").iterdir()} == {"postroom"}


def test_a_folder_gets_its_mode_whatever_the_umask(state: Path) -> None:
    before = os.umask(0o077)
    try:
        files.folder(state / "run" / "postgres")
    finally:
        os.umask(before)
    assert stat.S_IMODE((state / "run" / "postgres").stat().st_mode) == 0o755
