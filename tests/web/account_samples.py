"""Sign-in pages as allauth shows them: its own forms and context, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

from django import forms
from django.http import HttpRequest

NAMES = (
    "login",
    "logout",
    "mfa",
    "mfa-index",
    "totp",
    "totp-off",
    "codes",
    "codes-new",
    "passkeys",
    "passkey",
    "passkey-name",
    "passkey-again",
    "passkey-off",
    "password",
    "recover-key",
)
WHEN = datetime(2026, 11, 24, 9, 12, tzinfo=UTC)


def page(request: HttpRequest, name: str) -> tuple[str, dict[str, object]]:
    """The template and the context of one page."""
    from allauth.account.forms import ChangePasswordForm, LoginForm
    from allauth.mfa.adapter import get_adapter
    from allauth.mfa.base.forms import AuthenticateForm
    from allauth.mfa.totp.forms import ActivateTOTPForm
    from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm, EditWebAuthnForm

    wrong = LoginForm({"login": "ada@northlight.example"}) if request.GET.get("wrong") else LoginForm()
    types = ["totp", "recovery_codes", "webauthn"]
    key = SimpleNamespace(pk=1, created_at=WHEN, last_used_at=None, wrap=SimpleNamespace(is_passwordless=True))
    unused = SimpleNamespace(get_unused_codes=["1", "2"], generate_codes=["1", "2", "3"])
    match name:
        case "login":
            return "account/login.html", {"form": wrong, "PASSKEY_LOGIN_ENABLED": True}
        case "logout":
            return "account/logout.html", {}
        case "mfa":
            keys = AuthenticateWebAuthnForm.__new__(AuthenticateWebAuthnForm)
            forms.Form.__init__(keys)
            form = AuthenticateForm(user=None)
            return "mfa/authenticate.html", {
                "form": form,
                "webauthn_form": keys,
                "MFA_SUPPORTED_TYPES": types,
                "js_data": {},
            }
        case "mfa-index":
            has = {
                "totp": SimpleNamespace(instance=SimpleNamespace(created_at=WHEN)),
                "recovery_codes": unused,
                "webauthn": [key],
            }
            return "mfa/index.html", {"authenticators": has, "MFA_SUPPORTED_TYPES": types, "is_mfa_enabled": True}
        case "totp":
            form = ActivateTOTPForm(user=None)
            svg = get_adapter().build_totp_svg("otpauth://totp/Postroom:ada?secret=ABC")
            return "mfa/totp/activate_form.html", {"form": form, "totp_svg": svg}
        case "totp-off":
            return "mfa/totp/deactivate_form.html", {"form": forms.Form()}
        case "codes":
            context = {"unused_codes": ["abcd1234", "efgh5678"], "total_count": 10}
            return "mfa/recovery_codes/index.html", context | {"can_view_codes": True, "can_generate_codes": True}
        case "codes-new":
            return "mfa/recovery_codes/generate.html", {"form": forms.Form(), "unused_code_count": 8}
        case "passkeys":
            return "mfa/webauthn/authenticator_list.html", {"authenticators": [key]}
        case "passkey":
            from postroom.web.passkeys import AddPasskey  # its library's forms want the apps ready

            form = AddPasskey.__new__(AddPasskey)
            forms.Form.__init__(form, initial={"name": "Laptop"})
            return "mfa/webauthn/add_form.html", {"form": form, "js_data": {}}
        case "passkey-name":
            form = EditWebAuthnForm.__new__(EditWebAuthnForm)
            forms.Form.__init__(form, initial={"name": "Laptop"})
            return "mfa/webauthn/edit_form.html", {"form": form}
        case "passkey-again":
            keys = AuthenticateWebAuthnForm.__new__(AuthenticateWebAuthnForm)
            forms.Form.__init__(keys)
            return "mfa/webauthn/reauthenticate.html", {"form": keys, "js_data": {}}
        case "recover-key":
            from change_samples import REGAIN

            return "recover.html", {"page": replace(REGAIN, passkey=True), "js_data": {}}
        case "passkey-off":
            return "mfa/webauthn/authenticator_confirm_delete.html", {"authenticator": key}
    return "account/password_change.html", {"form": ChangePasswordForm()}
