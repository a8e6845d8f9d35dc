"""A mailbox's owner signs in with its own password: what that opens, what it never opens, and when it is over."""

from __future__ import annotations

import time
from threading import Event, Thread

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from visitors import PASSWORD, login, visitor

from cast import MIA, House, do, person, with_consent
from fake_dovecot import FakeDovecot
from mail_nodes import Node
from mailbox_owner import LEO, WORDS, owner, said, signs_in, taken
from postroom.access import throttle
from postroom.access.acting import SYSTEM, Actor, NoSuchOwner, acting_as, owner_at
from postroom.access.scope import visible
from postroom.environment import Environment
from postroom.models import Address, Alias, Invite, Login, Mailbox, Secret
from postroom.models import Client as ClientRow
from postroom.web import mailbox_sign_in


def opens(browser: Client) -> bool:
    return bool(browser.get("/mailbox/").status_code == 200)


def test_she_signs_in_and_out_and_the_record_says_so(mia: Mailbox) -> None:
    browser = owner()
    page = browser.get("/mailbox/").content.decode()
    assert MIA in page and "Acme" in page and "Northlight" in page and WORDS not in page
    (entry,) = [one for one in said("signed in") if one.get("mailbox")]
    assert entry["mailbox"] == MIA and entry["client_id"] == str(mia.client_id) and entry["source"] == "127.0.0.1"
    assert WORDS not in str(entry)
    assert browser.post("/mailbox/sign-out/").status_code == 200
    assert said("signed out")[-1]["mailbox"] == MIA and not opens(browser)


def test_whatever_is_wrong_is_answered_alike(house: House, mia: Mailbox, dovecot: FakeDovecot) -> None:
    do("mailboxes.create", house.olive, address=LEO, name="Leo")
    dovecot.says = lambda address, password: f"FAIL\tuser={address}"
    pages = set()
    for address in (
        MIA,
        LEO,
        "nobody@acme.example",
        "nobody@nowhere.example",
        "",
        "not an address",
        "'; --@acme.example",
    ):
        answer = signs_in(address, "guessed")
        assert answer.status_code == 422
        typed = answer.content.decode().replace("&#x27;", "'").replace(f'value="{address}"', "")
        pages.add(typed.partition("csrfmiddlewaretoken")[0] + typed.partition("</form>")[2])
    assert len(pages) == 1
    assert len(dovecot.asked) == 7, "the mail node is asked of each, so that each takes as long"
    failed = said("sign-in failed")
    assert len(failed) == 7 and [one["mailbox"] for one in failed if one.get("mailbox")] == [MIA, LEO]
    assert "guessed" not in str(failed) and "nobody" not in str(failed)


def test_a_refusal_leaves_at_a_tick_whatever_was_looked_at() -> None:
    for came, now in ((5.0, 6.05), (5.0, 6.11), (5.0, 6.9)):
        slept: list[float] = []
        mailbox_sign_in.wait(came, lambda now=now: now, slept.append)  # type: ignore[misc]
        assert now + slept[0] == pytest.approx(7.0)


def test_an_owner_sees_the_mailbox_and_nothing_else(house: House, mia: Mailbox) -> None:
    do("mailboxes.create", house.olive, address=LEO, name="Leo")
    do("aliases.create", house.olive, address="info@acme.example", targets=[LEO])
    own = owner_at(MIA)
    assert own
    with acting_as(Actor(None, "x", "owner", mailbox=mia.pk, epoch=own.epoch)) as access:
        for rows in (lambda model: model.objects.all(), lambda model: visible(access.actor, model)):
            assert {one.pk for one in rows(Mailbox)} == {mia.pk}
            assert {one.pk for one in rows(Address)} == {mia.address_id}
            assert {one.owner_row for one in rows(Secret)} == {mia.pk}
            assert {one.mailbox_id for one in rows(Invite)} == {mia.pk}
            assert not rows(Alias).exists() and not rows(ClientRow).exists()
        with connection.cursor() as cursor:
            cursor.execute("SELECT (SELECT count(*) FROM changes) + (SELECT count(*) FROM entries) + (SELECT count(*)"
                           " FROM people) + (SELECT count(*) FROM edits)")  # fmt: skip
            assert cursor.fetchone() == (0,)


def test_no_undo_makes_a_session_good_again_that_had_ended(house: House, mia: Mailbox) -> None:
    browser = owner()
    suspended = do("mailboxes.suspend", house.olive, mailbox=MIA)
    undone = do("history.roll_back", house.olive, change=str(suspended.pk))
    assert undone.version, undone.verdicts
    assert not opens(browser) and owner_at(MIA), "the mailbox is open again; the session from before is not"


@pytest.mark.parametrize("ends", ["suspended", "epoch", "removed", "client", "domain"])
def test_the_session_is_over_as_soon_as_the_access_is(house: House, mia: Mailbox, ends: str) -> None:
    browser = owner()
    assert opens(browser)
    if ends == "suspended":
        do("mailboxes.suspend", house.olive, mailbox=MIA)
    elif ends == "client":
        assert do("clients.suspend", house.oskar, client="acme").version
    elif ends == "domain":
        assert do("domains.suspend", house.oskar, domain="acme.example").version
    elif ends == "removed":
        with_consent(house, do("mailboxes.remove", house.olive, mailbox=MIA))
    else:
        do("mailboxes.suspend", house.olive, mailbox=MIA)
        do("mailboxes.resume", house.olive, mailbox=MIA)
    assert browser.get("/mailbox/")["Location"] == "/mailbox/sign-in/"
    assert said("session ended")[-1]["because"] == "the mailbox's access ended"
    with pytest.raises(NoSuchOwner), acting_as(Actor(None, "x", "owner", mailbox=mia.pk, epoch=None)):
        pass


def test_a_password_that_the_node_has_not_taken_yet_signs_nobody_in(house: House, mia: Mailbox, mx1: Node) -> None:
    """Else the old one would open a session that outlives it."""
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=77)
    answer = signs_in()
    assert answer.status_code == 409 and b"on its way" in answer.content
    taken(mx1)
    assert signs_in()["Location"] == "/mailbox/"


def test_what_is_no_answer_is_no_sign_in(mia: Mailbox, dovecot: FakeDovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    dovecot.says = lambda address, password: "FAIL\tuser=x\ttemp"
    assert signs_in().status_code == 503
    monkeypatch.setattr(settings, "POSTROOM", Environment({**settings.POSTROOM.values, "MAILBOX_AUTH": None}))
    assert signs_in().status_code == 503


def test_whoever_guesses_keeps_no_owner_waiting_who_is_signed_in(mia: Mailbox, dovecot: FakeDovecot) -> None:
    browser = owner()
    assert mailbox_sign_in.asking.acquire(timeout=0) and mailbox_sign_in.asking.acquire(timeout=0)
    try:
        assert signs_in().status_code == 503
        assert browser.post("/mailbox/code/", {"old": WORDS}).status_code == 200
        assert browser.post("/mailbox/code/", {"old": "guessed"}).status_code == 422
    finally:
        mailbox_sign_in.asking.release(2)


def test_owners_who_are_signed_in_leave_threads_for_the_pages(mia: Mailbox, dovecot: FakeDovecot) -> None:
    browser = owner()
    assert mailbox_sign_in.again.acquire(timeout=0) and not mailbox_sign_in.again.acquire(timeout=0)
    try:
        assert browser.post("/mailbox/code/", {"old": WORDS}).status_code == 503 and signs_in().status_code == 302
    finally:
        mailbox_sign_in.again.release()


@pytest.mark.parametrize(("first", "second", "answered"), [
    ("192.0.2.7", "192.0.2.7", 503), ("2001:db8:1:2::1", "2001:db8:1:2::ffff", 503), ("192.0.2.7", "192.0.2.8", 302),
    ("127.0.0.1", "127.0.0.1", 302),
])  # fmt: skip
def test_one_source_takes_one_slot_at_most(
    mia: Mailbox, dovecot: FakeDovecot, monkeypatch: pytest.MonkeyPatch, first: str, second: str, answered: int
) -> None:
    """Behind a proxy on this machine everybody is one source, which so is none."""
    monkeypatch.setattr(mailbox_sign_in, "PATIENCE", 0.05)
    guessing, over = Event(), Event()

    def keeps_waiting(address: str, password: str) -> str:
        if password == "guessed":
            guessing.set()
            over.wait(20)
            return f"FAIL\tuser={address}"
        return f"OK\tuser={address}\tcred=main\tgen=3"

    dovecot.says = keeps_waiting
    guesser = Thread(target=lambda: (_from(first, "guessed"), connection.close()))
    guesser.start()
    try:
        assert guessing.wait(20)
        assert _from(second, WORDS) == answered
    finally:
        over.set()
        guesser.join()
    assert not mailbox_sign_in.at_it and _from(second, WORDS) == 302


def _from(source: str, password: str) -> int:
    browser = Client(SERVER_NAME="localhost", REMOTE_ADDR=source)
    return int(browser.post("/mailbox/sign-in/", {"address": MIA, "password": password}).status_code)


def test_many_at_once_leave_threads_for_the_pages(mia: Mailbox, dovecot: FakeDovecot) -> None:
    assert mailbox_sign_in.asking.acquire(timeout=0) and mailbox_sign_in.asking.acquire(timeout=0)
    try:
        assert signs_in().status_code == 503 and dovecot.asked == []
    finally:
        mailbox_sign_in.asking.release(2)
    assert signs_in().status_code == 302


def test_a_source_is_not_let_ask_for_ever(mia: Mailbox, dovecot: FakeDovecot) -> None:
    codes = [signs_in(password="guessed").status_code for _ in range(throttle.MAILBOX_SIGN_IN.most + 1)]
    assert codes[:-1] == [422] * throttle.MAILBOX_SIGN_IN.most and codes[-1] == 429
    assert len(dovecot.asked) == throttle.MAILBOX_SIGN_IN.most
    with acting_as(SYSTEM):
        assert visitor(REMOTE_ADDR="192.0.2.9").post("/mailbox/sign-in/", {"address": MIA, "password": WORDS})


def test_her_session_opens_no_page_of_people_and_theirs_not_hers(house: House, mia: Mailbox) -> None:
    browser = owner()
    for page in ("/", "/clients/", "/account/", "/account/sessions/", "/account/2fa/totp/activate/", "/sign-in/"):
        assert browser.get(page, follow=True).redirect_chain[-1] == ("/mailbox/", 302), page
    assert browser.get("/api/v1/clients").status_code == 401
    assert visitor(house.oskar).get("/mailbox/")["Location"] == "/mailbox/sign-in/"
    assert visitor().get("/mailbox/")["Location"] == "/mailbox/sign-in/"
    assert visitor().post("/mailbox/sign-out/")["Location"] == "/mailbox/sign-in/"


def test_a_login_is_a_persons_or_a_mailboxs(house: House, mia: Mailbox) -> None:
    """A person with the same address has a login of their own, and neither password opens the other's."""
    do("people.invite", house.oskar, name="Mia", email=MIA, client="acme")
    login(person(MIA, house.oskar), PASSWORD)
    owner()
    assert Login.objects.filter(email=MIA, mailbox=None).count() == 1
    theirs = Login.objects.get(mailbox=mia)
    assert not theirs.has_usable_password() and theirs.person_id is None
    assert visitor().post("/sign-in/", {"login": MIA, "password": WORDS}).status_code == 200
    assert visitor().post("/sign-in/", {"login": theirs.email, "password": WORDS}).status_code == 200
    assert signs_in(password=PASSWORD).status_code == 422
    for both in ({"person_id": house.olive.person, "mailbox": mia}, {}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Login.objects.create(email=f"both{len(both)}@acme.example", **both)


def test_a_forged_form_signs_nobody_in(mia: Mailbox) -> None:
    browser = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    assert browser.post("/mailbox/sign-in/", {"address": MIA, "password": WORDS}).status_code == 403


def test_the_key_of_the_session_is_another_one_after_the_sign_in(mia: Mailbox) -> None:
    browser = visitor()
    session = browser.session
    session["x"] = 1
    session.save()
    before = session.session_key
    signs_in(browser=browser)
    assert browser.session.session_key != before


def test_a_day_is_the_most_it_lasts(mia: Mailbox) -> None:
    browser = owner()
    session = browser.session
    session["began"] = time.time() - settings.POSTROOM.session_hours * 3600 - 1
    session.save()
    assert not opens(browser)
