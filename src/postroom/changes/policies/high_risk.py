"""What a second person looks at first. One table; each line says what, and where it is read off the plan.

| held | how it is seen |
|---|---|
| removing a client, domain or mailbox | `removed_at` is set on one that was there, or its row goes |
| suspending a VIP | `suspended_at` is set on a mailbox marked so |
| many objects at once | more than 25 rows of one table that people name, or parts; a batch counts as a whole too |
| a high role | a grant of approver or above opens (the founder's own apart), or of a role of one's own that ranks so |
| a role of one's own that becomes a high one | it may something more, and ranks with approver or above by then |
| an elevation | somebody asks for more than they hold, for some hours |
| routing of a VIP | mail to one, or what lands with one, lands elsewhere (landing.py); or for longer (vips.py) |
| mail of a live domain | MX, NS or the DMARC policy of a domain that has been live changes |
| a domain live elsewhere | its zone had an MX of others when it is added |
| a VIP no more | the mark is taken off a mailbox that has it |
| a restored mailbox for somebody else | it comes back and its invite goes to another contact than before |
| another owner | a mailbox that has an owner, or had one, goes to somebody else, its mail in it |
| an owner named late | a mailbox that somebody has set up, and that names no owner, is said to be a person's |
| a lost sign-in | a person would get a link to a new one, without their second factor |
| a way back into a VIP's mailbox | a recovery channel of one is named or ended, by another than its owner |
| a VIP's mailbox for others | it is asked that somebody else reads it, or writes in its name |
| a filter at a VIP's mailbox | one is set there by another than its owner |
| a redirect of a VIP's filter | one that was stopped passes mail on again |
| living with a critical finding | its acceptance opens, as accepted |
| erasing from the record | what lines of it hold would go for good |
| going back over others | an undo touches rows that people changed since |
| less of this at a client | it would hold more objects than now only, or one's own undo goes by itself for longer |
| mail led to a way out | mail of an address comes to another one that has an exception (led_out.py) |
| less of this for mail that leaves | more may leave without an exception than now, or less is forbidden |

A client may have another number than 25 (`held_over`), which counts in what people change there; a batch is held over
25 besides. One's own undo waits for nobody within 30 minutes, or what the client has instead (`undo_within`), while
nobody else touched its rows. Both count as they stood before the change that is judged.
"""

from collections.abc import Iterator, Sequence

from postroom.access.roles import rank, rank_of
from postroom.changes.cover import standing
from postroom.changes.policy import Move, Proposed, Verdict, hold
from postroom.models import (
    Acceptance,
    Address,
    Alias,
    CatchAll,
    Client,
    DkimKey,
    Domain,
    Erasure,
    Forward,
    Freeze,
    Grant,
    Invite,
    Mailbox,
    Node,
    Organization,
    Person,
    RecordSet,
    RedirectStop,
    Role,
    RoundLine,
    RouteException,
    StateModel,
    Transport,
)
from postroom.models.clients import HELD_OVER, UNDO_WITHIN
from postroom.models.mailboxes import once_set_up
from postroom.models.rounds import THERE
from postroom.protocols.roles import role_of

from .own_undo import touched_by_people
from .vips import delegated, filtered, no_more, recovery, resumed, routing, suspended

MANY = HELD_OVER
HIGH = rank(["approver"])
LOOSER = (
    ("held_over", HELD_OVER, "holds changes of {client} over {then} objects only, until now over {was}"),
    ("undo_within", UNDO_WITHIN, "lets an undo of one's own at {client} need nobody for {then} min, not {was}"),
)
NAMED = (
    Client, Domain, Mailbox, Alias, Forward, CatchAll, RouteException, Transport, Person, Grant, Invite, RecordSet,
    Freeze, Node, DkimKey, RedirectStop,
)  # fmt: skip
COMES_ALONG = (Alias, RecordSet, DkimKey)  # with a domain that is itself in the plan: nobody asked for these


def high_risk(proposed: Proposed) -> Verdict | None:
    """Hold what the table above lists, every reason in one verdict."""
    reasons = [words for rule in RULES for words in rule(proposed)]
    return hold(high_risk, "; ".join(reasons)) if reasons else None


def _removals(proposed: Proposed) -> Iterator[str]:
    for model in (Client, Domain, Mailbox):
        there = [m for m in proposed.moves(model) if m.now and not m.now["removed_at"]]
        gone = [m for m in there if m.then is None or m.then["removed_at"]]
        if gone:
            yield f"removes {_count(len(gone), model)}"


def _restored_for_another(proposed: Proposed) -> Iterator[str]:
    for m in proposed.moves(Mailbox):
        back = m.now and m.then and m.now["removed_at"] and not m.then["removed_at"]
        if back and m.now and m.then and m.then["contact"] != m.now["contact"]:
            yield f"gives a restored mailbox, its mail in it, to {m.then['contact']}"


def _another_owner(proposed: Proposed) -> Iterator[str]:
    """To whom nobody was before is no other owner's: of what was never set up, the contact is where its link goes."""
    other = [
        (m.edit.id, m.then["contact"]) for m in proposed.moves(Mailbox)
        if m.now and m.then and not m.now["removed_at"] and m.then["contact"] != m.now["contact"]
    ]  # fmt: skip
    given = proposed.kind.permission == "mailboxes.transfer"
    had = once_set_up(box for box, _ in other) if other and not given else set()
    for box, contact in other:
        if given or box in had:
            yield f"gives a mailbox, its mail in it, to {contact or 'nobody who is known'}"


def _owner_named(proposed: Proposed) -> Iterator[str]:
    """Who opens it and is named by nobody would not hear that it is said to be another's."""
    named = [m.edit.id for m in proposed.moves(Mailbox) if m.now and m.then and not m.now["removed_at"]
             and not m.now["owner_id"] and m.then["owner_id"]]  # fmt: skip
    if named and proposed.kind.permission != "mailboxes.transfer" and (opened := once_set_up(named)):
        yield f"says whose {_count(len(opened), Mailbox)} would be that somebody opens already"


def _many(proposed: Proposed) -> Iterator[str]:
    yield from (f"{words} in one change" for words in _too_many([proposed], _held_over(proposed)))


def _held_over(proposed: Proposed) -> int:
    """The client's own number, where there is more than one object to count; Postroom's own work goes by the standard,
    since what follows from a change is no wish of anybody's."""
    plan, own = proposed.plan, None
    several = len(proposed.kinds) > 1 or any(len(rows) > 1 for rows in plan.by_table.values())
    if several and plan.client and proposed.access.actor.somebody:
        own = Client.objects.filter(pk=plan.client).values_list("held_over", flat=True).first()
    return MANY if own is None else own


def many_together(parts: Sequence[Proposed]) -> Verdict | None:
    """Hold a batch of many objects, however it is cut into changes: over the standard, whatever each client has."""
    found = [f"{words} in one batch" for words in _too_many(parts, MANY)] if len(parts) > 1 else []
    return hold(many_together, "; ".join(found)) if found else None


def _too_many(parts: Sequence[Proposed], most: int) -> Iterator[str]:
    """Rows of one table; or, where rows say it nowhere, the parts that were asked for."""
    counts = [(sum(_asked_for(part, model) for part in parts), model) for model in NAMED]
    over = [_count(count, model) for count, model in counts if count > most]
    asked = sum(len(part.kinds) for part in parts if not _answers_a_roster(part))
    yield from over or ([f"{asked} requests"] if asked > most else ())


def _answers_a_roster(proposed: Proposed) -> bool:
    """A client with thousands of mailboxes says of each that it is still there: nothing opens or closes by that."""
    tables = set(proposed.plan.by_table)
    return tables == {"round_lines"} and all(m.now and m.now["noun"] in THERE for m in proposed.moves(RoundLine))


def _asked_for(proposed: Proposed, model: type[StateModel]) -> int:
    """How many rows of a table somebody asked for: a domain's records, keys and role accounts count as the domain, and
    links as whom they let in."""
    rows = proposed.plan.by_table.get(model._meta.db_table, [])
    if rows and model is Invite:  # a new link ends the old one, and one goes to every way back: all of one mailbox
        shown = ((m.edit.id, m.then or m.now or {}) for m in proposed.moves(Invite))
        return len({row.get("mailbox_id") or row.get("person_id") or id for id, row in shown})
    domains = {e.id for e in proposed.plan.on(Domain)} if rows and model in COMES_ALONG else set()
    if not domains:
        return len(rows)
    homes = {m.edit.id: _of(m, "domain_id") for m in proposed.moves(Address)}
    theirs = (_of(m, "domain_id") or homes.get(_of(m, "address_id")) for m in proposed.moves(model))
    return sum(domain not in domains for domain in theirs)


def _of(move: Move, column: str) -> str:
    return str((move.then or move.now or {}).get(column, ""))


def _high_role(proposed: Proposed) -> Iterator[str]:
    for m in () if proposed.access.everything else proposed.moves(Grant):
        if m.opens and m.then and standing(m.then["role"]).rank >= HIGH:
            yield f"gives the role {m.then['role']}"
    for m in proposed.moves(Role):
        if m.now and m.then and m.opens and rank_of(m.then["permissions"]) >= HIGH:
            yield f"lets whoever holds the role {m.then['name']} also {', '.join(sorted(m.opens)[:5])}"


def _elevation(proposed: Proposed) -> Iterator[str]:
    for m in proposed.moves(Grant) if proposed.kind.elevates else ():
        if m.opens and m.then:
            yield f"asks for the role {m.then['role']} until {m.then['until']}"


def _critical_accepted(proposed: Proposed) -> Iterator[str]:
    for m in proposed.moves(Acceptance):
        if "accepted" in m.opens and m.then and m.then["severity"] == "critical":
            yield f"accepts a critical finding: {m.then['title']}"


def _live_dns(proposed: Proposed) -> Iterator[str]:
    made = {e.id for e in proposed.plan.on(Domain) if e.before is None}
    changes: dict[str, set[str]] = {}  # what is changed → at which domains
    for m in proposed.moves(RecordSet):
        row = m.then or m.now or {}
        if row.get("domain_id") in made or not {"values", "ttl"} & (m.edit.after or m.edit.before or {}).keys():
            continue
        values = {*(m.edit.before or {}).get("values", ()), *(m.edit.after or {}).get("values", ())}
        touched = role_of(row["name"], row["type"], values) & {"mx", "ns", "dmarc"}
        if touched and m.edit.before is not None:
            changes.setdefault(", ".join(sorted(touched)).upper(), set()).add(str(row["domain_id"]))
    if not changes:
        return
    been = Domain.objects.filter(pk__in=set().union(*changes.values()), proof__in=("read", "lost"))
    live = {str(one) for one in been.values_list("pk", flat=True)}
    yield from (f"changes {what} of a live domain" for what, domains in changes.items() if live & domains)


def _live_elsewhere(proposed: Proposed) -> Iterator[str]:
    made = {e.id: (e.after or {}) for e in proposed.plan.on(Domain) if e.before is None}
    if not made:
        return
    for e in proposed.plan.on(RecordSet):
        row = e.after or {}
        if row.get("type") == "MX" and row.get("found") and row["found"]["values"] != row["values"]:
            yield f"{row['name'].rstrip('.')} is live elsewhere: its mail goes to {', '.join(row['found']['values'])}"
            made.pop(row.get("domain_id", ""), None)
    yield from (
        f"{domain['name']} is live elsewhere"
        for domain in made.values()
        if proposed.state.live_elsewhere(domain["name"])
    )


def _lost_sign_in(proposed: Proposed) -> Iterator[str]:
    for m in proposed.moves(Invite):
        if m.opens and m.now is None and m.then and m.then["recovers"] == "sign-in":
            yield f"lets {m.then['contact']} set a new password and new second factors"


def _erasure(proposed: Proposed) -> Iterator[str]:
    count = sum(len(m.then["lines"]) for m in proposed.moves(Erasure) if m.then)
    if count:
        yield f"erases {count} line{'s' if count > 1 else ''} of the record, for good"


def _over_others(proposed: Proposed) -> Iterator[str]:
    undone = proposed.kind.takes_back
    if undone is None:
        return
    later = touched_by_people(undone)
    if later:
        names = ", ".join(f"{one.kind} of {one.now:%d %b %H:%M}" for one in later[:5])
        yield f"goes back over {len(later)} later changes: {names}"


def _looser(proposed: Proposed) -> Iterator[str]:
    for m in proposed.moves(Client):
        for column, standard, words in LOOSER:
            was, then = (standard if row.get(column) is None else row[column] for row in (m.now or {}, m.then or {}))
            if m.now and then > was:
                yield words.format(client=m.now["name"], then=then, was=was)


def _leaves_freely(proposed: Proposed) -> Iterator[str]:
    for m in proposed.moves(Organization, Client):
        was, then = m.now, m.then
        if not was or not then:
            continue
        if more := [one for one in then["forward_allowed"] if one not in was["forward_allowed"]]:
            yield f"lets mail of {then['name']} leave to {', '.join(more[:5])} without an exception"
        if less := [one for one in was["forward_forbidden"] if one not in then["forward_forbidden"]]:
            yield f"forbids mail of {then['name']} no more to go to {', '.join(less[:5])}"


def _count(n: int, model: type) -> str:
    meta = model._meta  # type: ignore[attr-defined]
    return f"{n} {meta.verbose_name if n == 1 else meta.verbose_name_plural}"


RULES = (
    _removals, suspended, no_more, _restored_for_another, _another_owner, _owner_named, _many, _high_role,
    _elevation, _critical_accepted, routing, _live_dns, _live_elsewhere, _lost_sign_in, recovery, delegated, filtered,
    resumed, _erasure, _over_others, _looser, _leaves_freely,
)  # fmt: skip
