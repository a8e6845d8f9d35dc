"""Devices on one's own page: registered from there with a fresh second factor, told by mail, and forgotten."""

from __future__ import annotations

from django.test import Client
from visitors import visitor

from cast import House, the
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.changes.kind import KINDS
from postroom.models import Change, Device, Letter
from postroom.web.step_up import BY_LINK
from postroom.worker.letters import told

AT, FOX = "/account/sessions/", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def devices(of: Actor) -> list[tuple[str, str]]:
    with acting_as(SYSTEM):
        found = Device.objects.filter(person=of.person, ended_at=None)
        return [(one.browser, one.network) for one in found]


def browser(of: Actor, ip: str = "192.0.2.7") -> Client:
    here = visitor(of, headers={"user-agent": FOX}, REMOTE_ADDR=ip)
    here.get("/")  # the sign-in library notes address and browser as it is used
    return here


def test_a_device_registers_itself_and_its_person_is_told(house: House) -> None:
    here = browser(house.olive)
    assert "Firefox on Linux" in here.get(AT).content.decode() and "Register this one" in here.get(AT).content.decode()
    assert here.post(AT, {"device": "this"}).status_code == 302
    assert devices(house.olive) == [("Firefox on Linux", "192.0.0.0/16")]
    page = here.get(AT).content.decode()
    assert "Register this one" not in page and "Forget it" in page
    letter, change = the(Letter, says="device"), the(Change, kind="devices.register")  # type: ignore[type-var]
    assert letter.contact == "olive@northlight.example"
    text = told(letter, change).get_content()
    assert "Firefox on Linux, in the network 192.0.0.0/16" in text and "Olive" in text
    here.post(AT, {"device": "this"})
    assert len(devices(house.olive)) == 1, "registered already"
    assert "Register this one" in browser(house.olive, "198.51.100.9").get(AT).content.decode(), "in another network"


def test_it_takes_a_fresh_second_factor_either_way(house: House) -> None:
    here = browser(house.olive)
    here.post(AT, {"device": "this"})
    mine = str(the(Device).pk)
    session = here.session
    session[BY_LINK] = False
    session["sso_factor"] = True  # a second factor, shown long ago
    session.save()
    for asked in ("this", mine):
        answer = here.post(AT, {"device": asked})
        assert answer.status_code == 302 and answer["Location"] != AT, answer["Location"]
    assert len(devices(house.olive)) == 1


def test_one_forgets_ones_own_and_nobody_elses(house: House) -> None:
    browser(house.ada).post(AT, {"device": "this"})
    hers = str(the(Device).pk)
    here = browser(house.olive)
    for other in (hers, "x", ""):
        here.post(AT, {"device": other})
    assert len(devices(house.ada)) == 1
    browser(house.ada).post(AT, {"device": hers})
    assert devices(house.ada) == []


def test_only_the_two_cookies_are_set_and_no_door_registers(house: House) -> None:
    here = browser(house.olive)
    here.post(AT, {"device": "this"})
    assert set(here.cookies) <= {"sessionid", "csrftoken", "postroom_session", "postroom_csrf"}, set(here.cookies)
    assert not any(KINDS[name].for_actor("person") for name in ("devices.register", "devices.forget"))
