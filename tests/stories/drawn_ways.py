"""Random sets of routes, as people would ask for them: a seed is a set, over two domains of two clients.

Nothing of ours decides what is asked for here: which target leads where is followed by a few lines of this file alone,
and only so that no set goes round in circles, since plans refuse that.
"""

import random
from dataclasses import dataclass, field
from typing import Any

Pair = tuple[str, str]


@dataclass
class Ways:
    """One set. At `a`, a domain of its own of one client: three mailboxes; at `b`, another client's, two.

    boxes: who sign in. shared: those that they read at the same client. rounds: what is asked for, by kind, each after
    those before it. scripts: by mailbox. words: each, in the subject, meets a condition of one of them. leads: where
    mail goes on to. mirror: a domain that stands for `a`, or empty.
    """

    seed: str
    a: str
    b: str
    mirror: str
    draw: random.Random
    boxes: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    rounds: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ended: list[Pair] = field(default_factory=list)  # what is done to which address, once all stands
    scripts: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    leads: dict[str, set[str]] = field(default_factory=dict)
    stands: set[str] = field(default_factory=set)
    forwarded: dict[str, set[str]] = field(default_factory=dict)

    def outside(self) -> list[str]:
        return [f"ann.{self.seed}@far.test", f"bob.{self.seed}@gmail.com", f"cat.{self.seed}@in.partner.test"]

    def reached(self, start: str) -> set[str]:
        """Every address that mail to this one may come by, or more."""
        seen, open_ = set[str](), [start]
        while open_:
            one = open_.pop()
            if one not in seen:
                seen.add(one)
                open_ += self.leads.get(one, set())
                open_ += [] if one in self.stands else self.leads.get("@" + one.rpartition("@")[2], set())
        return seen

    def fitting(self, source: str, some: list[str]) -> list[str]:
        """Those of these to which mail of the source may go, and never comes back."""
        return [one for one in some if one != source and source not in self.reached(one)]

    def lead(self, source: str, *targets: str) -> None:
        self.leads.setdefault(source, set()).update(targets)

    def ask(self, kind: str, **params: Any) -> None:
        self.rounds.append((kind, params))

    def addresses(self) -> list[str]:
        """Whatever stands for something, or did, with an extension too; and some that stand for nothing."""
        own = {one for one in (*self.leads, *self.stands) if not one.startswith("@")}
        own = {one for one in own if one.endswith((self.a, self.b))} | {f"nobody@{self.a}", f"nobody@{self.b}"}
        if self.mirror:
            own |= {one.replace(self.a, self.mirror) for one in sorted(own)[::2] if one.endswith(self.a)}
        return sorted(own | {one.replace("@", "+x@") for one in sorted(own)[::3]})


def drawn(seed: int, a: str, b: str, mirror: str) -> Ways:
    ways = Ways(f"s{seed}", a, b, mirror, random.Random(seed))
    draw, here = ways.draw, f"s{seed}@{b}"
    ways.boxes = [f"box1@{a}", *([f"box2@{a}"] if seed % 2 else []), f"box1.{here}"]
    ways.shared = [*([] if seed % 2 else [f"box2@{a}"]), f"team@{a}", f"team.{here}"]
    ways.stands = {*ways.boxes, *ways.shared}
    handed = [one for one in (f"team@{a}", f"team.{here}", f"fax@{a}") if draw.random() < 0.25]
    ways.stands.update(handed)
    _alias(ways, f"info@{a}")
    _alias(ways, f"desk.{here}")
    _forwards(ways, handed)
    _alias(ways, f"all@{a}", f"info@{a}", f"away@{a}")
    if draw.random() < 0.5:
        _catch_all(ways)
    if mirror:
        ways.ask("domains.set_alias", domain=mirror, of=a)
    for one in handed:
        ways.ask("transports.create", address=one, host=f"mx.s{seed}.test", owner="Mia", until=60)
    for box in ways.boxes:
        if draw.random() < 0.8:
            _script(ways, box)
    return ways


def _alias(ways: Ways, source: str, *more: str) -> None:
    """To some of its domain, and of these."""
    at = source.rpartition("@")[2]
    there = [one for one in (*ways.boxes, *ways.shared) if one.endswith("@" + at)]
    may = ways.fitting(source, [*there, *(one for one in more if one in ways.leads)])
    if not may:
        return
    targets = ways.draw.sample(may, min(len(may), ways.draw.choice((1, 2, 3))))
    ways.ask("aliases.create", address=source, targets=targets)
    ways.lead(source, *targets)
    if ways.draw.random() < 0.15:
        ways.ended.append(("aliases.remove", source))
    else:
        ways.stands.add(source)


def _forwards(ways: Ways, handed: list[str]) -> None:
    """One an address, with a copy or without, to inside, outside and the other client; and one of no mailbox."""
    boxes = [*ways.boxes, *ways.shared]
    sources = [box for box in boxes if box not in handed and ways.draw.random() < 0.4] + [f"away@{ways.a}"]
    for source in sources:
        may = [*boxes, f"info@{ways.a}", f"desk.{ways.seed}@{ways.b}", *ways.outside()]
        other = [one for one in may if one.endswith(ways.b if source.endswith(ways.a) else ways.a)]
        target = ways.draw.choice(ways.fitting(source, [*may, *other]))
        keep = ways.draw.random() < 0.5
        ways.ask("forwards.create", address=source, to=target, keep_copy=keep, owner="Mia", until=60)
        ways.lead(source, target)
        ways.forwarded.setdefault(source, set()).add(target)
        if ways.draw.random() < 0.25:
            ways.ended.append((ways.draw.choice(("forwards.disable", "forwards.end", "exceptions.end")), source))


def _catch_all(ways: Ways) -> None:
    """To who is there; their mail goes to nobody who is not, at this domain."""
    at = "@" + ways.a
    may = [one for one in sorted(ways.stands) if one.endswith(at)]
    fine = [one for one in may if not any(to.endswith(at) and to not in ways.stands for to in ways.reached(one))]
    if fine:
        target = ways.draw.choice(fine)
        ways.ask("catch_alls.set", domain=ways.a, target=target, until=60)
        ways.lead(at, target)


def _script(ways: Ways, box: str) -> None:
    """Several redirects, with :copy or without, one in three on a condition; and mail that is thrown away. Of
    those that leave some may, by an exception; and now and then one is stopped."""
    draw, at = ways.draw, box.rpartition("@")[2]
    inside = [*ways.boxes, *ways.shared, f"info@{ways.a}", f"desk.{ways.seed}@{ways.b}", f"all@{ways.a}"]
    may = [*inside, f"nobody@{at}", *ways.outside()]
    parts, acts = [], draw.choice(("discard", "one", "one", "two", "two", "three"))
    for _ in range({"discard": 0, "one": 1, "two": 2, "three": 3}[acts]):
        fits = [one for one in ways.fitting(box, may) if f'"{one}"' not in "".join(parts)]
        if not fits:
            break
        target = draw.choice(fits)
        parts.append(_in_words(ways, box, f'redirect {draw.choice((":copy ", ""))}"{target}";'))
        ways.lead(box, target)
        leaves = not target.endswith("@" + at)
        if leaves and target in ways.forwarded.get(box, ()):
            continue  # the forward's exception stands for both
        if leaves and draw.random() < 0.6:
            ways.ask("exceptions.create", address=box, target=target, owner="Mia", until=60)
        elif draw.random() < 0.2:
            ways.ask("redirects.stop", mailbox=box, target=target)
    if acts == "discard" or draw.random() < 0.15:
        parts.append(_in_words(ways, box, "discard;"))
    ways.scripts[box] = 'require ["copy"];\n' + "\n".join(parts) + "\n"


def _in_words(ways: Ways, box: str, act: str) -> str:
    """One in three on a condition of its own."""
    if ways.draw.random() > 0.35 or len(ways.words) == 3:
        return act
    ways.words.append(f"when-{len(ways.words)}-so")
    return f'if header :contains "Subject" "{ways.words[-1]}" {{ {act} }}'
