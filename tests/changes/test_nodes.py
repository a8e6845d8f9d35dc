"""What a mail node gets: a set of objects to look at, compiled as they stand; and nothing of anybody else's."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from cast import MIA, House, acknowledged, do, kind, redeemed, the, together, with_consent
from mail_nodes import Node, acknowledge, pull
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.changes.pipeline import submit
from postroom.models import Address, DkimKey, Forward, NodeTodo, Report, RouteException, Transport

Connect = Callable[[str], Node]
LEO = "leo@acme.example"


@pytest.fixture
def mx1(node: Connect, house: House) -> Node:
    """Acme's node, with an empty list."""
    one = node("mx1")
    acknowledge(one)
    return one


def compiled(sql: Any, object: str, id: Any) -> Any:
    """The object as the node it belongs to would pull it now."""
    ((found,),) = sql(f"SELECT compiled FROM compiled WHERE object = '{object}' AND id = '{id}'")
    return found


def maps(node: Node) -> dict[str, Any]:
    """What is on the list, by its address; objects that are gone under '-'."""
    return {one["maps"]["login"][0]["address"] if one else "-": one["maps"] for one in pull(node).values()}


def test_a_mailbox_as_a_node_serves_it(house: House, mx1: Node, sql: Any) -> None:
    do("mailboxes.create", house.olive, address=LEO, quota_mb=5)
    (one,) = pull(mx1).values()
    assert one == {
        "maps": {
            "mailbox": [{"address": LEO, "quota_mb": 5, "until": None}],
            "route": [{"source": LEO, "destination": LEO, "until": None}],
            "allowed": [],
            "login": [{"address": LEO, "sign_in": 1, "access_epoch": 0, "until": None}],
            "sender": [{"sender": LEO, "login": LEO, "until": None}],
            "behalf": [],
            "consent": [],
        },
        "secrets": {"password": [], "app": []},
    }


def test_suspended_means_no_sign_in_and_no_sending_but_mail_still_arrives(house: House, mx1: Node) -> None:
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    (one,) = pull(mx1).values()
    assert one["maps"]["login"] == [{"address": MIA, "sign_in": 0, "access_epoch": 1, "until": None}]
    assert one["maps"]["sender"] == [] and one["secrets"]["password"] == []
    assert one["maps"]["route"] == [{"source": MIA, "destination": MIA, "until": None}] and one["maps"]["mailbox"]


def test_a_password_is_there_while_one_may_sign_in_and_only_then(house: House, mx1: Node) -> None:
    do("mailboxes.create", house.olive, address=LEO, contact="owner@home.example")
    redeemed(LEO)
    acknowledge(mx1)
    hashes = [{"address": LEO, "hash": "{HASH}p", "until": None, "app_only": None}]
    for permission, params, expected in (
        ("mailboxes.suspend", {"mailbox": LEO}, []),
        ("mailboxes.resume", {"mailbox": LEO}, hashes),
        ("domains.suspend", {"domain": "acme.example"}, []),
        ("domains.resume", {"domain": "acme.example"}, hashes),
        ("clients.suspend", {"client": "acme"}, []),
        ("clients.resume", {"client": "acme"}, hashes),
    ):
        do(permission, house.olive, **params)
        found = {one["maps"]["login"][0]["address"]: one for one in pull(mx1).values() if one and login(one)}
        assert found[LEO]["secrets"]["password"] == expected, permission
        acknowledge(mx1)


def login(one: Any) -> Any:
    return one.get("maps", {}).get("login")


def test_a_shared_mailbox_takes_mail_and_nobody_signs_in(house: House, mx1: Node) -> None:
    do("mailboxes.create", house.olive, address="info@acme.example", kind="shared")
    (one,) = pull(mx1).values()
    assert one["maps"]["login"][0]["sign_in"] == 0 and one["maps"]["sender"] == [] and one["maps"]["route"]


def test_an_alias_passes_on_and_beside_a_mailbox_keeps_a_copy_or_not(house: House, mx1: Node, sql: Any) -> None:
    to = [MIA, "postmaster@acme.example"]
    with_consent(house, do("aliases.create", house.olive, address="sales@acme.example", targets=to))
    (one,) = pull(mx1).values()
    there = [(r["source"], r["destination"]) for r in one["maps"]["route"]]
    assert there == [("sales@acme.example", MIA), ("sales@acme.example", "postmaster@acme.example")]
    assert one["maps"]["mailbox"] == one["maps"]["login"] == one["maps"]["sender"] == []

    address = the(Address, address=MIA)  # no kind puts both on one address yet; the view is ready for it
    for keep, expected in ((True, [MIA, LEO]), (False, [LEO])):
        both(sql, address, keep)
        found = compiled(sql, "address", address.pk)
        assert [r["destination"] for r in found["maps"]["route"]] == expected


def both(sql: Any, address: Address, keep: bool) -> None:
    alias = f"'{address.pk}', '{address.client_id}', '{address.pk}', '{{{LEO}}}'"
    sql(
        "SELECT set_config('postroom.change', 'a test', false)",
        f"UPDATE addresses SET keep_copy = {keep} WHERE id = '{address.pk}'",
        f"INSERT INTO aliases (id, client_id, address_id, targets) VALUES ({alias}) ON CONFLICT DO NOTHING",
    )


def test_what_is_removed_compiles_to_nothing(house: House, mx1: Node) -> None:
    change = do("mailboxes.remove", house.olive, mailbox=MIA)
    approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert list(pull(mx1).values()) == [None]


def test_a_domain_that_is_not_proven_is_served_to_nobody(house: House, mx1: Node) -> None:
    do("domains.add", house.olive, client="acme", name="new.example")
    do("mailboxes.create", house.olive, address="a@new.example")
    assert set(map(str, pull(mx1).values())) == {"None"}
    acknowledge(mx1)
    do("domains.prove", SYSTEM, domain="new.example", proof="TXT read")
    there = [one for one in pull(mx1).values() if one]
    assert "new.example" in [d["name"] for one in there for d in one["maps"].get("domain", [])]
    assert sum(1 for one in there if one["maps"].get("mailbox")) == 1
    assert len(there) == 4, "the domain, its mailbox, postmaster@ and abuse@; its keys are not made yet"


def test_a_key_is_served_once_it_is_active(house: House, mx1: Node, sql: Any) -> None:
    key = the(DkimKey, domain__name="acme.example", selector__endswith="a")
    made = kind("dkim_keys.make", key=str(key.pk), public="abcd", domain="acme.example")
    submit(made, actor=SYSTEM, why="x", secrets={"private key": "sealed"})
    assert pull(mx1) == {}, "published, not used"
    do("dkim_keys.activate", SYSTEM, key=str(key.pk))
    (one,) = pull(mx1).values()
    since = int(the(DkimKey, pk=key.pk).activated_at.timestamp())
    about = {"domain": "acme.example", "selector": key.selector, "algorithm": "rsa-2048", "sealed": "sealed",
             "since": since}  # fmt: skip
    assert one == {"keys": {"key": [about]}}


# Which objects an edit touches.


def on_list(node: Node) -> dict[str, int]:
    rows = node.execute("SELECT object, count(*) FROM node_pull() GROUP BY 1").fetchall()
    return {str(object): int(count) for object, count in rows}


def test_what_a_domain_or_a_client_opens_or_closes_takes_everything_of_it_along(house: House, mx1: Node) -> None:
    everything = {"domain": 1, "address": 3, "key": 2}
    for permission, params in (
        ("clients.suspend", {"client": "acme"}),
        ("clients.resume", {"client": "acme"}),
        ("domains.suspend", {"domain": "acme.example"}),
    ):
        do(permission, house.olive, **params)
        assert on_list(mx1) == everything, permission
        acknowledge(mx1)
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia M.")
    do("domains.change", house.olive, domain="acme.example", registrar="R")
    assert on_list(mx1) == {}, "no node need hear of these"
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1)
    assert on_list(mx1) == {"address": 1}


def test_a_client_that_is_placed_brings_everything_it_has(house: House, node: Connect, sql: Any) -> None:
    for name in ("mx1", "mx2"):
        do("nodes.drain", house.oskar, node=name)
    do("clients.create", house.olive, name="Later")
    waiting = do("domains.add", house.olive, client="later", name="later.example")
    from postroom.changes.deliver import incomplete

    with acting_as(house.olive):
        assert "no mail node serves this client yet" in {left["why"] for left in incomplete(waiting)}
    do("nodes.add", house.oskar, node="mx3", role="postroom_node_mx3")
    do("clients.place", house.oskar, client="later", node="mx3")
    with acting_as(SYSTEM):
        objects = sorted(NodeTodo.objects.filter(node__name="mx3").values_list("object", flat=True))
    assert objects == ["address", "address", "domain", "key", "key"]


def test_a_mailbox_nobody_serves_yet_is_on_a_list_as_soon_as_somebody_does(house: House) -> None:

    for name in ("mx1", "mx2"):
        do("nodes.drain", house.oskar, node=name)
    do("clients.create", house.olive, name="Later")
    waiting = do("domains.add", house.olive, client="later", name="later.example")
    do("nodes.add", house.oskar, node="mx3", role="postroom_node_mx3")
    do("clients.place", house.oskar, client="later", node="mx3")
    acknowledged()
    with acting_as(SYSTEM):
        (left,) = waiting.delivery_set.filter(target="nodes")
        assert (left.label, left.why) == ("mx3", "5 to go")
        assert NodeTodo.objects.filter(change=waiting, node__name="mx3").count() == 5


# The four functions, and nothing else.


def test_a_node_sees_its_own_list_and_no_table(house: House, node: Connect) -> None:
    mx1, mx2 = node("mx1"), node("mx2")
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    assert MIA not in str(pull(mx2))
    todo = list(pull(mx1))
    assert todo and acknowledge(mx2, todo) == 0 and list(pull(mx1)) == todo
    for table in ("mailboxes", "secrets", "node_todo", "changes", "compiled", "evidence", "nodes"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            mx2.execute(f"SELECT * FROM {table}")
    for function in (
        "postroom_enter(NULL, NULL)",
        "postroom_enter_link('x')",
        "postroom_session('x')",
        "postroom_holds(NULL, NULL)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            mx2.execute(f"SELECT {function}")


def test_an_object_of_another_node_compiles_to_nothing(house: House, node: Connect, sql: Any) -> None:
    """A list may still name what moved away; what it compiles to is that it is gone."""
    address = the(Address, address=MIA)
    mx2 = node("mx2")
    acknowledge(mx2)
    change = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1)
    sql(
        "INSERT INTO node_todo (node_id, object, object_id, change_id)"
        f" SELECT id, 'address', '{address.pk}', '{change.pk}' FROM nodes WHERE name = 'mx2'"
    )
    assert list(pull(mx2).values()) == [None]


def test_a_node_rebuilds_from_all_it_serves(house: House, mx1: Node) -> None:
    ((count,),) = mx1.execute("SELECT node_rebuild()").fetchall()
    there = pull(mx1)
    assert count == len(there) == 4 and all(there.values()), "domain, mailbox and two role accounts of Acme"
    assert "globex" not in str(there)


def test_a_node_reports_as_itself(house: House, mx1: Node) -> None:
    mx1.execute("SELECT node_report('heartbeat', '[{\"load\": 1}]')")
    with acting_as(SYSTEM):
        report = Report.objects.get()
        assert (report.node.name, report.sort, report.facts) == ("mx1", "heartbeat", {"load": 1})


def test_a_slow_commit_beside_a_fast_one_is_not_lost(house: House, mx1: Node) -> None:
    written, go = threading.Event(), threading.Event()

    def slow() -> None:
        with acting_as(house.olive):
            do("mailboxes.suspend", house.olive, mailbox=MIA)
            written.set()
            go.wait(10)

    thread = threading.Thread(target=lambda: (slow(), connection.close()), daemon=True)
    thread.start()
    assert written.wait(10)
    (fast,) = together(lambda: do("mailboxes.suspend", house.oskar, mailbox="mia@globex.example"))
    assert fast.stage == "applied"
    seen = pull(mx1)
    acknowledge(mx1, list(seen))
    go.set()
    thread.join(10)
    assert not seen
    (row,) = pull(mx1).values()
    assert row["maps"]["login"][0]["sign_in"] == 0


def test_an_acknowledgement_of_the_older_leaves_the_newer(house: House, mx1: Node) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1)
    older = list(pull(mx1))
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=2)
    acknowledge(mx1, older)
    (row,) = pull(mx1).values()
    assert row["maps"]["mailbox"][0]["quota_mb"] == 2


def test_a_node_hears_at_once(house: House, mx1: Node) -> None:
    mx1.execute("LISTEN postroom_node")
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1)
    assert [n.channel for n in mx1.notifies(timeout=5, stop_after=1)] == ["postroom_node"]


def test_a_forward_an_exception_and_a_catch_all_as_a_node_serves_them(house: House, mx1: Node) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("domains.add", house.olive, client="acme", name="acme.test")
    do("domains.prove", SYSTEM, domain="acme.test", proof="a test")
    acknowledge(mx1)
    soon = (timezone.now() + timedelta(days=20)).replace(microsecond=0)
    ends = int(soon.timestamp())
    asked = {"address": MIA, "to": "mia@far.test", "until": soon.isoformat(), "owner": "Mia", "keep_copy": False}
    with_consent(house, do("forwards.create", house.olive, **asked))
    (one,) = pull(mx1).values()
    assert one["maps"]["route"] == [{"source": MIA, "destination": "mia@far.test", "until": ends}]
    assert one["maps"]["allowed"] == [{"source": MIA, "target": "mia@far.test", "until": ends}]
    acknowledge(mx1)
    do("forwards.disable", house.olive, forward=str(the(Forward).pk))
    (one,) = pull(mx1).values()
    assert [r["destination"] for r in one["maps"]["route"]] == [MIA], "its own mailbox, though it kept no copy"
    acknowledge(mx1)
    do("exceptions.end", house.olive, exception=str(the(RouteException).pk))
    (one,) = pull(mx1).values()
    assert one["maps"]["allowed"] == []
    acknowledge(mx1)
    do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=soon.isoformat())
    (one,) = pull(mx1).values()
    assert one["maps"]["route"] == [{"source": "@acme.example", "destination": MIA, "until": ends}]
    acknowledge(mx1)
    do("domains.set_alias", house.olive, domain="acme.test", of="acme.example")
    found = [one["maps"] for one in pull(mx1).values() if one and "domain" in one.get("maps", {})]
    assert found[0]["alias_domain"] == [{"name": "acme.test", "target": "acme.example", "until": None}]
    acknowledge(mx1)
    wider = ["partner.test", "*.wide.test", "joe@one.test"]
    with_consent(house, do("organization.change", house.oskar, forward_allowed=wider))
    found = [one["maps"] for one in pull(mx1).values()]
    assert {one["domain"][0]["name"] for one in found} == {"acme.example", "acme.test"}
    assert [row["target"] for row in found[0]["allowed"]] == ["@.wide.test", "joe@one.test", "@partner.test"]
    acknowledge(mx1)
    with_consent(house, do("clients.change", house.olive, client="acme", forward_allowed=["private providers"]))
    do("clients.change", house.olive, client="acme", forward_forbidden=["*.evil.test"])
    one = [one["maps"] for one in pull(mx1).values() if one and one.get("maps", {}).get("alias_domain")][-1]
    assert one["forbidden"] == [{"source": "@acme.test", "target": "@.evil.test"}]
    assert "@private" in [row["target"] for row in one["allowed"]]


def test_what_is_handed_to_another_server_as_a_node_serves_it(house: House, mx1: Node) -> None:
    acknowledge(mx1)
    soon = (timezone.now() + timedelta(days=20)).replace(microsecond=0)
    ends = int(soon.timestamp())
    for address, tls in ((MIA, "required"), ("fax@acme.example", "opportunistic")):
        asked = {"address": address, "host": "mx.far.test", "owner": "Mia", "until": soon.isoformat(), "tls": tls}
        with_consent(house, do("transports.create", house.olive, **asked))
        (one,) = pull(mx1).values()
        handed = {"address": address, "host": "mx.far.test", "port": 25, "tls": int(tls == "required"), "until": ends}
        assert one["maps"]["handed"] == [handed]
        taken = {"source": address, "destination": address, "until": None if address == MIA else ends}
        assert one["maps"]["route"] == [taken], "it is taken, and once"
        acknowledge(mx1)
    do("transports.end", house.olive, transport=str(the(Transport, address__address=MIA).pk))
    (one,) = pull(mx1).values()
    assert "handed" not in one["maps"] and [row["until"] for row in one["maps"]["route"]] == [None]
    acknowledge(mx1)
    do("transports.end", house.olive, transport=str(the(Transport, address__address="fax@acme.example").pk))
    assert list(pull(mx1).values()) == [None]
