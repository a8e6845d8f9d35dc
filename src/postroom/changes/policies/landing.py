"""Where mail lands is looked at by a second person when it is a VIP's, or when it would land nowhere any more.

Seen by following mail to each address the plan touches, and to those that lead there, before and after. What is ended
on purpose lands nowhere on purpose: of the very address whose alias, forward or mailbox a plan ends, nothing is said
here, nor of its twins at domains that stand for its own. Nor of an address that the plan makes. That mail leaves no
more, to nobody else, is never held up. A script that throws mail away, be it some of it, is looked at too: how much
nobody can say. What the owner of a mailbox does with their own filter is theirs.
"""

from collections.abc import Iterator, Sequence

from postroom.access.acting import as_shown
from postroom.access.scope import visible
from postroom.changes.along import along
from postroom.changes.laid import ANY, FILTERS, moves_mail
from postroom.changes.landing import Diff, Moved, diff, twin
from postroom.changes.policy import Proposed, Verdict, hold
from postroom.models import Address, Domain, Filter

MOST = 200  # addresses that are followed; so many at once are held for being many
NAMED = 5
NOT_SEEN = "an address you do not see"


def landing(proposed: Proposed) -> Verdict | None:
    """Hold what moves mail of a VIP, and what leaves an address that landed in a mailbox without any."""
    if not proposed.access.actor.limited:
        return None  # what follows from a change, or ends by the clock, was looked at with it: a proof, an end
    made = proposed.made(Address)
    moved = moves_mail([*proposed.plan.edits, *along(proposed.plan.edits)])
    edits = [e for e in moved if e.table != FILTERS or proposed.access.actor.somebody]
    if all((e.after or {}).get("address_id", e.id) in made and e.before is None for e in edits):
        return None  # nothing came to what is made only now
    found = diff(edits, proposed.state.now, most=MOST)
    more = found.more
    emptied = [one for one in found.moved if _emptied(one, found)]
    of_vips = [one for one in found.moved if one not in emptied and _of_a_vip(one, found)]
    filtered = any(m.opens for m in proposed.moves(Filter) if proposed.access.actor.somebody)
    thrown = [one for one in found.moved if filtered and one.own and one not in emptied and _thrown(one)]
    names = seen(proposed, {one.address for one in (*emptied, *of_vips, *thrown)})
    said = [*named("mail to {} would land nowhere", emptied, names)]
    said += named("a filter would throw away some of the mail to {}", thrown, names)
    said += named("moves mail of a VIP: {}", of_vips, names)
    said += [f"where mail to {more} more addresses would land is not followed"] if more else []
    return hold(landing, "; ".join(said)) if said else None


def _emptied(one: Moved, found: Diff) -> bool:
    if one.made or one.address.startswith(ANY) or one.address in found.closed or not one.after.nowhere:
        return False
    return any(landed.sort in ("mailbox", "hidden") for landed in one.before.landings)


def _thrown(one: Moved) -> bool:
    return any(landed.sort == "discarded" for landed in set(one.after.landings) - set(one.before.landings))


def _of_a_vip(one: Moved, found: Diff) -> bool:
    """Their own mail goes elsewhere too, or no more; or what came to them does not, and the other way round."""
    if one.made or _only_stays(one, found):
        return False
    moved = {landed.address for landed in set(one.before.landings) ^ set(one.after.landings)}
    return bool(moved) and (one.address in found.vips or bool(moved & found.vips))


def _only_stays(one: Moved, found: Diff) -> bool:
    """All that becomes different is that some of it leaves no more, and stays where it was passed on."""
    before, after = set(one.before.landings), set(one.after.landings)
    ended = {one.address, *found.closed}
    own = all(landed.sort in ("mailbox", "unknown") and landed.address in ended for landed in after - before)
    return own and all(landed.sort == "outside" for landed in before - after)


def named(words: str, moved: Sequence[Moved], names: set[str]) -> Iterator[str]:
    """The words about these addresses, if there are any, with the names of those that are given."""
    if moved:
        said = sorted(_called(one.address) if one.address in names else NOT_SEEN for one in moved)
        more = f" and {len(said) - NAMED} more" if len(said) > NAMED else ""
        yield words.format(", ".join(dict.fromkeys(said[:NAMED])) + more)


def _called(address: str) -> str:
    return address.replace(f"{ANY}@", "any other address at ", 1) if address.startswith(ANY) else address


def seen(proposed: Proposed, addresses: set[str]) -> set[str]:
    """Those of these addresses that its proposer may read the names of: of one that is there by its domain's standing
    for another, whoever may read its twin's, and the domain's. What the plan makes they asked for themselves."""
    if not addresses:
        return set()
    if proposed.access.everything:
        return addresses
    actor = proposed.access.actor
    made = {str((m.then or {})["address"]) for m in proposed.moves(Address) if m.now is None}
    with as_shown():
        there = made & addresses
        there |= set(visible(actor, Address).filter(address__in=addresses).values_list("address", flat=True))
        if not (rest := addresses - there):
            return there
        names = {one.rpartition("@")[2] for one in rest}
        domains = dict(visible(actor, Domain).filter(name__in=names).values_list("name", "alias_of__name"))
        caught = {one for one in rest if one.startswith(ANY) and one.rpartition("@")[2] in domains}
        of = {one: twin(one, {name: other for name, other in domains.items() if other}) for one in rest - caught}
        known = visible(actor, Address).filter(address__in=filter(None, of.values())).values_list("address", flat=True)
        return there | caught | {one for one, other in of.items() if other and (other in made or other in known)}
