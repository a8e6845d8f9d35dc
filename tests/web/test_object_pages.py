"""What the pages of one object and of one change say, and where they lead on from there."""

from __future__ import annotations

import re
from email.message import EmailMessage
from html import unescape
from smtplib import SMTPResponseException
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.utils import timezone
from visitors import visitor

from cast import MIA, House, do, kind, person, redeemed, the, waits
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import withdraw
from postroom.changes.pipeline import submit
from postroom.models import Delivery, Domain, Mailbox
from postroom.queries.naming import Names
from postroom.web.arrived import MOST, SHOWN, arrived
from postroom.web.parts.shapes import Badge, State
from postroom.web.plans import objects
from postroom.worker.mail import hand_in

NIA = "nia@acme.example"


def page(answer) -> str:
    return unescape(answer.content.decode())


def plain(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page(answer)).split())


def test_the_page_of_a_mailbox_shows_its_own_part_of_a_change_of_many(house: House) -> None:
    boxes = ["amy@acme.example", "ben@acme.example", NIA]
    submit([kind("mailboxes.create", address=one) for one in boxes], actor=house.olive, why="a list")
    lines = plain(visitor(house.olive).get(f"/mailboxes/{NIA}/")).rpartition("Who looked or changed")[2]
    lines = lines.partition("This mailbox")[0]
    assert "Add mailbox amy@acme.example and 2 more" in lines
    assert lines.count(NIA) == 2 and lines.count("amy@acme.example") == 1 and "ben@" not in lines, lines


def test_what_a_link_did_says_for_whom_the_link_was(house: House) -> None:
    do("mailboxes.create", house.olive, address=NIA, contact="nia@home.test")
    redeemed(NIA)
    browser = visitor(house.olive)
    lines = page(browser.get(f"/changes/?object={the(Mailbox, address__address=NIA).pk}"))
    assert f"Owner set the secret for {NIA}" in lines
    at = re.findall(r'href="(/changes/[^"]+/)"[^>]*>Owner set the secret', lines)[0]
    assert f"Owner set the secret for {NIA}" in page(browser.get(at))


def test_a_client_says_what_it_has_instead_of_the_standard_and_how_long_an_undo_goes_alone(house: House) -> None:
    browser = visitor(house.olive)
    standard = plain(browser.get("/clients/acme/"))
    assert "A second person looks at changes of more than 25 objects the standard" in standard
    assert "One's own undo needs nobody for 30 min the standard" in standard
    tighter = do("clients.change", house.olive, client="acme", held_over=1, undo_within=0)
    own = plain(browser.get("/clients/acme/"))
    assert "A second person looks at changes of more than 1 object the standard is 25" in own
    assert "One's own undo needs nobody never the standard is 30 min" in own
    assert "Judged like any other change" in plain(browser.get(f"/changes/{tighter.pk}/"))
    other = do("clients.change", house.olive, client="globex", notes="x")
    assert "You alone until" in plain(browser.get(f"/changes/{other.pk}/"))


NOT_HERE = "Nothing about {} No client, domain, address, person or node that you may see goes by this name or id"


@pytest.mark.parametrize("name", ["mia@acme.example", "MIA@Acme.Example", "acme.example", "Acme", "id"])
def test_the_timeline_is_narrowed_to_what_goes_by_a_name_or_an_id(house: House, name: str) -> None:
    mia = str(the(Mailbox, address__address=MIA).pk)
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia of Acme")
    do("clients.change", house.olive, client="globex", notes="of another")
    answer = visitor(house.olive).get("/changes/", {"object": mia if name == "id" else name})
    text, lines = page(answer), plain(answer).partition("Show")[2]
    assert re.search(r'<label class="sub" for="f-object">About</label><input [^>]*name="object"', text)
    assert "acme.example" in lines.lower() or "Acme" in lines, lines
    assert "globex" not in lines.lower().replace("globex.example", "") and "Nothing about" not in lines, lines
    assert ("Mia of Acme" in text or "mia@acme.example" in lines) == ("@" in name or name == "id"), lines


@pytest.mark.parametrize("unknown", ["nobody@acme.example", "nowhere", "0197f000-0000-7000-8000-000000000000"])
def test_what_nothing_goes_by_is_said_and_shows_no_line(house: House, unknown: str) -> None:
    browser = visitor(house.olive)
    answer = browser.get("/changes/", {"object": unknown, "by": "people"})
    assert NOT_HERE.format(unknown) in plain(answer) and 'href="/changes/0' not in page(answer)
    assert 'href="?by=people"' in page(answer), "the other filters stay"
    assert "No change like that" in plain(browser.get("/changes/", {"object": MIA, "stage": "stale"}))


def test_what_is_anothers_is_not_there(house: House) -> None:
    answers = [visitor(house.carl).get("/changes/", {"object": f"{name}@globex.example"}) for name in ("mia", "nobody")]
    theirs, nobodys = (plain(one).replace("mia@", "nobody@") for one in answers)
    assert theirs == nobodys and "Nothing about nobody@globex.example" in theirs


def test_what_was_withdrawn_is_told_as_such_and_as_no_future(house: House) -> None:
    held = do("mailboxes.remove", house.olive, mailbox=MIA)
    assert held.stage == "held"
    withdraw(held.pk, actor=house.olive, why="the wrong Mia")
    text = plain(visitor(house.olive).get(f"/changes/{held.pk}/"))
    assert "What would have been different" in text and "will be different" not in text
    assert "the wrong Mia" in text.split("What happened")[1]
    assert "the wrong Mia" not in text.split("What the policies say")[1].split("Who asked")[0]


def test_fields_stand_in_the_same_order_in_the_plan_and_in_what_was_recorded() -> None:
    """PostgreSQL gives the keys of a jsonb back by their length."""
    wanted = {"client_id": None, "name": "acme.example", "hosting": "hosted", "proof": "waiting"}
    recorded = dict(sorted(wanted.items(), key=lambda item: (len(item[0]), item[0])))
    assert list(recorded) != list(wanted)
    edits = [{"table": "domains", "id": "x", "before": None, "after": after} for after in (wanted, recorded)]
    names = Names([])
    (planned,), (done,) = (objects([edit], names) for edit in edits)
    assert [field.field for field in planned.fields] == [field.field for field in done.fields] != []


def test_a_record_set_that_differs_leads_to_the_plan_that_sets_it_again(house: House) -> None:
    browser, domain = visitor(house.olive), the(Domain, name="acme.example")
    text = plain(browser.get(f"/domains/{domain.name}/"))
    assert "not written yet" in text and "differs" not in text and "Set again" not in text, "it is on its way"
    with acting_as(SYSTEM):
        assert Delivery.objects.filter(target="zone", object=domain.pk).update(done=True)
    text = page(browser.get(f"/domains/{domain.name}/"))
    assert "not written yet" not in text
    (url,) = re.findall(r'href="(/do/record_sets.set/[^"]+type=MX[^"]*)"', text)
    form = page(browser.get(url))
    assert 'value="acme.example"' in form and 'value="MX"' in form and 'value="10 mx.postroom.example."' in form
    assert "/do/record_sets.set/" not in page(visitor(house.audrey).get(f"/domains/{domain.name}/"))


@pytest.mark.parametrize("count", [0, SHOWN, SHOWN + 2, MOST + 5])
def test_every_answer_of_a_server_can_be_read_and_what_is_too_many_is_counted(count: int) -> None:
    at = timezone.now().isoformat()
    evidence = [{"question": f"q{n}", "answer": "a", "server": "s", "at": at} for n in range(count)]
    one = {"target": "nodes", "object": "mx1", "done": True, "why": "", "evidence": evidence, "since": at,
           "next_try": None}  # fmt: skip
    (shown,) = arrived({"deliveries": [one]})
    assert [e.asked for e in (*shown.evidence, *shown.rest)] == [f"q{n}" for n in range(min(count, MOST))]
    assert len(shown.evidence) == min(count, SHOWN) and shown.more == ("and 5 more answers" if count > MOST else "")


@pytest.mark.parametrize("ended, tone, words", [
    (True, "good", "ended"), (False, "warn", "not ended at once"), (None, "fact", "not asked for any more"),
])  # fmt: skip
def test_a_right_whose_end_was_refused_is_never_shown_as_done(ended: bool | None, tone: State, words: str) -> None:
    evidence = [{"question": "grants.end", "answer": "x", "ended": ended}]
    one = {"target": "end", "object": "line", "done": True, "why": "", "evidence": evidence,
           "since": timezone.now().isoformat(), "next_try": None}  # fmt: skip
    (shown,) = arrived({"deliveries": [one]})
    assert shown.state == Badge(tone, words)


def test_the_form_of_an_undo_names_what_it_takes_back(house: House) -> None:
    done = do("mailboxes.suspend", house.olive, mailbox=MIA)
    text = plain(visitor(house.olive).get(f"/do/history.roll_back/?change={done.pk}"))
    assert f"Takes back Suspend mailbox {MIA}" in text
    other = plain(visitor(house.carl).get(f"/do/history.roll_back/?change={done.pk}0"))
    assert "Takes back" not in other


def test_the_form_of_an_undo_names_nothing_to_who_may_not_look_at_changes_there(house: House) -> None:
    done = do("mailboxes.suspend", house.olive, mailbox=MIA)
    do("roles.create", house.oskar, name="watcher", permissions=["mailboxes.view", "history.roll_back"])
    do("people.invite", house.oskar, name="Wim", email="wim@northlight.example")
    do("grants.give", house.oskar, person="wim@northlight.example", role="watcher", client="acme")
    do("grants.give", house.oskar, person="wim@northlight.example", role="auditor", client="globex")
    text = plain(visitor(person("wim@northlight.example", house.oskar)).get(f"/do/history.roll_back/?change={done.pk}"))
    assert "Undo" in text and "Takes back" not in text


def test_a_role_that_nobody_gave_was_there_from_the_founding(house: House) -> None:
    assert "the founding" in plain(visitor(house.oskar).get(f"/people/{house.oskar.person}/"))


def test_permissions_of_a_token_are_chosen_by_name(house: House) -> None:
    text = page(visitor(house.olive).get("/tokens/new/"))
    assert '<option value="mailboxes.suspend">' in text.split('id="f-permissions-0-l"')[1].split("</datalist>")[0]
    assert '<option value="acme">' in text.split('id="f-clients-0-l"')[1].split("</datalist>")[0]


def test_nothing_found_is_said_in_words_that_are_words(house: House) -> None:
    for noun in ("mailbox", "person", "entry"):
        at = {"mailbox": "/mailboxes/", "person": "/people/", "entry": "/audit/"}[noun]
        assert f"Searched every {noun} you may see" in page(visitor(house.olive).get(f"{at}?q=nothing-goes-by-this"))


def test_what_is_refused_is_not_said_to_be_applied(house: House) -> None:
    do("freezes.start", house.olive, scope="acme", reason="a dispute")
    asked = {"mailbox": MIA, "quota_mb": "20000", "why": "full"}
    text = plain(visitor(house.olive).post("/do/mailboxes.change/", asked))
    assert "This plan is refused" in text and "It is applied at once" not in text


def test_what_waits_for_the_clock_waits_for_nobody(house: House) -> None:
    waits("mailboxes.suspend", house.olive, mailbox=MIA)
    text = plain(visitor(house.olive).get("/"))
    assert "yours; waits for its time" in text and "waits for somebody else" not in text


class Refusing:
    """A submission that takes no letter for this recipient."""

    def __init__(self, *_: object, **__: object) -> None:
        raise SMTPResponseException(554, b"5.5.0 No valid recipients")


def test_a_refusal_of_our_own_submission_is_told_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        settings, "POSTROOM", SimpleNamespace(notices_from="p@ours.example", submission=("127.0.0.1", 1))
    )
    monkeypatch.setattr("postroom.worker.mail.smtplib.SMTP", Refusing)
    outcome = hand_in("nobody@acme.example", EmailMessage())
    assert outcome.why.endswith(": 554 5.5.0 No valid recipients")
