"""What a Sieve script does with a message, and whether the mailbox keeps it: the implicit keep (RFC 5228, 2.10.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kept = Literal["always", "perhaps", "never"]
DISCARDED, NOT_KEPT = "its filter throws it away", "its filter throws away what it does not pass on"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing the script does. keep: the mailbox keeps the message all the same. sometimes: of some messages.
    passes: it sends it on to somebody who takes it. refused: to somebody who does not. unsure: where to
    is worked out when mail comes, so it may be refused as well."""

    keep: bool
    sometimes: bool
    passes: bool
    refused: bool
    unsure: bool = False


def kept(acts: Sequence[Act]) -> Kept:
    """One redirect that is refused, and all of the script has failed: then the mailbox keeps it."""
    found: Kept = "always"
    for act in acts:
        if not act.keep and not act.refused and found != "never":
            found = "perhaps" if act.sometimes or act.unsure else "never"
    failed = [act.sometimes or act.unsure for act in acts if act.refused or act.unsure]
    if not all(failed):
        return "always"
    return "perhaps" if failed and found == "never" else found


def reached(acts: Sequence[Act]) -> Iterator[Kept]:
    """Of each act, in the script's order, whether it is done. After one that is refused nothing is any more: Pigeonhole
    has done what comes before it, and lets go of the rest."""
    done: Kept = "always"
    for act in acts:
        yield done
        if (act.refused or act.unsure) and done != "never":
            done = "perhaps" if act.sometimes or act.unsure else "never"


def discarded(acts: Sequence[Act]) -> str:
    """Why it is not kept, where it is thrown away. Of what is passed on, too, Dovecot says that it is."""
    return NOT_KEPT if any(act.passes for act in acts) else DISCARDED
