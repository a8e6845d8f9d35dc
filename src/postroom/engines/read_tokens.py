"""Read back what mail apps' tokens are judged by: the consents of each address, and the keys that tokens are signed by.

Both are in maps.db, which auth_policy.py reads anew for each token: so the evidence for a consent is that it stands
there, in a generation that this process has read. Of the keys it says itself by which it takes tokens.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .expected import Expected
from .sign_ins import asked

if TYPE_CHECKING:
    from .read_back import Round

WHO = "auth policy"


def judge(round: "Round") -> None:
    letting = [one for one in round.expected if any(one.consents.values()) or one.withdrawn]
    keyed = [one for one in round.expected if one.token_keys or one.no_token_keys]
    if letting or keyed:
        said = asked(round.config, {"keys": True})
        generation = said.get("maps")
        round.judge_generation(WHO, "maps", generation if isinstance(generation, int) else -1, said,
                               [*letting, *keyed])  # fmt: skip
        for one in keyed:
            _keys(round, one, said.get("keys") or {})
    for one in round.expected:
        _consents(round, one)


def _consents(round: "Round", one: Expected) -> None:
    result, addresses = round.results[one.todo.todo], {*one.consents, *(address for address, _ in one.withdrawn)}
    for address in sorted(addresses):
        here = sorted(round.consents.get(address, ()))
        if set(here) != one.consents.get(address, set()):
            result.differs(f"consents of {address} in maps.db: {', '.join(here) or 'none'}")
        round.add(result, f"consents of {address}", here, "maps.db")


def _keys(round: "Round", one: Expected, there: Mapping[str, str]) -> None:
    result = round.results[one.todo.todo]
    for kid in sorted({*one.token_keys, *one.no_token_keys}):
        if there.get(kid) != one.token_keys.get(kid):
            result.differs(f"tokens signed by {kid} are {'' if kid in there else 'not '}taken as they should be")
        round.add(result, f"token key {kid}", there.get(kid), WHO)
