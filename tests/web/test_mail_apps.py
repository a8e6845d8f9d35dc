"""Set-up of mail apps: one answer for whoever is there and whoever is not; no Host but the few that are served."""

from __future__ import annotations

import plistlib
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cast import MIA, House, do, with_consent
from postroom.environment import Environment
from postroom.protocols import autodiscover, mobileconfig
from postroom.web.app_hosts import AUTOCONFIG, AUTODISCOVER
from protocols.test_mail_app_documents import NAMES, OUTLOOK, parsed, request, thunderbird

Asks = Callable[[Client, str], HttpResponse]
UNKNOWN = ("nobody@acme.example", "mia@nowhere.example", "postmaster@acme.example", "r&d@globex.example")


def by_get(path: str) -> Asks:
    return lambda http, address: http.get(f"{path}?emailaddress={quote(address)}")  # type: ignore[return-value]


def by_outlook(http: Client, address: str) -> HttpResponse:
    return http.post(AUTODISCOVER[0], request(address), content_type="text/xml")  # type: ignore[return-value]


WAYS: dict[str, Asks] = {
    "autoconfig": by_get(AUTOCONFIG[0]), "well-known": by_get(AUTOCONFIG[1]), "autodiscover": by_outlook,
    "profile": by_get("/setup/profile.mobileconfig"), "page": by_get("/setup/"),
}  # fmt: skip


@pytest.fixture
def http() -> Client:
    return Client(SERVER_NAME="localhost")


def blank(answer: HttpResponse, address: str) -> tuple[str, str]:
    """The answer without what was sent, and what is worked out of it alone: ids, the code for a phone."""
    text = answer.content.decode()
    for one in (address, quote(address), quote(address, safe=""), address.replace("&", "&amp;")):
        text = text.replace(one, "…")
    text = text.replace(f"<domain>{address.rpartition('@')[2]}<", "<domain>…<")
    text = re.sub(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "id", text)
    text = re.sub(r'<svg viewBox="0 0 \d+ \d+"[^>]*><path d="[^"]*"/>', "code", text)
    headers = " ".join(f"{name}: {said}" for name, said in sorted(answer.items()) if name != "Content-Length")
    return headers, text


@pytest.mark.parametrize("way", WAYS)
def test_whoever_is_asked_for_the_answer_and_its_work_are_the_same(house: House, http: Client, way: str) -> None:
    do("domains.add", house.oskar, client="globex", name="unproven.example")
    found = set()
    for address in (MIA, *UNKNOWN, "mia@unproven.example"):
        with CaptureQueriesContext(connection) as queries:
            answer = WAYS[way](http, address)
        assert answer.status_code == 200, answer.content
        found.add((*blank(answer, address), len(queries)))
    assert len(found) == 1, found


def test_what_apps_are_told_is_what_is_set_and_never_what_a_request_says(
    house: House, http: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"MAIL_HOST": "mail.northlight.example", "IMAPS_PORT": 2993, "SUBMISSIONS_PORT": 2465}
    monkeypatch.setattr(settings, "POSTROOM", Environment({**settings.POSTROOM.values, **told}))
    more = {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_FORWARDED": "host=evil.example"}
    read = thunderbird(http.get(f"{AUTOCONFIG[0]}?emailaddress={MIA}", **more).content)
    assert read["incoming"] == [("imap", "mail.northlight.example", 2993, "%EMAILADDRESS%")]
    assert read["label"] == "Northlight mail" and read["domains"] == ["acme.example"]
    root = parsed(by_outlook(http, MIA).content)
    assert [one.text for one in root.iterfind(".//r:Port", OUTLOOK)] == ["2993", "2465"]
    account = plistlib.loads(WAYS["profile"](http, MIA).content)["PayloadContent"][0]
    assert (account["IncomingMailServerHostName"], account["IncomingMailServerPortNumber"]) == (
        "mail.northlight.example", 2993)  # fmt: skip
    page = WAYS["page"](http, MIA).content.decode()
    assert (
        "mail.northlight.example, port 2993, TLS" in page
        and f"/setup/profile.mobileconfig?emailaddress={quote(MIA, safe='')}" in page
    )
    for way in WAYS.values():
        assert b"evil.example" not in way(http, MIA).content


@pytest.mark.parametrize("name", [name for sort, name in NAMES.items() if sort not in ("turned", "controls")])
def test_an_organization_of_a_hostile_name_has_valid_documents(house: House, http: Client, name: str) -> None:
    if name != "Northlight":
        assert do("organization.change", house.oskar, name=name[:190]).version
    assert thunderbird(WAYS["autoconfig"](http, MIA).content)["label"].startswith(name[:20].strip())
    assert parsed(by_outlook(http, MIA).content).find(".//r:Account", OUTLOOK) is not None
    answer = WAYS["profile"](http, "r&d@acme.example")
    assert answer["Content-Type"] == mobileconfig.TYPE
    whole = plistlib.loads(answer.content)
    assert (
        whole["PayloadOrganization"] == name[:190] and whole["PayloadContent"][0]["EmailAddress"] == "r&d@acme.example"
    )
    page = http.get("/setup/?emailaddress=r%26d@acme.example").content.decode()
    assert "<Sons>" not in page and "r&amp;d@acme.example" in page


@pytest.mark.parametrize(
    "typed", ["mia", "a b@acme.example", "m\u202eia@acme.example", "<x>@acme.example", "mia@acme.example\0"]
)
def test_what_is_no_address_is_said_and_answers_nothing(house: House, http: Client, typed: str) -> None:
    for path in (*AUTOCONFIG, "/setup/profile.mobileconfig"):
        answer = http.get(f"{path}?emailaddress={quote(typed)}")
        assert answer.status_code == 400 and answer["Content-Type"].startswith("text/plain")
    page = http.get(f"/setup/?emailaddress={quote(typed)}")
    assert page.status_code == (400 if "\0" in typed else 422)
    assert parsed(by_outlook(http, typed).content).findtext(".//{*}ErrorCode") == "600"


def test_without_an_address_there_is_no_profile(house: House, http: Client) -> None:
    assert http.get("/setup/profile.mobileconfig").status_code == 400
    assert thunderbird(http.get(AUTOCONFIG[0]).content)["domains"] == ["%emaildomain%"]
    page = http.get("/setup/").content.decode()
    assert "your whole address" in page and "mobileconfig" not in page


def test_outlook_needs_no_cookie_and_a_large_request_is_not_read(house: House) -> None:
    http = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    assert parsed(by_outlook(http, MIA).content).find(".//r:Account", OUTLOOK) is not None
    answer = http.post(AUTODISCOVER[1], b"x" * 3_000_000, content_type="text/xml")
    assert answer.status_code == 200 and b"longer than" in answer.content
    assert b"post a request" in http.get(AUTODISCOVER[0]).content and not http.cookies
    assert autodiscover.LONGEST < 3_000_000


SERVED = [("autoconfig", path) for path in AUTOCONFIG] + [("autodiscover", path) for path in AUTODISCOVER]


@pytest.mark.parametrize("first, path", SERVED)
def test_the_names_that_apps_look_for_answer_for_domains_that_are_served_here(
    house: House, http: Client, first: str, path: str
) -> None:
    do("domains.add", house.oskar, client="acme", name="unproven.example")
    here = http.get(path, HTTP_HOST="localhost").content
    for host in ("acme.example", "ACME.example", "acme.example:8080", "acme.example."):
        answer = http.get(path, HTTP_HOST=f"{first}.{host}")
        assert answer.status_code == 200, host
        assert re.sub(rb'Time="[^"]*"', b"", answer.content) == re.sub(rb'Time="[^"]*"', b"", here)
    for host in ("unproven.example", "nowhere.example", "www.acme.example", "acme.example:x", "acme@evil.example",
                 "acme.example.evil.example", "", "acme.example/", "a" * 300):  # fmt: skip
        assert http.get(path, HTTP_HOST=f"{first}.{host}").status_code == 400, host
    held = do("domains.remove", house.olive, domain="acme.example", accept_loss=True)
    with_consent(house, held)
    assert http.get(path, HTTP_HOST=f"{first}.acme.example").status_code == 400


def test_such_a_name_opens_no_other_address_and_leads_no_link_astray(house: House, http: Client) -> None:
    for first, path in SERVED:
        other = "autodiscover" if first == "autoconfig" else "autoconfig"
        assert http.get(path, HTTP_HOST=f"{other}.acme.example").status_code == 400
        assert http.get(path, HTTP_HOST="acme.example").status_code == 400
        found = http.get(path, HTTP_HOST=f"{first}.acme.example", HTTP_X_FORWARDED_HOST="evil.example").content
        assert b"evil" not in found and b"acme" not in found
    for path in (
        "/",
        "/setup/",
        "/sign-in/",
        "/invite/",
        "/recover/",
        "/api/v1/openapi.json",
        "/mail/",
        "/mail/config-v1.1.xml/",
    ):
        for host in ("autoconfig.acme.example", "autodiscover.acme.example"):
            assert http.get(path, HTTP_HOST=host).status_code == 400, (path, host)
            assert http.post(path, {}, HTTP_HOST=host).status_code == 400, (path, host)


def test_who_may_open_mail_with_app_passwords_alone_is_not_told_to_use_another(house: House, http: Client) -> None:
    do("clients.change", house.oskar, client="acme", app_passwords_only=True)
    said = http.get(f"/setup/?emailaddress={quote(MIA)}").content.decode()
    assert "an app password that you made on your mailbox" in said and "where that opens mail" in said
