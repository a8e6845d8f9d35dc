"""What of a script is done when one of its redirects is refused, order by order; each was tried on Pigeonhole 0.5.19.

S: passed on to somebody who takes it; R: to somebody who does not; U: to an address that is worked out; D: thrown away.
In lower case with a copy, in brackets for some messages only, with + what comes after something that was filed, or
? of some messages; with f what comes beside filing some.
The same orders meet a real Dovecot in tests/engines/test_kept_live.py.
"""

import re

import pytest

from postroom.protocols.kept import Act, Kept, kept, reached

WORDS: dict[Kept, str] = {"always": "y", "perhaps": "?", "never": "n"}


def acts(spelled: str) -> list[Act]:
    found = re.findall(r"([(]?)([SRUDsru])([+?]?)(f?)", spelled)
    anyway: dict[str, Kept] = {"": "never", "?": "perhaps", "+": "always"}
    return [
        Act(one.islower(), bool(some), one in "Ss", one in "Rr", one in "Uu", anyway[after], bool(filed))
        for some, one, after, filed in found
    ]


@pytest.mark.parametrize(("order", "done", "stays"), [
    # Where nothing was done before the first refusal, nothing is done after it.
    ("R", "y", "y"), ("RS", "yn", "y"), ("RSS", "ynn", "y"), ("RRS", "ynn", "y"), ("RSRS", "ynnn", "y"),
    # Where something was, everything is, whatever else is refused.
    ("SR", "yy", "y"), ("SRS", "yyy", "y"), ("sRs", "yyy", "y"), ("SSRS", "yyyy", "y"), ("SRRS", "yyyy", "y"),
    # A discard is nothing that was done.
    ("DRS", "yyn", "y"), ("RDS", "ynn", "y"), ("SRDS", "yyyy", "y"), ("D", "y", "n"), ("SD", "yy", "n"),
    # What was filed, or answered before it, is.
    ("R+S+", "yy", "y"), ("R?S?", "y?", "y"), ("RS+", "yn", "y"),
    ("S?f", "y", "?"), ("S?fS?f", "yy", "?"),
    # Without a refusal the keep is as the script has it.
    ("", "", "y"), ("s", "y", "y"), ("S", "y", "n"), ("(S)", "y", "?"), ("sS", "yy", "n"), ("S(S)", "yy", "n"),
    # On conditions.
    ("(S)RS", "yy?", "y"), ("S(R)S", "yyy", "?"), ("(R)S", "y?", "?"), ("(R)s", "y?", "y"), ("(S)(R)S", "yy?", "?"),
    ("(R)RS", "y?n", "y"), ("(S)(R)s", "yy?", "?"),
    # To where nobody knows: it may be either.
    ("US", "y?", "?"), ("URS", "y??", "y"), ("SUS", "yyy", "?"), ("u", "y", "y"), ("U", "y", "?"), ("RU", "yn", "y"),
])  # fmt: skip
def test_what_is_done_and_what_is_kept(order: str, done: str, stays: str) -> None:
    assert "".join(WORDS[one] for one in reached(acts(order))) == done
    assert WORDS[kept(acts(order))] == stays
