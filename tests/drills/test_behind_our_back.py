"""A row changed by SQL, a map edited on the mail node, a record changed at the name server: each is found in five
minutes, named with before and after; put back by hand, or by the finding's button, each closes by a read."""

import contextlib
import sqlite3
import time
from typing import Any

import psycopg
import pytest
from hands import Hands

from conftest import House
from world import Stack, until

pytestmark = pytest.mark.drill
CYCLE = 300
EVIL = "evil@elsewhere.example"


def past_us(hands: Hands, statement: str, *values: Any) -> None:
    """As the database's superuser, triggers off."""
    at = f"host={hands.state}/run/postgres port=5432 user=postgres dbname=postroom connect_timeout=5"
    with psycopg.connect(at, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(statement.encode(), values).rowcount == 1


def on_the_node(hands: Hands, statement: str, *values: Any) -> None:
    path = hands.state / "node/db/maps/maps.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as maps:
        maps.execute("PRAGMA busy_timeout = 5000")
        assert maps.execute(statement, values).rowcount == 1


def landing(hands: Hands, address: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(hands.state / "node/db/maps/maps.db", timeout=10)) as maps:
        return [to for (to,) in maps.execute("SELECT destination FROM route WHERE source = ?", [address])]


def at_the_name_server(hands: Hands, zone: str, value: str) -> None:
    record = {"name": f"_dmarc.{zone}.", "type": "TXT", "ttl": 3600, "changetype": "REPLACE"}
    hands.zones(
        "PATCH", f"/{zone}.", {"rrsets": [{**record, "records": [{"content": f'"{value}"', "disabled": False}]}]}
    )


def open_now(house: House, check: str) -> dict[str, Any]:
    """Those of the drill's own client: the demo has its planted faults."""
    found = house.owner.get(f"/findings?check={check}&client={house.client}")["items"]
    return {one["object"]["label"]: house.owner.get(f"/findings/{one['id']}") for one in found}


def test_three_sorts_of_changes_behind_our_back_within_five_minutes(
    stack: Stack, hands: Hands, house: House, mia: str, his_mailbox: str
) -> None:
    dmarc = hands.one("SELECT values[1] FROM record_sets WHERE name = %s", f"_dmarc.{house.domain}.")
    checks = ("record.behind_our_back", "nodes.maps", "dns.drift")
    until("no false finding is open", lambda: not any(open_now(house, check) for check in checks), within=CYCLE)
    until("nothing is on its way to the node", lambda: hands.one("SELECT count(*) FROM node_todo") == 0, within=60)
    quota = hands.one("SELECT quota_mb FROM mailboxes m JOIN addresses a ON a.id = address_id WHERE address = %s", mia)
    began = time.monotonic()
    quota_is = "UPDATE mailboxes SET quota_mb = %s WHERE address_id = (SELECT id FROM addresses WHERE address = %s)"
    route = "UPDATE route SET destination = ? WHERE source = ?"
    past_us(hands, quota_is, quota + 1, mia)
    on_the_node(hands, route, EVIL, his_mailbox)
    at_the_name_server(hands, house.domain, "v=DMARC1; p=none; rua=mailto:evil@elsewhere.example")
    wanted = {"record.behind_our_back": mia, "nodes.maps": his_mailbox, "dns.drift": f"TXT _dmarc.{house.domain}."}
    seen: dict[str, Any] = {}
    for check, label in wanted.items():
        left = CYCLE - (time.monotonic() - began)
        seen[check] = until(f"{check} finds it", lambda c=check, w=label: open_now(house, c).get(w), within=left)
        print(f"{check}: {time.monotonic() - began:.0f} s")
    by_sql = seen["record.behind_our_back"]["evidence"]
    assert (by_sql["before"], by_sql["after"]) == ({"quota_mb": quota}, {"quota_mb": quota + 1})
    by_map = seen["nodes.maps"]["evidence"]
    assert by_map["before"]["route"][0]["destination"] == his_mailbox
    assert by_map["after"]["route"][0]["destination"] == EVIL
    by_dns = seen["dns.drift"]["evidence"]
    assert by_dns["before"] == [dmarc] and "evil" in by_dns["after"][0]
    assert seen["dns.drift"]["suggestion"]["kind"] == "record_sets.set"

    past_us(hands, quota_is, quota, mia)
    asks = seen["nodes.maps"]["suggestion"]
    house.owner.verified(house.owner.change(asks["kind"], asks["params"]), within=60)
    assert landing(hands, his_mailbox) == [his_mailbox], "by the finding's own button"
    at_the_name_server(hands, house.domain, dmarc)
    until("all three are closed", lambda: not any(open_now(house, check) for check in checks), within=CYCLE)
