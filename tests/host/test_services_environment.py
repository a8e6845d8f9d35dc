"""What the environment of `up` may say reaches the processes; nothing else of it does."""

from pathlib import Path

import pytest

from postroom.environment import SETTINGS
from postroom.host import services
from postroom.host.installation import Installation


def test_sign_in_settings_are_taken_along_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = Installation(tmp_path, "id", False, "127.200.0.1", "now", 8480)
    monkeypatch.setenv("POSTROOM_OIDC_ISSUER", "https://id.example")
    monkeypatch.setenv("POSTROOM_SESSION_IDLE_MINUTES", "")
    monkeypatch.setenv("POSTROOM_ORIGIN", "https://evil.example")
    found = services.environment(installation)
    assert found["POSTROOM_OIDC_ISSUER"] == "https://id.example"
    assert "POSTROOM_SESSION_IDLE_MINUTES" not in found and found["POSTROOM_ORIGIN"] == installation.origin
    assert set(services.TAKEN_ALONG) <= {one.name for one in SETTINGS}
