"""What an SPF record leads to, and what each of its terms costs whoever sends (RFC 7208, 4.6.4).

The walk asks for all it misses at once: one round for each record in a row. A name that many domains include is walked
once (spf_reach.py). What goes round in a circle or is deeper than any receiver goes is walked anew each time, so that
no result depends on what was asked before.
"""

from postroom.protocols.answers import Answers, Held, Key
from postroom.protocols.spf import MAX_LOOKUPS, is_spf
from postroom.protocols.spf_macros import as_name, expand, letters
from postroom.protocols.spf_reach import Branch, Memo, Problem, Reach, Unknown
from postroom.protocols.spf_record import Level, Record
from postroom.protocols.spf_terms import Term

DEEPEST = MAX_LOOKUPS + 1  # records in a row, the domain's own included
FOLLOWED = 3 * MAX_LOOKUPS  # what comes after so many look-ups is counted, not looked up
MAX_EXCHANGES = 10
_NOT_YET = Held(failed="not asked yet")


class Walk:
    """missing: what the store does not hold yet; then what was found counts for nothing."""

    def __init__(self, answers: Answers, memo: Memo) -> None:
        self.held, self.memo = answers.held, memo
        self.missing: dict[Key, None] = {}

    def reach(self, name: str, path: tuple[str, ...] = ()) -> Reach:
        """What this name leads to; path: the names that led to it."""
        known = self.memo.reaches.get(name)
        if known and len(path) + known.height <= DEEPEST and self.still(known.seen):
            return known
        found = _Node(self, name, (*path, name)).reach()
        if found.whole and path:
            self.memo.reaches[name] = found
        return found

    def still(self, seen: tuple[tuple[Key, Held], ...]) -> bool:
        get = self.held.get
        for key, held in seen:
            now = get(key)
            if now is not held and now != held:
                return False
        return True


class _Node:
    """One record while it is walked."""

    def __init__(self, walk: Walk, name: str, path: tuple[str, ...]) -> None:
        self.walk, self.name, self.path = walk, name, path
        self.lookups = self.four = self.six = 0
        self.branches: list[Branch] = []
        self.problems: list[Problem] = []
        self.unknown: list[Unknown] = []
        self.seen: list[tuple[Key, Held]] = []
        self.height, self.at_least, self.whole = 1, False, True

    def reach(self) -> Reach:
        held = self.get(self.name, "TXT")
        texts = [text for text in held.values if is_spf(text)]
        records = None if held.failed else len(texts)
        if len(texts) > 1:
            self.problem(
                "several", "error", "3.2", f"{self.name} has {len(texts)} SPF records; receivers use none of them", True
            )
        end = self.walked(self.walk.memo.record(texts[0])) if len(texts) == 1 else None
        return Reach(
            self.name,
            records,
            texts[0] if len(texts) == 1 else "",
            held.nowhere,
            end,
            self.lookups,
            (self.four, self.six),
            tuple(self.branches),
            tuple(self.problems),
            tuple(self.unknown),
            self.at_least,
            tuple(self.seen),
            self.height,
            self.whole,
        )

    def walked(self, record: Record) -> str | None:
        """Walk all its terms; how it ends."""
        for note in record.notes:
            self.problem(*note)
        for term in record.costly:
            self.walk_term(term)
        if record.redirect:
            return self.walk_term(record.redirect)
        return record.end

    def walk_term(self, term: Term) -> str | None:
        self.lookups += 1
        name = self.target(term)
        before = (self.lookups, self.four, self.six)
        below: Reach | None = None
        if self.lookups > FOLLOWED:
            self.at_least = True
        elif term.name in {"include", "redirect"}:
            below = self.included(term, name)
        elif name:
            self.addresses(term, name)
        cost = 1 + self.lookups - before[0]
        voids = (self.four - before[1], self.six - before[2])
        text, branches = (below.text, below.branches) if below else ("", ())
        self.branches.append(Branch(term.said, name, cost, voids, text, branches))
        return below.end if below else None

    def target(self, term: Term) -> str:
        """Empty when the sender decides, or when it is a name that nobody can ask for."""
        if term.asks is not None:
            return term.asks
        if term.spec is None:
            return self.name
        return as_name(expand(term.spec, lambda letter: self.name)) if letters(term.spec) <= {"d"} else ""

    def included(self, term: Term, name: str) -> Reach | None:
        section = "6.1" if term.name == "redirect" else "5.2"
        if not name and term.asks is None and letters(term.spec or ()) - {"d"}:
            self.at_least = True
            self.problem(
                "open", "info", section, f"who sends decides where “{term.said}” leads; what it costs there is open"
            )
        elif not name:
            self.problem("no_name", "error", section, f"“{term.said}” names nothing that can be asked for", True)
        elif name in self.path:
            self.whole = False
            self.problem("loop", "error", "4.6.4", f"“{term.said}” goes round in a circle; receivers stop", True)
        elif len(self.path) >= DEEPEST:
            self.whole, self.at_least = False, True
        else:
            return self.taken(term, section, self.walk.reach(name, self.path))
        return None

    def taken(self, term: Term, section: str, below: Reach) -> Reach:
        """Count in what is below."""
        self.lookups += below.lookups
        self.four, self.six = self.four + below.voids[0], self.six + below.voids[1]
        self.height = max(self.height, below.height + 1)
        self.at_least, self.whole = self.at_least or below.at_least, self.whole and below.whole
        self.seen += below.seen
        if below.problems:
            self.problems += [one._replace(chain=(self.name, *one.chain)) for one in below.problems]
        if below.unknown:
            self.unknown += [one._replace(chain=(self.name, *one.chain)) for one in below.unknown]
        if below.records == 0:
            lacks = "does not exist" if below.nowhere else "has no SPF record"
            self.problem(
                "include_none", "error", section, f"“{term.said}”: {below.name} {lacks}; receivers use nothing", True
            )
        if below.end == "+" and term.name == "include":
            self.problem("include_all", "error", "5.1", f"“{term.said}” ends in +all: everybody matches it")
        return below

    def addresses(self, term: Term, name: str) -> None:
        """`a`, `mx` and `exists`: what they look up finds something or not. Of `ptr` the sender decides."""
        match term.name:
            case "a":
                self.hosts(term, [name])
            case "mx":
                self.exchangers(term, name)
            case "exists":
                self.exists(term, name)

    def exists(self, term: Term, name: str) -> None:
        held = self.get(name, "A")
        if held.values:
            open_ = term.qualifier == "+"
            level: Level = "error" if open_ else "warning"
            cause = "exists" if open_ else "exists_others"
            self.problem(cause, level, "5.7", f"“{term.said}” matches everybody, as {name} has an address")
        elif not held.failed:
            self.finds_nothing(term, f"{name} has no IPv4 address")

    def exchangers(self, term: Term, name: str) -> None:
        held = self.get(name, "MX")
        if len(held.values) > MAX_EXCHANGES:
            many = f"{name} has {len(held.values)} mail exchangers; receivers look at {MAX_EXCHANGES} and stop"
            self.problem("mx_many", "error", "4.6.4", f"“{term.said}”: {many}", True)
        elif not held.values and not held.failed:
            self.finds_nothing(term, f"{name} has no mail exchanger")
        else:
            self.hosts(term, [exchange for _, exchange in held.values if exchange])

    def hosts(self, term: Term, names: list[str]) -> None:
        for name in names:
            four, six = self.get(name, "A"), self.get(name, "AAAA")
            no_four, no_six = not (four.values or four.failed), not (six.values or six.failed)
            if no_four and no_six:
                self.finds_nothing(term, f"{name} has no address")
            else:
                self.four += no_four
                self.six += no_six

    def finds_nothing(self, term: Term, text: str) -> None:
        self.four += 1
        self.six += 1
        self.problem("finds_nothing", "warning", "4.6.4", f"“{term.said}”: {text}")

    def get(self, name: str, type: str) -> Held:
        key = name, type
        if (held := self.walk.held.get(key)) is None:
            self.walk.missing[key] = None
            self.whole = False
            return _NOT_YET
        self.seen.append((key, held))
        if held.failed:
            self.unknown.append(Unknown(name, type, held.failed, (self.name,)))
        return held

    def problem(self, cause: str, level: Level, section: str, text: str, breaks: bool = False) -> None:
        self.problems.append(Problem(cause, level, section, text, (self.name,), breaks))
