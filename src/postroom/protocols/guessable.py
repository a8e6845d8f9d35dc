"""What anybody would guess of a password: names around its owner, well-known words, rows of keys, one piece repeated.

It takes away what is guessed at once and looks at what is left, so that a word with a year behind it is not long.
"""

import re
from collections.abc import Collection, Iterable

LEET = str.maketrans("013457$@!", "oieastsai")
LEFT = 8  # characters nobody would guess, beside those anybody would
WORDS = 4  # different words are a passphrase, however common each of them is
SHORTEST_NAME, SHORTEST_WORD, SHORTEST_ROW, SHORTEST_PIECE = 4, 5, 4, 3
# Rows as hands go over them; read both ways, and the first three begin again where they end.
ROUND = ("0123456789", "1234567890", "abcdefghijklmnopqrstuvwxyz")
KEYS = (
    "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujm", "1q2w3e4r5t6y7u8i9o0p",
)  # fmt: skip
ROWS = tuple(way for row in (*(one * 3 for one in ROUND), *KEYS) for way in (row, row[::-1]))


def guessed(password: str, context: Iterable[str], common: Collection[str]) -> str:
    """Why it is too easy to guess, in words for its owner; empty when it is not."""
    plain = password.casefold()
    raw = "".join(char for char in plain if char.isalnum() or ord(char) in LEET)
    letters = raw.translate(LEET)
    alone = "".join(char for char in plain.translate(LEET) if char.isalnum())
    if plain in common or alone in common or plain.rstrip("0123456789!.?") in common:
        return "It is on the list of passwords that attackers try first."
    if any(_repeats(text) for text in (plain, raw, letters)):
        return "It repeats one piece."
    rows = _rows(raw)
    if raw and all(rows):
        return "It is a row of digits, letters or keys."
    return _too_little(plain, _Reading(raw, letters, rows, _names(context), common))


def _names(context: Iterable[str]) -> set[str]:
    """Each piece of each, and each as a whole: mia.brandt is brandt, and miabrandt."""
    pieces = [re.findall(r"[^\W_]+", one.casefold()) for one in context]
    return {name for found in pieces for name in (*found, "".join(found)) if len(name) >= SHORTEST_NAME}


def _too_little(plain: str, read: "_Reading") -> str:
    left = sum(not gone for gone in read.gone)
    if not any(read.gone) or left >= LEFT or len(read.words | _others(plain, read)) >= WORDS:
        return ""
    named = [f"“{name}”" for name in sorted(read.named)]
    known = [*named, *(["common words"] if read.words else []), *(["rows of keys or digits"] if any(read.rows) else [])]
    return (
        f"Beside {', '.join(known)}, which anybody would guess, too little of it is left: {left} of {LEFT} characters."
    )


class _Reading:
    """Each place of the text, and whether it is gone with a name, a word (and digits after it) or a row."""

    def __init__(self, raw: str, letters: str, rows: list[bool], names: set[str], common: Collection[str]) -> None:
        self.raw, self.rows, self.gone = raw, rows, list(rows)
        self.words: set[str] = set()
        self.named: set[str] = set()
        at, after = 0, False
        while at < len(raw):
            word = _longest(raw, letters, at, names, common)
            after = bool(word) or (after and raw[at].isdigit())  # digits after a word go with it
            end = at + (len(word) or 1)
            if after:
                self.gone[at:end] = [True] * (end - at)
            self._note(word, at, end, names)
            at = end

    def _note(self, word: str, at: int, end: int, names: set[str]) -> None:
        read = word.translate(LEET)
        if word in names:
            self.named.add(word)
        elif read.isalpha() and not all(self.rows[at:end]):
            self.words.add(read)


def _longest(raw: str, letters: str, at: int, names: set[str], common: Collection[str]) -> str:
    """The longest name or word that begins here, as it stands or with digits read as the letters they look like."""
    for size in range(min(len(raw) - at, 24), SHORTEST_NAME - 1, -1):
        for text in (raw[at : at + size], letters[at : at + size]):
            if text in names or (size >= SHORTEST_WORD and text in common):
                return text
    return ""


def _others(plain: str, read: _Reading) -> set[str]:
    """Words that are on no list: what is left between the others, as far as letters go."""
    left: list[str] = []
    place = 0
    for char in plain:
        known = char.isalnum() or ord(char) in LEET
        left.append(char if known and char.isalpha() and not read.gone[place] else " ")
        place += known
    pieces = {piece for piece in "".join(left).split() if len(piece) >= SHORTEST_PIECE}
    return {one for one in pieces if not any(one in word for word in read.words | read.named)}


def _rows(text: str) -> list[bool]:
    """For each character, whether it stands in a row of four or more: of keys, digits, the alphabet, or all alike."""
    gone = [False] * len(text)
    for at in range(len(text) - SHORTEST_ROW + 1):
        piece = text[at : at + SHORTEST_ROW]
        if len(set(piece)) == 1 or any(piece in row for row in ROWS):
            gone[at : at + SHORTEST_ROW] = [True] * SHORTEST_ROW
    return gone


def _repeats(text: str) -> bool:
    """One piece again and again, up to half of it long; the last one may be cut."""
    most = (len(text) + 1) // 2 if len(text) > 1 else 0
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, most + 1))
