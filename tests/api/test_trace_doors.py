"""Where mail lands, at the API: with who made each rule and until when; and never what is not theirs to see."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from api.conftest import Caller
from cast import MIA, SYSTEM, House, do, person, the, with_consent
from postroom.access.acting import acting_as
from postroom.models import Mailbox, Node, SieveRead, SieveScript
from postroom.queries import tracing
from routed import left

LEO, TEAM, INFO = "leo@acme.example", "team@acme.example", "info@acme.example"
HOME = "mia@gmail.com"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


@pytest.fixture
def routed(house: House) -> House:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address=TEAM, targets=[LEO, MIA])
    do("aliases.create", house.olive, address=INFO, targets=[TEAM])
    return house


def read(*, minutes: float = 0) -> None:
    """Every node has said which filters its mailboxes have, so long ago."""
    with acting_as(SYSTEM):
        for node in Node.objects.all():
            at = timezone.now() - timedelta(minutes=minutes)
            SieveRead.objects.update_or_create(node=node, defaults={"at": at, "mailboxes": 2})


def lands(found: dict[str, Any]) -> set[str]:
    return {f"{one['sort']} {one['address']}" for one in found["landings"]}


def test_every_hop_with_who_made_it(routed: House, at_api: Callable[[str], Any]) -> None:
    read()
    do("aliases.change", routed.oskar, alias=TEAM, targets=[LEO])
    found = at_api("carl").get(f"/addresses/{INFO.upper()}/trace").json()
    assert [(hop["at"], hop["mechanism"], hop["to"]) for hop in found["hops"]] == [
        (INFO, "alias", [TEAM]), (TEAM, "alias", [LEO])
    ]  # fmt: skip
    first, second = (hop["made"] for hop in found["hops"])
    assert (first["kind"], first["by"], first["changed"]) == ("aliases.create", "Olive", None)
    assert (second["by"], second["changed"]["kind"], second["changed"]["by"]) == ("Olive", "aliases.change", "Oskar")
    assert lands(found) == {f"mailbox {LEO}"} and not found["nowhere"]


def test_when_mail_last_left_there_is_told_of_this_address_alone(routed: House, at_api: Callable[[str], Any]) -> None:
    out, now = "mia@gmail.com", timezone.now().replace(microsecond=0)
    with_consent(routed, do("forwards.create", routed.olive, address=MIA, to=out, owner="Mia", until=later()))
    left(MIA, out, now)
    left(MIA, "elsewhere@gmail.com", now)
    carl = at_api("carl")
    hit = [{"target": out, "at": now.isoformat()}]
    assert carl.get(f"/addresses/{MIA}/trace").json()["last_hits"] == hit
    assert carl.get(f"/addresses/{MIA.replace('@', '+x@')}/trace").json()["last_hits"] == hit
    assert carl.get(f"/addresses/{TEAM}/trace").json()["last_hits"] == [], "mail to the team never did"
    with_consent(routed, do("catch_alls.set", routed.olive, domain="acme.example", target=MIA, until=later()))
    left("@acme.example", out, now)
    assert carl.get("/addresses/anybody@acme.example/trace").json()["last_hits"] == hit


def test_what_leads_to_an_address(routed: House, at_api: Callable[[str], Any]) -> None:
    do("catch_alls.set", routed.olive, domain="acme.example", target=INFO, until=later())
    found = at_api("olive").get(f"/addresses/{LEO}/trace").json()
    assert [(one["address"], one["by"]) for one in found["leads_here"]] == [
        ("*@acme.example", "catch-all"), (INFO, "alias"), (TEAM, "alias")
    ]  # fmt: skip


def test_a_forward_outside_names_its_exception_and_end(routed: House, at_api: Callable[[str], Any]) -> None:
    read()
    with_consent(routed, do("forwards.create", routed.olive, address=MIA, to=HOME, until=later(), owner="Mia Moss"))
    found = at_api("audrey").get(f"/addresses/{MIA}/trace").json()
    assert lands(found) == {f"mailbox {MIA}", f"outside {HOME}"}
    (hop,) = found["hops"]
    assert hop["until"] and hop["keeps"] and hop["exception"]["owner"] == "Mia Moss"


def test_filters_that_nobody_read_are_unknown_and_never_none(routed: House, at_api: Callable[[str], Any]) -> None:
    ask = at_api("olive")
    assert lands(ask.get(f"/addresses/{LEO}/trace").json()) == {f"mailbox {LEO}", f"unknown {LEO}"}
    read(minutes=4)
    assert lands(ask.get(f"/addresses/{LEO}/trace").json()) == {f"mailbox {LEO}"}
    read(minutes=6)
    stale = ask.get(f"/addresses/{LEO}/trace").json()
    assert "last said which filters" in next(one["why"] for one in stale["landings"] if one["sort"] == "unknown")
    read()
    assert lands(ask.get(f"/addresses/{LEO}/trace").json()) == {f"mailbox {LEO}"}


@pytest.mark.parametrize(("redirect", "ends"), [
    ({"to": MIA, "copy": False, "conditional": False, "by": "redirect"}, {f"mailbox {MIA}"}),
    ({"to": MIA, "copy": True, "conditional": False, "by": "redirect"}, {f"mailbox {LEO}", f"mailbox {MIA}"}),
    ({"to": HOME, "copy": False, "conditional": False, "by": "redirect"}, {f"mailbox {LEO}"}),
    ({"to": "", "copy": True, "conditional": True, "by": "redirect"}, {f"mailbox {LEO}", f"unknown {LEO}"}),
])  # fmt: skip
def test_filters(routed: House, at_api: Callable[[str], Any], redirect: dict[str, Any], ends: set[str]) -> None:
    read()
    box = the(Mailbox, address__address=LEO)
    with acting_as(SYSTEM):
        SieveScript.objects.create(
            at=timezone.now(), first=timezone.now(), client_id=box.client_id, domain_id=box.address.domain_id,
            mailbox=box, node=Node.objects.get(name="mx1"), name="mine", active=True, redirects=[redirect],
        )  # fmt: skip
    found = at_api("olive").get(f"/addresses/{LEO}/trace").json()
    assert lands(found) == ends
    assert found["hops"][0]["not_sent"] == ([HOME] if redirect["to"] == HOME else [])


def test_who_sees_one_domain_is_not_told_what_is_at_another(routed: House, at_api: Callable[[str], Any]) -> None:
    read()
    do("domains.add", routed.olive, client="acme", name="acme.test")
    do("domains.prove", SYSTEM, domain="acme.test", proof="a test")
    do("aliases.create", routed.olive, address="all@acme.test", targets=[INFO])
    do("aliases.create", routed.olive, address="other@acme.example", targets=["all@acme.test"])
    given = do("people.invite", routed.olive, name="Nora", email="nora@acme.test", client="acme")
    assert given.version, given.verdicts
    do("grants.give", routed.olive, person="nora@acme.test", role="client viewer", client="acme", domain="acme.test")
    ask = Caller(person("nora@acme.test", SYSTEM))
    found = ask.get("/addresses/all@acme.test/trace").json()
    assert lands(found) == {f"hidden {INFO}"} and len(found["hops"]) == 1
    assert TEAM not in str(found) and LEO not in str(found) and "other@" not in str(found)
    assert found["more_lead_here"] == 1
    for address in (INFO, "nobody@acme.example", "mia@globex.example", "nobody@globex.example", "x@nowhere.example"):
        refused = ask.get(f"/addresses/{address}/trace")
        assert refused.status_code == 404 and f"no address {address} at a domain that" in refused.json()["detail"]


def test_another_clients_address_is_outside_whether_it_is_there_or_not(
    routed: House, at_api: Callable[[str], Any]
) -> None:
    for to in ("mia@globex.example", "nobody@globex.example"):
        do("exceptions.create", routed.olive, address=MIA, target=to, owner="Mia", until=later())
        with_consent(routed, do("forwards.create", routed.olive, address=MIA, to=to, until=later(), owner="Mia"))
    found = at_api("carl").get(f"/addresses/{MIA}/trace").json()
    ends = {one["address"]: (one["sort"], one["why"]) for one in found["landings"] if "globex" in one["address"]}
    assert ends == dict.fromkeys(("mia@globex.example", "nobody@globex.example"), ("outside", ""))


def test_a_trace_takes_as_many_queries_however_long_the_way(routed: House) -> None:
    def asked(address: str) -> int:
        with acting_as(routed.olive), CaptureQueriesContext(connection) as found:
            tracing.traced(routed.olive, address)
        return len(found)

    for n in range(12):
        do(
            "aliases.create",
            routed.olive,
            address=f"a{n}@acme.example",
            targets=[f"a{n - 1}@acme.example" if n else TEAM],
        )
    assert asked("a11@acme.example") == asked(INFO) <= 12
    assert asked(LEO) <= 12


def test_a_place_of_another_client_is_said_to_who_sees_it_and_is_outside_to_who_does_not(
    routed: House, at_api: Callable[[str], Any]
) -> None:
    read()
    hers, inner = "mia@globex.example", "inner@globex.example"
    do("aliases.create", routed.olive, address=inner, targets=[hers])
    asked = {"address": LEO, "to": inner, "until": later(), "owner": "Leo", "keep_copy": False}
    dry = at_api("olive").change("forwards.create", asked, dry_run=True).json()
    globex = {"slug": "globex", "name": "Globex"}
    assert [one["client"] for one in dry["landing"][0]["after"]] == [globex]
    assert [one["client"] for one in dry["landing"][0]["before"]] == [None]
    with_consent(routed, do("forwards.create", routed.olive, **asked))
    found = at_api("olive").get(f"/addresses/{LEO}/trace").json()
    assert [(hop["at"], hop["client"]) for hop in found["hops"]] == [(LEO, None), (inner, globex)]
    assert [(one["address"], one["client"]) for one in found["landings"]] == [(hers, globex)]
    carls = at_api("carl").get(f"/addresses/{LEO}/trace").json()
    assert [(one["sort"], one["address"], one["client"]) for one in carls["landings"]] == [("outside", inner, None)]
    assert "Globex" not in str(carls)
    with acting_as(routed.olive), CaptureQueriesContext(connection) as counted:
        tracing.traced(routed.olive, LEO)
    assert len(counted) <= 12


def test_what_is_no_address_is_said(at_api: Callable[[str], Any]) -> None:
    answer = at_api("olive").get("/addresses/nonsense/trace")
    assert answer.status_code == 422 and "exactly one @" in answer.text


def test_a_dry_run_and_a_change_that_waits_say_where_mail_would_land(
    routed: House, at_api: Callable[[str], Any]
) -> None:
    read()
    ask = at_api("olive")
    params = {"alias": TEAM, "targets": [MIA]}
    dry = ask.change("aliases.change", params, dry_run=True).json()
    assert [(one["address"], one["moved"]) for one in dry["landing"]] == [(TEAM, True), (INFO, True)]
    (before,), (after,) = dry["landing"][0]["before"][1:], dry["landing"][0]["after"]
    assert after == {"sort": "mailbox", "address": MIA, "why": "", "sometimes": False, "client": None}
    assert before["sort"] == "mailbox"
    held = ask.change("mailboxes.remove", {"mailbox": LEO}).json()
    assert held["stage"] == "held" and {one["address"] for one in held["landing"]} == {LEO, TEAM, INFO}
    done = ask.change("aliases.change", params).json()
    assert done["landing"] == [] and done["more_landings"] == 0
