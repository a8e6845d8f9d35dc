"""The return address of one letter: `postroom+<token>@postroom.example`, where mail servers say what became of it.

One each (as VERP has one each recipient), and 130 bits that nobody guesses: whoever does not know it cannot say that a
letter came back. In letters and digits that survive a server that changes their case.
"""

import re
import secrets

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"  # base32 (RFC 4648, 6), small
LONG = 26
TOKEN = re.compile(rf"\+([a-z2-7]{{{LONG}}})@")


def drawn() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LONG))


def address(ours: str, token: str) -> str:
    """ours: the address that our letters are from."""
    local, _, domain = ours.rpartition("@")
    return f"{local}+{token}@{domain}"


def names_letter(address: str) -> str:
    """The token of the letter that an address names; empty for an address that is no letter's."""
    found = TOKEN.search(address.lower())
    return found[1] if found else ""


def pattern(ours: str) -> str:
    """All of them, as a POSIX extended regular expression (regexp_table(5)); Postfix asks without regard to case."""
    local, _, domain = ours.rpartition("@")
    return f"^{_plain(local)}\\+[a-z2-7]{{{LONG}}}@{_plain(domain)}$"


def _plain(text: str) -> str:
    return "".join(char if char.isalnum() or char in "_-" else f"\\{char}" for char in text)
