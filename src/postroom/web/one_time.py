"""Links that work once: the token stands in the URL of the first hit alone.

It is kept as its hash in the browser's session, and the browser is sent on to the page that the link is for; that page
knows the link by it. Looking changes nothing, since mail scanners look too.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from postroom.access.tokens import hashed
from postroom.web.door import public
from postroom.web.parts.plain_pages import OwnerGone


@dataclass(frozen=True)
class OneTime:
    """One sort of link. kept: under which name in the session. page: where it leads. gone: why one may be no good any
    more; ask: what to do then."""

    kept: str
    page: str
    gone: str = ""
    ask: str = ""

    @property
    def opened(self) -> Callable[..., HttpResponse]:
        """The view of the link itself: remember it, and take it out of the address bar."""

        @public(GET="")
        def opened(request: HttpRequest, token: str) -> HttpResponse:
            request.session[self.kept] = hashed(token)
            return HttpResponseRedirect(self.page)

        return opened

    def of(self, request: HttpRequest) -> str:
        """The hash of the link that this browser opened; empty for none."""
        return str(request.session.get(self.kept, ""))

    def forget(self, request: HttpRequest) -> None:
        request.session.pop(self.kept, None)

    def no_good(self, request: HttpRequest) -> HttpResponse:
        """The same for one that is unknown, used, void or too old."""
        page = OwnerGone(organization="", title="This link does not work any more", why=self.gone, ask=self.ask)
        return render(request, "owner/invite_error.html", {"page": page}, status=410)
