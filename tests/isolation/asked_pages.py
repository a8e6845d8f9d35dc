"""Every page and every form of the pages, as `asked.py` has the operations of the API; and what a form is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asked import CLIENT, DOMAIN, MAILBOX, OWN, PUBLIC, Asked, seen, why
from cells import Cell, whose
from oracle import may_somewhere, stranger, verdict
from principals import Principal
from three_clients import Ground

FORM = (200, 302, 409, 422)  # shown, gone through, or something stands in the way and is said; never 403 nor 404
LIST = {"client": CLIENT, "q": ("word",)}

PAGES: dict[str, Asked] = {
    "GET /": Asked("overview.view"),
    "GET /clients/": Asked("clients.view", filters={"q": ("word",)}),
    "GET /clients/<str:ref>/": Asked("clients.view", {"ref": CLIENT}),
    "GET /clients/<str:ref>/sheet/": Asked("sheets.view", {"ref": CLIENT}),
    "POST /clients/<str:ref>/sheet/export/": Asked(
        "sheets.export", {"ref": CLIENT}, body=lambda here: {"format": "csv", "why": "x"}),
    "GET /clients/<str:ref>/routing/": Asked("addresses.view", {"ref": CLIENT}),
    "GET /domains/<str:ref>/routing/": Asked("addresses.view", {"ref": DOMAIN}),
    "GET /domains/<str:ref>/posture/": Asked("domains.view", {"ref": DOMAIN}),
    "GET /posture/": Asked("domains.view", filters=LIST),
    "GET /domains/": Asked("domains.view", filters=LIST),
    "GET /domains/<str:ref>/": Asked("domains.view", {"ref": DOMAIN}),
    "GET /mailboxes/": Asked("mailboxes.view", filters={**LIST, "domain": DOMAIN}),
    "GET /mailboxes/<str:ref>/": Asked("mailboxes.view", {"ref": ("mailbox", "mail")}),
    "GET /mailboxes/<str:ref>/sign-ins/": Asked("sign_ins.view", {"ref": ("mailbox", "mail")}),
    "GET /trace/": Asked("addresses.view", filters={"address": ("mail",), "at": ("domain name",)}),
    "GET /resets/<uuid:which>/": Asked("verifications.view", {"which": ("verification",)}),
    "POST /resets/<uuid:which>/ask/": Asked(
        "resets.ask_code", {"which": ("verification",)}, allowed=FORM, refused=(302, 403, 409),
        body=lambda here: {"channel": here.ids["channel home"]}),
    "POST /resets/<uuid:which>/code/": Asked(
        "resets.enter_code", {"which": ("verification",)}, allowed=FORM, refused=(302, 403, 409),
        body=lambda here: {"said": "00000000"}),
    "GET /people/": Asked("people.view", filters=LIST),
    "GET /people/<str:ref>/": Asked("people.view", {"ref": ("person viewer", "person mail")}),
    "GET /access/": Asked("grants.view", filters=LIST, foreign_filter=404),
    "GET /mail-apps/": Asked("mail_apps.view"),
    "GET /roles/": Asked("roles.view"),
    "GET /tokens/new/": Asked("tokens.create"),
    "POST /tokens/new/": Asked("tokens.create", body=lambda here: {"name": "x", "why": "x", "clients": here.slug},
                               allowed=FORM),
    "GET /nodes/": Asked("nodes.view"),
    "GET /nodes/<str:ref>/": Asked("nodes.view"),
    "GET /forwards/": Asked("forwards.view", filters=LIST, foreign_filter=404),
    "POST /forwards/chosen/": Asked("forwards.view", body=lambda here: {"act": "forwards.disable"}, allowed=(404, 422)),
    "POST /forwards/export/": Asked("sheets.export"),
    "POST /forwards/views/": Asked("forwards.view", body=lambda here: {"name": "mine"}, allowed=(302,)),
    "GET /forwards/views/rename/": Asked("forwards.view", allowed=(404,)),
    "POST /forwards/views/rename/": Asked("forwards.view", body=lambda here: {"name": "x", "to": "y"}, allowed=(404,)),
    "POST /forwards/views/remove/": Asked("forwards.view", body=lambda here: {"name": "x"}, allowed=(404,)),
    "GET /forwards/looks/": Asked("forwards.view", filters={"client": CLIENT}, foreign_filter=404),
    "POST /forwards/looks/": Asked("forwards.view", body=lambda here: {"client": here.slug}, allowed=(302, 404)),
    "GET /exceptions/": Asked("exceptions.view", filters=LIST),
    "GET /destinations/": Asked("destinations.view", filters=LIST),
    "GET /findings/": Asked("findings.view", filters=LIST),
    "GET /findings/<uuid:finding>/": Asked("findings.view", {"finding": ("finding",)}),
    "GET /invites/": Asked("invites.view", filters=LIST),
    "GET /invites/<uuid:invite>/link/": Asked("invites.issue", {"invite": ("invite leo",)}, refused=(200,)),
    "POST /invites/<uuid:invite>/link/": Asked("invites.issue", {"invite": ("invite leo",)}, body=why, allowed=FORM,
                                               refused=(403, 422)),
    "GET /changes/": Asked("changes.view", filters={"client": CLIENT, "object": ("mailbox",)}),
    "GET /changes/<uuid:change>/": Asked("changes.view", {"change": ("held",)}),
    "POST /changes/<uuid:change>/replan/": Asked("changes.view", {"change": ("withdrawn",)}, body=why,
                                                 also="mailboxes.remove", allowed=FORM, refused=(302, 403)),
    "GET /changes/<uuid:change>/withdraw/": Asked("changes.view", {"change": ("later",)}),
    "POST /changes/<uuid:change>/withdraw/": Asked("changes.view", {"change": ("later",)}, body=why,
                                                   also="changes.approve", allowed=FORM, proposers=("operator",)),
    "GET /changes/<uuid:change>/review/": Asked("changes.approve", {"change": ("reviewed",)}),
    "POST /changes/<uuid:change>/review/": Asked("changes.approve", {"change": ("reviewed",)}, body=why, allowed=FORM),
    "GET /batches/<uuid:batch>/": Asked("changes.view", {"batch": ("batch",)}),
    "POST /batches/<uuid:batch>/withdraw/": Asked(
        "changes.view", {"batch": ("batch",)}, body=why, also="changes.approve", allowed=FORM, refused=(403, 409),
        proposers=("client admin of A", "client admin of B")),
    "POST /batches/<uuid:batch>/undo/": Asked("changes.view", {"batch": ("batch made",)}, body=why,
                                              also="history.roll_back", allowed=FORM, refused=(302, 403)),
    "POST /batches/<uuid:batch>/approve/": Asked(
        "changes.approve", {"batch": ("batch",)}, allowed=FORM,
        body=lambda here: {"plan_hash": here.ids["batch hash"]}),
    "POST /changes/<uuid:change>/approve/": Asked("changes.view", {"change": ("held",)}, body=seen,
                                                  also="changes.approve", allowed=FORM),
    "GET /access-reviews/": Asked("rounds.view", filters={"client": CLIENT}),
    "GET /access-reviews/<uuid:review>/": Asked("rounds.view", {"review": ("access review",)}),
    "POST /access-reviews/<uuid:review>/sign/": Asked(
        "access_reviews.sign", {"review": ("access review",)}, allowed=FORM, refused=(302, 403),
        body=lambda here: {"act": "keep", "line": here.ids["right line"], "why": "x"}),
    "GET /rosters/": Asked("rounds.view", filters={"client": CLIENT}),
    "GET /rosters/<uuid:roster>/": Asked("rounds.view", {"roster": ("roster",)}),
    "POST /rosters/<uuid:roster>/answer/": Asked(
        "rosters.answer", {"roster": ("roster",)}, allowed=FORM, refused=(302, 403),
        body=lambda here: {"act": "here", "line": here.ids["roster line"], "why": "x"}),
    "GET /approvals/": Asked("approvals.view", filters={"client": CLIENT}),
    "GET /audit/": Asked("entries.view", filters={"client": ("slug",), "q": ("mail", "domain name", "mailbox"),
                                                  "person": ("person mail",)}),
    "GET /audit/compare/": Asked("entries.view"),
    "POST /audit/compare/": Asked("entries.view", body=lambda here: {"checkpoint": "x"}),
    "POST /audit/export/": Asked("entries.export"),
    "GET /audit/<int:number>/": Asked("entries.view", {"number": ("entry",)}),
    "GET /do/": Asked("changes.view"),
    "POST /do/": Asked("changes.view", body=lambda here: {"act": "mailboxes.suspend", "mailbox": here.at("mia")},
                       allowed=(302, 404)),
    "GET /do/<str:name>/": Asked("changes.view"),
    "POST /do/<str:name>/": Asked("changes.view"),
    "GET /find/": Asked("changes.view", filters={"q": ("word", "mail", "domain name")}),
    "GET /device/": Asked("changes.view"),
    "POST /device/": Asked("changes.view", body=lambda here: {"code": "BCDF-GHJK"}, allowed=(422,)),
}  # fmt: skip
ANY = tuple(code for code in range(200, 500) if code not in (201, 202))
OPEN = [
    "GET /found/", "POST /found/", "GET /found/<str:token>", "GET /invite/", "POST /invite/", "GET /invite/done/",
    "POST /invite/done/", "GET /invite/<str:token>", "GET /not-me/", "POST /not-me/", "GET /not-me/<str:token>",
    "GET /confirm/", "POST /confirm/", "GET /confirm/<str:token>",
    "GET /mail/config-v1.1.xml", "GET /.well-known/autoconfig/mail/config-v1.1.xml", "GET /setup/",
    "GET /.well-known/oauth-authorization-server", "GET /oauth/authorize", "POST /oauth/token", "POST /oauth/revoke",
    "GET /setup/profile.mobileconfig", *(f"{verb} /{at}utodiscover/{at}utodiscover.xml" for verb in ("GET", "POST")
                                         for at in "aA"),
    "GET /mailbox/sign-in/", "GET /mailbox/recover/", "POST /mailbox/recover/", "GET /mailbox/recover/mail/",
    "POST /mailbox/recover/mail/", "GET /mailbox/recover/set/", "POST /mailbox/recover/set/",
    "GET /mailbox/recover/<str:token>",
    "GET /recover/", "POST /recover/", "GET /recover/set/", "POST /recover/set/", "GET /recover/<str:token>",
    "GET /sign-in/sso/", "GET /sign-in/sso/back/", "GET /sign-in/", "POST /sign-in/", "GET /sign-in/factor/",
    "POST /sign-in/factor/", "GET /sign-in/passkey/", "POST /sign-in/passkey/", "GET /account/inactive/",
    "GET /account/signup/", "POST /account/signup/", "GET /account/email/", "POST /account/email/",
    "GET /account/confirm-email/", "POST /account/confirm-email/", "GET /account/password/set/",
    "POST /account/password/set/", "GET /account/password/reset/", "POST /account/password/reset/",
    "GET /account/2fa/recovery-codes/download/", "POST /account/2fa/recovery-codes/download/",
]  # fmt: skip
MINE = [
    "GET /account/", "GET /account/password/", "POST /account/password/", "GET /account/sessions/",
    "POST /account/sessions/", "GET /account/2fa/", "GET /account/2fa/reauthenticate/",
    "POST /account/2fa/reauthenticate/", "GET /account/2fa/totp/deactivate/", "POST /account/2fa/totp/deactivate/",
    "GET /account/2fa/recovery-codes/", "GET /account/2fa/recovery-codes/generate/",
    "POST /account/2fa/recovery-codes/generate/", "GET /account/2fa/webauthn/",
    "GET /account/2fa/webauthn/reauthenticate/", "POST /account/2fa/webauthn/reauthenticate/",
    "GET /account/2fa/webauthn/<int:pk>/remove/", "POST /account/2fa/webauthn/<int:pk>/remove/",
    "GET /account/2fa/webauthn/<int:pk>/edit/", "POST /account/2fa/webauthn/<int:pk>/edit/",
]  # fmt: skip
BEFORE_FACTOR = [
    "GET /enrol/", "GET /account/reauthenticate/", "POST /account/reauthenticate/", "GET /account/2fa/totp/activate/",
    "POST /account/2fa/totp/activate/", "GET /account/2fa/webauthn/add/", "POST /account/2fa/webauthn/add/",
    "POST /theme/", "GET /account/logout/", "POST /account/logout/",
]  # fmt: skip
AN_OWNERS = [
    "GET /mailbox/", "GET /mailbox/password/", "POST /mailbox/password/", "GET /mailbox/code/", "POST /mailbox/code/",
    "GET /mailbox/app-passwords/new/", "POST /mailbox/app-passwords/new/", "POST /mailbox/app-passwords/end/",
    "POST /oauth/consent",
    "GET /mailbox/ways-back/new/", "POST /mailbox/ways-back/new/", "GET /mailbox/ways-back/end/",
    "POST /mailbox/ways-back/end/", "GET /mailbox/access/ask/", "POST /mailbox/access/ask/",
    "GET /mailbox/access/consent/", "POST /mailbox/access/consent/", "POST /mailbox/access/decline/",
    "POST /mailbox/access/end/", "GET /mailbox/forwards/new/", "POST /mailbox/forwards/new/",
    "POST /mailbox/forwards/disable/", "POST /mailbox/forwards/end/", "POST /mailbox/forwards/withdraw/",
    "GET /mailbox/filters/", "POST /mailbox/filters/", "POST /mailbox/filters/remove/", "POST /mailbox/filters/end/",
    "GET /mailbox/filters/answer/", "POST /mailbox/filters/answer/", "GET /mailbox/filters/script/",
    "POST /mailbox/filters/script/",
    "GET /mailbox/sessions/", "POST /mailbox/sessions/", "GET /mailbox/sign-ins/", "GET /mailbox/doubt/",
    "POST /mailbox/doubt/", "GET /mailbox/safe/",
    "GET /mailbox/record/", "GET /mailbox/recent/", "POST /mailbox/recent/", "POST /mailbox/sign-out/",
]  # fmt: skip
LAST = ("GET /account/logout/", "POST /account/logout/", "POST /mailbox/sign-out/")
AWAY = (*ANY, 503)  # no mail node is there to ask
PAGES.update({what: Asked(PUBLIC, allowed=ANY) for what in OPEN})
PAGES["POST /mailbox/sign-in/"] = Asked(PUBLIC, allowed=AWAY)
PAGES.update({what: Asked(MAILBOX, allowed=AWAY) for what in AN_OWNERS})
PAGES.update({what: Asked(OWN, allowed=ANY) for what in (*MINE, *BEFORE_FACTOR)})

DO = {"mailboxes.suspend": ("mailbox", "mailbox"), "domains.change": ("domain", "domain"),
      "clients.change": ("client", "client"), "people.change": ("person", "person viewer"),
      "grants.end": ("grant", "grant"), "findings.acknowledge": ("finding", "finding"),
      "history.roll_back": ("change", "made")}  # fmt: skip


def of_forms(who: Principal, what: str, all_of: dict[str, Ground]) -> Iterator[Cell]:
    """The form of a kind: prefilled with somebody's object, its plan, sent. What is not theirs is said at its field."""
    for kind, (field, key) in DO.items():
        for letter, here in all_of.items():
            expect = verdict(who, kind, letter, door="changes.view", of=key)
            if expect in ("not there", "refused", "allowed") and not may_somewhere(who, kind):
                expect = "not let in"
            one = here.ids[key]
            sent: dict[str, Any] = {field: one, "why": "x", "step": "send", "seen": "x"}
            url = f"/do/{kind}/" if what.startswith("POST") else f"/do/{kind}/?{field}={one}"
            get = what.startswith("GET")
            yield Cell(who, what, f"{whose(who, letter)} {kind}", letter, url, expect, body=sent, sent=(one,),
                       twin=f"{what} {kind}", allowed=(200, 422), refused=(200, 403, 422),
                       unseen=(200,) if get else (404, 422))  # fmt: skip


# What is taken away of the client that the request names: the permission, where it is sent, what it answers.
EXPORTS = {
    "POST /audit/export/": ("entries.export", "/audit/export/", 409),
    "POST /forwards/export/": ("sheets.export", "/forwards/export/", 200),
    "GET /api/v1/forwards-leaving/file": ("sheets.export", "/api/v1/forwards-leaving/file?why=x&client={}", 200),
}


def of_exports(who: Principal, what: str, all_of: dict[str, Ground]) -> Iterator[Cell]:
    permission, url, code = EXPORTS[what]
    for letter, here in all_of.items():
        expect = verdict(who, permission, letter, of="client")
        body = {"client": here.slug, "why": "x"} if what.startswith("POST") else None
        yield Cell(who, what, whose(who, letter), letter, url.format(here.slug), expect,
                   body=body, sent=(here.slug,), twin=what, allowed=(code,))  # fmt: skip


def of_others(who: Principal, what: str, all_of: dict[str, Ground]) -> Iterator[Cell]:
    """One's own sign-in, with ids of somebody else's: their browser, their terminal, their key."""
    told = stranger(who)
    for letter, here in all_of.items():
        url = what.split(" ", 1)[1].replace("<int:pk>", "1")
        sent = {"browser": here.ids["browser"], "terminal": here.ids["session"]}
        yield Cell(who, what, "somebody else's", letter, url, told or "allowed", body=sent, allowed=ANY)
