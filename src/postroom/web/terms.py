"""The organization's terms and privacy notice: linked where people set a secret; accepted there, an entry."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.changes.record import note
from postroom.models import Organization


@dataclass(frozen=True)
class Terms:
    """Where they stand; empty where there are none."""

    terms: str = ""
    privacy: str = ""

    def __bool__(self) -> bool:
        return bool(self.terms or self.privacy)


def terms() -> Terms:
    """As they stand now. Not inside of anybody's transaction: pages for whoever asks have none."""
    with acting_as(SYSTEM):
        row = visible(SYSTEM, Organization).first()
        return Terms(row.terms_url, row.privacy_url) if row else Terms()


def accepted(*, client: UUID | None, **who: Any) -> None:
    """Somebody set their secret on a page that named them: which ones, and when."""
    if found := terms():
        with acting_as(SYSTEM):
            note("terms accepted", client=client, terms=found.terms, privacy=found.privacy, **who)
