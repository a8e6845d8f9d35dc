"""The letter of a roster: to a client's admins and its security contact, with a link that asks who they are."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from django.conf import settings
from visitors import visitor

from cast import MIA, House, do, person, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import Outcome, carry_out
from postroom.models import Change, Round
from postroom.worker import mail

AMY, CONTACT = "amy@acme.example", "security@acme.example"


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, EmailMessage]]]:
    """What our own submission was handed."""
    handed: list[tuple[str, EmailMessage]] = []

    def hand_in(to: str, letter: EmailMessage) -> Outcome:
        handed.append((to, letter))
        return Outcome([{"answer": "250 taken"}])

    monkeypatch.setattr(mail, "hand_in", hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:2587")
    yield handed


def test_who_administers_a_client_gets_a_link_that_opens_nothing_without_a_sign_in(
    house: House, post: list[tuple[str, EmailMessage]]
) -> None:
    do("people.invite", house.oskar, name="Amy", email=AMY, client="acme")
    do("grants.give", house.oskar, person=AMY, role="client admin", client="acme")
    do("clients.change", house.oskar, client="acme", security_contact=CONTACT)
    do("clients.change", house.oskar, client="acme", name="Acme <b>Inc</b>")
    change = do("rosters.open", SYSTEM, client="acme")
    assert change.stage == "applied"
    carry_out(str(change.pk), "mail")
    with acting_as(SYSTEM):
        assert Change.objects.get(pk=change.pk).stage == "verified"
    carl = "carl@northlight.example"
    assert sorted(to for to, _ in post) == sorted([AMY, CONTACT, carl])
    roster = the(Round, sort="roster")
    for _, letter in post:
        text = letter.get_content()
        assert "There are 2 of them" in text and MIA not in text and AMY not in text, "no list of people in a mail"
        assert f"/rosters/{roster.pk}/" in text and "Acme" not in str(letter["Subject"])
    link = f"/rosters/{roster.pk}/"
    assert visitor().get(link)["Location"] == f"/sign-in/?next={link.replace('/', '%2F')}"
    assert visitor(person(AMY, house.oskar)).get(link).status_code == 200
    carry_out(str(change.pk), "mail")
    assert len(post) == 3, "once each"


def test_a_roster_without_anybody_to_write_to_is_opened_all_the_same(
    house: House, post: list[tuple[str, EmailMessage]]
) -> None:
    change = do("rosters.open", SYSTEM, client="globex")
    assert change.stage == "verified" and post == []
