"""Routes as the boxes and lines of the map, put together until they can be taken in.

Finest first: those that do just the same share a box. Where that is taller than HIGHEST, what is in order is put
together by what it does and where it comes to, then by its sort alone, and at last what is wrong too. What is wrong, or
not known, shares no box with what is not; each route stands in the table below, whatever its box says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from postroom.queries.mapping import Landing
from postroom.queries.route_rows import ALIAS, CATCH_ALL, FORWARD, MIRROR, SIEVE, TRANSPORT, Route
from postroom.web.parts.route_map import WORST, Drawing, Edge, Node, drawn

HIGHEST = 1400  # two screens of a laptop: what is wrong and where it leads to is seen without losing one's place
CALLED = {ALIAS: "Alias", FORWARD: "Forward", CATCH_ALL: "Catch-all", MIRROR: "Domain alias", SIEVE: "Sieve script",
          TRANSPORT: "Other server"}  # fmt: skip
WRONG = ("bad", "unknown")
NOBODY_KNOWS = Landing("nobody knows where", "not readable, or worked out", "unknown")
Key = tuple[object, ...]


@dataclass(frozen=True)
class Level:
    """How much is put together. of: of a route, that which those that share a box have in common. place: of a landing;
    of one that shares its box with none its address."""

    of: Callable[[int, Route, frozenset[Key]], Key]
    place: Callable[[Landing], Key]


def _just_the_same(n: int, one: Route, places: frozenset[Key]) -> Key:
    return (n,) if one.keeps else (one.sort, one.targets, one.state, one.words)


def _alike(n: int, one: Route, places: frozenset[Key]) -> Key:
    return one.sort, one.state, places


def _by_address(one: Landing) -> Key:
    return (one.address,)


def _by_domain(one: Landing) -> Key:
    return one.what, one.state, one.address.rpartition("@")[2] if _leaves(one) else ""


def _by_sort(n: int, one: Route, places: frozenset[Key]) -> Key:
    return one.sort, one.state


def _by_what(one: Landing) -> Key:
    return one.what, one.state


def _but_what_is_wrong(level: Level) -> Level:
    """The same, and what is wrong, or not known, by itself."""
    return Level(
        lambda n, one, places: (_just_the_same if one.state in WRONG else level.of)(n, one, places),
        lambda one: (_by_address if one.state in WRONG else level.place)(one),
    )


SORTS = Level(_by_sort, _by_what)
LEVELS = (
    Level(_just_the_same, _by_address), _but_what_is_wrong(Level(_alike, _by_domain)), _but_what_is_wrong(SORTS), SORTS
)  # fmt: skip


def grouped(routes: Sequence[Route], landings: Mapping[str, Landing]) -> Drawing:
    """routes: in the order of the table, whose lines r0, r1, … the boxes lead to."""
    drawing = Drawing(0)
    for level in LEVELS:
        drawing = _Boxes(level, landings).of(routes)
        if drawing.height <= HIGHEST:
            break
    return drawing


@dataclass
class _Boxes:
    level: Level
    landings: Mapping[str, Landing]
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[Edge, None] = field(default_factory=dict)
    there: dict[Key, dict[str, Landing]] = field(default_factory=dict)  # what shares a box, by address

    def of(self, routes: Sequence[Route]) -> Drawing:
        groups: dict[Key, list[tuple[int, Route]]] = {}
        for n, one in enumerate(routes):
            found = [self._landing(one, to) for to in _targets(one)]
            for each in found:
                self.there.setdefault(self.level.place(each), {}).setdefault(each.address, each)
            places = frozenset(map(self.level.place, found))
            groups.setdefault(self.level.of(n, one, places), []).append((n, one))
        for same in groups.values():
            self._rule(same)
        return drawn(list(self.nodes.values()), list(self.edges))

    def _landing(self, one: Route, to: str) -> Landing:
        if not to:
            return NOBODY_KNOWS
        landing = self.landings.get(to) or Landing(to, "mailbox")
        return replace(landing, state="ok") if to == one.source and landing.state != "unknown" else landing

    def _rule(self, same: Sequence[tuple[int, Route]]) -> None:
        n, one = same[0]
        href, rule = f"#r{n}", f"r{n}"
        sources = sorted({route.source for _, route in same})
        source = f"a:{sources[0]}" if len(sources) == 1 else f"g:{n}"
        words = CALLED[one.sort].lower() if len(sources) == 1 else f"{sources[0]} and others"
        label = sources[0] if len(sources) == 1 else f"{len(sources)} addresses"
        self.nodes.setdefault(source, Node(source, 0, label, words, one.state, href))
        self.nodes[rule] = Node(rule, 1, CALLED[one.sort], _said([route for _, route in same]), one.state, href)
        self.edges[source, rule, one.state] = None
        for _, route in same:
            for to in _targets(route):
                own = route.keeps and to == route.source
                self._line(rule, self._landing(route, to), "ok" if own else route.state if to else "unknown", href)

    def _line(self, rule: str, landing: Landing, state: str, href: str) -> None:
        key = self.level.place(landing)
        place = "l:" + " ".join(map(str, key))
        if place not in self.nodes:
            shared = self.there[key]
            only, leaves = len(shared) == 1, _leaves(landing) or landing is NOBODY_KNOWS
            label, sub = (landing.address, landing.what) if only else _together(list(shared.values()), leaves)
            worst = min((one.state for one in shared.values()), key=WORST.index)
            self.nodes[place] = Node(place, 3 if leaves else 2, label, sub, worst, href)
        self.edges[rule, place, state] = None


def _targets(one: Route) -> tuple[str, ...]:
    """Where it leads; an empty one where nobody knows."""
    return (*(one.targets or ("",)), *((one.source,) if one.keeps else ()))


def _leaves(one: Landing) -> bool:
    return one.what.startswith("outside")


def _said(same: Sequence[Route]) -> str:
    """What stands below the name of a rule: what is said of all that share its box."""
    said = {one.words for one in same}
    words = next(iter(said)) if len(said) == 1 else "several are said of them"
    many = {len(one.targets) for one in same}
    targets = "" if many == {1} else f"{next(iter(many))} targets" if len(many) == 1 else "to one, or many"
    return words or targets


def _together(some: Sequence[Landing], leaves: bool) -> tuple[str, str]:
    """The name of a box that many share, and what stands below it."""
    domains = {one.address.rpartition("@")[2] for one in some}
    at = f" at {next(iter(domains))}" if len(domains) == 1 and leaves else ""
    return f"{len(some)} addresses{at}", some[0].what if leaves or len({one.what for one in some}) == 1 else "inside"
