"""The inventory sheet: what is known is counted, what is not is never green, and taking it out stands in the record."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pdf_reader import texts
from visitors import visitor

from api.conftest import Caller
from cast import MIA, House, do, do_all, person
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.cli import main, remote
from postroom.models import Client
from postroom.posture.signed import signed
from postroom.queries import sheet, sheet_files
from postroom.queries.entries import Wanted, entries
from postroom.queries.pdf_pages import MARGIN, PLAIN, SIZE, WIDTH, shown, wrapped
from postroom.web.step_up import BY_LINK

PATH = "/clients/acme/sheet/"
HELD = {
    "registrar": "Namehouse", "registrar_account": "domains@acme.example", "registrar_account_holder": "Tom",
    "registrar_holder": "Carl",
    "second_holder": "Mia", "registrar_mfa": "yes", "dns_holder": "Northlight", "expires_on": "2030-01-01",
    "confirmed_on": "2026-01-01",
}  # fmt: skip


def page(who: Actor, query: str = "") -> str:
    answer = visitor(who).get(PATH + query)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def taken(who: Actor, **sent: str) -> Any:
    answer = visitor(who).post(f"{PATH}export/", {"format": "csv", "why": "asked by Acme", **sent})
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    answer.close()
    answer.whole = content
    return answer


def exports() -> list[dict[str, Any]]:
    with acting_as(SYSTEM):
        return [one["facts"] for one in entries(SYSTEM, Wanted(said=("sheet exported",)), signed()).items]


def complete(who: Actor) -> dict[str, tuple[int, int]]:
    with acting_as(who):
        found = sheet.complete(who, Client.objects.get(slug="acme"))
    return {name: (one.known, one.of) for name, one in found.items()}


def test_every_cell_that_nobody_filled_is_counted_and_none_of_it_is_green(house: House) -> None:
    assert complete(house.olive) == {"client": (0, 3), "domains": (0, 9), "mailboxes": (2, 2)}
    said = page(house.olive)
    assert "2 of 14 known" in said and said.count("not known") >= 9 and "pb-good" not in said
    for n, (name, value) in enumerate(HELD.items(), 1):
        do("domains.change", house.olive, domain="acme.example", **{name: value})
        assert complete(house.olive)["domains"] == (n, 9), name
    do("clients.change", house.olive, client="acme", sending="isolated", security_contact="s@acme.example",
       may_ask=["boss@acme.example"])  # fmt: skip
    assert complete(house.olive) == {"client": (3, 3), "domains": (9, 9), "mailboxes": (2, 2)}
    said = page(house.olive)
    assert "14 of 14 known" in said and said.count("not known") == 1 and all(value in said for value in HELD.values())
    do("mailboxes.create", house.olive, address="sales@acme.example", name="Sales", kind="shared")
    assert complete(house.olive)["mailboxes"] == (3, 4)
    do("mailboxes.change", house.olive, mailbox="sales@acme.example", owner="carl@northlight.example")
    assert complete(house.olive)["mailboxes"] == (4, 4)
    do("domains.change", house.olive, domain="acme.example", registrar_mfa="unknown", second_holder="")
    assert complete(house.olive)["domains"] == (7, 9)
    do("domains.change", house.olive, domain="acme.example", registrar_account="new@acme.example")
    assert complete(house.olive)["domains"] == (6, 9), "who held the address before does not hold the new one by that"


def test_a_day_of_confirmation_that_lies_ahead_is_refused(house: House) -> None:
    with pytest.raises(Exception, match="lies ahead"):
        do("domains.change", house.olive, domain="acme.example", confirmed_on="2999-01-01")


def test_the_parts_show_whose_everything_is(house: House) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example", name="Leo", owner="carl@northlight.example")
    do("aliases.create", house.olive, address="info@acme.example", targets=[MIA, "leo@acme.example"])
    boxes, routes, roles = (page(house.carl, f"?part={name}") for name in ("mailboxes", "routes", "roles"))
    assert MIA in boxes and "Leo" in boxes and "Northlight" in boxes and "globex" not in boxes
    assert "info@acme.example" in routes and f"leo@acme.example, {MIA}" in routes.replace(
        f"{MIA}, leo@acme.example", f"leo@acme.example, {MIA}")  # fmt: skip
    assert "Carl" in roles and "client admin" in roles and "Olive" in roles
    assert "Domains" in page(house.carl, "?part=nothing")


def test_it_is_paged_by_key_and_costs_as_many_queries_however_long_it_is(house: House) -> None:
    def cost() -> list[int]:
        found = []
        browser = visitor(house.oskar)
        for query in ("", *(f"?part={name}" for name in sheet.PARTS)):
            browser.get(PATH + query)
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(PATH + query).status_code == 200
            found.append(len(queries))
        return found

    few = cost()
    for at in range(0, 60, 20):
        do_all("mailboxes.create", house.olive, [{"address": f"b{n:03}@acme.example"} for n in range(at, at + 20)])
        do_all("aliases.create", house.olive, [
            {"address": f"a{n:03}@acme.example", "targets": [MIA]} for n in range(at, at + 20)])  # fmt: skip
    do("domains.add", house.oskar, client="acme", name="more.example")
    assert cost() == few and max(few) <= 40, few
    first, second = page(house.olive, "?part=mailboxes"), page(house.olive, "?part=mailboxes&after=b049@acme.example")
    assert "b049@acme.example" in first and "b050@acme.example" not in first
    assert "b050@acme.example" in second and MIA in second and 'href="?part=mailboxes&after=b049' in first


def test_the_whole_sheet_is_taken_out_as_csv_and_stands_in_the_record_first(house: House) -> None:
    do("domains.change", house.olive, domain="acme.example", registrar="=cmd|' /C calc'!A0", registrar_holder="@x")
    do("aliases.create", house.olive, address="info@acme.example", targets=[MIA])
    for n, who in enumerate((house.oskar, house.olive, house.audrey, house.carl), 1):
        answer = taken(who)
        assert answer.status_code == 200 and answer["Content-Type"].startswith("text/csv")
        assert 'filename="sheet-acme.csv"' in answer["Content-Disposition"] and answer["Cache-Control"] == "no-store"
        text = answer.whole.decode("utf-8-sig")
        assert answer.whole.startswith(b"\xef\xbb\xbf") and "globex" not in text
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
        assert ["sheet", "Known", "4 of 14 cells"] in rows
        (domain,) = [row for row in rows if row[:2] == ["domains", "acme.example"]]
        assert domain[2:7] == ["'=cmd|' /C calc'!A0", "not known", "not known", "'@x", "not known"]
        assert ["routes", "info@acme.example", MIA] in rows
        assert {row[0] for row in rows} == {"sheet", *sheet.PARTS}
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
        assert (
            len(exports()) == n
            and exports()[0] | {"name": who.name, "why": "asked by Acme", "format": "csv"} == exports()[0]
        )


def test_who_may_not_take_it_does_not_and_nothing_is_made_without_a_reason(house: House) -> None:
    for who, path, status in (
        (house.ada, "acme", 403), (house.henry, "acme", 403), (house.carl, "globex", 404), (house.oskar, "nobody", 404),
    ):  # fmt: skip
        assert visitor(who).post(f"/clients/{path}/sheet/export/", {"format": "csv", "why": "x"}).status_code == status
    assert taken(house.carl, why="").status_code == 409 and taken(house.carl, format="xls").status_code == 409
    stale = visitor(house.carl)
    session = stale.session
    del session[BY_LINK]
    session.save()
    assert stale.post(f"{PATH}export/", {"format": "csv", "why": "x"}).status_code == 302, "a fresh factor first"
    assert exports() == []
    assert visitor(house.carl).get("/clients/globex/sheet/").status_code == 404
    assert do("grants.give", house.oskar, person="henry@northlight.example", role="auditor", client="acme").version
    http, sent = visitor(house.henry), {"format": "csv", "why": "x"}
    assert http.get("/clients/globex/sheet/").status_code == 200, "he sees both, and takes out what is his to take"
    assert http.post("/clients/globex/sheet/export/", sent).status_code == 403 and exports() == []
    assert taken(house.henry).status_code == 200 and len(exports()) == 1


def test_whoever_runs_the_service_and_looks_at_it_stands_in_the_record(house: House, sql: Any) -> None:
    page(house.carl)
    looks = "SELECT after->>'name' FROM edits WHERE said = 'looked at'"
    assert sql(looks) == []
    page(house.olive)
    assert sql(looks) == [("Olive",)]


def test_who_administers_a_mailbox_is_asked_of_each_and_known_by_name_or_by_the_role(house: House) -> None:
    do("mailboxes.create", house.olive, address="b@acme.example")
    assert _admins_said(house) == ["Carl", "Carl"] and complete(house.olive)["mailboxes"] == (3, 4)
    do("people.suspend", house.oskar, person="carl@northlight.example")
    assert _admins_said(house) == [None, None] and complete(house.olive)["mailboxes"] == (1, 4)
    assert "not known" in page(house.olive, "?part=mailboxes")
    do("mailboxes.change", house.olive, mailbox=MIA, client_admin="ada@northlight.example")
    assert _admins_said(house) == [None, "Ada"] and complete(house.olive)["mailboxes"] == (2, 4)


def _admins_said(house: House) -> list[str | None]:
    with acting_as(house.olive):
        found = sheet.PARTS["mailboxes"].read(house.olive, Client.objects.get(slug="acme"), None, 9)
    return [line.cells[-1] for line in found.items]


def test_at_the_api_a_part_is_read_a_page_at_a_time_and_taken_out_by_who_may(house: House) -> None:
    do_all("mailboxes.create", house.olive, [{"address": f"b{n}@acme.example"} for n in range(3)])
    carl = Caller(house.carl)
    first = carl.get("/clients/acme/sheet?part=mailboxes&limit=2").json()
    second = carl.get(f"/clients/acme/sheet?part=mailboxes&limit=2&after={first['next']}").json()
    names = [one["address"] for one in (*first["items"], *second["items"])]
    assert names == ["b0@acme.example", "b1@acme.example", "b2@acme.example", MIA] and second["next"] is None
    assert first["complete"]["mailboxes"] == {"known": 5, "of": 8} and first["items"][0]["owner"] is None
    assert first["sending"] is None
    assert carl.get("/clients/globex/sheet").status_code == 404
    assert carl.get("/clients/acme/sheet?part=secrets").status_code == 422
    assert carl.get("/clients/acme/sheet/file?why=").status_code == 422 and exports() == []
    answer = carl.get("/clients/acme/sheet/file?format=pdf&why=handed%20over")
    assert answer.status_code == 200 and b"".join(answer.streaming_content).startswith(b"%PDF")
    answer.close()
    assert exports()[0]["format"] == "pdf" and exports()[0]["why"] == "handed over"
    assert Caller(house.ada).get("/clients/acme/sheet/file?why=x").status_code == 403


def test_in_a_terminal(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(house.carl)

    def ask(method: str, path: str, body: Any = None, **_: Any) -> Any:
        answer = caller.get(path)
        if answer.status_code >= 400:
            raise click.ClickException(answer.json()["title"])
        return answer.json()

    def fetch(path: str, out: Path) -> int:
        answer = caller.get(path)
        assert answer.status_code == 200
        written = out.write_bytes(b"".join(answer.streaming_content))
        answer.close()
        return written

    monkeypatch.setattr(remote, "ask", ask)
    monkeypatch.setattr(remote, "fetch", fetch)
    run = CliRunner().invoke
    said = run(main, ["sheet", "acme"]).output
    assert "acme.example" in said and "registrar: not known" in said and "domains 0 of 9" in said
    assert json.loads(run(main, ["sheet", "acme", "--json", "--part", "roles"]).output)["part"] == "roles"
    out = tmp_path / "acme.csv"
    assert "say --why" in run(main, ["sheet", "acme", "--out", str(out)]).output and not out.exists()
    assert run(main, ["sheet", "acme", "--out", str(tmp_path / "x.doc"), "--why", "x"]).exit_code == 2
    done = run(main, ["sheet", "acme", "--out", str(out), "--why", "for the lawyer"])
    assert done.exit_code == 0 and "acme.example" in out.read_text()


def test_a_pdf_holds_all_of_it_with_headings_on_every_page(house: House) -> None:
    do_all("mailboxes.create", house.olive, [
        {"address": f"b{n:02}@acme.example", "name": "Żaneta Łukasińska"} for n in range(25)])  # fmt: skip
    do_all(
        "mailboxes.create", house.olive, [{"address": f"c{n:02}@acme.example", "name": "x" * 190} for n in range(20)]
    )
    answer = taken(house.olive, format="pdf")
    assert answer["Content-Type"] == "application/pdf" and "sheet-acme.pdf" in answer["Content-Disposition"]
    pages = texts(answer.whole)
    words = [one for of in pages for one in of]
    assert len(pages) > 2 and [of[1] for of in pages] == [str(n) for n in range(1, len(pages) + 1)]
    for n in range(25):
        assert f"b{n:02}@acme.example" in words
    assert "Inventory sheet of Acme" in words and "not known" in words
    assert {"Żaneta", "Łukasińska"} <= set(" ".join(words).split()), words[:80]
    assert "".join(words).count("x" * 20) >= 20 * 9, "nothing of a long name is cut off"
    assert all(of.count("Client admin") == 1 for of in pages if any(word.startswith("c0") for word in of))


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("Mia Hart", "Mia Hart"),
        ("中", "[U+4E2D]"),
        ("a\u202eb", "a[U+202E]b"),
        ("שלום עולם", "םלוע םולש"),
        ("Mia שלום עולם x", "Mia םלוע םולש x"),
        ("a\0b", "a[U+0000]b"),
    ],
)
def test_text_is_shown_as_the_font_can(text: str, wanted: str) -> None:
    known = "שלום" not in text or "[U+" not in shown("ש", PLAIN)
    assert not known or shown(text, PLAIN) == wanted


@pytest.mark.parametrize("text", ["", "a", "word " * 50, "x" * 500, " ", "a  b", "שלום " * 30])
def test_wrapping_loses_nothing(text: str) -> None:
    lines = list(wrapped(text, 60, PLAIN, SIZE))
    assert "".join(lines).replace(" ", "") == shown(text, PLAIN).replace(" ", "")
    assert all(len(one) == 1 or one.strip() == "" or len(one) < 60 for one in lines) and WIDTH > 2 * MARGIN


@pytest.mark.parametrize("many", [1_000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_thousands_of_rows_are_written_in_the_memory_of_a_few_hundred(tmp_path: Path, many: int) -> None:
    """Bytes a row: none of a file that is written as it goes, and of a PDF what its pages are listed by."""

    def peak(rows: int, as_file: str) -> int:
        line = sheet.Line(("somebody@acme.example", "person", "Somebody", "Somebody", "Northlight", ""))
        of = sheet_files.Sheet(
            Client(name="Acme", slug="acme"), {}, datetime(2026, 11, 30, tzinfo=UTC),
            lambda part: iter(line for _ in range(rows)) if part.name == "mailboxes" else iter(()),
        )  # fmt: skip
        tracemalloc.start()
        with (tmp_path / "x").open("wb") as file:
            sheet_files.WRITERS[as_file][0](file, of)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10, "pdf")
    assert peak(many, "csv") < peak(200, "csv") + 30 * many
    assert peak(many, "pdf") < peak(200, "pdf") + 800 * many


def test_who_holds_something_at_one_domain_alone_sees_no_sheet_as_they_see_no_client(house: House) -> None:
    do("people.invite", house.oskar, name="Nan", email="nan@northlight.example")
    at = {"client": "acme", "domain": "acme.example"}
    do("grants.give", house.oskar, person="nan@northlight.example", role="auditor", **at)
    nan = visitor(person("nan@northlight.example", house.oskar))
    assert {nan.get(one).status_code for one in ("/clients/acme/", PATH)} == {404}
    assert nan.post(f"{PATH}export/", {"format": "csv", "why": "x"}).status_code == 404
