"""Who is asking at a mailbox owner's pages: whoever signed in with the mailbox's own address and password.

Their login is the mailbox's and no person's. It opens nothing else, and ends as soon as the mailbox's access does: when
its epoch moves (a new password, sessions ended), when it is suspended or removed, or its domain or client is.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from allauth.usersessions.models import UserSession
from django.contrib.auth import login as sign_in
from django.contrib.auth.backends import BaseBackend
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from postroom.access.acting import Access, Actor, NoSuchOwner, Own, acting_as
from postroom.access.declared import CHANGE, MAILBOX, Declared
from postroom.changes.apply import Secrets
from postroom.changes.approvals import WAITING
from postroom.changes.errors import ChangeError, NothingToDo, Problems
from postroom.changes.kind import Kind
from postroom.changes.pipeline import submit
from postroom.models import Change, Login
from postroom.queries.sessions import EPOCH
from postroom.web.parts.plain_pages import Notice
from postroom.web.parts.shapes import Act
from postroom.web.session_limits import end, over

F = TypeVar("F", bound=Callable[..., HttpResponse])
PAGE, SIGN_IN, SAFE = "/mailbox/", "/mailbox/sign-in/", "/mailbox/safe/"
LEADS_ON = {SIGN_IN: "To the sign-in", SAFE: "The next step"}
BACKEND = "postroom.web.mailbox_door.Owners"
ONWARD = "onward"  # in the session: where whoever came from a mail app goes on once signed in
ENDED = "the mailbox's access ended"


class Asked(HttpRequest):
    """A request behind this door."""

    actor: Actor
    access: Access
    own: Own


class Owners(BaseBackend):
    """Finds the login of a session again, and a mailbox's alone. Nobody signs in by it: `entered` is who does that."""

    def get_user(self, user_id: Any) -> Login | None:
        found: Login | None = Login.objects.filter(~Q(mailbox=None), pk=user_id).first()
        return found


def entered(request: HttpRequest, own: Own, by: str = "the mailbox's password") -> None:
    """Sign in here and now, as the owner of this mailbox; a session of anybody else's in this browser is over."""
    login, made = Login.objects.get_or_create(mailbox_id=own.mailbox, defaults={"email": str(own.mailbox)})
    if made:
        login.set_unusable_password()
        login.save()
    request.signed_in_by = by  # type: ignore[attr-defined]
    sign_in(request, login, backend=BACKEND)
    request.session[EPOCH] = own.epoch
    UserSession.objects.create_from_request(request)  # the library's does so at the next click, if there is one


def again(request: HttpRequest, own: Own) -> None:
    """The session that ended all others goes on, under another key."""
    was = request.session.session_key
    request.session.cycle_key()
    request.session[EPOCH] = own.epoch
    UserSession.objects.filter(session_key=was).update(session_key=request.session.session_key)


def owner_of(request: HttpRequest) -> Actor | None:
    """Who a session says that it is; whether it still counts, the database says when they act."""
    login = request.user
    if not isinstance(login, Login) or login.mailbox_id is None:
        return None
    return Actor(None, "the mailbox's owner", "owner", mailbox=login.mailbox_id, epoch=request.session.get(EPOCH))


def mailbox_page(view: F) -> F:
    """A view of the owner's that reads, in one transaction as the owner."""
    return _declared(view, inside=True, GET="")


def mailbox_act(*, recorded: str = CHANGE) -> Callable[[F], F]:
    """A view of the owner's that submits changes."""
    return lambda view: _declared(view, inside=False, POST=recorded)


def _declared(view: F, *, inside: bool, **methods: str) -> F:
    @wraps(view)
    def asked(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        actor = owner_of(request)
        if actor is None:
            return HttpResponseRedirect(SIGN_IN)
        request.actor, request.roles, request.stopped = actor, frozenset(), None
        if because := over(request):
            return _out(request, because)
        try:
            with acting_as(actor) as access:
                request.access, request.own = access, access.own
                if inside:
                    return view(request, *args, **kwargs)
            return view(request, *args, **kwargs)
        except NoSuchOwner:
            return _out(request, ENDED)
        except ChangeError as error:
            return told(request, "Nothing was changed", str(error)[:1000], status=409)

    said = {method: Declared(MAILBOX, recorded=recorded) for method, recorded in methods.items()}
    asked.declared, asked.permission = said, MAILBOX  # type: ignore[attr-defined]
    asked.says = next(iter(said.values()))  # type: ignore[attr-defined]
    return asked  # type: ignore[return-value]


def _out(request: HttpRequest, because: str) -> HttpResponse:
    end(request, because)
    return HttpResponseRedirect(SIGN_IN)


Again = Callable[[str], HttpResponse]


def done(
    request: Asked, kind: Kind, why: str, *, held: str = "", to: str = PAGE, secrets: Secrets | None = None,
    again: Again | None = None,
) -> HttpResponse:  # fmt: skip
    """Submit it as the owner, and go back. held: what is told where it waits for somebody else. again: shows why it
    was not done; without it a page says so, and Problems is raised."""
    try:
        change = submit(kind, actor=request.actor, why=why, secrets=secrets)
    except NothingToDo:
        return HttpResponseRedirect(to)
    except Problems as problems:
        if again is None:
            raise
        return again("; ".join(one.what for one in problems.problems))
    if change.stage in WAITING:
        return told(request, "It waits for a second person", held)
    if change.version is None:
        return again(reasons(change)) if again else told(request, "Nothing was changed", reasons(change), status=409)
    return HttpResponseRedirect(to)


def reasons(change: Change) -> str:
    return "; ".join(verdict["reason"] for verdict in change.verdicts)


def told(request: HttpRequest, title: str, *words: str, status: int = 200, to: str = PAGE) -> HttpResponse:
    """One thing to know, on a page of its own."""
    act = Act(LEADS_ON.get(to, "To my mailbox"), to, weight="primary")
    page = Notice(organization="", title=title, words=words, acts=(act,))
    return render(request, "notice.html", {"page": page}, status=status)
