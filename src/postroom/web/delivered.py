"""What became of a letter of ours, as far as servers said: only what the next server has taken is shown as gone out."""

from postroom.models import Mailed
from postroom.models.mailed import ACCEPTED, BOUNCED, DELAYED, HANDED, QUEUED, REFUSED
from postroom.web.parts.shapes import Badge, Cell, Fact
from postroom.web.times import when

BADGES = {
    HANDED: Badge("waits", "handed over", "mail"),
    QUEUED: Badge("waits", "queued", "clock"),
    ACCEPTED: Badge("good", "accepted by the next server"),
    DELAYED: Badge("warn", "delayed"),
    BOUNCED: Badge("bad", "came back", "mail-off"),
    REFUSED: Badge("bad", "refused by our own submission", "mail-off"),
}
SHOWN = 120  # characters of what a server said, in a list; all of it stands at the API


def delivered(one: Mailed, *, long: bool = False) -> Cell:
    """The state, and a server's own words, which are a stranger's: text, and nothing else."""
    said = " ".join(filter(None, (one.status if one.status not in one.said else "", one.said)))
    at = f" ({when(one.said_at)})" if one.said_at and long else ""
    return Cell(BADGES[one.state], (said if long else said[:SHOWN]) + at)


def fact(one: Mailed | None) -> tuple[Fact, ...]:
    """Of a link that is open; none where no letter of it is known of."""
    if one is None or one.state not in BADGES:
        return ()
    cell = delivered(one, long=True)
    return (Fact("Letter with the link", cell.words, cell.sub),)
