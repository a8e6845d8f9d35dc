"""Step-up at the pages: a sensitive act first asks for the second factor once more, and then goes on where it was.

What was typed is kept in the session meanwhile, without the form's token and without what opens anything by itself. It
is sent for the page that asked and for no other, within ten minutes, once. What was typed into the form of a kind and
could not be sent (it took longer, or another page asked meanwhile) stands in that form again, once, within an hour, and
nothing is sent. Where the password alone is all somebody has, the password is asked for.
"""

import time
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import resolve

BY_LINK = "demo_link"  # in the session: signed in by a printed link, which stands for both factors
SSO_FACTOR = "sso_factor"  # in the session: the provider of single sign-on asked for a second factor
FRESH = 600  # seconds
CALLBACK = "postroom.web.step_up.go_on"
UNKEPT = ("csrfmiddlewaretoken", "password", "oldpassword", "password1", "password2", "old", "again")
TYPED = "typed_before_step_up"  # in the session: what stands in its form again
FORMS = "/do/"
LONGEST, MOST, FOR = 60_000, 3, 3600  # characters of one form as it is sent, forms of one session, seconds


def fresh(request: Any) -> bool:
    """Whether a second factor was shown just now, at sign-in or since; the password where there is no other factor."""
    if request.session.get(BY_LINK):
        return True
    alone = not is_mfa_enabled(request.user) and not request.session.get(SSO_FACTOR)
    counts = ("mfa", "password") if alone else ("mfa",)
    shown = [one["at"] for one in get_authentication_records(request, request.user) if one.get("method") in counts]
    return bool(shown) and time.time() - max(shown) < FRESH


def prove(request: Any) -> HttpResponse:
    """Off to where a factor is shown; what was asked for waits in the session."""
    path = request.get_full_path()
    _set_aside(request, _waiting(request))
    if request.method == "POST":
        typed = request.POST.copy()
        for name in UNKEPT:
            typed.pop(name, None)
        kept = {"path": path, "typed": typed.urlencode(), "until": time.time() + FRESH}
        if len(kept["typed"]) <= LONGEST:
            request.session[STATE_SESSION_KEY] = {"state": kept, "callback": CALLBACK}
    ways = get_adapter().get_reauthentication_methods(request.user)
    if not ways or (request.session.get(SSO_FACTOR) and not is_mfa_enabled(request.user)):
        return HttpResponseRedirect(f"/sign-in/sso/?{urlencode({'for': 'again', 'next': path})}")
    return HttpResponseRedirect(f"{ways[0]['url']}?{urlencode({'next': path})}")


def typed_before(request: Any) -> QueryDict | None:
    """What was typed into this form and not sent, to be looked at once more; it is given out once."""
    waiting = _waiting(request)
    if waiting is not None:
        _set_aside(request, waiting)
    if TYPED not in request.session:
        return None
    lately = [one for one in request.session[TYPED] if one["until"] + FOR > time.time()]
    mine = [one for one in lately if one["path"] == request.get_full_path()]
    request.session[TYPED] = [one for one in lately if one not in mine]
    return QueryDict(mine[-1]["typed"]) if mine else None


def _waiting(request: Any) -> dict[str, Any] | None:
    """What waits for a factor to be shown, and from now on does no more."""
    state = request.session.pop(STATE_SESSION_KEY, None) or {}
    found: dict[str, Any] | None = state.get("state") if state.get("callback") == CALLBACK else None
    return found


def _set_aside(request: Any, kept: dict[str, Any] | None) -> None:
    """Of the form of a kind: it is not sent any more, and not lost."""
    if kept is not None and kept["path"].startswith(FORMS):
        others = [one for one in request.session.get(TYPED, []) if one["path"] != kept["path"]]
        request.session[TYPED] = [*others, kept][-MOST:]


def go_on(request: HttpRequest, kept: dict[str, Any]) -> HttpResponse:
    """Called when the factor was shown: the view that asked for it, with what was typed then."""
    path = str(get_next_redirect_url(request, "next") or "/")
    if kept["path"] != path or kept["until"] < time.time() or not fresh(request):
        _set_aside(request, kept)
        return HttpResponseRedirect(path)
    request.method = "POST"  # as it was; back from a provider one comes by GET
    request.path = request.path_info = path.partition("?")[0]
    request.META["QUERY_STRING"] = path.partition("?")[2]
    request.GET, request.POST = QueryDict(path.partition("?")[2]), QueryDict(kept["typed"])
    found = resolve(request.path_info)
    answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
    return answer
