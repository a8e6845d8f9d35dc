"""The first page names the worst that nobody is at: what it is about, and the act that mends it for who may."""

from __future__ import annotations

from visitors import visitor

from cast import House, do, the
from postroom.models import Domain, Finding
from postroom.posture.findings import Found, observed


def wrong(n: int) -> None:
    zone = the(Domain, name="acme.example")
    about = {"client": zone.client_id, "domain": zone.pk, "kind": "domains.change",
             "params": {"domain": zone.name, "registrar": "Namehouse"}}  # fmt: skip
    observed("t.worst", [
        Found("critical" if not one else "medium", "domains", zone.pk, zone.name, f"Wrong {one}", str(one), **about)
        for one in range(n)
    ])  # fmt: skip


def overview(house: House, who: str) -> str:
    return visitor(getattr(house, who)).get("/").content.decode()


def test_each_names_its_object_and_what_mends_it(house: House) -> None:
    wrong(7)
    page = overview(house, "olive")
    assert page.index("Wrong 0") < page.index("Wrong 1"), "the worst first"
    assert "critical · acme.example" in page and "Wrong 5" not in page, "five at most; the counts say the rest"
    assert "/do/domains.change/?domain=acme.example&amp;registrar=Namehouse" in page
    assert 'href="/findings/?severity=medium"' in page


def test_who_may_not_mend_it_is_led_to_the_finding(house: House) -> None:
    wrong(1)
    page = overview(house, "audrey")
    assert "Wrong 0" in page and "/do/domains.change/" not in page
    assert f"/findings/{the_finding()}/" in page


def the_finding() -> object:
    return the(Finding, check_name="t.worst").pk


def test_what_somebody_is_at_is_not_among_them(house: House) -> None:
    wrong(1)
    do("findings.acknowledge", house.olive, finding=str(the_finding()), reason="at it")
    assert "critical · acme.example" not in overview(house, "olive")


def test_another_clients_is_not_shown(house: House) -> None:
    zone = the(Domain, name="globex.example")
    observed("t.other", [Found("critical", "domains", zone.pk, zone.name, "Wrong there", "x", client=zone.client_id,
                               domain=zone.pk)])  # fmt: skip
    assert "Wrong there" in overview(house, "olive") and "Wrong there" not in overview(house, "carl")
