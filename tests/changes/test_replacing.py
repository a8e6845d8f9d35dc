"""A way out is replaced by access: it ends once the access stands, and not before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cast import MIA, House, acknowledged, again, do, kind, owner_of, reasons, redeemed, the, with_consent
from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.pipeline import dry_run, submit
from postroom.models import Alias, Change, Delegation, Delivery, Forward, Letter, RedirectStop
from postroom.worker import mail
from routed import later, script

Connect = Callable[[str], Node]
LEO, TEAM, DESK, INFO = (f"{name}@acme.example" for name in ("leo", "team", "desk", "info"))
HOME, OTHER = "leo@gmail.com", "other@gmail.com"


@pytest.fixture
def acme(house: House, node: Connect) -> House:
    """Mail of Mia, and of the team, goes to Leo's private mailbox; both owners have set their secrets."""
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    do("mailboxes.create", house.olive, address=LEO, name="Leo", contact=HOME)
    redeemed(LEO)
    do("mailboxes.create", house.olive, address=TEAM, kind="shared")
    for address in (MIA, TEAM):
        with_consent(house, do("forwards.create", house.olive, address=address, to=HOME, until=later(), owner="Leo"))
    house.node = node("mx1")  # type: ignore[attr-defined]
    return house


def replaced(house: House, **more: Any) -> Change:
    return do("forwards.replace", house.olive, **{"address": MIA, "target": HOME, "to": LEO, "until": later(), **more})


def read_back(house: House, change: Change) -> Change:
    """Its letters are sent, the node has done all that is on its list, and the change moves on."""
    with acting_as(SYSTEM):
        Delivery.objects.filter(change=change, target="mail").update(done=True)
    acknowledge(house.node)  # type: ignore[attr-defined]
    acknowledged()
    return again(change)


def going(address: str = MIA) -> bool:
    return the(Forward, address__address=address).disabled_at is None


def one(address: str = MIA) -> Delegation:
    return the(Delegation, mailbox__address__address=address, ended_at=None)


def test_of_a_persons_mailbox_it_waits_for_the_owner_and_for_the_node(acme: House) -> None:
    change = replaced(acme)
    assert change.version, reasons(change)
    row = one()
    assert (row.rights, row.started_at, row.replaces, row.missing) == (["open"], None, [f"{MIA} {HOME}"], ["owner"])
    assert read_back(acme, change).stage == "verified" and going(), "asked for, and nothing is different yet"
    agreed = do("delegations.consent", owner_of(MIA), delegation=str(row.pk))
    assert agreed.version and again(agreed).stage == "applied" and going(), "not before the node says that it stands"
    read_back(acme, agreed)
    assert not going() and one().started_at
    with acting_as(SYSTEM):
        follows = Change.objects.get(kind="forwards.give_way")
    assert follows.caused_by_id == agreed.pk and follows.why == f"{LEO} opens {MIA} instead"


def test_declined_or_ended_before_mail_goes_on(acme: House) -> None:
    replaced(acme)
    no = do("delegations.decline", owner_of(MIA), delegation=str(one().pk))
    read_back(acme, no)
    assert going()
    change = replaced(acme, address=TEAM, until=None)
    do("delegations.end", acme.olive, delegation=str(one(TEAM).pk))
    read_back(acme, change)
    assert going(TEAM)


def test_the_system_ends_nothing_before_the_access_stands_or_after_it_ended(acme: House) -> None:
    replaced(acme)
    asked = str(one().pk)
    with pytest.raises(NothingToDo):
        do("forwards.give_way", SYSTEM, delegation=asked)
    do("delegations.end", acme.olive, delegation=asked)
    with pytest.raises(NothingToDo):
        do("forwards.give_way", SYSTEM, delegation=asked)
    assert going()


def test_of_a_shared_mailbox_the_access_starts_at_once_and_the_forward_ends_after(acme: House) -> None:
    change = replaced(acme, address=TEAM, until=None)
    assert change.version and one(TEAM).started_at and going(TEAM)
    read_back(acme, change)
    assert not going(TEAM) and going(MIA)


def test_the_letters_say_what_it_takes_the_place_of(acme: House) -> None:
    change = replaced(acme)
    with acting_as(SYSTEM):
        letter = Letter.objects.get(says="delegation asked", contact=MIA)
        text = mail.LETTERS[letter.says](letter, change).get_content()  # type: ignore[union-attr]
    assert f"  - from {MIA} to {HOME}" in text and "takes the place of passing mail on" in text


def test_a_vips_is_looked_at_by_a_second_person_first(acme: House) -> None:
    do("mailboxes.change", acme.olive, mailbox=MIA, vip=True)
    held = replaced(acme)
    assert held.stage == "held" and "into the mailbox of a VIP" in reasons(held)
    assert approve(held.pk, actor=acme.ada, plan_hash=held.plan_hash).version and going()


def test_where_they_may_open_it_already_the_forward_ends_at_once(acme: House) -> None:
    do("delegations.ask", acme.olive, mailbox=TEAM, to=LEO, rights=["open"])
    change = replaced(acme, address=TEAM, until=None)
    assert change.version and not going(TEAM)
    with acting_as(SYSTEM):
        assert Delegation.objects.filter(mailbox__address__address=TEAM).count() == 1


def test_what_they_may_beside_stays(acme: House) -> None:
    do("delegations.ask", acme.olive, mailbox=TEAM, to=LEO, rights=["send-as"])
    assert replaced(acme, address=TEAM).version
    assert one(TEAM).rights == ["open", "send-as"]


def test_a_redirect_is_stopped_and_a_forward_beside_it_disabled_by_one_asking(acme: House) -> None:
    script(TEAM, {"to": HOME}, {"to": "other@gmail.com"})
    do("mailboxes.create", acme.olive, address=DESK, kind="role")
    both = [
        kind("forwards.replace", address=TEAM, target=target, to=LEO, until=later())
        for target in (HOME, "other@gmail.com")
    ]
    change = submit(both, actor=acme.olive, why="their own mailbox")
    assert change.version and one(TEAM).replaces == [f"{TEAM} {HOME}", f"{TEAM} other@gmail.com"]
    read_back(acme, change)
    assert not going(TEAM)
    with acting_as(SYSTEM):
        stops = set(RedirectStop.objects.filter(ended_at=None).values_list("target", flat=True))
    assert stops == {HOME, "other@gmail.com"}


def test_an_alias_leads_there_no_more_where_the_mail_is_kept_beside(acme: House) -> None:
    with_consent(acme, do("aliases.create", acme.olive, address=INFO, targets=[TEAM, MIA]))
    wrong = {"address": INFO, "target": MIA, "to": LEO, "until": later()}
    with pytest.raises(Problems, match="is kept in no mailbox"):
        do("forwards.replace", acme.olive, **wrong)
    with pytest.raises(Problems, match=f"is not kept in {MIA}"):
        do("forwards.replace", acme.olive, **wrong, mailbox=MIA)
    with pytest.raises(Problems, match=f"{INFO} is an alias: let them open {TEAM} first"):
        do("forwards.replace", acme.olive, **wrong, mailbox=TEAM)
    do("delegations.ask", acme.olive, mailbox=TEAM, to=LEO, rights=["open"])
    change = do("forwards.replace", acme.olive, **wrong, mailbox=TEAM)
    assert change.version, reasons(change)
    assert the(Alias, address__address=INFO).targets == [TEAM]


@pytest.mark.parametrize(("more", "where", "why"), [
    ({"address": "@acme.example"}, "address", "caught for a whole domain"),
    ({"target": "nobody@gmail.com"}, "target", "no forward, alias or redirect"),
    ({"target": "told@gmail.com"}, "target", "passes none on"),
    ({"to": MIA}, "to", "is the mailbox itself"), ({"to": "mia@globex.example"}, "to", "another client"),
    ({"to": TEAM}, "to", "nobody signs in to"), ({"until": None}, "until", "say until when"),
])  # fmt: skip
def test_what_cannot_be_replaced_says_so_for_that_row_and_nothing_is_done(
    acme: House, more: dict[str, Any], where: str, why: str
) -> None:
    script(MIA, {"to": "told@gmail.com", "by": "notify"})
    good = {"address": TEAM, "target": HOME, "to": LEO, "until": later()}
    parts = [kind("forwards.replace", **good), kind("forwards.replace", **{**good, "address": MIA, **more})]
    with pytest.raises(Problems, match=why) as caught:
        submit(parts, actor=acme.olive, why="both")
    assert [one.where for one in caught.value.problems] == [f"1.{where}"]
    with acting_as(SYSTEM):
        assert not Delegation.objects.exists()
    assert going() and going(TEAM)


def test_asked_for_twice_it_waits_for_the_first_answer(acme: House) -> None:
    replaced(acme)
    with pytest.raises(Problems, match="not answered yet"):
        replaced(acme)


def test_a_dry_run_shows_it_and_does_nothing(acme: House) -> None:
    seen = dry_run(kind("forwards.replace", address=TEAM, target=HOME, to=LEO), actor=acme.carl)
    assert [edit.after["replaces"] for edit in seen.plan.by_table["delegations"] if edit.after] == [[f"{TEAM} {HOME}"]]
    assert going(TEAM)


def test_where_mail_still_goes_on_to_others_and_no_copy_stays_nobody_is_let_in_for_it(acme: House) -> None:
    other = {"address": TEAM, "to": "other@gmail.com", "until": later(), "keep_copy": False, "owner": "Mia"}
    with_consent(acme, do("forwards.create", acme.olive, **other))
    with pytest.raises(Problems, match=r"would still go on to other@gmail\.com, and no copy is kept"):
        replaced(acme, address=TEAM)


def both_ways_out(house: House, address: str) -> None:
    """It goes to two addresses outside, and no copy stays."""
    other = {"address": address, "to": OTHER, "until": later(), "keep_copy": False, "owner": "Mia"}
    with_consent(house, do("forwards.create", house.olive, **other))


def together(house: House, address: str, *, to: str = LEO, other: str = LEO) -> Change:
    asked = ((HOME, to), (OTHER, other))
    parts = [kind("forwards.replace", address=address, target=one, to=who, until=later()) for one, who in asked]
    return submit(parts, actor=house.olive, why="one mailbox for both")


@pytest.mark.parametrize("address", [TEAM, MIA])
def test_two_that_keep_no_copy_are_replaced_together(acme: House, address: str) -> None:
    both_ways_out(acme, address)
    change = together(acme, address)
    assert change.version, reasons(change)
    if address == MIA:
        assert do("delegations.consent", owner_of(MIA), delegation=str(one(MIA).pk)).version
    read_back(acme, change)
    with acting_as(SYSTEM):
        for following in Change.objects.filter(stage="applied"):
            read_back(acme, following)
        assert not Forward.objects.filter(address__address=address, disabled_at=None).exists()


def test_not_by_two_whose_access_starts_one_without_the_other(acme: House) -> None:
    both_ways_out(acme, TEAM)
    do("mailboxes.create", acme.olive, address=DESK, contact="desk@home.test")
    with pytest.raises(Problems) as caught:
        together(acme, TEAM, other=DESK)
    said = [(one.where, one.what.partition(", and")[0]) for one in caught.value.problems]
    words = f"mail of {TEAM} would still go on to {{}}"
    assert said == [("0.mailbox", words.format(OTHER)), ("1.mailbox", words.format(HOME))]


def test_a_third_that_nobody_replaces_is_named(acme: House) -> None:
    both_ways_out(acme, TEAM)
    third = {"address": TEAM, "to": "third@gmail.com", "until": later(), "keep_copy": False, "owner": "Mia"}
    with_consent(acme, do("forwards.create", acme.olive, **third))
    with pytest.raises(Problems, match=r"would still go on to third@gmail\.com, and no copy"):
        together(acme, TEAM)


def test_what_is_handed_to_another_server_is_in_no_mailbox(acme: House) -> None:
    do("mailboxes.create", acme.olive, address=DESK, kind="shared")
    script(DESK, {"to": HOME})
    asked = {"address": DESK, "host": "mx.partner.example", "until": later(), "owner": "Leo"}
    with_consent(acme, do("transports.create", acme.olive, **asked))
    with pytest.raises(Problems, match="would still go on to another mail server"):
        replaced(acme, address=DESK)


def test_what_follows_leaves_an_alias_alone_and_mail_that_is_kept_there_no_more(acme: House) -> None:
    change = replaced(acme)
    other = {"address": MIA, "to": "other@gmail.com", "until": later(), "keep_copy": False, "owner": "Mia"}
    with_consent(acme, do("forwards.create", acme.olive, **other))
    consented = do("delegations.consent", owner_of(MIA), delegation=str(one().pk))
    read_back(acme, change)
    read_back(acme, consented)
    with acting_as(SYSTEM):
        assert Forward.objects.filter(address__address=MIA, disabled_at=None).count() == 2
        assert not Change.objects.filter(kind="forwards.give_way").exclude(version=None).exists()


def test_a_forward_that_was_ended_and_made_again_while_access_was_waited_for_stays(acme: House, sql: Any) -> None:
    replaced(acme)
    sql("SELECT set_config('postroom.change', 'time passes', false)",
        "UPDATE delegations SET made = made - interval '1 hour'")  # fmt: skip
    do("forwards.end", acme.olive, forward=str(the(Forward, address__address=MIA).pk))
    asked = {"address": MIA, "to": HOME, "until": later(5), "owner": "Mia"}
    assert with_consent(acme, do("forwards.create", acme.olive, **asked)).version
    agreed = do("delegations.consent", owner_of(MIA), delegation=str(one().pk))
    read_back(acme, agreed)
    assert one().started_at and going()
