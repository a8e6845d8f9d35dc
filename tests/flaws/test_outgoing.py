"""Where we go because somebody said so (row 28): the provider of sign-ins, name servers, addresses in settings."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import dns.message
import dns.rrset
import pytest
from pydantic import ValidationError

from cast import kind
from postroom.environment import Misconfigured, read
from postroom.protocols import oidc
from postroom.resolve import walk
from postroom.resolve.walk import NetResolver
from postroom.web import provider

ISSUER = "https://login.northlight.example"
INSIDE = ("127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
          "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b:1::7f00:1",
          "192.0.0.8",          "198.18.0.1", "240.0.0.1", "255.255.255.255", "2001:db8::1")  # fmt: skip
# The same place, spelled as URL parsers and C libraries read it.
SPELLED = ("http://127.0.0.1/", "http://2130706433/", "http://0177.0.0.1/", "http://0x7f.1/", "http://127.1/", "http://[::1]/",
           "http://[::ffff:127.0.0.1]/", "http://localhost/", "http://LOCALHOST./", "http://169.254.169.254/latest/",
           "file:///etc/passwd", "gopher://127.0.0.1:25/", "ftp://x/", "//evil.example/", "javascript:alert(1)",
           "/token",           "http://login.northlight.example/token", "HTTP://login.northlight.example/token", "", "https://",
           "https://a:b@login.northlight.example/", "https://login.northlight.example/#x", "http://[::", "https://\n127.0.0.1/",
           "data:text/html,x", "unix:/run/x", "dict://127.0.0.1:11211/")  # fmt: skip
NAMES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@pytest.mark.parametrize("url", SPELLED)
def test_row_28_no_endpoint_of_a_provider_leads_to_where_it_has_no_tls(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Metadata are the provider's word; a code and our own secret would go there, and into our own network."""
    assert not oidc.as_safe_as(url, ISSUER)
    good = {name: f"{ISSUER}/{name}" for name in NAMES} | {"issuer": ISSUER}
    monkeypatch.setitem(provider.settings.POSTROOM.values, "OIDC_ISSUER", ISSUER)
    for name in NAMES:
        monkeypatch.setattr(provider, "_json", lambda *_, name=name: {**good, name: url})
        with pytest.raises(oidc.NotTrue):
            provider.provider()
    monkeypatch.setattr(provider, "_json", lambda *_: good)
    assert provider.provider().token == f"{ISSUER}/token_endpoint"


def test_row_28_a_provider_on_this_machine_may_be_plain_http_here_alone() -> None:
    here = "http://127.0.0.1:9400"
    assert oidc.as_safe_as("http://127.0.0.1:9400/token", here) and oidc.as_safe_as("https://x.example/token", here)
    assert not oidc.as_safe_as("http://x.example/token", here) and not oidc.as_safe_as("http://localhost/token", here)


def test_row_28_no_redirect_is_followed_to_a_place_nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    class Answer:
        status_code = 302

        def json(self) -> Any:
            return {"issuer": ISSUER}

    def request(method: str, url: str, **more: Any) -> Answer:
        asked.append(more)
        return Answer()

    monkeypatch.setattr(provider.requests, "request", request)
    with pytest.raises(oidc.NotTrue, match="302"):
        provider._json("GET", ISSUER)
    assert asked[0]["allow_redirects"] is False and 0 < asked[0]["timeout"] <= 10


@pytest.mark.parametrize("issuer", [one for one in SPELLED if one])
def test_row_28_the_settings_take_no_issuer_without_tls_but_on_this_machine(issuer: str) -> None:
    environ = {"POSTROOM_OIDC_ISSUER": issuer, "POSTROOM_OIDC_CLIENT_ID": "x", "POSTROOM_OIDC_SECRET_FILE": "/x"}
    if issuer in ("http://127.0.0.1/", "http://[::1]/", "http://localhost/"):
        return  # whoever runs the machine means this machine
    if issuer.startswith(("https://a:b", "https://\n")):
        return  # the same host either way: only what it says of itself is believed
    with pytest.raises(Misconfigured):
        read(environ)


@pytest.mark.parametrize("address", INSIDE)
def test_row_28_other_peoples_zones_send_no_question_into_our_network(address: str) -> None:
    """Glue and addresses of name servers, however they are spelled: only what is of the public network is asked."""
    resolver = NetResolver(())
    query = dns.message.make_query("acme.example.", "NS")
    reply = dns.message.make_response(query)
    sort = "AAAA" if ":" in address else "A"
    reply.additional.append(dns.rrset.from_text("ns.acme.example.", 60, "IN", sort, address))
    reply = dns.message.from_wire(reply.to_wire())
    assert walk._glue("ns.acme.example.", reply), "it stands in the reply"
    (server,) = resolver._servers("ns.acme.example.", reply, 0)
    assert server.address == "", address


def test_row_28_and_the_public_network_is_asked() -> None:
    assert all(walk._public(one) for one in ("9.9.9.9", "2620:fe::fe")) and ipaddress.ip_address("9.9.9.9").is_global


@pytest.mark.parametrize("url", SPELLED)
def test_row_28_a_link_that_is_shown_is_https_or_none(url: str) -> None:
    """Shown, never fetched: terms and privacy notice."""
    field: Callable[[str], Any] = lambda text: kind("organization.change", terms_url=text)  # noqa: E731
    if url in ("", "https://login.northlight.example/#x"):
        assert field(url)
        return
    with pytest.raises(ValidationError):
        field(url)
