"""DKIM keys: made by the system in the worker's memory, published, and only then used."""

from collections.abc import Iterator

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import DkimKey, Domain, RecordSet, Secret
from postroom.protocols.dkim import algorithm_of, family, key_name, key_record
from postroom.protocols.rrset import DEFAULT_TTL, rrset

from .fields import DkimKeyRef
from .records import stand, standing


class MakeKey(Kind, name="dkim_keys.make"):
    """The pair of a wanted key: its public half and record in the plan, its private half sealed to the node."""

    by = frozenset({"system"})
    carries_secret = True
    key: DkimKeyRef
    public: str = Field(max_length=2000, pattern=r"^[A-Za-z0-9+/=]+$", description="The public half, base64")
    domain: str = Field(description="Whose zone is read first")

    def needs(self) -> Iterator[str]:
        yield self.domain

    def plan(self, state: State) -> Iterator[Planned]:
        key = state.get(DkimKey, self.key, where="key")
        domain = state.get(Domain, key.domain_id, where="key")
        if key.public:
            return
        if family(key.algorithm) != algorithm_of(self.public):
            raise Problem("public", f"{key.selector} is to be an {key.algorithm} key")
        yield edit(key, public=self.public)
        yield create(
            Secret, state.new_id(), client_id=key.client_id, owner_row=key.pk, purpose="private key", made=state.now
        )
        record = rrset(key_name(key.selector, domain.name), "TXT", DEFAULT_TTL, [_text(self.public)])
        yield stand(key.client_id, domain.pk, domain.name, record, state, ours=record.values)


class ActivateKey(Kind, name="dkim_keys.activate"):
    """Sign with a key whose record every authoritative server answers."""

    by = frozenset({"person", "system"})
    key: DkimKeyRef

    def plan(self, state: State) -> Iterator[Planned]:
        key = state.get(DkimKey, self.key, where="key")
        if not key.public:
            raise Problem("key", "its pair is not made yet")
        domain = state.get(Domain, key.domain_id, where="key")
        if key.revoked_at:
            raise Problem("key", f"{key.selector} is revoked, for good")
        name, record = key_name(key.selector, domain.name), _text(key.public)
        wanted = RecordSet.objects.filter(domain=domain, name=name, type="TXT")
        if not any(record in one.values for one in wanted):
            raise Problem("key", "its record does not stand in the zone; a key signs only after it is read there")
        # The system comes when its record was read back from every server; a person says so at any time.
        if state.access.actor.somebody and record not in _read(domain.name, name, state):
            raise Problem("key", "its record was not read in the zone yet; it signs by itself once it is")
        if key.activated_at is None or key.retired_at:
            yield edit(key, activated_at=state.now, retired_at=None, revoke_at=None)


def _text(public: str) -> str:
    return key_record(public, algorithm_of(public))


def _read(zone: str, name: str, state: State) -> list[str]:
    found = standing(zone, name, "TXT", state)
    return found["values"] if found else []
