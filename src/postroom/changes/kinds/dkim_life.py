"""A signing key after it signs: another comes, the old one rests until nothing it signed is on its way, and is revoked.

M3AAWG's practice (DKIM Key Rotation, 2019): publish, sign once it is read everywhere, keep the old record for days,
then revoke it by an empty p= (RFC 6376, 3.6.1). Each step waits for what was observed, never for a time alone.
"""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import ASKED, Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import DkimKey, Domain, Secret
from postroom.protocols.dkim import ALGORITHMS, algorithm_of, family, key_name, key_record
from postroom.protocols.rrset import DEFAULT_TTL, rrset

from .fields import DkimKeyRef, DomainRef
from .records import stand

MAY_BE_ON_ITS_WAY = timedelta(days=7)  # longer than a queue keeps a message (five days in Postfix)
NO_MORE = frozenset({"person", "system"})


class RotateKeys(Kind, name="dkim_keys.rotate"):
    """New signing keys for a domain. The old ones sign until the new ones are read everywhere, and what they signed
    verifies for a week after."""

    by = NO_MORE
    step_up = frozenset({ASKED})
    domain: DomainRef
    compromised: bool = Field(
        default=False, description="Somebody else may sign with the old keys: revoke them as soon as others sign"
    )

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.domain, where="domain")
        if domain.removed_at:
            raise Problem("domain", f"{domain.name} is removed; restore it first")
        keys = state.hanging(DkimKey, "domain_id", domain.pk)
        coming = {one.algorithm: one.selector for one in keys if not one.activated_at and not one.retired_at}
        if coming and not self.compromised:
            names = " and ".join(sorted(coming.values()))
            raise Problem("domain", f"{names} of {domain.name} are on their way; they sign once read")
        for one in keys if self.compromised else ():
            if one.activated_at and not one.revoked_at:
                yield edit(one, revoke_at=state.now)
        for algorithm in [one for one in ALGORITHMS if one not in coming]:
            selector = _free(algorithm, {one.selector for one in keys}, state)
            yield create(
                DkimKey, state.new_id(), client_id=domain.client_id, domain_id=domain.pk, selector=selector,
                algorithm=algorithm,
            )  # fmt: skip


def _free(algorithm: str, taken: set[str], state: State) -> str:
    """A selector that this domain never had: nobody can have asked for it, and been told that it is not there."""
    selector = f"p{state.now:%y%m}{algorithm[0]}{state.token()[1:4]}"
    return next(one for one in (selector, *(f"{selector}{n}" for n in range(10))) if one not in taken)


class RetireKey(Kind, name="dkim_keys.retire"):
    """Sign no more with a key while another one signs; its record stays until nothing it signed is on its way."""

    by = NO_MORE
    key: DkimKeyRef

    def plan(self, state: State) -> Iterator[Planned]:
        key = state.get(DkimKey, self.key, where="key")
        if key.retired_at:
            return
        if not key.activated_at:
            raise Problem("key", f"{key.selector} does not sign yet")
        gone = state.once(f"keys of {key.domain_id} that are retired", set[UUID])
        gone.add(key.pk)
        left = [one for one in state.hanging(DkimKey, "domain_id", key.domain_id) if one.pk not in gone]
        if not any(one.signs and family(one.algorithm) == "rsa" for one in left):
            raise Problem("key", "no other RSA key of its domain signs: mail would leave without a signature")
        until = key.revoke_at or state.now + MAY_BE_ON_ITS_WAY
        yield edit(key, retired_at=state.now, revoke_at=until)


class RevokeKey(Kind, name="dkim_keys.revoke"):
    """Publish that nothing signed with a retired key counts any more, and forget its private half. For good."""

    by = NO_MORE
    step_up = frozenset({ASKED})
    key: DkimKeyRef
    domain: DomainRef = Field(description="Whose zone is read first")
    compromised: bool = Field(
        default=False, description="Somebody else may sign with it: now, even if mail it signed is still on its way"
    )

    def needs(self) -> Iterator[str]:
        yield self.domain

    def plan(self, state: State) -> Iterator[Planned]:
        key = state.get(DkimKey, self.key, where="key")
        domain = state.get(Domain, self.domain, where="domain")
        if key.domain_id != domain.pk:
            raise Problem("domain", f"{key.selector} is no key of {domain.name}")
        if key.revoked_at:
            return
        if key.signs:
            raise Problem("key", f"mail is signed with {key.selector}; rotate the keys of {domain.name} first")
        if key.retired_at and key.revoke_at and key.revoke_at > state.now and not self.compromised:
            until = f"{key.revoke_at:%d %b %Y %H:%M} UTC"
            raise Problem("key", f"mail it signed may be on its way until {until}; say compromised to revoke it now")
        yield edit(key, revoked_at=state.now, retired_at=key.retired_at or state.now)
        yield from map(end, state.hanging(Secret, "owner_row", key.pk))
        if key.public:
            text = key_record("", algorithm_of(key.public))
            record = rrset(key_name(key.selector, domain.name), "TXT", DEFAULT_TTL, [text])
            yield stand(key.client_id, domain.pk, domain.name, record, state, ours=record.values)
