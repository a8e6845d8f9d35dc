"""One verified reset at the API: what is proven, what is missing, which channels count, until when. Never a code."""

from typing import Any
from uuid import UUID

from ninja import Router

from postroom.queries.verifying import session, shown

from .door import reads

router = Router(tags=["verifications"])


@router.get("/verifications/{verification_id}")
@reads("verifications.view", recorded="mailboxes")
def verified_reset(request: Any, verification_id: UUID) -> dict[str, Any]:
    """A verified reset as it stands: proofs, channels with why one does not count, the code's time, who may prove."""
    found = session(request.auth.actor, verification_id)
    request.opened = found.row.mailbox
    return shown(found)
