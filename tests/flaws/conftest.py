"""What these tests share with those of pages and API: visitors, callers, the list of addresses."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "web"))  # `visitors` and `test_urls`, as tests there import them

from api.conftest import at_api  # noqa: F401

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks everything of everybody belongs in the second part of `make test`."""
    for item in items:
        if HERE in item.path.parents and not item.get_closest_marker("server"):
            item.add_marker("matrix")
