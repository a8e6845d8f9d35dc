"""How people come to a sign-in of their own: by the link of their invite, by a printed one, or as the founder.

The sign-in library keeps passwords, factors and sessions; here a `Login` is made for a person once, and never again.
"""

import hmac
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import login as sign_in
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from pydantic import ValidationError

from postroom.access.acting import FOUNDER, SYSTEM, Actor, NoSuchLink, acting_as
from postroom.access.declared import CHANGE
from postroom.access.scope import visible
from postroom.changes.errors import ChangeError, Problems
from postroom.changes.kinds.organization import Found
from postroom.changes.kinds.people import EnrolPerson
from postroom.changes.pipeline import submit
from postroom.models import Invite, Login, Organization, Person
from postroom.protocols import passwords
from postroom.web.adapter import COMMON, SHORTEST
from postroom.web.door import ENROL, public
from postroom.web.entries import PRINTED
from postroom.web.one_time import OneTime
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import Notice, OwnerInvite
from postroom.web.parts.shapes import Act, Code
from postroom.web.step_up import BY_LINK
from postroom.web.terms import accepted

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
INVITED = OneTime(
    "invite", "/invite/", gone="It was used, cancelled or replaced by a newer one, or its time is over.",
    ask="Ask whoever sent it for a new link; each new link makes the ones before it void.",
)  # fmt: skip
FOUNDING = OneTime("founding", "/found/")  # the link that `up` printed for whoever founds this installation
founding_link = FOUNDING.opened
NEW_PASSWORD = Field(
    name="password", label="Password", control="password", required=True, autocomplete="new-password",
    hint=f"At least {SHORTEST} characters; a second factor comes next.",
)  # fmt: skip


def enrolled(
    request: HttpRequest, actor: Actor, invite: Invite, password: str | None, *, signs_in: bool = True
) -> Login | None:
    """Spend a person's link and sign them in; None if the link was spent meanwhile."""
    try:
        change = submit(EnrolPerson(), actor=actor, why=_said(invite))
    except (ChangeError, NoSuchLink):
        return None
    if change.version is None or invite.person is None:
        return None
    login = login_of(invite.person, password)
    if invite.by_mail:
        accepted(client=invite.person.client_id, person=invite.person.pk)
    if not signs_in:
        return login
    enter(request, login, by="mailed link" if invite.by_mail else PRINTED)
    if not invite.by_mail:
        request.session[BY_LINK] = True
    return login


def invited(request: HttpRequest) -> tuple[Invite, Actor]:
    """The good invite whose link this browser opened, and who holds it; NoSuchLink for none."""
    actor = Actor(None, "the owner", "link", INVITED.of(request))
    with acting_as(actor) as access:
        found = _good(actor, access.invite)
    if found is None:
        raise NoSuchLink("no such link")
    return found, actor


def _good(actor: Actor, invite: UUID | None) -> Invite | None:
    """An invite that is still good; None for one that is not, whatever the reason."""
    along = ("mailbox__address", "client", "person")
    row = (
        visible(actor, Invite)
        .select_related(*along)
        .filter(pk=str(invite), used_at=None, ended_at=None, stops=None, recovers="", confirms=None, vouches="")
        .first()
    )
    if row is None or row.until is None or row.until <= datetime.now(UTC):
        return None
    gone = row.mailbox.removed_at if row.mailbox else row.person and (row.person.removed_at or row.person.suspended_at)
    return None if gone else row


def enter(request: HttpRequest, login: Login, *, by: str) -> None:
    """Sign in here and now; whoever just chose a password is not asked for it again to set up a second factor."""
    request.signed_in_by = by  # type: ignore[attr-defined]
    sign_in(request, login, backend=BACKEND)
    record_authentication(request, login, method="password", reauthenticated=True)


def _said(invite: Invite) -> str:
    return "opened the mailed link" if invite.by_mail else "opened the printed link, which stands for both factors"


def login_of(person: Person, password: str | None) -> Login:
    """The one login of a person, made now if there is none; with an unusable password where none is given."""
    login, made = Login.objects.get_or_create(person=person, defaults={"email": person.email})
    if made or password:
        login.set_password(password)
        login.save()
    EmailAddress.objects.get_or_create(user=login, email=person.email, defaults={"verified": True, "primary": True})
    return login


def person_form(request: HttpRequest, found: dict[str, str], wrong: list[str]) -> HttpResponse:
    """A person chooses the password of their sign-in."""
    field = Field(**{**vars(NEW_PASSWORD), "error": " ".join(wrong)})
    page = OwnerInvite(
        organization=found["organization"], address=found["address"], until=found["until"],
        form=Form(fields=(field,), submit="Make my sign-in", url="/invite/"), title="Your sign-in to Postroom",
        lead="Choose a password that only you know. A second factor comes next.", sees=(), does=(),
        sso=found["client"] == "",
    )  # fmt: skip
    return render(request, "owner/invite.html", {"page": page}, status=422 if wrong else 200)


@public(GET="", POST=CHANGE)
def found(request: HttpRequest) -> HttpResponse:
    """Name the organization, and make the first owner's sign-in; a second factor comes next."""
    if not _may_found(FOUNDING.of(request)):
        return _no_founding(request)
    if request.method != "POST":
        return _found_form(request, {}, {})
    typed = {name: request.POST.get(name, "") for name in ("name", "owner_name", "owner_email", "postmaster")}
    password = request.POST.get("password", "")
    wrong = {"password": " ".join(passwords.faults(password, context=typed.values(), common=COMMON, shortest=SHORTEST))}
    try:
        kind = Found.model_validate(typed)
        if not wrong["password"]:
            submit(kind, actor=FOUNDER, why="founded through the link printed at the first start")
    except ValidationError as error:
        wrong |= {str(one["loc"][0]): str(one["msg"]).removeprefix("Value error, ") for one in error.errors()}
    except Problems as error:
        wrong |= {one.where: one.what for one in error.problems}
    if any(wrong.values()):
        return _found_form(request, typed, wrong)
    with acting_as(SYSTEM):
        owner = visible(SYSTEM, Person).get(email=kind.owner_email)
        login = login_of(owner, password)
    enter(request, login, by="founding link")
    return HttpResponseRedirect(ENROL)


def _no_founding(request: HttpRequest) -> HttpResponse:
    """The same for a wrong link, a used one and none: whether somebody founded it already is nobody's to learn here."""
    page = Notice(
        organization="", title="This link does not work any more",
        words=("The first owner of an installation founds it once, by the link that was printed at its start.",
               ("Whoever runs the machine prints a new one, as long as nobody has:", Code("postroom links"))),
        acts=(Act("Sign in", "/sign-in/"),),
    )  # fmt: skip
    return render(request, "notice.html", {"page": page}, status=410)


def _may_found(kept: str) -> bool:
    """The link is good until there is an organization."""
    try:
        wanted = (settings.POSTROOM.state / "keys/founding").read_text().strip()
    except FileNotFoundError:
        return False
    with acting_as(SYSTEM):
        return hmac.compare_digest(kept, wanted) and not visible(SYSTEM, Organization).exists()


def _found_form(request: HttpRequest, typed: dict[str, str], wrong: dict[str, str]) -> HttpResponse:
    def field(name: str, label: str, **more: Any) -> Field:
        return Field(
            name=name, label=label, value=typed.get(name, ""), error=wrong.get(name, ""), required=True, **more
        )

    fields = (
        field("name", "What the organization is called"),
        field("owner_name", "Your name", autocomplete="name"),
        field("owner_email", "Your mail address", control="email", autocomplete="email"),
        field("postmaster", "Where mail to postmaster@ and abuse@ of every domain goes", control="email"),
        Field(**{**vars(NEW_PASSWORD), "error": wrong.get("password", "")}),
    )
    page = OwnerInvite(
        organization="", address="", until="there is an organization", title="Found this installation",
        lead="You become its first owner. There are no accounts or passwords before yours.",
        sees=(), does=(), cannot=(),
        form=Form(fields=fields, submit="Found it", url="/found/"),
    )  # fmt: skip
    return render(request, "owner/invite.html", {"page": page}, status=422 if wrong else 200)
