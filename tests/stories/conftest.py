"""What every story leaves behind: nothing that is open. And an installation whose clock stories move, once for all."""

from collections.abc import Iterator

import pytest
from clock import Clock, wound

from world import Stack


@pytest.fixture(scope="session")
def clock() -> Iterator[Clock]:
    with wound() as running:
        yield running


@pytest.fixture(autouse=True)
def tidy(stack: Stack) -> Iterator[None]:
    yield
    stack.leave()
