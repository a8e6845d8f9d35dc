"""Every way by which mail leaves a client: all that are there, none that is not, and none of another client's."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cast import MIA, POSTMASTER, House, agreed, at, do, person, the, with_consent
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.changes.errors import NotThere, Problem, Problems
from postroom.models import Forward, Organization, RouteException, Transport
from postroom.queries.coverage import Coverage
from postroom.queries.leaving import Asked, Way, every, listed, shown
from postroom.queries.leaving_files import HEAD, written
from postroom.queries.tracing import traced
from postroom.web import leaving_rows
from routed import CLIENTS, allow, later, looked, portfolio, script

HOME = "mia@gmail.com"
Told = tuple[str, str, str, str]


def ways(actor: Actor, **asked: Any) -> list[Way]:
    with acting_as(actor):
        return list(every(actor, Asked(**asked)))


def told(found: list[Way]) -> list[Told]:
    return [(one.mechanism, one.address, one.via, one.target) for one in found]


def out(house: House, address: str = MIA, to: str = HOME, **more: Any) -> Forward:
    """A forward that leaves, by its exception."""
    asked = {"address": address, "to": to, "owner": "Mia", "until": later(), **more}
    with_consent(house, do("forwards.create", house.olive, **asked))
    return the(Forward, to=to)


def test_all_sixty_are_found_and_nothing_is_invented_at_any_size_of_page(house: House) -> None:
    planted = portfolio(house)
    assert len(planted) == 60
    found = ways(house.olive)
    assert len(found) == 60 and set(told(found)) == planted
    assert {one.client for one in found} == set(CLIENTS)
    assert [one.risk for one in found] == sorted((one.risk for one in found), key=("high", "medium", "low").index)
    with acting_as(house.olive):
        pages, after = [], ""
        while after is not None:
            page = listed(house.olive, Asked(after=after), limit=7)
            pages, after = [*pages, *page.items], page.next
    assert told(pages) == told(found)
    carls = ways(house.carl)
    assert set(told(carls)) == {one for one in planted if "acme" in one[1]} and len(carls) == 20
    with pytest.raises(NotThere, match="no client globex that you can see"):
        ways(house.carl, client="globex")
    assert len(ways(house.olive, client="globex")) == 20
    assert written_rows(found) == len(found), "each has its line in the file"
    assert {type(shown(one)["script"]) for one in found} == {str}, "of a domain alias too"
    narrowed(house, planted)
    whoever_sees_one_domain_sees_what_begins_and_goes_on_there(house)


def written_rows(found: list[Way]) -> int:
    file = io.BytesIO()
    written(file, Coverage(0, 0, None), found)
    rows = list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"))))
    return len(rows[rows.index(list(HEAD)) + 1 :])


def narrowed(house: House, planted: set[Told]) -> None:
    one_by_one: list[tuple[dict[str, Any], Callable[[Told], bool]]] = [
        ({"mechanism": "alias"}, lambda one: one[0] == "alias"), ({"mechanism": "by way"}, lambda one: bool(one[2])),
        ({"private": True}, lambda one: one[3].endswith(("@gmail.com", "@web.de"))),
        ({"search": "BOX3@glob"}, lambda one: "box3@glob" in "".join(one)),
        ({"risk": "low"}, lambda one: one[1].startswith("off@") or one[3].endswith(".partner.test")),
        ({"unexcepted": True}, lambda one: one[3] in ("", "else@other.test", "note@sms.test")
         or one[3].endswith(".partner.test")),
    ]  # fmt: skip
    for asked, wanted in one_by_one:
        assert set(told(ways(house.olive, **asked))) == set(filter(wanted, planted)), asked


def whoever_sees_one_domain_sees_what_begins_and_goes_on_there(house: House) -> None:
    do("people.invite", house.oskar, name="Dora", email="dora@northlight.example")
    assert do("grants.give", house.oskar, person="dora@northlight.example", role="helpdesk", client="acme",
              domain="acme-small.example").version  # fmt: skip
    dora = person("dora@northlight.example", house.oskar)
    assert told(ways(dora)) == [("forward", "only@acme-small.example", "", "only@acme.test")]


@pytest.mark.parametrize("asked", [{"mechanism": "pigeon"}, {"risk": "some"}, {"search": "ab"}, {"after": "x"}])
def test_what_narrows_by_nothing_is_a_problem(house: House, asked: dict[str, str]) -> None:
    with pytest.raises(Problem), acting_as(house.olive):
        listed(house.olive, Asked(**asked))


def test_a_forward_says_its_exception_its_maker_and_that_nobody_measures_hits(house: House) -> None:
    forward = out(house)
    (one,) = ways(house.olive)
    rests_on = the(RouteException)
    assert (one.risk, one.private, one.keeps_copy, one.exception, one.exception_owner, one.exception_until) == (
        "high", True, True, rests_on.pk, "Mia", rests_on.until)  # fmt: skip
    assert one.maker and one.maker.by == "Olive" and one.row == forward.pk
    assert shown(one)["last_hit"] is None and shown(one)["made_by"]["by"] == "Olive"
    do("forwards.disable", house.oskar, forward=str(forward.pk))
    (one,) = ways(house.olive)
    assert one.off and one.disabled_at and one.risk == "low" and one.maker and one.maker.by == "Olive"
    do("forwards.end", house.oskar, forward=str(forward.pk))
    assert ways(house.olive) == []
    agreed(house, do("forwards.create", house.oskar, address=MIA, to=HOME, until=later(20), owner="Mia"))
    (one,) = ways(house.olive)
    assert one.maker and one.maker.by == "Oskar"
    assert one.exception not in (None, rests_on.pk), "the one before ended with the forward"
    do("exceptions.end", house.olive, exception=str(one.exception))
    (one,) = ways(house.olive)
    assert one.exception is None and one.off


def test_a_redirect_that_is_stopped_says_so_and_leads_nobody_out(house: House) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example")
    do("aliases.create", house.olive, address="team@acme.example", targets=["leo@acme.example"])
    script("leo@acme.example", {"to": "spy@evil.example"}, {"to": "kay@evil.example"})
    spies = [("sieve redirect", "leo@acme.example"), ("alias", "team@acme.example")]
    assert [(one.mechanism, one.address) for one in ways(house.olive, search="spy@")] == spies
    do("redirects.stop", house.olive, mailbox="leo@acme.example", target="spy@evil.example")
    (one,) = ways(house.olive, search="spy@")
    assert (one.off, one.stopped, one.blocked, one.risk) == (True, True, True, "low") and one.disabled_at
    assert shown(one)["stopped"] is True
    assert len(ways(house.olive, search="kay@")) == 2
    do("redirects.resume", house.olive, mailbox="leo@acme.example", target="spy@evil.example")
    assert len(ways(house.olive, search="spy@")) == 2


def test_what_is_handed_to_another_server_is_a_way_with_who_answers_for_it(house: House) -> None:
    asked = {"address": MIA, "host": "mx.partner.test", "port": 2525, "owner": "Mia Moss", "until": later()}
    agreed(house, do("transports.create", house.olive, **asked))
    with_consent(house, do("aliases.create", house.olive, address="all@acme.example", targets=[MIA]))
    script(MIA, {"to": "x@partner.test"}, name="never reached")
    by_alias, one = ways(house.olive)
    there = "mx.partner.test:2525"
    assert (one.mechanism, one.address, one.target, one.risk) == ("transport", MIA, there, "medium")
    assert (one.exception_owner, one.exception_until) == ("Mia Moss", the(Transport).until)
    assert (by_alias.mechanism, by_alias.via, by_alias.target, by_alias.hops) == ("alias", MIA, there, 1)
    assert [each.address for each in ways(house.olive, mechanism="transport")] == [MIA]
    assert ways(house.olive, unexcepted=True) == []
    assert one.maker and one.maker.by == "Olive" and one.row == the(Transport).pk
    do("organization.change", house.oskar, forward_forbidden=["partner.test"])
    assert {(each.risk, each.forbidden) for each in ways(house.olive)} == {("high", "partner.test")}
    do("transports.end", house.olive, transport=str(one.row))
    assert [each.mechanism for each in ways(house.olive)] == ["alias", "sieve redirect"], "its script is reached again"


def test_what_is_over_by_the_clock_is_no_way_though_nobody_tidied(house: House) -> None:
    ago = timezone.now() - timedelta(days=3)
    with at(ago):
        out(house, until=(ago + timedelta(days=1)).replace(microsecond=0).isoformat())
    assert the(Forward).removed_at is None and ways(house.olive) == []


def test_a_script_is_unknown_conditional_or_blocked_as_its_node_read_it(house: House) -> None:
    script(MIA, {"to": "x@partner.test", "conditional": True, "copy": True}, {"to": ""}, name="holiday")
    script("mia@globex.example", {"to": "y@elsewhere.test"}, unreadable="it has 201 redirects, of which 200 are listed")
    known = ways(house.olive, client="globex")
    assert [one.target for one in known] == ["y@elsewhere.test"], "what is known of it is known"
    unknown, found = ways(house.olive, client="acme")
    assert (unknown.target, unknown.risk, unknown.blocked, shown(unknown)["target"]) == ("", "high", False, None)
    assert (found.script, found.keeps_copy, found.conditional, found.blocked) == ("holiday", True, True, True)
    assert found.risk == "medium", "nothing leaves by it"
    assert found.maker is None and found.made and found.row is None
    allow(house, "acme", "*.partner.test", "other.test")
    found = ways(house.olive, search="x@part")[0]
    assert (found.allowed, found.risk, found.blocked) == ("*.partner.test", "low", False)
    allow(house, "acme", "private providers")
    script(MIA, {"to": HOME}, name="home")
    found = ways(house.olive, search=HOME)[0]
    assert (found.allowed, found.blocked) == ("private providers", False), "its node knows who these are"


def test_forbidden_outweighs_what_is_allowed(house: House) -> None:
    allow(house, "acme", "partner.test")
    assert do("forwards.create", house.olive, address=MIA, to="x@partner.test", until=later()).version
    assert [(one.risk, one.allowed) for one in ways(house.olive)] == [("low", "partner.test")]
    do("organization.change", house.oskar, forward_forbidden=["partner.test"])
    assert [(one.risk, one.allowed, one.forbidden) for one in ways(house.olive)] == [("high", None, "partner.test")]


def test_at_a_domain_of_ones_own_that_no_node_serves_is_outside(house: House) -> None:
    do("domains.add", house.olive, client="acme", name="later.example")
    asked = {"address": MIA, "to": "abuse@later.example", "until": later(), "owner": "Mia"}
    with_consent(house, do("forwards.create", house.olive, **asked))
    assert told(ways(house.olive)) == [("forward", MIA, "", "abuse@later.example")]
    do("domains.prove", SYSTEM, domain="later.example", proof="a test")
    assert told(ways(house.olive)) == [("forward", MIA, "abuse@later.example", POSTMASTER)], "and on from there"
    with_consent(house, do("domains.remove", house.olive, domain="later.example"))
    assert told(ways(house.olive)) == [("forward", MIA, "", "abuse@later.example")]


def test_a_long_way_round_is_found_and_a_circle_ends(house: House) -> None:
    out(house)
    names = ["mia", *(f"a{n}" for n in range(1, 12))]
    for before, name in pairwise(names):
        asked = {"address": f"{name}@acme.example", "targets": [f"{before}@acme.example"]}
        with_consent(house, do("aliases.create", house.olive, **asked))
    script(MIA, {"to": "a2@acme.example"})
    found = {(one.address, one.hops) for one in ways(house.olive) if one.mechanism == "alias"}
    assert found == {(f"a{n}@acme.example", n) for n in range(1, 12)}


def test_what_leads_to_an_address_with_an_extension_is_found_by_it(house: House) -> None:
    out(house)
    with_consent(
        house, do("aliases.create", house.olive, address="pay@acme.example", targets=["mia+bills@acme.example"])
    )
    assert [one[:3] for one in told(ways(house.olive)) if one[0] == "alias"] == [("alias", "pay@acme.example", MIA)]


def test_a_script_that_sends_to_nobody_is_caught_where_all_is(house: House) -> None:
    out(house, address="box@acme.example", to="box@elsewhere.test")
    caught = {"domain": "acme.example", "target": "box@acme.example", "until": later()}
    with_consent(house, do("catch_alls.set", house.olive, **caught))
    script(MIA, {"to": "nobody@acme.example"})
    by_way = [one for one in told(ways(house.olive)) if one[0] == "sieve redirect"]
    assert by_way == [("sieve redirect", MIA, "@acme.example", "box@elsewhere.test")]


def test_seven_queries_however_many_there_are(house: House) -> None:
    for n in range(4):
        out(house, to=f"m{n}@elsewhere.test")
    with acting_as(house.audrey), CaptureQueriesContext(connection) as asked:
        listed(house.audrey, Asked())
    assert len(asked) <= 7, [one["sql"][:80] for one in asked]


def test_what_leads_to_a_redirect_that_its_node_stops_is_stopped_too_and_one_leak(house: House) -> None:
    """By an alias, and by the alias of a domain: rows of their own, each of which says that they are one."""
    do("mailboxes.create", house.olive, address="leo@acme.example")
    do("aliases.create", house.olive, address="team@acme.example", targets=["leo@acme.example"])
    do("domains.add", house.olive, client="acme", name="acme-parts.example")
    do("domains.prove", SYSTEM, domain="acme-parts.example", proof="a test")
    agreed(house, do("domains.set_alias", house.olive, domain="acme-parts.example", of="acme.example"))
    script("leo@acme.example", {"to": "spy@evil.example"})
    found = ways(house.olive, search="spy@")
    assert {(one.blocked, one.risk, one.leaves_by, one.ways) for one in found} == {
        (True, "medium", "sieve redirect", len(found))
    }
    assert [one.address for one in found if one.hops] and len(found) > 2 and written_rows(found) == len(found)
    (by_alias,) = (one for one in found if one.mechanism == "alias")
    assert (shown(by_alias)["blocked"], shown(by_alias)["stopped"], by_alias.by_script) == (True, False, False)
    said = str(leaving_rows.row(by_alias))
    assert "the node of leo@acme.example stops it" in said and f"one of {len(found)} ways to the same exit" in said
    file = io.BytesIO()
    written(file, Coverage(0, 0, None), found)
    assert f'"yes","no","{len(found)}"' in file.getvalue().decode()
    allow(house, "acme", "evil.example")
    assert {(one.blocked, one.risk) for one in ways(house.olive, search="spy@")} == {(False, "low")}


def test_a_mailbox_with_a_plus_of_its_own_is_no_way_of_the_one_before_it(house: House) -> None:
    do("mailboxes.create", house.olive, address="mia+x@acme.example")
    out(house)
    do("aliases.create", house.olive, address="t@acme.example", targets=["mia+x@acme.example"])
    assert [one.address for one in ways(house.olive)] == [MIA]
    agreed(house, do("aliases.create", house.olive, address="u@acme.example", targets=["mia+y@acme.example"]))
    assert sorted(one.address for one in ways(house.olive)) == [MIA, "u@acme.example"], "that one is hers"


def test_the_organizations_postmaster_is_inside_for_role_accounts_alone(house: House) -> None:
    with acting_as(SYSTEM):
        postmaster = Organization.objects.get().postmaster
    assert ways(house.olive) == [], "postmaster@ and abuse@ of every domain lead there"
    with pytest.raises(Problems, match="outside"):
        do("aliases.create", house.olive, address="info@acme.example", targets=[postmaster])
    for kind, more in (("forwards.create", {"address": MIA, "to": postmaster, "owner": "Mia", "keep_copy": False}),
                       ("catch_alls.set", {"domain": "acme.example", "target": postmaster})):  # fmt: skip
        try:
            made = do(kind, house.olive, until=later(), **more)
        except Problems as problem:
            assert "outside" in str(problem)
        else:
            assert made.stage in ("held", "refused"), (kind, made.stage)
    do("organization.change", house.oskar, forward_forbidden=[postmaster])
    refused = do("forwards.create", house.olive, until=later(), address=MIA, to=postmaster, owner="Mia")
    assert refused.stage == "refused", "what is forbidden is, for whoever asks"


@pytest.mark.parametrize(("before", "sent"), [
    ([{"to": "no@else.test"}], False), ([{"to": MIA}], False),
    ([{"to": "yes@partner.test"}, {"to": "no@else.test"}], True), ([{"to": ""}, {"to": "no@else.test"}], True),
    ([{"to": "no@else.test", "conditional": True}], True), ([{"to": "no@else.test", "anyway": "always"}], True),
    ([{"to": "no@else.test", "anyway": "sometimes"}], True),
    ([{"to": "no@else.test"}, {"to": "yes@partner.test"}, {"to": "also@else.test"}], False),
])  # fmt: skip
def test_what_comes_after_a_redirect_that_ends_its_script_does_not_leave(
    house: House, before: list[dict[str, Any]], sent: bool
) -> None:
    """As the tracer has it: protocols/kept.py."""
    allow(house, "acme", "*.partner.test", "partner.test")
    script(MIA, *before, {"to": "last@partner.test"})
    (last,) = (one for one in ways(house.olive, search="last@partner") if not one.hops)
    assert (last.blocked, last.unsent, shown(last)["blocked"]) == (not sent, not sent, not sent)
    assert last.risk == ("low" if sent else "medium") and ("unsent" not in shown(last))
    assert ("not sent" in str(leaving_rows.row(last))) is not sent
    looked()
    with acting_as(house.olive):
        landings = traced(house.olive, MIA)["landings"]
    assert any(one["address"] == "last@partner.test" for one in landings) is sent


def test_nor_by_way_of_a_colleague(house: House) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example")
    out(house, "leo@acme.example", "leo@gmail.com")
    script(MIA, {"to": "no@else.test"}, {"to": "leo@acme.example"})
    assert {one.address for one in ways(house.olive, search="leo@gmail")} == {"leo@acme.example"}
    script("leo@acme.example")
    script(MIA, {"to": "leo@acme.example"}, name="other")
    assert {one.address for one in ways(house.olive, search="leo@gmail")} == {"leo@acme.example", MIA}
