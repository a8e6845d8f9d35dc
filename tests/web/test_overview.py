"""The three questions of the first page: what is not known, or not as agreed, is never green there, nor in lists."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone
from visitors import visitor

from cast import House, as_wanted, do, holds, person, the
from postroom import catalogue
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Client, Delivery, DkimKey, Domain, Finding, Look, Node, Reading, RecordSet, Report
from postroom.posture.findings import Found, observed
from postroom.queries.service import DAEMONS

APEX, DMARC = "acme.example.", "_dmarc.acme.example."


def page(house: House, address: str = "/", who: str = "olive") -> str:
    return visitor(getattr(house, who)).get(address).content.decode()


def question(house: House, name: str, who: str = "olive") -> str:
    """One of the three, as it is read: h-up, h-auth, h-changed."""
    bare = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", card(house, name, who), flags=re.S)
    return re.sub(r" ([.,;])", r"\1", " ".join(unescape(bare).split()))


def card(house: House, name: str, who: str) -> str:
    whole = page(house, "/", who)
    return whole[whole.index(f'aria-labelledby="{name}"') :].split("</section>")[0]


def green(house: House, name: str, who: str = "olive") -> bool:
    """Whether the answer as a whole is good."""
    return bool(re.search(r'class="tk\b', card(house, name, who).split('<p class="ans">')[0]))


def published(house: House) -> dict[tuple[str, str], list[str]]:
    """Both domains sign, and hold what was agreed; what Acme's holds."""
    with acting_as(SYSTEM):
        keys = list(DkimKey.objects.select_related("domain"))
    for one in keys:
        public = "AAAA" if one.algorithm.startswith("rsa") else "A" * 43 + "="
        do("dkim_keys.make", SYSTEM, secrets={"private key": "x"}, key=str(one.pk), public=public,
           domain=one.domain.name)  # fmt: skip
    with acting_as(SYSTEM):
        Delivery.objects.filter(target="zone").update(done=True)
    for zone in ("acme.example", "globex.example"):
        as_wanted(house, zone)
    return {key: list(one["values"]) for key, one in house.zones["acme.example"].rrsets.items()}


def test_all_is_as_wanted_while_zones_hold_what_was_agreed(house: House) -> None:
    stands = published(house)
    assert "2 of 2 domains as wanted." in question(house, "h-auth") and green(house, "h-auth")
    holds(house, "acme.example", {**stands, (APEX, "TXT"): [*stands[APEX, "TXT"], "site-verification=7"]})
    assert "2 of 2 domains as wanted." in question(house, "h-auth"), "what others prove to each other is theirs"
    holds(house, "acme.example", {**stands, (APEX, "NS"): ["ns9.elsewhere.example."]})
    assert green(house, "h-auth"), "not agreed by anybody, and no authentication"


@pytest.mark.parametrize(("name", "type", "more"), [
    (APEX, "TXT", "v=spf1 +all"),
    (APEX, "TXT", "V=SPF1 +all"),
    (APEX, "TXT", "v=spf1"),
    (APEX, "TXT", '"v=sp" "f1 +all"'),
    (APEX, "MX", "5 mx.elsewhere.example."),
    (DMARC, "TXT", "v=DMARC1; p=none"),
    ("_domainkey", "TXT", "v=DKIM1; k=rsa; p=BBBB"),
])  # fmt: skip
def test_what_stands_beside_ours_and_changes_what_receivers_make_of_it_differs(
    house: House, name: str, type: str, more: str
) -> None:
    stands = published(house)
    key = next(one for one in stands if one[1] == type and (one[0] == name or f".{name}." in one[0]))
    holds(house, "acme.example", {**stands, key: [*stands[key], more]})
    assert "1 of 2 domains as wanted, 1 differs." in question(house, "h-auth")
    for address in ("/domains/", "/clients/", "/clients/acme/", "/domains/acme.example/"):
        assert "differs" in page(house, address), address


@pytest.mark.parametrize("gone", ["MX", "SPF", "DMARC", "DKIM"])
def test_what_is_gone_differs(house: House, gone: str) -> None:
    stands = published(house)
    lost = {"MX": "MX acme", "SPF": "TXT acme", "DMARC": "TXT _dmarc", "DKIM": "._domainkey."}[gone]
    key = next(one for one in stands if lost in f"{one[1]} {one[0]}")
    holds(house, "acme.example", {one: values for one, values in stands.items() if one != key})
    assert "1 of 2 domains as wanted, 1 differs." in question(house, "h-auth") and not green(house, "h-auth")


def test_what_was_read_too_long_ago_is_not_known(house: House) -> None:
    published(house)
    late = timezone.now() - timedelta(minutes=9)
    with acting_as(SYSTEM):
        Reading.objects.filter(zone="acme.example").update(at=late)
    assert green(house, "h-auth"), "within ten minutes"
    assert "read" in page(house, "/domains/acme.example/") and "unknown" not in page(house, "/domains/acme.example/")
    with acting_as(SYSTEM):
        Reading.objects.filter(zone="acme.example").update(at=late - timedelta(minutes=2))
    said = question(house, "h-auth")
    assert "1 of 2 domains as wanted, 1 not measured." in said and not green(house, "h-auth")
    assert page(house, "/domains/").count("not measured yet") == 4
    whole = page(house, "/domains/acme.example/")
    assert "what stands there now is unknown" in whole and "too long ago" in whole and "as wanted" not in whole.split(
        "Record sets")[1].split("Signing keys")[0].replace("as found, as wanted, as read", "")  # fmt: skip
    with acting_as(SYSTEM):
        Reading.objects.filter(zone="acme.example").update(failed="it did not answer", at=timezone.now())
    assert "1 not measured." in question(house, "h-auth")


def test_nobody_agreed_to_an_spf_record_so_none_is_as_wanted(house: House) -> None:
    published(house)
    with acting_as(SYSTEM):
        zone = Domain.objects.get(name="acme.example")
        (txt,) = RecordSet.objects.filter(domain=zone, type="TXT", name=APEX)
    kept = [*(one for one in txt.values if "v=spf1" not in one), "site-verification=7"]
    asked = {"domain": zone.name, "name": APEX.rstrip("."), "type": "TXT", "values": kept, "accept_loss": True}
    change = do("record_sets.set", house.olive, **asked)
    if change.stage == "held":
        from cast import with_consent

        with_consent(house, change)
    with acting_as(SYSTEM):
        Delivery.objects.filter(target="zone").update(done=True)
    as_wanted(house, "acme.example")
    assert not green(house, "h-auth") and "1 not measured." in question(house, "h-auth")


GREETED = {"ok": True, "seconds": 0.01}
RUN = {**dict.fromkeys(DAEMONS, True), "agent": True, "smtp": GREETED, "imap": GREETED}
AWAY = {"milter": True, "parent": "[Errno 111] Connection refused", "smtp": GREETED, "imap": GREETED}
BAD = {"ok": False, "text": "no answer"}


def told(node: str, facts: dict[str, object], ago: int = 0) -> None:
    """What a node says of itself, some seconds ago."""
    with acting_as(SYSTEM):
        at = timezone.now() - timedelta(seconds=ago)
        Report.objects.create(node=Node.objects.get(name=node), sort="heartbeat", facts=facts, at=at)


@pytest.mark.parametrize(("facts", "ago", "well"), [
    (RUN, 0, True),
    (RUN, 70, False),
    *(({**RUN, name: False}, 0, False) for name in DAEMONS),
    *(({key: value for key, value in RUN.items() if key != name}, 0, False) for name in (*DAEMONS, "smtp", "imap")),
    ({**RUN, "imap": BAD}, 0, False),
    ({**RUN, "postfix": "yes"}, 0, False),
    (AWAY, 0, False),
    ({"maps_generation": 7}, 0, False),
])  # fmt: skip
def test_the_service_is_up_where_every_node_says_that_all_of_it_runs(
    house: House, facts: dict[str, object], ago: int, well: bool
) -> None:
    told("mx2", RUN)
    told("mx1", facts, ago)
    said = question(house, "h-up")
    assert ("Yes: 2 of 2 nodes answer." in said) == well and green(house, "h-up") == well
    assert ("No, not all: mx1." in said) != well
    assert "not all of it runs" in page(house, "/nodes/") or well or ago


def test_no_node_ever_spoke_so_nothing_is_up(house: House) -> None:
    assert "No, not all: mx1, mx2." in question(house, "h-up") and not green(house, "h-up")


def test_a_node_whose_parent_is_away_knows_nothing_of_its_daemons(house: House) -> None:
    told("mx1", {**RUN, "auth_policy": False})
    whole = page(house, "/nodes/mx1/")
    assert whole.count("running") == 5 and whole.count("not running") == 1
    told("mx1", AWAY)
    whole = page(house, "/nodes/mx1/")
    assert whole.count("the node&#x27;s parent is away: [Errno 111] Connection refused") == 4, "but for the milter"
    assert whole.count("running") == 1 and all(name in whole for name in ("Postfix", "Dovecot", "Count of sign-ins"))
    told("mx1", {"milter": True})
    assert page(house, "/nodes/mx1/").count("unknown: it did not say") == 4


def looks(*, failed: str = "", ago: int = 0) -> None:
    """The reconciler's checks were read whole, some minutes ago; or not."""
    at = timezone.now() - timedelta(minutes=ago)
    with acting_as(SYSTEM):
        Look.objects.all().delete()
        Look.objects.bulk_create(Look(check_name=one.name, at=at, tried=at, failed=failed) for one in catalogue.CHECKS)


def past(check: str, n: int = 1, client: str = "acme") -> None:
    """So many things stand otherwise than on record, changed past Postroom."""
    whose = the(Client, slug=client).pk
    one = Found("high", "record_sets", None, "MX acme.example.", "The MX was changed", client=whose)
    observed(check, [replace(one, cause=f"{client}{number}") for number in range(n)])


def test_all_is_explained_where_what_stands_was_looked_at_and_is_as_on_record(house: House) -> None:
    said = question(house, "h-changed")
    assert "not all was read" in said and not green(house, "h-changed"), "nobody looked yet"
    looks()
    said = question(house, "h-changed")
    assert "All explained" in said and "Changed past Postroom 0 nothing found" in said and green(house, "h-changed")
    assert 'class="tk"' not in card(house, "h-changed", "olive").split("Mailboxes and access")[1].split(
        "Changed past")[0], "that a change is on record is no measurement"  # fmt: skip
    looks(failed="the check failed: OSError")
    assert not green(house, "h-changed")
    looks(ago=11)
    assert "not all was read" in question(house, "h-changed") and not green(house, "h-changed")


@pytest.mark.parametrize("check", ["record.behind_our_back", "nodes.maps", "dns.drift"])
def test_what_was_changed_past_postroom_is_not_explained(house: House, check: str) -> None:
    past(check, 2)
    looks()
    said = question(house, "h-changed")
    assert "2 unexplained" in said and "Changed past Postroom 2 unexplained" in said and not green(house, "h-changed")
    with acting_as(SYSTEM):
        Finding.objects.filter(check_name=check).update(unknown_since=timezone.now(), unknown_why="not read")
    assert "not all was read" in question(house, "h-changed") and not green(house, "h-changed")
    with acting_as(SYSTEM):
        Finding.objects.filter(check_name=check).update(unknown_since=None)
    until = (timezone.now() + timedelta(days=30)).isoformat()
    for one in list_of(check):
        do("findings.accept", house.oskar, finding=one, reason="theirs", until=until)
    assert "All explained" in question(house, "h-changed"), "somebody said why it stays so"
    past(check, 0)
    assert green(house, "h-changed")


def list_of(check: str) -> list[str]:
    with acting_as(SYSTEM):
        return [str(pk) for pk in Finding.objects.filter(check_name=check, closed_at=None).values_list("pk", flat=True)]


def test_what_nobody_put_there_by_a_change_of_postrooms_is_of_each_who_sees_it(house: House) -> None:
    past("dns.drift", 1, client="globex")
    looks()
    assert "1 unexplained" in question(house, "h-changed") and "All explained" in question(house, "h-changed", "carl")
    observed("t.other", [Found("critical", "clients", None, "x", "Something else is wrong")])
    past("dns.drift", 0)
    assert green(house, "h-changed"), "wrong, but nobody changed anything past Postroom"


def test_who_may_not_look_at_findings_is_not_told_that_all_is_explained(house: House) -> None:
    do("roles.create", house.oskar, name="outline", permissions=["overview.view", "changes.view"])
    do("people.invite", house.oskar, name="Rob", email="rob@northlight.example")
    assert do("grants.give", house.oskar, person="rob@northlight.example", role="outline", client="acme").version
    looks()
    browser = visitor(person("rob@northlight.example", house.oskar))
    said = browser.get("/").content.decode()
    assert "not yours to see" in said and "All explained" not in said
