"""A way by which mail leaves, as a row: where it goes, how, what it rests on. What is not measured says so."""

from datetime import date

from postroom.queries.leaving import Way
from postroom.queries.made import Made
from postroom.web.following import follow
from postroom.web.parts.shapes import Badge, Cell, Code, Column, Inline, Link, Row, Words
from postroom.web.times import when

COLUMNS = (
    Column("Mail to"), Column("Goes to"), Column("Risk", phone="right"), Column("How"), Column("Client"),
    Column("Exception"), Column("Made"), Column("Last hit"),
)  # fmt: skip
RISKS = {
    "high": Badge("bad", "high", "urgent"),
    "medium": Badge("warn", "medium"),
    "low": Badge("fact", "low", "info-circle"),
}
HOW = {
    "forward": "forward", "alias": "alias", "catch-all": "catch-all", "domain alias": "alias of a domain",
    "sieve redirect": "Sieve redirect", "sieve notify": "Sieve notify by mail", "transport": "handed to another server",
}  # fmt: skip
NOT_MEASURED = Badge("unmeasured", "not measured")
EACH_TIME = "its node lets out only what an exception or a pattern allows"
BLOCKED = "its node stops it: without an exception nothing leaves by a script"
BLOCKED_THERE = "the node of {} stops it: without an exception nothing leaves by a script"
UNSENT = "in its script it comes after a redirect that its node refuses, which ends the script: the mail stays there"
STOPPED = "stopped at the port: its node sends nothing there for this mailbox. The script is as its owner left it"


def row(one: Way) -> Row:
    to = one.target or "an unknown target"
    return Row(
        (
            Cell(_from(one), (f"by way of {one.via}." if one.via else "", follow(one.address))),
            Cell(_to(one), _until(one)), RISKS[one.risk], Cell(_how(one), _besides(one)),
            Link(one.client_name, f"/clients/{one.client}/"),
            _exception(one), _made(one), _last(one),
        ),
        value=value(one), name=f"{one.address} to {to}",
    )  # fmt: skip


def value(one: Way) -> str:
    """What a chosen row sends: of the rule by which it leaves, where that stands, its target, its mechanism, whose
    mailbox is there and whether it is off. An empty one is a dash."""
    exit = one.exit
    parts = (exit.at, exit.target, exit.by.replace(" ", "-"), exit.mailbox, "off" if exit.off else "")
    return " ".join(part or "-" for part in parts)


def _from(one: Way) -> Words:
    if one.address.startswith("@"):
        return f"anything else {one.address}"
    return Link(one.address, f"/mailboxes/{one.address}/", strong=True) if one.mailbox else Code(one.address)


def _to(one: Way) -> Words:
    if not one.target:
        return Badge("unknown", "worked out when mail comes")
    return (Code(one.target), Badge("fact", "private provider", "user") if one.private else "")


def _until(one: Way) -> str:
    if one.disabled_at:
        return f"{'stopped at the port' if one.stopped else 'disabled'} {when(one.disabled_at)}"
    return f"until {when(one.until)}" if one.until else ""


def _how(one: Way) -> Words:
    said = HOW[one.mechanism]
    return f"{said} “{one.script}”" if one.script else said


def _besides(one: Way) -> str:
    said = ["some mail" if one.conditional else "all mail"]
    if one.keeps_copy is not None:
        said.append("keeps a copy" if one.keeps_copy else "keeps no copy")
    if one.hops and one.via != one.leaves_at:
        said.append(f"leaves at {one.leaves_at}")
    if one.ways > 1:
        said.append(f"one of {one.ways} ways to the same exit")
    return ", ".join(said)


def _exception(one: Way) -> Cell | Words:
    if one.stopped:
        return Cell("stopped", STOPPED)
    if one.unsent:
        return Cell("not sent", UNSENT)
    blocked = (BLOCKED_THERE.format(one.leaves_at) if one.hops else BLOCKED) if one.blocked else ""
    if one.forbidden:
        return Cell(Badge("bad", f"forbidden by {one.forbidden}", "ban"), blocked)
    if one.exception:
        if one.exception_until is None:
            return Cell("by an exception", "not yours to see")
        return Cell(f"until {when(one.exception_until)}", _let(one))
    said = blocked or (EACH_TIME if one.leaves_by.startswith("sieve") and not one.target else "")
    return Cell(f"allowed by {one.allowed}" if one.allowed else "none", said)


def _let(one: Way) -> Words:
    """Who answers for the exception, why, who agreed to it, and when somebody looks again."""
    said = f"{one.exception_owner} answers for it: {one.exception_reason}. Review {day(one.exception_review_on)}."
    return (said, agreement(one.agreed))


def agreement(agreed: Made | None) -> Inline:
    if agreed is None:
        return Badge("unknown", "who agreed is not yours to see")
    words = f"agreed by {', '.join(agreed.approved_by)}" if agreed.approved_by else "no approval was asked for"
    return Link(words, f"/changes/{agreed.change}/")


def day(one: date | None) -> str:
    return f"{one:%d %b %Y}" if one else "on no day"


def _made(one: Way) -> Cell | Words:
    if one.maker:
        return Cell(one.maker.by, Link(when(one.maker.at), f"/changes/{one.maker.change}/"))
    if one.mechanism.startswith("sieve"):
        return Cell("by its owner", f"first seen {when(one.made)}")
    return Cell(Badge("unknown", "not yours to see"), when(one.made))


def _last(one: Way) -> Cell | Words:
    """Never is a fact since a day; without the day, nothing is known."""
    since = one.measured_since
    if one.last_hit:
        return Cell(when(one.last_hit), "" if since else "not measured now")
    return Cell("never", f"since {when(since)}") if since else NOT_MEASURED
