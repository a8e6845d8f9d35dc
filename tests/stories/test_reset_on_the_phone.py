"""Flow F3: the password of a VIP is reset on a phone call, by the API and by the program; with each of its *nevers*."""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from on_the_phone import (
    ADA,
    CODE,
    HENRY,
    NEW,
    NORA,
    OLIVE,
    SECRET,
    THIEF,
    ByApi,
    ByProgram,
    Document,
    House,
    Vip,
    confirmed,
    made,
)

from world import Browser, Forms, until

pytestmark = [pytest.mark.server, pytest.mark.secrets]
Door = Callable[..., Any]
DOORS = {"api": ByApi, "program": ByProgram}


@pytest.fixture(autouse=True)
def tidy(house: House) -> Iterator[None]:
    """In place of the other stories' own, which would start a demo of its own too."""
    yield
    house.stack.leave()


@pytest.fixture(params=DOORS)
def vip(house: House, request: pytest.FixtureRequest) -> Vip:
    return house.vips[request.param]


@pytest.fixture
def by(house: House, vip: Vip) -> Door:
    """Whoever somebody is, by the door that this VIP's story goes through."""
    sort = next(DOORS[name] for name, one in house.vips.items() if name in DOORS and one is vip)
    there: dict[tuple[str, object], Any] = {}

    def whoever(email: str, *, anew: bool = False) -> Any:
        """With one session, until the clock moves: then it may be over."""
        at = (email, house.clock.ahead)
        if anew or at not in there:
            there[at] = sort(house.stack, email)
        return there[at]

    return whoever


def begun(henry: Any, vip: Vip, **more: Any) -> str:
    change = henry.asks("resets.start", mailbox=vip.address, ticket="T-7", **more)
    return made(change, "verifications")


def proven(house: House, by: Door, vip: Vip, session: str, caller: str = OLIVE) -> None:
    """A second person calls the number on file; the client's own admin says that it is the owner who asks."""
    by(caller).asks("resets.record_call", verification=session, channel=vip.number_id, answer="right")
    by(house.amy).asks("resets.vouch", verification=session, answer="right")


def test_a_vip_is_back_after_two_proofs_a_second_person_and_a_quarter_of_an_hour(
    house: House, by: Door, vip: Vip
) -> None:
    stack, henry, olive = house.stack, by(HENRY), by(OLIVE)

    # 1. Who can reset this?
    young = vip.home.replace(".home.", ".young.")
    held = olive.asks("recovery_channels.name", mailbox=vip.address, value=young)
    assert held["stage"] == "held", "a way back into a VIP's mailbox takes two"
    by(ADA).approves(held)
    confirmed(stack.mailed_link(young, "/confirm/"))
    paths = olive.who_can_reset(vip.address)
    assert {one["sort"] for one in paths} >= {"code", "channel", "role", "registrar"}
    assert [one["sort"] for one in paths if one["weakest"]] == ["registrar"] and paths[0]["weakest"]
    channels = {value: one for one in paths for value in (vip.home, young, vip.number) if f" {value}" in one["who"]}
    assert channels[young]["counts"] == "no" and "named 0 days ago, counts from" in channels[young]["why"]
    assert channels[vip.home]["counts"] != "no" and channels[vip.number]["counts"] != "no"

    # 2. Somebody presses: it is noted, and skips nothing.
    session = begun(henry, vip, urgent=True)
    assert "releases no link" in olive.is_refused("resets.send_link", verification=session, contact=vip.home)
    assert "verified first" in olive.is_refused("invites.send", mailbox=vip.address, contact=vip.home)

    # 3. Two independent factors, none of them who started.
    own = henry.is_refused("resets.record_call", verification=session, channel=vip.number_id, answer="right")
    assert "who started a verification proves nothing in it" in own or "not allowed" in own
    olive.asks("resets.record_call", verification=session, channel=vip.number_id, answer="right")
    assert "nobody for them" in by(NORA).is_refused("resets.vouch", verification=session, answer="right")
    one = olive.is_refused("resets.send_link", verification=session, contact=vip.home)
    assert "releases no link" in one, "urgent, and one proof: it is not enough"
    by(house.amy).asks("resets.vouch", verification=session, answer="right")

    # 4. One link, to an address known before, and a second person.
    for elsewhere in (THIEF, young, vip.before, vip.address):
        said = olive.is_refused("resets.send_link", verification=session, contact=elsewhere)
        assert "nobody was reached before" in said, elsewhere
    sent = olive.asks("resets.send_link", verification=session, contact=vip.home)
    assert sent["stage"] == "held"
    for nobody in (OLIVE, HENRY):
        by(nobody).may_not_approve(sent)
    assert by(ADA).approves(sent)["stage"] == "scheduled"

    # 5. A quarter of an hour in which everybody else who knows the owner can say no.
    for contact in (vip.other, vip.before, house.security):
        assert stack.mailed_link(contact, "/not-me/")
    assert not stack.links(vip.home, "/not-me/")
    assert not stack.links(vip.home), "no link yet"
    assert olive.shows(sent["id"])["stage"] == "scheduled"
    phone = stack.imap(vip.address, SECRET)
    house.clock.on(minutes=16)
    olive = by(OLIVE)
    link = stack.mailed_link(vip.home)
    assert link.rpartition("/")[2] not in everything_shown(olive, sent["id"]), "no secret is shown to an operator"

    # 6. The owner sets a secret.
    page = Browser()
    page.open(link)
    assert link.rpartition("/")[2] not in page.url
    another = "-".join(CODE.findall(page.fill(password=NEW)))
    assert "Keep this recovery code" in page.page and another != vip.code
    until("the new secret signs in", lambda: stack.may_sign_in(vip.address, NEW))
    assert not stack.may_sign_in(vip.address, SECRET)
    with pytest.raises(Exception, match=r"(?i)closed|bye|shut|eof|reset|abort"):
        for _ in range(20):
            phone.noop()
    page.open(f"{stack.at['web']}{Forms(page.page).forms[0]['action']}")
    assert "Do you know these changes?" in page.page and "A way back in was named" in page.page, page.page[:3000]
    again = Browser()
    again.open(link)
    assert again.status == 410, "once, and no second thing by it"
    now = olive.who_can_reset(vip.address)
    assert {one["id"] for one in now if one["sort"] == "channel"} == {
        one["id"] for one in paths if one["sort"] == "channel"
    }, "no way back is another one than before"

    # 7. For three days a new way for her mail out is critical.
    alias = f"out{uuid.uuid4().hex[:6]}@{house.client}.example"
    olive.asks("aliases.create", address=alias, targets=[vip.address])
    (found,) = until("it is found", lambda: olive.findings("resets.after_reset"), within=90)
    assert found["severity"] == "critical" and vip.address in found["title"]
    house.clock.on(hours=73)
    olive = by(OLIVE)
    until("three days are over", lambda: not olive.findings("resets.after_reset"), within=90)


def everything_shown(who: Any, change: str) -> str:
    """A change and all that followed from it, as somebody is shown them."""
    seen, ask = "", [change]
    while ask:
        found: Document = who.shows(ask.pop())
        seen += str(found)
        ask += [one["id"] for one in found["follow_ups"]]
    return seen


def test_who_started_it_never_approves_it(house: House, by: Door, vip: Vip) -> None:
    """Nora may approve, and starts one: it takes somebody else, and not Olive either, who asked for the link."""
    session = begun(by(NORA), vip)
    proven(house, by, vip, session)
    sent = by(OLIVE).asks("resets.send_link", verification=session, contact=vip.home)
    assert "nobody approves what they started" in by(NORA).may_not_approve(sent)
    assert "nobody approves what they proposed" in by(OLIVE).may_not_approve(sent)
    assert by(ADA).shows(sent["id"])["approvals"] == []
    assert by(ADA).approves(sent)["stage"] == "scheduled"


def test_this_was_not_me_stops_it_and_burns_its_proofs(house: House, by: Door, vip: Vip) -> None:
    """Also before anybody approved: the notices go out while it is held."""
    stack, olive = house.stack, by(OLIVE)
    session = begun(by(HENRY), vip)
    proven(house, by, vip, session)
    known = {contact: len(stack.links(contact, "/not-me/")) for contact in (vip.before, house.security)}
    links = len(stack.links(vip.home))
    sent = olive.asks("resets.send_link", verification=session, contact=vip.home)
    for contact, before in known.items():
        until(f"{contact} is told", lambda to=contact, n=before: len(stack.links(to, "/not-me/")) > n)
    link = stack.mailed_link(vip.before, "/not-me/")
    page = Browser()
    page.open(link)
    assert link.rpartition("/")[2] not in page.url and by(ADA).shows(sent["id"])["stage"] == "held", (
        "a look stops nothing"
    )
    assert "The change is stopped" in page.press()
    ada = by(ADA)
    assert ada.shows(sent["id"])["stage"] == "withdrawn"
    assert ada.may_not_approve(sent)
    assert "Sign in first" in olive.is_refused("resets.send_link", verification=session, contact=vip.home)
    again = by(OLIVE, anew=True).is_refused("resets.send_link", verification=session, contact=vip.home)
    assert "verified anew" in again or "releases no link" in again
    house.clock.on(minutes=16)
    time.sleep(3)
    assert len(stack.links(vip.home)) == links, "nothing was mailed"
    assert stack.may_sign_in(vip.address, NEW) or stack.may_sign_in(vip.address, SECRET), "the owner's secret stands"


def test_three_wrong_answers_lock_it_for_an_hour_and_stand_in_the_log(house: House, by: Door, vip: Vip) -> None:
    olive, henry = by(OLIVE), by(HENRY)
    wrong = {"channel": vip.number_id, "answer": "wrong"}
    for _ in range(2):  # a new session is no new try
        olive.asks("resets.record_call", verification=begun(henry, vip), **wrong)
    session = begun(henry, vip)
    olive.asks("resets.record_call", verification=session, **wrong)
    right = olive.is_refused("resets.record_call", verification=session, channel=vip.number_id, answer="right")
    assert "waits for no proof" in right
    assert "locked until" in henry.is_refused("resets.start", mailbox=vip.address, ticket="T-8", urgent=True)
    (found,) = until("the alarm", lambda: mine(olive.findings("resets.locked"), vip), within=60)
    assert found["severity"] == "critical"
    told = [one for one in olive.log(house.client) if one["kind"] == "resets.record_call"]
    answers = [one["params"]["answer"] for one in told if one["params"]["channel"] == vip.number_id]
    assert answers.count("wrong") == 3
    house.clock.on(minutes=61)
    assert begun(by(HENRY), vip)
    olive = by(OLIVE)
    until("the alarm ends with the hour", lambda: not mine(olive.findings("resets.locked"), vip), within=60)


def mine(found: list[Document], vip: Vip) -> list[Document]:
    return [one for one in found if vip.address in one["title"]]


SHOWS = re.compile(r"password|secret|code|answer_text|pin", re.IGNORECASE)


def test_nothing_takes_a_password_or_another_way_back_by_a_verification(house: House) -> None:
    """What can be done at all, as the API tells it: none of it has a field for a secret, or is a reset of its own."""
    kinds = house.stack.person(NORA).get("/kinds")["items"]
    fields = {one["kind"]: one["params"].get("properties", {}) for one in kinds}
    by_people = {one["kind"] for one in kinds if "person" in one["by"]}
    typed = {
        (kind, name)
        for kind in by_people
        for name, one in fields[kind].items()
        if SHOWS.search(name) and "ref" not in one
    }
    no_secrets = {("clients.change", "app_passwords_only"), ("clients.change", "reset_keeps_app_passwords"),
                  ("mailboxes.end_sessions", "app_password"), ("mailboxes.resume", "new_password")}  # fmt: skip
    assert typed <= no_secrets, typed  # yes or no, each; of an app password its id
    assert fields["mailboxes.resume"]["new_password"]["type"] == "boolean"
    verified = {
        kind for kind, named in fields.items() if any(one.get("ref") == "verifications" for one in named.values())
    }
    acts = ("record_call", "vouch", "ask_code", "enter_code", "send_link", "declare_emergency", "waive_wait", "end")
    assert verified == {f"resets.{act}" for act in acts}
    factors = {kind for kind in by_people if re.search("factor|mfa|totp|passkey", kind)}
    assert not factors, "nobody takes somebody else's second factor off"
