"""The plain form of any kind: every parameter labelled, all problems at once, the plan before anything is sent."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from visitors import visitor

from cast import House, again, do, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.kind import KINDS
from postroom.models import Change, Grant, Mailbox
from postroom.models import Client as Customer
from postroom.web.parts.forms import Field, Option
from postroom.web.titles import WORDS

PLAIN = sorted(name for name, kind in KINDS.items() if "person" in kind.by and not kind.carries_secret)
WHY = {"why": "asked on the phone", "ticket": "T-1"}


def page(answer) -> str:
    return unescape(answer.content.decode())


def hidden(answer) -> dict[str, str]:
    """What the plan's own form carries."""
    form = answer.content.decode().split('aria-labelledby="h-send"')[1].split("</form>")[0]
    return {n: unescape(v) for n, v in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)}


def planned(browser: Client, kind: str, **fields: str):
    answer = browser.post(f"/do/{kind}/", {**WHY, **fields})
    assert answer.status_code == 200 and "Nothing is changed yet" in page(answer), page(answer)[:3000]
    return answer


def sent(browser: Client, kind: str, plan, **more: str) -> Change:
    answer = browser.post(f"/do/{kind}/", {**hidden(plan), **more})
    assert answer.status_code == 302, page(answer)[:3000]
    with acting_as(SYSTEM):
        return Change.objects.get(pk=answer["Location"].split("/")[2])


@pytest.mark.parametrize("name", PLAIN)
def test_every_kind_has_a_form_with_a_label_for_each_parameter(house: House, name: str) -> None:
    answer = visitor(house.oskar).get(f"/do/{name}/")
    assert answer.status_code == 200
    text = page(answer)
    prefix = "row-0-" if 'data-rows="rows"' in text else ""
    for parameter in KINDS[name].model_fields:
        assert f'for="f-{prefix}{parameter}' in text or f'id="f-{parameter}"' in text, parameter
    assert 'for="f-why"' in text and 'for="f-ticket"' in text
    asked = re.findall(r'<(?:input(?![^>]*type="(?:radio|checkbox|hidden)")|select|textarea)[^>]* name="([^"]+)"', text)
    assert "ticket" in asked and len(asked) == len(set(asked)), "of two fields of one name a browser sends both"


def test_every_kind_is_called_something() -> None:
    assert set(KINDS) <= set(WORDS)


def test_what_carries_a_secret_or_is_ours_alone_is_not_offered(house: House) -> None:
    browser = visitor(house.oskar)
    offered = page(browser.get("/do/"))
    for name, kind in KINDS.items():
        assert (f'href="/do/{name}/"' in offered) == (name in PLAIN), name
        if kind.carries_secret or "person" not in kind.by:
            assert browser.get(f"/do/{name}/").status_code == 404
    assert 'href="/do/mailboxes.suspend/"' not in page(visitor(house.audrey).get("/do/"))
    assert visitor(house.audrey).get("/do/mailboxes.suspend/").status_code == 403


def test_all_that_is_wrong_is_said_at_once_and_what_was_typed_stays(house: House) -> None:
    answer = visitor(house.olive).post(
        "/do/domains.add/", {"client": "acme", "name": "not a domain", "hosting": "elsewhere", "registrar": "Namehouse"}
    )
    text = page(answer)
    assert answer.status_code == 422 and "3 things to correct; nothing was changed" in text
    for field in ("name", "hosting", "why"):
        assert f'href="#f-{field}"' in text and f'id="f-{field}-e"' in text
    assert 'value="Namehouse"' in text and 'value="not a domain"' in text


def test_a_problem_in_the_second_row_stands_at_the_second_row(house: House) -> None:
    rows = {"row-0-address": "new@acme.example", "row-3-address": "new@nowhere.example"}
    answer = visitor(house.olive).post("/do/mailboxes.create/", {**rows, **WHY})
    assert answer.status_code == 422 and 'id="f-row-3-address-e"' in page(answer)
    with acting_as(SYSTEM):
        assert not Mailbox.objects.filter(address__address="new@acme.example").exists()


def test_a_plan_is_seen_then_sent_and_is_one_change_of_that_person(house: House) -> None:
    browser = visitor(house.olive)
    rows = {"row-0-address": "one@acme.example", "row-0-kind": "person", "row-1-address": "two@acme.example"}
    plan = planned(browser, "mailboxes.create", **rows)
    with acting_as(SYSTEM):
        before = Change.objects.count()
    change = sent(browser, "mailboxes.create", plan)
    assert (change.proposer_id, change.why, change.ticket) == (house.olive.person, WHY["why"], "T-1")
    assert the(Mailbox, address__address="two@acme.example")
    pressed_twice = sent(browser, "mailboxes.create", plan)
    with acting_as(SYSTEM):
        assert pressed_twice.pk == change.pk and Change.objects.count() == before + 1


def test_a_plan_that_is_another_one_by_now_is_shown_again(house: House) -> None:
    browser = visitor(house.olive)
    plan = planned(browser, "clients.change", client="acme", name="Acme Corp")
    do("clients.change", house.oskar, client="acme", name="Acme Limited")
    answer = browser.post("/do/clients.change/", hidden(plan))
    assert answer.status_code == 200 and "What stands here changed since you looked" in page(answer)
    assert the(Customer, slug="acme").name == "Acme Limited"
    assert sent(browser, "clients.change", answer).stage == "verified"


RECKONED = {
    "grants.elevate": {"role": "owner", "hours": "2"},
    "rosters.open": {"client": "acme"},
}


@pytest.mark.parametrize("kind", RECKONED)
def test_a_time_reckoned_from_now_makes_no_other_plan_a_second_later(house: House, kind: str) -> None:
    """*For two hours* is the same a moment later; whoever reads the plan first takes longer than a second."""
    browser = visitor(house.olive)
    plan = planned(browser, kind, **RECKONED[kind])
    time.sleep(1.1)
    assert sent(browser, kind, plan).stage in ("applied", "verified", "held")


def test_a_time_that_was_typed_is_the_one_that_was_seen(house: House) -> None:
    browser, until = visitor(house.oskar), timezone.now() + timedelta(days=3)
    typed = {"person": "henry@northlight.example", "role": "auditor", "client": "acme"}
    plan = planned(browser, "grants.give", **typed, until=f"{until:%Y-%m-%dT%H:%M}")
    time.sleep(1.1)
    assert sent(browser, "grants.give", plan).version
    assert the(Grant, person__email=typed["person"], role="auditor").until == until.replace(second=0, microsecond=0)


def test_only_what_differs_is_sent_of_a_form_that_came_filled_in(house: House) -> None:
    browser = visitor(house.olive)
    do("clients.change", house.oskar, client="acme", notes="Call first", security_contact="sec@acme.example")
    text = page(browser.get("/do/clients.change/?client=acme"))
    assert "Call first" in text and 'name="was-notes" value="Call first"' in text
    typed = {"client": "acme", "name": "Acme", "was-name": "Acme", "notes": "", "was-notes": "Call first",
             "security_contact": "sec@acme.example", "was-security_contact": "sec@acme.example"}  # fmt: skip
    change = sent(browser, "clients.change", planned(browser, "clients.change", **typed))
    assert {k: v for k, v in change.params.items() if v is not None} == {"client": "acme", "notes": ""}


def test_what_ends_access_for_good_asks_for_the_word(house: House) -> None:
    browser = visitor(house.olive)
    plan = planned(browser, "mailboxes.remove", **{"row-0-mailbox": "mia@acme.example"})
    assert "Type mia to go on" in page(plan) and "It is held for a second person" in page(plan)
    wrong = browser.post("/do/mailboxes.remove/", {**hidden(plan), "typed": "leo"})
    assert wrong.status_code == 422 and "This is not mia" in page(wrong)
    assert sent(browser, "mailboxes.remove", plan, typed="Mia").stage == "held"


def test_a_refused_plan_has_nothing_to_send(house: House) -> None:
    do("freezes.start", house.oskar, scope="acme", reason="audit")
    answer = planned(
        visitor(house.olive), "aliases.create", address="all@acme.example", **{"targets-0": "mia@acme.example"}
    )
    assert "This plan is refused" in page(answer) and "frozen: audit" in page(answer)
    assert 'name="seen"' not in page(answer)


def test_rows_come_and_go_without_script(house: House) -> None:
    browser = visitor(house.olive)
    typed = {"row-0-mailbox": "mia@acme.example", **WHY}
    more = page(browser.post("/do/mailboxes.suspend/", {**typed, "row_add": "rows"}))
    assert 'name="row-1-mailbox"' in more and "asked on the phone" in more
    less = page(
        browser.post("/do/mailboxes.suspend/", {**typed, "row-1-mailbox": "x@acme.example", "row_drop": "rows-0"})
    )
    assert 'name="row-1-mailbox"' in less and 'name="row-0-mailbox"' not in less


def test_mailboxes_chosen_in_the_list_come_as_rows(house: House) -> None:
    browser = visitor(house.olive)
    answer = browser.post(
        "/do/", {"act": "mailboxes.suspend", "mailbox": ["mia@acme.example", "postmaster@acme.example"]}
    )
    text = page(browser.get(answer["Location"]))
    assert 'value="mia@acme.example"' in text and 'name="row-1-mailbox"' in text
    assert browser.post("/do/", {"act": "invites.issue", "mailbox": "mia@acme.example"}).status_code == 404


def test_a_held_change_is_approved_by_somebody_who_saw_its_plan(house: House) -> None:
    held = do("mailboxes.remove", house.olive, mailbox="mia@acme.example")
    at = f"/changes/{held.pk}/"
    assert visitor(house.olive).post(f"{at}approve/", {"plan_hash": held.plan_hash}).status_code == 403
    ada = visitor(house.ada)
    assert "Remove mailbox mia@acme.example" in page(ada.get("/approvals/"))
    assert f'value="{held.plan_hash}"' in page(ada.get(at))
    assert ada.post(f"{at}approve/", {"plan_hash": "0" * 64}).status_code == 409
    assert again(held).stage == "held"
    assert ada.post(f"{at}approve/", {"plan_hash": held.plan_hash}).status_code == 302
    assert again(held).stage == "applied"


def test_a_change_is_withdrawn_with_a_reason_and_planned_again(house: House) -> None:
    held = do("mailboxes.remove", house.olive, mailbox="mia@acme.example")
    browser, at = visitor(house.olive), f"/changes/{held.pk}/"
    assert browser.post(f"{at}withdraw/", {"why": " "}).status_code == 422
    assert browser.post(f"{at}withdraw/", {"why": "he stays"}).status_code == 302
    assert again(held).stage == "withdrawn" and "he stays" in page(browser.get(at))
    anew = browser.post(f"{at}replan/")
    assert anew.status_code == 302 and anew["Location"] != at


def test_an_undo_shows_what_comes_back_before_it_is_sent(house: House) -> None:
    suspended = do("mailboxes.suspend", house.olive, mailbox="mia@acme.example")
    browser = visitor(house.olive)
    assert "Show what comes back" in page(browser.get(f"/changes/{suspended.pk}/"))
    undone = sent(browser, "history.roll_back", planned(browser, "history.roll_back", change=str(suspended.pk)))
    assert again(suspended).undone_by_id == undone.pk
    twice = browser.post("/do/history.roll_back/", {"change": str(suspended.pk), **WHY})
    assert twice.status_code == 422 and "nothing of it goes back" in page(twice)


def test_an_undo_is_not_put_off_and_the_page_says_so(house: House) -> None:
    suspended = do("mailboxes.suspend", house.olive, mailbox="mia@acme.example")
    browser, then = visitor(house.olive), f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    plan = planned(browser, "history.roll_back", change=str(suspended.pk), not_before=then)
    answer = browser.post("/do/history.roll_back/", hidden(plan))
    assert answer.status_code == 422 and "is not put off" in page(answer), page(answer)[:3000]
    form = page(browser.get(f"/do/history.roll_back/?change={suspended.pk}"))
    assert 'name="why"' in form and 'name="not_before"' not in form
    assert "T-1" in page(answer), "what was typed is there still"
    assert again(suspended).undone_by_id is None and the(Mailbox, address__address="mia@acme.example").suspended_at


def test_a_link_is_shown_once_to_who_copies_it_and_never_kept(house: House) -> None:
    from visitors import invite_of

    do("mailboxes.create", house.olive, address="nia@acme.example", contact="nia@home.test")
    browser, at = visitor(house.olive), f"/invites/{invite_of(house.olive)}/link/"
    assert browser.post(at, {"why": ""}).status_code == 422
    answer = browser.post(at, {"why": "on the phone"})
    (link,) = re.findall(r"http://localhost:8480/invite/[\w-]{43}", page(answer))
    assert answer["Cache-Control"] == "no-store"
    assert visitor().get(link.removeprefix("http://localhost:8480")).status_code == 302
    assert link not in page(browser.get("/invites/")) and link not in page(browser.get("/changes/"))


def test_a_time_that_is_past_or_too_far_is_said_at_its_field(house: House) -> None:
    browser = visitor(house.olive)
    for then, said in (("2020-01-01T00:00", "This is past"), ("9999-12-31T23:59", "More than five years ahead")):
        answer = browser.post("/do/freezes.start/", {**WHY, "scope": "acme", "not_before": then})
        assert answer.status_code == 422 and said in page(answer), page(answer)[:3000]


def test_who_ends_their_own_last_role_reads_what_became_of_it(house: House) -> None:
    browser, grant = visitor(house.olive), str(the(Grant, person=house.olive.person).pk)
    plan = planned(browser, "grants.end", grant=grant)
    answer = browser.post("/do/grants.end/", hidden(plan))
    assert answer.status_code == 200 and "The change is verified" in page(answer), page(answer)[:2000]
    assert the(Grant, pk=grant).ended_at


def test_a_list_of_choices_says_that_it_may_be_empty_only_where_it_may() -> None:
    some, none = Option("a", "A"), Option("", "none")
    fields = (
        Field("a", "A", "select", options=(some,)),
        Field("b", "B", "select", options=(none, some)),
        Field("c", "C"),
    )
    assert [one.may_be_empty for one in fields] == [False, True, True]
    assert not Field("d", "D", required=True).may_be_empty
