"""Mail nodes get to know the key that tokens are signed by: whatever the installation's file says is newest."""

from django.conf import settings

from postroom.access import token_keys
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.changes.kinds.mail_apps import ChangeTokenKey
from postroom.changes.pipeline import submit
from postroom.models import Organization, TokenKey


def make_known() -> None:
    """Where it is not yet, or tokens name another issuer than they did: a change. Nothing before somebody founded
    this."""
    newest = next(iter(token_keys.read(settings.POSTROOM.token_keys_file)), None)
    if newest is None:
        return
    issuer = settings.POSTROOM.origin
    with acting_as(SYSTEM):
        founded = visible(SYSTEM, Organization).exists()
        known = visible(SYSTEM, TokenKey).filter(kid=newest.kid, issuer=issuer, until=None).exists()
    if founded and not known:
        kind = ChangeTokenKey(kid=newest.kid, public=newest.public, issuer=issuer)
        submit(kind, actor=SYSTEM, why="the newest key of this installation")
