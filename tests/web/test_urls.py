"""Every address says what it takes, is tried by everybody, and changes nothing when it is only looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from visitors import CAST, samples, visitor

from cast import House, do
from postroom.access.declared import MAILBOX
from postroom.access.roles import allows

ROLES = {"oskar": "owner", "olive": "operator", "ada": "approver", "henry": "helpdesk", "audrey": "auditor",
         "carl": "client admin"}  # fmt: skip
ARGUMENTS = {
    "client": "acme", "domain": "acme.example", "mailbox": "mia@acme.example", "mailbox-sign-ins": "mia@acme.example",
    "person": "olive@northlight.example",
    "node": "mx1", "domain-routing": "acme.example", "domain-posture": "acme.example",
}  # fmt: skip
OPEN_TO_ALL = {"own", "public", MAILBOX}


def patterns() -> Iterator[tuple[str, URLPattern]]:
    """(address with its arguments named, pattern) of every page; the API has an operation's permission of its own."""
    yield from _under("/", get_resolver())


def _under(prefix: str, resolver: URLResolver) -> Iterator[tuple[str, URLPattern]]:
    for one in resolver.url_patterns:
        address = prefix + str(one.pattern)
        if isinstance(one, URLPattern):
            yield address, one
        elif not address.startswith("/api/"):
            yield from _under(address, one)


PAGES = list(patterns())


def filled(address: str, name: str, known: dict[str, str]) -> str:
    values = {
        "<str:ref>": ARGUMENTS.get(name, "acme"), "<str:name>": "mailboxes.suspend", "<str:token>": "x",
        "<int:pk>": "1", "<int:number>": known["entry"], "<uuid:which>": known["verification"],
        **{f"<uuid:{key}>": known[key] for key in ("change", "batch", "invite", "finding", "review", "roster")},
        **({"<uuid:change>": known["reviewed"]} if name == "review" else {}),
    }  # fmt: skip
    for argument, value in values.items():
        address = address.replace(argument, value)
    return address


def test_every_address_declares_its_permission() -> None:
    silent = [address for address, one in PAGES if not getattr(one.callback, "permission", "")]
    assert silent == [] and len(PAGES) > 40


def test_no_page_answers_somebody_who_is_not_signed_in(house: House) -> None:
    known, nobody = samples(house), visitor()
    for address, one in PAGES:
        url = filled(address, one.name or "", known)
        if one.callback.permission == "public":
            continue
        for ask in (nobody.get, nobody.post):
            answer = ask(url)
            assert answer.status_code in (302, 405), (url, answer.status_code)
            there = "/mailbox/sign-in/" if one.callback.permission == MAILBOX else "/sign-in/?next="
            assert answer.status_code == 405 or answer["Location"].startswith(there), url


@pytest.mark.parametrize("who", CAST)
def test_each_member_of_the_cast_gets_what_their_role_allows_and_no_more(house: House, who: str) -> None:
    known, browser = samples(house), visitor(getattr(house, who))
    for address, one in PAGES:
        wanted = one.callback.permission.split(" ")[0] if one.callback.permission not in OPEN_TO_ALL else ""
        if not wanted:
            continue
        answer = browser.get(filled(address, one.name or "", known))
        if answer.status_code == 405 or one.name in ("batch", "undo-batch", "view-rename"):  # asked for with which
            continue
        may = allows([ROLES[who]], wanted)
        special = one.name == "do-one" and not allows([ROLES[who]], "mailboxes.suspend")
        expected = {200} if may and not special else {403}
        if who == "carl" and one.name == "person":
            expected = {404}  # Olive is nobody of Acme's: not there and not yours answer the same
        assert answer.status_code in expected, (who, one.name, answer.status_code)


def test_looking_changes_nothing(house: House) -> None:
    """But for the line that says who of the organization looked at whom: see test_looks."""
    known, browser = samples(house), visitor(house.oskar)
    before = written()
    for address, one in PAGES:
        if not getattr(one.callback, "recorded", "") and one.name not in ACTS_BY_GET:
            browser.get(filled(address, one.name or "", known))
    assert written() == before


ACTS_BY_GET = ("account_logout", "invite-link", "founding-link", "mfa_generate_recovery_codes")


def written() -> dict[str, int]:
    """Rows of everything but sign-in rows; `edits` counts every entry with what it says."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('postroom.everything', 'yes', false)")
        tables = [t for t in connection.introspection.table_names(cursor) if t not in UNCOUNTED]
        counts = {}
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('postroom.everything', 'no', false)")
    return counts


UNCOUNTED = {"django_session", "usersessions_usersession", "secrets"}


def test_what_is_only_posted_to_is_not_got(house: House) -> None:
    known, browser = samples(house), visitor(house.ada)
    for name in ("approve", "replan", "approve-batch", "withdraw-batch", "undo-batch"):
        address = next(address for address, one in PAGES if one.name == name)
        assert browser.get(filled(address, name, known)).status_code == 405


def test_a_form_without_its_token_is_refused(house: House) -> None:
    known = samples(house)
    browser = visitor(house.ada, enforce_csrf_checks=True)
    for address in (f"/changes/{known['change']}/approve/", "/do/mailboxes.suspend/", "/theme/", "/account/logout/"):
        assert browser.post(address).status_code == 403


def test_an_operator_without_a_second_factor_gets_the_enrolment_page_and_nothing_else(house: House) -> None:
    known, browser = samples(house), visitor(house.olive, factor=False)
    for address, one in PAGES:
        if one.callback.permission in ("public", MAILBOX) or one.name in BEFORE_FACTOR:
            continue
        for ask in (browser.get, browser.post):
            answer = ask(filled(address, one.name or "", known))
            assert answer.status_code == 405 or answer["Location"] == "/enrol/", one.name
    assert b"First, a second factor" in browser.get("/enrol/").content
    carl = visitor(house.carl, factor=False)
    assert carl.get("/").status_code == 200, "a client admin may; operator roles must"


BEFORE_FACTOR = {"enrol", "account_logout", "account_reauthenticate", "mfa_activate_totp", "mfa_add_webauthn", "theme"}


def test_a_person_suspended_meanwhile_is_signed_out_at_the_next_click(house: House) -> None:
    browser = visitor(house.henry)
    assert browser.get("/").status_code == 200
    do("people.suspend", house.oskar, person="henry@northlight.example")
    assert browser.get("/").status_code == 302
    assert "_auth_user_id" not in browser.session


def test_not_there_and_not_yours_answer_the_same(house: House) -> None:
    carl = visitor(house.carl)
    theirs, nowhere = carl.get("/mailboxes/mia@globex.example/"), carl.get("/mailboxes/nobody@acme.example/")
    assert theirs.status_code == nowhere.status_code == 404
    assert theirs.content == nowhere.content


NO_ID = "00000000-0000-0000-0000-000000000000"
ODD = (
    "/clients/%00/", "/mailboxes/?q=%00abc&after=%00", "/invites/?after=x", "/changes/?after=x", "/find/?q=%00",
    "/changes/?object=x&since=never&client=nobody", "/domains/?q=ab", "/people/?state=x&client=%ff", "/nodes/nowhere/",
    "/do/nothing.here/", "/do/invites.issue/", "/do/mailboxes.suspend/?mailbox=%00", f"/changes/{NO_ID}/",
    f"/batches/{NO_ID}/", "/do/history.roll_back/?change=x",
    "/findings/?after=%00x&state=x&severity=x&client=%ff", "/findings/?q=%00", "/findings/?state=closed&after=0x",
    f"/access-reviews/{NO_ID}/", f"/rosters/{NO_ID}/?state=x&after=x", "/rosters/?after=x&client=%ff&q=%00",
    f"/findings/{NO_ID}/", "/findings/x/", f"/do/findings.accept/?finding={NO_ID}&until=never",
)  # fmt: skip


@pytest.mark.parametrize("address", ODD)
def test_an_odd_address_is_answered_and_never_breaks(house: House, address: str) -> None:
    assert visitor(house.oskar).get(address).status_code in (200, 400, 404)


def test_pages_carry_the_strict_policy_and_are_not_kept(house: House) -> None:
    answer = visitor(house.oskar).get("/")
    assert (
        "default-src 'self'" in answer["Content-Security-Policy"] and "unsafe" not in answer["Content-Security-Policy"]
    )
    assert answer["Cache-Control"] == "no-store"


def test_static_files_are_kept_for_ever_under_an_address_that_says_their_version(house: House) -> None:
    browser = Client(SERVER_NAME="localhost")
    page = browser.get("/sign-in/").content.decode()
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = browser.get(address)
    assert answer.status_code == 200 and "immutable" in answer["Cache-Control"]
    assert b"rowset" in b"".join(answer.streaming_content)


def test_what_broke_is_written_down_by_its_route_and_not_by_its_address(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The page says so; and an address may hold a one-time link."""

    def breaks(*_: object) -> None:
        raise LookupError("no such thing")

    monkeypatch.setattr("postroom.web.mailboxes.row_of", breaks)
    browser = visitor(house.olive, raise_request_exception=False)
    answer = browser.get("/mailboxes/mia@acme.example/")
    assert answer.status_code == 500 and b"written down" in answer.content
    (noted,) = [one for one in caplog.records if one.name == "postroom.web"]
    assert noted.getMessage() == "GET /mailboxes/<str:ref>/ failed" and noted.exc_info[0] is LookupError
    assert "mia@" not in caplog.text
