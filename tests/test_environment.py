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
