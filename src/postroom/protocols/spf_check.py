"""check_host(): whether an address may send for a domain (RFC 7208, 4), over a store of answers.

What the store does not hold is raised as Missing, with all that the records at hand lead to beside it, so that there
are as many rounds as records in a row. A look-up that failed ends in temperror (2.6.6), never in none; where the RFC
says to go on without it (`ptr`, `%{p}`, `exp=`) it matches nothing and explains nothing.

Void look-ups are counted a query, as other receivers do (4.6.4), but for what the sender alone decides: the names that
its address points back to, and `%{p}`.
"""

from dataclasses import dataclass

from postroom.protocols.answers import Answers, Held, Missing
from postroom.protocols.spf import MAX_LOOKUPS, BadSpf, Spf, is_spf, parse
from postroom.protocols.spf_ahead import ahead
from postroom.protocols.spf_macros import MAX_NAME, BadMacro, Parts, Value, as_name, domain_spec, expand, explain_string
from postroom.protocols.spf_sender import MAX_NAMES, Sender, validated, values
from postroom.protocols.spf_terms import Term

MAX_VOIDS = 2
RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}


@dataclass(frozen=True)
class Verdict:
    """result: none, neutral, pass, fail, softfail, temperror or permerror. why: a plain sentence. term, domain: what
    decided and in whose record; empty when nothing matched. explanation: what the domain says to whom it turns away."""

    result: str
    why: str
    domain: str = ""
    term: str = ""
    explanation: str | None = None
    lookups: int = 0
    voids: int = 0


class _Ends(Exception):
    """An error that ends the whole evaluation, however deep it was met."""

    def __init__(self, result: str, why: str) -> None:
        super().__init__(why)
        self.result, self.why = result, why


@dataclass(frozen=True)
class _Outcome:
    result: str
    domain: str
    spf: Spf
    term: str = ""


def check_host(answers: Answers, sender: Sender, domain: str = "") -> Verdict:
    """Whether the sender may send for the domain: that of MAIL FROM, if none is said. Raises Missing, and nothing else.

    The HELO name is checked as the sender `sender(ip, "", helo)` (2.3).
    """
    asked = domain.removesuffix(".") or sender.domain
    name = as_name(asked) if len(asked) <= MAX_NAME else ""
    try:
        return _Run(answers, sender).verdict(name)
    except Missing as missing:
        more = ahead(answers.held, sender, name)
        raise Missing(dict.fromkeys((*missing.keys, *more))) from None


class _Run:
    """One evaluation, with what it has cost so far."""

    def __init__(self, answers: Answers, sender: Sender) -> None:
        self.answers, self.sender = answers, sender
        self.lookups = self.voids = 0

    def verdict(self, domain: str) -> Verdict:
        try:
            outcome = self.evaluate(domain)
        except _Ends as end:
            return Verdict(end.result, end.why, lookups=self.lookups, voids=self.voids)
        if outcome is None:
            why = f"{domain} has no SPF record" if _is_a_domain(domain) else "there is no domain name to ask"
            return Verdict("none", why)
        why = f"“{outcome.term}” in the record of {outcome.domain}" if outcome.term else "no mechanism matched"
        said = self.explanation(outcome) if outcome.result == "fail" else None
        return Verdict(outcome.result, why, outcome.domain, outcome.term, said, self.lookups, self.voids)

    def evaluate(self, domain: str) -> _Outcome | None:
        """The record of this domain, and those it redirects to. None: there is none."""
        spf = self.record(domain)
        while spf:
            for term in spf.terms:
                if self.matches(term, domain):
                    return _Outcome(RESULTS[term.qualifier], domain, spf, str(term))
            if not (redirect := spf.modifier("redirect")):
                return _Outcome("neutral", domain, spf)
            self.costs(f"redirect={redirect}")
            domain = self.name(domain_spec(redirect), domain)
            if not (spf := self.record(domain)):
                raise _Ends("permerror", f"redirect={redirect} leads to no SPF record")
        return None

    def record(self, domain: str) -> Spf | None:
        """Select the record (4.3 to 4.6)."""
        if not _is_a_domain(domain):
            return None
        texts = [text for text in self.held(domain, "TXT").values if is_spf(text)]
        if len(texts) > 1:
            raise _Ends("permerror", f"{domain} has {len(texts)} SPF records")
        try:
            return parse(texts[0]) if texts else None
        except BadSpf as why:
            raise _Ends("permerror", f"the record of {domain}: {why}") from None

    def matches(self, term: Term, domain: str) -> bool:
        match term.name:
            case "all":
                return True
            case "ip4" | "ip6":
                return self.sender.kind == term.name and self.sender.within(term.value[1:])
        self.costs(str(term))
        target = self.name(term.spec, domain)
        match term.name:
            case "include":
                if not (inner := self.evaluate(target)):
                    raise _Ends("permerror", f"{term} leads to no SPF record")
                return inner.result == "pass"
            case "exists":
                return bool(target and self.counted(target, "A").values)
            case "ptr":
                return self.points_into(target)
            case "a":
                return self.stands_at([target] if target else [], term)
        return self.stands_at(self.exchanges(target) if target else [], term)

    def stands_at(self, names: list[str], term: Term) -> bool:
        """Whether one of these names has an address that the sender's is in the network of. In their order (5.4)."""
        self.answers.all((name, self.sender.type) for name in names)
        length = term.lengths[self.sender.type == "AAAA"]
        found = (address for name in names for address in self.counted(name, self.sender.type).values)
        return any(self.sender.within(f"{address}/{length}") for address in found)

    def exchanges(self, name: str) -> list[str]:
        found = self.counted(name, "MX").values
        if len(found) > MAX_NAMES:
            raise _Ends("permerror", f"{name} has {len(found)} mail exchangers; receivers look at {MAX_NAMES}")
        return [exchange for _, exchange in sorted(found) if exchange]

    def points_into(self, domain: str) -> bool:
        """`ptr` (5.5): a name that the sender's address points to, and that points back, ends in the domain."""
        if not self.answers.get(self.sender.reverse, "PTR").failed:
            self.counted(self.sender.reverse, "PTR")
        names = validated(self.answers, self.sender)
        return bool(domain) and any(name == domain or name.endswith(f".{domain}") for name in names)

    def held(self, name: str, type: str) -> Held:
        found = self.answers.get(name, type)
        if found.failed:
            raise _Ends("temperror", f"{name} {type} could not be looked up: {found.failed}")
        return found

    def counted(self, name: str, type: str) -> Held:
        found = self.held(name, type)
        if not found.values:
            self.voids += 1
        if self.voids > MAX_VOIDS:
            raise _Ends("permerror", f"more than {MAX_VOIDS} look-ups found nothing; the last was {name} {type}")
        return found

    def costs(self, term: str) -> None:
        self.lookups += 1
        if self.lookups > MAX_LOOKUPS:
            raise _Ends("permerror", f"more than {MAX_LOOKUPS} terms need a look-up; “{term}” is one too many")

    def name(self, spec: Parts | None, domain: str) -> str:
        return domain if spec is None else as_name(expand(spec, self.value(domain)))

    def value(self, domain: str) -> Value:
        return values(self.answers, self.sender, domain)

    def explanation(self, outcome: _Outcome) -> str | None:
        """What `exp=` leads to; None when anything is wrong with it (6.2)."""
        exp = outcome.spf.modifier("exp")
        name = self.name(domain_spec(exp), outcome.domain) if exp else ""
        texts = self.answers.get(name, "TXT").values if name else ()
        try:
            return expand(explain_string(texts[0]), self.value(outcome.domain)) if len(texts) == 1 else None
        except BadMacro:
            return None


def _is_a_domain(name: str) -> bool:
    """At least two labels, no address in brackets (4.3)."""
    return "." in name and not name.startswith("[")
