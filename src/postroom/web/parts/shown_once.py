"""Pages that show something once: a link, a token. Sent `no-store`; nobody sees it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from postroom.web.parts.pages import Page
from postroom.web.parts.shapes import Act


@dataclass(frozen=True)
class CopiedLink:
    """`invite_link.html`: sent `no-store`."""

    whom: str
    link: str
    until: str


@dataclass(frozen=True, kw_only=True)
class LinkPage(Page):
    """invite_link.html"""

    nav: ClassVar[str] = "mailboxes"
    copied: CopiedLink
    back: Act


@dataclass(frozen=True, kw_only=True)
class TokenPage(Page):
    """token.html: the token just made, the one time it is shown, and until when it lives. Sent `no-store`."""

    nav: ClassVar[str] = "people"
    token: str
    name: str
    until: str
    back: Act
