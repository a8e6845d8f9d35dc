"""What was erased, at the pages: said with when and by what; the erasing change names fields, not what they held."""

from __future__ import annotations

import pytest
from test_doing import page
from visitors import visitor

from cast import House, do, with_consent
from postroom.access.acting import acting_as
from postroom.models import RecordedEdit
from postroom.queries.changes import timeline

NAMED = "Mia Muster"


@pytest.fixture
def pages(house: House) -> dict[str, str]:
    change = do("clients.change", house.olive, client="acme", notes=f"{NAMED}, at home")
    with acting_as(house.oskar):
        entry = RecordedEdit.objects.get(table="changes", row=change.pk).entry_id
    held = do("record.erase", house.oskar, lines=[f"{entry}.0", f"{entry}.1"], reason="a request")
    asked = page(visitor(house.ada).get(f"/changes/{held.pk}/"))
    erasing = with_consent(house, held)
    browser = visitor(house.olive)
    at = {"change": f"/changes/{change.pk}/", "erasing": f"/changes/{erasing.pk}/", "timeline": "/changes/"}
    return {
        "asked": asked,
        "at": f"/changes/{erasing.pk}/",
        **{name: page(browser.get(url)) for name, url in at.items()},
    }


def test_change_and_timeline_say_that_it_was_erased_and_by_what(house: House, pages: dict[str, str]) -> None:
    for name in ("change", "timeline", "erasing", "asked"):
        assert NAMED not in pages[name], name
    assert "Erased on" in pages["change"] and f'href="{pages["at"]}"' in pages["change"]
    assert "erased from the record" in pages["change"] and "Show what comes back" not in pages["change"]
    assert "erased on" in pages["timeline"] and f'href="{pages["at"]}"' in pages["timeline"]
    assert "Show what comes back" not in pages["erasing"]


def test_whoever_approves_sees_which_rows_and_fields_go(pages: dict[str, str]) -> None:
    for words in ("notes", "clients", "erases 2 lines of the record, for good", "gone for good"):
        assert words in pages["asked"], words


def test_a_timeline_with_erased_changes_costs_the_same(house: House, pages: dict[str, str]) -> None:
    with acting_as(house.olive):
        (one,) = [one for one in timeline(house.olive).items if one["erased"]]
    assert (one["params"], one["why"], one["kind"]) == ({}, "", "clients.change")


def test_the_form_takes_lines_as_about_names_them(house: House) -> None:
    form = page(visitor(house.oskar).get("/do/record.erase/"))
    assert "4711.0" in form and "Erase from the record" in form
    assert visitor(house.olive).get("/do/record.erase/").status_code == 403
