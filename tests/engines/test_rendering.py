"""What is rendered is what stands in tests/golden/; what a daemon's own check refuses is never put in force.

After a meant change: `WRITE_GOLDEN=yes pytest tests/engines/test_rendering.py`, and read the difference.
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from postroom.engines import dovecot, postfix, rendering
from postroom.engines.layout import NodeConfig, NodeRefused, Ports, load, refuse_closed, save
from postroom.engines.rendering import ConfigurationRefused, Texts, marker, stage

GOLDEN = Path(__file__).parents[1] / "golden"
CONFIG = NodeConfig("mx1", Path("/var/lib/postroom/node"), "127.130.140.150", sink=Path("/var/lib/postroom/sink"))
POLICY = ("key-of-policy", "nonce")
OUTSIDE = replace(CONFIG, sink=None, address="192.0.2.25", ports=Ports(smtp=25, submission=587, submissions=465))


def texts_of(name: str) -> Mapping[str, str]:
    match name:
        case "dovecot-2.3":
            return dovecot.render(replace(CONFIG, dovecot_version=(2, 3, 19)), "cfg-1-test", "key-of-doveadm", POLICY)
        case "dovecot-2.4":
            return dovecot.render(replace(CONFIG, dovecot_version=(2, 4, 1)), "cfg-1-test", "key-of-doveadm", POLICY)
        case "postfix-sink":
            return postfix.render(CONFIG, "cfg-1-test", (992, 991), (993, 994))
        case _:
            return postfix.render(OUTSIDE, "cfg-1-test", (992, 991), (993, 994))


@pytest.mark.parametrize("name", ["dovecot-2.3", "dovecot-2.4", "postfix-sink", "postfix-outside"])
def test_rendered_as_agreed(name: str) -> None:
    folder, texts = GOLDEN / name, texts_of(name)
    if os.environ.get("WRITE_GOLDEN"):
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    agreed = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert dict(texts) == agreed


@pytest.mark.parametrize("name", ["dovecot-2.3", "dovecot-2.4", "postfix-sink"])
def test_what_must_never_be_rendered(name: str) -> None:
    text = "\n".join(texts_of(name).values())
    assert "strftime" not in text  # Dovecot 2.4 leaves its %% alone, and lets the expired in
    assert "unixepoch()" in text
    assert "pop3" not in text
    assert "None" not in text


def test_smuggling_is_shut() -> None:
    lines = texts_of("postfix-outside")["main.cf"].splitlines()
    assert {"smtpd_forbid_bare_newline = yes", "smtpd_forbid_bare_newline_exclusions =",
            "smtpd_forbid_unauth_pipelining = yes", "mynetworks ="} <= set(lines)  # fmt: skip


def test_the_marker_names_the_text() -> None:
    one, two = (lambda name: {"a": "x" + name}), (lambda name: {"a": "y" + name})
    assert marker(1, one) == marker(1, one)
    assert len({marker(1, one), marker(2, one), marker(1, two)}) == 3


# Switching


@pytest.fixture
def conf() -> Path:
    return Path(tempfile.mkdtemp()) / "conf"


def passes(folder: Path) -> None:
    assert (folder / "main.cf").exists()


def refuses(folder: Path) -> None:
    raise ConfigurationRefused("no")


def switch(conf: Path, name: str, texts: Texts, check: Callable[[Path], None]) -> bool:
    staged = stage(conf, name, texts, check)
    if staged is not None:
        rendering.switch(conf, staged)
    return staged is not None


def test_switched_by_one_rename_and_only_when_new(conf: Path) -> None:
    assert switch(conf, "g1", {"main.cf": "one", "maps/a.cf": "a"}, passes)
    assert (conf / "maps/a.cf").read_text() == "a"
    assert not switch(conf, "g1", {"main.cf": "one"}, refuses)
    assert switch(conf, "g2", {"main.cf": "two"}, passes)
    assert (conf / "main.cf").read_text() == "two"


def test_what_is_refused_leaves_the_last_good_in_force(conf: Path) -> None:
    switch(conf, "g1", {"main.cf": "one"}, passes)
    with pytest.raises(ConfigurationRefused):
        switch(conf, "g2", {"main.cf": "two"}, refuses)
    assert (conf / "main.cf").read_text() == "one"
    assert rendering.in_force(conf) == "g1"
    assert (conf.parent / "conf-g2.refused/main.cf").read_text() == "two"


def test_the_last_good_ones_are_kept(conf: Path) -> None:
    for number in range(6):
        switch(conf, f"g{number}", {"main.cf": str(number)}, passes)
    assert len(list(conf.parent.glob("conf-*"))) == rendering.KEPT


@pytest.mark.server
@pytest.mark.parametrize(
    "fault", ["smtpd_tls_security_level = maybe\nbroken line without equals\n", "no_such_parameter_x = 1\n"]
)
def test_postfix_says_no(fault: str) -> None:
    folder = Path(tempfile.mkdtemp())
    config = replace(CONFIG, folder=folder, sink=folder / "sink")
    texts = dict(postfix.render(config, "cfg", (0, 0), (0, 0)))
    texts["main.cf"] += fault
    with pytest.raises(ConfigurationRefused):
        switch(folder / "postfix-conf", "g1", texts, rendering.check_postfix)


@pytest.mark.server
def test_dovecot_says_no() -> None:
    folder = Path(tempfile.mkdtemp())
    with pytest.raises(ConfigurationRefused):
        switch(folder / "conf", "g1", {"dovecot.conf": "no_such_setting = 1\n"}, rendering.check_dovecot)


# Settings


def test_settings_survive_their_file() -> None:
    path = Path(tempfile.mkdtemp()) / "node.json"
    config = replace(OUTSIDE, postfix_version=(3, 7, 11), dovecot_version=(2, 3, 19))
    save(config, "host=/run dbname=postroom", path)
    assert load(path) == (config, "host=/run dbname=postroom")
    assert path.stat().st_mode & 0o777 == 0o640


def test_everything_wrong_in_a_file_of_settings_at_once() -> None:
    path = Path(tempfile.mkdtemp()) / "node.json"
    path.write_text('{"name": "mx1", "folder": "/x", "colour": 1, "smtp": 2}')
    with pytest.raises(NodeRefused, match="colour, smtp, no address"):
        load(path)


def test_a_folder_nobody_may_enter_is_named() -> None:
    shut = Path(tempfile.mkdtemp())
    with pytest.raises(NodeRefused, match=str(shut)):
        refuse_closed(shut / "node")
