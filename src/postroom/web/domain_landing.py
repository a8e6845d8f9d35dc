"""Where mail of a domain lands that no address of its own takes, on its page: its catch-all, and domain aliases."""

from typing import Any

from postroom.models import Domain
from postroom.queries.domains import beside
from postroom.web.following import follow
from postroom.web.framed import offered, query
from postroom.web.parts.shapes import Act, Badge, Cell, Code, Column, Link, Row, Table
from postroom.web.times import when


def landing(request: Any, one: Domain) -> Table:
    """Two queries, whatever there is."""
    of, mirrors, caught = beside(request.actor, one)
    rows = [Row((Cell("Every address", "and no other"), _the_same(of), "", ""))] if of else []
    rows += [Row((Cell(("Every address of", Link(name, f"/domains/{name}/"))), _the_same(one.name), "", ""))
             for name in mirrors]  # fmt: skip
    if caught:
        end = Act("End…", f"/do/catch_alls.end/{query(catch_all=one.name)}", weight="asks", of=one.name)
        acts = offered(request, one.client_id, ("catch_alls.end", end), domain=one.pk)
        rows.append(Row((Cell("What is nobody’s", "the catch-all"), Cell(Code(caught.target), follow(caught.target)),
                         when(caught.until), Cell(acts=acts))))  # fmt: skip
    elif not of:
        rows.append(Row(("What is nobody’s", Badge("fact", "refused"), "", "")))
    columns = (Column("Address"), Column("Lands in"), Column("Until"), Column("Act", num=True, hidden=True))
    return Table("Where mail lands", columns, tuple(rows))


def _the_same(name: str) -> Any:
    return ("the same address of", Link(name, f"/domains/{name}/"))
