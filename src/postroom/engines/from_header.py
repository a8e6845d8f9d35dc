"""Is this message's From: the sender's own? An accept-list grammar (a part of RFC 5322, 3.4), not a lenient parser.

Accepted is `[name] <address>` or `address` in exactly one From. Comments, groups, lists, routes and a second `<>` are
refused, since programs read them differently: `parseaddr` takes `(u@d) evil@x` for the one, a mail program shows the
other. Sender and Resent-* likewise. A display name that shows somebody else's address is noted, not refused.
"""

import email.header
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.errors import HeaderParseError

import idna

LONGEST = 998  # RFC 5322, 2.1.1; it also bounds what the expressions below are given

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LOCAL = rf"{_ATEXT}(?:\.{_ATEXT})*"
_ALNUM = r"A-Za-z0-9\u0080-\U0010ffff"
_DOMAIN = rf"(?:[{_ALNUM}](?:[{_ALNUM}-]*[{_ALNUM}])?\.)+[{_ALNUM}-]{{2,}}"
_QUOTED = r'"(?:[^"\\\r\n\x00]|\\[^\r\n\x00])*"'
# One character at a time: a run inside the repetition took 30 s over 990 bytes of junk.
_PHRASE = rf"(?:{_QUOTED}|[^\x00-\x1f\"<>@,;:\\()\[\]])+"
ONE = re.compile(rf"(?:(?P<name>{_PHRASE})?< *(?P<angle>{_LOCAL}@{_DOMAIN}) *>|(?P<bare>{_LOCAL}@{_DOMAIN}))")
SHOWN = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}\w{2,63}")
ALSO = ("sender", "resent-from", "resent-sender")

Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Judged:
    """`refused` says why, None if it may go. `domain` is that of the From address. `note` is worth recording.
    `shows_sender`: it is written on another's behalf and does not say by whom, so a Sender has to be put in."""

    refused: str | None = None
    domain: str = ""
    note: str = ""
    shows_sender: bool = False


def nobodys(address: str) -> bool:
    return False


def judge(
    headers: Headers, owns: Callable[[str], bool], behalf: Callable[[str], bool] = nobodys, login: str = ""
) -> Judged:  # fmt: skip
    """`owns(address)`: may this login send as it? Addresses are asked in lower case, domains as A-labels.

    `behalf(address)`: may it write on behalf of it, so that From is the other's and Sender the login (RFC 5322, 3.6.2)?
    """
    headers = [(name.lower(), value) for name, value in headers]
    froms = [value for name, value in headers if name == "from"]
    if len(froms) != 1:
        return Judged(f"{len(froms)} From headers; there must be one")
    name, address = parsed(froms[0])
    if address is None:
        return Judged("From must hold exactly one plain address")
    shows_sender = False
    if not owns(address):
        if not behalf(address):
            return Judged(f"From: {address} is not yours")
        senders = [parsed(value)[1] for name, value in headers if name == "sender"]
        if senders not in ([], [login]):
            return Judged(f"From: {address} is not yours; on its behalf you write with one Sender, your own address")
        shows_sender = not senders
    for other, value in headers:
        if other in ALSO and not ((mailbox := parsed(value)[1]) and owns(mailbox)):
            return Judged(f"{other.title()} is not yours")
    try:
        shown = [one for one in SHOWN.findall(_decoded(name)) if normal(one) != address and not owns(normal(one) or "")]
    except (HeaderParseError, UnicodeError, LookupError, ValueError):
        return Judged("From: the display name cannot be decoded")
    note = f"display name shows {shown[0]}" if shown else ""
    return Judged(domain=address.rpartition("@")[2], note=note, shows_sender=shows_sender)


def parsed(value: str) -> tuple[str, str | None]:
    """(display name, address) of one header; the address is None if there is more or less than one plain one."""
    # Blanks around are taken off here and not by the expression: two ways to match them made it cubic.
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", value).replace("\t", " ").strip(" ")
    found = ONE.fullmatch(unfolded) if len(value) <= LONGEST else None
    if found is None:
        return "", None
    return (found["name"] or "").strip(), normal(found["angle"] or found["bare"])


def normal(address: str) -> str | None:
    """Lower case, domain as A-label (RFC 5890); None if that cannot be."""
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            return None
    return f"{local}@{domain}".lower()


def plain(address: str) -> str:
    """Without its extension: mia+x@acme.example is mia@acme.example. As Postfix splits one; +x@ has none."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def _decoded(name: str) -> str:
    """Encoded words (RFC 2047) are read in the name alone, as mail programs do."""
    return str(email.header.make_header(email.header.decode_header(name))) if "=?" in name else name
