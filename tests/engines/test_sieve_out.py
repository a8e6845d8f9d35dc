"""What the judge says of one message that a filter sends; the rest of the way is in test_sieve_out_live.py."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from live_node import JOE, KIM, MIA, named

from postroom.engines import compile, maps, sieve_out
from postroom.engines.key_store import Reader
from postroom.engines.layout import MAPS, NodeConfig
from postroom.engines.milter_protocol import Message
from postroom.engines.source import Compiled, Todo

OUT = "one@far.example"
REDIRECT = ("X-Sieve: Pigeonhole Sieve 0.5.19", f"X-Sieve-Redirected-From: {MIA}", f"Delivered-To: {MIA}",
            "Received: from a by b", "From: x@out.example")  # fmt: skip
ANSWER = ("X-Sieve: Pigeonhole Sieve 0.5.19", f"From: <{MIA}>", f"To: <{OUT}>",
          "Auto-Submitted: auto-replied (vacation)")  # fmt: skip


@pytest.fixture
def files() -> Iterator[maps.Files]:
    folder = Path(tempfile.mkdtemp())
    for name in MAPS:
        (folder / "db" / name).mkdir(parents=True)
    opened = maps.open_files(NodeConfig("mx1", folder, "127.0.0.1"))
    aliases = [
        {"name": "acme.test", "target": "acme.example"},
        {"name": "over.test", "target": "acme.example", "until": 1},
    ]
    domains = [{"name": "acme.example", "client": "a"}, {"name": "globex.example", "client": "b"},
               {"name": "more.example", "client": "a"}]  # fmt: skip
    put(opened, "domain", {"maps": {"domain": domains, "alias_domain": aliases}})
    yield opened
    for one in opened:
        one.connection.close()


@pytest.fixture
def reader(files: maps.Files) -> Iterator[Reader]:
    reader = Reader(files.maps.path)
    yield reader
    reader.close()


def put(files: maps.Files, name: str, compiled: Compiled | None) -> None:
    compile.write(files, [Todo(1, "domain", named(name), None, compiled)])


def allow(files: maps.Files, source: str, target: str, until: int | None = None) -> None:
    put(files, "allowed", {"maps": {"allowed": [{"source": source, "target": target, "until": until}]}})


def said(reader: Reader, headers: tuple[str, ...], to: str = OUT, sender: str = MIA) -> str:
    """Why it is refused; empty if it goes."""
    pairs = [tuple(one.encode() for one in line.split(":", 1)) for line in headers]
    message = Message(sender=sender, recipients=[to], headers=pairs)  # type: ignore[arg-type]
    return sieve_out.judge(message, reader, lambda login, address: login == address).refused


# Passed on


@pytest.mark.parametrize("to", [JOE, "joe@more.example", "anybody@acme.test", "Joe@ACME.example"])
def test_to_inside_it_goes(reader: Reader, to: str) -> None:
    assert said(reader, REDIRECT, to) == ""


@pytest.mark.parametrize("to", [JOE, OUT])
def test_what_is_stopped_does_not_go_inside_or_out(reader: Reader, files: maps.Files, to: str) -> None:
    allow(files, MIA, OUT)
    assert said(reader, REDIRECT, to) == ""
    put(files, "stopped", {"maps": {"forbidden": [{"source": MIA, "target": to}]}})
    assert said(reader, REDIRECT, to) == f"{MIA} is stopped from passing mail on to {to}"
    assert said(reader, REDIRECT, to.upper()) == f"{MIA} is stopped from passing mail on to {to}"
    assert said(reader, REDIRECT, "kay@acme.example") == "", "only what is named"
    put(files, "stopped", None)
    assert said(reader, REDIRECT, to) == ""


def test_another_client_of_the_same_node_is_outside(reader: Reader, files: maps.Files) -> None:
    assert said(reader, REDIRECT, KIM) == f"{MIA} may not pass mail on to {KIM}"
    allow(files, MIA, KIM)
    assert said(reader, REDIRECT, KIM) == ""


@pytest.mark.parametrize("to", [OUT, "x@over.test", "x@sub.acme.example", "x@acme.example.far.test"])
def test_to_outside_it_does_not(reader: Reader, to: str) -> None:
    assert "may not pass mail on" in said(reader, REDIRECT, to)


@pytest.mark.parametrize("source", [MIA, "@acme.example"])
@pytest.mark.parametrize("target", [OUT, "@far.example", "@.far.example", "@.example"])
def test_but_where_a_row_says_so(files: maps.Files, reader: Reader, source: str, target: str) -> None:
    allow(files, source, target)
    assert said(reader, REDIRECT) == ""
    assert said(reader, REDIRECT, sender="") == "", "mail without a sender: the header says who passes it on"
    assert said(reader, REDIRECT, "ONE@Far.Example") == ""
    assert said(reader, REDIRECT, sender="mia+x@acme.example") == ""
    put(files, "allowed", None)
    assert "may not" in said(reader, REDIRECT)


@pytest.mark.parametrize("source, target, until", [
    (JOE, OUT, None), ("@globex.example", OUT, None), (MIA, "two@far.example", None), (MIA, "@ar.example", None),
    (MIA, "@.ar.example", None), (MIA, "@sub.far.example", None), (MIA, "@.sub.far.example", None),
    (MIA, "@.one@far.example", None), (MIA, "%", None), (MIA, OUT, 1), ("@acme.example", "@.far.example", 5),
])  # fmt: skip
def test_a_row_about_something_else_says_nothing(
    files: maps.Files, reader: Reader, source: str, target: str, until: int | None
) -> None:
    with suppress(compile.RowRefused):
        allow(files, source, target, until)
    assert "may not" in said(reader, REDIRECT)


@pytest.mark.parametrize("target, to, goes", [
    ("@far.example", "x@sub.far.example", False), ("@.far.example", "x@sub.far.example", True),
    ("@.far.example", "x@a.sub.far.example", True), ("@.far.example", "x@notfar.example", False),
])  # fmt: skip
def test_a_domain_and_what_is_below(files: maps.Files, reader: Reader, target: str, to: str, goes: bool) -> None:
    allow(files, MIA, target)
    assert (said(reader, REDIRECT, to) == "") == goes


def test_somebody_elses_row_is_not_had_by_their_name(files: maps.Files, reader: Reader) -> None:
    """A header of the mail that came is below Pigeonhole's; the sender must be the one of both."""
    allow(files, JOE, OUT)
    forged = (*REDIRECT, f"X-Sieve-Redirected-From: {JOE}")
    assert "mia@acme.example may not" in said(reader, forged)
    assert "mia@acme.example may not" in said(reader, forged, sender="")
    assert "does not say who" in said(reader, REDIRECT, sender=JOE)
    assert "does not say who" in said(reader, (*REDIRECT[:1], *REDIRECT[2:]), sender=JOE)


def test_it_does_not_go_round(files: maps.Files, reader: Reader) -> None:
    allow(files, MIA, OUT)
    by = [f"X-Sieve-Redirected-From: {one}@acme.example" for one in ("a", "b", "c", "d")]
    assert said(reader, (*REDIRECT, *by[:3])) == ""
    assert "before" in said(reader, (*REDIRECT, *by))
    for to in (OUT, JOE):
        assert "before" in said(reader, (*REDIRECT, REDIRECT[1]), to)
    assert "before" in said(reader, REDIRECT, MIA) and "before" in said(reader, REDIRECT, "mia+x@acme.example")
    assert "before" in said(reader, (*REDIRECT, f"X-Sieve-Redirected-From: {JOE}"), JOE)


def test_what_is_forbidden_goes_nowhere_whatever_is_allowed(files: maps.Files, reader: Reader) -> None:
    allow(files, "@acme.example", "@.far.example")
    assert said(reader, REDIRECT) == ""
    for target in (OUT, "@far.example", "@.far.example"):
        put(files, "never", {"maps": {"forbidden": [{"source": "@acme.example", "target": target}]}})
        assert "may not" in said(reader, REDIRECT), target
    put(files, "never", {"maps": {"forbidden": [{"source": "@acme.example", "target": "@private"}]}})
    allow(files, MIA, "mia@gmail.com")
    assert "may not" in said(reader, REDIRECT, "mia@gmail.com")


def test_all_providers_of_private_mailboxes_may_be_allowed(files: maps.Files, reader: Reader) -> None:
    allow(files, "@acme.example", "@private")
    assert said(reader, REDIRECT, "mia@gmail.com") == "" and "may not" in said(reader, REDIRECT, "mia@far.example")


# Answers


def test_an_answer_goes(reader: Reader) -> None:
    assert said(reader, ANSWER) == "" and said(reader, ANSWER, JOE) == ""
    assert said(reader, ANSWER, sender="mia+x@acme.example") == ""


@pytest.mark.parametrize("line", [
    "X-Sieve-Redirected-From: mia@acme.example", "Received: from a by b", "Delivered-To: mia@acme.example",
    "RECEIVED: x", "x-sieve-redirected-from:joe@acme.example",
])  # fmt: skip
def test_what_was_delivered_before_is_no_answer(reader: Reader, line: str) -> None:
    assert said(reader, (*ANSWER, line)) != ""
    assert said(reader, (line, *ANSWER)) != ""


def test_what_is_passed_on_is_no_answer_whatever_it_says(reader: Reader) -> None:
    assert "may not" in said(reader, (*REDIRECT, "Auto-Submitted: auto-replied (vacation)", "X-Sieve: Pigeonhole"))


@pytest.mark.parametrize("line", [
    f"From: <{KIM}>", "From: boss@far.example", f"From: <{MIA}>, <{KIM}>", f"From: <{MIA}>\nFrom: <{KIM}>",
])  # fmt: skip
@pytest.mark.parametrize("to", [OUT, JOE])
def test_an_answer_is_from_who_answers(reader: Reader, line: str, to: str) -> None:
    shown = (*ANSWER[:1], *line.split("\n"), *ANSWER[2:])
    assert "From" in said(reader, shown, to)


def test_an_answer_of_nobody_is_none(reader: Reader) -> None:
    assert said(reader, ANSWER, sender="") != "" and said(reader, ANSWER, sender=KIM) != ""


@pytest.mark.parametrize("without", ["X-Sieve", "Auto-Submitted"])
def test_anything_else_stays_inside(reader: Reader, without: str) -> None:
    other = tuple(line for line in ANSWER if not line.startswith(without + ":"))
    assert "nothing of this sort" in said(reader, other)
    assert said(reader, other, JOE) == ""


@pytest.mark.parametrize("recipients", [[], [JOE, OUT], [OUT, JOE]])
def test_one_at_a_time(reader: Reader, recipients: list[str]) -> None:
    message = Message(sender=MIA, recipients=recipients)
    assert sieve_out.judge(message, reader, lambda login, address: True).refused
