"""Calendar quarters, in UTC, and who is due a round of questions in one. Pure: whoever asks brings the time.

A quarter is called as *2026-Q4*; names sort as the quarters follow each other.
"""

from datetime import UTC, datetime


def quarter_of(at: datetime) -> str:
    """The quarter a moment lies in."""
    utc = at.astimezone(UTC)
    return f"{utc.year:04}-Q{(utc.month + 2) // 3}"


def began(quarter: str) -> datetime:
    """Its first moment. Raises ValueError for what is no quarter."""
    year, _, number = quarter.partition("-Q")
    return datetime(int(year), 3 * int(number) - 2, 1, tzinfo=UTC)


def before(quarter: str) -> str:
    """The quarter that came before it."""
    start = began(quarter)
    return f"{start.year - 1:04}-Q4" if start.month == 1 else f"{start.year:04}-Q{start.month // 3}"


def is_due(made: datetime, newest: str, now: datetime) -> bool:
    """Whether who was made then, and whose newest round is of this quarter (empty: none), gets one now.

    Whoever comes in the middle of a quarter has the first one with the next. Quarters in which nobody looked are not
    made up for: there is one round for now, however long it was dark.
    """
    this = quarter_of(now)
    return made < began(this) and newest < this
