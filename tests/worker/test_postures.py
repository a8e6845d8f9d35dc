"""Domains looked at through a resolver, again and again: what is kept of each, and what of it is found to be wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from cast import House, agreed, at, do, the
from judged_zone import ACME, CLEAN, FAILS, PUBLIC, Zone
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Delivery, DkimKey, Domain, Finding, Posture
from postroom.posture.checks import standing
from postroom.posture.run import run
from postroom.posture.sweep import Looked
from postroom.worker import postures, watch
from served_zone import served

OTHER = "globex.example"
RIGHT: Zone = CLEAN | {(f"_mta-sts.{ACME}", "TXT"): None}  # without a policy that would be fetched over HTTPS


def looked(monkeypatch: pytest.MonkeyPatch, zone: Zone) -> int:
    with served(zone) as where:
        host, _, port = where.partition(":")
        monkeypatch.setitem(settings.POSTROOM.values, "RESOLVER", (host, int(port)))
        return postures.look()


def long_ago(**since: Any) -> None:
    with acting_as(SYSTEM):
        Posture.objects.update(at=timezone.now() - timedelta(**since))


def of(name: str) -> Posture:
    return the(Posture, domain__name=name)


def levels(name: str) -> set[tuple[str, str]]:
    return {(one["rule"], one["level"]) for one in of(name).results}


@pytest.fixture(autouse=True)
def delivered(house: House) -> None:
    """No zone was written just now."""
    with acting_as(SYSTEM):
        Delivery.objects.update(since=timezone.now() - timedelta(hours=1), done=True)


def test_each_is_looked_at_once_and_again_after_a_quarter_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    assert postures.look() == 0, "no resolver, nothing is looked at"
    assert looked(monkeypatch, RIGHT) == 2 and looked(monkeypatch, RIGHT) == 0
    assert (of(ACME).levels["spf"], of(OTHER).levels["spf"]) == ("good", "bad")
    assert of(ACME).client_id != of(OTHER).client_id == the(Domain, name=OTHER).client_id
    since = of(ACME).since
    long_ago(minutes=16)
    assert looked(monkeypatch, RIGHT | {(ACME, "TXT"): None}) == 2
    assert ("spf.none", "bad") in levels(ACME) and of(ACME).level == "bad" and of(ACME).since > since
    changed, long_ago_ = of(ACME), of(OTHER)
    long_ago(minutes=16)
    looked(monkeypatch, RIGHT | {(ACME, "TXT"): None})
    assert (of(ACME).since, of(OTHER).since) == (changed.since, long_ago_.since), "nothing changed"


def test_what_the_resolver_does_not_say_takes_the_place_of_what_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    looked(monkeypatch, RIGHT)
    long_ago(minutes=16)
    looked(monkeypatch, RIGHT | {(ACME, "MX"): FAILS})
    assert ("mx.unknown", "unknown") in levels(ACME) and of(ACME).levels["mx"] == "unknown"
    with acting_as(SYSTEM):
        one = Domain.objects.get(name=ACME)
    postures.keep([one], [Looked(ACME, (), "it asks for more and more")], timezone.now())
    assert (of(ACME).level, of(ACME).results, of(ACME).unfinished) == ("unknown", [], "it asks for more and more")


def test_after_a_zone_was_written_it_is_looked_at_each_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    looked(monkeypatch, RIGHT)
    long_ago(seconds=90)
    assert looked(monkeypatch, RIGHT) == 0
    with acting_as(SYSTEM):
        acme = Domain.objects.get(name=ACME)
        Delivery.objects.filter(target="zone", object=acme.pk).update(since=timezone.now() - timedelta(minutes=3))
        assert Delivery.objects.filter(target="zone", object=acme.pk).exists()
    assert looked(monkeypatch, RIGHT) == 1


def test_the_keys_we_sign_with_are_what_has_to_stand_there(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with acting_as(SYSTEM):
        key = DkimKey.objects.filter(domain__name=ACME, algorithm="rsa-2048").first()
    assert key
    ours = "TUlJQg=="
    do("dkim_keys.make", SYSTEM, secrets={"private key": "x"}, key=str(key.pk), public=ours, domain=ACME)
    with acting_as(SYSTEM):
        assert not postures._known([key.domain])[key.domain_id].selectors, "it does not sign yet"
    do("dkim_keys.activate", SYSTEM, key=str(key.pk))
    with acting_as(SYSTEM):
        assert postures._known([key.domain])[key.domain_id].selectors == ((key.selector, ours),)
        Delivery.objects.update(since=timezone.now() - timedelta(hours=1), done=True)
    name = f"{key.selector}._domainkey.{ACME}"
    looked(monkeypatch, RIGHT | {(name, "TXT"): (f"v=DKIM1; k=rsa; p={PUBLIC}",)})
    assert ("dkim.other_key", "bad") in levels(ACME)


def test_what_is_removed_is_not_looked_at(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with acting_as(SYSTEM):
        due = {one.name for one in postures._due(timezone.now())}
    assert due == {ACME, OTHER}
    looked(monkeypatch, RIGHT)
    agreed(house, do("domains.remove", house.olive, domain=OTHER, accept_loss=True))
    with acting_as(SYSTEM):
        Posture.objects.all().delete()
        assert {one.name for one in postures._due(timezone.now())} == {ACME}


def test_of_what_is_removed_for_a_week_it_is_let_go(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looked(monkeypatch, RIGHT)
    agreed(house, do("domains.remove", house.olive, domain=OTHER, accept_loss=True))
    watch.forget()
    assert of(OTHER).results
    with at(timezone.now() + timedelta(days=8)):
        watch.forget()
    with acting_as(SYSTEM):
        assert {one.domain.name for one in Posture.objects.select_related("domain")} == {ACME}


def test_a_domain_that_is_being_set_up_is_no_finding(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    do("domains.add", house.olive, client="acme", name="new.example")
    looked(monkeypatch, RIGHT)
    assert of("new.example").level == "bad" and the(Domain, name="new.example").proof == "waiting"
    run(standing.STANDING)
    assert findings(label=OTHER) and not findings(label="new.example")


def findings(**where: Any) -> list[Finding]:
    with acting_as(SYSTEM):
        return list(Finding.objects.filter(check_name="dns.standing", **where).order_by("title"))


def test_what_is_bad_is_a_finding_an_area_and_goes_when_it_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt = RIGHT | {(ACME, "TXT"): None, (ACME, "MX"): ((10, "gone.example"), (20, "1.2.3.4"))}
    looked(monkeypatch, spoilt)
    with acting_as(SYSTEM):
        proven = Domain.objects.get(name=ACME).proof
    assert proven == "read"
    run(standing.STANDING)
    found = {one.title.split(" of ")[0]: one for one in findings(label=ACME, closed_at=None)}
    assert {"MX", "SPF"} <= found.keys() and "1 more" in found["MX"].title
    assert found["SPF"].severity == "high" and any("spf.none" in one for one in found["SPF"].evidence["found"])
    long_ago(minutes=16)
    looked(monkeypatch, RIGHT)
    run(standing.STANDING)
    assert {one.title.split(" of ")[0] for one in findings(label=ACME, closed_at=None)}.isdisjoint({"MX", "SPF"})
    long_ago(minutes=16)
    looked(monkeypatch, spoilt)
    run(standing.STANDING)
    long_ago(minutes=50)
    run(standing.STANDING)
    old = findings(label=ACME, closed_at=None)
    assert old and all(one.unknown_since and "three quarters" in one.unknown_why for one in old), "never closed by age"
