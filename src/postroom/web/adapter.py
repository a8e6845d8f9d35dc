"""Where the sign-in library asks us: nobody signs up, passwords follow our rules, what it would mail is not sent."""

from ipaddress import IPv6Address, ip_address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from postroom.protocols import passwords

COMMON = CommonPasswordValidator().passwords
SHORTEST = 12  # one of two factors (NIST SP 800-63B-4, 3.1.1.2 asks for eight)


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def clean_password(self, password: str, user: Any = None) -> str:
        """Everything that speaks against it, at once."""
        email = str(getattr(user, "email", ""))
        if wrong := passwords.faults(password, context=email.split("@"), common=COMMON, shortest=SHORTEST):
            raise ValidationError(wrong)
        return password

    def get_client_ip(self, request: HttpRequest) -> str:
        """IPv4 as such, also where a socket of IPv6 heard it: the library counts an IPv6 /64 as one source, as we do
        (access/throttle.py), and all of IPv4 is within one."""
        found = ip_address(str(super().get_client_ip(request)))
        return str((found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Whoever has a second factor shows that one; the password alone proves too little then."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        factors = [one for one in methods if one["id"] != "reauthenticate"]
        return factors or methods

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Notices about sign-ins come with credentials; until then nothing is promised and nothing sent."""
