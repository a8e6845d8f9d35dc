"""Tables as a PDF (ISO 32000, by reportlab), A4 across: rows flow over as many pages as they need, headings repeat.

Nothing is cut: what is too wide for its column goes on in the next line. A character that the font has no shape for is
written by its number. Memory holds the pages as they are compressed, some kilobytes each, however long the table is.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

from reportlab import __file__ as reportlab
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from postroom.protocols.text import printable

WIDTH, HEIGHT = landscape(A4)  # points
MARGIN, SIZE, LEADING, GAP = 36, 7.5, 9.5, 6
PLAIN, BOLD = "Sheet", "Sheet-Bold"
DEBIAN = Path("/usr/share/fonts/truetype/dejavu")
PACKAGED = Path(reportlab).parent / "fonts"  # fewer scripts, but always there
FILES = ((PLAIN, "DejaVuSans.ttf", "Vera.ttf"), (BOLD, "DejaVuSans-Bold.ttf", "VeraBd.ttf"))


class Pages:
    """A document that grows from top to bottom."""

    def __init__(self, file: IO[bytes], title: str, foot: str) -> None:
        self.canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), pageCompression=1, invariant=1)
        self.canvas.setTitle(title)
        self.foot, self.number, self.y = foot, 0, 0.0
        fonts()
        self._page()

    def line(self, text: str, *, size: float = SIZE, bold: bool = False) -> None:
        """Words across the whole page."""
        font = BOLD if bold else PLAIN
        for one in wrapped(text, WIDTH - 2 * MARGIN, font, size):
            self._room(size * 1.3)
            self.y -= size * 1.3
            self._put(MARGIN, one, font, size)

    def gap(self) -> None:
        self.y -= GAP * 2

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], shares: Sequence[float]) -> int:
        """Columns of these shares of the width; how many rows there were."""
        usable = WIDTH - 2 * MARGIN
        widths = [usable * share / sum(shares) for share in shares]
        self._row(columns, widths, BOLD)
        count = 0
        for cells in rows:
            count += 1
            if not self._fits(cells, widths):
                self._page()
                self._row(columns, widths, BOLD)
            self._row(cells, widths, PLAIN)
        return count

    def save(self) -> None:
        self.canvas.save()

    def _fits(self, cells: Sequence[str], widths: Sequence[float]) -> bool:
        return self.y - _tall(_lines(cells, widths, PLAIN)) >= MARGIN + LEADING

    def _row(self, cells: Sequence[str], widths: Sequence[float], font: str) -> None:
        """One that is taller than a page goes on over the next."""
        lines = _lines(cells, widths, font)
        for at in range(max(len(one) for one in lines)):
            self._room(LEADING)
            self.y -= LEADING
            x = float(MARGIN)
            for cell, width in zip(lines, widths, strict=True):
                if at < len(cell):
                    self._put(x, cell[at], font, SIZE)
                x += width
        self.canvas.setLineWidth(0.25)
        self.canvas.line(MARGIN, self.y - 2.5, WIDTH - MARGIN, self.y - 2.5)
        self.y -= 3

    def _put(self, x: float, text: str, font: str, size: float) -> None:
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, self.y, text)

    def _room(self, height: float) -> None:
        if self.y - height < MARGIN + LEADING:
            self._page()

    def _page(self) -> None:
        if self.number:
            self.canvas.showPage()
        self.number += 1
        self.y = HEIGHT - MARGIN
        self.canvas.setFont(PLAIN, SIZE)
        self.canvas.drawString(MARGIN, MARGIN - LEADING, shown(self.foot, PLAIN))
        self.canvas.drawRightString(WIDTH - MARGIN, MARGIN - LEADING, str(self.number))


def _lines(cells: Sequence[str], widths: Sequence[float], font: str) -> list[list[str]]:
    return [list(wrapped(cell, width - GAP, font, SIZE)) for cell, width in zip(cells, widths, strict=True)]


def _tall(lines: Sequence[Sequence[str]]) -> float:
    return max(len(one) for one in lines) * LEADING + 3


def wrapped(text: str, width: float, font: str, size: float) -> Iterator[str]:
    """Lines no wider than `width` points: broken at spaces, and inside of a word that is wider by itself."""
    line = ""
    for word in shown(text, font).split(" "):
        longer = f"{line} {word}" if line else word
        if _wide(longer, font, size) <= width:
            line = longer
            continue
        if line:
            yield line
        while _wide(word, font, size) > width:
            fits = next(n for n in range(len(word), 0, -1) if n == 1 or _wide(word[:n], font, size) <= width)
            yield word[:fits]
            word = word[fits:]
        line = word
    yield line


def _wide(text: str, font: str, size: float) -> float:
    found: float = pdfmetrics.stringWidth(text, font, size)
    return found


def shown(text: str, font: str) -> str:
    """The text as this font can show it; words that are written from the right turned, as lines are drawn from left."""
    fonts()
    known = pdfmetrics.getFont(font).face.charToGlyph
    marks = "".join(one if ord(one) in known and printable(one) else f"[U+{ord(one):04X}]" for one in text)
    return " ".join(word[::-1] if _from_the_right(word) else word for word in _turned(marks.split(" ")))


def _turned(words: list[str]) -> list[str]:
    """Neighbouring words that are written from the right change places."""
    found: list[str] = []
    run: list[str] = []
    for word in (*words, ""):
        if _from_the_right(word):
            run.insert(0, word)
            continue
        found += [*run, word]
        run = []
    return found[:-1]


def _from_the_right(word: str) -> bool:
    """Nothing but such letters and their marks: where it is mixed, letters stand in the order they are read in."""
    return bool(word) and all(unicodedata.bidirectional(char) in ("R", "AL", "NSM") for char in word)


@cache
def fonts() -> Any:
    """Known to reportlab once; DejaVu where Debian's package is installed, else those that come with it."""
    for name, debian, packaged in FILES:
        path = DEBIAN / debian
        pdfmetrics.registerFont(TTFont(name, str(path if path.exists() else PACKAGED / packaged)))
