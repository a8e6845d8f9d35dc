"""What filters send: may it go? Dovecot hands it to a port of its own, where the milter asks here before it is taken.

Refused for good, Sieve keeps the mail in the mailbox; refused for now, it comes again. To addresses of the same client
all may go. To outside, which another client of the same node is too, goes
- mail that is passed on (redirect), where a live row says that this mailbox may pass mail on to that address;
- an answer (vacation) from an address that is the mailbox's own.

What is stopped, of one mailbox to one address, goes neither inside nor outside.

Which of the two a message is must not be the script's to say, nor the sender's of the mail that is passed on. Mail that
is passed on keeps what delivery put on top of it, and Pigeonhole puts X-Sieve-Redirected-From above that; a script can
add headers to an answer (:mime) and take none away, as editheader is off. So whatever has been delivered before, or
says that it is passed on, is passed on; an answer is only what never was delivered, and Pigeonhole made.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from postroom.protocols.patterns import private

from . import from_header
from .key_store import Reader
from .milter_protocol import ADD_HEADERS, CHANGE_SENDER, STEPS_WITH_RECIPIENTS, Message, Terms

TERMS = Terms(ADD_HEADERS | CHANGE_SENDER, STEPS_WITH_RECIPIENTS)
ROUNDS = 4  # mailboxes that one message may be passed on by
REDIRECTED, MADE, SUBMITTED = "x-sieve-redirected-from", "x-sieve", "auto-submitted"
DELIVERED = {REDIRECTED, "received", "delivered-to", "return-path"}

LIVE = "(until IS NULL OR until > unixepoch())"
STANDS = f"SELECT 1 FROM allowed WHERE source = ? AND target = ? AND {LIVE}"
ANY = "source IN (SELECT value FROM json_each(?)) AND target IN (SELECT value FROM json_each(?))"
ALLOWED, FORBIDDEN = f"SELECT 1 FROM allowed WHERE {ANY} AND {LIVE}", f"SELECT 1 FROM forbidden WHERE {ANY}"
FORBIDS = "SELECT 1 FROM forbidden WHERE source = ? AND target = ?"
HERE = f"SELECT 1 FROM domain WHERE name = ? UNION SELECT 1 FROM alias_domain WHERE name = ? AND {LIVE}"
# Of the same client as the mailbox's domain.
OWN = (
    "SELECT 1 FROM domain m JOIN domain d ON d.client = m.client OR d.name = m.name "
    "WHERE m.name = ? AND d.name = ? UNION "
    "SELECT 1 FROM domain m JOIN domain d ON d.client = m.client OR d.name = m.name "
    f"JOIN alias_domain a ON a.target = d.name WHERE m.name = ? AND a.name = ? AND {LIVE}"
)


@dataclass(frozen=True)
class Verdict:
    """`refused` says why, empty if it may go. `passed_on_by`: the mailbox whose filter passes it on, to outside or
    inside. `answers_as`: an answer, from this domain; it gets its signature and no sender, as nobody shall answer it
    (RFC 3834, 3.3)."""

    refused: str = ""
    answers_as: str = ""
    passed_on_by: str = ""


def judge(message: Message, maps: Reader, owns: Callable[[str, str], bool]) -> Verdict:
    """`owns(login, address)`: may this mailbox write as it? Raises sqlite3.Error: then nothing is known."""
    if len(message.recipients) != 1:
        return Verdict("one recipient at a time")
    to = from_header.normal(message.recipients[0])
    if to is None:
        return Verdict("no address to send to")
    headers = [(name.decode("ascii", "replace").lower(), _text(value)) for name, value in message.headers]
    names = {name for name, _ in headers}
    if names & DELIVERED:
        return _passed_on(message.sender, to, [value for name, value in headers if name == REDIRECTED], maps)
    if MADE in names and any(name == SUBMITTED and value.strip().startswith("auto-replied") for name, value in headers):
        mailbox = from_header.plain(message.sender.lower())
        judged = from_header.judge(headers, lambda address: owns(mailbox, address))
        return Verdict(judged.refused, "") if judged.refused else Verdict(answers_as=judged.domain)
    return Verdict() if _here(maps, to) else Verdict("a filter sends nothing of this sort to outside")


def _passed_on(sender: str, to: str, by: list[str], maps: Reader) -> Verdict:
    """The sender is the mailbox that passes it on (sieve_redirect_envelope_from), but for mail that had none: then the
    topmost header is, which Pigeonhole put there."""
    mailboxes = [from_header.plain(one.strip().strip("<>").lower()) for one in by]
    if not mailboxes or (sender and from_header.plain(sender.lower()) != mailboxes[0]):
        return Verdict("it does not say who passes it on")
    mailbox = mailboxes[0]
    if mailboxes.count(mailbox) > 1 or from_header.plain(to) in mailboxes or len(mailboxes) > ROUNDS:
        return Verdict(f"it has been at {to} or {mailbox} before, or at too many")
    if maps.rows(FORBIDS, mailbox, to):  # a row of one mailbox and one address: a stop, also of what stays inside
        return Verdict(f"{mailbox} is stopped from passing mail on to {to}")
    if _own(maps, mailbox, to) or allowed(maps, mailbox, to):
        return Verdict(passed_on_by=mailbox)
    return Verdict(f"{mailbox} may not pass mail on to {to}")


def allowed(maps: Reader, mailbox: str, to: str) -> bool:
    """Is there a live row for this mailbox, or all of its domain, and this address, its domain, one above it, or all
    providers of private mailboxes; and none that forbids it?"""
    domain = to.rpartition("@")[2]
    labels = domain.split(".")
    above = ["@." + ".".join(labels[at:]) for at in range(len(labels))]
    sources, targets = [mailbox, "@" + mailbox.rpartition("@")[2]], [to, "@" + domain, *above]
    asked = json.dumps(sources), json.dumps([*targets, *(["@private"] if private(to) else [])])
    return bool(maps.rows(ALLOWED, *asked)) and not maps.rows(FORBIDDEN, *asked)


def _here(maps: Reader, address: str) -> bool:
    domain = address.rpartition("@")[2]
    return bool(maps.rows(HERE, domain, domain))


def _own(maps: Reader, mailbox: str, to: str) -> bool:
    """Whether it stays with the mailbox's own client."""
    own, domain = mailbox.rpartition("@")[2], to.rpartition("@")[2]
    return bool(maps.rows(OWN, own, domain, own, domain))


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
