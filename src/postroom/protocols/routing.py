"""Where mail to an address lands: what Postfix's virtual aliases and then Dovecot's Sieve make of it.

Pure: whoever asks gives the rules. Followed is Postfix 3.7 to 3.10 as its cleanup(8) expands virtual(5) aliases, with
+extensions as our maps answer for them (RFC 5233), then Dovecot's LMTP and Sieve (RFC 5228, 3894):
- an address is looked up whole, then without its +extension (which goes along to targets here, and is left off to
  those outside), then as @domain; the first that answers is all that counts, so a mailbox, which answers with itself,
  is never a catch-all's;
- what was found is looked up again, but for an address that once named itself: that is a copy, and stays;
- a domain that stands for another takes mail for who is there, and for nobody else;
- more than 50 in a row, or 1,000 addresses in all, and it is put off for everybody: nothing lands;
- a transport stands where a mailbox would: what would land there is handed to another server, and no script sees it;
- a redirect that the node refuses (outside without an exception) leaves the mail there, and perhaps ends it (kept.py).
Not known is said: a script nobody read, or a computed target, is a landing of its own and never nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Literal

from .extensions import keys, parts, with_extension
from .kept import Act, Kept, discarded, kept, reached

Mechanism = Literal["domain", "mailbox", "alias", "forward", "catch-all", "domain alias", "sieve", "transport", "plus",
                    "hidden"]  # fmt: skip
Sort = Literal["mailbox", "outside", "refused", "discarded", "loop", "unknown", "hidden"]
STEPS, LIMIT = 50, 1000  # virtual_alias_recursion_limit; of addresses, and of their length
MAPPED = ("alias", "forward", "catch-all")
ELSEWHERE = "another mail server, which is handed mail of {}"
NOT_FOLLOWED = "not followed further: too many steps"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is done with mail to `source`, an address, or "@name" for what stands for a whole domain.

    domain: this domain's mail is taken here. mailbox: there is one. plus: made by trace alone, for an extension that
    fell away. hidden: something stands there that the reader may not see. domain alias: one target, "@name".
    transport: one target, "host:port", the other server that mail is handed to.
    keep: a copy stays at `source`; of Sieve, the mailbox keeps it too, and what goes nowhere else is thrown away.
    sometimes: of Sieve, in a branch that not every message takes. until: when it ends; then it is as if not there.
    anyway, filed: of Sieve, as an act has them (kept.py). barred: its targets that the node sends nothing to.
    unknown: why (part of) what it does is not known. ref: the row it is, (table, id).
    """

    mechanism: Mechanism
    source: str
    targets: tuple[str, ...] = ()
    keep: bool = False
    sometimes: bool = False
    until: datetime | None = None
    unknown: str = ""
    barred: frozenset[str] = frozenset()
    anyway: Kept = "never"
    filed: bool = False
    ref: tuple[str, str] = ("", "")

    def live(self, at: datetime) -> bool:
        return self.until is None or self.until > at


Known = Mapping[str, Sequence[Rule]]
Ask = Callable[[frozenset[str]], Known]


@dataclass(frozen=True, slots=True)
class Hop:
    """At this address, by this rule, mail goes on to these. step: how many hops come before it, at least."""

    at: str
    rule: Rule
    to: tuple[str, ...]
    step: int
    sometimes: bool = False


@dataclass(frozen=True, slots=True)
class Landing:
    """Where it ends. address: of the mailbox, outside, or where it went no further. sometimes: not every message."""

    sort: Sort
    address: str
    why: str = ""
    sometimes: bool = False


@dataclass(frozen=True)
class Trace:
    address: str
    hops: tuple[Hop, ...]
    landings: tuple[Landing, ...]

    @property
    def nowhere(self) -> bool:
        """Known to reach nobody. What is not known, or not seen, may well land."""
        return all(one.sort in ("refused", "discarded", "loop") for one in self.landings)

    def chains(self, at_most: int = 100) -> list[tuple[Hop, ...]]:
        """Every way through, each from the first hop to the last, none through an address twice."""
        after: dict[str, list[Hop]] = {}
        for hop in self.hops:
            after.setdefault(hop.at, []).append(hop)
        found: list[tuple[Hop, ...]] = []
        open_: list[tuple[str, tuple[Hop, ...]]] = [(self.address, ())]
        while open_ and len(found) < at_most:
            at, so_far = open_.pop()
            been = {hop.at for hop in so_far}
            onward = [] if at in been else after.get(at, [])
            if so_far and not any(hop.to for hop in onward):
                found.append((*so_far, *onward[:1]))
            open_ += [(to, (*so_far, hop)) for hop in reversed(onward) for to in reversed(hop.to)]
        return found


def trace(address: str, rules: Known | Ask, *, at: datetime) -> Trace:
    """What becomes of a message to this address at this time. rules: all there are, or what is asked a level at a
    time for those of a set of addresses and "@domains"; of one that it leaves out there are none."""
    ask = rules if callable(rules) else lambda keys: {key: rules[key] for key in keys if key in rules}
    walk = _Walk(ask, at)
    walk.read(address)
    walk.message(address, 0, sometimes=False, through=())
    return Trace(address, tuple(walk.hops.values()), _certain(walk.landings))


def _certain(landings: Sequence[Landing]) -> tuple[Landing, ...]:
    """Each once: what always comes somewhere does not come there sometimes."""
    always = {one for one in landings if not one.sometimes}
    kept = [one for one in landings if not one.sometimes or replace(one, sometimes=False) not in always]
    return tuple(dict.fromkeys(kept))


@dataclass
class _Walk:
    ask: Ask
    at: datetime
    known: dict[str, list[Rule]] = field(default_factory=dict)
    hops: dict[tuple[str, Rule], Hop] = field(default_factory=dict)
    landings: list[Landing] = field(default_factory=list)

    def read(self, address: str) -> None:
        """All that is reached from here, a level a question."""
        seen, level = set[str](), {address}
        for _ in range(LIMIT):  # a script's redirect begins anew, so this is not STEPS
            if wanted := frozenset(key for one in level for key in keys(one)) - self.known.keys():
                found = self.ask(wanted)
                self.known |= {key: [one for one in found.get(key, ()) if one.live(self.at)] for key in wanted}
            seen |= level
            level = {to for one in level for to in self._onward(one) if len(to) <= LIMIT} - seen
            if not level:
                return

    def rules(self, key: str, *mechanisms: str) -> list[Rule]:
        return [one for one in self.known.get(key, ()) if one.mechanism in mechanisms]

    def _onward(self, address: str) -> Iterator[str]:
        for rule, targets in self.mapped(address):
            yield from (*targets, *(with_extension(parts(address)[1], to) for to in rule.targets))
        for rule in self.rules(parts(address)[2], "domain alias"):
            yield address.removesuffix(rule.source) + rule.targets[0]
        for rule in self.rules(parts(address)[0], "sieve"):
            yield from rule.targets

    def mapped(self, address: str) -> list[tuple[Rule, tuple[str, ...]]]:
        """What virtual_alias_maps answer: each rule with the addresses it gives. Empty: no answer."""
        bare, extension, domain = parts(address)
        for key, along in ((address, ""), (bare, extension)):
            if self.rules(key, "hidden"):
                return []
            if rows := self._rows(key):
                return [(rule, tuple(self._along(along, one) for one in targets)) for rule, targets in rows]
        if catch := self.rules(domain, "catch-all"):
            return [(rule, rule.targets) for rule in catch]
        others = [(rule, address.removesuffix(domain) + rule.targets[0]) for rule in self.rules(domain, "domain alias")]
        return [(rule, (to,)) for rule, to in others if self._answered(to)]

    def _rows(self, key: str) -> list[tuple[Rule, tuple[str, ...]]]:
        """A mailbox names itself, unless what stands beside it passes everything on; a copy stays where one does. What
        is handed to another server names itself always."""
        passing = self.rules(key, *MAPPED)
        boxes, handed = self.rules(key, "mailbox"), self.rules(key, "transport")
        rows = [(rule, rule.targets) for rule in passing]
        if handed:
            rows.append((handed[0], (key,)))
        elif boxes and all(rule.keep for rule in passing):
            rows.append((boxes[0], (key,)))
        return rows

    def _along(self, extension: str, target: str) -> str:
        return with_extension(extension, target) if extension and self.rules(parts(target)[2], "domain") else target

    def expand(self, address: str) -> tuple[list[str], str]:
        """All addresses it comes to, in Postfix's own order; or why the message is put off."""
        found, itself, n = [address], set[str](), 0
        while n < len(found):
            if len(found) > LIMIT:
                return [], f"more than {LIMIT} addresses"
            for times in count():
                if found[n] in itself:
                    break
                targets = [to for _, given in self.mapped(found[n]) for to in given]
                if times >= STEPS or any(len(to) > LIMIT for to in targets):
                    return [], f"{STEPS} steps and no end, by {found[n][:80]}"
                if not targets:
                    break
                if found[n] in targets:
                    itself.add(found[n])
                found[n : n + 1] = [targets[0]]
                found += targets[1:]
            n += 1
        return list(dict.fromkeys(found)), ""

    def message(self, address: str, step: int, *, sometimes: bool, through: tuple[str, ...]) -> None:
        """One recipient of one message. through: the mailboxes whose scripts sent it on so far."""
        finals, stopped = self.expand(address)
        reached = self._explain(address, step, sometimes)
        if stopped:
            self.landings.append(Landing("loop", address, stopped, sometimes))
        for one in finals:
            self._final(one, reached.get(one, step), sometimes, through)

    def _explain(self, address: str, step: int, sometimes: bool) -> dict[str, int]:
        """The hops of one expansion, each once; how far away each address of it is."""
        reached, level = {address: step}, [address]
        while level:
            onward: list[str] = []
            for at in level:
                for rule, targets in self.mapped(at):
                    if rule.mechanism in ("mailbox", "transport"):
                        continue  # where it lands, not a step
                    self._hop(at, rule, targets, reached[at], sometimes)
                    self._unknown(at, [rule], sometimes)
                    onward += [to for to in targets if to not in reached and len(to) <= LIMIT]
                reached |= {to: reached[at] + 1 for to in onward if to not in reached}
            level = list(dict.fromkeys(onward)) if len(reached) <= 2 * LIMIT else []
        return reached

    def _hop(self, at: str, rule: Rule, to: tuple[str, ...], step: int, sometimes: bool) -> None:
        before = self.hops.get((at, rule))
        if before is None or (before.sometimes and not sometimes):
            self.hops[at, rule] = Hop(at, rule, to, before.step if before else step, sometimes)

    def _final(self, address: str, step: int, sometimes: bool, through: tuple[str, ...]) -> None:
        """What Postfix hands over, or sends away."""
        bare, _, domain = parts(address)
        box = next((key for key in (address, bare) if self.rules(key, "mailbox")), None)
        handed = [rule for key in (address, bare) for rule in self.rules(key, "transport")]
        seen = {address, bare} if box else keys(address)
        if any(self.rules(key, "hidden") for key in seen):
            self.landings.append(Landing("hidden", address, "", sometimes))
        elif address not in self.known:
            self.landings.append(Landing("unknown", address, NOT_FOLLOWED, sometimes))
        elif not self.rules(domain, "domain"):
            self.landings.append(Landing("outside", address, "", sometimes))
        elif handed:
            self._hop(address, handed[0], handed[0].targets, step, sometimes)
            self.landings.append(Landing("outside", handed[0].targets[0], ELSEWHERE.format(address), sometimes))
        elif box is None and any(rule.unknown for rule, _ in self.mapped(address)):
            pass  # said where that rule is
        elif box is None:
            self.landings.append(Landing("refused", address, f"no such address at {domain[1:]}", sometimes))
        else:
            if box != address:
                self._hop(address, Rule("plus", address, (box,)), (box,), step, sometimes)
            self._sieve(box, step + (box != address), sometimes, through)

    def _sieve(self, box: str, step: int, sometimes: bool, through: tuple[str, ...]) -> None:
        """The active script: what it sends on is a new message; what it sends nowhere stays."""
        if box in through:
            self.landings.append(Landing("loop", box, f"its script sends to itself by {through[-1]}", sometimes))
            return
        rules = self.rules(box, "sieve")
        taken = [(rule, [self._taken(rule, to) for to in rule.targets]) for rule in rules]
        acts = [Act(r.keep, r.sometimes, any(to), not all(to), bool(r.unknown), r.anyway, r.filed) for r, to in taken]
        stays = kept(acts)
        self.landings += [
            Landing("discarded", box, discarded(acts), sometimes or rule.sometimes or stays == "perhaps")
            for rule in rules if stays != "always" and not (rule.targets or rule.keep or rule.unknown)
        ]  # fmt: skip
        if stays != "never":
            self.landings.append(Landing("mailbox", box, "", sometimes or stays == "perhaps"))
        self._unknown(box, [*self.rules(box, "mailbox"), *rules], sometimes)
        for (rule, to), done in zip(taken, reached(acts), strict=True):
            now = sometimes or rule.sometimes or done == "perhaps"
            sent = tuple(one for one, goes in zip(rule.targets, to, strict=True) if goes and done != "never")
            self._hop(box, rule if done != "never" else replace(rule, barred=frozenset(rule.targets)), sent, step, now)
            for one in sent:
                self.message(one, step + 1, sometimes=now, through=(*through, box))

    def _unknown(self, at: str, rules: Sequence[Rule], sometimes: bool) -> None:
        self.landings += [Landing("unknown", at, rule.unknown, sometimes) for rule in rules if rule.unknown]

    def _taken(self, rule: Rule, to: str) -> bool:
        """Whether the node's door takes a redirect: to somebody, not where it is barred, nor to the mailbox's own."""
        if to in rule.barred or parts(to)[0] == rule.source:
            return False
        return self._answered(to) or bool(self.mapped(to)) or not self.rules(parts(to)[2], "domain")

    def _answered(self, to: str) -> bool:
        """Whether somebody gets mail there."""
        return any(self.rules(key, "mailbox", "transport", "hidden", *MAPPED) for key in keys(to))
