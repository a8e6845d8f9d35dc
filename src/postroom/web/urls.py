"""Every URL there is."""

from django.urls import URLPattern, URLResolver, path

from postroom.api.urls import api
from postroom.web import (
    account,
    app_hosts,
    confirming,
    device,
    entries,
    mail_apps,
    mailbox_app_passwords,
    mailbox_channels,
    mailbox_delegations,
    mailbox_doubts,
    mailbox_filters,
    mailbox_forwards,
    mailbox_owner,
    mailbox_sessions,
    not_me,
    oauth,
    owner,
    pages,
    recovering,
    signing,
    sso,
)

entries.connect()
handler400 = "postroom.web.guard.unreadable"
handler500 = "postroom.web.guard.failed"

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("confirm/", confirming.confirming, name="confirm"),
    path("confirm/<str:token>", confirming.link, name="confirm-link"),
    path("device/", device.device, name="device"),
    path("found/", signing.found, name="found"),
    path("found/<str:token>", signing.founding_link, name="founding-link"),
    path("invite/", owner.invite, name="invite"),
    path("invite/done/", owner.done, name="invite-done"),
    path("invite/<str:token>", owner.opened, name="invite-link"),
    *mailbox_app_passwords.URLS,
    *mailbox_channels.URLS,
    *mailbox_delegations.URLS,
    *mailbox_forwards.URLS,
    *mailbox_filters.URLS,
    *mailbox_doubts.URLS,
    *mailbox_owner.URLS,
    *mailbox_sessions.URLS,
    *(path(one.removeprefix("/"), mail_apps.config, name="autoconfig") for one in app_hosts.AUTOCONFIG),
    *(path(one.removeprefix("/"), mail_apps.discover, name="autodiscover") for one in app_hosts.AUTODISCOVER),
    *oauth.URLS,
    path("not-me/", not_me.not_me, name="not-me"),
    path("not-me/<str:token>", not_me.opened, name="not-me-link"),
    path("recover/", recovering.ask, name="recover"),
    path("recover/set/", recovering.choose, name="recover-set"),
    path("recover/<str:token>", recovering.link, name="recover-link"),
    path("setup/", mail_apps.set_up, name="set-up"),
    path("setup/profile.mobileconfig", mail_apps.profile, name="set-up-profile"),
    path("sign-in/sso/", sso.start, name="sso"),
    path("sign-in/sso/back/", sso.returned, name="sso-back"),
    *account.URLS,
    *pages.URLS,
]
