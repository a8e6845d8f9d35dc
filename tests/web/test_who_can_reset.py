"""Who can reset this? Every path to control of a mailbox, at its page and the API: weakest marked, no unknown green."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from visitors import visitor

from api.conftest import Caller
from cast import MIA, House, do, kind, the, with_consent
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.changes import channels
from postroom.changes.pipeline import submit
from postroom.models import Invite, Mailbox, RecoveryChannel
from postroom.queries.mailboxes import whole
from postroom.queries.resets import Path, paths, shown

HOME, LINK = "mia@home.example", "8" * 64
DAY = timedelta(days=1)
WAYS = (
    "invites.send", "invites.redirect", "invites.issue", "recovery_channels.name", "resets.start", "resets.send_link",
    "resets.approve", "mailboxes.transfer", "mailboxes.restore", "changes.approve",
)  # fmt: skip


def asked(by: Actor, mailbox: str = MIA, *, days: int = 0) -> list[Path]:
    now = timezone.now() + timedelta(days=days)
    with acting_as(by):
        return paths(by, whole(by, the_id(by, mailbox)), now=now)


def the_id(by: Actor, mailbox: str) -> Any:
    return Mailbox.objects.get(address__address=mailbox).pk


def of(found: list[Path], sort: str) -> list[Path]:
    return [one for one in found if one.sort == sort]


def named(house: House, value: str, *, confirmed: bool = True) -> None:
    do("recovery_channels.name", house.olive, mailbox=MIA, value=value)
    if confirmed:
        invite = the(Invite, confirms__value=value)
        issue = kind("recovery_channels.issue", confirmation=str(invite.pk))
        submit(issue, actor=SYSTEM, why="a test", secrets={"link": LINK})
        assert channels.confirm(LINK).version


def test_a_registrar_nobody_knows_of_is_the_weakest_and_not_green(house: House) -> None:
    found = asked(house.olive)
    assert [one.sort for one in found if one.weakest] == ["registrar"] and found[0].weakest
    assert (found[0].counts, found[0].since) == ("unknown", None)
    text = visitor(house.olive).get(f"/mailboxes/{MIA}/").content.decode()
    card = text.partition("Who can reset this?")[2].partition("</section>")[0]
    assert "weakest" in card and "The registrar login of acme.example" in card and "age not known" in card


def test_a_registrar_whose_notices_go_into_the_domain_itself_is_said(house: House) -> None:
    known = {"registrar": "Registry One", "registrar_holder": "Boss", "registrar_account": "it@acme.example"}
    do("domains.change", house.olive, domain="acme.example", **known)
    (one,) = of(asked(house.olive), "registrar")
    assert one.counts == "unknown" and "into the very domain" in one.reason
    do("domains.change", house.olive, domain="acme.example", registrar_account_holder="Tom")
    (one,) = of(asked(house.olive), "registrar")
    assert one.counts == "yes" and "into the very domain" in one.reason
    do("domains.change", house.olive, domain="acme.example", registrar_account="it@elsewhere.example")
    (one,) = of(asked(house.olive), "registrar")
    assert one.counts == "no" and "nobody has confirmed" in one.why and "elsewhere.example is not known" in one.why


def test_who_holds_the_address_that_a_registrar_writes_to_is_named_and_never_taken_for_known(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    do("domains.add", house.oskar, client="acme", name="acme2.example")
    known = {"registrar": "Registry One", "registrar_holder": "Boss", "registrar_account": "it@acme2.example"}
    do("domains.change", house.olive, domain="acme.example", **known)
    monkeypatch.setattr("postroom.queries.resets.unsaid", lambda *_: "")
    (one,) = of(asked(house.olive), "registrar")
    assert one.counts == "unknown" and "who holds that address is not known" in one.why and one.weak == 65
    do("domains.change", house.olive, domain="acme.example", registrar_account_holder="Tom of IT")
    (one,) = of(asked(house.olive), "registrar")
    assert one.counts == "yes" and "go to it@acme2.example, held by Tom of IT" in one.why and one.weak == 30
    text = visitor(house.olive).get(f"/mailboxes/{MIA}/").content.decode()
    assert "held by Tom of IT" in text.partition("Who can reset this?")[2].partition("</section>")[0]
    assert "Tom of IT" in visitor(house.olive).get("/domains/acme.example/").content.decode()
    assert Caller(house.olive).get("/domains/acme.example").json()["registrar_account_holder"] == "Tom of IT"
    do("domains.change", house.olive, domain="acme.example", registrar_account="noc@acme2.example")
    (one,) = of(asked(house.olive), "registrar")
    assert one.counts == "unknown" and "Tom" not in one.why, "whoever held the old address need not hold the new one"


def test_an_open_link_is_weaker_than_anything(house: House) -> None:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@far.example")
    found = asked(house.olive)
    assert found[0].sort == "link" and "mia@far.example" in found[0].who and "sets the password" in found[0].reason
    do("invites.cancel", house.olive, invite=str(the(Invite, contact="mia@far.example").pk))
    assert not of(asked(house.olive), "link")


@pytest.mark.parametrize(("days", "confirmed", "counts"), [
    (0, True, "no"), (6, True, "no"), (7, True, "unknown"), (8, False, "no"), (179, True, "unknown"), (180, True, "no"),
])  # fmt: skip
def test_a_channel_counts_after_seven_days_and_while_it_is_confirmed(
    house: House, days: int, confirmed: bool, counts: str
) -> None:
    named(house, HOME, confirmed=confirmed)
    (one,) = of(asked(house.olive, days=days), "channel")
    assert one.counts == counts and "home.example is not known" in one.why, "outside of here nobody knows whose it is"


def test_of_a_recovery_address_here_it_says_whose_domain_it_is_and_who_has_rights_there(house: House) -> None:
    do("people.invite", house.oskar, name="Gus", email="gus@globex.example", client="globex")
    do("grants.give", house.oskar, person="gus@globex.example", role="client admin", client="globex")
    named(house, "gus@globex.example")
    (one,) = of(asked(house.olive, days=8), "channel")
    assert one.counts == "yes" and "Globex" in one.why and "Gus" in one.why
    (one,) = of(asked(house.carl, days=8), "channel")
    assert one.counts == "unknown" and "Gus" not in one.why and "Globex" not in one.why, "not Carl's to know"


def test_who_may_send_a_link_is_named_by_role_with_ages_and_who_may_not_is_not(house: House) -> None:
    for by in (house.olive, house.carl):
        roles = {one.who.partition(":")[0]: one for one in of(asked(by), "role")}
        assert {"Operator", "Owner", "Approver", "Client admin", "Helpdesk"} <= set(roles) and "Auditor" not in roles
        assert "Olive" in roles["Operator"].who and "Carl" in roles["Client admin"].who
        assert all(one.since and one.held for one in roles.values())


@pytest.mark.parametrize("permission", WAYS)
def test_a_role_of_ones_own_that_may_one_of_these_is_named(house: House, permission: str) -> None:
    """Each by itself; and what leads nowhere is not named."""
    do("people.invite", house.oskar, name="Dee", email="dee@northlight.example")
    for name, may in (("desk", permission), ("clerk", "aliases.create")):
        do("roles.create", house.oskar, name=name, permissions=[may, "mailboxes.view"])
        given = do("grants.give", house.oskar, person="dee@northlight.example", role=name, client="acme")
        if given.stage == "held":
            with_consent(house, given)
    who = [one.who for one in of(asked(house.olive), "role")]
    assert "Desk: Dee" in who and not [one for one in who if "Clerk" in one]


def test_a_token_that_may_one_of_these_is_named(house: House) -> None:
    may = ["resets.start", "mailboxes.transfer", "mailboxes.restore"]
    until = (timezone.now() + DAY).isoformat()
    for n, one in enumerate([*may, "aliases.create"]):
        made = do("tokens.create", house.oskar, secrets={"token": f"{n:064}"}, name=f"the {one} program",
                  permissions=[one], clients=["acme"], until=until)  # fmt: skip
        assert made.version, made.verdicts
    who = {one.who.partition(",")[0] for one in of(asked(house.olive), "token")}
    assert who == {f"the {one} program" for one in may}


def test_who_sees_one_domain_alone_is_told_that_others_are_not_known(house: House) -> None:
    do("people.invite", house.oskar, name="Dora", email="dora@northlight.example")
    do("grants.give", house.oskar, person="dora@northlight.example", role="auditor", client="acme",
       domain="acme.example")  # fmt: skip
    dora = Actor(the_person("dora@northlight.example"), "Dora")
    (one,) = of(asked(dora), "role")
    assert one.counts == "unknown" and "Olive" not in one.who


def the_person(email: str) -> Any:
    from postroom.models import Person

    return the(Person, email=email).pk


def test_no_recovery_code_is_no_way_and_a_removed_mailbox_has_none(house: House) -> None:
    (one,) = of(asked(house.olive), "code")
    assert (one.counts, one.why) == ("no", "none is set")
    do("mailboxes.create", house.olive, address="desk@acme.example", kind="shared")
    assert asked(house.olive, "desk@acme.example") == []


def test_the_api_says_the_same_and_to_nobody_else(house: House) -> None:
    named(house, HOME)
    with acting_as(house.olive):
        box = whole(house.olive, the_id(house.olive, MIA))
        said = shown(box, paths(house.olive, box))
    assert said["mailbox"] == MIA and sum(one["weakest"] for one in said["items"]) == 1
    assert {"sort", "id", "who", "since", "counts", "why", "weakest", "reason", "people"} == set(said["items"][0])


def test_seven_queries_however_many_paths_there_are(house: House) -> None:
    def queries() -> int:
        with acting_as(house.olive):
            box = whole(house.olive, the_id(house.olive, MIA))
            with CaptureQueriesContext(connection) as counted:
                paths(house.olive, box)
            return len(counted)

    named(house, "gus@globex.example", confirmed=False)
    few = queries()
    for n in range(4):
        named(house, f"m{n}@home.example", confirmed=False)
        do("people.invite", house.oskar, name=f"P{n}", email=f"p{n}@northlight.example")
        do("grants.give", house.oskar, person=f"p{n}@northlight.example", role="client admin", client="acme")
    assert queries() == few <= 8


def test_the_page_offers_what_can_be_done_about_each_path(house: House) -> None:
    named(house, HOME, confirmed=False)
    text = visitor(house.olive).get(f"/mailboxes/{MIA}/").content.decode()
    channel = str(the(RecoveryChannel).pk)
    about = (f"recovery_channels.ask/?channel={channel}", f"recovery_channels.end/?channel={channel}")
    for act in ("resets.start/?mailbox=", "recovery_channels.name/?mailbox=", *about):
        assert f"/do/{act}" in text
    text = visitor(house.audrey).get(f"/mailboxes/{MIA}/").content.decode()
    assert "Who can reset this?" in text and "/do/recovery_channels" not in text and "/do/resets" not in text
