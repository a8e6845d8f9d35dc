"""The owner's pages: from a one-time link to a password only they know. Plain forms that work without script.

Whoever holds the link is its owner, and can do this one thing.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from pydantic import ValidationError

from postroom.access.acting import SYSTEM, Actor, NoSuchLink, Own, acting_as, own_of, signed_in
from postroom.access.declared import CHANGE
from postroom.access.roles import operates
from postroom.access.scope import visible
from postroom.access.tokens import recovery_code
from postroom.changes.errors import ChangeError, Problems
from postroom.changes.kinds.redeeming import RedeemInvite
from postroom.changes.pipeline import submit
from postroom.changes.record import note
from postroom.models import Change, Invite, Login, Organization
from postroom.protocols import passwords
from postroom.web.adapter import COMMON, SHORTEST
from postroom.web.door import public
from postroom.web.mail_apps import in_words, told
from postroom.web.mailbox_door import entered
from postroom.web.mailbox_reset import RECENT
from postroom.web.mailbox_secrets import shown
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import OwnerCode, OwnerDone, OwnerGone, OwnerInvite
from postroom.web.signing import INVITED, enrolled, invited, person_form
from postroom.web.terms import accepted

RESET: dict[str, Any] = {
    "title": "Choose another password",
    "lead": "You asked for a way back into your mailbox. The password and the recovery code so far stop working, every "
    "session ends, and your mail stays as it is.",
}  # of a verified reset: its owner is no newcomer
NOT_YOURS = "You are signed in here as somebody who runs the service. Whoever uses this link owns the sign-in of {}."
opened = INVITED.opened


@public(GET="", POST=CHANGE)
def invite(request: HttpRequest) -> HttpResponse:
    """Choose a password; it is set, the link is spent, and the recovery code is shown once."""
    try:
        row, actor = invited(request)
        with acting_as(actor):
            found = _words(row, actor)
    except NoSuchLink:
        return INVITED.no_good(request)
    if (who := _operator(request, row)) is not None:
        return _not_theirs(request, row, who, found)
    if row.person_id:
        return _person(request, actor, row, found)
    if request.method != "POST":
        return _form(request, row, found)
    password = request.POST.get("password", "")
    wrong = _faults(password, request.POST.get("again", password), found)
    return _form(request, row, found, wrong) if wrong else _redeemed(request, actor, row, found, password)


def _operator(request: HttpRequest, row: Invite) -> Actor | None:
    """Who runs the service and is signed in here, where the link is somebody else's. One that was printed for a person
    is whoever's; one of a mailbox that somebody handed over is its owner's alone."""
    login = request.user
    person = login.person_id if isinstance(login, Login) else None
    printed = not row.by_mail and row.mailbox_id is None
    if printed or person is None or person == row.person_id:
        return None
    found = signed_in(person)
    return found[0] if found is not None and operates(found[1]) else None


def _not_theirs(request: HttpRequest, row: Invite, who: Actor, found: dict[str, str]) -> HttpResponse:
    """Not used, and recorded: whoever runs the service takes nobody's mailbox by a link that came into their hands."""
    with acting_as(SYSTEM):
        note("refused", client=row.client_id, of=row.pk, person=who.person, name=who.name, permission="invites.redeem")
    page = OwnerGone(
        organization=found["organization"], title="This link is not for you", why=NOT_YOURS.format(found["address"]),
        ask="Nothing was changed, and the link stays good. Its owner opens it on a device of their own.",
    )  # fmt: skip
    return render(request, "owner/invite_error.html", {"page": page}, status=403)


def _words(row: Invite, actor: Actor) -> dict[str, str]:
    """What the page says of it."""
    return {
        "address": row.mailbox.label if row.mailbox else row.person.email if row.person else "",
        "client": row.client.name if row.client else "",
        "name": row.mailbox.name if row.mailbox else "",
        "organization": visible(actor, Organization).get().name,
        "until": f"{row.until:%d %b %Y, %H:%M} UTC",
        "reset": "yes" if row.verification_id else "",
    }


def _person(request: HttpRequest, actor: Actor, row: Invite, found: dict[str, str]) -> HttpResponse:
    """The link of a person: one that was printed signs in at once; with a mailed one they choose a password."""
    if not row.by_mail and settings.POSTROOM.demo:
        return HttpResponseRedirect("/") if enrolled(request, actor, row, None) else INVITED.no_good(request)
    if request.method != "POST":
        return person_form(request, found, [])
    password = request.POST.get("password", "")
    if wrong := passwords.faults(password, context=[found["address"]], common=COMMON, shortest=SHORTEST):
        return person_form(request, found, wrong)
    return HttpResponseRedirect("/") if enrolled(request, actor, row, password) else INVITED.no_good(request)


def _faults(password: str, again: str, found: dict[str, str]) -> list[str]:
    local, _, domain = found["address"].partition("@")
    context = [local, *domain.split("."), *found["client"].split(), *found["name"].split(), "postroom"]
    wrong = passwords.faults(password, context=context, common=COMMON)
    return wrong if password == again else [*wrong, "The two do not match."]


def _redeemed(request: HttpRequest, actor: Actor, row: Invite, found: dict[str, str], password: str) -> HttpResponse:
    code, kept = recovery_code()
    values = {"password": passwords.hashed(password), "recovery code": kept}
    try:
        asked = {} if row.by_mail else {"recovery": request.POST.get("recovery", "")}
        kind = RedeemInvite.model_validate(asked)
        change = submit(kind, actor=actor, why="the owner opened the link", secrets=values)
    except ValidationError as error:
        return _form(request, row, found, back=str(error.errors()[0]["msg"]))
    except Problems as problems:
        back = [one.what for one in problems.problems if one.where == "recovery"]
        return _form(request, row, found, back=" ".join(back)) if back else INVITED.no_good(request)
    except (ChangeError, NoSuchLink):
        return INVITED.no_good(request)
    if change.stage == "stale":  # somebody was quicker with the same one
        return INVITED.no_good(request)
    if change.version is None:
        said = "; ".join(v["reason"] for v in change.verdicts)
        return _form(request, row, found, [f"Nothing was set yet: {said}. The link stays good; try again later."])
    accepted(client=row.client_id, mailbox=row.mailbox_id)
    request.session.flush()
    if row.verification_id and row.mailbox_id and (own := own_of(row.mailbox_id)):
        return _got_back(request, own, code, change)
    groups = code.split("-")
    page = OwnerCode(
        organization=found["organization"], client=found["client"], address=found["address"],
        set_at=f"{change.now:%H:%M} UTC", code=("-".join(groups[:3]), "-".join(groups[3:])), next_url="/invite/done/",
        next_words="I have kept it",
    )  # fmt: skip
    return render(request, "owner/code.html", {"page": page})


def _got_back(request: HttpRequest, own: Own, code: str, change: Change) -> HttpResponse:
    """Of a reset: signed in, and on to what was done to the mailbox lately, to say whether it is known (flow F3)."""
    entered(request, own, by="the link of a verified reset")
    return shown(request, own, code, change, set_what="Password set", onward=RECENT, words="I have kept it")


@public(GET="", POST="")
def done(request: HttpRequest) -> HttpResponse:
    """What to type into a phone or a computer; says nothing of any one mailbox."""
    page = OwnerDone(organization="", address="", settings=in_words(told()))
    return render(request, "owner/done.html", {"page": page})


def _back_in(request: HttpRequest, wrong: str) -> Field:
    """Asked of who got the link by hand: nobody knows yet where else they are reached."""
    return Field("recovery", "A way back in", value=request.POST.get("recovery", "")[:254], required=True, error=wrong,
                 hint="An address that you read elsewhere, or a number with its country. It gets a link to confirm "
                      "it: your mailbox is finished with that.")  # fmt: skip


def _form(
    request: HttpRequest, row: Invite, found: dict[str, str], wrong: list[str] | None = None, *, back: str = ""
) -> HttpResponse:
    hint = f"At least {passwords.SHORTEST} characters. A few plain words are fine; nobody asks for signs or digits."
    fields: tuple[Field, ...] = (
        Field(
            name="password", label="Password", control="password", hint=hint, error=" ".join(wrong or ()),
            required=True, autocomplete="new-password",
        ),
        Field(
            name="again", label="The same again", control="password", required=True, autocomplete="new-password",
        ),
    )  # fmt: skip
    fields += () if row.by_mail else (_back_in(request, back),)
    form = Form(fields=fields, submit="Set my password", url="/invite/")
    about: dict[str, Any] = {name: found[name] for name in ("organization", "client", "address", "until")}
    page = OwnerInvite(form=form, **about, **(RESET if found["reset"] else {}))
    return render(request, "owner/invite.html", {"page": page}, status=422 if wrong or back else 200)
