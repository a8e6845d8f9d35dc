"""A map edited on a node by hand is found object by object; what is on its way there never is."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from cast import MIA, House, do, kind, redeemed, the
from mail_nodes import Node, answers
from postroom import catalogue
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import settle
from postroom.changes.pipeline import submit
from postroom.engines import compile, digests, maps
from postroom.engines.layout import MAPS, NodeConfig
from postroom.engines.source import Todo
from postroom.models import Address, Change, Client, DkimKey, Finding, Look, NodeTodo, Redelivery, Report
from postroom.models import Node as Server
from postroom.posture.checks.maps import ASKED
from postroom.posture.run import run

OWN = {"maps": {"login": [{"address": "system@localhost", "sign_in": 1, "access_epoch": 0}]}}
EVIL, LEO = "evil@elsewhere.example", "leo@acme.example"


class Mx:
    """A mail node that writes its files as the agent does, and says what is in them."""

    def __init__(self, line: Node) -> None:
        folder = Path(tempfile.mkdtemp())
        for name in MAPS:
            (folder / "db" / name).mkdir(parents=True)
        self.line, self.config = line, NodeConfig("mx1", folder, "127.0.0.1")
        self.files = maps.open_files(self.config)
        compile.write(self.files, [Todo(0, "address", UUID(compile.NODE_ITSELF), None, OWN)])

    def round(self, *, asked: bool = True) -> None:
        for todo, object, id, change, compiled in self.line.execute("SELECT * FROM node_pull()").fetchall():
            if object == "bucket" and not asked:
                continue
            if object == "bucket":
                which = id.hex[-2:]
                self.says("objects", {"bucket": which, "objects": digests.objects(self.config, which, OWN)})
            elif object == "node":
                compile.write(self.files, [Todo(0, "address", UUID(compile.NODE_ITSELF), None, OWN)])
                compile.strays(self.files)
            else:
                compile.write(self.files, [Todo(todo, object, id, change, compiled)])
            self.line.execute("SELECT node_ack(%s, %s)", [[todo], Jsonb([answers(compiled)])])

    def digest(self) -> None:
        self.says("digest", {"buckets": digests.buckets(self.config, OWN)})

    def says(self, sort: str, row: Any) -> None:
        self.line.execute("SELECT node_report(%s, %s)", [sort, Jsonb([row])])

    def by_hand(self, name: str, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.config.database(name), isolation_level=None)) as connection:
            assert connection.execute(statement, values).rowcount > 0


@pytest.fixture
def mx1(house: House, node: Callable[[str], Node]) -> Iterator[Mx]:
    do("mailboxes.create", house.olive, address=LEO, contact="leo@home.test")
    redeemed(LEO)
    key = the(DkimKey, domain__name="acme.example", selector__endswith="a")
    made = kind("dkim_keys.make", key=str(key.pk), public="abcd", domain="acme.example")
    submit(made, actor=SYSTEM, why="x", secrets={"private key": "sealed ünïcode"})
    do("dkim_keys.activate", SYSTEM, key=str(key.pk))
    one = Mx(node("mx1"))
    one.line.execute("SELECT node_rebuild()")
    one.round()
    one.digest()
    yield one
    for file in one.files:
        file.connection.close()


def looked() -> dict[str, Finding]:
    run(catalogue.MAPS)
    with acting_as(SYSTEM):
        return {one.label: one for one in Finding.objects.filter(check_name="nodes.maps", closed_at=None)}


def cycle(node: Mx) -> dict[str, Finding]:
    """Said, held against what is compiled, asked for, said object by object, held again."""
    node.digest()
    looked()
    node.round()
    return looked()


def asked() -> int:
    with acting_as(SYSTEM):
        return NodeTodo.objects.filter(object="bucket").count()


def test_files_as_compiled_are_no_finding_and_nothing_is_asked(house: House, mx1: Mx) -> None:
    assert looked() == {} and asked() == 0
    with acting_as(SYSTEM):
        assert Look.objects.get(check_name="nodes.maps").failed == "1 could not be read", "mx2 says nothing"
        said = Report.objects.filter(sort="digest").latest("at").facts["buckets"]
    assert len(said) >= 3


def test_what_was_changed_on_the_node_is_named_with_before_and_after(house: House, mx1: Mx) -> None:
    acme = the(Client, slug="acme").pk
    mx1.by_hand("maps", "UPDATE route SET destination = ? WHERE source = ?", EVIL, MIA)
    seen = cycle(mx1)
    assert set(seen) == {MIA}
    one = seen[MIA]
    assert (one.severity, one.client_id, one.object) == ("critical", acme, the(Address, address=MIA).pk)
    assert one.evidence["before"]["route"] == [{"source": MIA, "destination": MIA, "until": None}]
    assert one.evidence["after"]["route"] == [{"source": MIA, "destination": EVIL, "until": None}]
    mx1.by_hand("secrets", "UPDATE password SET hash = '{PLAIN}evil'")
    mx1.by_hand("maps", "DELETE FROM domain WHERE name = 'acme.example'")
    mx1.by_hand("keys", "UPDATE key SET sealed = 'other'")
    mx1.by_hand("maps", "INSERT INTO route(source, destination, object) VALUES ('x@acme.example', ?, 'hm')", EVIL)
    seen = cycle(mx1)
    assert len(seen) == 5, list(seen)
    assert seen[LEO].evidence == {"before": {"secrets": "as set"}, "after": {"secrets": "another"}, "node": "mx1"}
    assert "sealed" not in str([one.evidence for one in seen.values()])
    assert seen["acme.example"].evidence["after"] == {} and "is not on it" in seen["acme.example"].title
    assert "put there by nobody" in seen["x@acme.example"].title
    key = the(DkimKey, domain__name="acme.example", activated_at__isnull=False)
    assert seen[f"The key {key.selector} of acme.example"].evidence["after"] == {"keys": "another"}
    for name in ("secrets", "maps", "keys"):
        table = {"secrets": "password", "maps": "route", "keys": "key"}[name]
        mx1.by_hand(name, f"DELETE FROM {table} WHERE object <> ?", compile.NODE_ITSELF)
    mx1.line.execute("SELECT node_rebuild()")
    mx1.round()
    assert cycle(mx1) == {}, "written anew, it is as compiled"


def put_back(house: House, one: Finding) -> Change:
    return do(one.kind, house.olive, **one.params)


def test_what_a_finding_suggests_puts_the_object_back(house: House, mx1: Mx) -> None:
    """Changed, taken out, added under nobody's id and under none at all: one button each, and a read closes it."""
    nobody = "01980000-0000-7000-8000-000000000001"
    mx1.by_hand("secrets", "UPDATE password SET hash = '{PLAIN}evil'")
    mx1.by_hand("maps", "DELETE FROM domain WHERE name = 'acme.example'")
    for source, object in (("x@acme.example", nobody), ("y@acme.example", "hm")):
        mx1.by_hand("maps", "INSERT INTO route(source, destination, object) VALUES (?, ?, ?)", source, EVIL, object)
    mx1.by_hand("maps", "UPDATE login SET access_epoch = 9 WHERE object = ?", compile.NODE_ITSELF)
    seen = cycle(mx1)
    assert len(seen) == 5, list(seen)
    asked = {label: put_back(house, one) for label, one in seen.items()}
    assert {change.stage for change in asked.values()} == {"applied"}
    assert looked().keys() == {"y@acme.example"}, "what is on its way is no drift; this has no id to be on a list by"
    mx1.round()
    assert cycle(mx1) == {}
    for change in asked.values():
        settle(change.pk)
        assert the(Change, pk=change.pk).stage == "verified"
    acme = the(Client, slug="acme").pk
    assert {label: one.client_id for label, one in asked.items() if one.client_id} == {LEO: acme, "acme.example": acme}


def test_who_may_not_does_not_and_asked_again_it_is_the_same_row(house: House, mx1: Mx) -> None:
    mx1.by_hand("maps", "UPDATE mailbox SET quota_mb = 1 WHERE address = ?", MIA)
    (one,) = cycle(mx1).values()
    assert do(one.kind, house.henry, **one.params).stage == "refused"
    with acting_as(SYSTEM):
        assert not NodeTodo.objects.filter(node__name="mx1").exclude(object="bucket").exists()
    for _ in range(2):
        assert put_back(house, one).stage == "applied"
    again = the(Redelivery)
    assert (again.object, again.times) == ("address", 2)
    mx1.round()
    assert cycle(mx1) == {}


def test_what_is_asked_of_the_first_bucket_hides_no_row_of_the_nodes_own(house: House, mx1: Mx) -> None:
    """Buckets are asked for by a number in the place of an id, and that of 00 is the node's own."""
    hides = next(one for one in map("m{}".format, range(5_000)) if digests.bucket(one) == "00")
    for object in (hides, compile.NODE_ITSELF):
        mx1.by_hand("maps", "INSERT INTO route(source, destination, object) VALUES (?, ?, ?)", object[:5], EVIL, object)
    assert cycle(mx1).keys() == {hides[:5], compile.NODE_ITSELF[:5]}


def test_rows_of_the_nodes_own_are_not_a_place_to_hide(house: House, mx1: Mx) -> None:
    mx1.by_hand("maps", "INSERT INTO route(source, destination, object) VALUES (?, ?, ?)", MIA, EVIL,
                compile.NODE_ITSELF)  # fmt: skip
    (one,) = cycle(mx1).values()
    assert (one.object, one.noun) == (UUID(compile.NODE_ITSELF), "nodes")


def test_what_is_on_its_way_is_no_drift(house: House, mx1: Mx) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=77)
    mx1.digest()
    assert looked() == {} and asked() == 1, "the bucket differs, the object is on the list"
    listed = {row[1]: row for row in mx1.line.execute("SELECT * FROM node_pull()").fetchall()}
    which = listed["bucket"][2].hex[-2:]
    mx1.says("objects", {"bucket": which, "objects": digests.objects(mx1.config, which, OWN)})
    assert looked() == {}, "told as it was before, and still on the list"
    mx1.round(asked=False)
    assert looked() == {}, "what was told is older than what was acknowledged since"
    assert cycle(mx1) == {} and asked() == 0


def test_more_buckets_than_are_asked_for_at_once_have_their_turn(house: House, mx1: Mx) -> None:
    """Whoever changes one object in each of the first eight hides nothing behind them."""
    made = {f"m{n}" for n in range(40)}
    assert len({digests.bucket(one) for one in made}) > 3 * ASKED
    for one in made:
        mx1.by_hand("maps", "INSERT INTO route(source, destination, object) VALUES (?, ?, ?)", one, EVIL, one)
    seen = cycle(mx1)
    assert ASKED <= len(seen) < len(made) and asked() == ASKED
    for _ in range(len(made) // ASKED):
        seen = cycle(mx1)
    assert seen.keys() == made and not any(one.unknown_since for one in seen.values())


def test_a_node_that_says_nothing_is_not_known(house: House, mx1: Mx) -> None:
    """Nor is what somebody put on it under no id, or under one that is spelled as we spell none."""
    mx1.by_hand("maps", "UPDATE mailbox SET quota_mb = 1")
    for source, object in (("x@acme.example", "hm"), ("y@acme.example", "01980000-0000-7000-8000-00000000000A")):
        mx1.by_hand("maps", "INSERT INTO route(source, destination, object) VALUES (?, ?, ?)", source, EVIL, object)
    seen = cycle(mx1)
    labels = seen.keys()
    assert labels >= {"x@acme.example", "y@acme.example"} and len(labels) >= 3
    assert not any(one.unknown_since for one in seen.values())
    with acting_as(SYSTEM):
        Report.objects.filter(sort="objects").delete()
    assert unknown() == labels, "its buckets differ, and what is in them it has not told"
    assert not any(one.unknown_since for one in cycle(mx1).values())
    with acting_as(SYSTEM):
        Report.objects.all().delete()
    assert unknown() == labels, "and nothing is closed"
    mx1.says("digest", {"failed": "disk I/O error"})
    assert unknown() == labels and all("mx1" in one.unknown_why for one in looked().values())
    assert {seen[f"{who}@acme.example"].object for who in "xy"} == {the(Server, name="mx1").pk}
    mx1.by_hand("maps", "DELETE FROM route WHERE destination = ?", EVIL)
    assert cycle(mx1).keys() == labels - {"x@acme.example", "y@acme.example"}, "a read closes it, and nothing else does"


def unknown() -> set[str]:
    return {label for label, one in looked().items() if one.unknown_since}
