"""What may be a password of a mailbox: long, and not what anybody would guess."""

import gzip
from pathlib import Path

import django
import pytest

from postroom.protocols.passwords import faults

WORDS = Path(django.__file__).parent / "contrib/auth/common-passwords.txt.gz"
COMMON = set(gzip.decompress(WORDS.read_bytes()).decode().split())
CONTEXT = ["mia.brandt", "audit", "example", "Audit", "Hansen", "postroom"]

REFUSED = {
    "repeats": [
        "passwordpassword", "passwordpasswor", "xk7!xk7!xk7!xk7!", "abcabcabcabcabcabc", "k3mz-q9wt-k3mz-q9wt-",
        "aaaaaaaaaaaaaaaa", "P4sswordPasswordPassword", "zrtqmvbzrtqmvbz", "111222333111222333",
    ],
    "row": [
        "123456789012345", "098765432109876", "987654321098765", "abcdefghijklmnop", "zyxwvutsrqponmlk",
        "qwertyuiopasdfgh", "poiuytrewqlkjhgf", "qwertzuiopasdfgh", "0987654321qwertyuiop",
        "1234 5678 9012 3456", "QWERTYuiop[asdfgh", "abcd1234efgh5678", "aaaabbbbccccdddd",
    ],
    "audit": ["audit.example1234", "Audit-Example-2024", "4ud1t.3xample1999", "auditauditexample", "audit123456789012"],
    "brandt": ["mia.brandt@audit.example", "brandt.hansen.77", "mia-brandt/MIA.BRANDT.2"],
    "common words": [
        "password-2024-password", "dragon2023sunshine", "letmeinletmein1", "monkeydragonmonkey",
        "Summer Garden River", "Pa$$w0rd-Pa$$w0rd-1", "welcome123welcome", "Iloveyou, sunshine 2024",
    ],
    "list": ["password12345678", "monkey19871234567", "1qaz2wsx3edc4rfv", "qwerty1234567890"],
    "15 are needed": ["Kx9#mQ2$vL7p"],
}  # fmt: skip
FINE = [
    "correct horse battery staple", "correcthorsebatterystaple", "horse battery river window",
    "summer garden fence river", "yellow-tiger-window-coffee", "monkeydragonsummerwindow", "Kx9#mQ2$vL7pTz4!",
    "vqmzhtkwrbnxjpl", "mein Hund frisst Kuchen", "audit fjordlachs bergziege", "Der Wert von 1234 Euro steigt",
    "größe über alles im Wald", "four blue ducks eat rye", "audit.example.xk7qvtz9m", "2 eggs, 3 apples, 1 loaf",
    "пять синих уток едят",
]  # fmt: skip


@pytest.mark.parametrize("why, password", [(why, one) for why, many in REFUSED.items() for one in many])
def test_what_anybody_would_guess_is_refused_and_why(why: str, password: str) -> None:
    found = faults(password, context=CONTEXT, common=COMMON)
    assert found and why in " ".join(found), found


def test_what_nobody_would_guess_is_fine() -> None:
    said = {one: faults(one, context=CONTEXT, common=COMMON) for one in FINE}
    assert {one: why for one, why in said.items() if why} == {}
