"""Many domains looked at: what their DNS holds is fetched, and every rule judged, each domain as soon as it can be.

Nothing of Django or of an installation is needed: `postroom check` runs this on any list of domains.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from postroom.protocols.answers import Answers
from postroom.protocols.judged import Judged
from postroom.protocols.judges.domain import Judging, Known
from postroom.protocols.judges.mta_sts import Fetched
from postroom.protocols.spf_reach import Memo
from postroom.resolve.cache import Cache
from postroom.resolve.closing import close

POLICIES_AT_ONCE = 16
UNREAD = "mta_sts.unread"
Fetch = Callable[[str, tuple[str, ...]], Fetched]  # host, its addresses; called from a thread


class Looked(NamedTuple):
    """What was found of one domain. unfinished: why there are no results; nothing is known then."""

    domain: str
    results: tuple[Judged, ...]
    unfinished: str = ""


async def sweep(
    cache: Cache, domains: Iterable[tuple[str, Known]], *, fetch: Fetch | None = None
) -> AsyncIterator[Looked]:
    """Results in the order in which they can be had. fetch: gets MTA-STS policies; without, they are *not read*."""
    known, memo, unread = dict[str, Known](), Memo(), list[str]()
    async for closed in close(cache, _work(domains, known, memo)):
        looked = Looked(closed.who, closed.result or (), closed.unfinished)
        if fetch and any(one.rule == UNREAD for one in looked.results):
            unread.append(looked.domain)
        else:
            yield looked
    if fetch is None or not unread:
        return
    policies = await _policies(cache, unread, fetch)
    again = ((name, replace(known[name], policy=policies[name])) for name in unread)
    async for closed in close(cache, _work(again, known, memo)):
        yield Looked(closed.who, closed.result or (), closed.unfinished)


def _work(
    domains: Iterable[tuple[str, Known]], known: dict[str, Known], memo: Memo
) -> Iterator[tuple[str, Mapping[str, Callable[[Answers], tuple[Judged, ...]]]]]:
    for name, said in domains:
        known[name] = said
        yield name, {"": Judging(name, said, memo)}


async def _policies(cache: Cache, domains: Iterable[str], fetch: Fetch) -> dict[str, Fetched]:
    room = asyncio.Semaphore(POLICIES_AT_ONCE)

    async def one(domain: str) -> tuple[str, Fetched]:
        host = f"mta-sts.{domain}"
        async with room:
            held = [await cache.get((host, type)) for type in ("A", "AAAA")]
            addresses = tuple(str(value) for each in held for value in each.values)
            return domain, await asyncio.to_thread(fetch, host, addresses)

    return dict(await asyncio.gather(*map(one, domains)))
