"""What the page of a verified reset holds, its clocks among it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from postroom.web.parts.forms import Form
from postroom.web.parts.pages import Page
from postroom.web.parts.shapes import Fact, Item, Words


@dataclass(frozen=True)
class Timer:
    """Something that runs out: what, until when, and how many seconds are left as the page is drawn; a small script
    counts them down."""

    words: str
    until: str
    left: int

    @property
    def in_words(self) -> str:
        """`24 min 10 s left`."""
        minutes, seconds = divmod(self.left, 60)
        return f"{f'{minutes} min ' if minutes else ''}{seconds} s left" if self.left else "over"


@dataclass(frozen=True, kw_only=True)
class VerificationPage(Page):
    """verification.html. `sent`: when the newest code went; `form`: for what the caller reads out."""

    nav: ClassVar[str] = "mailboxes"
    timers: tuple[Timer, ...] = ()
    sent: Words = ""
    form: Form | None = None
    proven: tuple[Item, ...] = ()
    missing: tuple[Item, ...] = ()
    channels: tuple[Item, ...] = ()
    givers: tuple[Item, ...] = ()
    facts: tuple[Fact, ...] = ()
