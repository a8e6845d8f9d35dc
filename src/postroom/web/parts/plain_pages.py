"""The pages without a menu: a mailbox owner's, the notice to enrol, errors. For the phone first, without script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from postroom.protocols.qr_code import QrCode
from postroom.web.parts.forms import Form
from postroom.web.parts.shapes import Act, Item, Note, Words


@dataclass(frozen=True, kw_only=True)
class PlainPage:
    """What stands around: whose mail this is, who runs it, further links at the foot."""

    organization: str
    client: str = ""
    foot: tuple[Act, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnerInvite(PlainPage):
    """owner/invite.html: the owner sets the secret. `address` is theirs; `until`: how long the link lives."""

    address: str
    until: str
    form: Form
    sso: bool = False
    title: str = "Your mailbox is ready"
    lead: str = "Choose a password that only you know. Mail that came in already is waiting for you."
    sees: tuple[str, ...] = (
        "Your name, address and how much space you use",
        "When a device signed in and from which network",
        "Where your mail is forwarded, and your filters’ rules",
    )
    does: tuple[str, ...] = ("It can suspend the mailbox, or send you a link like this one",)
    cannot: tuple[str, ...] = (
        "See or set your password or recovery code. Nobody there can type one for you.",
        "Get in unseen: whatever is done to your mailbox stands in the record, with name and reason.",
        "Open your mail here: no page shows it. The people who run the servers keep the disks; "
        "they are bound by the terms.",
    )


@dataclass(frozen=True, kw_only=True)
class OwnerCode(PlainPage):
    """owner/code.html: the recovery code, once. `code` in groups of four, one tuple a line."""

    address: str
    set_at: str
    code: tuple[str, ...]
    next_url: str
    next_words: str = "Go to my mailbox page"
    done: str = "Password set"
    method: Literal["get", "post"] = "post"
    next_steps: tuple[Words, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnerSignIn(PlainPage):
    """owner/sign_in.html: the owner of a mailbox signs in with its address and password."""

    form: Form
    title: str = "Your mailbox"
    lead: str = "Sign in with your mail address and the password of the mailbox itself."
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnerForm(PlainPage):
    """owner/form.html: one thing a mailbox's owner fills in; `address` where it is known, `other`: another way;
    `items`: what it is about."""

    title: str
    lead: str
    form: Form
    back: Act
    address: str = ""
    other: Act | None = None
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnerStory(PlainPage):
    """owner/story.html: what happened to a mailbox; `asks`: whether its owner knows of it."""

    title: str
    lead: str
    items: tuple[Item, ...]
    none: str
    further: Act | None = None
    asks: bool = False
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True)
class Part:
    """A section of a mailbox owner's page: its own template below owner/parts/, and what it shows as `part.shown`.

    anchor: by which another page leads straight to it.
    """

    title: str
    template: str
    shown: Any
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class OwnerParts(PlainPage):
    """owner/parts.html: a page of its own for some sections; `acts` are at its foot."""

    title: str
    lead: str
    parts: tuple[Part, ...]
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnerMailbox(PlainPage):
    """owner/mailbox.html: what the owner of a mailbox can see and do; `out` signs out."""

    address: str
    parts: tuple[Part, ...]
    out: Act


@dataclass(frozen=True, kw_only=True)
class OwnerDone(PlainPage):
    """owner/done.html: after the code is kept. What to type into a phone or computer."""

    address: str
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class SetUp(PlainPage):
    """setup.html: what a mail app has to know. `address`, `profile_url`: once somebody said whose it is."""

    form: Form
    settings: tuple[tuple[str, str], ...]
    qr: QrCode
    address: str = ""
    profile_url: str = ""
    title: str = "Set up a mail app"
    lead: str = "Many apps find all of this by themselves, from your address alone. Else type it in."


@dataclass(frozen=True, kw_only=True)
class OwnerGone(PlainPage):
    """owner/invite_error.html: the link does not work (any more): why, and whom to ask."""

    title: str
    why: Words
    ask: Words = ""


@dataclass(frozen=True, kw_only=True)
class NotMe(PlainPage):
    """not_me.html: a change that waits for no second person, and the one button that stops it."""

    facts: tuple[tuple[str, str], ...]
    form: Form
    title: str = "Was this you?"
    lead: str = (
        "This change would need a second person, and there is none. It is made at its time, unless it is stopped."
    )
    then: str = "The change is withdrawn, and whoever asked for it is signed out everywhere. This works once."


@dataclass(frozen=True, kw_only=True)
class Confirming(PlainPage):
    """confirming.html: a recovery channel, and the button that says it is read still. `wrong`: if it is not known."""

    title: str
    facts: tuple[tuple[str, str], ...]
    form: Form
    wrong: str
    lead: str = "It is kept as a way to get a mailbox back, for somebody who cannot get in any more."
    then: str = "By this you say that it is. You are asked again in half a year; nobody gets in by it now."


@dataclass(frozen=True, kw_only=True)
class Notice(PlainPage):
    """notice.html: one thing to do first (enrol the second factor), or one thing to know."""

    title: str
    words: tuple[Words, ...]
    note: Note | None = None
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnSessions(PlainPage):
    """sessions.html: where somebody is signed in; `end` ends all but the one that looks."""

    browsers: tuple[Item, ...]
    terminals: tuple[Item, ...] = ()
    devices: tuple[Item, ...] = ()
    end: Act | None = None
    title: str = "Where you are signed in"
    lead: str = "One that you do not know: end it, then choose another password."


@dataclass(frozen=True, kw_only=True)
class Recovery(PlainPage):
    """recover.html: a lost sign-in; `passkey`: one may be shown instead of a code, `lost`: or nothing can be."""

    title: str
    lead: str
    form: Form
    address: str = ""
    passkey: bool = False
    lost: bool = False
