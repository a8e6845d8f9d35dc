"""The page of a verified reset: its clock, channels graded and greyed, what is proven and missing; without script."""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from visitors import visitor

from api.conftest import Caller
from cast import MIA, House, do, reachable, redeemed, the
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.changes.carry import Outcome, attempt
from postroom.models import Change, Delivery, Proof, RecordedEdit, RecoveryChannel, ResetCode, Verification
from postroom.worker import mail

HOME, NUMBER, YOUNG = "mia@home.example", "+442079460123", "mia@new.example"


@pytest.fixture
def session(house: House) -> str:
    """Mia's: a number and an address that count, an address that is too young; Henry started it, by the form."""
    do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.example")
    redeemed(MIA)
    for value, link, days in ((HOME, "a", 8), (NUMBER, "b", 8), (YOUNG, "c", 6)):
        reachable(house, MIA, value, link=link * 64, ago=timedelta(days=days))
    do("resets.start", house.henry, mailbox=MIA, ticket="T-7")
    return str(the(Verification).pk)


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> dict[str, EmailMessage]:
    handed: dict[str, EmailMessage] = {}

    def hand_in(to: str, letter: EmailMessage) -> Outcome:
        handed[to] = letter
        return Outcome([{"answer": "250 taken"}])

    monkeypatch.setattr(mail, "hand_in", hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:2587")
    return handed


def looked(house: House, session: str, by: Actor | None = None) -> str:
    answer = visitor(by or house.henry).get(f"/resets/{session}/")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def asked(browser: Any, session: str, value: str = HOME) -> Any:
    return browser.post(f"/resets/{session}/ask/", {"channel": str(the(RecoveryChannel, value=value).pk)})


def mailed(post: dict[str, EmailMessage]) -> str:
    """The letter of the newest code; the digits in it."""
    with acting_as(SYSTEM):
        code = ResetCode.objects.latest("id")
        change = Change.objects.filter(kind="resets.ask_code").latest("id")
        (delivery,) = Delivery.objects.filter(change=change, target="mail", object=code.pk)
    attempt(change.pk, delivery)
    found = re.search(r"^ {2}(\d{4} \d{4})$", post[HOME].get_content(), re.MULTILINE)
    assert found, post[HOME].get_content()
    return found[1]


def typed(browser: Any, session: str, said: str) -> Any:
    return browser.post(f"/resets/{session}/code/", {"said": said})


def test_a_code_is_mailed_read_out_and_typed_and_the_link_is_offered(
    house: House, session: str, post: dict[str, EmailMessage]
) -> None:
    henry = visitor(house.henry)
    page = looked(house, session)
    assert "Mail a code" in page and "data-left=" in page and "min" in page and "until" in page
    assert 'name="said"' not in page, "there is nothing to read out yet"
    assert asked(henry, session)["Location"] == f"/resets/{session}/"
    assert "not handed over yet" in looked(house, session)
    digits = mailed(post)
    page = looked(house, session)
    sent = the(ResetCode).sent_at
    assert sent and f"A code was sent at {sent:%H:%M:%S} UTC, and is good for 60 seconds" in page
    assert "Mail may take longer" in page and "4 of 5 are left" in page and "Mail another code" in page
    assert 'name="said"' in page and digits not in page and digits.replace(" ", "") not in page
    assert typed(henry, session, digits)["Location"] == f"/resets/{session}/"
    page = looked(house, session)
    assert "A code was read out" in page and "its link may be sent until" in page and 'name="said"' not in page
    assert "Send the link" in looked(house, session, house.olive) and "Send the link" not in page, "not the helpdesk's"


def test_the_code_is_in_the_text_of_one_letter_and_nowhere_else(
    house: House, session: str, post: dict[str, EmailMessage]
) -> None:
    asked(visitor(house.henry), session)
    digits = mailed(post)
    letter = post[HOME]
    assert (
        digits[:4] not in str(letter["Subject"])
        and MIA in letter.get_content()
        and "one minute" in letter.get_content()
    )
    pages = [looked(house, session, by) for by in (house.henry, house.olive, house.carl)]
    with acting_as(SYSTEM):
        changes = list(Change.objects.filter(kind__startswith="resets.").values_list("pk", flat=True))
        stood = [str(one.__dict__) for one in (*RecordedEdit.objects.all(), *Delivery.objects.all())]
    pages += [visitor(house.olive).get(f"/changes/{one}/").content.decode() for one in changes]
    assert len(changes) >= 3
    for secret in (digits, digits.replace(" ", "")):
        assert not any(secret in one for one in (*pages, *stood))


def test_a_wrong_one_is_said_and_counted_and_the_third_locks(
    house: House, session: str, post: dict[str, EmailMessage]
) -> None:
    henry = visitor(house.henry)
    asked(henry, session)
    digits = mailed(post).replace(" ", "")
    for said in ("no code", f"{(int(digits) + 1) % 10**8:08d}", ""):
        assert typed(henry, session, said).status_code == 302
    page = looked(house, session)
    assert page.count("wrong</span>") + page.count("> wrong<") >= 3 or page.count("wrong") >= 4
    assert "Locked until" in page and "3 of 3 within the hour" in page and "Mail a" not in page
    late = typed(henry, session, digits)
    assert late.status_code == 409 and "stands in the record" in late.content.decode()
    with acting_as(SYSTEM):
        assert Proof.objects.filter(good=False).count() == 3
        assert Change.objects.filter(kind="resets.enter_code").count() == 4


def test_channels_are_graded_and_greyed_with_the_date_from_when_they_count(house: House, session: str) -> None:
    page = looked(house, session)
    number, home, young = (
        page.index(f"<code>{value}</code>", page.index("Channels")) for value in (NUMBER, HOME, YOUNG)
    )
    assert number < home < young, "the strong ones first"
    young_line = page[page.rindex("<li", 0, young) : page.index("</li>", young)]
    counts = the(RecoveryChannel, value=YOUNG).made + timedelta(days=7)
    assert 'class="ln off"' in young_line and "named 6 days ago" in young_line and f"{counts:%d %b %Y}" in young_line
    assert "Mail a code" not in young_line and "does not count" in young_line
    home_line = page[page.rindex("<li", 0, home) : page.index("</li>", home)]
    assert "weakest" in home_line and "Mail a code" in home_line
    assert "An authenticator of its owner" in page and "not offered" in page
    refused = asked(visitor(house.henry), session, YOUNG)
    assert refused.status_code == 409 and "named 6 days ago" in refused.content.decode()


def test_what_is_missing_and_who_may_give_it_never_who_started_it(house: House, session: str) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    page = looked(house, session)
    assert "Two independent proofs" in page and "15 minutes" in page and "0 of 2 proven" in page
    givers = page[page.index("Who may prove something") :]
    assert "Olive" in givers and "Carl" in givers and "vouches" in givers and "Henry" not in givers
    assert "Record a call-back" not in page, "Henry started it"
    assert "Record a call-back" in looked(house, session, house.olive)
    assert "Vouch…" in looked(house, session, house.carl) and "Vouch…" not in looked(house, session, house.olive)
    number = str(the(RecoveryChannel, value=NUMBER).pk)
    assert do("resets.record_call", house.olive, verification=session, channel=number, answer="right").version
    page = looked(house, session)
    assert "One more proof, another way" in page and "said by Olive" in page and "1 of 2 proven" in page
    assert "has proven something in it already" in page


def test_the_form_of_a_start_leads_to_it_and_so_does_the_mailbox(house: House, session: str) -> None:
    olive = visitor(house.olive)
    page = olive.get(f"/mailboxes/{MIA}/").content.decode()
    assert f"/resets/{session}/" in page and "Start verified reset" not in page
    do("resets.end", house.henry, verification=session)
    assert "Start verified reset" in olive.get(f"/mailboxes/{MIA}/").content.decode()
    form = {"mailbox": MIA, "ticket": "T-8"}
    text = olive.post("/do/resets.start/", {**form, "why": "she called"}).content.decode()
    kept = text.split('aria-labelledby="h-send"')[1].split("</form>")[0]
    sent = olive.post("/do/resets.start/", dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', kept)))
    with acting_as(SYSTEM):
        newest = Verification.objects.latest("id")
    assert str(newest.pk) != session and sent["Location"] == f"/resets/{newest.pk}/"


def test_another_clients_admin_and_a_stranger_see_none_of_it(house: House, session: str) -> None:
    do("people.invite", house.oskar, name="Gus", email="gus@globex.example", client="globex")
    do("grants.give", house.oskar, person="gus@globex.example", role="client admin", client="globex")
    from cast import person

    gus = visitor(person("gus@globex.example", house.oskar))
    assert gus.get(f"/resets/{session}/").status_code == 404
    assert typed(gus, session, "12345678").status_code == 404 == asked(gus, session).status_code
    assert visitor().get(f"/resets/{session}/").status_code == 302
    with acting_as(SYSTEM):
        assert not ResetCode.objects.exists() and not Proof.objects.exists()


def test_its_queries_do_not_grow(house: House, session: str, post: dict[str, EmailMessage]) -> None:
    browser = visitor(house.olive)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"/resets/{session}/").status_code == 200
        return len(queries)

    asked(visitor(house.henry), session)
    mailed(post)
    typed(visitor(house.henry), session, "wrong")
    cost()  # that somebody looked is recorded once an hour
    few = cost()
    asked(visitor(house.henry), session)
    mailed(post)
    typed(visitor(house.henry), session, "wrong too")
    for n in range(3):
        reachable(house, MIA, f"mia{n}@far.example", link=f"{n}d" * 32)
    assert cost() == few <= 47


def test_the_api_says_the_same_and_takes_the_same(house: House, session: str, post: dict[str, EmailMessage]) -> None:
    henry = Caller(house.henry)
    seen = henry.get(f"/verifications/{session}").json()
    counts = {one["reached_at"]: one["counts"] for one in seen["channels"]}
    assert counts == {HOME: True, NUMBER: True, YOUNG: False} and seen["code"] is None and seen["waits"]
    channel = next(one["id"] for one in seen["channels"] if one["reached_at"] == HOME)
    asked = henry.change("resets.ask_code", {"verification": session, "channel": channel})
    assert asked.status_code == 200, asked.content
    digits = mailed(post)
    code = henry.get(f"/verifications/{session}").json()["code"]
    assert code["sent_at"] and code["until"] and not code["over"]
    for said, given in ((12345, []), (digits, ["code"])):
        typed = henry.change("resets.enter_code", {"verification": session, "said": said})
        assert typed.status_code == 200 and "said" not in typed.content.decode(), typed.content
        assert typed.json()["params"] == {"verification": session} and digits not in typed.content.decode()
        assert henry.get(f"/verifications/{session}").json()["given"] == given
    assert henry.get(f"/verifications/{session}").json()["wrong_answers"] == 1
    assert henry.change("resets.enter_code", {"verification": session, "said": digits}).json()["stage"] == "refused"
