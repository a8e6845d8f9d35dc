"""Text in a generated file, a command, a protocol (rows 16, 17, 20, 33, 34): one entry an object, nothing more."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import dns.exception
import dns.rdatatype
import dns.zone
import pytest
from pydantic import ValidationError

from cast import kind
from postroom.engines import compile, dovecot, maps, postfix
from postroom.engines.asking import Desk
from postroom.engines.layout import MAPS, NodeConfig, NodeRefused, load, save
from postroom.engines.source import Compiled, Todo
from postroom.protocols.rrset import BadRRset, rrset

CODE = Path(__file__).parents[2] / "src"
CONFIG = NodeConfig("mx1", Path("/var/lib/postroom/node"), "127.130.140.150", sink=Path("/var/lib/postroom/sink"))
HOSTILE = ("a\nb", "a\r\nb", "a b", "a\tb", "a\0b", "a=b c", "$(id)", "`id`", "a;b", "a|b", "-Ckey", "a'b", 'a"b',
           "../a",           "a/b", "a,b", "*", "a%sb", "", "a\x7fb", "{a}", "a\n[b]", "a\\nb", "<a>", "a:b",
           "a(b)")  # fmt: skip


def key(domain: str, selector: str) -> Compiled:
    return {"keys": {"key": [{"domain": domain, "selector": selector, "algorithm": "rsa-sha256", "sealed": "eA=="}]}}


def opened(folder: Path) -> maps.Files:
    for name in MAPS:
        (folder / "db" / name).mkdir(parents=True)
    return maps.open_files(replace(CONFIG, folder=folder))


# Row 17: every generated file is read again


@pytest.mark.parametrize("text", HOSTILE)
def test_row_17_no_selector_or_domain_of_a_key_is_more_than_one_word(text: str) -> None:
    """A line end in a selector gave a key to another domain elsewhere; here no such row is written at all."""
    for compiled in (key(f"{text}.example" if text else "", "s1"), key("acme.example", text)):
        (row,) = compiled["keys"]["key"]
        value = row["selector"] if row["domain"] == "acme.example" else row["domain"]
        if not re.search(r"[\s\x00-\x1f\x7f/\\,\"'<>()\[\]:;|%*?]", value) and value and value[0] not in "-.":
            continue  # harmless in a row of its own: nothing of it separates, quotes or climbs
        with pytest.raises(compile.RowRefused):
            compile.checked(compiled)


def test_row_17_there_are_as_many_rows_as_objects(tmp_path: Path) -> None:
    files = opened(tmp_path)
    names = [f"u{n}" for n in range(40)] + ["o'brien", "a b", "x\ny", "{}", "%s", "NULL", "d$x"]
    todo, wanted = [], 0
    for n, name in enumerate(names):
        address = f"{name}@acme.example"
        compiled: Compiled = {
            "maps": {
                "mailbox": [{"address": address, "quota_mb": 1}],
                "route": [{"source": address, "destination": address}],
            },
            **key("acme.example", name),
        }  # fmt: skip
        try:
            compile.checked(compiled)
        except compile.RowRefused:
            continue
        wanted += 1
        todo.append(Todo(n, "address", UUID(int=n + 1), None, compiled))
    compile.write(files, todo)
    assert wanted == 40 + 3, "{}, NULL and $ separate nothing in a row"
    for one, table in ((files.maps, "mailbox"), (files.maps, "route"), (files.keys, "key")):
        rows = [row[0] for row in one.connection.execute(f"SELECT * FROM {table}")]
        assert len(rows) == wanted, table
        assert not any(re.search(r"[\s\x00-\x1f]", str(row)) for row in rows)


def parameters(text: str) -> Counter[str]:
    """Names set in a main.cf, logical line by logical line (postconf(5))."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return Counter(line.partition("=")[0].strip() for line in lines if not line[0].isspace())


def services(text: str) -> list[str]:
    return [" ".join(line.split()[:2]) for line in text.splitlines() if line.strip() and line[0] not in "# "]


def blocks(text: str) -> int:
    """Opened and not closed: 0 in a whole dovecot.conf."""
    bare = re.sub(r'"[^"\n]*"|%\{[^}\n]*\}', "", text)
    return bare.count("{") - bare.count("}")


@pytest.mark.parametrize("field", ["hostname", "name", "address", "system_login", "notices_from"])
@pytest.mark.parametrize(
    "text", ["mx\nmynetworks = 0.0.0.0/0", "mx smtpd_x=1", "mx\r\nx", "$(id)", "%{user}", "a}b", ""]
)
def test_row_17_a_setting_of_a_node_is_one_word_in_what_is_rendered(tmp_path: Path, field: str, text: str) -> None:
    path = tmp_path / "node.json"
    good = set(parameters(postfix.render(CONFIG, "cfg", (1, 1), (1, 1))["main.cf"]))
    save(replace(CONFIG, folder=tmp_path, **{field: text}), "file:/x", path)
    try:
        config, _ = load(path)
    except NodeRefused as refused:
        assert field in str(refused) and text
        return
    assert text == "", "an empty one adds no line"
    assert set(parameters(postfix.render(config, "cfg", (1, 1), (1, 1))["main.cf"])) == good


def test_row_17_configurations_hold_each_setting_and_service_once() -> None:
    texts = postfix.render(CONFIG, "cfg-1", (992, 991), (993, 994))
    assert set(parameters(texts["main.cf"]).values()) == {1}
    assert len(set(services(texts["master.cf"]))) == len(services(texts["master.cf"])) > 20
    plain = {"maps/returned", "maps/returned_access", "maps/returned_sender", "maps/returned_letters"}
    assert {one for one in texts if one.startswith("maps/")} == {
        f"maps/{one}.cf" for one in (*postfix.QUERIES, "own", "transport")
    } | plain
    assert all(texts[one].count("\n") == 1 for one in plain)
    for name in postfix.QUERIES:
        assert parameters(texts[f"maps/{name}.cf"]) == {"dbpath": 1, "query": 1}
    for version in ((2, 3, 19), (2, 4, 1)):
        for path, text in dovecot.render(replace(CONFIG, dovecot_version=version), "cfg-1", "key", ("p", "n")).items():
            assert blocks(text) == 0, path


VALUES = ("plain", 'quo"ted', "semi;colon", "back\\slash", "v=spf1 -all", "x" * 600, "a\\010b", "paren(s)",
          "$ORIGIN evil.", "@ IN A",          "ünïcode", "a\\", '"', "a\nb IN A 192.0.2.1", "a\r\nb", "a\0b", '" "',
          "{{7*7}}")  # fmt: skip


def test_row_17_a_zone_file_holds_one_record_a_value() -> None:
    for value in VALUES:
        try:
            one = rrset("x.acme.example", "TXT", 300, [value, "other"])
        except BadRRset:
            continue
        lines = "\n".join(one.master_file())
        try:
            zone = dns.zone.from_text(lines, origin="acme.example.", relativize=False, check_origin=False)
        except dns.exception.DNSException as broken:
            pytest.fail(f"{value!r} breaks the file: {broken}")
        found = [rdata for _, _, rdata in zone.iterate_rdatas()]
        assert len(found) == len(one.values) and {r.rdtype for r in found} == {dns.rdatatype.TXT}, value
    for bad in ("a\nb IN A 192.0.2.1", "a\r\nb", "a\0b", "a\x1bb"):
        with pytest.raises(ValidationError):
            kind("record_sets.set", domain="acme.example", name="x.acme.example", type="TXT", values=[bad])
        for name in (bad + ".acme.example", "x y.acme.example", "$ORIGIN", ";x.acme.example"):
            with pytest.raises(BadRRset):
                rrset(name, "TXT", 300, ["fine"])


# Rows 16 and 20: what is asked of a command or another server


class Recorder(Desk):
    """A desk that runs nothing and keeps what it would have run."""

    def __init__(self) -> None:
        super().__init__(CONFIG, {"daemons": dict, "restart": lambda daemon: {}})
        self.ran: list[tuple[list[str], str]] = []

    def _run(self, command: list[str], given: str) -> tuple[int, str, str]:
        self.ran.append((command, given))
        return 0, "", ""


ODD = ("-A@acme.example", "--config=/etc/passwd", "*@acme.example", "a?@acme.example", "a b@acme.example", "a\nb",
       "a\r\nb\r\nkick *",       "", "\0", "a\tb", "\x7f")  # fmt: skip


@pytest.mark.parametrize("address", ODD)
def test_row_20_nothing_that_ends_a_line_or_is_a_mask_reaches_a_daemon(address: str) -> None:
    """CRLF, literals, masks, options: what the agent may ask of Dovecot and Postfix is one plain word each."""
    for sort in ("user", "login", "loaded"):
        desk = Recorder()
        assert "error" in desk.answer({"ask": sort, "addresses": ["mia@acme.example", address]})
        assert desk.ran == []
    desk = Recorder()
    desk.answer({"ask": "map", "map": "route", "keys": ["mia@acme.example", address]})
    assert [given for _, given in desk.ran] == ["mia@acme.example\n"]


@pytest.mark.parametrize("question", [
    {"ask": "map", "map": "../../etc/passwd", "keys": ["x"]}, {"ask": "map", "map": "route; id", "keys": ["x"]},
    {"ask": "restart", "daemon": "postfix; id"}, {"ask": "user", "addresses": "x"}, {"ask": "exec", "command": "id"},
    {"ask": "user", "addresses": [["x"]]}, [], "x", None, {"ask": ["user"], "addresses": ["x"]},
    {"ask": "sieve text", "address": "mia@acme.example", "name": ["x"]}, {"ask": "sieve dump", "text": 5},
])  # fmt: skip
def test_row_16_root_answers_its_questions_and_no_other(question: Any) -> None:
    desk = Recorder()
    assert "error" in desk.answer(question) and desk.ran == []


def test_row_16_a_hostile_name_is_one_argument(tmp_path: Path) -> None:
    """A real command gets it: the name is what the command sees, whole, and no shell reads it on the way."""
    ran = tmp_path / "ran"
    desk = Desk(CONFIG, {})
    name = f"$(touch${{IFS}}{ran})`touch${{IFS}}{ran}`;touch${{IFS}}{ran}|x@acme.example"
    code, out, _ = desk._run([sys.executable, "-c", "import sys; print(sys.argv[1:])", name], "")
    assert (code, out.strip()) == (0, repr([name])) and not ran.exists()


# Row 33: how wide a file is open, from the first moment on

MAKES = """
import os, sys
from pathlib import Path
folder, wide = Path(sys.argv[1]), set()
os.umask(0)

def look(event, arguments):
    if busy or event not in ("open", "os.chmod", "os.chown", "os.rename", "os.link", "sqlite3.connect/handle"):
        return
    busy.append(1)
    try:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o007:
                wide.add((path.relative_to(folder).parts[0], oct(path.stat().st_mode & 0o777)))
    finally:
        busy.clear()

busy = []
from dataclasses import replace
from postroom.engines import maps, own_keys
from postroom.engines.layout import MAPS, NodeConfig, Users, save
from postroom.host import keys
from postroom.record.export import _new
from postroom.record import signer
from postroom.cli import login, remote
import grp
mine = grp.getgrgid(os.getgid()).gr_name
users = Users(mine, mine, mine, mine, mine, mine, mine)
secret = folder / "password"
os.close(os.open(secret, os.O_CREAT | os.O_WRONLY, 0o600)); secret.write_text("x" * 20)
config = NodeConfig("mx1", folder / "node", "127.0.0.1", users=users, system_password=secret)
for name in MAPS: (config.folder / "db" / name).mkdir(parents=True)
(config.folder / "keys").mkdir(); (folder / "state").mkdir(); (folder / "signer").mkdir()
sys.addaudithook(look)
maps.open_files(config)
own_keys.make_missing(config)
save(config, "host=/x password=y", folder / "node.json", group=mine)
for key in keys.KEYS: keys.make_once(folder / "state", replace(key, group=mine))
signer._key(folder / "signer")
remote.saved, remote.api = (lambda: folder / "state/session.json"), (lambda: "http://localhost")
login._keep("a token")
_new(folder / "record.zip").close()
look("open", ())
print(sorted(wide), len([path for path in folder.rglob("*") if path.is_file()]))
"""


def test_row_33_no_file_with_a_secret_is_ever_open_to_everybody(tmp_path: Path) -> None:
    """With a umask that takes nothing away; looked at from inside, at each thing the process does with files."""
    script = tmp_path / "makes.py"
    script.write_text(MAKES)
    (tmp_path / "made").mkdir()
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, script, tmp_path / "made"], env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.fullmatch(r"\[\] 1[5-9]|\[\] [2-9]\d", done.stdout.strip()), done.stdout


# Row 34: what an engine does with a name


def test_row_34_no_filter_that_unescapes_and_no_cache_of_sign_ins_is_rendered() -> None:
    for version in ((2, 3, 19), (2, 4, 1), (2, 4, 4)):
        texts = dovecot.render(replace(CONFIG, dovecot_version=version), "cfg-1", "key", ("p", "n"))
        whole = "\n".join(texts.values())
        assert not re.search(r"\|\s*safe\b", whole) and "auth_cache_size = 0" in whole
        assert "auth_username_chars =\n" not in whole, "an empty one lets every character through"
        assert re.search(r"(?m)^auth_mechanisms = plain login xoauth2 oauthbearer$", whole), "no one-time passwords"


def names_that_reach_a_query() -> Iterator[str]:
    yield from ("x' OR '1'='1", "x'--", 'x"', "x\\'", "x;", "x%27", "x\0", "x\n", "x(", "x)", "x*", "x|", "x,y")


def test_row_34_a_name_that_quotes_is_in_no_file_that_sign_ins_are_asked_of() -> None:
    """Whatever an engine does with what somebody types: the names it could match are of a safe alphabet alone."""
    for name in names_that_reach_a_query():
        address = f"{name}@acme.example"
        for table, file in (("login", "maps"), ("password", "secrets"), ("app", "secrets")):
            with pytest.raises(compile.RowRefused):
                compile.checked({file: {table: [{"address": address}]}})
