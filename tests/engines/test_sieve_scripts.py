"""Scripts as they lie in their folders, taken apart by the real compiler behind the real desk; no daemon runs."""

import base64
import os
import pwd
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from live_node import JOE, KIM, MIA, mailbox, named

from postroom.engines import asking, compile, maps, sieve_box, sieve_files, sieve_scripts
from postroom.engines.asking import Desk
from postroom.engines.layout import NodeConfig, make_folders
from postroom.engines.node import with_versions
from postroom.engines.sieve_known import SieveKnown
from postroom.engines.sieve_scripts import SieveScripts
from postroom.engines.source import SourceAway, Todo

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")
OUT = b'redirect "spy@evil.example";'
MAIL = pwd.getpwnam("postroom-mail").pw_uid if os.geteuid() == 0 else 0


@dataclass
class Heard:
    """Where reports go; away: nobody hears them."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    away: bool = False

    def report(self, sort: str, rows: Any) -> None:
        if self.away:
            raise SourceAway("away")
        assert sort == "sieve"
        self.rows += rows


class Place:
    """A node's folder with three mailboxes, the parent's desk open, and the agent's side of it."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self.config = with_versions(NodeConfig("mx1", folder, "127.0.0.1"))
        make_folders(self.config)
        files = maps.open_files(self.config)
        rows = [Todo(n, "address", named(a), None, mailbox(a, None)) for n, a in enumerate((MIA, JOE, KIM))]
        compile.write(files, rows)
        self.files = files
        self.desk = Desk(self.config, {})
        self.server = asking.serve(self.config, self.desk, 0)
        self.asked: list[str] = []
        answer = self.desk.answer
        self.desk.answer = lambda question: (self.asked.append(question["ask"]), answer(question))[1]  # type: ignore[method-assign]

    def begin(self) -> None:
        """As new: no file in any mailbox, nothing known."""
        for one in (*(self.config.folder / "mail").iterdir(), self.config.folder / "bin"):
            shutil.rmtree(one, ignore_errors=True)
        self.config.sieve_known.unlink(missing_ok=True)
        with self.files.maps.writing() as connection:
            connection.execute("UPDATE mailbox SET until = NULL")
        self.scripts, self.heard = SieveScripts(self.config), Heard()
        self.known = SieveKnown(self.config.sieve_known, "a test")

    def home(self, login: str) -> Path:
        local, _, domain = login.partition("@")
        return self.config.folder / "mail" / domain / local

    def put(self, login: str, name: str, text: bytes, *, active: bool = True) -> Path:
        """As Pigeonhole lays it down."""
        path = self.home(login) / f"sieve/{name}.sieve"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        os.chown(path, MAIL, -1)
        if active:
            self.link(login, f"sieve/{name}.sieve")
        return path

    def link(self, login: str, to: str) -> None:
        link = self.home(login) / ".dovecot.sieve"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(to)

    def look(self) -> dict[str, list[dict[str, Any]]]:
        """What was told of each mailbox by one look, the newest; "" of the look as a whole."""
        self.heard.rows.clear()
        self.asked.clear()
        self.scripts.look(self.known)
        while self.scripts.waiting:
            self.scripts.hand_on(self.heard)  # type: ignore[arg-type]
        return {row.get("login", ""): row.get("scripts", [row]) for row in self.heard.rows}

    def of(self, login: str) -> dict[str, Any]:
        """Its one script."""
        (one,) = self.look()[login]
        return one


@pytest.fixture(scope="module")
def desk() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="postroom-sieve-"))
    made = Place(folder)
    yield made
    made.server.shutdown()
    made.server.server_close()
    for one in made.files:
        one.connection.close()
    shutil.rmtree(folder)


@pytest.fixture
def place(desk: Place) -> Iterator[Place]:
    desk.begin()
    yield desk
    desk.known.connection.close()


def test_every_script_is_told_whole_and_which_is_in_force(place: Place) -> None:
    place.put(MIA, "out", OUT)
    place.put(MIA, "other one", b'require "vacation"; vacation "away";', active=False)
    told = place.look()
    out, other = told[MIA]
    assert (out["name"], out["active"], out["text"], out["unreadable"]) == ("out", True, OUT.decode(), "")
    assert out["redirects"] == [
        {"to": "spy@evil.example", "copy": False, "conditional": False, "by": "redirect", "anyway": "", "filed": False},
    ]
    assert (other["name"], other["active"], other["vacation"], other["redirects"]) == ("other one", False, True, [])
    assert told[JOE] == told[KIM] == []
    (whole,) = told[""]
    assert (whole["whole"], whole["mailboxes"], whole["unread"]) == (True, 3, [])
    assert whole["at"] == pytest.approx(time.time(), abs=10)


def test_what_did_not_change_is_listed_and_no_more(place: Place) -> None:
    path = place.put(MIA, "out", OUT)
    assert set(place.look()) == {MIA, JOE, KIM, ""}
    assert set(place.look()) == {""} and set(place.asked) == {"sieve"}
    times = path.stat()
    path.write_bytes(OUT.replace(b"spy", b"two"))  # of the same length, and then its times set back
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert place.of(MIA)["redirects"][0]["to"] == "two@evil.example"
    path.unlink()
    assert place.look()[MIA] == []


def test_a_text_that_is_known_is_not_taken_apart_again_over_a_restart_too(place: Place) -> None:
    place.put(MIA, "out", OUT)
    place.put(JOE, "same", OUT)
    place.look()
    assert place.asked.count("sieve dump") == 1
    place.scripts = SieveScripts(place.config)
    assert place.of(JOE)["redirects"] and place.asked.count("sieve dump") == 0
    place.known = SieveKnown(place.config.sieve_known, "another compiler")
    place.scripts = SieveScripts(place.config)
    assert place.of(JOE)["redirects"] and place.asked.count("sieve dump") == 1


def test_a_report_that_was_not_heard_is_told_again(place: Place) -> None:
    place.put(MIA, "out", OUT)
    place.scripts.look(place.known)
    place.heard.away = True
    with pytest.raises(SourceAway):
        place.scripts.hand_on(place.heard)  # type: ignore[arg-type]
    place.heard.away = False
    assert set(place.look()) == {MIA, JOE, KIM, ""}


# Asked to look at once


def whole(place: Place) -> dict[str, Any]:
    (row,) = place.look()[""]
    return dict(row)


def test_the_first_look_after_it_was_asked_says_what_it_was_asked_by(place: Place) -> None:
    assert whole(place)["asked"] == []
    place.scripts.look_now({7, 9})
    assert place.scripts.now.is_set() and whole(place)["asked"] == [7, 9]
    place.scripts.look_now({7, 9})  # on the list still: what was told was not heard yet
    assert not place.scripts.now.is_set() and whole(place)["asked"] == []
    place.scripts.look_now({12})
    assert whole(place)["asked"] == [12]
    place.scripts = SieveScripts(place.config)
    place.scripts.look_now({12})
    assert whole(place)["asked"] == [12], "a new agent does not know that it was told"


def test_a_look_that_fails_is_owed_still(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.scripts.look_now({7})
    monkeypatch.setattr(asking, "ask", lambda *_: {"error": "away"})
    with pytest.raises(asking.ParentAway):
        place.scripts.look(place.known)
    monkeypatch.undo()
    assert whole(place)["asked"] == [7]


def test_what_is_asked_while_it_looks_is_the_next_looks(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.scripts.look_now({7})
    listed = place.scripts._mailboxes
    monkeypatch.setattr(place.scripts, "_mailboxes", lambda: (place.scripts.look_now({7, 8}), listed())[1])
    assert whole(place)["asked"] == [7] and place.scripts.now.is_set()
    monkeypatch.undo()
    assert whole(place)["asked"] == [8]


@pytest.mark.parametrize(("took", "least", "most"), [(0.01, 1.0, 15.0), (10.0, 10.0, 120.0), (300.0, 120.0, 120.0)])
def test_whoever_asks_it_rests_as_long_as_it_looked(
    place: Place, monkeypatch: pytest.MonkeyPatch, took: float, least: float, most: float
) -> None:
    slept, waited = list[float](), list[float]()
    monkeypatch.setattr(sieve_scripts.time, "sleep", slept.append)
    monkeypatch.setattr(place.scripts.now, "wait", waited.append)
    place.scripts._rest(took)
    assert slept == [least] and took + least + waited[0] == pytest.approx(max(most, took + least))


@pytest.mark.parametrize(("text", "why"), [
    (b"this is no script", "the compiler refuses it: line 1: "),
    (b"", ""),
    (b"\0\xff", "the compiler refuses it: line 1"),
    (b'require "include"; include :personal "other";',
     "the compiler refuses it: line 1: an extension that is not offered"),
    (b"if true {" * 200 + b"keep;" + b"}" * 200, "the compiler refuses it: line 1: it is nested too deep"),
    (b"".join(b'redirect "u%d@evil.example";\n' % n for n in range(10_000)), "it has 10000 redirects, of which 200"),
    (b'redirect "a@b.example";\n' * 40_000, "sieve-dump was stopped by SIGXFSZ"),
    (b"#" * 1_048_577, "it is larger than 1 MB"),
])  # fmt: skip
def test_what_cannot_be_read_says_why(place: Place, text: bytes, why: str) -> None:
    place.put(MIA, "odd", text)
    told = place.of(MIA)
    assert told["unreadable"].startswith(why) and bool(told["unreadable"]) == bool(why), told["unreadable"]
    assert "\0" not in told["text"] and len(told["text"]) <= 65_536
    assert told["cut"] == (65_536 < len(text) <= 1_048_576)


SECRET = "hunter2-of-dr-brown"


@pytest.mark.parametrize("text", [
    "{};", "if {} {{ keep; }}", 'require "{}";', "keep :{};", 'redirect "{} at home";', 'keep "{}";', 'redirect "{}',
    "{}", 'require "fileinto"; fileinto text:\n{}\n', 'require "fileinto"; fileinto {};', '# {}\nkeep "{}" "{}";',
    '"{}" keep;', 'require "{}", "{}";', 'keep; }} {}', 'redirect "<{}@>";',
    'require "regex"; if header :regex "subject" "({}" {{ keep; }}', 'require "vacation"; vacation :from "{} <>" "{}";',
    'require "relational";\nif header :count "{}" "a" "b" {{}}',
])  # fmt: skip
def test_why_a_script_is_refused_quotes_nothing_of_it(place: Place, text: str) -> None:
    place.put(MIA, "odd", text.replace("{}", SECRET).replace("{{", "{").replace("}}", "}").encode())
    told = place.of(MIA)
    assert told["unreadable"].startswith("the compiler refuses it: "), told
    assert SECRET not in told["unreadable"] and "brown" not in told["unreadable"]
    assert re.fullmatch(r"the compiler refuses it: (line \d+: )?(.*)", told["unreadable"])[2] in WORDS  # type: ignore[index]


WORDS = {*(sort for _, sort in sieve_box.SORTS), sieve_box.OTHER}


def test_what_a_compiler_says_that_ends_otherwise_is_not_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what the other program prints that is not understood."""
    in_its_place(place, monkeypatch, sievec='#!/bin/sh\nread -r one < x.sieve\necho "$one" >&2\nexit 9\n')
    place.put(MIA, "odd", f"# {SECRET}\nkeep;".encode())
    assert place.of(MIA)["unreadable"] == "sievec ended with 9"
    lines = ["", "* Main program (block: 2):", "", "Address   Line  Code", f"00000000:    1: {SECRET} x",
             "00000001:       [End of code]", ""]  # fmt: skip
    printed = "printf '" + "\\n".join(lines) + "'"
    in_its_place(place, monkeypatch, sievec="#!/bin/sh\nexit 0\n", sieve_dump=f"#!/bin/sh\n{printed}\n")
    place.put(MIA, "odd", f"# {SECRET}\nstop;".encode())
    why = place.of(MIA)["unreadable"]
    assert why == "not understood: a command that is not known here"


def test_the_many_redirects_are_listed_up_to_their_number(place: Place) -> None:
    place.put(MIA, "bomb", b"".join(b'redirect "u%d@evil.example";\n' % n for n in range(10_000)))
    assert [one["to"] for one in place.of(MIA)["redirects"]] == [f"u{n}@evil.example" for n in range(200)]


SAYS = """#!/bin/sh
while read -r line; do echo "$line"; done < /proc/self/status
set
"""


def in_its_place(place: Place, monkeypatch: pytest.MonkeyPatch, **programs: str) -> None:
    """Other programs that are found before the compiler."""
    folder = place.config.folder / "bin"
    folder.mkdir(exist_ok=True)
    for name, text in programs.items():
        (folder / name.replace("_", "-")).write_text(text)
        (folder / name.replace("_", "-")).chmod(0o755)
    monkeypatch.setitem(sieve_box.ENVIRONMENT, "PATH", f"{folder}:/usr/bin:/bin")


def test_what_the_compiler_runs_as_and_with(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in its place says who it is and what it has."""
    monkeypatch.setenv("POSTROOM_SECRET", "a secret")
    in_its_place(place, monkeypatch, sievec="#!/bin/sh\nexit 0\n", sieve_dump=SAYS)
    said = base64.b64decode(sieve_box.dumped(place.config, OUT)["dump"]).decode()
    has = {name: value for name, _, value in (line.partition(":") for line in said.splitlines())}
    user = pwd.getpwnam("postroom-sieve")
    assert has["Uid"].split() == [str(user.pw_uid)] * 4 and has["Gid"].split() == [str(user.pw_gid)] * 4
    assert has["Groups"].split() == [] and has["NoNewPrivs"].strip() == "1"
    assert all(int(has[name], 16) == 0 for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"))
    assert "SECRET" not in said and "HOME=" not in said


def test_the_compiler_makes_no_second_process_and_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    in_its_place(place, monkeypatch, sievec="#!/bin/sh\n/bin/true && echo two > two\nexit 0\n", sieve_dump=SAYS)
    sieve_box.dumped(place.config, OUT)
    assert not (place.config.folder / "run/sieve/box/two").exists()
    in_its_place(place, monkeypatch, sievec="#!/bin/sh\necho > left; exit 0\n", sieve_dump="#!/bin/sh\necho *\n")
    left = sieve_box.dumped(place.config, OUT)
    in_its_place(place, monkeypatch, sievec="#!/bin/sh\nexit 0\n")
    again = sieve_box.dumped(place.config, OUT)
    assert [base64.b64decode(one["dump"]).split() for one in (left, again)] == [[b"left", b"x.sieve"], [b"x.sieve"]]


def test_a_compiler_that_hangs_is_tried_again_a_few_times(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    in_its_place(place, monkeypatch, sievec="#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(sieve_box, "SECONDS", 0.2)
    place.put(MIA, "out", OUT)
    for _ in range(sieve_scripts.TRIES):
        assert "took more than" in place.of(MIA)["unreadable"]
    assert MIA not in place.look()
    monkeypatch.undo()
    place.scripts = SieveScripts(place.config)
    assert place.of(MIA)["redirects"], "that it hung is not kept as if it were known"


# What may lie there


def test_links_are_not_followed(place: Place) -> None:
    secret = place.config.folder / "secret"
    secret.write_text("a secret")
    os.chown(secret, MAIL, -1)
    good = place.put(MIA, "good", b"keep;")
    (good.parent / "linked.sieve").symlink_to(secret)
    os.mkfifo(good.parent / "pipe.sieve")
    (good.parent / "folder.sieve").mkdir()
    for name in ("linked", "pipe", "folder"):
        os.chown(good.parent / f"{name}.sieve", MAIL, -1, follow_symlinks=False)
    root = place.put(MIA, "root", OUT, active=False)
    os.chown(root, 0, 0)
    told = {one["name"]: one for one in place.look()[MIA]}
    assert told.keys() == {"good", "linked", "pipe", "folder", "root"}
    assert told["good"]["unreadable"] == "" and told["good"]["active"]
    odd = [one for name, one in told.items() if name != "good"]
    assert all(one["unreadable"] == sieve_files.NO_FILE and one["text"] == "" for one in odd)
    answer = place.desk.answer({"ask": "sieve text", "address": MIA, "name": "linked"})
    assert answer.keys() == {"why"}, "put there after it was listed"


def test_a_folder_that_is_a_link_is_not_entered_and_its_mailbox_is_unread(place: Place) -> None:
    place.put(JOE, "his", OUT)
    place.home(MIA).mkdir(parents=True)
    (place.home(MIA) / "sieve").symlink_to(place.home(JOE) / "sieve")
    place.home(KIM).parent.mkdir()
    place.home(KIM).symlink_to(place.home(JOE))
    told = place.look()
    (whole,) = told[""]
    assert whole["unread"] == [{"login": KIM, "why": "kim is no folder"}, {"login": MIA, "why": "sieve is no folder"}]
    assert MIA not in told and KIM not in told and len(told[JOE]) == 1
    (place.home(MIA) / "sieve").unlink()
    told = place.look()
    assert told[MIA] == [] and [one["login"] for one in told[""][0]["unread"]] == [KIM]


@pytest.mark.parametrize("to", ["../joe/sieve/his.sieve", "/etc/passwd", "sieve/../x.sieve", "x.sieve"])
def test_what_is_in_force_elsewhere_is_said_and_not_read(place: Place, to: str) -> None:
    place.put(JOE, "his", OUT)
    place.link(MIA, to)
    told = place.of(MIA)
    assert (told["name"], told["active"], told["text"]) == ("~/.dovecot.sieve", True, "")
    assert told["unreadable"] == sieve_files.NO_FILE


def test_a_file_in_the_place_of_the_link_is_in_force(place: Place) -> None:
    place.put(MIA, "good", b"keep;", active=False)
    path = place.home(MIA) / ".dovecot.sieve"
    path.write_bytes(OUT)
    os.chown(path, MAIL, -1)
    active, good = place.look()[MIA]
    assert (active["name"], active["active"], good["active"]) == ("~/.dovecot.sieve", True, False)
    assert active["redirects"][0]["to"] == "spy@evil.example"


def test_a_link_by_its_whole_path_is_one_too(place: Place) -> None:
    place.put(MIA, "good", OUT)
    place.link(MIA, str(place.home(MIA) / "sieve/good.sieve"))
    assert place.of(MIA)["active"]


def test_names_of_bytes_are_shown_apart(place: Place) -> None:
    folder = place.put(MIA, "x", b"keep;", active=False).parent
    for name in (b"\xff", b"\xfe", b"a\nb", b"a\tb"):
        path = bytes(folder) + b"/" + name + b".sieve"
        with open(path, "wb") as file:
            file.write(OUT)
        os.chown(path, MAIL, -1)
    told = place.look()[MIA]
    assert {one["name"] for one in told} == {"x", "\ufffd", "\ufffd (2)", "a\ufffdb", "a\ufffdb (2)"}
    assert sum(len(one["redirects"]) for one in told) == 4


@pytest.mark.parametrize(
    "address",
    [
        "../joe@acme.example",
        "mia@..",
        "/@acme.example",
        "mia@acme.example/mia",
        "@",
        "x",
        "../acme.example/joe@acme.example",
    ],
)
def test_an_address_leads_to_no_other_folder(place: Place, address: str) -> None:
    place.put(JOE, "his", OUT)
    place.put(MIA, "hers", b"keep;")
    (row,) = sieve_files.listed(place.config, [address])
    assert row["why"] or row["scripts"] == []
    assert "text" not in sieve_files.text(place.config, address, "his")
    assert "text" not in sieve_files.text(place.config, MIA, "../../joe/sieve/his")


def test_too_many_scripts_are_listed_and_those_in_force_are_read_first(place: Place, monkeypatch: Any) -> None:
    monkeypatch.setattr(sieve_scripts, "MOST_TAKEN_APART", 2)
    for name in "abcd":
        place.put(MIA, name, b"keep; # %s" % name.encode())
    told = place.look()[MIA]
    assert [(one["name"], one["active"], bool(one["unreadable"])) for one in told] == [
        ("d", True, False), ("a", False, False), ("b", False, True), ("c", False, True),
    ]  # fmt: skip
    monkeypatch.setattr(sieve_files, "MOST_FILES", 3)
    place.put(MIA, "e", b"keep;")
    assert place.look()[""][0]["unread"] == [{"login": MIA, "why": "there are more than 3 files with its scripts"}]


def test_what_had_no_turn_is_unread_until_it_has(place: Place, monkeypatch: Any) -> None:
    place.put(MIA, "out", OUT)
    monkeypatch.setattr(sieve_scripts, "TURN", -1)
    told = place.look()
    assert told.keys() == {""} and {one["login"] for one in told[""][0]["unread"]} == {MIA, JOE, KIM}
    monkeypatch.setattr(sieve_scripts, "TURN", 60)
    assert place.of(MIA)["redirects"]


def test_only_mailboxes_that_are_served_are_looked_at(place: Place) -> None:
    place.put("left@acme.example", "out", OUT)
    with place.files.maps.writing() as connection:
        connection.execute("UPDATE mailbox SET until = 1 WHERE address = ?", (KIM,))
    told = place.look()
    assert set(told) == {MIA, JOE, ""} and told[""][0]["mailboxes"] == 2


def test_all_is_told_again_now_and_then(place: Place) -> None:
    place.put(MIA, "out", OUT)
    place.look()
    place.scripts.all_again = 0
    assert set(place.look()) == {MIA, JOE, KIM, ""} and "sieve dump" not in place.asked
