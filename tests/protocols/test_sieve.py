"""Where a script sends mail, read from real dumps of both versions; and what is no dump never says that it sends none.

tests/golden/sieve holds the scripts and what `sieve-dump` of 2.3.19 and 2.4.1 prints of each, its place apart.
"""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from postroom.protocols import sieve
from postroom.protocols.sieve import Reading, Redirect

GOLDEN = Path(__file__).parents[1] / "golden/sieve"
LONG = f"{'a' * 56}@{'b' * 40}.inside.example"


def golden(name: str, version: str = "2.3") -> str:
    return (GOLDEN / f"{name}.{version}.dump").read_bytes().decode("utf-8", "surrogateescape")


def script(name: str) -> str:
    return (GOLDEN / f"{name}.sieve").read_bytes().decode("utf-8", "surrogateescape")


def to(address: str, *said: str, by: str = "redirect") -> Redirect:
    return Redirect(address, "copy" in said or by == "notify", "if" in said, by)  # type: ignore[arg-type]


REDIRECT = '00000009:       REDIRECT\n00000009:         address: STR[16] "mia@home.example"\n'
FILEINTO = "00000009:       FILEINTO\n00000009:         folder: {}\n"
PLAIN = 'STR[3] "Sub"'
END_OF_NOTHING = "00000002:       [End of code]"
AWAY = "00000009:       VACATION\n"


@pytest.mark.parametrize(("more", "wanted"), [
    (FILEINTO.format(PLAIN), Redirect("mia@home.example", True, False, "redirect", "always")),
    ("JMP" + FILEINTO.format(PLAIN), Redirect("mia@home.example", False, True, "redirect", "sometimes", True)),
    (AWAY, Redirect("mia@home.example", False, False, "redirect", "always")),
    ("JMP" + AWAY, Redirect("mia@home.example", False, True, "redirect", "sometimes")),
    ("00000009:       KEEP\n", Redirect("mia@home.example", True, False, "redirect")),
    ("00000009:       DISCARD\n", Redirect("mia@home.example", False, False, "redirect")),
    # Where a folder cannot be opened, nothing else is done.
    *((FILEINTO.format(one), Redirect("mia@home.example", True, True, "redirect", "always"))
      for one in ("INTERNAL", 'STR[3] "a.b"', 'STR[2] "~x"', 'STR[2] "a/"', f'STR[60] "{"x" * 60}"')),
])  # fmt: skip
def test_what_stands_by_then_and_what_is_kept(more: str, wanted: Redirect) -> None:
    found = sieve.read(golden("nothing").replace(END_OF_NOTHING, more.replace("JMP", JUMP) + REDIRECT + END))
    assert found.unreadable == "" and found.redirects == (wanted,)


KNOWN: dict[str, Reading] = {
    "nothing": Reading(),
    "filters": Reading(discards="sometimes"),  # which look for the word, and file into a folder of that name
    "refuses": Reading(),
    "away": Reading(vacation=True),
    "always": Reading((to("mia@home.example", "copy"),)),
    "every_branch": Reading((
        to("books@acme.example", "copy", "if"), to("mia@home.example", "if"), to("spy@evil.example", "if"),
    )),
    "after_a_stop": Reading((to("mia@home.example", "if"),), discards="sometimes"),
    "gives_up": Reading((to("mia@home.example", "copy", "if"),)),
    # A part before may have ended the loop.
    "mime_parts": Reading((to("mia@home.example", "if"),), discards="sometimes"),
    "worked_out": Reading((to(""), to("", "if"))),
    "told_by_notify": Reading((
        to("spy@evil.example", by="notify"), to("two@evil.example", by="notify"),
        to("three@evil.example", by="notify"), to("five@evil.example", "if", by="notify"), to("", by="notify"),
    )),
    "odd_addresses": Reading((to("mia@home.example"), to('"a\\"b"@evil.example'), to("a?b@evil.example"))),
    "asks_first": Reading(
        (to("b@evil.example", "if"), to("c@evil.example", "if")),
        unreadable="it asks whether something is offered that is not known here (ihave)",
    ),
    "a_long_address": Reading((to(f"{'a' * 56}@{'b' * 46}.example"),)),
    "in_a_comment": Reading((to(LONG),)),
    "alike": Reading((to(""), to(""))),
    "spelled_out": Reading((to(""),)),
}  # fmt: skip


@pytest.mark.parametrize("version", ["2.3", "2.4"])
@pytest.mark.parametrize("name", KNOWN)
def test_where_it_sends_mail(name: str, version: str) -> None:
    assert sieve.read(golden(name, version), script(name)) == KNOWN[name]


END = "0000001c:    2: [End of code]"
JUMP = "00000009:       JMPFALSE 00000010 [0000001c]\n"


@pytest.mark.parametrize(("more", "discards"), [
    ("", ""), ("DISCARD", "always"), ("DISCARD KEEP", ""), ("FILEINTO DISCARD", ""), ("FILEINTO", ""),
    ("JMP DISCARD", "sometimes"), ("DISCARD JMP KEEP", "sometimes"), ("DISCARD JMP FILEINTO", "sometimes"),
    ("KEEP JMP DISCARD", ""),
])  # fmt: skip
def test_what_is_thrown_away_where_nothing_keeps_or_files_it(more: str, discards: str) -> None:
    ops = "".join(JUMP if one == "JMP" else f"00000009:       {one}\n" for one in more.split())
    read = sieve.read(golden("always").replace(END, ops + END))
    assert not read.unreadable and read.discards == discards


def test_every_script_that_is_kept_is_read() -> None:
    assert {path.stem for path in GOLDEN.glob("*.sieve")} == set(KNOWN)


def test_a_long_string_is_unknown_without_the_text_and_where_two_may_be_meant() -> None:
    dump = golden("a_long_address")
    assert sieve.read(dump).redirects == (to(""),)
    text = script("a_long_address")
    assert sieve.read(dump, text + f'keep "{"a" * 56}@{"b" * 46}.exemple";').redirects == (to(""),)
    assert sieve.read(dump, text + "keep text:\nx\n.\n;").redirects == (to(""),)


def test_what_the_text_spells_out_is_not_taken_for_what_stands_in_it_as_it_is() -> None:
    text = script("spelled_out") + f'if header "x" "{LONG}" {{ keep; }}'
    assert sieve.read(golden("spelled_out"), text).redirects == (to(""),)


def test_a_string_that_is_longer_than_what_is_printed_is_unknown() -> None:
    dump = golden("always").replace('STR[16] "mia', 'STR[17] "mia')
    assert sieve.read(dump).redirects == (to("", "copy"),)


def test_many_redirects_are_listed_up_to_a_number_and_it_says_so() -> None:
    start, end = golden("nothing").split("00000002:       [End")
    many = "".join(f'{n:08x}:    1: REDIRECT\n{n:08x}:         address: STR[3] "a@b"\n' for n in range(2, 302))
    read = sieve.read(f"{start}{many}{302:08x}:       [End{end}")
    assert (len(read.redirects), read.unreadable) == (200, "it has 300 redirects, of which 200 are listed")


@pytest.mark.parametrize(("to", "sent"), [("abcd", True), ("abcda", True), ("abcde", False), ("abcd-", False)])
def test_of_more_than_are_sent_of_one_message_each_goes_perhaps_and_the_mail_stays_perhaps(to: str, sent: bool) -> None:
    """-: an address that is worked out. With a fifth one the script fails, and the inbox keeps the message."""
    start, end = golden("nothing").split("00000002:       [End")
    said = ["INTERNAL" if one == "-" else f'STR[3] "{one}@b"' for one in to]
    ops = "".join(f"{n:08x}:    1: REDIRECT\n{n:08x}:         address: {one}\n" for n, one in enumerate(said, 2))
    read = sieve.read(f"{start}{ops}{99:08x}:    1: DISCARD\n{100:08x}:       [End{end}")
    assert len(read.redirects) == len(to) and not read.unreadable
    assert {one.conditional for one in read.redirects} == {not sent}
    assert read.discards == ("always" if sent else "sometimes")


@pytest.mark.parametrize("change", [
    ("REDIRECT", "RELAY"), ("JMPFALSE 29 [000000a2]", "JMPFALSE 29"), ("address: STR", "to: STR"),
    ("[End of code]", "more"), ("* Main program (block: 2)", "* Another"), ("Address   Line  Code", "Address"),
    ("00000002:         copy", "00000002:copy"), ("      DEBUG BLOCK: 3", "      KEEP"),
    ("SIDE-EFFECT: copy", "SIDE-EFFECT: other"), ("\n0000003f", "\n00000001"),
    ("spy@", "spy\r@"),
])  # fmt: skip
def test_what_is_not_known_makes_it_unreadable(change: tuple[str, str]) -> None:
    dump = golden("every_branch")
    assert change[0] in dump
    assert "not understood" in sieve.read(dump.replace(*change, 1)).unreadable


@pytest.mark.parametrize("line", ["hunter2", "0000ffff:   1: HUNTER2 'hunter2'", '  hunter2: STR[7] "hunter2"'])
@pytest.mark.parametrize("after", ["REDIRECT", "DEBUG BLOCK", "Address "])
def test_why_it_is_unreadable_quotes_nothing(line: str, after: str) -> None:
    lines = golden("every_branch").split("\n")
    at = next(n for n, one in enumerate(lines) if after in one) + 1
    why = sieve.read("\n".join([*lines[:at], line, *lines[at:]])).unreadable
    assert "not understood" in why and "hunter2" not in why.lower()


@given(st.text())
@example("")
@example("\n* Main program (block: 2):\n\nAddress   Line  Code\n00000000:       [End of code]\n")
@example("\n* Main program (block: 2):\n\nAddress   Line  Code\n00000000:       KEEP\n00000000:       [End of code]\n")
def test_junk_is_never_a_script_that_sends_nothing(junk: str) -> None:
    assert sieve.read(junk).unreadable


@given(st.sampled_from(sorted(KNOWN)), st.floats(0, 1, exclude_max=True))
def test_nor_is_a_part_of_a_dump(name: str, share: float) -> None:
    whole = golden(name).rstrip("\n")
    assert sieve.read(whole[: int(len(whole) * share)]).unreadable


@given(st.sampled_from(sorted(KNOWN)), st.text(min_size=1).filter(str.strip), st.floats(0, 1))
def test_nor_is_a_dump_with_a_line_that_is_not_known(name: str, line: str, share: float) -> None:
    lines = golden(name).rstrip("\n").split("\n")
    program = next(n for n, one in enumerate(lines) if one.startswith("Address "))
    at = program + 1 + round((len(lines) - program - 1) * share)
    assert sieve.read("\n".join([*lines[:at], line, *lines[at:], ""])).unreadable


def test_a_keep_for_every_message_leaves_the_mail_too() -> None:
    """RFC 5228, 4.3: in so many words, beside a redirect without :copy."""
    kept = golden("kept")
    assert sieve.read(kept).redirects == (to("mia@home.example", "copy"), to("spy@evil.example", "copy", "if"))
    only_sometimes = kept.replace("JMPFALSE 24 [00000034]", "JMPFALSE 24 [00000035]")
    assert not any(one.copy for one in sieve.read(only_sometimes).redirects), "a keep in a branch is not for all"
