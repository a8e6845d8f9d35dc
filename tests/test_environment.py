"""Settings from the environment: what cannot be is said, all of it."""

import pytest

from postroom.environment import Misconfigured, read


@pytest.mark.parametrize(
    "origin", ["http://localhost.evil.example", "http://localhostevil", "http://mail.example", "https://", "localhost"]
)
def test_links_start_where_browsers_keep_secrets(origin: str) -> None:
    with pytest.raises(Misconfigured, match="ORIGIN"):
        read({"POSTROOM_ORIGIN": origin})


@pytest.mark.parametrize("origin", ["http://localhost", "http://localhost:8480", "https://mail.northlight.example"])
def test_these_origins_do(origin: str) -> None:
    assert read({"POSTROOM_ORIGIN": origin}).origin == origin


def test_proxies_are_networks_or_addresses() -> None:
    assert [str(one) for one in read({"POSTROOM_PROXIES": "10.1.0.0/16, 2001:db8::1"}).proxies] == [
        "10.1.0.0/16", "2001:db8::1/128"]  # fmt: skip
    with pytest.raises(Misconfigured, match=r"PROXIES.*10\.1\.0\.1/16"):
        read({"POSTROOM_PROXIES": "10.1.0.1/16"})


def test_everything_wrong_at_once() -> None:
    with pytest.raises(Misconfigured, match=r"(?s)DEMO.*SUBMISSION"):
        read({"POSTROOM_DEMO": "perhaps", "POSTROOM_SUBMISSION": "nowhere"})


@pytest.mark.parametrize(
    ("hours", "minutes", "said"),
    [("25", "60", "24 at most"), ("1", "61", "IDLE"), ("0", "60", "HOURS"), ("x", "1", "HOURS")],
)
def test_a_sign_in_lasts_a_day_at_most(hours: str, minutes: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        read({"POSTROOM_SESSION_HOURS": hours, "POSTROOM_SESSION_IDLE_MINUTES": minutes})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"OIDC_ISSUER": "https://id.example"}, "(?s)CLIENT_ID.*SECRET_FILE"),
        ({"RESOLVER": "192.0.2.1:53"}, "must be an address on loopback"),
        ({"RESOLVER": "localhost:53"}, "must be an address on loopback"),
        ({"OIDC_CLIENT_ID": "x"}, "CLIENT_ID needs POSTROOM_OIDC_ISSUER"),
        ({"OIDC_SECOND_FACTORS": "otp"}, "SECOND_FACTORS needs"),
        ({"OIDC_ISSUER": "http://id.example", "OIDC_CLIENT_ID": "x", "OIDC_SECRET_FILE": "/s"}, "must be https"),
        ({"OIDC_ISSUER": "http://127.evil.example", "OIDC_CLIENT_ID": "x", "OIDC_SECRET_FILE": "/s"}, "must be https"),
        ({"OIDC_ISSUER": "https://id.example/?a", "OIDC_CLIENT_ID": "x", "OIDC_SECRET_FILE": "/s"}, "must be https"),
    ],
)
def test_single_sign_on_is_set_up_whole_or_not_at_all(values: dict[str, str], said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        read({f"POSTROOM_{name}": value for name, value in values.items()})
