"""The guards of a verified reset (flow F3), each taken out in one place. Beside plants.py, whose shapes these are."""

from __future__ import annotations

import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from .plants import Patch, Put

RESETS = "postroom.changes.kinds.resets."
OF_ANOTHER = '"mailbox_id": Mailbox.objects.filter(client_id=mailbox.client_id).exclude(pk=mailbox.pk).latest("id").pk}'


def rewritten(where: str, old: str, new: str) -> Put:
    """A function, or a class's own, with these words of its source replaced; broken where they do not stand in it."""

    def put(patch: Patch) -> None:
        above, _, name = where.rpartition(".")
        owner: Any
        try:
            owner = importlib.import_module(above)
        except ModuleNotFoundError:
            module, _, last = above.rpartition(".")
            owner = getattr(importlib.import_module(module), last)
        real = getattr(owner, name)
        source = textwrap.dedent(inspect.getsource(real))
        assert source.count(old) == 1, f"{old!r} does not stand once in {where}"
        made: dict[str, Any] = {}
        exec(source.replace(old, new), real.__globals__, made)
        patch.setattr(owner, name, made[name])

    return put


def of_a_field(kind: str, field: str, **said: Any) -> Put:
    """A field of a kind, declared otherwise: its class is built again with that, and once more when the run is over."""

    def put(patch: Patch) -> Callable[[], object]:
        module, _, name = kind.rpartition(".")
        model = getattr(importlib.import_module(module), name)
        info = model.model_fields[field]
        kept = {one: getattr(info, one) for one in said}

        def declared(values: dict[str, Any]) -> None:
            for one, value in values.items():
                setattr(info, one, value)
            model.model_rebuild(force=True)

        declared(said)
        return lambda: declared(kept)

    return put


class Anywhere(set[str]):
    """Where a link may go."""

    def __contains__(self, contact: object) -> bool:
        return True


def pressed(releases: Any) -> Any:
    """Somebody is in a hurry."""
    return lambda self, now: self.urgent or releases(self, now)


def for_good(releases: Any) -> Any:
    return lambda self, now: bool(self.passed_at)


def names_a_way_back(plan: Any) -> Any:
    """The link that is released names another recovery address in the same breath."""
    from postroom.changes.plan import create
    from postroom.models import RecoveryChannel, Verification

    def planned(self: Any, state: Any) -> Iterator[Any]:
        yield from plan(self, state)
        session = state.get(Verification, self.verification, where="verification")
        about = {"client_id": session.client_id, "mailbox_id": session.mailbox_id}
        yield create(RecoveryChannel, state.new_id(), **about, sort="address", value="thief@evil.example",
                     made=state.now)  # fmt: skip

    return planned
