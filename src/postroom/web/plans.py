"""A plan in plain words: its objects before and after, what the policies say, where it goes; the same planned again."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from postroom.changes.deliver import targets
from postroom.changes.edit import model_of
from postroom.changes.policy import Proposed
from postroom.models.base import state_models
from postroom.queries.naming import Names
from postroom.web.parts.plain import NOUNS, plain_edit
from postroom.web.parts.shapes import Act, Badge, Delivery, Item, ObjectDiff, Verdict

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")
SHOWN = 60  # objects on a page; the API has all of them
TARGETS = {
    "nodes": ("Mail node", "take over what is different, and read it back from its daemons"),
    "zone": ("Zone", "write the records, and read them back from every name server"),
    "mail": ("Mail", "hand the letter to our own submission"),
    "end": ("Right", "end it by a change of its own, in the name of who signed"),
}
PAGES = {"clients": "/clients/", "mailboxes": "/mailboxes/", "domains": "/domains/", "people": "/people/"}
NOISE = frozenset({"access_epoch", "asked", "by_mail", "keep_copy", "made", "proof_token"})  # of a row that is made


def objects(edits: Sequence[Mapping[str, Any]], names: Names) -> tuple[ObjectDiff, ...]:
    known = names.known()
    return tuple(said(one, names, known, url=_page(one)) for one in edits[:SHOWN])


def said(one: Mapping[str, Any], names: Names, known: Mapping[str, str], *, url: str = "") -> ObjectDiff:
    """One edit, without what a new row starts with anyway; a raised access epoch is said as what it does."""
    before, after = (_in_order(one["table"], half) for half in (one["before"], one["after"]))
    if one.get("erased"):
        return replace(plain_edit(one["table"], names(one["id"]), None, None), what="erased from the record")
    if before is None or after is None:
        before, after = (
            {k: v for k, v in half.items() if k not in NOISE} if half else half for half in (before, after)
        )
    elif "access_epoch" in after and "access_epoch" in before:
        if after["access_epoch"] > before["access_epoch"]:
            before, after = {**before, "access_epoch": "open"}, {**after, "access_epoch": "all end"}
        else:  # an undo sets the number back, and brings no session back by it
            before, after = ({k: v for k, v in half.items() if k != "access_epoch"} for half in (before, after))
    return plain_edit(one["table"], names(one["id"]), before, after, names=known, url=url)


def _in_order(table: str, half: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """As the row has its columns: PostgreSQL gives what was recorded back by the length of the names."""
    if half is None or table not in state_models():
        return half
    columns = {name: place for place, name in enumerate(model_of(table).columns())}
    return dict(sorted(half.items(), key=lambda item: columns.get(item[0], len(columns))))


def _page(one: Mapping[str, Any]) -> str:
    """Rows that are there have a page of their own."""
    return f"{PAGES[one['table']]}{one['id']}/" if one["before"] is not None and one["table"] in PAGES else ""


def counted(edits: Sequence[Any], more: bool) -> str:
    number = f"{len(edits)} or more" if more else str(len(edits))
    shown = f", {SHOWN} shown" if len(edits) > SHOWN else ""
    return f"{number} object{'' if len(edits) == 1 else 's'} of one client{shown}"


def verdicts(found: Sequence[Mapping[str, str]]) -> tuple[Verdict, ...]:
    return tuple(_verdict(v["says"], v["reason"], v["policy"].replace("_", " ")) for v in found)


def _verdict(says: str, reason: str, policy: str) -> Verdict:
    """A mark goes through, and is looked at afterwards; a withdrawal is kept among them with who and why."""
    if policy == "withdrawn":
        return Verdict("allow", f"Withdrawn. {reason}")
    if says == "mark":
        return Verdict("allow", f"Goes through, and is reviewed after: {reason}", policy)
    return Verdict("refuse" if says == "refuse" else "hold", reason, policy)


def left_out(found: Sequence[Mapping[str, Any]], names: Names) -> tuple[Item, ...]:
    return tuple(
        Item(_noun(one, names), one["because"], "warn", acts=_give_again(one, _noun(one, names))) for one in found
    )


def _noun(one: Mapping[str, Any], names: Names) -> str:
    return f"{NOUNS.get(one['table'], (one['table'], ''))[0]} {names(one['id'])}"


def _give_again(one: Mapping[str, Any], of: str) -> tuple[Act, ...]:
    """To the form that gives it anew, filled in: a change of its own, with its own plan and its own policies."""
    if not (again := one.get("again")):
        return ()
    return (Act("Give again…", f"/do/{again['kind']}/?{urlencode(again['params'])}", of=of),)


def deliveries(proposed: Proposed) -> tuple[Delivery, ...]:
    """Where it will go once it is applied; nothing for what is done in the one transaction."""
    waits = Badge("waits", "when it is applied")
    return tuple(
        Delivery(TARGETS[target][0], TARGETS[target][1], waits)
        for target in TARGETS if target in targets(proposed.plan)
    )  # fmt: skip


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _reckoned(text: str, now: datetime, typed: str) -> str:
    """Times that lie whole minutes after the moment, and that nobody typed, as how far they lie from it."""

    def far(found: re.Match[str]) -> str:
        away = datetime.fromisoformat(found[0]) - now
        whole = away > timedelta(0) and not away % timedelta(minutes=1)
        return f"now+{away}" if whole and found[0] not in typed else found[0]

    return TIME.sub(far, text)


def likeness(proposed: Proposed) -> str:
    """The same for the same plan made a moment later: new ids, the moment itself, and what is reckoned from it (*in two
    hours*) do not count; a time that somebody typed does."""
    change = proposed.change
    made, token = str(change.pk)[:-8], change.pk.hex[-20:-8] + change.pk.hex[:8]
    moment = change.now.isoformat()
    stood = [[e.table, e.id, e.before] for e in proposed.plan.edits]  # what stood has its own times, this second's too
    meant = [[e.after for e in proposed.plan.edits], change.verdicts]
    typed = _text(change.params).replace("Z", "+00:00")
    text = _text(stood) + _reckoned(_text(meant), change.now, typed).replace(moment, "now")
    for word, instead in ((made, "new"), (token, "token")):
        text = text.replace(word, instead)
    return hashlib.sha256(text.encode()).hexdigest()
