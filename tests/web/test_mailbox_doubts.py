"""*I do not know this*, at her own page: one entry, what comes of it, and the five steps after it."""

from __future__ import annotations

import re

from django.test import Client
from visitors import visitor

from cast import MIA, House, do, doubted, newest_of, the
from mail_nodes import Node
from mailbox_owner import LEO, owner, said, taken
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Change, Doubt, Mailbox, RecordedEdit
from postroom.posture import run
from postroom.posture.checks.not_known import NOT_KNOWN


def text(answer: object) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())  # type: ignore[attr-defined]


def page(browser: Client, url: str) -> str:
    answer = browser.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return text(answer)


def test_she_says_it_of_one_entry_and_reads_what_to_do(house: House, mia: Mailbox, mx1: Node) -> None:
    do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA])
    taken(mx1)
    browser = owner()
    with acting_as(SYSTEM):
        before = Change.objects.count()
    link = re.search(r"/mailbox/doubt/\?entry=(\d+)", browser.get("/mailbox/recent/").content.decode())
    assert link
    asked = page(browser, link[0])
    assert "Another address brings its mail here" in asked and "Acme and whoever runs its mail look into it" in asked
    with acting_as(SYSTEM):
        assert Change.objects.count() == before, "looking changes nothing"
    answer = text(browser.post(link[0]))
    for step in ("Sign out everywhere else", "Choose another password", "End app passwords", "ways back in",
                 "another recovery code"):  # fmt: skip
        assert step in answer
    assert the(Doubt).entry == int(link[1])
    assert text(browser.post(link[0])) == answer, "said twice is said once"
    record = page(browser, "/mailbox/record/")
    assert "you do not know it" in record and "One change you do not know" in page(browser, "/mailbox/")
    assert "I know all of them" not in page(browser, "/mailbox/recent/")
    do("doubts.settle", house.carl, doubt=str(the(Doubt).pk), outcome="asked for by <Zoe>")
    record = page(browser, "/mailbox/record/")
    assert "found out: asked for by &lt;Zoe&gt;" in record and "you do not know it" not in record
    assert "One change you do not know" not in page(browser, "/mailbox/")


def test_what_is_no_entry_of_hers_is_told_alike(house: House, mia: Mailbox) -> None:
    do("mailboxes.create", house.olive, address=LEO, name="Leo", contact="leo@home.test")
    with acting_as(SYSTEM):
        leos = Change.objects.filter(kind="mailboxes.create").latest("id")
    browser = owner()
    answers = set()
    for number in (_entry_of(leos), 999_999_999):
        for ask in (browser.get, browser.post):
            told = ask(f"/mailbox/doubt/?entry={number}")
            answers.add((ask.__name__, told.status_code, text(told).replace(str(number), "")))
    assert len(answers) == 2 and {code for _, code, _ in answers} == {404, 409}
    for odd in ("", "x", "0", "-1", "9" * 40, "1.5", "٣"):
        assert browser.get(f"/mailbox/doubt/?entry={odd}").status_code == 404
        assert browser.post(f"/mailbox/doubt/?entry={odd}").status_code in (404, 409)
    with acting_as(SYSTEM):
        assert not Doubt.objects.exists()
    assert visitor(house.olive).get("/mailbox/doubt/?entry=1")["Location"] == "/mailbox/sign-in/"


def _entry_of(change: Change) -> int:
    with acting_as(SYSTEM):
        return int(RecordedEdit.objects.filter(table="changes", row=change.pk).latest("entry_id").entry_id)


def test_the_finding_leads_to_the_act_that_settles_it(house: House, mia: Mailbox) -> None:
    do("mailboxes.change", house.oskar, mailbox=MIA, quota_mb=88)
    doubt = doubted(MIA)
    run.run(NOT_KNOWN)
    for who in (house.olive, house.carl):
        desk = visitor(who)
        listed = desk.get("/findings/").content.decode()
        at = re.search(r"/findings/[0-9a-f-]{36}/", listed)
        assert at and "does not know what was done to it" in listed
        shown = desk.get(at[0]).content.decode()
        assert f"/do/doubts.settle/?doubt={doubt.pk}" in shown and f'href="/audit/{doubt.entry}/"' in shown
    form = visitor(house.carl).get(f"/do/doubts.settle/?doubt={doubt.pk}").content.decode()
    assert "Settle what an owner did not know" in form and str(newest_of(MIA))
    assert "/do/doubts.settle" not in visitor(house.henry).get("/do/").content.decode()


def test_it_stands_in_her_story_and_is_nothing_to_doubt_itself(mia: Mailbox) -> None:
    doubted(MIA)
    browser = owner()
    record = browser.get("/mailbox/record/").content.decode()
    own = record[record.index("You said that you do not know") :].partition("</li>")[0]
    assert "/mailbox/doubt/" not in own and not said("recent changes not known")
