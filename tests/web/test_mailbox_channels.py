"""The owner names and ends ways back in on her own page: with her password, and told of to everybody concerned."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cast import MIA, House, do, reachable, the
from mailbox_owner import WORDS, owner
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Letter, Mailbox, RecoveryChannel

NEW, END = "/mailbox/ways-back/new/", "/mailbox/ways-back/end/"
VALUE = "mia@private.test"


def alive() -> list[RecoveryChannel]:
    with acting_as(SYSTEM):
        return list(RecoveryChannel.objects.filter(ended_at=None).order_by("id"))


def test_she_names_one_and_ends_it_and_each_is_told_of(mia: Mailbox) -> None:
    browser = owner()
    assert browser.get(NEW).status_code == 200
    done = browser.post(NEW, {"value": VALUE, "name": "Mia, at home", "old": WORDS})
    assert done.status_code == 302, done.content
    (one,) = alive()
    assert (one.value, one.name, one.mailbox_id, one.confirmed_at) == (VALUE, "Mia, at home", mia.pk, None)
    page = browser.get("/mailbox/").content.decode()
    assert VALUE in page and "nobody has confirmed" in page
    assert browser.get(f"{END}?channel={one.pk}").status_code == 200
    assert browser.post(f"{END}?channel={one.pk}", {"old": WORDS}).status_code == 302
    assert alive() == []
    with acting_as(SYSTEM):
        told = set(Letter.objects.filter(mailbox=mia.pk).values_list("says", "contact"))
    assert {contact for _, contact in told} == {MIA, VALUE} and len({says for says, _ in told}) == 2


def test_of_those_that_count_too_she_reads_how_old_they_are(mia: Mailbox, house: House) -> None:
    named = reachable(house, MIA, VALUE, link="a" * 64, ago=timedelta(days=8)).made
    page = owner().get("/mailbox/").content.decode()
    assert f"counts: named 8 days ago, on {named:%d %b %Y}; confirmed 8 days ago" in page
    reachable(house, MIA, "young@private.test", link="b" * 64, ago=timedelta(days=6))
    assert "named 6 days ago, counts from" in owner().get("/mailbox/").content.decode()


def test_whoever_only_finds_a_browser_signed_in_names_and_ends_none(mia: Mailbox, house: House) -> None:
    browser = owner()
    wrong = browser.post(NEW, {"value": VALUE, "old": "not it, but long enough"})
    assert wrong.status_code == 422 and b"not the password" in wrong.content and alive() == []
    do("recovery_channels.name", house.olive, mailbox=MIA, value=VALUE)
    (one,) = alive()
    assert browser.post(f"{END}?channel={one.pk}", {"old": ""}).status_code == 422 and alive() == [one]


@pytest.mark.parametrize("value", ["", "no address", MIA, "12"])
def test_what_leads_nowhere_is_said_at_its_field(mia: Mailbox, value: str) -> None:
    answer = owner().post(NEW, {"value": value, "old": WORDS})
    assert answer.status_code == 422 and b"aria-invalid" in answer.content and alive() == []


def test_another_mailboxs_is_not_there(mia: Mailbox, house: House) -> None:
    do("mailboxes.create", house.olive, address="lea@acme.example")
    do("recovery_channels.name", house.olive, mailbox="lea@acme.example", value="lea@private.test")
    (one,) = alive()
    browser = owner()
    assert browser.get(f"{END}?channel={one.pk}").status_code == 404
    assert browser.get(f"{END}?channel=nothing").status_code == 404
    assert browser.post(f"{END}?channel={one.pk}", {"old": WORDS}).status_code == 422 and alive() == [one]
    assert "lea@private.test" not in browser.get("/mailbox/").content.decode()


def test_a_vips_own_word_is_enough_for_her_own(mia: Mailbox, house: House) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    assert owner().post(NEW, {"value": VALUE, "old": WORDS}).status_code == 302
    assert [one.value for one in alive()] == [VALUE]
    assert do("recovery_channels.name", house.olive, mailbox=MIA, value="x@private.test").stage == "held"
    assert the(RecoveryChannel, value=VALUE).mailbox_id == mia.pk
