"""The routing map as boxes and lines with their places: four columns, drawn by the server, no script.

Sources that do the same are one box, so that three hundred routes stay legible; what is wrong is never put into a box
with what is not. Columns: address, rule, where it lands inside, where it leaves to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WIDTH, BOX, HIGH, GAP, TOP = 1100, 215, 40, 14, 32
COLUMNS = ("Address", "Rule", "Lands in", "Leaves to")
WORST = ("bad", "unknown", "warn", "ok")
LETTERS = 30  # that a box shows; of a wide font fewer fit, and the letters move together
WIDE, ROOM = 23, BOX - 20


@dataclass(frozen=True)
class Node:
    """A box that is to be drawn. column: 0 to 3. href: the line of the table below that says it in words."""

    id: str
    column: int
    label: str
    sub: str
    state: str
    href: str


@dataclass(frozen=True)
class Box:
    node: Node
    x: int
    y: int

    @property
    def label(self) -> str:
        return shortened(self.node.label)

    @property
    def squeezed(self) -> int:
        """How wide the label has to be, 0 for as it comes."""
        return ROOM if len(self.label) > WIDE else 0

    @property
    def sub(self) -> str:
        return shortened(self.node.sub)

    @property
    def text_x(self) -> int:
        return self.x + 10

    @property
    def label_y(self) -> int:
        return self.y + 17

    @property
    def sub_y(self) -> int:
        return self.y + 31


@dataclass(frozen=True)
class Wire:
    """A line between two boxes, as an SVG path."""

    path: str
    state: str


@dataclass
class Drawing:
    height: int
    boxes: list[Box] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    width: int = WIDTH

    @property
    def heads(self) -> list[tuple[int, str]]:
        return [(column * STEP, words) for column, words in enumerate(COLUMNS)]


STEP = (WIDTH - BOX) // 3
Edge = tuple[str, str, str]  # from, to, state


def shortened(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}\u2026"


def drawn(nodes: Sequence[Node], edges: Sequence[Edge]) -> Drawing:
    """Where each box and line is. A line over a column keeps to a lane of its own, beside the boxes there."""
    columns = {node.id: node.column for node in nodes}
    lanes, pieces = _lanes(columns, edges)
    layers = _ordered([[*(n.id for n in nodes if n.column == c), *(i for i, at in lanes.items() if at == c)]
                       for c in range(len(COLUMNS))], pieces)  # fmt: skip
    tall = max((sum(_height(one, lanes) + GAP for one in layer) for layer in layers), default=0)
    places = _placed(layers, lanes, tall)
    known = {node.id: node for node in nodes}
    drawing = Drawing(tall + TOP)
    drawing.boxes = [Box(known[one], *places[one]) for layer in layers for one in layer if one in known]
    drawing.wires = [_wire(places, lanes, piece) for piece in pieces]
    drawing.wires += [_through(places, one, state) for one, state in _lane_states(lanes, pieces)]
    drawing.wires.sort(key=lambda one: -WORST.index(one.state))  # what is wrong lies on top
    return drawing


def _lanes(columns: Mapping[str, int], edges: Sequence[Edge]) -> tuple[dict[str, int], list[Edge]]:
    """Places where a long line goes past a column, and the lines cut there."""
    lanes: dict[str, int] = {}
    pieces: list[Edge] = []
    for one, other, state in edges:
        before = one
        for column in range(columns[one] + 1, columns[other]):
            lane = f"~{one}~{other}~{column}"
            lanes[lane] = column
            pieces.append((before, lane, state))
            before = lane
        pieces.append((before, other, state))
    return lanes, list(dict.fromkeys(pieces))


def _ordered(layers: list[list[str]], pieces: Sequence[Edge]) -> list[list[str]]:
    """Each column in the order of what leads to it, so that few lines cross: one sweep of barycentres."""
    order = {one: float(n) for layer in layers for n, one in enumerate(layer)}
    leads: dict[str, list[str]] = {}
    for one, other, _ in pieces:
        leads.setdefault(other, []).append(one)
    for layer in layers[1:]:
        layer.sort(key=lambda one: sum(order[from_] for from_ in leads.get(one, [])) / max(1, len(leads.get(one, []))))
        order.update({one: float(n) for n, one in enumerate(layer)})
    return layers


def _height(one: str, lanes: Mapping[str, int]) -> int:
    return 8 if one in lanes else HIGH


def _placed(layers: list[list[str]], lanes: Mapping[str, int], tall: int) -> dict[str, tuple[int, int]]:
    places = {}
    for column, layer in enumerate(layers):
        y = TOP + (tall - sum(_height(one, lanes) + GAP for one in layer)) // 2
        for one in layer:
            places[one] = (column * STEP, y)
            y += _height(one, lanes) + GAP
    return places


def _wire(places: Mapping[str, tuple[int, int]], lanes: Mapping[str, int], piece: Edge) -> Wire:
    one, other, state = piece
    (x1, y1), (x2, y2) = places[one], places[other]
    x1, y1, y2 = x1 + BOX, y1 + _height(one, lanes) // 2, y2 + _height(other, lanes) // 2
    bend = (x2 - x1) // 2
    return Wire(f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}", state)


def _lane_states(lanes: Mapping[str, int], pieces: Sequence[Edge]) -> list[tuple[str, str]]:
    return [(one, state) for one, _, state in pieces if one in lanes]


def _through(places: Mapping[str, tuple[int, int]], lane: str, state: str) -> Wire:
    x, y = places[lane]
    return Wire(f"M{x},{y + 4} h{BOX}", state)
