"""What may be a password, by NIST SP 800-63B-4, 3.1.1: length and a blocklist; no rules of composition, no expiry.

The list of common passwords is handed in (Django ships one); words of the context come from the caller. It hashes
for Dovecot: argon2id with the parameters OWASP gives for 19 MiB, since phones sign in again and again.
"""

import unicodedata
from collections.abc import Collection, Iterable

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

from postroom.protocols.guessable import guessed

SHORTEST = 15  # where it is the only factor, as at IMAP
LONGEST = 128
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)


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
    if why := guessed(text, context, common):
        found.append(why)
    return found


def hashed(password: str) -> str:
    """`{ARGON2ID}$argon2id$…`, as Dovecot reads it; NFC, so that every keyboard gives the same."""
    return "{ARGON2ID}" + HASHER.hash(typed(password))


def typed(password: str) -> str:
    """As it is hashed, whichever keyboard it came from."""
    return unicodedata.normalize("NFC", password)


def fits(kept: str, password: str) -> bool:
    """Whether a password is the one that was hashed."""
    try:
        return HASHER.verify(kept.removeprefix("{ARGON2ID}"), typed(password))
    except VerifyMismatchError:
        return False
