"""Second factors are kept so that a dump of the database opens nothing."""

from typing import Any

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP

from cast import House
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Login
from postroom.web.kept_factors import MARK, KeptFactors

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_no_seed_stands_readable_in_the_database(house: House, sql: Any) -> None:
    with acting_as(SYSTEM):
        login = Login.objects.create(email="olive@northlight.example", person_id=house.olive.person)
        kept = TOTP.activate(login, SEED).instance
        codes = RecoveryCodes.activate(login)
        said = codes.get_unused_codes()
    stored = str(sql("SELECT data FROM mfa_authenticator"))
    assert SEED not in stored and stored.count(MARK) == 2 and not any(code in stored for code in said)
    with acting_as(SYSTEM):
        assert TOTP(Authenticator.objects.get(pk=kept.pk)).validate_code(pyotp.TOTP(SEED).now())
        assert RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).validate_code(said[0])


def test_with_another_key_nothing_is_read_and_what_was_kept_before_still_is(
    settings_key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    kept = KeptFactors().encrypt(SEED)
    assert KeptFactors().encrypt(SEED) != kept, "two that are alike do not look alike"
    assert KeptFactors().decrypt(kept) == SEED == KeptFactors().decrypt(SEED)
    settings_key("another key")
    assert KeptFactors().decrypt(kept) != SEED and len(KeptFactors().decrypt(kept)) == 32, "no code is good for it"
    assert "another key" in caplog.text and SEED not in caplog.text


@pytest.fixture
def settings_key(monkeypatch: pytest.MonkeyPatch) -> Any:
    from django.conf import settings

    return lambda key: monkeypatch.setattr(settings, "SECRET_KEY", key)
