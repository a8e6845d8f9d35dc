"""Why something is asked for: how long it may be, for every door alike. What is longer is refused and never cut."""

LONGEST = 1000


def too_long(why: str) -> str:
    """What is wrong with its length, in words; empty where nothing is."""
    return f"{len(why):,} characters; at most {LONGEST:,} stand in the record" if len(why) > LONGEST else ""
