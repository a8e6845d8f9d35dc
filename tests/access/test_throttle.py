"""Limits are counted for all web processes together, over by their time, and cost next to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from cast import House, together
from postroom.access import throttle
from postroom.access.throttle import Limit, TooMany

Sql = Callable[..., Any]


def test_together_as_many_as_there_may_be_and_again_when_the_time_is_over(database: str, sql: Sql) -> None:
    limit = Limit("a test", 50, 60)
    found = together(*[lambda: [_asked(limit, "ana") for _ in range(20)] for _ in range(4)])
    assert sum(sum(one) for one in found) == 50
    assert _asked(limit, "ben")
    with pytest.raises(TooMany) as error:
        limit("ana")
    assert 50 <= error.value.wait <= 60
    sql("UPDATE counted SET expires = now() - interval '1 s'")
    assert _asked(limit, "ana") and _asked(limit, "ana")


@pytest.mark.parametrize(("one", "other", "same"), [
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True), ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ("192.0.2.1", "::ffff:192.0.2.1", True), ("192.0.2.1", "192.0.2.2", False),
])  # fmt: skip
def test_a_source_is_what_the_mail_node_counts_as_one(database: str, one: str, other: str, same: bool) -> None:
    limit = Limit(f"sources {one} {other}", 1, 60, by_source=True)
    assert _asked(limit, one) and _asked(limit, other) is not same


@pytest.mark.parametrize(
    "name", ["STRANGER", "DEVICE", "MAILBOX_SIGN_IN", "MAIL_APP", "MAILBOX_RESET", "RECOVER_SOURCE"]
)
def test_every_limit_of_a_source_counts_so(name: str) -> None:
    assert getattr(throttle, name).by_source


def _asked(limit: Limit, who: str) -> bool:
    try:
        limit(who)
    except TooMany:
        return False
    return True


def test_counting_a_request_takes_less_than_a_millisecond(database: str) -> None:
    limit = Limit("speed", 10_000, 60)
    limit("warm")
    took = []
    for _ in range(200):
        begun = time.perf_counter()
        limit("warm")
        took.append(time.perf_counter() - begun)
    quarter = sorted(took)[50]  # of a machine that does other things as well
    assert quarter < 0.001, f"{quarter * 1000:.2f} ms"
    connection.close()


def test_the_api_says_when_to_come_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.conftest import Caller

    monkeypatch.setitem(settings.POSTROOM.values, "API_REQUESTS", 5)
    olive, ada = Caller(house.olive), Caller(house.ada)
    answers = [olive.get("/clients") for _ in range(7)]
    assert [one.status_code for one in answers] == [200] * 5 + [429] * 2
    assert answers[-1].json()["type"] == "/problems/too-many" and 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert ada.get("/clients").status_code == 200, "each session for itself"


def test_strangers_at_the_api_are_slowed_down(database: str) -> None:
    http = Client(headers={"host": "localhost", "authorization": "Bearer guessed"})
    device = [http.post("/api/v1/device", {}, content_type="application/json") for _ in range(21)]
    assert [one.status_code for one in device[-2:]] == [200, 429] and device[-1]["Retry-After"]
    guessed = [http.get("/api/v1/clients").status_code for _ in range(121)]
    assert guessed[:120] == [401] * 120 and guessed[120] == 429
