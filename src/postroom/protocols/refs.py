"""What people type to name something that is there: an id, or its name in any spelling that would have made it.

A name that could never have been made is left as it was typed, in lower case: it names nothing, and that is said.
"""

from collections.abc import Callable
from uuid import UUID

from postroom.protocols.addresses import BadAddress, BadName, address, domain_name

Spelling = Callable[[str], str]


def _or_id(name: Spelling) -> Spelling:
    def read(text: str) -> str:
        try:
            return str(UUID(text))
        except ValueError:
            pass
        try:
            return name(text)
        except (BadName, BadAddress):
            return text.lower()

    return read


domain_ref: Spelling = _or_id(domain_name)
address_ref: Spelling = _or_id(address)
short_ref: Spelling = _or_id(lambda text: text.strip().lower())  # slugs, and names of our own
