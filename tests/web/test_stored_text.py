"""Hostile text that people typed: it is kept as it is, and every page shows it as text."""

from __future__ import annotations

import pytest
from django.utils.html import escape
from visitors import visitor

from cast import House, do, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Client, Finding
from postroom.posture.findings import Found, observed

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
TRICKS = (SCRIPT, "שלום עולם abc", "{{ 7|add:7 }}{% debug %}'\"><b>bold</b>", "W" * 190)
PAGES = ("/", "/clients/", "/clients/{client}/", "/clients/acme/sheet/", "/clients/acme/routing/",
         "/clients/acme/sheet/?part=mailboxes", "/mailboxes/", "/mailboxes/mia@acme.example/", "/people/", "/changes/",
         "/people/nasty@northlight.example/", "/approvals/", "/changes/{change}/", "/changes/{held}/",
         "/find/?q={search}", "/do/clients.change/?client={client}", "/changes/{held}/withdraw/",
         "/domains/acme.example/", "/findings/", "/findings/{finding}/")  # fmt: skip


@pytest.mark.parametrize("nasty", TRICKS)
def test_what_was_typed_is_shown_as_text_on_every_page(house: House, nasty: str) -> None:
    client = do("clients.create", house.oskar, name=f"x {nasty}"[:190], notes=nasty)
    do("people.invite", house.oskar, name=nasty, email="nasty@northlight.example")
    changed = do(
        "mailboxes.change", house.olive, mailbox="mia@acme.example", name=nasty, owner="nasty@northlight.example"
    )
    do("domains.change", house.oskar, domain="acme.example", registrar=nasty)
    do("freezes.start", house.oskar, scope="globex", reason=nasty)
    held = do("mailboxes.remove", house.olive, mailbox="mia@acme.example")
    slug = slug_of(client)
    finding = found(nasty, house)
    browser, shown = visitor(house.oskar), 0
    for address in PAGES:
        url = address.format(
            client=slug,
            change=changed.pk,
            held=held.pk,
            finding=finding,
            search="".join(c for c in nasty if c.isalnum())[:5],
        )
        answer = browser.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        text = answer.content.decode()
        assert "<script>alert" not in text and "<img src=x" not in text and "<b>bold" not in text, url
        assert "{{ 7|add:7 }}" in text or ">14<" not in text, url
        shown += escape(nasty)[:40] in text
    assert shown >= 8, shown


def found(nasty: str, house: House) -> str:
    """Something wrong whose every word came from outside, what was decided about it included."""
    whose = the(Client, slug="acme").pk
    evidence = {"before": {nasty[:40]: nasty}, "after": {nasty[:40]: [nasty]}, nasty[:30]: nasty, "deep": [nasty]}
    one = Found("critical", "clients", whose, nasty, nasty, client=whose, evidence=evidence,
                kind="clients.change", params={"client": "acme", "notes": nasty})  # fmt: skip
    observed("t.hostile", [one])
    with acting_as(SYSTEM):
        finding = Finding.objects.get(check_name="t.hostile")
        Finding.objects.update(unknown_since=finding.at, unknown_why=nasty, told_to={nasty: {"answer": nasty}})
    do("findings.acknowledge", house.olive, finding=str(finding.pk), reason=nasty)
    return str(finding.pk)


def slug_of(change) -> str:
    with acting_as(SYSTEM):
        return Client.objects.get(pk=change.client_id).slug


def test_what_was_typed_into_a_form_comes_back_as_text(house: House) -> None:
    typed = {"row-0-address": SCRIPT, "row-0-name": SCRIPT, "why": SCRIPT, "ticket": SCRIPT}
    text = visitor(house.olive).post("/do/mailboxes.create/", typed).content.decode()
    assert "<script>alert" not in text and text.count(escape(SCRIPT)) >= 3


def test_where_a_link_leads_after_the_theme_is_ours_alone(house: House) -> None:
    browser = visitor(house.olive)
    for away in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        assert browser.post("/theme/", {"theme": "dark", "next": away})["Location"] == "/"
    assert browser.post("/theme/", {"theme": "dark", "next": "/clients/"})["Location"] == "/clients/"
    assert 'data-bs-theme="dark"' in browser.get("/").content.decode()
