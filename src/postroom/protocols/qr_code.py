"""A QR code (ISO/IEC 18004) as one path of SVG: dark modules on a light square, with the quiet zone it needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import segno

QUIET = 4  # modules of light around it (ISO/IEC 18004, 6.3.8)


@dataclass(frozen=True)
class QrCode:
    """size: modules a side, the quiet zone included. path: the `d` of a path in a viewBox of that size."""

    size: int
    path: str


def qr_code(text: str) -> QrCode:
    """At least level M: up to 15 % of it may be unreadable. ValueError for more text than the largest code holds."""
    code = segno.make_qr(text, error="m")
    rows = [bytes(row) for row in code.matrix_iter(border=QUIET)]
    return QrCode(len(rows), "".join(run for y, row in enumerate(rows) for run in _runs(y, row)))


def _runs(y: int, row: bytes) -> Iterable[str]:
    x = 0
    for dark, run in groupby(row):
        long = len(list(run))
        if dark:
            yield f"M{x} {y}h{long}v1h-{long}z"
        x += long
