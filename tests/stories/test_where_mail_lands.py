"""Where mail lands is what the tracer said: random sets of routes, made as people make them, and mail to each address.

Everything goes through the doors: routes by the API, agreed to by a second person where they wait for one; filters by
ManageSieve; mail by SMTP. Where it arrived is asked of IMAP, of the sink for what leaves, and of the refusals that each
message's own sender gets.

Filters have conditions on the subject. So a message is sent to an address for each set of conditions that it meets: all
that any of them came to is all that was said, and what each of them came to is what was said without "sometimes".
"""

import email
import email.policy
import re
import smtplib
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import combinations
from typing import Any

import pytest
from drawn_ways import Ways, drawn
from test_by_api import SECRET, owner_sets

from world import Person, Refused, Stack, letter, until

pytestmark = pytest.mark.server
AT_ONCE = 12  # sets on the installation at once; each chunk has clients of its own
SPOOLS = ("maildrop", "incoming", "active", "deferred")
OLIVE, ADA = "operator@northlight.example", "approver@northlight.example"


@dataclass
class Sent:
    """One message: the set it is of, and where it was seen."""

    id: str
    ways: Ways
    to: str
    seen: set[str] = field(default_factory=set)


@dataclass
class Firm:
    """Two clients, and who looks after them."""

    stack: Stack
    tag: str
    olive: Person
    ada: Person
    made: list[dict[str, Any]] = field(default_factory=list)

    @property
    def slugs(self) -> list[str]:
        return [f"{self.tag}a", f"{self.tag}b"]

    def do(self, kind: str, params: list[dict[str, Any]]) -> None:
        """One change of one client, agreed to where it waits."""
        made = self.olive.change(kind, params, "a set of routes")
        now = self.ada.approve(made) if made["stage"] == "held" else made
        assert now["stage"] in ("applied", "verified"), (kind, now["stage"], now["verdicts"])
        self.made.append(made)

    def verified(self) -> None:
        """All of it was read back."""
        while self.made:
            self.olive.verified(self.made.pop(0), within=120)

    def of(self, address: str) -> str:
        """Which of the two has this address, or domain."""
        return self.slugs[address.rpartition("@")[2].startswith(self.tag + "b")]

    def together(self, kind: str, asked: Iterable[dict[str, Any]]) -> None:
        """Of each of the two clients in one change."""
        of: dict[str, list[dict[str, Any]]] = {}
        for params in asked:
            of.setdefault(self.of(str(next(iter(params.values())))), []).append(params)
        for params in of.values():
            self.do(kind, params)


@pytest.mark.parametrize("sets", [AT_ONCE, pytest.param(108, marks=pytest.mark.soak)])
def test_mail_lands_where_the_tracer_says(stack: Stack, sets: int) -> None:
    sorts: set[str] = set()
    for start in range(0, sets, AT_ONCE):
        firm = Firm(stack, f"l{uuid.uuid4().hex[:6]}", stack.person(OLIVE), stack.person(ADA))
        every = [named(firm, start + n, n) for n in range(min(AT_ONCE, sets - start))]
        stand(firm, every)
        said = {(ways.seed, to): landings(firm, to) for ways in every for to in ways.addresses()}
        sent = list(send(firm, every, said))
        settled(firm, sent)
        look(firm, every, sent)
        wrong = [line for (seed, to), landed in said.items() for line in differs(seed, to, landed, sent)]
        assert not wrong, f"{len(wrong)} of {len(said)} addresses, {len(sent)} messages:\n" + "\n".join(wrong[:30])
        sorts |= {word.split()[0] for all_, _ in said.values() for word in all_}
        stack.leave()
    assert sorts == {"mailbox", "outside", "refused"}, "each sort of end was among them"


# --- what is made -----------------------------------------------------------------------------------------


def named(firm: Firm, seed: int, n: int) -> Ways:
    """The set of a seed, at domains of this run; of one in four a domain stands for the first."""
    a, b, mirror = f"{firm.tag}a{n}.example", f"{firm.tag}b.example", f"{firm.tag}c{n}.example"
    return drawn(seed, a, b, mirror if seed % 4 == 1 else "")


def stand(firm: Firm, every: list[Ways]) -> None:
    names = {firm.slugs[0]: [one for ways in every for one in (ways.a, ways.mirror) if one],
             firm.slugs[1]: [every[0].b]}  # fmt: skip
    for slug, of in names.items():
        firm.do("clients.create", [{"name": slug}])
        firm.olive.change("domains.add", [{"client": slug, "name": name} for name in of])
    for name in [name for of in names.values() for name in of]:
        until("it is proven", lambda name=name: firm.olive.get(f"/domains/{name}")["proof"] == "read", within=120)
    firm.do("clients.change", [{"client": firm.slugs[0], "forward_allowed": ["*.partner.test"]}])
    boxes = [box for ways in every for box in ways.boxes]
    contacts = {box: f"{box.replace('@', '.at.')}@home.test" for box in boxes}
    shared = [{"address": box, "kind": "shared"} for ways in every for box in ways.shared]
    firm.together("mailboxes.create", [{"address": box, "contact": contacts[box]} for box in boxes] + shared)
    firm.together("delegations.ask", [
        {"mailbox": box, "to": member, "rights": ["open"]} for ways in every for box, member in readers(ways).items()
    ])  # fmt: skip
    stops = routed(firm, every)
    with ThreadPoolExecutor(4) as crew:
        list(crew.map(lambda box: owned(firm, box, contacts[box]), boxes))
        uploads = [one for ways in every for one in ways.scripts.items()]
        list(crew.map(lambda one: firm.stack.upload(one[0], SECRET, one[1]), uploads))
    read_by_nodes(firm)
    firm.together("redirects.stop", stops)
    undone(firm, every)
    firm.verified()
    read_by_nodes(firm)


def readers(ways: Ways) -> dict[str, str]:
    """Of each shared mailbox somebody at the same client who reads it."""
    return {
        box: next(one for one in ways.boxes if one.rpartition("@")[2] == box.rpartition("@")[2]) for box in ways.shared
    }


def owned(firm: Firm, box: str, contact: str) -> None:
    owner_sets(firm.stack, firm.stack.mailed_link(contact, within=90))
    until("its owner signs in", lambda: firm.stack.may_sign_in(box, SECRET))


def routed(firm: Firm, every: list[Ways]) -> list[dict[str, Any]]:
    """Kind by kind, as each set asks for them: what is led to stands before what leads there. Gives the redirects that
    are to be stopped, once their scripts are there and were read."""
    later = (datetime.now(UTC) + timedelta(days=60)).isoformat(timespec="seconds")
    waiting = [list(ways.rounds) for ways in every]
    order = ("aliases.create", "forwards.create", "aliases.create", "transports.create", "catch_alls.set",
             "domains.set_alias", "exceptions.create")  # fmt: skip
    for n, kind in enumerate(order):
        most = 2 if n == 0 else 99
        due: list[dict[str, Any]] = []
        for rounds in waiting:
            mine = [one for one in rounds if one[0] == kind][:most]
            rounds[:] = [one for one in rounds if one not in mine]
            due += [{**params, **({"until": later} if "until" in params else {})} for _, params in mine]
        firm.together(kind, due)
    assert {kind for rounds in waiting for kind, _ in rounds} <= {"redirects.stop"}, waiting
    return [params for rounds in waiting for _, params in rounds]


def undone(firm: Firm, every: list[Ways]) -> None:
    """Some are ended, or disabled; of what rests on no exception none can be ended."""
    due: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for kind, address in [one for ways in every for one in ways.ended]:
        if kind == "aliases.remove":
            due.setdefault((kind, firm.of(address)), []).append({"alias": address})
            continue
        sort = kind.split(".")[0]
        listed = firm.olive.get(f"/{sort}?search={address}")["items"]
        own = [one["id"] for one in listed if one["address"] == address]
        due.setdefault((kind, firm.of(address)), []).extend({sort[:-1]: one} for one in own[:1])
    for (kind, _), params in due.items():
        if params:
            firm.do(kind, params)


def read_by_nodes(firm: Firm) -> None:
    """Every node has looked at the filters since they were uploaded."""
    for slug in firm.slugs:
        until("nodes may be asked again", lambda slug=slug: asked_to_look(firm.olive, slug), within=600, every=15)
        until("its node has looked", lambda slug=slug: whole(firm.olive.get(f"/forwards-leaving/looks?client={slug}")))


def asked_to_look(olive: Person, slug: str) -> bool:
    """Whether they were; whoever asks too often has to wait, and is told so."""
    try:
        olive.ask("POST", f"/forwards-leaving/looks?client={slug}")
    except Refused as refused:
        assert refused.status == 429, refused
        return False
    return True


def whole(looks: dict[str, Any]) -> bool:
    return bool(looks["over"]) and {one["state"] for one in looks["items"]} == {"looked"}


# --- what is said, and what becomes of it -----------------------------------------------------------------


def landings(firm: Firm, to: str) -> tuple[frozenset[str], frozenset[str]]:
    """All that the tracer says, and what of it always. What is handed to another server leaves as it was addressed;
    of what is thrown away nothing is seen anywhere."""
    traced = firm.olive.get(f"/addresses/{to.replace('+', '%2B')}/trace")
    handed = {one["to"][0] for one in traced["hops"] if one["mechanism"] == "transport"}
    said: dict[str, bool] = {}
    for one in traced["landings"]:
        assert one["sort"] in ("mailbox", "outside", "refused", "discarded"), traced
        address = one["why"].split()[-1] if one["address"] in handed else one["address"]
        if one["sort"] != "discarded":
            key = f"{one['sort']} {address}"
            said[key] = said.get(key, True) and one["sometimes"]
    return frozenset(said), frozenset(one for one, sometimes in said.items() if not sometimes)


def send(firm: Firm, every: list[Ways], said: dict[tuple[str, str], Any]) -> Iterator[Sent]:
    """To each address one message for each set of conditions; where nothing depends on any, for none and for all."""
    for ways in every:
        words = ways.words
        for n, to in enumerate(ways.addresses()):
            all_, always = said[ways.seed, to]
            met = [*combinations(words, 0), *combinations(words, len(words))] if words else [()]
            if all_ != always:
                met = [some for many in range(len(words) + 1) for some in combinations(words, many)]
            with smtplib.SMTP(*firm.stack.host_port("smtp"), timeout=60) as line:
                for m, some in enumerate(met):
                    yield message(line, Sent(f"{firm.tag}-{ways.seed}-{n}-{m}.", ways, to), some)


def message(line: smtplib.SMTP, one: Sent, words: Iterable[str]) -> Sent:
    """Each of another sender: what comes back is known by where it comes to."""
    sender = f"{one.id}far@sender.test"
    try:
        line.sendmail(sender, [one.to], letter(sender, one.to, " ".join((one.id, *words))).as_bytes())
    except smtplib.SMTPRecipientsRefused as refused:
        assert refused.recipients[one.to][0] in (550, 554), refused
        one.seen.add(f"refused {one.to}")
    return one


def settled(firm: Firm, sent: list[Sent]) -> None:
    """Postfix has none of them in hand any more."""
    spool, tag = firm.stack.state / "node/postfix/spool", firm.tag.encode()

    def empty() -> bool:
        found = [path for name in SPOOLS for path in (spool / name).rglob("*") if path.is_file()]
        return not any(tag in read(path) for path in found)

    until("all has arrived", empty, within=240, every=1)
    time.sleep(2)
    until("all has arrived", empty, within=60, every=1)


def read(path: Any) -> bytes:
    try:
        return bytes(path.read_bytes())
    except FileNotFoundError:
        return b""


def look(firm: Firm, every: list[Ways], sent: list[Sent]) -> None:
    by_id = {one.id: one for one in sent}
    for one in firm.stack.sink():
        to = str(one["Delivered-To"])
        if to.endswith("far@sender.test") and (of := by_id.get(to.removesuffix("far@sender.test"))):
            of.seen |= {f"refused {address}" for address in failed(one)}
        elif of := known(by_id, str(one["Subject"])):
            of.seen.add(f"outside {to}")
    boxes = {box: "" for ways in every for box in ways.boxes}
    boxes |= {box: member for ways in every for box, member in readers(ways).items()}
    with ThreadPoolExecutor(3) as crew:
        for box, found in zip(boxes, crew.map(lambda box: lies(firm, box, boxes[box]), boxes), strict=True):
            for subject, back in found:
                if of := known(by_id, subject):
                    of.seen |= {f"refused {address}" for address in back} if back else {f"mailbox {box}"}


def lies(firm: Firm, box: str, member: str) -> list[tuple[str, list[str]]]:
    """Of each message there the subject; of a refusal of what its filter passed on, that one's, and whose it is."""
    found: list[tuple[str, list[str]]] = []
    imap = firm.stack.imap(member or box, SECRET)
    status, _ = imap.select(f'"shared/{box}"' if member else "INBOX", readonly=True)
    assert status == "OK", f"{box} is not there"
    numbers = imap.search(None, "ALL")[1][0].split()
    for part in imap.fetch(b",".join(numbers), "(RFC822)")[1] if numbers else ():
        if isinstance(part, tuple):
            one: Any = email.message_from_bytes(part[1], policy=email.policy.default)
            back = failed(one) if one.get_content_type() == "multipart/report" else []
            subjects = re.findall(r"(?m)^Subject: (\S+)", part[1].decode(errors="replace"))
            found.append((subjects[-1] if back else str(one["Subject"]), back))
    imap.logout()
    return found


def failed(one: EmailMessage) -> list[str]:
    return re.findall(r"(?m)^Final-Recipient: rfc822; ?(\S+)", one.as_string())


def known(by_id: dict[str, Sent], subject: str) -> Sent | None:
    return by_id.get(subject.split()[0]) if subject.split() else None


def differs(seed: str, to: str, said: tuple[frozenset[str], frozenset[str]], sent: list[Sent]) -> Iterator[str]:
    """What was said of an address and was not so, or was so and not said."""
    all_, always = said
    seen = [one.seen for one in sent if one.ways.seed == seed and one.to == to]
    anywhere, everywhere = set().union(*seen), set.intersection(*seen)
    script = next(one.ways for one in sent if one.ways.seed == seed)
    for words, said_, was in (("in all", all_, anywhere), ("always", always, everywhere)):
        if said_ != was:
            yield f"{seed} {to}, {words}: said {sorted(said_)}, was {sorted(was)}; {script.scripts}"
