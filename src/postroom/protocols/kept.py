"""What a Sieve script does with a message, and whether the mailbox keeps it: the implicit keep (RFC 5228, 2.10.2).

As Pigeonhole does it, 0.5.19 and 2.4 alike (sieve-result.c; tried on 0.5.19): what is filed comes first, then all else
in the script's order, and a keep last. At the first act that is refused it looks back: where nothing was done yet that
stands, it lets go of the rest; where something was, it goes on with all of it, whatever is refused later. Either way
the script has failed, and the mailbox keeps the message. Sent, filed and answered stands; kept and discarded does not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

Kept = Literal["always", "perhaps", "never"]
DISCARDED, NOT_KEPT = "its filter throws it away", "its filter throws away what it does not pass on"
WHETHER: dict[Kept, tuple[bool, ...]] = {"always": (True,), "perhaps": (True, False), "never": (False,)}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing the script does. keep: the mailbox keeps the message all the same. sometimes: of some messages.
    passes: it sends it on to somebody who takes it. refused: to somebody who does not. unsure: where to
    is worked out when mail comes, so it may be refused as well. anyway: by then the script has filed the message, or
    answered it, which stands. filed: some messages are filed beside it, and so kept."""

    keep: bool
    sometimes: bool
    passes: bool
    refused: bool
    unsure: bool = False
    anyway: Kept = "never"
    filed: bool = False


@dataclass(frozen=True, slots=True)
class _World:
    """One of the ways that it can have gone so far. stands: something that was done does. cancelled: the keep is.
    failed: something was refused; stopped: and so the rest is not done."""

    stands: bool = False
    cancelled: bool = False
    failed: bool = False
    stopped: bool = False


def kept(acts: Sequence[Act]) -> Kept:
    """Whatever is refused, all of the script has failed: then the mailbox keeps it."""
    *_, last = _worlds(acts)
    return _said({one.failed or not one.cancelled for one in last})


def reached(acts: Sequence[Act]) -> Iterator[Kept]:
    """Of each act, in the script's order, whether it is done where its own condition is met."""
    for worlds, _ in zip(_worlds(acts), acts, strict=False):
        yield _said({not one.stopped for one in worlds})


def discarded(acts: Sequence[Act]) -> str:
    """Why it is not kept, where it is thrown away. Of what is passed on, too, Dovecot says that it is."""
    return NOT_KEPT if any(act.passes for act in acts) else DISCARDED


def _worlds(acts: Sequence[Act]) -> Iterator[set[_World]]:
    """All there can be before each act, and after the last one."""
    worlds = {_World()}
    yield worlds
    for act in acts:
        worlds = {after for world in worlds for after in _after(world, act)}
        yield worlds


def _after(world: _World, act: Act) -> Iterator[_World]:
    if act.sometimes or world.stopped:
        yield world
    if world.stopped:
        return
    refusals = (True, False) if act.unsure else (act.refused,)
    cancels = (True, False) if act.filed else (not act.keep,)
    for stands, refused, cancel in product(WHETHER[act.anyway], refusals, cancels):
        before = replace(world, stands=world.stands or stands, cancelled=world.cancelled or cancel)
        if refused:
            yield replace(before, failed=True, stopped=not (before.failed or before.stands))
        else:
            yield replace(before, stands=before.stands or act.passes or act.unsure)


def _said(found: set[bool]) -> Kept:
    return "perhaps" if len(found) > 1 else "always" if True in found else "never"
