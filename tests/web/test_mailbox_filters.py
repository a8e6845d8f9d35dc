"""The owner of a mailbox makes rules, an automatic answer and a script of their own; in force is what was read."""

from __future__ import annotations

import base64
import hashlib
import time
from datetime import timedelta
from typing import Any
from unittest import mock

from django.test import Client
from psycopg.types.json import Jsonb
from visitors import visitor

from cast import MIA, House, do, the
from mail_nodes import Node, pull
from mailbox_owner import WORDS, owner, taken
from postroom.models import Change, Filter, Mailbox
from postroom.protocols.filters import Answer, Filters, Rule, read, script
from postroom.queries import filters as queries

HERE = "/mailbox/filters/"
RULE = {"where": "from", "contains": "shop", "folder": "Shops", "read": "on"}
OUT = {"to": "spy@evil.example", "copy": False, "conditional": False, "by": "redirect"}


def tells(node: Node, *scripts: tuple[str, str], active: str = "postroom", redirects: Any = ()) -> None:
    """The node looked: these are the scripts of Mia's, and that was all."""
    rows = [
        {"name": name, "active": name == active, "digest": hashlib.sha256(text.encode()).hexdigest(), "text": text,
         "cut": False, "redirects": list(redirects), "vacation": False, "unreadable": ""}
        for name, text in scripts
    ]  # fmt: skip
    mine = {"login": MIA, "at": time.time() + 1, "scripts": rows}
    whole = {"whole": True, "at": time.time(), "mailboxes": 1, "unread": []}
    node.execute("SELECT node_report('sieve', %s)", [Jsonb([mine, whole])])


def put(node: Node) -> str:
    """What the node is to put now; and it does."""
    (row,) = [one["secrets"]["filter"][0] for one in pull(node).values() if one and "filter" in one.get("secrets", {})]
    taken(node)
    return base64.b64decode(row["script"]).decode()


def page(browser: Client, of: str = HERE) -> str:
    return str(browser.get(of).content.decode())


def was(browser: Client) -> str:
    """As her page says it."""
    return page(browser).partition('name="was" value="')[2].partition('"')[0]


def adds(browser: Client, **more: str) -> Any:
    return browser.post(HERE, {**RULE, "was": was(browser), **more})


def test_a_rule_is_put_and_shown_once_the_server_read_it(mia: Mailbox, mx1: Node) -> None:
    browser = owner()
    assert "unknown" in page(browser)  # nothing was told yet, and that is not nothing
    tells(mx1)
    assert "Nothing sorts or answers your mail" in page(browser)

    assert adds(browser)["Location"] == HERE
    assert "on its way" in page(browser) and "on its way" in page(browser, "/mailbox/")
    text = put(mx1)
    assert read(text) == Filters((Rule("from", "shop", "Shops", read=True),))
    assert "on its way" in page(browser)
    tells(mx1, ("postroom", text))
    shown = page(browser)
    assert "on its way" not in shown and "One rule in force" in shown and "Shops" in shown


def test_a_change_that_was_not_read_back_is_not_forgotten_when_all_is_told_again(mia: Mailbox, mx1: Node) -> None:
    """The node tells of everything by the hour, whatever came of the last change."""
    browser = owner()
    adds(browser)
    old = put(mx1)
    tells(mx1, ("postroom", old))
    assert adds(browser, contains="bank")["Location"] == HERE
    tells(mx1, ("postroom", old))

    assert "on its way" in page(browser)
    assert adds(browser).status_code == 409
    with mock.patch.object(queries, "WORD_HOLDS", timedelta(0)):
        assert "The last change is not in force" in page(browser)
    new = put(mx1)
    assert "on its way" in page(browser)  # read back; what is shown is from before
    tells(mx1, ("postroom", new))
    assert "on its way" not in page(browser) and "bank" in page(browser)
    tells(mx1, ("postroom", new), ("mine", "keep;"), active="mine")  # uploaded since
    assert "on its way" not in page(browser) and "mine" in page(browser)


def test_what_is_told_before_it_was_read_back_is_not_taken_for_it(mia: Mailbox, mx1: Node) -> None:
    browser = owner()
    tells(mx1)
    adds(browser)
    (row,) = [one["secrets"]["filter"][0] for one in pull(mx1).values() if one and "filter" in one.get("secrets", {})]
    tells(mx1, ("postroom", base64.b64decode(row["script"]).decode()))
    assert "on its way" in page(browser)
    taken(mx1)
    assert "on its way" not in page(browser)
    browser.post(f"{HERE}end/")
    tells(mx1)
    assert "on its way" in page(browser)
    taken(mx1)
    assert "on its way" not in page(browser)


def test_rules_and_the_answer_stand_beside_each_other_and_go_one_by_one(mia: Mailbox, mx1: Node) -> None:
    browser = owner()
    tells(mx1, ("postroom", script(Filters((Rule("from", "a", "A"), Rule("to", "b", "B"))))))
    away = {"subject": "Away", "text": "Back soon.\r\nMia", "first": "2026-12-24", "last": "2026-12-31", "days": "3"}
    assert browser.post(f"{HERE}answer/", {**away, "was": was(browser)})["Location"] == HERE
    text = put(mx1)
    made = read(text)
    assert made and isinstance(made.answer, Answer) and made.answer.text == "Back soon.\nMia" and len(made.rules) == 2
    tells(mx1, ("postroom", text))
    assert "2 rules and an automatic answer in force" in page(browser) and "Answers with" in page(browser)

    assert browser.post(f"{HERE}remove/", {"rule": "0", "was": was(browser)})["Location"] == HERE
    left = read(put(mx1))
    assert left and [one.contains for one in left.rules] == ["b"] and left.answer == made.answer


def test_what_is_no_rule_is_said_and_stays_typed(mia: Mailbox, mx1: Node) -> None:
    browser = owner()
    tells(mx1)
    wrong = adds(browser, folder="a/b")
    assert wrong.status_code == 422 and "has none of" in wrong.content.decode() and "a/b" in wrong.content.decode()
    wrong = browser.post(f"{HERE}answer/", {"subject": "Away", "text": "x", "days": "x", "was": was(browser)})
    assert wrong.status_code == 422 and "1 to 30 days" in wrong.content.decode()
    wrong = browser.post(f"{HERE}answer/", {"subject": "A", "text": "x", "days": "1", "first": "soon"})
    assert wrong.status_code == 422 and "no day" in wrong.content.decode()


def test_nothing_is_changed_that_she_did_not_see(mia: Mailbox, mx1: Node) -> None:
    browser = owner()
    tells(mx1, ("postroom", script(Filters((Rule("from", "a", "A"),)))))
    before = was(browser)
    tells(mx1, ("mine", "keep;"), active="mine")  # uploaded by a mail program meanwhile

    late = browser.post(HERE, {**RULE, "was": before})
    assert late.status_code == 409 and "has changed since" in late.content.decode()
    assert "In force is a script that was uploaded" in page(browser) and "mine" in page(browser)
    assert adds(browser)["Location"] == HERE
    again = adds(browser)
    assert again.status_code == 409 and "on its way" in again.content.decode()


def test_a_script_takes_the_password_and_is_refused_by_its_line(mia: Mailbox, mx1: Node) -> None:
    browser, url = owner(), f"{HERE}script/"
    tells(mx1)
    wrong = browser.post(url, {"script": "keep;\nfoo;", "old": WORDS, "was": ""})
    assert wrong.status_code == 422 and "line 2: there is no command" in wrong.content.decode()
    wrong = browser.post(url, {"script": 'redirect "spy@evil.example";', "old": "not it, but long", "was": ""})
    assert wrong.status_code == 422 and "not the password" in wrong.content.decode()
    assert browser.post(url, {"script": 'redirect "spy@evil.example";', "old": WORDS, "was": ""})["Location"] == HERE
    text = put(mx1)
    assert text == 'redirect "spy@evil.example";'
    tells(mx1, ("postroom", text), redirects=[OUT])
    assert "Sends mail on to" in page(browser) and "sends nothing there, and that mail stays here" in page(browser)
    assert text.replace('"', "&quot;") in page(browser, url)


def test_her_page_says_what_of_it_is_stopped(mia: Mailbox, mx1: Node, house: House) -> None:
    browser = owner()
    tells(
        mx1, ("mine", 'redirect "spy@evil.example";'), active="mine", redirects=[OUT, {**OUT, "to": "kay@evil.example"}]
    )
    assert do("redirects.stop", house.olive, mailbox=MIA, target="spy@evil.example").version
    shown = page(browser)
    stopped = shown.index("Sends nothing on to")
    assert "spy@evil.example" in shown[stopped : stopped + 400] and "as you left it" in shown
    assert "kay@evil.example" in shown.partition("Sends mail on to")[2]


def test_she_ends_what_is_in_force(mia: Mailbox, mx1: Node) -> None:
    browser = owner()
    tells(mx1)
    adds(browser)
    tells(mx1, ("postroom", put(mx1)))
    assert browser.post(f"{HERE}end/")["Location"] == HERE
    assert not the(Filter).active
    assert browser.post(f"{HERE}end/").status_code == 409


def test_nobody_sees_in_the_record_what_she_wrote(mia: Mailbox, mx1: Node, house: House) -> None:
    browser = owner()
    tells(mx1)
    adds(browser, contains="dr-brown", folder="Health")
    change = the(Change, kind="filters.write")
    operator = visitor(house.olive)
    for url in (f"/changes/{change.pk}/", f"/api/v1/changes/{change.pk}", f"/mailboxes/{mia.pk}/", "/audit/"):
        shown = operator.get(url).content.decode()
        assert "dr-brown" not in shown and "Health" not in shown, url


def test_an_operator_sees_which_scripts_there_are_and_where_they_send(mia: Mailbox, mx1: Node, house: House) -> None:
    tells(mx1, ("postroom", 'redirect "spy@evil.example"; # dr-brown'), redirects=[OUT])
    shown = page(visitor(house.olive), f"/mailboxes/{mia.pk}/")
    assert "spy@evil.example" in shown and "filters.end" in shown and "dr-brown" not in shown
    assert do("filters.set", house.olive, mailbox=MIA, script="keep;").version
