"""What stands first on a mailbox owner's page: is anything strange, who is in it, who can reset it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.utils import timezone

from postroom.queries.own_routes import HERE, NOT, SOME, UNKNOWN, own_routes
from postroom.queries.owning import Keeper, aliases, doubts, keepers, last_known, lately, made
from postroom.queries.sign_ins import Lately, own_lately, own_live
from postroom.web import mailbox_browsers, mailbox_sessions
from postroom.web.mailbox_door import SAFE, Asked
from postroom.web.parts.plain_pages import Part
from postroom.web.parts.shapes import Act, Badge, Code, Item
from postroom.web.times import when

ITEMS = mailbox_sessions.ITEMS
WEEK = timedelta(days=7)
SET_UP = Item("Another phone or computer", "what to type into its mail program", icon="plus",
              acts=(Act("Set it up", "/setup/", of="another phone or computer"),))  # fmt: skip
LANDS = {
    HERE: "mail to it lands here", SOME: "some of the mail to it lands here", "": "it leads here",
    NOT: "it leads here, but its mail does not land here",
    UNKNOWN: "it leads here; whether its mail lands here is not known now",
}  # fmt: skip
SENDS = "can have a link sent by which another password is set; never sees yours"


def strange(request: Asked) -> Part:
    """What somebody else may have done, each with the way to look at it; and what to do about it at once."""
    tried = own_lately(request.actor, request.own.mailbox, since=timezone.now() - WEEK)
    rows = (*_doubted(request), *_led_away(request), *_tried(tried))
    help_ = Item("You think that somebody else is in your mailbox?", "five steps, and it is yours alone again",
                 icon="shield-lock", acts=(Act("What to do", SAFE, of="if somebody else is in it"),))  # fmt: skip
    return Part("Is anything strange?", ITEMS, (*rows, help_))


def _doubted(request: Asked) -> Iterator[Item]:
    if found := doubts(request.actor, request.own.mailbox):
        words = "One change you do not know" if len(found) == 1 else f"{len(found)} changes you do not know"
        yield Item(words, f"said {when(found[0].made)} UTC; it is being looked into", "warn",
                   acts=(Act("Look", "/mailbox/record/", of="at what happened"),))  # fmt: skip


def _led_away(request: Asked) -> Iterator[Item]:
    """Of the last fourteen days, what its owner has not said that they know."""
    known = last_known(request.actor)
    new = [one for one in lately(request.actor) if one.entry > known]
    look = (Act("Look", "/mailbox/recent/", of="at changes of the last 14 days"),)
    if not new:
        words = "Nothing new leads your mail, or the way in, to somebody else"
        yield Item(words, "in the last 14 days", "ok", acts=look)
        return
    words = "One change: do you know it?" if len(new) == 1 else f"{len(new)} changes: do you know them?"
    yield Item(words, "such a change can lead your mail, or the way in, to somebody else", "warn", acts=look)


def _tried(found: Lately) -> Iterator[Item]:
    look = (Act("Look", mailbox_sessions.HISTORY, of="at who signed in"),)
    if found.last is None and not found.failed:
        yield Item("Nobody signed in lately, as far as the mail server told", "in the last seven days",
                   icon="login", acts=look)  # fmt: skip
        return
    last = f"Last signed in {when(found.last.at)} UTC" if found.last else "Nobody signed in in the last seven days"
    came = ("from", Code(found.last.address)) if found.last and found.last.address else ()
    if not found.failed:
        yield Item(last, (*came, "· no wrong password in seven days") if came else "", icon="login", acts=look)
        return
    times = "One wrong password" if found.failed == 1 else f"{found.failed} wrong passwords"
    yield Item(last, (*came, f"· {times} in seven days"), "warn", icon="login", acts=look)


def inside(request: Asked) -> Part:
    """How many are in it now; the list has a page of its own."""
    now, here = own_live(request.actor, request.own.mailbox), len(mailbox_browsers.browsers(request))
    see = (Act("See them", mailbox_sessions.HERE, of="where you are signed in"),)
    browsers = "this browser" if here == 1 else f"{here} browsers"
    if not now.known:
        return Part("Signed in now", ITEMS, (
            Item((Badge("unknown", "unknown"), "which mail programs are signed in"), f"and {browsers} at these pages",
                 icon="question-mark", acts=see), SET_UP,
        ))  # fmt: skip
    programs = "One mail program" if len(now.sessions) == 1 else f"{len(now.sessions) or 'No'} mail programs"
    sub = f"and {browsers} at these pages, as of {when(now.at, seconds=True)} UTC"
    return Part("Signed in now", ITEMS, (Item(programs, sub, icon="device-mobile", acts=see), SET_UP))


def resets(request: Asked) -> Part:
    """Every way to another password of this mailbox: one's own first, then who may send a link to it."""
    since = made(request.actor, request.own.mailbox)
    own = (
        Item(words, f"{sub} · set {when(since[purpose])} UTC" if purpose in since else "not set", icon=icon,
             acts=(Act(act, url, of=words),))
        for words, purpose, sub, icon, act, url in (
            ("Your password", "password", "you alone know it", "lock", "Change it", "/mailbox/password/"),
            ("Your recovery code", "recovery code", "whoever has it gets in once", "key", "Make another",
             "/mailbox/code/"),
        )
    )  # fmt: skip
    return Part("Who can reset this mailbox?", ITEMS, (*own, *_keepers(keepers(request.actor))))


def _keepers(found: Sequence[Keeper]) -> Iterator[Item]:
    """They never see a secret: all that they can do is to have a link sent."""
    yield from (Item(one.name, f"{one.role} · {SENDS}", icon="user-cog") for one in found if one.name)
    if ours := [f"{one.people} × {one.role}" for one in found if not one.name]:
        yield Item("Whoever runs the mail", f"{', '.join(ours)} · {SENDS}", icon="users")


def lands(request: Asked) -> Part:
    """Other addresses whose mail comes here, lists among them."""
    found = aliases(request.actor)
    lands_here = own_routes(request.actor, [one for one, _ in found]).lands
    rows = tuple(
        Item((Code(one),), LANDS[lands_here.get(one, "")] + (f", and at {others} more" if others else ""), icon="at")
        for one, others in found
    )
    return Part("Other addresses", ITEMS, rows or (Item("No other address brings mail here", icon="at"),))
