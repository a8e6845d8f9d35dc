"""Edits and states in plain words, without a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from postroom.web.parts.diff import both
from postroom.web.parts.plain import plain_edit, shown
from postroom.web.parts.shapes import Badge, Code, FieldDiff, Link, Strong
from postroom.web.parts.words import drawings, words

WEB = Path(__file__).resolve().parents[2] / "src" / "postroom" / "web"


@pytest.mark.parametrize(
    "value, said",
    [
        (None, None),
        ("", None),
        ([], None),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        ("2026-11-24T09:12:00Z", "24 Nov 2026 09:12:00 UTC"),
        ("2026-11-24", "24 Nov 2026"),
        ("2026-11-24T99:99", "2026-11-24T99:99"),
        (["10 mx.a.", "20 mx.b."], "10 mx.a.\n20 mx.b."),
        ({"ttl": 3600, "values": ["a"]}, "TTL: 3600\nValues: a"),
        ("0191-known", "Harbor Legal LLP"),
        ("0191-other", "0191-other"),
    ],
)
def test_values_are_said_plainly(value, said):
    assert shown(value, {"0191-known": "Harbor Legal LLP"}) == said


def test_an_edit_names_the_object_and_only_what_differs():
    said = plain_edit("mailboxes", "m@a.example", {"vip": False, "kind": "person"}, {"vip": True, "kind": "person"})
    assert (said.noun, said.label, said.what) == ("Mailbox", "m@a.example", "1 field")
    assert said.fields == (FieldDiff("VIP", "no", "yes"),)


def test_a_made_row_leaves_out_what_says_nothing():
    said = plain_edit("aliases", "info@a.example", None, {"id": "1", "targets": ["x@a.example"], "removed_at": None})
    assert said.what == "is made"
    assert said.fields == (FieldDiff("Lands at", None, "x@a.example"),)


def test_a_table_without_words_is_still_shown():
    said = plain_edit("sieve_rules", "r1", {"some_field": 1}, None)
    assert (said.noun, said.what, said.fields) == ("Sieve rules", "goes", (FieldDiff("Some field", "1", None),))


def test_the_part_that_changed_is_marked():
    before, after = both(FieldDiff("Values", "v=spf1 mx ~all", "v=spf1 mx include:a.example ~all"))
    assert "".join(span.text for span in before) == "v=spf1 mx ~all"
    assert not any(span.changed for span in before)
    assert "include" in "".join(span.text for span in after if span.changed)
    assert "v=spf1" not in "".join(span.text for span in after if span.changed)


def test_two_values_with_nothing_in_common_change_as_a_whole():
    before, after = both(FieldDiff("Proof", "waiting", "read"))
    assert [span.changed for span in before + after] == [True, True]


def test_words_are_escaped_whatever_they_stand_in():
    nasty = "<script>\"'&"
    said = words((nasty, Code(nasty), Strong(nasty), Link(nasty, 'javascript:"'), Badge("bad", nasty)))
    assert "<script>" not in said and said.count("&lt;script&gt;") == 5
    assert 'href="javascript:&quot;"' in said


@pytest.mark.parametrize("state", ["good", "warn", "bad", "fact", "waits", "unmeasured", "unknown", "blocks"])
def test_a_state_has_an_icon_and_words(state):
    said = words(Badge(state, "so it is"))
    assert said.count("<svg") == 1 and "so it is" in said


def test_every_icon_that_a_template_names_is_packaged():
    used = {
        name
        for template in (WEB / "templates").rglob("*.html")
        for name in re.findall(r'\{% icon "([a-z0-9-]+)"', template.read_text(encoding="utf-8"))
    }
    assert used and used <= set(drawings())


def test_no_page_has_a_style_or_a_script_of_its_own():
    for template in (WEB / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), template
        scripts = re.findall(r"<script(?![^>]*(?:src=|application/json))", text)
        assert not scripts, template
