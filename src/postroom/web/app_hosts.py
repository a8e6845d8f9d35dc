"""The names mail apps look for themselves: `autoconfig.<domain>` and `autodiscover.<domain>`, of domains served here.

A request to one of the few addresses of web/mail_apps.py that names such a Host goes on as if it had named our own: no
code after this sees the other name, so no link and no answer can be made of it. Every other Host is refused as ever.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from postroom.access.acting import SYSTEM, acting_as
from postroom.protocols.addresses import BadName, domain_name
from postroom.queries.hosted import served

AUTOCONFIG = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
AUTODISCOVER = ("/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml")
ASKED_AT = {"autoconfig": AUTOCONFIG, "autodiscover": AUTODISCOVER}


class AppHosts:
    """Middleware, before anything that asks for the Host."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _ours(request.path_info, str(request.META.get("HTTP_HOST", ""))):
            request.META["HTTP_HOST"] = urlsplit(settings.POSTROOM.origin).netloc
        return self.get_response(request)


def _ours(path: str, host: str) -> bool:
    first, _, rest = host.partition(".")
    if path not in ASKED_AT.get(first.lower(), ()):
        return False
    name, _, port = rest.partition(":")
    if port and not port.isdecimal():
        return False
    try:
        domain = domain_name(name)
    except BadName:
        return False
    with acting_as(SYSTEM):
        return served(SYSTEM, domain)
