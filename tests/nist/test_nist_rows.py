"""Rows of NIST SP 800-63B-4 that no other test holds; each is named after its row in table.py."""

from __future__ import annotations

import base64
import importlib
import random
import re
import string
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from argon2 import extract_parameters
from django.conf import settings
from django.test import Client
from django.urls import get_resolver
from live_node import BoundImap, LiveNode, domain, live_node, mailbox
from test_another_password import aged
from test_mailbox_owner import value
from test_mailbox_reset import HOME, asks, channel, links, mailed, opened
from test_oauth import BACK, asked, back, says
from test_resets import both, called, number, sent, started, vip  # noqa: F401
from test_sign_in import enrol, told
from visitors import PASSWORD, login, visitor

from cast import MIA, House, app_password, at, do, owner_of, reasons, redeemed, the, tick
from fake_dovecot import FakeDovecot
from mail_nodes import Node, pull
from mailbox_owner import WORDS, owner, signs_in, taken
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.tokens import draw
from postroom.api.urls import api
from postroom.changes.approvals import approve
from postroom.changes.due import ENDS
from postroom.changes.kind import KINDS
from postroom.models import Credential, Invite, Letter, MailApp, Mailbox, RecordedEdit, Secret
from postroom.models.base import state_models
from postroom.protocols import passwords
from postroom.web.adapter import COMMON, SHORTEST

NEW = "quite other plain words"


def drawn(length: int) -> str:
    """Nothing that anybody would guess, of any length."""
    choose = random.Random(length)
    return "".join(choose.choice(string.ascii_letters + string.digits + "äöéß☂🦊 ") for _ in range(length - 1)) + "x"


# 1


def test_row_01_15_to_128_characters_count_and_none_is_cut_off() -> None:
    found = {length: passwords.faults(drawn(length), common=COMMON) for length in (14, 15, 64, 128, 129)}
    assert {length for length, faults in found.items() if not faults} == {15, 64, 128}
    assert "at least 15" in found[14][0] and "at most 128" in found[129][0]
    whole = passwords.hashed(drawn(128))
    assert passwords.fits(whole, drawn(128)) and not passwords.fits(whole, drawn(128)[:-1])


ODD = (
    "🦊 fox and 🐻 bear in the fog",
    "a few plain words and a space ",
    "  two before them all, plain",
    "größe über alles in Łódź",
)


def test_row_01_people_have_12_beside_a_second_factor() -> None:
    assert SHORTEST == 12
    assert passwords.faults(drawn(11), shortest=SHORTEST) and not passwords.faults(drawn(12), shortest=SHORTEST)


@pytest.mark.server
def test_row_01_dovecot_takes_what_was_typed_to_its_last_space() -> None:
    with live_node() as node:
        node.start()
        assert node.ready(), node.log()
        node.put("domain", "acme.example", domain("acme.example"))
        for n, password in enumerate((*ODD, drawn(128))):
            address = f"odd{n}@acme.example"
            compiled = mailbox(address)
            compiled["secrets"]["password"][0]["hash"] = passwords.hashed(password)
            node.put("address", address, compiled)
            assert _signs_in(node, address, password), password
            assert not _signs_in(node, address, password.strip()[:-1]), password
            assert password == password.strip() or not _signs_in(node, address, password.strip()), password


def _signs_in(node: LiveNode, address: str, password: str) -> bool:
    box = BoundImap(node.address, node.config.ports.imaps, node.client)
    try:
        box.authenticate("PLAIN", lambda _: f"\0{address}\0{password}".encode())
    except box.error:
        return False
    finally:
        box.shutdown()
    return True


# 2


def test_row_02_no_page_asks_for_digits_and_no_password_ends_by_the_calendar(
    house: House, mia: Mailbox, mx1: Node
) -> None:
    assert not passwords.faults("vqmzhtkwrbnxjpl", common=COMMON), "letters alone, small ones"
    for path in ("/mailbox/password/", "/mailbox/recover/"):
        page = owner().get(path).content.decode()
        assert not re.search(r"upper.?case|special character|one digit|a number and", page, re.IGNORECASE)
    dated = {field.name for field in Secret._meta.fields} & {"until", "expires", "expires_at", "ends_at"}
    assert not dated and "secrets" not in ENDS
    taken(mx1)
    with at(datetime.now(UTC) + timedelta(days=3650)):
        assert not [one for one in tick(datetime.now(UTC) + timedelta(days=3650)) if one.kind.startswith("secrets")]
    with acting_as(SYSTEM):
        assert Secret.objects.filter(owner_row=mia.pk, purpose="password").exists()


def test_row_02_on_evidence_the_old_one_opens_nothing_more(
    house: House, mia: Mailbox, mx1: Node, dovecot: FakeDovecot, sql: Any
) -> None:
    """Nobody relies on its owner to choose another: until they have, no password opens the mailbox at all."""
    channel(house, sql)
    kept = _code(owner().post("/mailbox/code/", {"old": WORDS}).content)
    aged(sql, mia)
    app_password(MIA, "Phone")
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    assert not _passwords_at(mx1)
    assert do("mailboxes.resume", house.olive, mailbox=MIA, new_password=True).version
    assert not _passwords_at(mx1), "open again, and the old password is nowhere"
    with acting_as(SYSTEM):
        assert list(Secret.objects.filter(owner_row=mia.pk).values_list("purpose", flat=True)) == ["recovery code"]
    dovecot.passwords = {}
    taken(mx1)
    assert signs_in().status_code == 422
    browser = opened(mailed(the(Invite, contact=HOME, recovers="mailbox", used_at=None, ended_at=None)))
    answer = browser.post("/mailbox/recover/set/", {"password": NEW, "again": NEW})
    assert answer.status_code == 200 and len(_passwords_at(mx1)) == 1
    assert passwords.fits(value(sql, "password"), NEW) and not passwords.fits(value(sql, "password"), WORDS)
    again = {"address": MIA, "code": kept, "password": NEW + "x", "again": NEW + "x"}
    assert visitor().post("/mailbox/recover/", again).status_code == 422, "the code is another one now, too"


def _passwords_at(node: Node) -> set[str]:
    """What opens her mailbox, of all that the node is to take."""
    secrets = [one.get("secrets", {}) for one in pull(node).values() if one and MIA in str(one)]
    assert secrets
    return {str(row) for one in secrets for row in (*one.get("password", ()), *one.get("app", ()))}


# 3


def test_row_03_the_name_of_the_client_with_a_year_is_refused_and_why(house: House) -> None:
    do("clients.create", house.oskar, name="Clientname")
    do("domains.add", house.oskar, client="clientname", name="clientname.example")
    do("domains.prove", SYSTEM, domain="clientname.example", proof="a test")
    do("mailboxes.create", house.olive, address="mia@clientname.example", contact="mia@home.test")
    token, kept = draw()
    invite = the(Invite, contact="mia@home.test", mailbox__address__address="mia@clientname.example")
    do("invites.issue", SYSTEM, secrets={"link": kept}, invite=str(invite.pk))
    browser = visitor()
    browser.get(f"/invite/{token}")
    for guessed in ("Clientname2026!!", "passwordpassword", "postroom-2026-postroom"):
        answer = browser.post("/invite/", {"password": guessed, "again": guessed})
        assert answer.status_code == 422, guessed
    assert "clientname" in browser.post("/invite/", {"password": "Clientname2026!!"}).content.decode().lower()
    assert browser.post("/invite/", {"password": NEW, "again": NEW}).status_code == 200


# 4

ASKS = re.compile(r"hint|security.?question|secret.?question|maiden|first.?pet|mother", re.IGNORECASE)


def test_row_04_no_page_and_no_operation_knows_a_hint_or_a_question() -> None:
    fields = {f"{name}.{one}" for name, kind in KINDS.items() for one in kind.model_fields}
    columns = {f"{model._meta.db_table}.{one.name}" for model in state_models().values() for one in model._meta.fields}
    described = set(re.findall(r'"([a-z_]+)": ?\{', str(api.get_openapi_schema()).replace("'", '"')))
    assert len(fields) > 100 and len(columns) > 100 and described
    assert [one for one in sorted(fields | columns | described) if ASKS.search(one)] == []


# 6


def test_row_06_argon2id_with_a_salt_of_its_own() -> None:
    one, two = (passwords.hashed(NEW).removeprefix("{ARGON2ID}") for _ in range(2))
    assert one != two and one.startswith("$argon2id$")
    kept = extract_parameters(one)
    assert kept.salt_len * 8 >= 32 and kept.memory_cost >= 19_456 and kept.time_cost >= 2
    salts = {base64.b64decode(hashed.split("$")[4] + "==") for hashed in (one, two)}
    assert len(salts) == 2 and all(len(salt) == kept.salt_len for salt in salts)
    set_down = importlib.import_module("postroom.settings")
    assert set_down.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"], "people's, too"


# 7


def test_row_07_no_way_to_sign_in_begins_with_a_mail(house: House) -> None:
    names = {str(name) for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert "account_login" in names and not [
        one for one in names if re.search(r"login_code|by_code|magic|email_login", one)
    ]
    assert set(settings.MFA_SUPPORTED_TYPES) == {"totp", "webauthn", "recovery_codes"}
    assert not getattr(settings, "ACCOUNT_LOGIN_BY_CODE_ENABLED", False)
    login(house.olive, PASSWORD)
    page = visitor().get("/sign-in/").content.decode()
    assert 'name="password"' in page and not re.search(r"(mail|send) (me )?a (link|code)", page, re.IGNORECASE)


# 8


def test_row_08_nothing_is_ever_sent_to_a_number(house: House, number: str) -> None:  # noqa: F811
    """Named, confirmed, asked for anew, used for a reset and ended: no letter and no link goes to it."""
    do("recovery_channels.ask", house.olive, channel=number)
    session = started(house)
    called(house, session, number)
    sent(house, session)
    do("recovery_channels.end", house.olive, channel=number)
    with acting_as(SYSTEM):
        contacts = {
            *Letter.objects.values_list("contact", flat=True),
            *Invite.objects.values_list("contact", flat=True),
        }
    assert contacts and all("@" in one for one in contacts), contacts


# 10


def test_row_10_every_other_link_is_void_once_one_of_them_was_used(house: House, mia: Mailbox, sql: Any) -> None:
    """The mailed link to a recovery address does not outlive the reset that others verified."""
    channel(house, sql)
    asks()
    held = opened(mailed(links()[0]))
    session = started(house)
    vouched = do("resets.vouch", house.carl, verification=session, answer="right")
    assert vouched.version
    # Sending it makes links that were open void, so the other one is asked for after it.
    change = sent(house, session, HOME)
    assert change.version, (change.stage, reasons(change))
    assert held.get("/mailbox/recover/set/").status_code == 410
    invite = the(Invite, contact=HOME, mailbox=mia.pk, recovers="", ended_at=None, used_at=None)
    asks()
    (again,) = links()
    later = opened(mailed(again))
    token, kept = draw()
    do("invites.issue", SYSTEM, secrets={"link": kept}, invite=str(invite.pk))
    browser = visitor()
    browser.get(f"/invite/{token}")
    assert browser.post("/invite/", {"password": NEW, "again": NEW}).status_code == 200
    assert later.post("/mailbox/recover/set/", {"password": NEW + "x", "again": NEW + "x"}).status_code == 410


# 12


def test_row_12_the_record_says_by_what_method_and_who_agreed(house: House, number: str) -> None:  # noqa: F811
    vip(house)
    change = sent(house, both(house, number))
    approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    with acting_as(SYSTEM):
        proofs = [one.after for one in RecordedEdit.objects.filter(table="proofs").order_by("entry_id") if one.after]
        agreed = RecordedEdit.objects.filter(said="approved", row=change.pk).values_list("person", flat=True)
        assert list(agreed) == [str(house.ada.person)]
    assert [(one["method"], one["good"]) for one in proofs] == [("call-back", True), ("client contact", True)]
    assert [one["by_id"] for one in proofs] == [str(house.olive.person), str(house.carl.person)]
    assert proofs[0]["channel_id"] == number


# 13

FIRST, OFFICE = "mia@desk.example", "security@acme.test"
RECOVERED = ("by the code", "by a mailed link", "verified by others")


@pytest.mark.parametrize("how", RECOVERED)
def test_row_13_every_recovery_is_told_to_the_addresses_of_before(
    house: House, mia: Mailbox, mx1: Node, sql: Any, how: str
) -> None:
    do("clients.change", house.olive, client="acme", security_contact=OFFICE)
    channel(house, sql)
    channel(house, sql, "second@home.test")
    code = _code(owner().post("/mailbox/code/", {"old": WORDS}).content) if how == RECOVERED[0] else ""
    with acting_as(SYSTEM):
        before = set(Letter.objects.values_list("pk", flat=True))
    if how == RECOVERED[0]:
        answer = visitor().post("/mailbox/recover/", {"address": MIA, "code": code, "password": NEW, "again": NEW})
        assert answer.status_code == 200
    elif how == RECOVERED[1]:
        asks()
        first = next(one for one in links() if one.contact == HOME)
        back = opened(mailed(first)).post("/mailbox/recover/set/", {"password": NEW, "again": NEW})
        assert back.status_code == 200
    else:
        session = started(house)
        assert do("resets.vouch", house.carl, verification=session, answer="right").version
        assert sent(house, session, "second@home.test").version
        redeemed(MIA)
    with acting_as(SYSTEM):
        told_to = set(Letter.objects.exclude(pk__in=before).values_list("contact", flat=True))
    assert {MIA, HOME, "second@home.test", OFFICE} <= told_to, told_to


def _code(page: bytes) -> str:
    found = re.search(r'class="rcode"[^>]*>(.*?)</p>', page.decode(), re.DOTALL)
    assert found
    return "-".join(re.split(r"-|<br>", found[1].strip()))


# 14


def test_row_14_no_app_password_without_the_password_and_its_owner_is_told(house: House, mia: Mailbox) -> None:
    do("recovery_channels.name", house.olive, mailbox=MIA, value=HOME)
    here = owner()
    asked = {"name": "Phone", "imap": "on", "password": "guessed"}
    assert here.post("/mailbox/app-passwords/new/", asked).status_code == 422
    with acting_as(SYSTEM):
        assert not Letter.objects.filter(says="app password made").exists()
    assert here.post("/mailbox/app-passwords/new/", {**asked, "password": WORDS}).status_code == 200
    with acting_as(SYSTEM):
        assert set(Letter.objects.filter(says="app password made").values_list("contact", flat=True)) == {MIA, HOME}


def test_row_14_no_app_is_let_in_without_the_password_and_its_owner_is_told(house: House, mia: Mailbox) -> None:
    do("recovery_channels.name", house.olive, mailbox=MIA, value=HOME)
    do("mail_apps.add", house.oskar, name="Birdmail", redirect_uris=[BACK])
    here, query = owner(), asked(the(MailApp))
    assert says(here, query, password="guessed").status_code == 422
    with acting_as(SYSTEM):
        assert not Credential.objects.exists() and not Letter.objects.filter(says="mail app let in").exists()
    assert "code" in back(says(here, query))
    with acting_as(SYSTEM):
        assert set(Letter.objects.filter(says="mail app let in").values_list("contact", flat=True)) == {MIA, HOME}


# 15


def test_row_15_what_was_ever_bound_stands_in_the_record_with_time_and_source(house: House, mia: Mailbox) -> None:
    """A person's factors by the sign-in library, a mailbox's app passwords; also those that ended."""
    login(house.olive, PASSWORD)
    browser = Client(SERVER_NAME="localhost", REMOTE_ADDR="192.0.2.44")
    browser.post("/sign-in/", {"login": "olive@northlight.example", "password": PASSWORD})
    enrol(browser)
    with acting_as(SYSTEM):
        Authenticator.objects.all().delete()
    (added,) = [one for one in told("factor added") if one["factor"] == "totp"]
    assert added["source"] == "192.0.2.44" and added["person"] == str(house.olive.person) and added["at"]
    made = app_password(MIA, "Phone")
    do("app_passwords.end", owner_of(MIA), app_password=str(made.pk))
    with acting_as(SYSTEM):
        rows = RecordedEdit.objects.filter(table="credentials", row=made.pk).order_by("entry_id")
        bound, ended = [one.after for one in rows]
        assert bound["name"] == "Phone" and bound["made"] and ended["ended_at"]
        assert all(one.entry.at for one in rows.select_related("entry"))


# 18


def test_row_18_a_sessions_key_is_long_in_no_address_and_gone_after_the_sign_out(house: House, mia: Mailbox) -> None:
    browser = owner()
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert len(key) * 5 >= 64 and len({owner().cookies[settings.SESSION_COOKIE_NAME].value for _ in range(5)}) == 5
    page = browser.get("/mailbox/").content.decode()
    assert key not in page and "jsessionid" not in page.lower() and "sessionid=" not in page
    browser.post("/mailbox/sign-out/")
    thief = visitor()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    assert thief.get("/mailbox/").status_code == 302, "the old key opens nothing"
    assert settings.SESSION_COOKIE_HTTPONLY and settings.SESSION_COOKIE_SAMESITE == "Lax"
