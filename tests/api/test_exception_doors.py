"""Exceptions and transports at the API and in the program, by how they stand: the same as the page has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from cast import MIA, House, at, do, the, with_consent
from postroom.models import RouteException
from routed import later

NEAR, FAR = "near@far.test", "far@far.test"


def targets(caller: Any, state: str) -> list[str]:
    answer = caller.get(f"/exceptions?state={state}")
    assert answer.status_code == 200, answer.content
    return sorted(one["target"] for one in answer.json()["items"])


def test_by_how_they_stand(house: House, at_api: Callable[[str], Any]) -> None:
    for target, days in ((NEAR, 20), (FAR, 300)):
        asked = {"address": MIA, "to": target, "owner": "Mia", "until": later(days)}
        with_consent(house, do("forwards.create", house.olive, **asked))
    olive = at_api("olive")
    assert targets(olive, "") == targets(olive, "standing") == [FAR, NEAR]
    assert targets(olive, "soon") == [NEAR] and targets(olive, "ended") == []
    review = the(RouteException, target=FAR).review_on
    with at(timezone.now() + timedelta(days=(review - timezone.now().date()).days + 1)):
        later_on = at_api("olive")
        assert FAR in targets(later_on, "review")
    do("exceptions.end", house.olive, exception=str(the(RouteException, target=NEAR).pk))
    assert targets(olive, "ended") == [NEAR] and targets(olive, "standing") == [FAR] and len(targets(olive, "")) == 2
    assert olive.get("/transports?state=standing").json()["items"] == []


def test_what_is_no_state_is_said(house: House, at_api: Callable[[str], Any]) -> None:
    olive = at_api("olive")
    assert olive.get("/exceptions?state=over").json()["errors"][0]["where"] == "state"
    assert olive.get("/exceptions?state=soon&client=acme&at=1").json()["errors"][0]["where"] == "state"
    assert olive.get("/forwards?state=soon").status_code == 422, "no other list has states"
