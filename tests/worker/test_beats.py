"""The worker's beats: one piece that fails holds up no other; a database that is away is waited for."""

from collections.abc import Callable

import pytest
from django.db import DataError, InterfaceError, OperationalError

from postroom.worker import clock


@pytest.mark.parametrize(
    "error, then", [(DataError, "done"), (ValueError, "done"), (OperationalError, ""), (InterfaceError, "")]
)
def test_a_piece_that_fails_and_what_comes_after_it(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception], then: str
) -> None:
    monkeypatch.setattr(clock, "close_old_connections", lambda: None)
    done: list[str] = []

    def fails() -> None:
        raise error("year is out of range")

    def work() -> list[Callable[[], object]]:
        return [fails, lambda: done.append("done")]

    clock._once(clock.Beat(1, work))
    assert "".join(done) == then
