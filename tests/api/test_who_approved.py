"""Who let a change through is said to whoever may look at it: by name, or as the record names them; never left out."""

from collections.abc import Callable
from typing import Any

from cast import MIA, House, agreed, do


def test_an_approval_by_whom_one_does_not_see_is_there_with_their_name(
    house: House, at_api: Callable[[str], Any]
) -> None:
    change = agreed(house, do("mailboxes.remove", house.olive, mailbox=MIA))
    ways = {who: at_api(who).get(f"/changes/{change.pk}").json()["approvals"] for who in ("olive", "carl")}
    assert [one["person"] for one in ways["olive"]] == [{"name": "Ada", "email": "ada@northlight.example"}]
    assert [one["person"] for one in ways["carl"]] == [{"name": "Ada", "email": ""}]
    assert ways["carl"][0]["at"] and not ways["carl"][0]["void"]
