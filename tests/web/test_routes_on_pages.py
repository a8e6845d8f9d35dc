"""What of forwards, catch-alls, exceptions and domain aliases stands on the pages of a mailbox, a domain, a client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from visitors import visitor

from cast import MIA, House, agreed, at, do, the, with_consent
from postroom.models import CatchAll, Forward, RouteException, Transport

LEO, HOME = "leo@acme.example", "mia@home.test"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def page(who: Any, path: str) -> str:
    answer = visitor(who).get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def routed(house: House) -> None:
    """Leo's mail comes to Mia, hers leaves, and may leave once more; what is nobody's comes to her too."""
    do("mailboxes.create", house.olive, address=LEO)
    do("forwards.create", house.olive, address=LEO, to=MIA, until=later())
    asked = {"address": MIA, "to": HOME, "owner": "Mia Moss", "until": later()}
    with_consent(house, do("forwards.create", house.olive, **asked, keep_copy=False))
    asked = {"address": MIA, "target": "mia@away.test", "owner": "Mia Moss", "until": later()}
    with_consent(house, do("exceptions.create", house.olive, **asked))
    agreed(house, do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later()))


def test_a_mailbox_shows_what_lands_there_and_where_its_mail_goes_on_to(house: House) -> None:
    routed(house)
    said = page(house.olive, f"/mailboxes/{MIA}/")
    for one in (LEO, HOME, "mia@away.test", "no copy stays", "by the exception of Mia Moss", "What is nobody’s at"):
        assert one in said, one
    out, let = the(Forward, to=HOME), the(RouteException, target="mia@away.test")
    for url in (f"/do/forwards.disable/?forward={out.pk}", f"/do/forwards.end/?forward={out.pk}",
                f"/do/exceptions.end/?exception={let.pk}", "/do/catch_alls.end/?catch_all=acme.example"):  # fmt: skip
        assert url in said, url
    assert "/do/forwards." not in page(house.audrey, f"/mailboxes/{MIA}/"), "an auditor changes nothing"
    assert "Goes on to" in page(house.olive, f"/mailboxes/{LEO}/")
    do("forwards.disable", house.olive, forward=str(out.pk))
    assert "disabled; until" in page(house.olive, f"/mailboxes/{MIA}/")


def test_what_has_ended_by_itself_is_shown_no_more_also_before_the_clock_tidies(house: House) -> None:
    routed(house)
    with at(timezone.now() + timedelta(days=31)):
        said = page(house.olive, f"/mailboxes/{MIA}/")
        assert HOME not in said and "What is nobody’s" not in said
        assert the(Forward, to=HOME).removed_at is None and the(CatchAll).removed_at is None


def test_a_domain_shows_its_catch_all_and_whose_addresses_are_whose(house: House) -> None:
    assert "refused" in page(house.carl, "/domains/acme.example/")
    routed(house)
    do("domains.add", house.olive, client="acme", name="acme.test")
    agreed(house, do("domains.set_alias", house.olive, domain="acme.test", of="acme.example"))
    said = page(house.carl, "/domains/acme.example/")
    assert "the catch-all" in said and MIA in said and "Every address of" in said and "acme.test" in said
    mirror = page(house.carl, "/domains/acme.test/")
    assert "the same address of" in mirror and "/domains/acme.example/" in mirror and "the catch-all" not in mirror


def test_the_sheet_of_a_client_lists_forwards_and_catch_alls(house: House) -> None:
    routed(house)
    said = page(house.carl, "/clients/acme/sheet/?part=forwards")
    assert LEO in said and HOME in said and "Mia Moss" in said and later()[:10] in said
    assert MIA in page(house.carl, "/clients/acme/sheet/?part=catch_alls")
    assert "No forward" in page(house.oskar, "/clients/globex/sheet/?part=forwards")


def test_a_page_costs_as_many_queries_however_much_goes_on(house: House) -> None:
    routed(house)
    browser = visitor(house.olive)

    def cost(path: str) -> int:
        browser.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
        return len(queries)

    paths = (f"/mailboxes/{MIA}/", "/domains/acme.example/", "/clients/acme/sheet/?part=forwards")
    before = [cost(one) for one in paths]
    for n in range(8):
        agreed(house, do("forwards.create", house.olive, address=f"f{n}@acme.example", to=MIA, until=later()))
        do("domains.add", house.olive, client="acme", name=f"acme{n}.test")
        agreed(house, do("domains.set_alias", house.olive, domain=f"acme{n}.test", of="acme.example"))
    assert [cost(one) for one in paths] == before


def test_what_is_handed_to_another_server_stands_wherever_routes_do(house: House) -> None:
    assert f"/do/transports.create/?address={MIA}" in unquote(page(house.olive, f"/mailboxes/{MIA}/"))
    assert "/do/transports." not in page(house.audrey, f"/mailboxes/{MIA}/")
    asked = {"address": MIA, "host": "mx.partner.test", "owner": "Mia Moss", "until": later()}
    held = do("transports.create", house.olive, **asked)
    there = "mx.partner.test:25"
    assert there in page(house.ada, f"/changes/{held.pk}/"), "where mail would land"
    agreed(house, held)
    end = f"/do/transports.end/?transport={the(Transport).pk}"
    for path in (f"/mailboxes/{MIA}/", f"/trace/?address={MIA}", "/clients/acme/routing/", "/forwards/"):
        assert there in page(house.olive, path), path
    for path in (f"/mailboxes/{MIA}/", "/clients/acme/routing/"):
        assert end in page(house.olive, path), path
    for path in ("/clients/acme/routing/", "/domains/acme.example/routing/"):
        looked_at = page(house.audrey, path)
        assert there in looked_at and "/do/transports." not in looked_at, "who only looks ends nothing"
    traced = page(house.olive, f"/trace/?address={MIA}")
    assert "handed to another mail server" in traced and "Mia Moss answers for it" in traced
    assert "Mia Moss answers for it" in page(house.olive, "/forwards/?mechanism=transport")
    assert "/do/transports.create/" not in page(house.olive, f"/mailboxes/{MIA}/"), "one at a time"
