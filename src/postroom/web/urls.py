"""Every URL there is."""

from django.urls import URLPattern, URLResolver, path

from postroom.api.urls import api
from postroom.web import owner, signing

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("found/", signing.found, name="found"),
    path("found/<str:token>", signing.founding_link, name="founding-link"),
    path("invite/", owner.invite, name="invite"),
    path("invite/done/", owner.done, name="invite-done"),
    path("invite/<str:token>", owner.opened, name="invite-link"),
]
