"""Forwards that leave, at the pages: the list, how much is known, what is done to many of them, and the file."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from test_doing import page
from visitors import visitor

from cast import MIA, House, agreed, at, do, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.errors import Problems
from postroom.models import (
    Alias,
    CatchAll,
    Change,
    Delegation,
    Forward,
    Letter,
    RedirectStop,
    RouteException,
    SieveScript,
    Transport,
)  # fmt: skip
from postroom.web.times import when
from postroom.worker import mail
from routed import later, left, logs_read, looked, script

HOME, OTHER = "mia@gmail.com", "mia@globex.example"
NONE = "None was found, and not all was checked"


def out(house: House, address: str = MIA, to: str = HOME) -> None:
    with_consent(house, do("forwards.create", house.olive, address=address, to=to, until=later(), owner="Mia"))


def way(browser: Any, of: str) -> str:
    """What the row of this address sends."""
    found = re.search(rf'name="way" value="([^"]*)" aria-label="Choose {of}', page(browser.get("/forwards/")))
    assert found, of
    return found[1]


def sent(browser: Any, answer: Any, address: str, **typed: str) -> Change:
    """The form as it was drawn with more typed in, its plan, and that sent."""
    plan = browser.post(address, {**drawn(answer), "why": "found in the list", **typed})
    assert plan.status_code == 200, re.search(r'class="probs".*?</ul>', plan.content.decode())
    last = browser.post(address, {**drawn(plan), "step": "send"})
    assert last.status_code == 302, re.sub(r"<[^>]+>", " ", last.content.decode())[:3000]
    with acting_as(SYSTEM):
        return Change.objects.order_by("-id").exclude(caused_by__isnull=False).all()[0]


def drawn(answer: Any) -> dict[str, str]:
    """What a browser would send of the form as it stands, but for what it fills in itself."""
    text = answer.content.decode()
    inputs = [dict(re.findall(r' ([a-z]+)="([^"]*)"', one)) for one in re.findall(r"<input[^>]*>", text)]
    wanted = re.compile(r"row-\d|step$|seen$|key$|why$|ticket$")
    fields = {one["name"]: unescape(one.get("value", "")) for one in inputs if wanted.match(one.get("name", ""))}
    for name, options in re.findall(r'<select[^>]*? name="(row-\d[^"]*)"[^>]*>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = unescape(chosen[1]) if chosen else ""
    return fields


def test_empty_is_never_none_while_a_mailbox_was_not_checked(house: House) -> None:
    browser = visitor(house.olive)
    said = page(browser.get("/forwards/"))
    assert (
        "no node has read any" in said
        and NONE in said
        and "No mail leaves" not in said
        and "0 of 2 checked; 2 not" in said
    )
    assert "1 not checked: mx1 has never looked at scripts" in said and "pb-good" not in said
    assert NONE in page(browser.get("/forwards/?q=nothing-like-this&risk=high"))
    looked(at=timezone.now() + timedelta(seconds=1))
    said = page(browser.get("/forwards/"))
    assert "No mail leaves" in said and "2 of 2 checked" in said and NONE not in said
    assert "No way out like that" in page(browser.get("/forwards/?risk=high"))
    assert "no node has" not in said
    with at(timezone.now() + timedelta(minutes=6)):
        said = page(browser.get("/forwards/"))
    assert "no node has told lately; one last did at" in said and "no node has read any" not in said
    assert NONE in said and "mx1 has not looked within five minutes" in said


def test_a_row_says_what_is_known_of_it_and_what_is_not_measured(house: House) -> None:
    out(house)
    with_consent(house, do("aliases.create", house.olive, address="team@acme.example", targets=[MIA]))
    script(OTHER, {"to": "x@elsewhere.test", "conditional": True}, {"to": ""}, name="<main>", node="mx2")
    browser = visitor(house.olive)
    said = page(browser.get("/forwards/"))
    assert 'href="/forwards/" aria-current="page"' in said or "Forwards that leave" in said
    assert said.count("not measured") >= 4 and "private provider" in said and f"by way of {MIA}" in said
    assert "Mia answers for it" in said and "Olive" in said and "worked out when mail comes" in said
    assert "its node stops it" in said and "some mail, keeps no copy" in said and "“<main>”" in said
    carls = page(visitor(house.carl).get("/forwards/"))
    assert HOME in carls and "globex" not in carls and "elsewhere" not in carls
    assert "0 of 1 checked" in carls and "mx2" not in carls
    assert page(browser.get("/forwards/?mechanism=alias")).count("keeps") == 0
    assert "team@" not in page(browser.get("/forwards/?mechanism=forward&only=both&q=gmail"))


def test_never_is_said_with_the_day_since_when_and_only_while_its_node_is_there(house: House) -> None:
    out(house)
    browser, hour = visitor(house.olive), timedelta(hours=1)
    assert cell(browser) == "not measured"
    logs_read(since=timezone.now() - hour)
    assert cell(browser).startswith("never since ")
    left(MIA, HOME, timezone.now() - timedelta(days=2))
    assert cell(browser) == str(when(timezone.now() - timedelta(days=2)))
    with at(timezone.now() + timedelta(minutes=11)):
        assert cell(browser).endswith(" not measured now")
    assert "pb-good" not in page(browser.get("/forwards/"))


def cell(browser: Client) -> str:
    """What stands under Last hit, of the only row."""
    found = re.findall(r'data-label="Last hit"[^>]*>(.*?)</td>', page(browser.get("/forwards/")), re.DOTALL)
    return " ".join(re.sub("<[^>]*>", " ", found[0]).split())


def test_a_form_says_how_many_of_the_chosen_are_not_in_it_and_why(house: House) -> None:
    out(house)
    script(MIA, {"to": "x@elsewhere.test"}, {"to": ""})
    browser = visitor(house.olive)
    forward, redirect, unknown = (way(browser, f"{MIA} to {to}") for to in (HOME, "x@elsewhere.test", "an unknown"))
    chosen = [forward, forward, redirect, unknown, "garbled"]
    said = page(browser.post("/forwards/chosen/", {"act": "forwards.stop", "way": chosen}))
    assert "5 were chosen, 2 rows below; 3 left out" in said
    assert f"<li>{MIA} to an unknown target: where it goes is worked out by a script" in said
    assert "<li>1 more: another way to one that is below, which does for both.</li>" in said
    assert "<li>1 more: over 500 at once, or not readable.</li>" in said
    said = page(browser.post("/forwards/chosen/", {"act": "exceptions.create", "way": [redirect, unknown]}))
    assert f"<li>{MIA} to an unknown target: where it goes is worked out" in said and "Add an exception" in said
    assert "left out" not in page(browser.post("/forwards/chosen/", {"act": "exceptions.create", "way": redirect}))


def test_no_two_fields_of_a_form_are_called_alike_and_each_is_explained(house: House) -> None:
    script(MIA, {"to": "x@elsewhere.test"})
    browser = visitor(house.olive)
    chosen = way(browser, f"{MIA} to x@elsewhere.test")
    form = page(browser.post("/forwards/chosen/", {"act": "forwards.replace", "way": chosen}))
    labels = re.findall(r'<label for="f-row-0-[^"]*">([^<]*?) *<', form)
    assert len(labels) == len(set(labels)) == 5 and "Opened from" in labels, labels
    for name in ("target", "to", "mailbox"):
        assert re.search(rf'aria-describedby="f-row-0-{name}-h"', form), name


def test_what_is_on_a_phone_too(house: House) -> None:
    out(house)
    said = page(visitor(house.olive).get("/forwards/"))
    for column in ("Client", "Last hit"):
        assert re.search(rf'<td data-label="{column}">', said), column
    assert "p-gone" not in said


def test_an_exception_is_asked_for_what_was_chosen_and_waits_for_a_second_person(house: House) -> None:
    script(MIA, {"to": "x@elsewhere.test"}, {"to": "y@elsewhere.test"}, {"to": ""})
    script(OTHER, {"to": "x@elsewhere.test"}, node="mx2")
    browser = visitor(house.olive)
    ways = [way(browser, f"{MIA} to {to}") for to in ("x@elsewhere.test", "y@elsewhere.test", "an unknown")]
    form = browser.post("/forwards/chosen/", {"act": "exceptions.create", "way": [*ways, ways[0], "garbled"]})
    assert form.status_code == 200
    typed = drawn(form)
    assert typed["row-0-address"] == typed["row-1-address"] == MIA and "row-2-address" not in typed
    assert typed["row-0-owner"] == "Mia" and typed["row-1-target"] == "y@elsewhere.test" and typed["row-1-until"]
    change = sent(browser, form, "/do/exceptions.create/")
    assert change.stage == "held" and len(change.params) == 2
    theirs = visitor(house.carl)
    form = theirs.post("/forwards/chosen/", {"act": "exceptions.create", "way": way(browser, OTHER)})
    assert drawn(form)["row-0-owner"] == "", "who owns what they do not see is not told"
    plan = theirs.post("/do/exceptions.create/", {**drawn(form), "row-0-owner": "x", "why": "x"})
    assert plan.status_code == 422 and "seen" not in drawn(plan)


def test_what_is_chosen_at_two_clients_is_one_batch_whose_plan_is_shown_first(house: House) -> None:
    for address, node in ((MIA, "mx1"), (OTHER, "mx2")):
        script(address, {"to": "x@elsewhere.test"}, node=node)
        do("forwards.create", house.olive, address=address, to=f"joe@{address.rpartition('@')[2]}.test", until=later(),
           owner="Mia")  # fmt: skip
    browser = visitor(house.olive)
    ways = {"act": "exceptions.create", "way": [way(browser, f"{one} to x@") for one in (MIA, OTHER)]}
    form = browser.post("/forwards/chosen/", ways)
    typed = {**drawn(form), "why": "asked by both"}
    plan = browser.post("/do/exceptions.create/", {**typed, "row-1-owner": ""})
    assert plan.status_code == 422 and "row-1-owner-e" in plan.content.decode()
    plan = browser.post("/do/exceptions.create/", typed)
    said = page(plan)
    assert plan.status_code == 200, re.search(r'class="probs".*?</ul>', said)
    assert "at 2 clients" in said and said.count("x@elsewhere.test") >= 2 and "held for a second person" in said
    with acting_as(SYSTEM):
        assert not Change.objects.filter(kind="exceptions.create").exists()
    send = {**drawn(plan), "step": "send"}
    assert "changed since you looked" in page(browser.post("/do/exceptions.create/", {**send, "seen": "x"}))
    first, again = (browser.post("/do/exceptions.create/", send) for _ in range(2))
    assert first.status_code == again.status_code == 302 and first["Location"] == again["Location"]
    with acting_as(SYSTEM):
        held = list(Change.objects.filter(kind="exceptions.create"))
    assert {one.stage for one in held} == {"held"} and len({one.client_id for one in held}) == 2
    assert first["Location"] == f"/batches/{held[0].batch_id}/" and held[1].batch_id == held[0].batch_id


def test_every_mechanism_is_disabled_or_ended_in_one_change(house: House, sql: Any) -> None:
    """Forward, redirect, an alias and a catch-all that leave by themselves, a transport: each as it can be undone."""
    out(house)
    script(MIA, {"to": "x@elsewhere.test"}, {"to": "=hers@elsewhere.test", "by": "notify"})
    wild(house, sql)
    asked = {"address": "fax@acme.example", "host": "mx.partner.test", "port": 2525, "owner": "Mia", "until": later()}
    with_consent(house, do("transports.create", house.olive, **asked))
    browser = visitor(house.olive)
    named = {
        "forward": f"{MIA} to {HOME}", "redirect": f"{MIA} to x@", "alias": "all@acme.example to a@",
        "of it": "all@acme.example to b@", "caught": "@acme.example to all@", "handed": "fax@acme.example",
        "told": f"{MIA} to =hers@",
    }  # fmt: skip
    chosen = {name: way(browser, one) for name, one in named.items()}
    form = browser.post("/forwards/chosen/", {"act": "forwards.stop", "way": list(chosen.values())})
    said = page(form)
    assert "7 were chosen, 6 rows below; 1 left out" in said and "a filter tells of mail there" in said
    change = sent(browser, form, "/do/forwards.stop/")
    assert change.version and len(change.params) == 6
    with acting_as(SYSTEM):
        assert Forward.objects.get().disabled_at and Forward.objects.get().removed_at is None
        assert RouteException.objects.get(target=HOME).ended_at is None
        assert RedirectStop.objects.get().target == "x@elsewhere.test" and SieveScript.objects.count() == 1
        alias = Alias.objects.get(address__address="all@acme.example")
        assert (alias.targets, alias.removed_at) == ([MIA], None), "what stays inside stays"
        assert CatchAll.objects.get().removed_at and Transport.objects.get().ended_at
    assert browser.post("/forwards/chosen/", {"act": "mailboxes.remove", "way": "x"}).status_code == 404
    both = {"act": "forwards.stop", "way": list(chosen.values())}
    assert visitor(house.audrey).post("/forwards/chosen/", both).status_code == 404
    again = browser.post("/forwards/chosen/", {"act": "forwards.stop", "way": way(browser, f"{MIA} to {HOME}")})
    assert again.status_code == 422 and "disabled, or stopped at its node, already" in page(again)


def wild(house: House, sql: Any) -> None:
    """An alias and a catch-all as another hand left them: no kind makes one that leads outside by itself."""
    agreed(house, do("aliases.create", house.olive, address="all@acme.example", targets=[MIA]))
    agreed(house, do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later()))
    sql("SELECT set_config('postroom.change', 'another hand', false)",
        "UPDATE aliases SET targets = array['a@elsewhere.test', 'b@elsewhere.test', 'mia@acme.example'] "
        "WHERE address_id = (SELECT id FROM addresses WHERE address = 'all@acme.example')",
        "UPDATE catch_alls SET target = 'all@elsewhere.test'")  # fmt: skip


def test_what_an_act_cannot_do_is_said_of_each_row_before_anything_is_planned(house: House, sql: Any) -> None:
    wild(house, sql)
    browser = visitor(house.olive)
    alias, caught = way(browser, "all@acme.example to a@"), way(browser, "@acme.example to all@")
    said = {
        act: page(browser.post("/forwards/chosen/", {"act": act, "way": [alias, caught]}))
        for act in ("exceptions.create", "forwards.replace", "forwards.tell_owner", "forwards.stop")
    }
    assert "left out" not in said["forwards.stop"]
    for act in ("exceptions.create", "forwards.replace"):
        assert "2 were chosen, 1 row below; 1 left out" in said[act]
        assert "<li>@acme.example to all@elsewhere.test: caught for a whole domain" in said[act]
    assert said["forwards.tell_owner"].count("no mailbox passes it on") == 2
    assert "left out" in said["forwards.tell_owner"]
    form = browser.post("/forwards/chosen/", {"act": "exceptions.create", "way": [alias, caught]})
    assert drawn(form)["row-0-address"] == "all@acme.example"
    assert sent(browser, form, "/do/exceptions.create/", **{"row-0-owner": "Mia"}).stage == "held"


def test_as_many_queries_however_many_are_chosen(house: House) -> None:
    for n in range(6):
        out(house, to=f"m{n}@elsewhere.test")
    browser = visitor(house.olive)
    ways = [way(browser, f"{MIA} to m{n}@") for n in range(6)]

    def cost(chosen: list[str]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.post("/forwards/chosen/", {"act": act, "way": chosen}).status_code == 200
        return len(queries)

    for act in ("exceptions.create", "forwards.stop", "forwards.replace", "forwards.tell_owner"):
        cost(ways)
        assert cost(ways[:1]) == cost(ways), act


def test_ways_are_replaced_by_access_and_what_cannot_be_is_said_at_its_row(house: House) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example", name="Leo", contact=HOME)
    out(house)
    with_consent(house, do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later()))
    browser = visitor(house.olive)
    form = browser.post("/forwards/chosen/", {"act": "forwards.replace", "way": way(browser, f"{MIA} to {HOME}")})
    typed = drawn(form)
    assert (typed["row-0-address"], typed["row-0-target"]) == (MIA, HOME) and typed["row-0-until"]
    assert typed["row-0-to"] == "leo@acme.example", "who reads at that target has a mailbox here"
    wrong = {**typed, "row-1-address": "@acme.example", "row-1-target": HOME, "row-1-to": "leo@acme.example"}
    said = browser.post("/do/forwards.replace/", {**wrong, "why": "their own mailbox"})
    assert said.status_code == 422 and "row-1-address-e" in said.content.decode()
    assert "caught for a whole domain" in said.content.decode()
    change = sent(browser, form, "/do/forwards.replace/")
    assert change.kind == "forwards.replace" and change.version
    with acting_as(SYSTEM):
        asked = Delegation.objects.get()
        assert asked.replaces == [f"{MIA} {HOME}"] and asked.started_at is None
        assert Forward.objects.get().disabled_at is None
    theirs = page(browser.get(f"/mailboxes/{MIA}/"))
    assert "Replace by access" in theirs and f"/do/forwards.replace/?address={MIA}" in theirs


def test_a_mailbox_says_which_redirects_are_stopped_and_resumes_them(house: House) -> None:
    script(MIA, {"to": "x@elsewhere.test"}, {"to": "y@elsewhere.test"})
    do("redirects.stop", house.olive, mailbox=MIA, target="x@elsewhere.test")
    said = unescape(page(visitor(house.olive).get(f"/mailboxes/{MIA}/")))
    assert "Filters pass nothing on to" in said and "stopped at the port" in said
    for act, target in (("resume", "x"), ("stop", "y")):
        assert f"/do/redirects.{act}/?mailbox={MIA}&target={target}@elsewhere.test" in said
    assert f"redirects.stop/?mailbox={MIA}&target=x" not in said
    assert "/do/redirects." not in page(visitor(house.audrey).get(f"/mailboxes/{MIA}/"))


def test_redirects_are_stopped_at_the_port_and_the_owner_is_told(house: House) -> None:
    out(house)
    script(OTHER, {"to": "x@elsewhere.test"}, {"to": ""}, node="mx2")
    browser = visitor(house.olive)
    none = {"act": "forwards.stop", "way": [way(browser, f"{OTHER} to an unknown")]}
    assert browser.post("/forwards/chosen/", none).status_code == 422
    both = {"act": "forwards.stop", "way": [way(browser, f"{OTHER} to x@"), *none["way"]]}
    change = sent(browser, browser.post("/forwards/chosen/", both), "/do/forwards.stop/")
    assert change.params == {"address": OTHER, "target": "x@elsewhere.test"} and change.version
    said = page(browser.get("/forwards/?q=elsewhere"))
    assert "stopped at the port" in said and "its node sends nothing there for this mailbox" in said
    assert "its node stops it" not in said
    with acting_as(SYSTEM):
        letter = Letter.objects.get(says="redirect stopped")
        text = mail.LETTERS[letter.says](letter, change).get_content()  # type: ignore[union-attr]
    assert letter.contact == OTHER and "  x@elsewhere.test\n" in text and "found in the list" in text
    assert "stays in your mailbox" in text and "Olive at Northlight" in text
    again = {"act": "forwards.stop", "way": way(browser, f"{OTHER} to x@")}
    assert browser.post("/forwards/chosen/", again).status_code == 422, "it is not offered to be stopped again"
    again = do("redirects.resume", house.olive, mailbox=OTHER, target="x@elsewhere.test")
    with acting_as(SYSTEM):
        letter = Letter.objects.get(says="redirect resumed")
        text = mail.LETTERS[letter.says](letter, again).get_content()  # type: ignore[union-attr]
    assert "let filters of the mailbox" in text and "only as far as it is allowed" in text


def test_a_transport_is_ended_and_nothing_else_is_done_to_what_is_handed_over(house: House) -> None:
    out(house)
    with_consent(house, do("aliases.create", house.olive, address="in@acme.example", targets=[MIA]))
    asked = {"address": "fax@acme.example", "host": "mx.partner.test", "port": 2525, "owner": "Mia", "until": later()}
    with_consent(house, do("transports.create", house.olive, **asked))
    with_consent(house, do("aliases.change", house.olive, alias="in@acme.example", targets=["fax@acme.example"]))
    browser = visitor(house.olive)
    handed = way(browser, "in@acme.example")
    for act in ("exceptions.create", "forwards.tell_owner", "forwards.replace"):
        answer = browser.post("/forwards/chosen/", {"act": act, "way": handed})
        assert answer.status_code == 422 and "handed to another server" in page(answer)
    assert drawn(browser.post("/forwards/chosen/", {"act": "forwards.stop", "way": handed}))["row-0-target"] == (
        "mx.partner.test:2525"
    ), "by way of an alias too"
    both = {"act": "forwards.stop", "way": [handed, way(browser, "fax@acme.example")]}
    change = sent(browser, browser.post("/forwards/chosen/", both), "/do/forwards.stop/")
    with acting_as(SYSTEM):
        assert change.version and Transport.objects.get().ended_at


def test_the_owner_is_told_where_it_goes_and_by_what(house: House) -> None:
    out(house)
    script(MIA, {"to": ""}, {"to": "=x@elsewhere.test"})
    browser = visitor(house.olive)
    form = browser.post("/forwards/chosen/", {"act": "forwards.tell_owner", "way": way(browser, f"{MIA} to {HOME}")})
    change = sent(browser, form, "/do/forwards.tell_owner/")
    with acting_as(SYSTEM):
        (letter,) = Letter.objects.filter(says="mail leaves")
        written = mail.LETTERS[letter.says](letter, change)
    text = written.get_content()  # type: ignore[union-attr]
    assert letter.contact == MIA and letter.about == HOME and f"  {HOME}\n" in text and "Mia answers for it" in text
    do("forwards.tell_owner", house.olive, mailbox=MIA)
    with acting_as(SYSTEM):
        newest = Letter.objects.filter(says="mail leaves").latest("id")
        text = mail.LETTERS[newest.says](newest, change).get_content()  # type: ignore[union-attr]
    assert "works out when mail comes" in text and "No exception is written down" in text


def test_nobody_is_told_of_mail_that_goes_elsewhere(house: House) -> None:
    out(house)
    for target in (None, "x@never.test"):
        with pytest.raises(Problems, match=f"no mail of {MIA} goes to"):
            do("forwards.tell_owner", house.olive, mailbox=MIA, **({"target": target} if target else {}))
    do("mailboxes.create", house.olive, address="leo@acme.example")
    with_consent(house, do("forwards.create", house.olive, address="leo@acme.example", to=MIA, until=later()))
    assert do("forwards.tell_owner", house.olive, mailbox="leo@acme.example", target=HOME).version, "over two hops"


def test_the_file_asks_why_and_is_that_of_the_list(house: House) -> None:
    out(house)
    script(OTHER, {"to": "x@elsewhere.test"}, node="mx2")
    browser = visitor(house.olive)
    assert "say why" in browser.post("/forwards/export/", {"client": "acme"}).content.decode()
    answer = browser.post("/forwards/export/", {"client": "acme", "why": "asked"})
    text = b"".join(answer.streaming_content).decode()
    answer.close()
    assert HOME in text and "globex" not in text and answer["Content-Disposition"].endswith('"forwards-acme.csv"')
    assert visitor(house.henry).post("/forwards/export/", {"why": "asked"}).status_code == 403


def test_queries_are_as_many_however_much_there_is(house: House) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert visitor(house.olive).get("/forwards/").status_code == 200
        return len(queries)

    out(house)
    cost()
    few = cost()
    for n in range(5):
        out(house, to=f"m{n}@elsewhere.test")
    with acting_as(SYSTEM):
        assert not SieveScript.objects.exists()
    assert cost() == few
