"""Where the sign-in library asks us: nobody signs up, and what it would mail is not ours to send."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Notices about sign-ins come with credentials; until then nothing is promised and nothing sent."""
