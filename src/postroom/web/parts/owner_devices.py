"""Pages of a mailbox's owner about app passwords, as their templates want them."""

from __future__ import annotations

from dataclasses import dataclass

from postroom.web.parts.forms import Form
from postroom.web.parts.plain_pages import PlainPage
from postroom.web.parts.shapes import Act


@dataclass(frozen=True, kw_only=True)
class LetIn(PlainPage):
    """owner/let_in.html: an app asks to be let into the mailbox; `back_to`: where its user goes on afterwards."""

    address: str
    app: str
    back_to: str
    form: Form


@dataclass(frozen=True, kw_only=True)
class NewAppPassword(PlainPage):
    """owner/new_app_password.html: for which device, and what it may; the present password is asked with it."""

    address: str
    form: Form
    back: Act


@dataclass(frozen=True, kw_only=True)
class ShownAppPassword(PlainPage):
    """owner/app_password.html: the one page on which it stands. `may`: what it is for, in words."""

    address: str
    name: str
    secret: str
    may: str
    back: Act
