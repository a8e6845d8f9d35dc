"""The list of clients as it stood: the same for each as alone, and as many queries however many there are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cast import House, do

Ask = Callable[[str], Any]


def later(sql: Any) -> str:
    """A time after everything so far, and before whatever comes: the record's times are moved back a minute."""
    sql("ALTER TABLE entries DISABLE TRIGGER USER")
    sql("UPDATE entries SET at = at - interval '1 minute'")
    sql("ALTER TABLE entries ENABLE TRIGGER USER")
    return quote(datetime.now(UTC).replace(microsecond=0).isoformat())


def names(caller: Any, at: str) -> dict[str, str]:
    answer = caller.get(f"/clients?at={at}&limit=100")
    assert answer.status_code == 200, answer.content
    return {one["slug"]: one["name"] for one in answer.json()["items"]}


def test_each_stands_in_the_list_as_it_stands_alone(house: House, at_api: Ask, sql: Any) -> None:
    olive = at_api("olive")
    do("clients.create", house.olive, name="Still")
    do("clients.change", house.olive, client="acme", name="Acme Two")
    at = later(sql)
    do("clients.change", house.olive, client="acme", name="Acme Three")
    do("clients.change", house.olive, client="acme", name="Acme Four", notes="x")
    do("mailboxes.suspend", house.olive, mailbox="mia@globex.example")
    do("clients.create", house.olive, name="New")
    assert names(olive, at) == {"acme": "Acme Two", "globex": "Globex", "still": "Still"}
    assert names(olive, quote("2099-01-01T00:00:00Z")) == names(olive, "999") == {
        "acme": "Acme Four", "globex": "Globex", "new": "New", "still": "Still",
    }  # fmt: skip
    first = names(olive, "1")
    assert first == {"acme": "Acme", "globex": "Globex", "new": "New", "still": "Still"}, "versions count a client each"
    for when in (at, "1"):
        for slug, name in names(olive, when).items():
            alone = olive.get(f"/clients/{slug}?at={when}").json()
            assert alone["name"] == name
    assert names(at_api("carl"), at) == {"acme": "Acme Two"}


@pytest.mark.parametrize("by", ["time", "version"])
def test_ten_clients_cost_as_many_queries_as_three(house: House, at_api: Ask, sql: Any, by: str) -> None:
    olive, counts = at_api("olive"), []
    for start, stop in ((2, 3), (3, 10)):
        for n in range(start, stop):
            do("clients.create", house.olive, name=f"More {n}")
        at = later(sql) if by == "time" else "1"
        for n in range(2, stop):
            do("clients.change", house.olive, client=f"more-{n}", name=f"More {n} of {stop}")
        with CaptureQueriesContext(connection) as queries:
            assert len(names(olive, at)) == stop
        counts.append(len(queries))
    assert counts[0] == counts[1], counts
