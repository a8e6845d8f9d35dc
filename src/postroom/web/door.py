"""Who is asking at the pages, what a page requires, and the frame around it; declared beside the view.

A person with an operator role and no second factor gets the enrolment page and nothing else. In a demo installation a
printed link stands for both factors; its entry says so.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from postroom.access.acting import Access, Actor, acting_as, signed_in
from postroom.access.declared import ALWAYS, CHANGE, OWN, PUBLIC, Declared
from postroom.access.declared import look as looked
from postroom.access.roles import operates
from postroom.changes.errors import ChangeError, NotAllowed, NotThere, OwnChange, Problems, StepUp
from postroom.changes.looks import look, opened
from postroom.models import Change, Login
from postroom.queries.around import Around, around
from postroom.queries.turned_away import named_in, turned_away
from postroom.web.framed import framed
from postroom.web.parts.frame import Frame
from postroom.web.parts.plain_pages import Notice
from postroom.web.parts.shapes import Act
from postroom.web.session_limits import end, over
from postroom.web.step_up import BY_LINK, SSO_FACTOR, fresh, prove

F = TypeVar("F", bound=Callable[..., HttpResponse])
SIGN_IN, ENROL, MAILBOX_PAGE = "/sign-in/", "/enrol/", "/mailbox/"


class Asked(HttpRequest):
    """A request behind this door: who acts, with what access, in what frame, and what stands around."""

    actor: Actor
    access: Access
    frame: Frame
    around: Around


def page(permission: str, *, recorded: str = "") -> Callable[[F], F]:
    """The view reads, in one transaction as the person signed in.

    recorded: whoever runs the service and opens it stands in the record, once an hour, with the object of this noun;
    which one, the view says in `request.opened`.
    """
    return _declared(Declared(permission, recorded=looked(recorded)), inside=True, recorded=recorded)


def act(permission: str, *, step_up: str = "", recorded: str = CHANGE) -> Callable[[F], F]:
    """The view submits changes, which judge the person themselves; `permission` is what it takes to be let in.

    step_up, recorded: what the list of routes says of it (access/declared.py); the kinds see to both.
    """
    return _declared(Declared(permission, step_up, recorded), inside=False)


def _declared(says: Declared, *, inside: bool, recorded: str = "") -> Callable[[F], F]:
    permission = says.permission

    def declare(view: F) -> F:
        @wraps(view)
        def asked(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            if (elsewhere := not_yet(request)) is not None:
                return elsewhere
            try:
                with acting_as(request.actor) as access:
                    _enter(request, access)
                    may = access.can_somewhere(permission)
                    if may and inside:
                        answer = view(request, *args, **kwargs)
                        if recorded and request.opened is not None:
                            look(access, recorded, **opened(request.opened))
                        return answer
                return view(request, *args, **kwargs) if may else refused(request, permission)
            except StepUp:
                return prove(request)
            except ChangeError as error:
                return said(request, error)

        asked.says, asked.permission, asked.recorded = says, permission, recorded  # type: ignore[attr-defined]
        return asked  # type: ignore[return-value]

    return declare


def _enter(request: Any, access: Access) -> None:
    request.access, request.around, request.opened = access, around(access.actor), None
    request.frame = framed(access, request.around)


def public(**methods: str) -> Callable[[F], F]:
    """A page for whoever asks: sign-in, an owner's link. methods: each it answers, and what is recorded of it."""

    def declare(view: F) -> F:
        @wraps(view)
        def asked(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(request, *args, **kwargs)

        _says(asked, methods, PUBLIC)
        return asked  # type: ignore[return-value]

    return declare


def own(
    view: Callable[..., HttpResponse], *, before_factor: bool = False, step_up: str = "", **methods: str
) -> Callable[..., HttpResponse]:
    """A page about one's own sign-in. `before_factor`: it answers before a second factor is set up. `step_up`: ALWAYS,
    only after a fresh one; SOMETIMES, the view asks itself. methods: each it answers, and what is recorded of it."""

    @wraps(view)
    def asked(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        elsewhere = not_yet(request, before_factor=before_factor)
        if elsewhere is None and step_up == ALWAYS and not fresh(request):
            elsewhere = prove(request)
        return view(request, *args, **kwargs) if elsewhere is None else elsewhere

    _says(asked, methods, OWN, step_up)
    return asked


def _says(asked: Any, methods: dict[str, str], permission: str, step_up: str = "") -> None:
    asked.declared = {method: Declared(permission, step_up, recorded) for method, recorded in methods.items()}
    asked.permission = permission


def by_method(**views: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """One URL, a view a method; any other is 405. `permission` names all of them, for the test that looks."""

    def choose(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = views.get("GET" if request.method == "HEAD" else str(request.method))
        return view(request, *args, **kwargs) if view else HttpResponse(status=405, headers={"Allow": ", ".join(views)})

    choose.declared = {method: getattr(view, "says", None) for method, view in views.items()}  # type: ignore[attr-defined]
    choose.recorded = " ".join({getattr(view, "recorded", "") for view in views.values()} - {""})  # type: ignore[attr-defined]
    choose.permission = " ".join(sorted({getattr(view, "permission", "") for view in views.values()}))  # type: ignore[attr-defined]
    return choose


def not_yet(request: Any, *, before_factor: bool = False) -> HttpResponse | None:
    """Where somebody goes who is not signed in, or lacks the second factor; sets `request.actor` for who is."""
    login = request.user
    if isinstance(login, Login) and login.mailbox_id:
        return HttpResponseRedirect(MAILBOX_PAGE)  # no person: nothing but that page is theirs
    found = signed_in(login.person_id) if isinstance(login, Login) and login.person_id else None
    if found is None:
        if login.is_authenticated:
            end(request, "suspended or removed")
        return HttpResponseRedirect(f"{SIGN_IN}?{urlencode({'next': request.get_full_path()})}")
    request.actor, request.roles, request.stopped = found
    if because := over(request):
        end(request, because)
        return HttpResponseRedirect(f"{SIGN_IN}?{urlencode({'next': request.get_full_path()})}")
    if not before_factor and wants_factor(request):
        return HttpResponseRedirect(ENROL)
    return None


def wants_factor(request: Any) -> bool:
    """Whether a second factor has to be set up before any page answers."""
    if not operates(request.roles) or request.session.get(BY_LINK) or request.session.get(SSO_FACTOR):
        return False
    return not is_mfa_enabled(request.user)


def refused(request: Any, permission: str, named: tuple[str, str] | None = None) -> HttpResponse:
    """403, and an entry. named: the object that is meant, where the address does not say."""
    turned_away(request.actor, permission, *(named or named_in(request.path_info)))
    return render(request, "403.html", status=403)


def arrived(request: Any, change: Change) -> HttpResponse:
    """On to the page of a change; where it ended one's own access to it, what became of it, here and now."""
    with acting_as(request.actor):
        if Change.objects.filter(pk=change.pk).exists():
            return HttpResponseRedirect(f"/changes/{change.pk}/")
    page = Notice(
        organization=request.frame.organization, title=f"The change is {change.stage}",
        words=("You may not see it any more: what it was about is no longer yours to look after.",),
        acts=(Act("Go on", "/"),),
    )  # fmt: skip
    return render(request, "notice.html", {"page": page})


def said(request: Any, error: ChangeError) -> HttpResponse:
    """What stands in the way, as a page. Not there and not yours answer the same."""
    if isinstance(error, NotThere) or (isinstance(error, Problems) and error.only_not_there):
        return render(request, "404.html", status=404)
    if isinstance(error, NotAllowed | OwnChange):
        return render(request, "403.html", {"exception_words": str(error)}, status=403)
    page = Notice(
        organization=request.frame.organization, title="Nothing was changed", words=(str(error)[:1000],),
        acts=(Act("Look again", request.path_info if request.method == "GET" else back_to(request)),),
    )  # fmt: skip
    return render(request, "notice.html", {"page": page}, status=409)


def back_to(request: HttpRequest) -> str:
    """The page an act belongs to: `/changes/<id>/approve/` → `/changes/<id>/`."""
    return request.path_info.rstrip("/").rpartition("/")[0] + "/"
