"""What every story leaves behind: nothing that is open."""

from collections.abc import Iterator

import pytest

from world import Stack


@pytest.fixture(autouse=True)
def tidy(stack: Stack) -> Iterator[None]:
    yield
    stack.leave()
