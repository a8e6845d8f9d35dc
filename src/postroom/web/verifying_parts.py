"""The parts of a verified reset's page: clocks, proofs, channels graded and greyed, and who may prove something."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from postroom.access.acting import MayAct
from postroom.models import Proof, RecoveryChannel
from postroom.models.recovery import ADDRESS
from postroom.models.verifying import CALL, CODE, CODE_GOOD_FOR, CODES, CONTACT, GOOD_FOR, TRIES
from postroom.queries.verifying import CALLS, METHODS, VOUCHES, Session
from postroom.web.framed import initials, offered
from postroom.web.parts.shapes import Act, Badge, Code, Fact, Item, Note, Words
from postroom.web.parts.verifying_pages import Timer
from postroom.web.times import when

STRONG, WEAKEST, NOT_COUNTED = Badge("fact", "strong"), Badge("fact", "weakest"), Badge("fact", "does not count", "ban")
DONE, NOT_HERE = Badge("good", "given"), Badge("fact", "not offered", "ban")
SAID = {CALL: "A call-back to the number on file", CONTACT: "The client’s own admin vouched",
        CODE: "A code was read out"}  # fmt: skip
WAYS = {CALL: "a call-back that somebody else places", CONTACT: "the word of the client’s own admin, signed in here",
        CODE: "a code to a recovery address, read out by the caller"}  # fmt: skip
SLOW = (
    "Mail may take longer than that to arrive. Then have another one sent; the one before is void, and each counts: "
    "{left} of {all} are left within the hour."
)


def may(request: Any, found: Session, permission: str) -> bool:
    return bool(offered(request, found.row.client_id, (permission, Act("", "")),
                        domain=found.row.mailbox.address.domain_id))  # fmt: skip


def timers(found: Session) -> tuple[Timer, ...]:
    """What runs out, each with its end and what is left of it as the page was drawn."""
    row, code = found.row, found.code
    ends: list[tuple[str, datetime | None]] = []
    if found.waits:
        ends.append(("For the proofs", row.until))
    if row.releases(found.now) and row.passed_at:
        ends.append(("To send its link", row.passed_at + GOOD_FOR))
    if code and found.waits and not code.over(found.now):
        ends.append(("For the code", code.until))
    return tuple(Timer(words, f"{when(end, seconds=True)} UTC", max(int((end - found.now).total_seconds()), 0))
                 for words, end in ends if end)  # fmt: skip


def sent(found: Session) -> Words:
    """When the newest code went, in plain words, and what to do if it does not arrive in its minute."""
    code = found.code
    if code is None or not found.waits:
        return ""
    slow = SLOW.format(left=found.codes_left, all=CODES)
    if code.sent_at is None:
        return f"A code was asked for at {when(code.made, seconds=True)} UTC and is not handed over yet. {slow}"
    gone = f"A code was sent at {when(code.sent_at, seconds=True)} UTC"
    minute = int(CODE_GOOD_FOR.total_seconds())
    if why := code.over(found.now):
        return f"{gone}. {why[0].upper()}{why[1:]}. {slow}"
    return f"{gone}, and is good for {minute} seconds from then. {slow}"


def proven(found: Session) -> tuple[Item, ...]:
    return tuple(_proof(one, found.name(one.by_id)) for one in found.proofs)


def _proof(one: Proof, by: str) -> Item:
    words: Words = (SAID[one.method], Code(one.channel.value)) if one.channel else SAID[one.method]
    how = f"{when(one.made, seconds=True)}, {'typed' if one.method == CODE else 'said'} by {by}"
    if one.good:
        return Item(words, how, "ok")
    return Item(words, how, "bad", badge=Badge("bad", "wrong"))


def missing(found: Session) -> tuple[Item, ...]:
    """What is wanted still before the link goes; nothing once it went or nothing more can be proven."""
    left = found.needed - len(found.given)
    items = []
    if left > 0 and not found.row.ended_at:
        ways = "; or ".join(WAYS[method] for method in METHODS if method not in found.given)
        what = "Two independent proofs" if left == 2 else "One more proof, another way" if found.given else "One proof"
        items.append(Item(what, f"{ways}. Each is given by another person than who started it; a code by its owner.",
                          icon="hourglass"))  # fmt: skip
    if found.row.mailbox.vip and not found.row.used_at:
        items.append(Item("A second person, and 15 minutes", "It is a VIP’s: whoever is told can say that it was not "
                          "them. Who started it does not agree to it.", icon="user-check"))  # fmt: skip
    return tuple(items)


def channels(request: Any, found: Session) -> tuple[Item, ...]:
    """The strong ones first; what does not count is there too, with why and since when."""
    numbers = [one for one in found.channels if one.sort != ADDRESS]
    addresses = [one for one in found.channels if one.sort == ADDRESS]
    return (
        *(_channel(request, found, one) for one in numbers), _contact(request, found),
        *(_channel(request, found, one) for one in addresses),
        Item("An authenticator of its owner", "mail programs have none, so owners of mailboxes have none here", "off",
             "fingerprint", badge=NOT_HERE),
    )  # fmt: skip


def _channel(request: Any, found: Session, one: RecoveryChannel) -> Item:
    by_mail = one.sort == ADDRESS
    words: Words = ("A code to" if by_mail else "A call-back to", Code(one.value), f"({one.name})" if one.name else "")
    icon, since = "mail" if by_mail else "phone", f"named {when(one.made)}"
    if one.ended_at:
        since += f" · ended {when(one.ended_at)}, which counts seven days later"
    if why := found.ways.why_not(one, found.now):
        return Item(words, f"{since} · {why}", "off", icon, badge=NOT_COUNTED)
    grade = "whoever reads that address has it" if by_mail else "you place the call, to a number that is on file"
    method = CODE if by_mail else CALL
    badge = DONE if method in found.given else WEAKEST if by_mail else STRONG
    return Item(words, f"{since} · {grade}", icon=icon, badge=badge, acts=tuple(_acts(request, found, one, method)))


def _acts(request: Any, found: Session, one: RecoveryChannel, method: str) -> Iterator[Act]:
    if not found.waits or method in found.given:
        return
    if method == CODE and found.codes_left and may(request, found, "resets.ask_code"):
        words = "Mail another code" if found.code else "Mail a code"
        yield Act(words, f"/resets/{found.row.pk}/ask/", "mail", of=one.value, method="post",
                  hidden=(("channel", str(one.pk)),))  # fmt: skip
    if method == CALL and _another(request, found) and may(request, found, CALLS):
        at = f"?verification={found.row.pk}&channel={one.pk}"
        yield Act("Record a call-back", f"/do/{CALLS}/{at}", "phone", of=one.value)


def _another(request: Any, found: Session) -> bool:
    """Whether who looks neither started it nor proved anything in it."""
    me = request.actor.person
    return me != found.row.started_by_id and not any(one.by_id == me and one.good for one in found.proofs)


def _contact(request: Any, found: Session) -> Item:
    words = "The client’s own admin vouches"
    if not found.admins:
        return Item(words, f"{found.row.mailbox.client.name} has none who did not start it", "off", "user-check",
                    badge=NOT_COUNTED)  # fmt: skip
    names = ", ".join(one.name for one in found.admins[:5])
    mine = any(one.person == request.actor.person for one in found.admins)
    acts = (Act("Vouch…", f"/do/{VOUCHES}/?verification={found.row.pk}", "user-check"),)
    shown = mine and found.waits and CONTACT not in found.given and _another(request, found)
    return Item(words, f"{names} · signed in here, in a session of their own", icon="user-check",
                badge=DONE if CONTACT in found.given else STRONG, acts=acts if shown else ())  # fmt: skip


def emergency(request: Any, found: Session) -> tuple[Note, ...]:
    """While its link waits for the time to object: what alone ends that, and by whom."""
    row, change = found.row, found.waiting
    at = f"?verification={row.pk}"
    if change is None or change.at is None or change.at <= found.now:
        return ()
    until = f"The time to object is over at {when(change.at, seconds=True)} UTC"
    mine = request.actor.person in (row.started_by_id, change.proposer_id)
    if row.emergency_at is None:
        declare = Act("Declare an emergency…", f"/do/resets.declare_emergency/{at}", "urgent", "asks")
        acts = (declare,) if not mine and may(request, found, "resets.declare_emergency") else ()
        return (Note(until, "An emergency with its reason, and the client’s own admin, end it sooner; nothing else "
                     "does.", icon="clock", acts=acts),)  # fmt: skip
    who = found.name(row.emergency_by_id)
    admin = any(one.person == request.actor.person for one in found.admins) and not mine
    let_go = Act("Let the wait go…", f"/do/resets.waive_wait/{at}", "clock", "asks")
    acts = (let_go,) if admin and request.actor.person != row.emergency_by_id else ()
    return (Note(f"An emergency, says {who}", f"{row.emergency}. {until}, unless the client’s own admin lets it go.",
                 "bad", "urgent", acts),)  # fmt: skip


def givers(found: Session) -> tuple[Item, ...]:
    """Who may give what is missing: never who started it."""
    gave = {one.by_id for one in found.proofs if one.good}
    rows = [(one, "records a call-back") for one in found.callers] + [(one, "vouches") for one in found.admins]
    return tuple(_giver(one, what, one.person in gave) for one, what in rows[:20])


def _giver(one: MayAct, what: str, gave: bool) -> Item:
    sub = "has proven something in it already" if gave else what
    return Item(one.name, f"{one.role} · {sub}", "off" if gave else "plain", initials=initials(one.name))


def facts(found: Session) -> tuple[Fact, ...]:
    row, box = found.row, found.row.mailbox
    wanted = "two independent proofs, a second person, 15 minutes" if box.vip else "one proof"
    return (
        Fact("Client", box.client.name), Fact("It takes", wanted, "urgent or not, nothing is skipped"),
        Fact("Wrong answers", f"{len(found.wrong)} of {TRIES} within the hour", "over every verification of it"),
        Fact("Codes sent", f"{found.codes} of {CODES} within the hour"), Fact("Ticket", row.ticket),
    )  # fmt: skip
