"""How domains stand by the rules mail is judged by, at the API: whose they are, by state and area, and one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cast import House, do
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Domain, Posture
from postroom.protocols.posture import area, worst

ACME, OTHER, NEW = "acme.example", "globex.example", "acme-new.example"


def stands(name: str, rules: Mapping[str, str], *, unfinished: str = "", minutes: float = 0) -> None:
    """As if it had been looked at, so long ago."""
    results = [
        {"level": level, "rule": rule, "says": f"{rule} is {level} at {name}.", "source": "RFC 7208, 3",
         "evidence": {"name": name, "raw": ["v=spf1"], "parsed": {"a": "b"}, "chain": []},
         "publish": {"name": f"{name}.", "type": "TXT", "ttl": 3600, "values": ["v=spf1 -all"]}}
        for rule, level in rules.items()
    ]  # fmt: skip
    at = timezone.now() - timedelta(minutes=minutes)
    with acting_as(SYSTEM):
        domain = Domain.objects.get(name=name)
        Posture.objects.create(
            at=at, since=at, client_id=domain.client_id, domain=domain, level=worst(rules.values()), results=results,
            levels={area(rule): level for rule, level in rules.items()}, unfinished=unfinished,
        )  # fmt: skip


@pytest.fixture
def three(house: House) -> House:
    do("domains.add", house.olive, client="acme", name=NEW)
    stands(ACME, {"mx.good": "good", "spf.none": "bad"})
    stands(OTHER, {"mx.good": "good", "spf.good": "good", "caa.none": "info"})
    return house


def names(caller: Any, **asked: str) -> list[str]:
    answer = caller.get(f"/postures?{urlencode(asked)}")
    assert answer.status_code == 200, answer.content
    return [one["domain"] for one in answer.json()["items"]]


def test_of_all_by_state_and_area(three: House, at_api: Callable[[str], Any]) -> None:
    olive = at_api("olive")
    assert names(olive) == [NEW, ACME, OTHER]
    assert names(olive, state="bad") == [ACME] and names(olive, state="good") == [OTHER]
    assert names(olive, state="unknown") == [NEW] and names(olive, state="warn") == []
    assert names(olive, state="good", area="mx") == [ACME, OTHER] and names(olive, state="good", area="spf") == [OTHER]
    assert names(olive, state="bad", area="spf") == [ACME] and names(olive, state="unknown", area="spf") == [NEW]
    assert names(olive, client="globex") == [OTHER] and names(olive, search="acme-n") == [NEW]
    new = olive.get("/postures?client=acme").json()["items"][0]
    assert (new["level"], new["levels"], new["at"]) == ("unknown", {}, None) and "not looked at" in new["unknown"]


def test_what_is_old_is_unknown_and_never_what_it_was(three: House, at_api: Callable[[str], Any]) -> None:
    with acting_as(SYSTEM):
        Posture.objects.update(at=timezone.now() - timedelta(minutes=46))
    olive = at_api("olive")
    assert names(olive, state="good") == names(olive, state="bad") == []
    assert names(olive, state="unknown") == [NEW, ACME, OTHER]
    one = olive.get(f"/domains/{OTHER}/posture").json()
    assert (one["level"], one["results"], one["score"]) == ("unknown", [], None) and one["at"] and one["unknown"]


def test_one_with_every_result_and_what_it_lost(three: House, at_api: Callable[[str], Any]) -> None:
    one = at_api("olive").get(f"/domains/{ACME}/posture").json()
    assert one["score"] == {"points": 80, "at_most": False, "lost": [{"points": 20, "rule": "spf.none"}]}
    assert [each["rule"] for each in one["results"]] == ["mx.good", "spf.none"]
    assert one["results"][1]["publish"]["values"] == ["v=spf1 -all"]
    assert at_api("olive").get(f"/domains/{NEW}/posture").json()["unknown"]


def test_another_clients_are_not_there(three: House, at_api: Callable[[str], Any]) -> None:
    carl = at_api("carl")
    assert names(carl) == [NEW, ACME] and names(carl, client="globex") == []
    assert carl.get(f"/domains/{OTHER}/posture").status_code == 404
    assert carl.get("/domains/nobodys.example/posture").status_code == 404


def test_pages_of_the_list_and_what_cannot_be_asked(three: House, at_api: Callable[[str], Any]) -> None:
    olive = at_api("olive")
    first = olive.get("/postures?limit=2").json()
    assert [one["domain"] for one in first["items"]] == [NEW, ACME] and first["next"] == ACME
    assert names(olive, after=first["next"]) == [OTHER]
    for asked in ("state=fine", "state=bad&area=http", "area=spf"):
        answer = olive.get(f"/postures?{asked}")
        assert answer.status_code == 422, (asked, answer.content)


def test_many_cost_no_more_queries_than_one(three: House, at_api: Callable[[str], Any]) -> None:
    olive = at_api("olive")
    with CaptureQueriesContext(connection) as one:
        olive.get("/postures?limit=1")
    with CaptureQueriesContext(connection) as all_:
        olive.get("/postures")
    assert len(one) == len(all_)
