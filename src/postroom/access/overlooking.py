"""Past row security for as long as a rule needs that holds over all clients; nothing of it is for showing."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from .known import ask

ALL = (
    "SELECT coalesce(current_setting('postroom.everything', true), ''),"
    " coalesce(current_setting('postroom.without', true), '')"
)
SEEING_ALL = "SELECT set_config('postroom.everything', %s, true), set_config('postroom.without', %s, true)"


@contextmanager
def overlooking() -> Iterator[None]:
    """Every client, until it is over. What is read inside is for a verdict, or a mark: who may see none of another
    client is told nothing of it but that it is one."""
    was = ask(ALL)[0]
    ask(SEEING_ALL, "yes", "{}")
    try:
        yield
    finally:
        if not connection.needs_rollback:
            ask(SEEING_ALL, *was)
