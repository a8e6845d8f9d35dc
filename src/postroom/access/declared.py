"""What a method of a route says of itself, beside its view: whom it lets in, what comes before, what is recorded of it.

The gate (web/gate.py) answers 403 where nothing is said, so that a view somebody forgot to think about is closed.
`postroom routes` lists what is said.
"""

from dataclasses import dataclass
from typing import Any

PUBLIC = "public"  # whoever asks
OWN = "own"  # whoever is signed in, of themselves
MAILBOX = "mailbox owner"  # whoever signed in to a mailbox with its own password, of that mailbox
ALWAYS, SOMETIMES = "always", "by what is asked"  # when a fresh second factor comes before it
CHANGE = "the change"  # recorded: what was asked, by whom and why, and every move of it
SIGN_IN = "the sign-in row"  # recorded: an entry for each write of the sign-in library
EXPORT = "the export"
ASKED = "that it was asked for"


def look(noun: str) -> str:
    """Recorded: that somebody who runs the service opened one of these (changes/looks.py)."""
    return f"the look, of who runs the service, at one of {noun}" if noun else ""


@dataclass(frozen=True)
class Declared:
    """permission: PUBLIC, OWN, MAILBOX or what it takes to be let in. step_up: ALWAYS, SOMETIMES or never (empty).

    recorded: what of a request stands in the record; empty: nothing. A refusal does, wherever a permission is asked.
    """

    permission: str
    step_up: str = ""
    recorded: str = ""

    def __post_init__(self) -> None:
        if not self.permission:
            raise ValueError("say whom it lets in: public, own or a permission")


Methods = dict[str, Declared | None]  # None: it is answered, and nothing was said of it


def declared(view: Any) -> Methods:
    """Method → what was said of it, of a view as it stands in the URLs; empty where nothing was."""
    said: Methods = getattr(view, "declared", {})
    return said
