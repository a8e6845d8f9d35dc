"""What was typed into a form stands there again when the second factor came too late for it, or for another page."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from test_step_up import ASKING, clock, shown, stale  # noqa: F401

import postroom.web
from cast import House
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.kind import KINDS
from postroom.models import Change
from postroom.web.kind_fields import params_of
from postroom.web.step_up import LONGEST, MOST, TYPED, UNKEPT

GIVE, NAME = "/do/grants.give/", "/do/recovery_channels.name/"
HOSTILE = "\"><script>alert(1)</script>' & a=b;c%00 {{ 7*7 }} ☂\n\u2028 line"
GIVES = {"person": "henry@northlight.example", "role": "operator", "why": HOSTILE, "ticket": "T-1"}
NAMES = {"mailbox": "mia@acme.example", "value": "mia@home.example", "why": "she asked"}


def sent(browser: Any, path: str, typed: dict[str, str]) -> Any:
    """The plan is looked at, and sent: off to the factor."""
    page = browser.post(path, typed).content.decode()
    hidden = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("seen", "key")}
    asked = browser.post(path, {**typed, **hidden, "step": "send", "csrfmiddlewaretoken": "x" * 32, "password": "plum"})
    assert asked.status_code == 302 and "/account/2fa/reauthenticate/" in asked["Location"]
    return asked


def stands(browser: Any, path: str, typed: dict[str, str]) -> bool:
    """Whether the form holds all of it, as text, and nothing of it is markup."""
    page = browser.get(path).content.decode()
    assert "<script>alert(1)" not in page and "plum" not in page
    text = unescape(page).replace("\r\n", "\n")
    return all(value in text for name, value in typed.items() if name not in ("role", "person", "mailbox"))


def changes(of: str) -> int:
    with acting_as(SYSTEM):
        return Change.objects.filter(kind=of).count()


def test_a_factor_that_comes_too_late_leads_to_the_form_as_it_was_typed_once(
    house: House,
    clock: SimpleNamespace,  # noqa: F811
) -> None:
    oskar, secret = stale(house, "oskar", clock)
    before = changes("grants.give")
    asked = sent(oskar, GIVE, GIVES)
    kept = str(dict(oskar.session))
    assert "plum" not in kept and "x" * 32 not in kept, "neither a secret nor the form's token"
    session = oskar.session
    session["account_reauthentication_state"]["state"]["until"] -= 1400  # it is half an hour later
    session.save()
    assert shown(oskar, asked, secret, clock)["Location"] == GIVE and changes("grants.give") == before
    assert stands(oskar, GIVE, GIVES) and changes("grants.give") == before, "shown, and not sent"
    assert not stands(oskar, GIVE, GIVES), "once"
    assert TYPED not in oskar.session or oskar.session[TYPED] == []


def test_a_page_that_asked_meanwhile_takes_nothing_of_it(house: House, clock: SimpleNamespace) -> None:  # noqa: F811
    oskar, secret = stale(house, "oskar", clock)
    sent(oskar, GIVE, GIVES)
    other = sent(oskar, NAME, NAMES)
    assert "/changes/" in shown(oskar, other, secret, clock)["Location"], "the one that asked last goes on"
    assert not stands(oskar, NAME, NAMES) and not stands(oskar, GIVE + "?role=auditor", GIVES)
    assert stands(oskar, GIVE, GIVES), "the other one stands where it was typed"


def test_whoever_comes_back_without_a_factor_finds_it_too(house: House, clock: SimpleNamespace) -> None:  # noqa: F811
    oskar, _ = stale(house, "oskar", clock)
    sent(oskar, GIVE, GIVES)
    assert stands(oskar, GIVE, GIVES)
    sent(oskar, GIVE, GIVES)
    clock.by += 3600 + 601
    assert not stands(oskar, GIVE, GIVES), "an hour after it could have been sent it is forgotten"


def test_nothing_of_it_is_anybody_elses(house: House, clock: SimpleNamespace) -> None:  # noqa: F811
    oskar, _ = stale(house, "oskar", clock)
    sent(oskar, GIVE, GIVES)
    assert oskar.get("/account/2fa/").status_code == 200
    other, _ = stale(house, "olive", clock)
    assert not stands(other, GIVE, GIVES)


def test_it_is_bounded_in_size_and_number(house: House, clock: SimpleNamespace) -> None:  # noqa: F811
    oskar, _ = stale(house, "oskar", clock)
    for n in range(MOST + 2):
        sent(oskar, f"{GIVE}?n={n}", GIVES)
        oskar.get(f"{GIVE}?n=none")
    assert len(oskar.session[TYPED]) == MOST
    sent(oskar, GIVE, {**GIVES, "more": "x" * LONGEST})
    assert "x" * 100 not in str(dict(oskar.session))


def test_what_is_typed_in_secret_is_typed_anew(house: House, clock: SimpleNamespace) -> None:  # noqa: F811
    """Every field of ours in which a password is typed; and no kind that asks for a factor has one of a secret."""
    source = "\n".join(path.read_text() for path in Path(postroom.web.__file__).parent.rglob("*.py"))
    typed = {*re.findall(r'Field\(\s*"(\w+)", "[^"]*", "password"', source),
             *re.findall(r'name="(\w+)", label="[^"]*", control="password"', source)}  # fmt: skip
    assert typed == {"old", "again", "password"} and typed <= set(UNKEPT)
    secret = re.compile(r"^(?!app_password)\w*(password|secret|passphrase|token_value|^code$|^pin$)")
    asking = [
        KINDS[name] for name in sorted({one.partition(" ")[0] for one in ASKING}) if not KINDS[name].carries_secret
    ]
    assert not [(kind.permission, one.name) for kind in asking for one in params_of(kind) if secret.search(one.name)]
    olive, _ = stale(house, "olive", clock)
    new = {"oldpassword": "plum tart", "password1": "plum jam words", "password2": "plum jam words", "why": "kept"}
    assert olive.post("/account/password/", new).status_code == 302
    assert "plum" not in str(dict(olive.session))
