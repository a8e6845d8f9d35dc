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

from postroom.access.acting import SYSTEM, Access, Actor, acting_as, signed_in
from postroom.access.roles import OPERATOR_ROLES, RANK
from postroom.changes.record import note
from postroom.models import Login
from postroom.queries.around import around
from postroom.web.parts.frame import Frame, nav
from postroom.web.parts.shapes import Link

F = TypeVar("F", bound=Callable[..., HttpResponse])
BY_LINK = "demo_link"  # in the session: signed in by a printed link, which stands for both factors
ENROL = "/account/2fa/"
URLS = {
    "overview": "/", "clients": "/clients/", "domains": "/domains/", "mailboxes": "/mailboxes/", "people": "/people/",
    "changes": "/changes/", "approvals": "/approvals/", "nodes": "/nodes/",
}  # fmt: skip


class Asked(HttpRequest):
    """A request behind this door: who acts, with what access, in what frame."""

    actor: Actor
    access: Access
    frame: Frame


def page(permission: str) -> Callable[[F], F]:
    """The view reads, in one transaction as the person signed in."""

    def declare(view: F) -> F:
        @wraps(view)
        def inside(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            if (elsewhere := _not_yet(request)) is not None:
                return elsewhere
            with acting_as(request.actor) as access:
                request.access = access
                request.frame = frame(access)
                if access.can_somewhere(permission):
                    return view(request, *args, **kwargs)
            return refused(request, permission)

        inside.permission = permission  # type: ignore[attr-defined]
        return inside  # type: ignore[return-value]

    return declare


def act(permission: str) -> Callable[[F], F]:
    """The view submits changes, which judge the person themselves; `permission` is what it takes to be let in."""

    def declare(view: F) -> F:
        @wraps(view)
        def inside(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            if (elsewhere := _not_yet(request)) is not None:
                return elsewhere
            with acting_as(request.actor) as access:
                request.access = access
                request.frame = frame(access)
                may = access.can_somewhere(permission)
            return view(request, *args, **kwargs) if may else refused(request, permission)

        inside.permission = permission  # type: ignore[attr-defined]
        return inside  # type: ignore[return-value]

    return declare


def public(view: F) -> F:
    """A page for whoever asks: sign-in, an owner's link."""
    view.permission = "public"  # type: ignore[attr-defined]
    return view


def by_method(**views: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """One URL, a view a method; any other is 405. `permission` names all of them, for the test that looks."""

    def choose(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = views.get("GET" if request.method == "HEAD" else str(request.method))
        return view(request, *args, **kwargs) if view else HttpResponse(status=405, headers={"Allow": ", ".join(views)})

    choose.permission = " ".join(sorted({view.permission for view in views.values()}))  # type: ignore[attr-defined]
    return choose


def _not_yet(request: Any) -> HttpResponse | None:
    """Where somebody goes who is not signed in, or lacks the second factor; sets `request.actor` for who is."""
    login = request.user
    found = signed_in(login.person_id) if isinstance(login, Login) and login.person_id else None
    if found is None:
        return HttpResponseRedirect("/sign-in/?" + urlencode({"next": request.get_full_path()}))
    request.actor, roles = found
    if roles & OPERATOR_ROLES and not (is_mfa_enabled(login) or request.session.get(BY_LINK)):
        return HttpResponseRedirect(ENROL)
    return None


def refused(request: Any, permission: str) -> HttpResponse:
    """403, and an entry."""
    with acting_as(SYSTEM):
        note("refused", client=None, person=str(request.actor.person), permission=permission)
    return render(request, "403.html", {"page": None}, status=403)


def frame(access: Access) -> Frame:
    """What stands around every page of this person: three queries, whatever they may see."""
    seen = around(access.actor)
    may = {key: url for key, url in URLS.items() if key == "overview" or access.can_somewhere(f"{key}.view")}
    counts = {"approvals": (str(seen.waiting), "waiting")} if seen.waiting else {}
    return Frame(
        organization=seen.organization,
        person=access.actor.name,
        role=highest(access),
        initials="".join(word[0] for word in access.actor.name.split()[:2]).upper(),
        nav=nav(may, counts),
        palette_url="/find/",
        theme_url="/theme/",
        sign_out_url="/account/logout/",
        account_url=ENROL,
        do_url="/do/",
        scopes=tuple(Link(name, f"/clients/{slug}/") for name, slug in seen.clients),
    )


def highest(access: Access) -> str:
    """The role to say beside a name: the highest held anywhere."""
    held = [h.role for h in access.held if h.role in RANK]
    return max(held, key=RANK.index) if held else "no role"
