"""The owner chooses another password, or has another recovery code made: with the present password, asked anew."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from postroom.access import throttle
from postroom.access.acting import Own, own_of
from postroom.access.tokens import recovery_code
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.engines.dovecot_auth import NotAnswered
from postroom.models import Change
from postroom.protocols import passwords
from postroom.web.adapter import COMMON
from postroom.web.mailbox_door import PAGE, Asked, again, mailbox_act, mailbox_page, reasons, told
from postroom.web.mailbox_sign_in import AWAY, looked_at, refused
from postroom.web.mailbox_sign_in import again as own_slots
from postroom.web.often import too_many
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import OwnerCode, OwnerForm
from postroom.web.parts.shapes import Act

HINT = f"At least {passwords.SHORTEST} characters. A few plain words are fine; nobody asks for signs or digits."
NOT_IT = "That is not the password of this mailbox."
ENDS = "Every device and program that signs in with it has to be told the new one. All other sessions end."
PRESENT = Field("old", "The password as it is now", "password", required=True, autocomplete="current-password")


@mailbox_page
def password(request: Asked) -> HttpResponse:
    return _form(request, {})


@mailbox_act()
def change(request: Asked) -> HttpResponse:
    """The new one's own faults first, so that no guess at the old one is learnt from them."""
    typed = request.POST.get("password", "")
    own = request.own
    if wrong := faults(typed, request.POST.get("again", ""), own.address, own.client_name, own.name):
        return _form(request, {"password": wrong}, status=422)
    if (stop := proven(request, lambda wrong, status: _form(request, {"old": wrong}, status))) is not None:
        return stop
    done = submit(KINDS["secrets.change"](), actor=request.actor, why="chosen by its owner",
                  secrets={"password": passwords.hashed(typed)})  # fmt: skip
    if done.version is None:
        return told(request, "Nothing was changed", reasons(done), status=409)
    _goes_on(request)
    return told(request, "You have another password", "All other sessions of the mailbox have ended. The mail servers"
                " take it in a few seconds; then sign in with it everywhere.")  # fmt: skip


@mailbox_page
def code(request: Asked) -> HttpResponse:
    return _code_form(request)


@mailbox_act()
def renew(request: Asked) -> HttpResponse:
    """Shown once. Whoever is signed in but does not know the password gets none."""
    if (stop := proven(request, lambda wrong, status: _code_form(request, wrong, status))) is not None:
        return stop
    drawn, kept = recovery_code()
    done = submit(KINDS["secrets.renew"](), actor=request.actor, why="asked for by its owner",
                  secrets={"recovery code": kept})  # fmt: skip
    if done.version is None:
        return told(request, "Nothing was changed", reasons(done), status=409)
    return shown(request, request.own, drawn, done, set_what="Made", onward=PAGE, words="I have kept it")


def proven(request: Asked, again_with: Callable[[str, int], HttpResponse], field: str = "old") -> HttpResponse | None:
    """None, where the present password was typed; else the page that says why not. Failures count as at the sign-in."""
    source = str(request.META.get("REMOTE_ADDR", ""))
    try:
        throttle.MAILBOX_SIGN_IN(source)
        if looked_at(request.own.address, request.POST.get(field, ""), source, own_slots):
            return None
    except throttle.TooMany as error:
        return too_many(request, error)
    except NotAnswered:
        return again_with(AWAY, 503)
    refused(request.own, source)
    return again_with(NOT_IT, 422)


def _goes_on(request: Asked) -> None:
    """This session outlives the end of all others."""
    if own := own_of(request.own.mailbox):
        again(request, own)


def faults(typed: str, repeated: str, address: str, *names: str) -> str:
    """What speaks against a password of this mailbox; empty when it may be used. As on the page of an invite."""
    local, _, domain = address.partition("@")
    context = [local, *domain.split("."), *(word for name in names for word in name.split()), "postroom"]
    wrong = passwords.faults(typed, context=context, common=COMMON)
    return " ".join(wrong if typed == repeated else [*wrong, "The two do not match."])


def twice(wrong: str = "") -> tuple[Field, Field]:
    """A new password, and the same again."""
    return (
        Field("password", "The new password", "password", hint=HINT, error=wrong, required=True,
              autocomplete="new-password"),
        Field("again", "The same again", "password", required=True, autocomplete="new-password"),
    )  # fmt: skip


def shown(
    request: HttpRequest, own: Own, drawn: str, done: Change, *, set_what: str, onward: str, words: str
) -> HttpResponse:
    """The recovery code, this once."""
    groups = drawn.split("-")
    page = OwnerCode(
        organization="", client=own.client_name, address=own.address, set_at=f"{done.now:%H:%M} UTC",
        code=("-".join(groups[:3]), "-".join(groups[3:])), next_url=onward, next_words=words, done=set_what,
        method="get",
    )  # fmt: skip
    return render(request, "owner/code.html", {"page": page})


def _form(request: Asked, wrong: dict[str, str], status: int = 200) -> HttpResponse:
    old = Field(**{**vars(PRESENT), "error": wrong.get("old", "")})
    fields = (old, *twice(wrong.get("password", "")))
    page = OwnerForm(organization="", title="Another password", lead=ENDS, address=request.own.address,
                     form=Form(fields, "Set it", "/mailbox/password/"), back=Act("Not now", PAGE))  # fmt: skip
    return render(request, "owner/form.html", {"page": page}, status=status)


def _code_form(request: Asked, wrong: str = "", status: int = 200) -> HttpResponse:
    fields = (Field(**{**vars(PRESENT), "error": wrong}),)
    page = OwnerForm(
        organization="", title="Another recovery code", address=request.own.address, back=Act("Not now", PAGE),
        lead="It is shown once. The one you have is void from then on.",
        form=Form(fields, "Make another", "/mailbox/code/"),
    )  # fmt: skip
    return render(request, "owner/form.html", {"page": page}, status=status)
