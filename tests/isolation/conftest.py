"""The world of three clients, built once in a run on the house of cast.py; every test plays in a copy of it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import psycopg
import pytest
from factories import furnish
from principals import staff
from three_clients import LETTERS, Ground, World

from cast import at_home
from databases import Copies
from postroom.host.cluster import Cluster
from postroom.record.sequencer import Sequencer


@pytest.fixture(scope="session")
def furnished(cluster: Cluster, founded: Any, copies: Copies) -> Iterator[tuple[str, World]]:
    """(a database with everything in it, the world)."""
    from django.db import connection

    databases = copies.template(founded[0])
    name = next(databases)
    world = World(at_home(founded[1]), {letter: Ground(letter) for letter in LETTERS})
    for here in world.grounds.values():
        furnish(world, here)
    staff(world)
    with psycopg.connect(cluster.dsn("postroom_system", name), autocommit=True) as system:
        Sequencer(system).place()
    connection.close()
    yield name, world
    next(databases, None)


@pytest.fixture
def in_world(furnished: tuple[str, World], copies: Copies) -> Iterator[str]:
    """A database of its own for this test, with the world in it."""
    yield from copies(furnished[0])


@pytest.fixture
def world(in_world: str, furnished: tuple[str, World]) -> World:
    known = furnished[1]
    return World(at_home(known.house), deepcopy(known.grounds), dict(known.staff), dict(known.secrets))


@pytest.fixture
def admin(cluster: Cluster, in_world: str) -> Iterator[psycopg.Connection[Any]]:
    """Past row security, for what is compared."""
    with psycopg.connect(cluster.dsn("postgres", in_world), autocommit=True) as connection:
        yield connection
