"""Many parts in one change: what they ask alike is read in sets, each object once (heart.md)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cast import MIA, House, kind
from postroom.changes.pipeline import dry_run, submit

IN_SETS = {
    "mailboxes.create": lambda n: {"address": f"new{n}@acme.example", "contact": f"n{n}@home.example"},
    "mailboxes.change": lambda n: {"mailbox": f"box{n}@acme.example", "quota_mb": 7},
    "mailboxes.suspend": lambda n: {"mailbox": f"box{n}@acme.example"},
    "mailboxes.remove": lambda n: {"mailbox": f"box{n}@acme.example"},
    "aliases.create": lambda n: {"address": f"also{n}@acme.example", "targets": [f"box{n}@acme.example", MIA]},
    "aliases.change": lambda n: {"alias": f"alias{n}@acme.example", "targets": ["box1@acme.example"]},
    "aliases.remove": lambda n: {"alias": f"alias{n}@acme.example"},
    "people.invite": lambda n: {"name": f"P {n}", "email": f"p{n}@northlight.example"},
    "people.suspend": lambda n: {"person": f"p{n}@northlight.example"},
    "people.remove": lambda n: {"person": f"p{n}@northlight.example"},
    "grants.give": lambda n: {"person": f"p{n}@northlight.example", "role": "auditor"},
}  # fmt: skip


@pytest.mark.parametrize("name", IN_SETS)
def test_a_list_is_planned_with_as_many_queries_as_two(house: House, name: str) -> None:
    for made in ("mailboxes.create", "aliases.create"):
        more = {"targets": [MIA]} if made == "aliases.create" else {"contact": "somebody@home.example"}
        start = "box" if made == "mailboxes.create" else "alias"
        do_all = [kind(made, address=f"{start}{n}@acme.example", **more) for n in range(12)]
        assert submit(do_all, actor=house.olive, why="x").version
    people = [kind("people.invite", name=f"P {n}", email=f"p{n}@northlight.example") for n in range(12)]
    assert name == "people.invite" or submit(people, actor=house.oskar, why="x").version
    params = IN_SETS[name]

    def queries(many: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            dry_run([kind(name, **params(n)) for n in range(many)], actor=house.oskar)
        return len(asked)

    assert queries(12) == queries(2)
