"""What sorts the mail of a mailbox, as lines on its owner's page: in force now, each rule, and what waits."""

from collections.abc import Collection, Iterator, Mapping

from postroom.models import SieveScript
from postroom.models.filters import SCRIPT
from postroom.protocols.filters import Answer, Rule
from postroom.queries.filters import Kept, own_filters
from postroom.queries.own_routes import OwnRoutes, Sent
from postroom.web.mailbox_door import Asked
from postroom.web.mailbox_forwards import sends
from postroom.web.parts.plain_pages import Part
from postroom.web.parts.shapes import Act, Badge, Code, Item, Words
from postroom.web.times import when

HERE = "/mailbox/filters/"
ITEMS = "owner/parts/items.html"
LOOKS_AT = {"from": "sender", "to": "recipient", "subject": "subject"}


def part(request: Asked) -> Part:
    """One line of what is in force; the rest has a page of its own."""
    kept = own_filters(request.actor, request.own.mailbox)
    look = (Act("Open", HERE, of="filters and automatic answer"),)
    lines = [*_waits(kept), _in_force(kept, look)]
    return Part("Filters and automatic answer", ITEMS, tuple(lines), "filters")


def items(kept: Kept, routes: OwnRoutes) -> Iterator[Item]:
    ours = kept.active is not None and kept.active.name == SCRIPT
    off = Act("End", f"{HERE}end/", method="post", weight="asks", of="all of it")
    yield from _waits(kept)
    yield _in_force(kept, (off,) if ours else ())
    if kept.active:
        yield from _passes_on(kept.active, kept.stopped, {one.to: one for one in routes.sent})
    for n, rule in enumerate(kept.rules.rules if kept.rules else ()):
        yield Item(_looks(rule), _does(rule), icon="mail-cog", acts=(_remove(kept, str(n), rule.contains),))
    yield _answer(kept)
    write = Act("Write", f"{HERE}script/", of="a script of your own")
    yield Item("A script of your own", "for what rules cannot say; in Sieve", icon="terminal-2", acts=(write,))


def _waits(kept: Kept) -> Iterator[Item]:
    if kept.waits is not None:
        words = f"made {when(kept.waits, seconds=True)} UTC; until it is read back, what stood before is shown"
        yield Item("The last change is on its way to the mail server", words, "warn", icon="hourglass")
    if kept.late is not None:
        words = f"made {when(kept.late)} UTC; it was not taken, or what it put there was removed since"
        yield Item("The last change is not in force", words, "warn", icon="alert-triangle")


def _in_force(kept: Kept, acts: tuple[Act, ...]) -> Item:
    if kept.unreadable or kept.read_at is None:
        why = kept.unreadable or "the mail server did not tell yet"
        return Item((Badge("unknown", "unknown"), "what is in force"), why, icon="question-mark", acts=acts)
    read = f"as the mail server read it {when(kept.active.at if kept.active else kept.read_at)} UTC"
    if kept.active is None:
        return Item("Nothing sorts or answers your mail", read, icon="mail-cog", acts=acts)
    if kept.active.name != SCRIPT:
        words = f"{read}; what you make here takes its place, and it stays stored"
        return Item(("In force is a script that was uploaded:", Code(kept.active.name)), words, "warn",
                    icon="terminal-2", acts=acts)  # fmt: skip
    if kept.rules is None:
        words = f"{read}; a rule made here takes its place"
        return Item("In force is a script that was written here", words, icon="terminal-2", acts=acts)
    rules = len(kept.rules.rules)
    what = "One rule" if rules == 1 else f"{rules or 'No'} rules"
    answers = " and an automatic answer" if kept.rules.answer else ""
    return Item(f"{what}{answers} in force", read, "ok", icon="mail-cog", acts=acts)


def _passes_on(script: SieveScript, stopped: Collection[str], sent: Mapping[str, Sent]) -> Iterator[Item]:
    """To where nothing is let, mail that it would pass on stays."""
    for one in script.redirects:
        if one["to"] in stopped:
            yield Item(("Sends nothing on to", Code(one["to"])), "it was stopped, as you were told by mail; that mail "
                       "stays here, and the script is as you left it", "off", icon="hand-stop")  # fmt: skip
            continue
        to: Words = ("Sends mail on to", Code(one["to"])) if one["to"] else "Sends mail on to where it works out"
        said = sends(sent[one["to"]]) if one["to"] in sent else "the mail server did not tell of it lately"
        yield Item(to, said, "warn", icon="arrow-forward-up")  # fmt: skip


def _looks(rule: Rule) -> Words:
    return (f"If the {LOOKS_AT[rule.where]} contains", Code(rule.contains))


def _does(rule: Rule) -> Words:
    read = "marked as read" if rule.read else ""
    if not rule.folder:
        return read
    moved = "copied to" if rule.copy else "moved to"
    return (moved, Code(rule.folder), f"and {read}") if read else (moved, Code(rule.folder))


def _answer(kept: Kept) -> Item:
    now = kept.rules.answer if kept.rules else None
    change = Act("Change" if now else "Set it up", f"{HERE}answer/", of="the automatic answer")
    if now is None:
        return Item("No automatic answer", "for when you are away", icon="send", acts=(change,))
    return Item(("Answers with", Code(now.subject)), _days(now), icon="send",
                acts=(change, _remove(kept, "answer", "the automatic answer")))  # fmt: skip


def _days(answer: Answer) -> str:
    first = f"from {answer.first:%d %b %Y} " if answer.first else ""
    last = f"until {answer.last:%d %b %Y}" if answer.last else "until you end it"
    each = "day" if answer.days == 1 else f"{answer.days} days"
    return f"{first}{last}; each sender once in {'a ' if answer.days == 1 else ''}{each}"


def _remove(kept: Kept, rule: str, of: str) -> Act:
    hidden = (("rule", rule), ("was", kept.was))
    return Act("Remove", f"{HERE}remove/", method="post", weight="asks", of=of, hidden=hidden)
