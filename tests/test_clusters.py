"""A cluster that is kept is the one that would be made now, and nothing that was done in it stays."""

import shutil
from pathlib import Path

import pytest

from clusters import AND_FROM, CHECKOUT, MADE_FROM, SOURCE, ready
from clusters import name_of as name
from postroom.host.cluster import THROWAWAY, Cluster


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Of this checkout, what a cluster is made from."""
    for one in (*(SOURCE.relative_to(CHECKOUT) / part for part in MADE_FROM), *AND_FROM):
        there, here = CHECKOUT / one, tmp_path / one
        here.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(there, here) if there.is_dir() else shutil.copy(there, here)
    return tmp_path


def named(checkout: Path) -> str:
    return name(checkout / SOURCE.relative_to(CHECKOUT), checkout)


@pytest.mark.parametrize(
    "what", ["migrations/0001_initial.py", "migrations/9999_next.py", "models/base.py", "sql/install.sql", "apps.py"]
)
def test_whatever_it_is_made_from_gives_it_another_name(copied: Path, what: str) -> None:
    before = named(copied)
    assert before == name(), "the same, wherever it lies"
    with (copied / SOURCE.relative_to(CHECKOUT) / what).open("a") as file:
        file.write("\n")
    assert named(copied) != before


def test_it_is_made_once_and_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT_CLUSTERS", str(tmp_path / "kept"))
    made: list[Cluster] = []

    def make(cluster: Cluster) -> None:
        made.append(cluster)
        cluster.execute("CREATE TABLE made (n int)")

    for _ in range(2):
        with ready(make, ("mx1",), THROWAWAY) as running:
            running.execute("INSERT INTO made VALUES (1)")
            running.execute("ALTER TABLE made ADD CONSTRAINT once UNIQUE (n)")
    assert len(made) == 1
