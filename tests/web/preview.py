"""Serves every page with sample data over HTTP: no database, the strict policy for content, port from the kernel.

Run as a program it prints its port and serves until it is ended; `PREVIEW_PORT` asks for a port of one's own
(to look at pages while working on them). Only tests use it: the product has its own settings and URLs.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

WEB = Path(__file__).resolve().parents[2] / "src" / "postroom" / "web"
CSP = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
LONG = "Llanfair-" + "x" * 291
TRICKS = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "\u202e\u05e9\u05dc\u05d5\u05dd\u202d abc",
    LONG,
    "{{ 7|add:7 }}'\"><b>",
)
OURS = "icon state tone weight at says method control iso nav key plan_hash autocomplete html_id hidden"
KEPT = {
    "Part": {"template", "anchor"},
    "QrCode": {"path", "size"},
    "*": frozenset(OURS.split(" ")),
    "Field": {"name"},
    "Rows": {"name"},
    "Option": {"value"},
    "Bulk": {"field"},
    "Answers": {"field"},
}
"""By shape: fields that hold no text from outside, as do all that end in `url`."""

settings.configure(
    DEBUG=False,
    SECRET_KEY="preview",
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    USE_I18N=False,
    USE_TZ=True,
    ROOT_URLCONF="preview",
    STATIC_URL="/static/",
    STATICFILES_DIRS=[WEB / "static"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    MESSAGE_STORAGE="django.contrib.messages.storage.cookie.CookieStorage",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "allauth",
        "allauth.account",
        "allauth.mfa",
    ],
    MIDDLEWARE=[
        "preview.policy",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    MFA_SUPPORTED_TYPES=["totp", "recovery_codes", "webauthn"],
    MFA_PASSKEY_LOGIN_ENABLED=True,
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [WEB / "templates", Path(__file__).parent],
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "preview.around",
                    "django.template.context_processors.request",
                    "django.contrib.messages.context_processors.messages",
                ],
                "libraries": {"parts": "postroom.web.templatetags.parts"},
                "string_if_invalid": "",
            },
        }
    ],
)
if __name__ == "__main__":
    sys.modules["preview"] = sys.modules[__name__]
django.setup()

import access_samples as access  # noqa: E402
import account_samples  # noqa: E402
import audit_samples as audit  # noqa: E402
import change_samples as changes  # noqa: E402
import object_samples as objects  # noqa: E402
import owner_samples as owners  # noqa: E402
import page_samples as pages  # noqa: E402
import posture_samples as postures  # noqa: E402
import round_samples as rounds  # noqa: E402
import verifying_samples as verifying  # noqa: E402
from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.urls import include, path  # noqa: E402

PAGES: dict[str, tuple[str, object]] = {
    "overview": ("overview.html", pages.OVERVIEW),
    "first": ("overview.html", pages.FIRST),
    "clients": ("clients.html", pages.CLIENTS),
    "nothing": ("clients.html", pages.NOTHING),
    "client": ("client.html", pages.CLIENT),
    "sheet": ("sheet.html", pages.SHEET),
    "routing": ("routing.html", pages.ROUTING),
    "domains": ("domains.html", pages.DOMAINS),
    "domain": ("domain.html", objects.DOMAIN),
    "postures": ("list.html", postures.POSTURES),
    "posture": ("posture.html", postures.POSTURE),
    "mailboxes": ("mailboxes.html", objects.MAILBOXES),
    "mailbox": ("mailbox.html", objects.MAILBOX),
    "sign-ins": ("sign_ins.html", objects.SIGN_INS),
    "trace": ("trace.html", objects.TRACE),
    "verification": ("verification.html", verifying.VERIFICATION),
    "people": ("people.html", objects.PEOPLE),
    "person": ("person.html", objects.PERSON),
    "access": ("access.html", access.ACCESS),
    "closed": ("client.html", access.CLOSED),
    "reviews": ("rounds.html", rounds.REVIEWS),
    "review": ("round.html", rounds.REVIEW),
    "roster": ("round.html", rounds.ROSTER),
    "mail-apps": ("mail_apps.html", access.MAIL_APPS),
    "roles": ("roles.html", access.ROLES),
    "token": ("token.html", access.TOKEN),
    "nodes": ("nodes.html", objects.NODES),
    "forwards": ("leaving.html", objects.FORWARDS),
    "exceptions": ("exceptions.html", objects.EXCEPTIONS),
    "destinations": ("list.html", objects.DESTINATIONS),
    "looks": ("leaving_looks.html", objects.LOOKS),
    "view": ("leaving_view.html", objects.VIEW),
    "findings": ("findings.html", objects.FINDINGS),
    "finding": ("finding.html", objects.FINDING),
    "invites": ("invites.html", objects.INVITES),
    "link": ("invite_link.html", objects.LINK),
    "changes": ("changes.html", changes.CHANGES),
    "audit": ("audit.html", audit.AUDIT),
    "entry": ("entry.html", audit.ENTRY),
    "change": ("change.html", changes.HELD),
    "applied": ("change.html", changes.APPLIED),
    "approvals": ("approvals.html", changes.APPROVALS),
    "form": ("form.html", changes.FORM),
    "plan": ("plan.html", changes.PLAN),
    "refused": ("plan.html", changes.REFUSED),
    "confirm": ("confirm.html", changes.CONFIRM),
    "kinds": ("kinds.html", changes.KINDS),
    "palette": ("palette.html", pages.PALETTE),
    "invite": ("owner/invite.html", changes.INVITE),
    "code": ("owner/code.html", changes.CODE),
    "settings": ("owner/done.html", changes.SETTINGS),
    "set-up": ("setup.html", changes.SET_UP),
    "gone": ("owner/invite_error.html", changes.GONE),
    "devices": ("owner/mailbox.html", changes.DEVICES),
    "new_app_password": ("owner/new_app_password.html", changes.NEW_APP_PASSWORD),
    "let_in": ("owner/let_in.html", changes.LET_IN),
    "app_password": ("owner/app_password.html", changes.APP_PASSWORD),
    "own-sign-in": ("owner/sign_in.html", owners.SIGN_IN),
    "own-mailbox": ("owner/mailbox.html", owners.MAILBOX),
    "own-password": ("owner/form.html", owners.PASSWORD),
    "own-story": ("owner/story.html", owners.STORY),
    "own-sessions": ("owner/parts.html", owners.SESSIONS),
    "own-doubt": ("owner/form.html", owners.DOUBT),
    "notice": ("notice.html", changes.NOTICE),
    "confirming": ("confirming.html", changes.CONFIRMING),
    "not_me": ("not_me.html", changes.NOT_ME),
    "recover": ("recover.html", changes.RECOVER),
    "regain": ("recover.html", changes.REGAIN),
    "sessions": ("sessions.html", objects.SESSIONS),
    "enrol": ("enrol.html", None),
    "states": ("states.html", objects.STATES),
    **{str(code): (f"{code}.html", None) for code in (400, 403, 404, 429, 500, 503)},
}


def around(request):
    """What the product's own context has: its terms, and the label of single sign-on."""
    return {
        "sso": "Northlight ID",
        "terms": {"terms": "https://northlight.example/terms", "privacy": "https://northlight.example/privacy"},
    }


def policy(get_response):
    """The headers every page is served with."""

    def served(request):
        response = get_response(request)
        response["Content-Security-Policy"] = CSP
        return response

    return served


def hostile(shape: object, count: list[int]) -> object:
    """The same page with every text from outside replaced by something nasty."""
    if isinstance(shape, str):
        count[0] += 1
        return TRICKS[count[0] % len(TRICKS)] if shape else shape
    if isinstance(shape, tuple):
        return tuple(hostile(one, count) for one in shape)
    if dataclasses.is_dataclass(shape) and not isinstance(shape, type):
        told = {field.name: getattr(shape, field.name) for field in dataclasses.fields(shape)}
        kept = KEPT["*"] | KEPT.get(type(shape).__name__, set())
        kept |= {"value"} if told.get("control") == "date" else set()  # a browser takes no other text there
        changed = {n: v if n in kept or n.endswith("url") else hostile(v, count) for n, v in told.items()}
        return dataclasses.replace(shape, **changed)
    return shape


def page(request: HttpRequest, name: str) -> HttpResponse:
    template, sample = PAGES[name]
    nasty = "hostile" in request.GET
    frame = pages.FRAME
    shown = hostile(sample, [0]) if nasty else sample
    context = {
        "page": shown,
        "frame": hostile(frame, [0]) if nasty else frame,
        "theme": request.GET.get("theme", "light"),
        "demo": name in ("overview", "invite"),
        "enrol_url": "/x",
    }
    return render(request, template, context)


def account(request: HttpRequest, name: str) -> HttpResponse:
    template, context = account_samples.page(request, name)
    return render(request, template, context)


def palette(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "")
    found = pages.PALETTE if query == "hale" else dataclasses.replace(pages.PALETTE, query=query, groups=())
    return render(request, "palette_options.html", {"page": found})


def question(request: HttpRequest) -> HttpResponse:
    return render(request, "confirm_dialog.html", {"page": changes.CONFIRM})


def listed(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"pages": list(PAGES), "account": list(account_samples.NAMES)})


urlpatterns = [
    path("", listed),
    path("p/<str:name>", page),
    path("a/<str:name>", account),
    path("palette", palette),
    path("question", question),
    path("accounts/", include("allauth.urls")),
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def main() -> None:
    application = StaticFilesHandler(get_wsgi_application())
    wanted = int(os.environ.get("PREVIEW_PORT", "0"))
    with make_server("127.0.0.1", wanted, application, Server, Quiet) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
