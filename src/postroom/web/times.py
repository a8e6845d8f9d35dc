"""Times as pages write them: the clock today (09:12), dated else (24 Nov 09:12); always UTC. And how long ago."""

from datetime import UTC, datetime, timedelta

SOON = timedelta(days=330)


def when(moment: datetime | str | None, *, now: datetime | None = None, seconds: bool = False) -> str:
    """`09:12` today, `23 Nov 09:12` this year, `23 Nov 2024` long ago; empty for no time at all."""
    if moment is None or moment == "":
        return ""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    at, today = at.astimezone(UTC), (now or datetime.now(UTC))
    clock = f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}"
    if at.date() == today.date():
        return clock
    return f"{at.day} {at:%b} {clock}" if abs(today - at) < SOON else f"{at.day} {at:%b %Y}"


def iso(moment: datetime | str) -> str:
    return moment if isinstance(moment, str) else moment.astimezone(UTC).isoformat(timespec="seconds")


def ago(moment: datetime, *, now: datetime | None = None) -> str:
    """`8 s`, `12 min`, `3 h`, `2 days`: how long since."""
    left = int(((now or datetime.now(UTC)) - moment).total_seconds())
    for size, word in ((86_400, "day"), (3600, "h"), (60, "min")):
        if left >= size:
            number = left // size
            return f"{number} {word}" + ("s" if word == "day" and number > 1 else "")
    return f"{max(left, 0)} s"
