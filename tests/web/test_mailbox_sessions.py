"""Where her mailbox is open, who signed in, and the end of one or of all; and nothing of anybody else's."""

from __future__ import annotations

import re
import time

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from visitors import visitor

from cast import LINK, MIA, House, app_password, do, let_in, owner_of, redeemed, the
from mail_nodes import Node
from mailbox_owner import LEO, WORDS, owner, said, signs_in, taken
from postroom.access.acting import SYSTEM, NoSuchOwner, acting_as
from postroom.access.scope import visible
from postroom.changes.errors import Problems
from postroom.models import Change, Credential, Login, Mailbox, SignIn
from postroom.models.sign_ins import LiveSession
from postroom.queries.sessions import BEGAN
from sign_ins import also_in, listed, sign_in

PAGES = ("/mailbox/sessions/", "/mailbox/sign-ins/")


def text(browser: Client, url: str = "/mailbox/sessions/") -> str:
    answer = browser.get(url)
    assert answer.status_code == 200, answer["Location"]
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def joins(house: House, address: str, link: str) -> None:
    """Another mailbox, whose owner has set a secret."""
    do("mailboxes.create", house.olive, address=address, name="Another", contact="another@home.test")
    redeemed(address)
    assert link


def epoch() -> int:
    return the(Mailbox, address__address=MIA).access_epoch


def newest() -> Change:
    with acting_as(SYSTEM):
        return Change.objects.filter(kind="mailboxes.end_sessions").latest("id")


def test_she_reads_by_which_device_from_where_and_since_when(mia: Mailbox, mx1: Node) -> None:
    phone = app_password(MIA, "My <b>phone</b>")
    gone = app_password(MIA, "Old laptop")
    do("app_passwords.end", owner_of(MIA), app_password=str(gone.pk))
    taken(mx1)
    sign_in(address="192.0.2.7", credential=f"app:{phone.pk}", program="Thunderbird")
    sign_in(address="198.51.100.9", credential="main")
    listed("192.0.2.7", "198.51.100.9")
    also_in(MIA, "203.0.113.5", credential=f"app:{gone.pk}", protocol="submission")
    also_in(MIA, "", protocol="imap")
    browser = owner()
    page = text(browser)
    assert "<b>phone" not in browser.get("/mailbox/sessions/").content.decode()
    assert "My &lt;b&gt;phone&lt;/b&gt; reads mail with Thunderbird · from 192.0.2.7 · since" in page
    assert "The password of the mailbox reads mail · from 198.51.100.9" in page
    assert "Old laptop its app password has ended sends mail · from 203.0.113.5" in page
    assert "not known which password reads mail · from where is not known" in page
    assert "Browsers signed in to these pages This one 127.0.0.1" in page
    front = text(browser, "/mailbox/")
    assert "4 mail programs and this browser at these pages" in front and "Last signed in" in front


def test_nobody_is_said_only_where_the_node_has_just_listed_who_is_there(mia: Mailbox) -> None:
    browser = owner()
    assert "The mail server has never said it" in text(browser) and "unknown" in text(browser, "/mailbox/")
    listed("192.0.2.7", ago=61)
    page = text(browser)
    assert "unknown who is signed in now The mail server last said it" in page and "192.0.2.7" not in page
    listed()
    assert "None is signed in as the mail server said" in text(browser)


def test_who_signed_in_and_who_tried_page_by_page(mia: Mailbox) -> None:
    sign_in(credential="main", program="mutt")
    sign_in(address="203.0.113.66", success=False, times=7)
    sign_in(address="203.0.113.67", success=False, refused=True)
    browser = owner()
    page = text(browser, "/mailbox/sign-ins/")
    assert "refused: too many tries Somebody tried" in page and "from 203.0.113.67" in page
    assert "wrong password Somebody tried" in page and "7 times within an hour" in page
    assert "The password of the mailbox" in page and "reads mail with mutt" in page and "This was not me" in page
    assert "8 wrong passwords in seven days" in text(browser, "/mailbox/")
    for _ in range(30):
        sign_in(credential="main")
    first = browser.get("/mailbox/sign-ins/").content.decode()
    further = re.search(r"/mailbox/sign-ins/\?after=\d+", first)
    assert further and first.count('class="ln') == 25
    second = browser.get(further[0]).content.decode()
    assert second.count('class="ln') == 8 and "after=" not in second and "203.0.113.66" in second
    for odd in ("x", "9" * 30, "-1", "٣"):
        assert browser.get(f"/mailbox/sign-ins/?after={odd}").status_code == 200


def test_one_device_ends_and_goes_on_to_have_its_app_password(mia: Mailbox, mx1: Node, dovecot: object) -> None:
    phone = app_password(MIA, "Phone")
    taken(mx1)
    also_in(MIA, "192.0.2.7", credential=f"app:{phone.pk}")
    listed()
    also_in(MIA, "192.0.2.7", credential=f"app:{phone.pk}")
    browser, before = owner(), epoch()
    assert f'value="{phone.pk}"' in browser.get("/mailbox/sessions/").content.decode()
    answer = browser.post("/mailbox/sessions/", {"app_password": str(phone.pk)})
    assert answer.status_code == 200 and b"That device is signed out" in answer.content
    now = the(Credential, pk=phone.pk)
    assert (now.access_epoch, now.ended_at, epoch()) == (phone.access_epoch + 1, None, before)
    done = newest()
    assert (done.actor, done.mailbox_id, done.params["app_password"]) == ("owner", mia.pk, str(phone.pk))
    assert browser.get("/mailbox/").status_code == 200, "nothing else ended"


def test_an_app_that_was_let_in_is_named_and_signed_out_like_a_device(
    house: House, mia: Mailbox, mx1: Node, dovecot: object
) -> None:
    laptop, gone = let_in(house, MIA, "Laptop"), let_in(house, MIA, "Old phone")
    do("consents.end", owner_of(MIA), consent=str(gone.pk))
    taken(mx1)
    sign_in(address="192.0.2.7", credential=f"oauth:{laptop.pk}", program="Birdmail")
    sign_in(address="203.0.113.5", credential=f"oauth:{gone.pk}", protocol="submission")
    listed()
    also_in(MIA, "192.0.2.7", credential=f"oauth:{laptop.pk}")
    also_in(MIA, "203.0.113.5", credential=f"oauth:{gone.pk}", protocol="submission")
    also_in(MIA, "203.0.113.6", credential=f"oauth:{mia.pk}")
    browser = owner()
    page = text(browser)
    assert "Laptop reads mail" in page and "Old phone its app is let in no more sends mail · from 203.0.113.5" in page
    assert "An app that is let in no more reads mail · from 203.0.113.6" in page
    assert "app password" not in page and "oauth:" not in page
    history = text(browser, "/mailbox/sign-ins/")
    assert "Laptop" in history and "Old phone its app is let in no more" in history and "app password" not in history
    assert "Laptop its app stays let in, so it can sign in again" in page
    assert f'name="consent" value="{laptop.pk}"' in browser.get("/mailbox/sessions/").content.decode()
    answer = browser.post("/mailbox/sessions/", {"consent": str(laptop.pk)}).content.decode()
    assert "end what lets the app in" in answer and "app password" not in answer
    now = the(Credential, pk=laptop.pk)
    assert (now.access_epoch, now.ended_at) == (laptop.access_epoch + 1, None)
    assert newest().params["app_password"] == str(laptop.pk)
    assert "End app passwords, and mail apps that were let in, that you do not know" in text(browser, "/mailbox/safe/")


def test_all_of_it_ends_but_where_she_is(mia: Mailbox, mx1: Node, dovecot: object) -> None:
    browser, other = owner(), owner()
    before, key = epoch(), browser.session.session_key
    assert "2 browsers at these pages" in text(browser, "/mailbox/")
    answer = browser.post("/mailbox/sessions/", {})
    assert b"signed out everywhere else" in answer.content and epoch() == before + 1
    assert browser.get("/mailbox/").status_code == 200 and browser.session.session_key != key
    assert "This one" in text(browser) and "End it" not in text(browser)
    assert other.get("/mailbox/")["Location"] == "/mailbox/sign-in/"
    assert b'href="/mailbox/safe/"' in browser.post("/mailbox/sessions/", {"safe": "yes"}).content


def test_another_browser_ends_and_the_record_says_so(mia: Mailbox) -> None:
    browser, other = owner(), owner()
    (row,) = UserSession.objects.filter(session_key=other.session.session_key)
    assert browser.post("/mailbox/sessions/", {"browser": str(row.pk)})["Location"] == "/mailbox/sessions/"
    assert other.get("/mailbox/")["Location"] == "/mailbox/sign-in/" and browser.get("/mailbox/").status_code == 200
    assert said("session ended")[-1]["mailbox"] == MIA and said("session ended")[-1]["because"] == "ended by its owner"


def test_a_browser_that_would_not_be_let_in_is_none(house: House, mia: Mailbox, mx1: Node) -> None:
    other = owner()
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    do("mailboxes.resume", house.olive, mailbox=MIA)
    taken(mx1)
    browser = owner()
    assert UserSession.objects.filter(user__mailbox=mia).count() == 2, "its row is there until it is used"
    assert "this browser at these pages" in text(browser, "/mailbox/") and text(browser).count("This one") == 1
    third = owner()
    session = third.session
    session[BEGAN] = time.time() - 400 * 24 * 3600
    session.save()
    assert "this browser at these pages" in text(browser, "/mailbox/")
    assert other.get("/mailbox/")["Location"] == "/mailbox/sign-in/"


# Nobody else's: by the filter, by row security, and at every door.


@pytest.fixture
def others(house: House, mia: Mailbox, mx1: Node) -> None:
    """Leo at the same client, and Mia at another; each with a device, a session and a sign-in."""
    joins(house, LEO, LINK)
    for address, device in ((LEO, "Leo's phone"), ("mia@globex.example", "")):
        credential = f"app:{app_password(address, device).pk}" if device else "main"
        sign_in(address, address="198.51.100.77", credential=credential)
    taken(mx1)
    listed("192.0.2.7")
    sign_in(credential="main")
    for address in (LEO, "mia@globex.example"):
        also_in(address, "198.51.100.77")


def test_her_rows_are_hers_and_nobody_elses(house: House, mia: Mailbox, others: None) -> None:
    own = owner_of(MIA)
    with acting_as(own):
        for model in (SignIn, LiveSession):
            assert {one.mailbox_id for one in visible(own, model)} == {mia.pk}, "the filter"
            assert {one.mailbox_id for one in model.objects.all()} == {mia.pk}, "row security by itself"
    with acting_as(house.carl):
        for model in (SignIn, LiveSession):
            assert len({one.mailbox_id for one in model.objects.all()}) == 2, "there is more at the client"
    browser = owner()
    for url in (*PAGES, "/mailbox/", "/mailbox/record/"):
        page = text(browser, url)
        assert "198.51.100.77" not in page and "Leo" not in page, url


def test_what_is_not_hers_she_does_not_end(house: House, mia: Mailbox, others: None) -> None:
    leos = the(Credential, name="Leo's phone")
    browser = owner()
    with pytest.raises(Problems, match="no app password"):
        do("mailboxes.end_sessions", owner_of(MIA), mailbox=MIA, app_password=str(leos.pk))
    with pytest.raises(Problems, match="no mailbox"):
        do("mailboxes.end_sessions", owner_of(MIA), mailbox=LEO)
    answer = browser.post("/mailbox/sessions/", {"app_password": str(leos.pk)})
    assert answer.status_code == 409 and "Leo" not in answer.content.decode()
    assert the(Credential, pk=leos.pk).access_epoch == leos.access_epoch
    with pytest.raises(Problems, match="none of mia@acme"):
        do("mailboxes.end_sessions", house.olive, mailbox=MIA, app_password=str(leos.pk))
    with acting_as(SYSTEM):
        theirs = Login.objects.create(mailbox=Mailbox.objects.get(address__address=LEO), email="leo's")
    at_leos = visitor()
    at_leos.force_login(theirs, backend="postroom.web.mailbox_door.Owners")
    row = UserSession.objects.create(user=theirs, ip="198.51.100.77", session_key=at_leos.session.session_key)
    browser.post("/mailbox/sessions/", {"browser": str(row.pk)})
    assert UserSession.objects.filter(pk=row.pk).exists() and "198.51.100.77" not in text(browser)
    visitor(house.olive).get("/clients/")
    staff = UserSession.objects.exclude(user__mailbox=mia).exclude(pk=row.pk).first()
    if staff:
        browser.post("/mailbox/sessions/", {"browser": str(staff.pk)})
        assert UserSession.objects.filter(pk=staff.pk).exists()


def test_neither_a_client_viewer_nor_a_suspended_owner_gets_to_her_pages(house: House, mia: Mailbox) -> None:
    browser = owner()
    do("people.invite", house.oskar, name="Vera", email="vera@acme.example", client="acme")
    for who in (house.carl, house.olive):
        for url in PAGES:
            assert visitor(who).get(url)["Location"] == "/mailbox/sign-in/"
            assert visitor(who).post("/mailbox/sessions/", {})["Location"] == "/mailbox/sign-in/"
    before = epoch()
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    for url in PAGES:
        assert browser.get(url)["Location"] == "/mailbox/sign-in/"
    assert browser.post("/mailbox/sessions/", {})["Location"] == "/mailbox/sign-in/" and epoch() == before + 1
    for method in (visible, lambda actor, model: model.objects.all()):
        with pytest.raises(NoSuchOwner), acting_as(owner_of(MIA)) as access:
            method(access.actor, SignIn)
    assert signs_in(password=WORDS).status_code == 422


def test_the_pages_ask_a_fixed_number_of_times(mia: Mailbox, mx1: Node) -> None:
    browser = owner()
    for url in (*PAGES, "/mailbox/"):
        counts = set()
        for n in range(3):
            for _ in range(n * 5):
                sign_in(credential="main", address=f"192.0.2.{n}")
            for _ in range(n):
                owner()
            listed(*(f"192.0.2.{one}" for one in range(1, n * 5 + 2)))
            browser.get(url)
            with CaptureQueriesContext(connection) as found:
                assert browser.get(url).status_code == 200
            counts.add(len(found))
        assert len(counts) == 1, (url, counts)


def test_a_freeze_keeps_nobody_in(house: House, mia: Mailbox, mx1: Node) -> None:
    phone = app_password(MIA, "Phone")
    taken(mx1)
    browser = owner()
    do("freezes.start", house.olive, scope="acme", reason="an incident")
    assert b"That device is signed out" in browser.post("/mailbox/sessions/", {"app_password": str(phone.pk)}).content
    assert b"signed out everywhere else" in browser.post("/mailbox/sessions/", {}).content


def test_who_can_reset_it_is_named_where_it_is_her_own_people(house: House, mia: Mailbox) -> None:
    do("people.invite", house.oskar, name="Clara", email="clara@acme.example", client="acme")
    given = do("grants.give", house.oskar, person="clara@acme.example", role="client admin", client="acme")
    assert given.version, given.verdicts
    do("people.invite", house.oskar, name="Gregor", email="gregor@globex.example", client="globex")
    given = do("grants.give", house.oskar, person="gregor@globex.example", role="client admin", client="globex")
    assert given.version, given.verdicts
    page = text(owner(), "/mailbox/").partition("Who can reset this mailbox?")[2].partition("Ways back in")[0]
    assert "Clara client admin · can have a link sent" in page and "Gregor" not in page
    assert "1 × approver, 1 × client admin, 1 × helpdesk, 1 × operator, 1 × owner" in page, "Carl is the agency's"
    for name in ("Oskar", "Olive", "Ada", "Carl", "Henry", "Audrey", "auditor"):
        assert name not in page, name
