"""Pages by keyboard alone, by a finger, and without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.server

FOCUSED = """() => {
  const a = document.activeElement;
  if (!a || a === document.body) return null;
  const s = getComputedStyle(a), r = a.getBoundingClientRect();
  const ring = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2;
  return {seen: ring && r.width > 0 && r.height > 0, what: a.outerHTML.slice(0, 80), skip: a.className === "skip",
          place: [...document.querySelectorAll("*")].indexOf(a)};
}"""


@pytest.mark.parametrize(
    "name",
    [
        "overview",
        "mailboxes",
        "change",
        "form",
        "approvals",
        "invite",
        "finding",
        "access",
        "audit",
        "sheet",
        "invites",
        "set-up",
        "entry",
        "review",
        "roster",
        "trace",
    ],
)
def test_tab_goes_through_in_reading_order_and_shows_where_it_is(wide, name):
    page = wide.open(f"/p/{name}")
    page.evaluate("document.activeElement.blur()")
    stops = []
    for _ in range(200):
        page.keyboard.press("Tab")
        now = page.evaluate(FOCUSED)
        if now is None or (stops and now["place"] <= stops[0]["place"]):
            break
        stops.append(now)
    assert [stop["what"] for stop in stops if not stop["seen"]] == []
    assert [stop["place"] for stop in stops] == sorted(stop["place"] for stop in stops)
    assert len(stops) > 2


def test_the_first_stop_skips_to_the_content(wide):
    page = wide.open("/p/overview")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)["skip"]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_menu_of_a_phone_opens_and_closes(phone):
    page = phone.open("/p/change")
    assert not page.locator("#nav").is_visible()
    page.click(".menu")
    assert page.locator("#nav").is_visible()
    assert phone.axe() == []
    page.keyboard.press("Escape")
    assert not page.locator("#nav").is_visible()
    assert page.evaluate("document.activeElement.matches('.menu')")


def test_the_palette_finds_and_goes_by_keyboard(wide):
    page = wide.open("/p/overview")
    page.focus(".kbar")
    page.keyboard.press("Control+k")
    page.keyboard.type("hale")
    page.wait_for_selector("#palette [role=option]")
    chosen = page.locator("#palette [aria-selected=true]")
    assert "m.hale@harbor.example" in chosen.inner_text()
    page.keyboard.press("ArrowDown")
    assert "Suspend" in chosen.inner_text()
    assert page.get_attribute("#palette-q", "aria-activedescendant") == chosen.get_attribute("id")
    assert wide.axe() == []
    page.keyboard.press("ArrowUp")
    with page.expect_navigation(url="**/p/mailbox"):
        page.keyboard.press("Enter")


def test_the_palette_closes_and_gives_the_focus_back(wide):
    page = wide.open("/p/overview")
    page.focus(".kbar")
    page.keyboard.press("Control+k")
    page.keyboard.type("nobody")
    page.wait_for_selector("#palette [aria-disabled=true]")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "kbar"


def test_a_question_opens_as_a_dialog_and_keeps_the_focus(wide):
    page = wide.open("/p/mailbox")
    page.evaluate("htmx.ajax('GET', '/question', {target: 'main', swap: 'beforeend', source: '.kbar'})")
    page.wait_for_selector("dialog.dlg[open]")
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    assert wide.axe() == []
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.dlg[open]", state="detached")


def test_errors_take_the_focus_and_lead_to_their_fields(wide):
    page = wide.open("/p/form")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    page.click("text=Why: Say why")
    assert page.evaluate("document.activeElement.id") == "f-why"
    assert page.get_attribute("#f-why", "aria-invalid") == "true"
    assert page.get_attribute("#f-why", "aria-describedby") == "f-why-e"


def test_rows_are_added_and_taken_away(wide):
    page = wide.open("/p/form")
    rows = page.locator("fieldset .rowset")
    assert rows.count() == 2
    page.click("text=Add a mailbox")
    assert rows.count() == 3
    names = page.eval_on_selector_all("fieldset .rowset input", "found => found.map(one => one.name)")
    assert len(set(names)) == 3 and not any("__n__" in name for name in names)
    page.click("[data-drop]")
    assert rows.count() == 2


@pytest.mark.parametrize("name, why", [("review", "Why"), ("roster", "Told by whom")])
def test_chosen_lines_are_answered_where_they_stand(any_width, name, why):
    page = any_width.open(f"/p/{name}")
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        box = page.locator("tbody input[type=checkbox]").first
        box.focus()
        if not box.is_checked():
            page.keyboard.press("Space")
        expect(page.get_by_label(why, exact=True)).to_be_visible()
        expect(page.locator(".bulk button[name=act]")).to_have_count(3)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        for theme in ("light", "dark"):
            page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
            assert any_width.axe() == []
    page.get_by_label(why, exact=True).focus()
    page.keyboard.type("asked their lead")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "act" and any_width.wrong == []


def test_chosen_rows_are_counted(wide):
    page = wide.open("/p/mailboxes")
    assert not page.locator(".bulk").is_visible()
    page.check("[aria-label='Choose bauer@harbor.example']")
    assert page.inner_text("[data-chosen]") == "1 chosen"
    page.check("[data-all]")
    assert page.inner_text("[data-chosen]") == "4 chosen"
    page.click("text=Choose none")
    page.wait_for_selector(".bulk", state="hidden")


def test_on_a_phone_nothing_of_a_row_lies_on_its_name(phone):
    page = phone.open("/p/mailboxes")
    for row in page.locator("tbody tr").all():
        box, name, state = (row.locator(one).bounding_box() for one in (".cbx input", "a.name", ".p-right .td"))
        assert box["x"] + box["width"] <= name["x"]
        assert name["x"] + name["width"] <= state["x"]


def test_filters_change_the_list_in_place_and_tell(wide):
    page = wide.open("/p/mailboxes")
    page.focus("#f-kind")
    page.select_option("#f-kind", "person")
    expect(page.locator("[data-told]")).to_contain_text("4 shown")
    assert "kind=person" in page.url
    assert page.evaluate("document.activeElement.id") == "f-kind"


@pytest.mark.parametrize(
    "path, needs",
    [
        ("/p/invite", "button[type=submit]"),
        ("/p/code", "button[type=submit]"),
        ("/p/mailboxes", "button[value=suspend]"),
        ("/p/form", "button[name=row_add]"),
        ("/p/change", "button[type=submit] >> text=Approve exactly this"),
        ("/a/login", "button[type=submit] >> text=Sign in"),
    ],
)
def test_without_script_the_page_is_whole(scriptless, path, needs):
    page = scriptless.open(path)
    assert page.locator(needs).count() >= 1
    assert not any(one.is_visible() for one in page.locator("[data-all], [data-copy]").all())


def test_the_approval_carries_the_hash_of_the_plan_seen(wide):
    page = wide.open("/p/change")
    form = page.locator("form:has(input[name=plan_hash])")
    assert form.locator("input[name=plan_hash]").input_value().startswith("9f2c41d07be3a815")
    assert page.locator("main .btn-danger").count() == 0
    assert wide.open("/p/approvals").locator("input[name=plan_hash]").count() == 0
