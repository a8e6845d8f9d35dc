"""What ends by its own `until`: the maps refuse it at that second, its sessions live on until the agent ends them."""

from .maps import Files


def ended_between(files: Files, since: float, now: float) -> set[str]:
    """Addresses whose sign-in, or way into another mailbox, ended by its own `until` in this time: the maps refuse them
    already, sessions live on."""
    found: set[str] = set()
    for one, table in ((files.maps, "login"), (files.maps, "mailbox"), (files.secrets, "password")):
        query = f"SELECT address FROM {table} WHERE until > ? AND until <= ?"
        found |= {str(address) for (address,) in one.connection.execute(query, (since, now))}
    query = "SELECT login FROM opens WHERE until > ? AND until <= ?"
    return found | {str(login) for (login,) in files.maps.connection.execute(query, (since, now))}


def credentials_ended_between(files: Files, since: float, now: float) -> dict[str, str]:
    """App passwords and consents that ended by their own `until` in this time: cred → address."""
    query = "SELECT cred, address FROM app WHERE until > ? AND until <= ?"
    ended = dict(files.secrets.connection.execute(query, (since, now)))
    query = "SELECT 'oauth:' || cred, address FROM consent WHERE until > ? AND until <= ?"
    return ended | dict(files.maps.connection.execute(query, (since, now)))


def next_end(files: Files, now: float) -> float | None:
    """When the next row ends by itself; seconds since 1970."""
    ends = [
        one.connection.execute(f"SELECT min(until) FROM {table} WHERE until > ?", (now,)).fetchone()[0]
        for one, table in (
            (files.maps, "login"), (files.maps, "mailbox"), (files.secrets, "password"), (files.secrets, "app"),
            (files.maps, "consent"), (files.maps, "opens"),
        )
    ]  # fmt: skip
    return min((float(end) for end in ends if end is not None), default=None)
