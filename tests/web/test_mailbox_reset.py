"""Back into a mailbox: by its recovery code, or a link to a recovery address; once each, and everybody hears of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from test_mailbox_owner import NEW, code_of, value
from visitors import visitor

from cast import MIA, House, do, kind, reasons, the, tick, together
from mail_nodes import Node
from mailbox_owner import LEO, WORDS, owner, said, signs_in, taken
from postroom.access import throttle
from postroom.access.acting import SYSTEM, Actor, acting_as, owner_at
from postroom.access.tokens import draw, mailbox_link
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.models import Invite, Letter, Mailbox, RecoveryChannel
from postroom.protocols import passwords
from postroom.worker import owner_letters

HOME = "mia@home.test"


@pytest.fixture
def code(mia: Mailbox, mx1: Node) -> str:
    drawn = code_of(owner().post("/mailbox/code/", {"old": WORDS}).content)
    taken(mx1)
    return drawn


def resets(code: str, address: str = MIA, new: str = NEW, browser: Client | None = None, **more: str) -> Any:
    sent = {"address": address, "code": code, "password": new, "again": new, **more}
    return (browser or visitor()).post("/mailbox/recover/", sent)


def test_by_the_code_once_with_another_one_shown(mia: Mailbox, code: str, sql: Any, mx1: Node) -> None:
    other = owner()
    browser = visitor()
    answer = resets(f" {code.upper().replace('-', ' ')} ", browser=browser)
    assert answer.status_code == 200, answer.content
    another = code_of(answer.content)
    assert another != code and passwords.fits(value(sql, "password"), NEW)
    assert browser.get("/mailbox/").status_code == 200 and other.get("/mailbox/").status_code == 302
    with acting_as(SYSTEM):
        told = set(Letter.objects.filter(says="mailbox got back").values_list("contact", flat=True))
    assert told == {MIA, "mia@home.test"}, "where the first link went hears of it too"
    assert resets(code).status_code == 422, "it was spent"
    assert resets(another, new="yet other plain words").status_code == 200
    assert said("signed in")[-1]["by"] == "the recovery code" and code not in str(said("secrets.reset"))


def test_one_code_in_fifty_hands_opens_once(mia: Mailbox, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postroom.access.throttle.Limit.__call__", lambda self, who, most=None: None)
    answers = together(*[lambda n=n: resets(code, new=f"{NEW} {n}").status_code for n in range(50)])  # type: ignore[misc]
    assert sorted(set(map(str, answers))) == ["200", "422"] and answers.count(200) == 1
    with acting_as(SYSTEM):
        assert Mailbox.objects.get(pk=mia.pk).access_epoch == mia.access_epoch + 1


def test_whatever_is_wrong_is_answered_alike(house: House, mia: Mailbox, code: str) -> None:
    do("mailboxes.create", house.olive, address=LEO, name="Leo")
    suspended = "ada@acme.example"
    do("mailboxes.create", house.olive, address=suspended, name="Ada")
    do("mailboxes.suspend", house.olive, mailbox=suspended)
    wrong = "abcde-abcde-abcde-abcde-abcde-abcde"
    pages = set()
    for address in (MIA, LEO, suspended, "nobody@acme.example", "nobody@nowhere.example"):
        answer = resets(wrong, address)
        pages.add((answer.status_code, _plain(answer, address)))
    assert len(pages) == 1
    assert resets(code, LEO).status_code == 422 and resets(wrong).status_code == 422, "a code is its own mailbox's"
    # What is said of the new password says nothing of the mailbox either: its client's name is weighed after the code.
    do("mailboxes.change", house.olive, mailbox=MIA, name="Quentin Harrowgate")
    known, unknown = (resets(wrong, address, new="Quentin Harrowgate") for address in (MIA, "zoe@acme.test"))
    assert _plain(known, MIA) == _plain(unknown, "zoe@acme.test")
    assert resets(code, new="Quentin Harrowgate").status_code == 422 and owner_at(MIA)
    assert len(said("recovery code failed")) >= 7 and wrong not in str(said("recovery code failed"))


def _plain(answer: Any, address: str) -> str:
    text = answer.content.decode().replace(f'value="{address}"', "")
    return str(text.partition("csrfmiddlewaretoken")[0] + text.partition('">')[2].partition("<label")[2])


def test_guessing_is_slowed_by_source_and_locks_nobody_out(mia: Mailbox, code: str) -> None:
    codes = [resets("wrong").status_code for _ in range(throttle.MAILBOX_RESET.most + 1)]
    assert codes[-1] == 429 and resets(code).status_code == 429
    browser = Client(SERVER_NAME="localhost", REMOTE_ADDR="192.0.2.80")
    assert resets(code, browser=browser).status_code == 200, "strangers lock nobody out"


def channel(house: House, sql: Any, address: str = HOME, *, days: int = 8, confirmed: int | None = 1) -> None:
    do("recovery_channels.name", house.olive, mailbox=MIA, value=address)
    at = "NULL" if confirmed is None else f"now() - interval '{confirmed} days'"
    sql("SELECT set_config('postroom.change', 'x', false)",
        f"UPDATE recovery_channels SET made = now() - interval '{days} days', confirmed_at = {at}"
        f" WHERE value = '{address}'")  # fmt: skip


def asks(address: str = MIA) -> Any:
    return visitor().post("/mailbox/recover/mail/", {"address": address})


def links() -> list[Invite]:
    tick(datetime.now(UTC) + timedelta(seconds=1))
    with acting_as(SYSTEM):
        return list(Invite.objects.filter(recovers="mailbox", used_at=None, ended_at=None).order_by("contact"))


def mailed(invite: Invite) -> str:
    """The link that the worker would mail, drawn as it draws it."""
    token, kept = draw()
    done = submit(kind("people.issue_recovery", recovery=str(invite.pk)), actor=SYSTEM, why="x", secrets={"link": kept})
    assert done.version, reasons(done)
    letter = owner_letters.back(invite, mailbox_link(token))
    assert letter["Subject"] == "The way back into a mailbox" and f"http://localhost:8480/mailbox/recover/{token}" in \
        letter.get_content()  # fmt: skip
    return f"/mailbox/recover/{token}"


def opened(link: str) -> Client:
    browser = visitor()
    assert browser.get(link)["Location"] == "/mailbox/recover/set/"
    return browser


def test_by_a_link_to_a_recovery_address_that_counts(house: House, mia: Mailbox, sql: Any) -> None:
    channel(house, sql)
    channel(house, sql, "young@home.test", days=6)
    channel(house, sql, "unread@home.test", confirmed=None)
    channel(house, sql, "old@home.test", days=400, confirmed=181)
    do("recovery_channels.name", house.olive, mailbox=MIA, value="+442079460123")
    assert asks().status_code == 200
    (invite,) = links()
    assert invite.contact == HOME
    link = mailed(invite)
    browser = opened(link)
    assert browser.get("/mailbox/recover/set/").status_code == 200
    assert browser.post("/mailbox/recover/set/", {"password": "short", "again": "short"}).status_code == 422
    answer = browser.post("/mailbox/recover/set/", {"password": NEW, "again": NEW})
    assert answer.status_code == 200 and code_of(answer.content) and passwords.fits(value(sql, "password"), NEW)
    assert browser.get("/mailbox/").status_code == 200
    with acting_as(SYSTEM):
        told = set(Letter.objects.filter(says="mailbox got back").values_list("contact", flat=True))
    assert {MIA, HOME, "old@home.test"} <= told, "the old addresses hear of it too"
    assert opened(link).get("/mailbox/recover/set/").status_code == 410, "it was spent"


def test_strangers_who_ask_again_void_and_put_off_nothing(house: House, mia: Mailbox, sql: Any) -> None:
    channel(house, sql)
    asks()
    (own,) = links()
    first, until = mailed(own), the(Invite, pk=own.pk).until
    held = opened(first)
    answers = [asks().status_code for _ in range(throttle.RECOVER_ADDRESS.most)]
    assert answers[-1] == 429, "and there are so many letters an hour, no more"
    others = [mailed(one) for one in links() if one.pk != own.pk]
    assert len(others) == throttle.RECOVER_ADDRESS.most - 1 and the(Invite, pk=own.pk).until == until
    assert all(opened(one).get("/mailbox/recover/set/").status_code == 200 for one in (first, *others))
    assert held.post("/mailbox/recover/set/", {"password": NEW, "again": NEW}).status_code == 200
    assert [opened(one).get("/mailbox/recover/set/").status_code for one in (first, *others)] == [410, 410, 410]


def test_of_several_links_in_many_hands_one_opens_once(house: House, mia: Mailbox, sql: Any) -> None:
    channel(house, sql)
    asks()
    asks()
    kept = [draw()[1] for _ in links()]
    for one, hashed in zip(links(), kept, strict=True):
        submit(kind("people.issue_recovery", recovery=str(one.pk)), actor=SYSTEM, why="x", secrets={"link": hashed})
    secrets = {"password": "x", "recovery code": "y"}
    done = together(
        *[lambda n=n: submit(KINDS["secrets.reset"](), actor=Actor(None, "x", "link", kept[n % 2]), why="x",
                             secrets=secrets) for n in range(24)]
    )  # fmt: skip
    assert len([one for one in done if getattr(one, "version", None)]) == 1, done


def test_a_link_is_void_when_what_it_was_asked_for_changed(house: House, mia: Mailbox, sql: Any, mx1: Node) -> None:
    channel(house, sql)
    asks()
    held = opened(mailed(links()[0]))
    taken(mx1)
    browser = owner()
    assert browser.post("/mailbox/password/", {"old": WORDS, "password": NEW, "again": NEW}).status_code == 200
    assert held.post("/mailbox/recover/set/", {"password": NEW + "x", "again": NEW + "x"}).status_code == 410
    assert passwords.fits(value(sql, "password"), NEW)


def test_a_link_is_good_for_an_hour_and_for_this_alone(house: House, mia: Mailbox, sql: Any) -> None:
    channel(house, sql)
    asks()
    link = mailed(links()[0])
    token = link.rpartition("/")[2]
    for elsewhere, page in (("/invite/", "/invite/"), ("/recover/", "/recover/set/"), ("/not-me/", "/not-me/")):
        browser = visitor()
        browser.get(elsewhere + token)
        assert browser.get(page).status_code == 410, elsewhere
    for late, code in ((59, 200), (61, 410)):
        change = "SELECT set_config('postroom.change', 'x', false)"
        sql(change, f"UPDATE invites SET until = now() + interval '{60 - late} minutes' WHERE recovers = 'mailbox'")
        assert opened(link).get("/mailbox/recover/set/").status_code == code


def test_every_address_is_answered_alike_with_the_same_work(house: House, mia: Mailbox, sql: Any) -> None:
    channel(house, sql)
    pages, counts = set(), set()
    for address in (MIA, "nobody@acme.example", "nobody@nowhere.example"):
        with CaptureQueriesContext(connection) as queries:
            answer = asks(address)
        pages.add((answer.status_code, answer.content))
        counts.add(len(queries))
    assert len(pages) == 1 and len(counts) == 1 and asks("no address").status_code == 422
    assert [one.contact for one in links()] == [HOME]


def test_a_link_works_once_in_many_hands(house: House, mia: Mailbox, sql: Any) -> None:
    channel(house, sql)
    asks()
    kept = draw()[1]
    submit(kind("people.issue_recovery", recovery=str(links()[0].pk)), actor=SYSTEM, why="x", secrets={"link": kept})
    actor = Actor(None, "x", "link", kept)
    secrets = {"password": "x", "recovery code": "y"}
    done = together(
        *[lambda: submit(KINDS["secrets.reset"](), actor=actor, why="x", secrets=secrets) for _ in range(8)]
    )
    assert len([one for one in done if getattr(one, "version", None)]) == 1, done


def test_what_could_leak_is_shown_to_be_known_or_not(house: House, mia: Mailbox, code: str) -> None:
    do("aliases.create", house.carl, address="copy@acme.example", targets=[MIA])
    do("recovery_channels.name", house.olive, mailbox=MIA, value="evil@home.test")
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H")
    browser = visitor()
    assert resets(code, browser=browser).status_code == 200
    page = browser.get("/mailbox/recent/").content.decode()
    assert "Another address brings" in page and "Carl" in page and "Olive" in page and "Its name" not in page
    assert "/mailbox/doubt/?entry=" in page and "I know all of them" in page
    assert "do you know them?" in browser.get("/mailbox/").content.decode()
    assert browser.post("/mailbox/recent/", {}).status_code == 200
    assert said("recent changes known")[-1]["mailbox"] == MIA
    assert "Nothing new leads your mail" in browser.get("/mailbox/").content.decode()


def test_her_recovery_does_not_reset_a_suspended_mailbox(house: House, mia: Mailbox, code: str, sql: Any) -> None:
    channel(house, sql)
    asks()
    link = mailed(links()[0])
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    assert resets(code).status_code == 422 and opened(link).get("/mailbox/recover/set/").status_code == 410
    asks()
    assert owner_at(MIA) is None and signs_in().status_code == 422
    with acting_as(SYSTEM):
        assert RecoveryChannel.objects.filter(mailbox=mia).count() == 1
    assert the(Mailbox, pk=mia.pk).suspended_at
