"""The rules of routes, made of rows of state: as they stand, or as a plan would leave them. What trace() asks for.

Only what a mail node has: of a domain that is not proven, or is removed, it has nothing, and mail to it leaves.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from postroom.models import Row
from postroom.models.nodes import WORD_HOLDS
from postroom.models.routes import server
from postroom.protocols.extensions import parts
from postroom.protocols.kept import Kept
from postroom.protocols.patterns import matches
from postroom.protocols.routing import NOT_FOLLOWED, Rule
from postroom.protocols.sieve import REFUSES

from .routes import MOST, Facts

Ref = tuple[str, str]  # table, id
NO_NODE = "no mail node serves it"
NOT_READ = "its node has not said which filters it has"
LONG_AGO = "its node last said which filters it has at {}"
ANYWAY: Mapping[str, Kept] = {"": "never", "sometimes": "perhaps", "always": "always"}
COMPUTED = "a filter sends it to an address worked out for each message"


@dataclass
class Rules:
    """hidden: rows (table, id) that the reader may not see. Where one of them stands there is a rule `hidden`, and
    nothing else of that address. proven: clients whose domains count as proven."""

    facts: Facts
    now: datetime
    hidden: Collection[Ref] = ()
    proven: Collection[str] = ()
    known: dict[str, list[Rule]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._domains()
        self._addresses()

    def __call__(self, keys: frozenset[str]) -> Mapping[str, list[Rule]]:
        """As trace() asks. Of an address that was not followed any more nothing is known."""
        reached = self.facts.get("reached", {})
        cut = [key for key in keys if len(reached) >= MOST and key[0] != "@" and not self._followed(key, reached)]
        unknown = {key: [Rule("alias", key, unknown=NOT_FOLLOWED)] for key in cut}
        return unknown | {key: self.known[key] for key in keys if key in self.known}

    @staticmethod
    def _followed(key: str, reached: Mapping[str, Row]) -> bool:
        return key in reached or any(parts(one)[0] == key for one in reached)

    def served(self, domain: Row | None) -> bool:
        """Whether a node takes mail of it."""
        if domain is None or domain["removed_at"]:
            return False
        if domain["proof"] != "read" and str(domain["client_id"]) not in self.proven:
            return False
        client = self._row("clients", domain["client_id"])
        return client is not None and not client["removed_at"]

    def _row(self, table: str, id: object) -> Row | None:
        return self.facts.get(table, {}).get(str(id))

    def _of(self, table: str) -> Iterator[tuple[Ref, Row]]:
        for id, row in self.facts.get(table, {}).items():
            yield (table, id), row

    def _domains(self) -> None:
        for ref, row in self._of("domains"):
            if ref in self.hidden:
                self._hide("@" + row["name"])
            elif self.served(row):
                self._add(Rule("domain", "@" + row["name"], ref=ref))
                target = self._row("domains", row["alias_of_id"])
                if target and self.served(target):
                    self._add(Rule("domain alias", "@" + row["name"], ("@" + target["name"],), ref=ref))
        for ref, row in self._of("catch_alls"):
            domain = self._row("domains", row["domain_id"])
            if domain and self.served(domain) and not row["removed_at"]:
                until = moment(row["until"])
                self._add(Rule("catch-all", "@" + domain["name"], (row["target"],), until=until, ref=ref))

    def _addresses(self) -> None:
        at = {id: row for (_, id), row in self._of("addresses") if self.served(self._row("domains", row["domain_id"]))}
        for ref, row in self._of("addresses"):
            if ref in self.hidden and ref[1] in at:
                self._hide(row["address"])
        makers = (self._box, self._alias, self._forward, self._transport)
        for table, make in zip(("mailboxes", "aliases", "forwards", "transports"), makers, strict=True):
            for ref, row in self._of(table):
                if (address := at.get(str(row["address_id"]))) and not row.get("removed_at"):
                    for rule in make(ref, row, address):
                        self._add(rule)

    def _alias(self, ref: Ref, row: Row, address: Row) -> Iterator[Rule]:
        yield Rule("alias", address["address"], tuple(row["targets"]), address["keep_copy"], ref=ref)

    def _forward(self, ref: Ref, row: Row, address: Row) -> Iterator[Rule]:
        if not row["disabled_at"]:
            until = moment(row["until"])
            yield Rule("forward", address["address"], (row["to"],), address["keep_copy"], until=until, ref=ref)

    def _transport(self, ref: Ref, row: Row, address: Row) -> Iterator[Rule]:
        if not row["ended_at"]:
            where = (server(row["host"], row["port"]),)
            yield Rule("transport", address["address"], where, until=moment(row["until"]), ref=ref)

    def _box(self, ref: Ref, row: Row, address: Row) -> Iterator[Rule]:
        node = (self._row("clients", row["client_id"]) or {}).get("node_id")
        yield Rule("mailbox", address["address"], unknown="" if node else NO_NODE, ref=ref)
        planned = ref[1] in self.facts.get("filters", {})  # what is put in force by a plan needs no look at it
        if not planned and (why := self._unread(node)):
            yield Rule("sieve", address["address"], unknown=why, ref=ref)
        for script, said in self._of("sieve_scripts"):
            if str(said["mailbox_id"]) == ref[1]:
                yield from self._sieve(script, said, row, address)

    def _unread(self, node: object) -> str:
        """Why it is not known which filters there are; empty where it is."""
        read = self._row("sieve_reads", node)
        if read is None:
            return NOT_READ if node else ""
        at = moment(read["at"])
        return LONG_AGO.format(f"{at:%d %b %H:%M} UTC") if at <= self.now - WORD_HOLDS else ""

    def _sieve(self, ref: Ref, script: Row, box: Row, address: Row) -> Iterator[Rule]:
        source = address["address"]
        if script["unreadable"].startswith(REFUSES):
            return  # Dovecot runs nothing of it, and the mailbox keeps all mail (tried on 2.3.19)
        if script["unreadable"]:
            yield Rule("sieve", source, unknown=f"its filter cannot be read: {script['unreadable']}", ref=ref)
        if script["discards"]:
            yield Rule("sieve", source, sometimes=script["discards"] == "sometimes", ref=ref)
        for one in script["redirects"]:
            keep, sometimes = one["copy"] or one["by"] == "notify", one["conditional"]
            about: dict[str, Any] = {
                "anyway": ANYWAY[one.get("anyway", "")],
                "filed": one.get("filed", False),
                "ref": ref,
            }
            if one["to"]:
                barred = frozenset() if self._let_out(one["to"], box, address) else frozenset({one["to"]})
                yield Rule("sieve", source, (one["to"],), keep, sometimes, barred=barred, **about)
            else:
                yield Rule("sieve", source, (), keep, sometimes, unknown=COMPUTED, **about)

    def _let_out(self, to: str, box: Row, address: Row) -> bool:
        """Whether a node sends what a filter redirects, as engines/sieve_out.py judges it: where it is not stopped to
        the same client; else if it is not forbidden, by an exception, or by a pattern that is allowed."""
        if any(row["target"] == to and str(row["mailbox_id"]) == str(box["id"])
               for _, row in self._of("redirect_stops")):  # fmt: skip
            return False
        domain, own = parts(to)[2].removeprefix("@"), str(box["client_id"])
        ours = (row for _, row in self._of("domains") if row["name"] == domain and str(row["client_id"]) == own)
        if any(self.served(row) for row in ours):
            return True
        if matches(self._patterns("forward_forbidden", own), to):
            return False
        excepted = (row for _, row in self._of("exceptions") if str(row["address_id"]) == str(address["id"]))
        if any(row["target"] == to and not row["ended_at"] and moment(row["until"]) > self.now for row in excepted):
            return True
        return bool(matches(self._patterns("forward_allowed", own), to))

    def _patterns(self, which: str, client: str) -> list[str]:
        said = [row[which] for _, row in self._of("organizations")]
        return [one for some in (*said, (self._row("clients", client) or {}).get(which) or ()) for one in some]

    def _add(self, rule: Rule) -> None:
        if rule.ref in self.hidden:
            self._hide(rule.source)
        elif rule.source not in self.known or self.known[rule.source][-1].mechanism != "hidden":
            self.known.setdefault(rule.source, []).append(rule)

    def _hide(self, source: str) -> None:
        """That a domain is one of ours, where that is seen, stays said."""
        ours = [one for one in self.known.get(source, ()) if one.mechanism == "domain"]
        self.known[source] = [*ours, Rule("hidden", source)]


def moment(text: str | datetime) -> datetime:
    """Of a row in the record, or of one the database gave as JSON."""
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)
