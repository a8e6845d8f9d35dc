from collections.abc import Iterator
from itertools import count

import pytest
from name_servers import NameServers

numbers = count()


@pytest.fixture(scope="session")
def name_servers() -> Iterator[NameServers]:
    running = NameServers()
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def zone() -> str:
    """A zone name no other test uses."""
    return f"acme{next(numbers)}.example."
