"""Which writing systems a label uses, and whether it passes for another one.

Follows the *Highly Restrictive* level of Unicode UTS 39 section 5.2: one script, or Latin with the
scripts Japanese, Chinese and Korean are written with. It is not a full confusables table: whole
labels are compared with Latin only, because that is what a look-alike of a client's name borrows.
"""

import unicodedata

CJK_SETS = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)

# Letters that most fonts draw just like a Latin one (UTS 39 confusables, what IDNA leaves of them).
# Only the closest: a longer list would refuse honest words such as парк or και.
LOOKS_LATIN = {
    **dict(zip("асԁеһіјӏорԛѕԝху", "acdehijlopqswxy", strict=True)),
    **dict(zip("ονιυρκϲ", "oviupkc", strict=True)),
    **dict(zip("ԍցհոսօյ", "gghnuoj", strict=True)),
}

# Phonetic letters that are Latin by script and drawn like a plain one; no name is spelled with them.
LATIN_DOUBLES = frozenset("ɑɡɩʟꞁᴀᴄᴇᴏᴠᴡᴢꭱ")


def scripts_of(label: str) -> frozenset[str]:
    """The scripts of a label's letters, as Unicode names them ("LATIN", "CYRILLIC"); digits and hyphens have none."""
    return frozenset(script for script in map(_script, unicodedata.normalize("NFC", label)) if script)


def mixed_scripts(label: str) -> bool:
    """True when the letters of one label come from scripts no language writes together."""
    found = scripts_of(label)
    return len(found) > 1 and not any(found <= allowed for allowed in CJK_SETS)


def latin_look_alike(label: str) -> str | None:
    """The Latin word this label passes for, when every letter of it looks like a Latin one; else None."""
    if any(char in LATIN_DOUBLES for char in label):
        return unicodedata.normalize("NFKD", label)
    letters = [char for char in label if _script(char)]
    if not letters or any(char not in LOOKS_LATIN for char in letters):
        return None
    return "".join(LOOKS_LATIN.get(char, char) for char in label)


def _script(char: str) -> str | None:
    if unicodedata.category(char)[0] not in "LM" or unicodedata.combining(char):
        return None
    word = unicodedata.name(char, "UNKNOWN").split(" ")[0]
    if word in {"COMBINING", "MODIFIER", "KATAKANA-HIRAGANA", "MIDDLE"}:
        return None
    return "CJK" if word in {"IDEOGRAPHIC", "VERTICAL"} else word
