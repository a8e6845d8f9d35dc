"""The form a passkey is added with: it signs in by itself, unless somebody takes the tick away."""

from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms


class AddPasskey(AddWebAuthnForm):  # type: ignore[misc]
    passwordless = forms.BooleanField(
        label="Sign in with it alone",
        required=False,
        initial=True,
        help_text="It then asks for a fingerprint, a face or a PIN, and stands for both factors. Without the tick, as"
        " for an older security key, it is a second factor beside your password.",
    )
