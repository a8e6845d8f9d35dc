"""The record at the API: entries with their proof, the checkpoint, one client's record; who gets what."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from django.conf import settings

from cast import MIA, House, do
from postroom.cli import remote
from postroom.cli.audit import audit
from postroom.environment import Environment
from postroom.host.cluster import Cluster
from postroom.record import check_bundle
from postroom.record.sequencer import Sequencer
from postroom.record.signer import Signer

Ask = Callable[[str], Any]


@pytest.fixture
def key(cluster: Cluster, database: str, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """All there is so far is in the log and signed; the signer's line."""
    monkeypatch.setattr(settings, "POSTROOM", Environment({**settings.POSTROOM.values, "STATE": tmp_path}))
    (tmp_path / "signer").mkdir()
    signer = Signer(tmp_path / "signer", "postroom.example/log")
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H.")
    with psycopg.connect(cluster.dsn("postroom_system", database), autocommit=True) as system:
        Sequencer(system).place()
    with psycopg.connect(cluster.dsn("postroom_signer", database), autocommit=True) as own:
        signer.sign(own)
    return str(signer.who)


def test_entries_are_listed_searched_and_paged(key: str, at_api: Ask) -> None:
    oskar = at_api("oskar")
    first = oskar.get("/entries?limit=3").json()
    second = oskar.get(f"/entries?limit=3&after={first['next']}").json()
    ids = [one["id"] for page in (first, second) for one in page["items"]]
    assert len(ids) == 6 and ids == sorted(ids, reverse=True)
    (mine,) = oskar.get("/entries?person=olive@northlight.example&kind=mailboxes.change").json()["items"]
    assert mine["facts"]["why"] == "a test" and mine["proof"] == "signed" and mine["client"] == "acme"
    assert mine in oskar.get(f"/entries?object={MIA}").json()["items"]
    assert oskar.get("/entries?after=x").status_code == 422
    assert oskar.get("/entries?since=x").status_code == 422


def test_one_entry_comes_with_what_proves_it(key: str, at_api: Ask) -> None:
    carl = at_api("carl")
    newest = carl.get("/entries?limit=1").json()["items"][0]
    one = carl.get(f"/entries/{newest['id']}").json()
    told = carl.get("/checkpoint").json()
    assert told["trusted"] and told["key"] == key and one["checkpoint"] == told["note"] and told["alarm"] is None
    check_bundle.opened(told["note"], key)
    assert one["lines"] and one["leaf"] and len(one["inclusion"]) > 3
    assert carl.get("/entries/999999").status_code == 404
    theirs = at_api("oskar").get("/entries?client=globex&limit=1").json()["items"][0]["id"]
    assert carl.get(f"/entries/{theirs}").status_code == 404


def test_a_record_is_taken_out_by_who_may_and_recorded_first(key: str, at_api: Ask, tmp_path: Path) -> None:
    carl = at_api("carl")
    answer = carl.get("/clients/acme/record?why=our+auditors+asked")
    assert answer.status_code == 200 and answer["Content-Type"] == "application/zip"
    zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).extractall(tmp_path / "acme")
    answer.close()
    assert check_bundle.main(tmp_path / "acme", key) == []
    newest = carl.get("/entries?limit=1").json()["items"][0]
    assert newest["said"] == "record exported" and newest["facts"]["why"] == "our auditors asked"
    assert carl.get("/clients/acme/record").status_code == 422
    assert carl.get("/clients/globex/record?why=x").status_code == 404
    assert at_api("ada").get("/clients/acme/record?why=x").status_code == 403


def test_the_command_lists_them_through_the_api(key: str, at_api: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    carl = at_api("carl")
    monkeypatch.setattr(remote, "ask", lambda method, path: carl.get(path).json())
    shown = CliRunner().invoke(audit, ["list", "--object", MIA, "--client", "acme", "--since", "2020-01-01T00:00:00Z"])
    assert shown.exit_code == 0, shown.output
    newest = shown.output.splitlines()[0]
    for words in ("signed", "acme", "mailboxes.change", "a test"):
        assert words in newest
    assert CliRunner().invoke(audit, ["list", "--client", "globex"]).output == ""
    assert CliRunner().invoke(audit, ["list", "--client", "acme", "--until", "2020-01-01T00:00:00Z"]).output == ""
