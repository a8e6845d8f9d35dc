"""A test that was never seen to fail holds nothing: each flaw of `flaws/table.py` is planted, its test must find it.

A plugin for the whole run (tests/conftest.py names it). Beside a test that a plant names stands the same test once
more, `test_x[planted-17a]`, run with the flaw in place: it passes where the test fails by its own assertion. What a
plant does is undone when its run is over; it may ask for fixtures of its test by their names.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flaws.table import PLANTS, Plant

FOUND = (AssertionError, pytest.fail.Exception)


class Planted(pytest.Function):
    """A test, run with a flaw planted."""

    plant: Plant

    def runtest(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            asked = {name: self.funcargs[name] for name in list(inspect.signature(self.plant.put).parameters)[1:]}
            undo: Callable[[], object] | None = self.plant.put(patch, **asked)
            try:
                super().runtest()
            except FOUND as found:
                self.add_report_section("call", "found by", str(found)[:500])  # `pytest -rP` shows it
                return
            finally:
                if undo is not None:
                    undo()
        pytest.fail(f"row {self.plant.row}: planted ({self.plant.what}), and not found by {self.plant.test}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = [one for item in items for one in (item, *_planted(item))]


def _planted(item: pytest.Item) -> Iterator[pytest.Item]:
    if not isinstance(item, pytest.Function) or isinstance(item, Planted):
        return
    for plant in PLANTS.get(item.nodeid, ()):
        again: Any = Planted.from_parent(
            item.parent, name=f"{item.originalname}[planted-{plant.name}]", originalname=item.originalname,
            callobj=item.obj, callspec=getattr(item, "callspec", None), fixtureinfo=item._fixtureinfo,
        )  # fmt: skip
        again.plant = plant
        if not any(item.get_closest_marker(mark) for mark in ("server", "drill", "matrix")):
            again.add_marker("matrix")  # the second part of `make test`, where there is time
        yield again
