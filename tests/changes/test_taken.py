"""A domain another client holds is taken, and nothing more is said; a client's own people may add domains."""

import pytest

from cast import House, do
from postroom.changes.approvals import approve
from postroom.changes.errors import Problems


def test_a_domain_another_client_holds_is_taken_and_nobody_says_by_whom(house: House) -> None:
    do("grants.give", house.oskar, person="henry@northlight.example", role="client admin", client="acme")
    with pytest.raises(Problems, match=r"globex.example is already taken$"):
        do("domains.add", house.olive, client="acme", name="globex.example")


def test_an_operator_of_one_client_adds_a_domain_there(house: House) -> None:
    given = do("grants.give", house.oskar, person="henry@northlight.example", role="operator", client="acme")

    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    added = do("domains.add", house.henry, client="acme", name="acme-new.example")
    assert added.stage == "applied", added.verdicts
    with pytest.raises(Problems, match="already taken"):
        do("domains.add", house.henry, client="acme", name="globex.example")
