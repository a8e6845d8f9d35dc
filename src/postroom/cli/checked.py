"""What a check of domains found, as people read it in a terminal, or as JSON or CSV."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import click

from postroom.protocols.csv_cells import START, row
from postroom.protocols.judged import Judged
from postroom.protocols.posture import WORST, as_json
from postroom.protocols.text import shown

if TYPE_CHECKING:
    from postroom.posture.sweep import Looked

COLOURS = {"bad": "red", "unknown": "magenta", "warn": "yellow", "info": None, "good": "green"}
AREAS = ("mx", "spf", "dkim", "dmarc", "mta_sts", "tls_rpt", "dane", "caa", "ns", "cname", "dnssec")
QUIET = ("info", "good")


class Shown(Protocol):
    """Takes domain by domain, and is told when that was all."""

    def add(self, looked: "Looked") -> None: ...

    def end(self) -> None: ...


class Table:
    """A line a domain, and under it what is not as it should be; of a single one all of it."""

    def __init__(self, *, everything: bool, one: bool) -> None:
        self.everything, self.one = everything, one
        self.counts = dict.fromkeys(WORST, 0)
        if not one:
            click.secho(f"{'domain':32} " + " ".join(f"{area.replace('_', '-'):7}" for area in AREAS), bold=True)

    def add(self, looked: "Looked") -> None:
        levels = [one.level for one in looked.results] or ["unknown"]
        self.counts[min(levels, key=WORST.index)] += 1
        if self.one:
            click.secho(looked.domain, bold=True)
        else:
            cells = [_worst(looked, area) for area in AREAS]
            words = [click.style(f"{cell:7}", fg=COLOURS.get(cell)) for cell in cells]
            click.echo(f"{looked.domain:32} " + " ".join(words))
        if looked.unfinished:
            click.secho(f"  unknown  {shown(looked.unfinished, 400)}", fg=COLOURS["unknown"])
        for one in looked.results:
            if self.everything or one.level not in QUIET:
                self._line(one)

    def _line(self, one: Judged) -> None:
        level = click.style(f"{one.level:8}", fg=COLOURS[one.level])
        click.echo(f"  {level} {shown(one.says, 400)}  [{one.rule}, {one.source}]")
        if one.publish and self.one:
            for line in one.publish.master_file():
                click.echo(f"           {shown(line, 1000)}")

    def end(self) -> None:
        if not self.one:
            told = ", ".join(f"{many:,} {level}" for level, many in self.counts.items() if many)
            click.echo(f"{sum(self.counts.values()):,} domains by the worst of each: {told}")


class Json:
    """One list, an object a domain."""

    def __init__(self, *, everything: bool, one: bool) -> None:
        self.everything, self.first = everything, True

    def add(self, looked: "Looked") -> None:
        rows = [as_json(one) for one in looked.results if self.everything or one.level not in QUIET]
        said = {"domain": looked.domain, "results": rows, "unfinished": looked.unfinished}
        click.echo(("[" if self.first else ",") + "\n" + json.dumps(said, ensure_ascii=False, indent=1), nl=False)
        self.first = False

    def end(self) -> None:
        click.echo("[]" if self.first else "\n]")


class Csv:
    """A line a result."""

    COLUMNS = ("domain", "level", "rule", "says", "source", "name", "found", "publish")

    def __init__(self, *, everything: bool, one: bool) -> None:
        self.everything = everything
        click.echo(START + row(self.COLUMNS), nl=False)

    def add(self, looked: "Looked") -> None:
        if looked.unfinished:
            self._row(looked.domain, "unknown", "", looked.unfinished, "", "", "", "")
        for one in looked.results:
            if self.everything or one.level not in QUIET:
                publish = " | ".join(one.publish.master_file()) if one.publish else ""
                found = " | ".join(map(str, one.evidence.raw))
                self._row(looked.domain, one.level, one.rule, one.says, one.source, one.evidence.name, found, publish)

    def _row(self, *cells: str) -> None:
        click.echo(row(cells), nl=False)

    def end(self) -> None:
        """All is said."""


SHOWN: dict[str, Callable[..., Shown]] = {"table": Table, "json": Json, "csv": Csv}


def _worst(looked: "Looked", area: str) -> str:
    levels = [one.level for one in looked.results if one.rule.startswith(f"{area}.")]
    return min(levels, key=WORST.index) if levels else "unknown" if looked.unfinished else "-"
