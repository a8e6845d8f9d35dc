"""What every story leaves behind: nothing that is open. And an installation whose clock stories move, once for all."""

import uuid
from collections.abc import Iterator

import pytest
from clock import Clock, wound
from on_the_phone import House, at_home

from world import Stack


@pytest.fixture(scope="session")
def clock() -> Iterator[Clock]:
    with wound() as running:
        yield running


@pytest.fixture(scope="session")
def house(clock: Clock) -> House:
    """A client whose VIPs call, one for each door; eight days go by, once for all of them."""
    return at_home(clock, f"called{uuid.uuid4().hex[:8]}", ["api", "program", "pages"])


@pytest.fixture(autouse=True)
def tidy(stack: Stack) -> Iterator[None]:
    yield
    stack.leave()
