"""Where mail goes on in the demo: forwards inside and outside, catch-alls, a domain that is an alias of another."""

from collections.abc import Iterator
from datetime import timedelta

from .portfolio import ACME_ADMIN, APPROVER, GLOBEX_ADMIN, OPERATOR, Step

OUTSIDE = {"address": "sofia.lang@acme.example", "to": "sofia.lang@partner.test"}
PRIVATE = {"address": "omar.said@globex.example", "to": "omar.said.of.the.demo@gmail.com"}
CAUGHT, ENDED, MIRROR = "acme-shop.example", "globex-travel.example", "acme-parts.example"
AT_ONCE = timedelta(seconds=20)  # for a catch-all that is over when somebody looks


def routes() -> Iterator[Step]:
    """One of each; `until` is so far ahead of when it is asked for."""
    inside = {"address": "lena.fischer@acme.example", "to": "marco.ruiz@acme.example", "until": timedelta(days=40)}
    yield Step(ACME_ADMIN, "forwards.create", {**inside, "keep_copy": False}, "parental leave")
    inside = {"address": "clara.stein@globex.example", "to": "hanna.berg@globex.example", "until": timedelta(days=14)}
    yield Step(GLOBEX_ADMIN, "forwards.create", inside, "on holiday; her desk reads along")
    outside = {**OUTSIDE, "owner": "Mia Hart", "until": timedelta(days=90)}
    yield Step(OPERATOR, "forwards.create", outside, "works at the partner until the fair", "approve", APPROVER)
    private = {**PRIVATE, "owner": "Omar Said", "until": timedelta(days=60)}
    yield Step(OPERATOR, "forwards.create", private, "reads on his own phone while he travels", "disable", APPROVER)
    mirror = {"domain": MIRROR, "of": "acme.example"}
    old = "the old name of the company; letters still come"
    yield Step(OPERATOR, "domains.set_alias", mirror, old, "approve", APPROVER)  # Sofia's mail of that name leaves too
    for domain, target, until, why in (
        (CAUGHT, "sales@acme.example", timedelta(days=30), "the shop's old addresses are being listed"),
        (ENDED, "bookings@globex.example", AT_ONCE, "caught what was left of a campaign"),
    ):
        yield Step(OPERATOR, "catch_alls.set", {"domain": domain, "target": target, "until": until}, why)
