"""Many parts in one change: what they ask alike is read in sets, each object once (heart.md)."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from cast import MIA, House, as_wanted, holds, kind, with_consent
from postroom.changes.look_first import read_zones
from postroom.changes.pipeline import dry_run, submit

IN_SETS = {
    "mailboxes.create": lambda n: {"address": f"new{n}@acme.example", "contact": f"n{n}@home.example"},
    "mailboxes.change": lambda n: {"mailbox": f"box{n}@acme.example", "quota_mb": 7},
    "mailboxes.suspend": lambda n: {"mailbox": f"box{n}@acme.example"},
    "mailboxes.remove": lambda n: {"mailbox": f"box{n}@acme.example"},
    "aliases.create": lambda n: {"address": f"also{n}@acme.example", "targets": [f"box{n}@acme.example", MIA]},
    "aliases.change": lambda n: {"alias": f"alias{n}@acme.example", "targets": ["box1@acme.example"]},
    "aliases.remove": lambda n: {"alias": f"alias{n}@acme.example"},
    "people.invite": lambda n: {"name": f"P {n}", "email": f"new{n}@northlight.example"},
    "people.suspend": lambda n: {"person": f"p{n}@northlight.example"},
    "people.remove": lambda n: {"person": f"p{n}@northlight.example"},
    "domains.add": lambda n: {"client": "acme", "name": f"new{n}.example"},
    "domains.change": lambda n: {"domain": f"d{n}.example", "registrar": "x"},
    "domains.suspend": lambda n: {"domain": f"d{n}.example"},
    "domains.remove": lambda n: {"domain": f"d{n}.example", "accept_loss": True},
    "domains.restore": lambda n: {"domain": f"gone{n}.example"},
    "record_sets.set": lambda n: {"domain": f"d{n}.example", "name": f"w.d{n}.example", "type": "A",
                                  "values": ["192.0.2.1"]},
    "grants.give": lambda n: {"person": f"p{n}@northlight.example", "role": "auditor"},
}  # fmt: skip


def domains_too(house: House) -> None:
    """A dozen that stand in their zones as they shall, and a dozen that were removed."""
    for name in ("d", "gone"):
        submit(
            [kind("domains.add", client="acme", name=f"{name}{n}.example") for n in range(12)],
            actor=house.oskar,
            why="x",
        )
        for n in range(12):
            as_wanted(house, f"{name}{n}.example")
    gone = [kind("domains.remove", domain=f"gone{n}.example", accept_loss=True) for n in range(12)]
    with_consent(house, submit(gone, actor=house.oskar, why="x"))
    for n in range(12):
        holds(house, f"gone{n}.example", {})


def test_a_list_is_planned_with_as_many_queries_as_two(house: House) -> None:
    boxes = [{"address": f"box{n}@acme.example", "contact": "somebody@home.example"} for n in range(12)]
    aliases = [{"address": f"alias{n}@acme.example", "targets": [MIA]} for n in range(12)]
    people = [{"name": f"P {n}", "email": f"p{n}@northlight.example"} for n in range(12)]
    for name, many in (("mailboxes.create", boxes), ("aliases.create", aliases), ("people.invite", people)):
        assert submit([kind(name, **one) for one in many], actor=house.oskar, why="x").version
    domains_too(house)

    def queries(name: str, many: int) -> int:
        parts = [kind(name, **IN_SETS[name](n)) for n in range(many)]
        read_zones(parts, house.oskar)  # that is of the zones: each is read by itself, and not again for a while
        with CaptureQueriesContext(connection) as asked:
            dry_run(parts, actor=house.oskar)
        return len(asked)

    assert {name: queries(name, 12) for name in IN_SETS} == {name: queries(name, 2) for name in IN_SETS}
