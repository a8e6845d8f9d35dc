"""What may be a password, by NIST SP 800-63B-4, 3.1.1: length and a blocklist; no rules of composition, no expiry.

The list of common passwords is handed in (Django ships one); words of the context come from the caller. It hashes
for Dovecot: argon2id with the parameters OWASP gives for 19 MiB, since phones sign in again and again.
"""

import unicodedata
from collections.abc import Collection, Iterable

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

SHORTEST = 15  # where it is the only factor, as at IMAP
LONGEST = 128
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
LEET = str.maketrans("013457$@!", "oieastsai")


def faults(
    password: str, *, context: Iterable[str] = (), common: Collection[str] = (), shortest: int = SHORTEST
) -> list[str]:
    """Everything that speaks against this password, in words for its owner; empty when it may be used.

    Length is counted in characters after NFC, spaces count, nothing is cut off.
    """
    text = unicodedata.normalize("NFC", password)
    found = []
    if len(text) < shortest:
        found.append(f"It has {len(text)} characters; at least {shortest} are needed. A few plain words will do.")
    if len(text) > LONGEST:
        found.append(f"It has {len(text)} characters; at most {LONGEST} can be kept.")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        found.append("It holds a character that cannot be typed, such as a line end.")
    if word := _well_known(text, context, common):
        found.append(word)
    return found


def _well_known(text: str, context: Iterable[str], common: Collection[str]) -> str:
    """Why it is too easy to guess: on the list, of one piece repeated, or little beside names everybody knows."""
    plain = text.casefold()
    letters = "".join(char for char in plain.translate(LEET) if char.isalnum())
    if plain in common or letters in common or plain.rstrip("0123456789!.?") in common:
        return "It is on the list of passwords that attackers try first."
    if text and _repeats(letters or plain):
        return "It repeats one short piece."
    for word in sorted({w.casefold() for w in context if len(w) >= 4}, key=len, reverse=True):
        if word in letters and len(letters.replace(word, "")) < 8:
            return f"Beside “{word}”, which anybody would guess, too little of it is left."
    return ""


def _repeats(text: str) -> bool:
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, min(5, len(text) // 2 + 1)))


def hashed(password: str) -> str:
    """`{ARGON2ID}$argon2id$…`, as Dovecot reads it; NFC, so that every keyboard gives the same."""
    return "{ARGON2ID}" + HASHER.hash(unicodedata.normalize("NFC", password))


def fits(kept: str, password: str) -> bool:
    """Whether a password is the one that was hashed."""
    try:
        return HASHER.verify(kept.removeprefix("{ARGON2ID}"), unicodedata.normalize("NFC", password))
    except VerifyMismatchError:
        return False
