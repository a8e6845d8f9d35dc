"""Entries of the record in plain words: what, by whom, why; and how far an entry is proven."""

from collections.abc import Mapping
from typing import Any

from postroom.posture.signed import Signed
from postroom.web.badges import stage
from postroom.web.lines import HIDDEN, OURS
from postroom.web.parts.forms import Option
from postroom.web.parts.plain import NOUNS
from postroom.web.parts.shapes import Badge, Words
from postroom.web.times import when
from postroom.web.titles import WORDS, Named, title

# Events by their names in the record: how each is said; {…} are facts of the entry.
EVENTS: dict[str, str] = {
    "signed in": "Signed in, by {by}",
    "signed in again": "Got a lost sign-in back",
    "signed out": "Signed out",
    "session ended": "A session ended: {because}",
    "sessions ended": "All sessions ended: {because}",
    "sign-in failed": "A sign-in failed",
    "second factor failed": "A second factor was wrong",
    "single sign-on linked": "Single sign-on linked",
    "factor added": "A second factor was set up: {factor}",
    "factor removed": "A second factor was taken away: {factor}",
    "factor replaced": "A second factor was replaced: {factor}",
    "password changed": "Password changed",
    "recovery code failed": "A recovery code was wrong",
    "recent changes known": "The owner knew the recent changes",
    "recent changes not known": "The owner did not know the recent changes",
    "recovery asked": "Somebody asked to get a sign-in back",
    "terms accepted": "Terms accepted",
    "refused": "Refused: {permission} {kind} {object}",
    "approved": "Approved: {kind}",
    "withdrawn": "Withdrawn: {kind}",
    "review closed": "Looked at afterwards",
    "looked at": "Looked at {noun} {object}",
    "record exported": "The record was exported",
    "sheet exported": "The inventory sheet was exported, as {format}",
    "forwards exported": "Forwards that leave were exported, as {format}",
}
DECISIONS = ("approved", "withdrawn", "review closed")
EXPORTS = ("record exported", "sheet exported", "forwards exported")
SIGN_INS = tuple(name for name in EVENTS if name not in ("refused", "looked at", *DECISIONS, *EXPORTS))
SORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "changes": ("Every change", tuple(WORDS)),
    "decisions": ("Approvals, withdrawals, reviews", DECISIONS),
    "sign-ins": ("Sign-ins and factors", SIGN_INS),
    "refused": ("Refusals", ("refused",)),
    "looks": ("Looks at sensitive pages", ("looked at",)),
    "exports": ("Exports", EXPORTS),
}
PROOFS: dict[str, Badge] = {
    "no place": Badge("waits", "not in the log yet", "hourglass"),
    "not signed": Badge("waits", "in the log, not signed yet", "clock-pause"),
    "signed": Badge("good", "signed"),
    "unknown": Badge("unknown", "not known"),
    "wrong": Badge("bad", "not what was signed"),
    "altered": Badge("bad", "its lines do not fit its leaf"),
}
LONGEST = 160


def sorts() -> tuple[Option, ...]:
    """What the list can be narrowed to: sorts of entries, and changes of one noun."""
    nouns = sorted({kind.partition(".")[0] for kind in WORDS})
    changes = (Option(f"{noun}.", f"Changes: {noun.replace('_', ' ')}") for noun in nouns)
    return (Option("", "Everything"), *(Option(name, words) for name, (words, _) in SORTS.items()), *changes)


def said_by(asked: str) -> tuple[str, ...]:
    """The kinds and events that are meant: a sort's, a noun's (`mailboxes.`), or the one of that name."""
    if asked in SORTS:
        return SORTS[asked][1]
    if asked.endswith("."):
        return tuple(kind for kind in WORDS if kind.startswith(asked)) or (asked,)
    return (asked,) if asked else ()


def words(one: Mapping[str, Any], named: Named = str) -> str:
    """What an entry says happened."""
    facts = one["facts"]
    if facts is None:
        what = WORDS[one["said"]][0] if one["said"] in WORDS else str(one["said"] or "")
        return f"What it said was erased: {what}".rstrip(": ")
    if one["table"] == "changes":
        return title(facts["kind"], facts["params"], named)
    told = EVENTS.get(facts.get("what", ""), str(facts.get("what") or "Something that has no words here").capitalize())
    return " ".join(told.format_map(_Facts(facts)).split()).rstrip(":, ")


class _Facts(dict[str, str]):
    """Facts as they are said: cut short, nouns and kinds in words, nothing where there is none."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        super().__init__({name: _cut(value) for name, value in facts.items()})
        if "noun" in self:
            self["noun"] = NOUNS.get(self["noun"], (self["noun"], ""))[0].lower()
        if self.get("kind") in WORDS:
            words = WORDS[self["kind"]][0]
            self["kind"] = words[:1].lower() + words[1:]

    def __missing__(self, key: str) -> str:
        return ""


def _cut(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def who(one: Mapping[str, Any]) -> Words:
    """Who did it: a person, one of our own, somebody one does not see; who is not known is said so."""
    if one["who"]:
        return str(one["who"]["name"])
    facts = one["facts"] or {}
    if one["table"] == "changes":
        return OURS.get(facts.get("actor", ""), HIDDEN)
    if facts.get("name"):
        return str(facts["name"])
    if facts.get("what") == "record exported" and facts.get("by"):
        return str(facts["by"])
    return HIDDEN if facts.get("person") else Badge("unknown", "nobody known")


def why(one: Mapping[str, Any]) -> str:
    facts = one["facts"] or {}
    because = "" if facts.get("what") in ("session ended", "sessions ended") else facts.get("because")
    return " · ".join(_cut(part) for part in (facts.get("why"), facts.get("ticket"), because) if part)


def moved(one: Mapping[str, Any]) -> Badge | str:
    """Where the change stood after it; nothing for what is no change."""
    return stage(one["facts"]["stage"]) if one["table"] == "changes" and one["facts"] else ""


def proof(one: Mapping[str, Any]) -> Badge:
    return PROOFS[one["proof"]]


def reach(signed: Signed) -> str:
    """How far the log is signed, and since when."""
    if not signed.size:
        return "nothing is signed yet"
    return f"the first {signed.size:,} entries of the log, {when(signed.at)} UTC"
