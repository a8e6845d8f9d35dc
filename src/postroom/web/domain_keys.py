"""The signing keys of a domain: where each is in its life, whether its record stands, and what may be done with it."""

from collections.abc import Iterator
from typing import Any

from postroom.models import DkimKey, Domain
from postroom.protocols.dkim import family, key_name
from postroom.queries.records import Live
from postroom.web.badges import check
from postroom.web.parts.shapes import Act, Badge, Cell, Code, Column, Row, Table
from postroom.web.times import when

KEY_ACTS = ("rotate", "activate", "retire", "revoke")


def keys_table(request: Any, one: Domain, keys: list[DkimKey], live: list[Live]) -> Table | None:
    if not keys:
        return None
    published, signs = {x.row.name: x for x in live if x.row.type == "TXT"}, _signs(keys)
    may = {verb: request.access.can_about(f"dkim_keys.{verb}", one.client_id, [one.pk]) for verb in KEY_ACTS}
    columns = (Column("Selector"), Column("State"), Column("Record"), Column("Act", num=True, hidden=True))
    may["rotate"] = may["rotate"] and all(key.activated_at or key.retired_at for key in keys)  # none is on its way
    return Table("Signing keys", columns, tuple(
        Row((Cell(Code(key.selector), key.algorithm), _key(key, signs),
             _published(published.get(key_name(key.selector, one.name))),
             Cell(acts=tuple(_acts(one, key, signs, may)))))
        for key in keys
    ))  # fmt: skip


def _signs(keys: list[DkimKey]) -> set[str]:
    """The selectors that nodes sign with: the newest in use of each algorithm (engines/key_store.py)."""
    found: dict[str, str] = {}
    in_use = [(one.activated_at, one) for one in keys if one.activated_at and one.signs]
    for _, one in sorted(in_use, key=lambda pair: (-pair[0].timestamp(), pair[1].selector)):
        found.setdefault(family(one.algorithm), one.selector)
    return set(found.values()) if "rsa" in found else set()


def _key(key: DkimKey, signs: set[str]) -> Badge:
    if key.revoked_at:
        return Badge("fact", f"revoked {when(key.revoked_at)}", "key-off")
    if key.retired_at:
        until = f", its record stands until {when(key.revoke_at)}" if key.revoke_at else ""
        return Badge("fact", f"retired {when(key.retired_at)}{until}", "key-off")
    if key.activated_at and key.selector in signs:
        return Badge("good", f"signs, in use since {when(key.activated_at)}")
    if key.activated_at:
        return Badge("good", f"ready since {when(key.activated_at)}; {' and '.join(sorted(signs)) or 'none'} signs")
    return Badge("waits", "made, does not sign yet" if key.public else "wanted, not made yet")


def _published(one: Live | None) -> Badge:
    return check(one.state) if one else Badge("waits", "not published yet")


def _acts(one: Domain, key: DkimKey, signs: set[str], may: dict[str, bool]) -> Iterator[Act]:
    """What can be done with a key now, by who may."""
    if key.revoked_at:
        return
    if may["rotate"] and key.selector in signs and family(key.algorithm) == "rsa":
        yield Act("Rotate…", f"/do/dkim_keys.rotate/?domain={one.name}", of=key.selector)
    if may["activate"] and key.public and not key.signs:
        yield Act("Sign with it", f"/do/dkim_keys.activate/?key={key.pk}", of=key.selector)
    if may["retire"] and key.signs and key.selector not in signs:
        yield Act("Retire…", f"/do/dkim_keys.retire/?key={key.pk}", of=key.selector)
    if may["revoke"] and key.public and not key.signs:
        yield Act("Revoke…", f"/do/dkim_keys.revoke/?key={key.pk}&domain={one.name}", of=key.selector)
