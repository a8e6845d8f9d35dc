"""How often somebody may ask: counted in the database for all web processes together, one quick statement each time.

A window starts with the first request and is over when its time is. The count needs no disk: what a crash forgets of
it, a few requests, is no harm.
"""

from dataclasses import dataclass

from django.db import connection

from postroom.engines.sign_in_counts import source_of

COUNT = """
INSERT INTO counted (cache_key, value, expires)
  SELECT %(key)s, '1', clock_timestamp() + make_interval(secs => %(seconds)s)
  FROM (SELECT set_config('synchronous_commit', 'off', true)) quickly
ON CONFLICT (cache_key) DO UPDATE SET
  value = CASE WHEN counted.expires < clock_timestamp() THEN '1' ELSE (counted.value::int + 1)::text END,
  expires = CASE WHEN counted.expires < clock_timestamp() THEN excluded.expires ELSE counted.expires END
RETURNING value::int, ceil(extract(epoch FROM expires - clock_timestamp()))::int
"""


class TooMany(Exception):
    """Asked too often; `wait`: seconds until it is answered again."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"too many requests; try again in {wait} seconds")
        self.wait = wait


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds, of whoever they are counted for.

    by_source: that is an address; an IPv6 /64 is one source, as where the mail node counts (engines/sign_in_counts.py).
    """

    what: str
    most: int
    seconds: int
    by_source: bool = False

    def __call__(self, who: object, *, most: int | None = None) -> None:
        """Count one; TooMany above the limit (or above `most`, where a setting says otherwise)."""
        with connection.cursor() as cursor:
            whose = source_of(str(who)) if self.by_source else who
            key = f"limit {self.what} {whose}"[:255]
            cursor.execute(COUNT, {"key": key, "seconds": self.seconds})
            count, left = cursor.fetchone()
        if count > (most or self.most):
            raise TooMany(max(left, 1))


SESSION = Limit("api session", 600, 60)
STRANGER = Limit("api without a session", 120, 60, by_source=True)  # the device flow, tokens that are no good
DEVICE = Limit("device codes", 20, 60, by_source=True)  # each waits for ten minutes
TYPED = Limit("typed device codes", 20, 600)  # by person: RFC 8628, 5.1
# By source, to spare our threads: who guesses is slowed by the mail node, which counts for every protocol.
MAILBOX_SIGN_IN = Limit("mailbox sign-ins", 30, 300, by_source=True)
MAIL_APP = Limit("mail apps that ask for tokens", 240, 60, by_source=True)  # many devices may be behind one
MAILBOX_RESET = Limit("mailbox resets from a source", 10, 3600, by_source=True)
RECOVER_ADDRESS = Limit("recovery of an address", 3, 3600)
RECOVER_SOURCE = Limit("recovery from a source", 10, 3600, by_source=True)
SCRIPTS = Limit("looks at all scripts", 12, 600)  # by person: each is work for every node
