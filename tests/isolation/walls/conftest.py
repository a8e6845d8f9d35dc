"""The city, built once in a run on the house of cast.py; every test here plays in a copy of it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from city import MACHINERY, SLUGS, City, built
from django.db import connection

from cast import at_home
from databases import Copies
from postroom.host.cluster import Cluster


@pytest.fixture(scope="session")
def city_founded(cluster: Cluster, founded: Any, copies: Copies) -> Iterator[tuple[str, City]]:
    """(its database, who is in it)."""
    databases = copies.template(founded[0])
    name = next(databases)
    city = built(at_home(founded[1]))
    connection.close()
    with psycopg.connect(cluster.dsn("postgres", name)) as superuser:
        for slug in SLUGS:
            superuser.execute(MACHINERY[-1], {"slug": slug})
    yield name, city
    next(databases, None)


@pytest.fixture
def database(city_founded: tuple[str, City], copies: Copies) -> Iterator[str]:
    yield from copies(city_founded[0])


@pytest.fixture
def city(database: str, city_founded: tuple[str, City]) -> City:
    at_home(city_founded[1].house)
    return city_founded[1]
