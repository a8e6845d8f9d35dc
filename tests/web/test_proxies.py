"""Whose address a request comes from, with and without a proxy of ours in between."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from cast import House
from postroom.access.acting import SYSTEM, acting_as
from postroom.environment import Environment
from postroom.models import RecordedEdit
from postroom.web.proxies import client

OURS = tuple(ip_network(one) for one in ("127.0.0.0/8", "10.1.0.0/16", "2001:db8:1::/48"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "asks"),
    [
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),  # the left one is the client's own word
        ("127.0.0.1", "203.0.113.9, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        ("127.0.0.1", "10.1.9.9,10.1.2.3", "10.1.9.9"),  # somebody inside, by two proxies
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),  # nobody's proxy: what it says of others is not heard
        ("127.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("127.0.0.1", "[2001:db8:9::1]:4711", "2001:db8:9::1"),
        ("2001:db8:1::5", "2001:DB8:9:0::1", "2001:db8:9::1"),
        ("::ffff:127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "198.51.100.7, unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7, ", "127.0.0.1"),
        ("127.0.0.1", "<script>, 198.51.100.7", "198.51.100.7"),
        ("", "198.51.100.7", ""),
    ],
)
def test_the_first_hop_from_the_right_that_is_no_proxy_of_ours(peer: str, forwarded: str, asks: str) -> None:
    assert client(peer, forwarded, OURS) == asks


def test_a_header_of_any_length_is_read_from_its_end() -> None:
    assert client("127.0.0.1", "10.1.0.1," * 100_000 + "198.51.100.7", OURS) == "198.51.100.7"
    assert client("127.0.0.1", "10.1.0.1," * 100_000 + "10.1.0.2", OURS) == "10.1.0.1"


@pytest.mark.parametrize("proxies", [(), OURS])
def test_the_record_says_who_came(house: House, monkeypatch: pytest.MonkeyPatch, proxies: tuple[Any, ...]) -> None:
    monkeypatch.setattr(settings, "POSTROOM", Environment({**settings.POSTROOM.values, "PROXIES": proxies}))
    typed = {"login": "olive@northlight.example", "password": "guessed wrongly"}
    Client().post("/sign-in/", typed, headers={"host": "localhost", "x-forwarded-for": "6.6.6.6, 198.51.100.7"})
    with acting_as(SYSTEM):
        failed = RecordedEdit.objects.filter(table="events", said="sign-in failed").latest("entry_id")
    assert failed.after and failed.after["source"] == ("198.51.100.7" if proxies else "127.0.0.1")
