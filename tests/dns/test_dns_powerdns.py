"""The private PowerDNS as it is set up."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from postroom.dns.powerdns import PowerDns, PowerDnsNotReady, prepare, rendered


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="postroom-dns-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_it_lives_in_its_own_folder_alone() -> None:
    instance = PowerDns(Path("/srv/state/pdns"), "127.64.0.9", "k3y")
    lines = dict(line.split("=", 1) for line in rendered(instance, as_root=True).splitlines())
    assert (lines["local-address"], lines["local-port"], lines["webserver-port"]) == ("127.64.0.9", "5300", "5302")
    assert lines["default-soa-content"].startswith("ns1.postroom.example hostmaster.@ ")
    assert (lines["setuid"], lines["security-poll-suffix"], lines["api-key"]) == ("pdns", "", "k3y")
    paths = [value for value in lines.values() if value.startswith("/")]
    assert paths
    assert all(path.startswith("/srv/state/pdns/") for path in paths)
    assert "setuid" not in rendered(instance, as_root=False)
    assert instance.settings == {"host": "127.64.0.9", "port": "5302", "api_key": "k3y"}


def test_preparing_again_keeps_the_zones(folder: Path) -> None:
    instance = PowerDns(folder / "pdns", "127.64.0.9", "k3y")
    prepare(instance)
    with sqlite3.connect(instance.database) as database:
        database.execute("INSERT INTO domains (name, type) VALUES ('acme.example', 'NATIVE')")
    database.close()
    prepare(PowerDns(folder / "pdns", "127.64.0.9", "other"))
    database = sqlite3.connect(instance.database)
    assert database.execute("SELECT name FROM domains").fetchall() == [("acme.example",)]
    database.close()
    conf = folder / "pdns" / "pdns.conf"
    assert conf.stat().st_mode & 0o777 == 0o600
    assert "api-key=other\n" in conf.read_text()
    if os.geteuid() == 0:
        assert {path.owner() for path in instance.database.parent.iterdir()} == {"pdns"}


def test_a_path_too_long_for_a_socket_is_refused(folder: Path) -> None:
    with pytest.raises(PowerDnsNotReady, match="too long"):
        prepare(PowerDns(folder / ("x" * 90), "127.64.0.9", "k3y"))


def test_the_key_is_one_plain_line() -> None:
    assert PowerDns(Path("/srv"), "127.64.0.9", "k3y\n").api_key == "k3y"
    for key in ("", "\n", "a\nlaunch=bind", "k\x00"):
        with pytest.raises(PowerDnsNotReady, match="one line"):
            PowerDns(Path("/srv"), "127.64.0.9", key)
