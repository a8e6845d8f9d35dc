"""Who answers for an exception is asked by mail what becomes of a forward that was disabled when it ended."""

from collections.abc import Iterator

from postroom.changes.plan import Planned, create
from postroom.changes.state import State
from postroom.models import Letter, Mailbox, RouteException
from postroom.protocols.addresses import BadAddress
from postroom.protocols.addresses import address as canonical

ENDED = "exception ended"  # what the letter says


def asked_of(state: State, gone: RouteException) -> Iterator[Planned]:
    """To the one who answers for it, where that is a mail address; else to the owner of the mailbox."""
    box = Mailbox.objects.filter(address=gone.address_id, removed_at=None).select_related("address").first()
    known = dict.fromkeys(filter(None, (box.label, box.contact))) if box else {}
    told = {"client_id": gone.client_id, "mailbox_id": box.pk if box else None, "says": ENDED, "about": str(gone.pk)}
    for contact in [mail] if (mail := _mail(gone.owner)) else known:
        yield create(Letter, state.new_id(), **told, contact=contact, made=state.now)


def _mail(owner: str) -> str:
    try:
        return canonical(owner)
    except BadAddress:
        return ""
