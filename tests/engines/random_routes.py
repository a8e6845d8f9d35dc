"""Random sets of routes, as rules and as a node's rows. A seed is a set; each has two domains of its own."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from live_node import domain, mailbox

from postroom.engines.source import Compiled
from postroom.protocols.routing import MAPPED, Rule, trace

ELSEWHERE = "mx.far.example:25"
OUTSIDE = ("ann@far.example", "bob@far.example", "eve@private.example")
NAMES = ("mia", "joe", "kim", "team", "sales", "info", "old")


@dataclass
class Routes:
    """One set: its domains, its rules, and which addresses were served once and are no more."""

    seed: int
    domains: tuple[str, str]
    rules: list[Rule] = field(default_factory=list)
    ended: list[Rule] = field(default_factory=list)  # taken back: the node had them once
    mirror: str = ""  # a domain that stands for the first
    allowed: set[tuple[str, str]] = field(default_factory=set)  # to where outside a filter of a mailbox may send

    def addresses(self, *, plus: bool) -> list[str]:
        """Whatever stands for something, with an extension too, and some that stand for nothing."""
        stand = [rule.source for rule in [*self.rules, *self.ended] if not rule.source.startswith("@")]
        some = {*stand, *(f"nobody@{name}" for name in self.domains)}
        if self.mirror:
            some |= {f"{local}@{self.mirror}" for local, _, at in (one.partition("@") for one in some) if at}
        if plus:
            some |= {one.replace("@", "+x@") for one in sorted(some)[::3]}
        return sorted(some)

    def known(self, rules: list[Rule] | None = None) -> dict[str, list[Rule]]:
        known: dict[str, list[Rule]] = {}
        for rule in self.rules if rules is None else rules:
            known.setdefault(rule.source, []).append(rule)
        return known


def drawn(seed: int, now: datetime, *, plus: bool, mirrored: bool) -> Routes:
    """Mailboxes, aliases to one and many, chains, forwards with and without a copy, catch-alls, and what has ended.
    Nothing keeps it from going round in circles, or to nobody. plus: with extensions, and addresses that have one;
    mirrored: sometimes a third domain stands for the first."""
    draw = random.Random(seed)
    one, other = f"r{seed}.example", f"r{seed}-b.example"
    routes = Routes(seed, (one, other), [Rule("domain", f"@{one}"), Rule("domain", f"@{other}")])
    every = [f"{name}@{at}" for name in NAMES for at in routes.domains]
    if plus:
        every += [f"{draw.choice(NAMES)}+x@{at}" for at in routes.domains]
    if mirrored and draw.random() < 0.5:
        routes.mirror = f"r{seed}-c.example"
        routes.rules += [Rule("domain", f"@{routes.mirror}"), Rule("domain alias", f"@{routes.mirror}", (f"@{one}",))]
    there = draw.sample(every, 9)
    boxes = draw.sample([one for one in there if "+" not in one], draw.randint(2, 5))
    routes.rules += [Rule("mailbox", box) for box in boxes]
    to = [*there * 2, *every, *OUTSIDE]
    for source in there:
        others = [one for one in to if one != source]
        if source not in boxes:
            targets = dict.fromkeys(draw.choices(others, k=draw.choice((1, 1, 2, 3))))
            routes.rules.append(Rule("alias", source, tuple(targets), until=_end(draw, now)))
        elif draw.random() < 0.5:
            target = draw.choice([*others, *OUTSIDE * 5])
            routes.rules.append(Rule("forward", source, (target,), draw.random() < 0.5, until=_end(draw, now)))
    for at in routes.domains:
        if draw.random() < 0.3:
            routes.rules.append(Rule("catch-all", f"@{at}", (draw.choice([*boxes, *to]),), until=_end(draw, now)))
    passing = [rule for rule in routes.rules if rule.mechanism in MAPPED]
    handed = [one for one in (*boxes, *(f"fax@{at}" for at in routes.domains)) if draw.random() < 0.2]
    taken = {rule.source for rule in passing}  # one or the other, as the policy has it
    routes.rules += [Rule("transport", one, (ELSEWHERE,), until=_end(draw, now)) for one in handed if one not in taken]
    if draw.random() < 0.3 and passing:
        routes.ended = [draw.choice(passing)]
        routes.rules = [rule for rule in routes.rules if rule not in routes.ended]
    for box in boxes:
        if draw.random() < 0.4:
            _filtered(routes, draw, box, [*there, *boxes, *OUTSIDE * 2], now, plus=plus)
    return routes


def _filtered(routes: Routes, draw: random.Random, box: str, to: list[str], now: datetime, *, plus: bool) -> None:
    """A filter passes its mail on, with or without a copy; outside it may for one in two. One that would send a message
    round, or to where it is put off, is not drawn: what becomes of those is tried by itself."""
    target, keeps, lets = draw.choice([one for one in to if one != box]), draw.random() < 0.5, draw.random() < 0.5
    outside = target in OUTSIDE
    barred = frozenset({target}) if outside and not lets else frozenset()
    rule = Rule("sieve", box, (target,), keeps, barred=barred)
    before, after = (_put_off(routes, rules, now, plus=plus) for rules in (routes.rules, [*routes.rules, rule]))
    if after == before:
        routes.rules.append(rule)
        routes.allowed |= {(box, target)} if outside and lets else set()


def _put_off(routes: Routes, rules: list[Rule], now: datetime, *, plus: bool) -> set[tuple[str, str]]:
    known = routes.known(rules)
    return {
        (one, landing.address) for one in routes.addresses(plus=plus)
        for landing in trace(one, known, at=now).landings if landing.sort == "loop"
    } | {
        ("by a filter", to) for rule in rules if rule.mechanism == "sieve" for to in rule.targets
        if any(landing.sort == "loop" for landing in trace(to, known, at=now).landings)
    }  # fmt: skip


def _end(draw: random.Random, now: datetime) -> datetime | None:
    return draw.choice((None, None, now + timedelta(days=1), now - timedelta(seconds=5)))


def compiled(routes: Routes, rules: list[Rule], now: datetime) -> Iterator[tuple[str, str, Compiled]]:
    """(object, its name, rows), as the control plane compiles them. A mailbox stands in the routes for itself unless
    something that has not ended takes its mail away."""
    for key, those in routes.known(rules).items():
        if key.startswith("@"):
            yield "domain", key[1:], _domain(key[1:], those, f"r{routes.seed}")
        box = any(rule.mechanism == "mailbox" for rule in those)
        passing = [rule for rule in those if rule.mechanism in MAPPED]
        handed = [rule for rule in those if rule.mechanism == "transport"]
        if not box and not passing and not handed:
            continue
        rows = mailbox(key, None) if box else {"maps": {"route": []}}
        if any(rule.live(now) and not rule.keep for rule in passing):
            rows["maps"]["route"] = []
        rows["maps"]["route"] += [
            {"source": key, "destination": to, "until": rule.until and int(rule.until.timestamp())}
            for rule in passing for to in rule.targets
        ]  # fmt: skip
        for rule in handed:
            until = rule.until and int(rule.until.timestamp())
            host, _, port = rule.targets[0].partition(":")
            row = {"address": key, "host": host, "port": int(port), "tls": 0, "until": until}
            rows["maps"]["handed"] = [row]
            rows["maps"]["route"] += [] if box else [{"source": key, "destination": key, "until": until}]
        allowed = [to for source, to in sorted(routes.allowed) if source == key]
        rows["maps"]["allowed"] = [{"source": key, "target": to, "until": None} for to in allowed]
        yield "address", f"at {key}", rows


def _domain(name: str, rules: list[Rule], client: str) -> Compiled:
    rows = domain(name)
    for row in rows["maps"]["domain"]:
        row["client"] = client
    others = [rule.targets[0][1:] for rule in rules if rule.mechanism == "domain alias"]
    if others:
        rows["maps"]["alias_domain"] = [{"name": name, "target": others[0], "until": None}]
    return rows
