"""Domain names and mail addresses as operators type them (RFC 1035, 5321, 5890-5892, UTS 46).

One canonical form is kept everywhere: domains as lower-case A-labels without a trailing dot, local
parts in lower case. What is accepted is narrower than the RFCs allow: a name becomes a file name, a
map key and an auth query, so only what is harmless in all three passes. It does not ask the DNS, and
addresses that need SMTPUTF8 (RFC 6531) are refused because our servers do not offer it.
"""

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Annotated
from uuid import UUID

import idna
from pydantic import AfterValidator

from postroom.protocols.scripts import latin_look_alike, mixed_scripts, scripts_of
from postroom.protocols.text import BadText, long_text, named, plain_text, printable, shown

__all__ = [
    "BadAddress",
    "BadName",
    "BadText",
    "DomainName",
    "Line",
    "MailAddress",
    "Text",
    "address",
    "domain_name",
    "long_text",
    "mixed_scripts",
    "plain_text",
    "slug",
    "unicode_of",
]

MAX_NAME, MAX_LABEL, MAX_LOCAL, MAX_ADDRESS, MAX_SLUG = 253, 63, 64, 254, 63

# Left out of RFC 5321's atext, with what would read it as something else: ! (Postfix bang paths),
# % (percent hack, Dovecot variables), * ? (doveadm user masks), / (paths), ' ` " (queries), | (pipes),
# $ { } (variables), # ^ ~ (comments, patterns, home folders).
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789&+=_.-")
_LOCAL_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# UTS 46 drops these without a word, so two names that look alike would be one.
_JOINERS = frozenset("\u200c\u200d")


class BadName(ValueError):
    """Not a domain name we can keep; the message says what, where, and what would be right."""


class BadAddress(ValueError):
    """Not a mail address we can keep; the message says what, where, and what would be right."""


@lru_cache(maxsize=4096)  # a list of ten thousand addresses names a handful of domains
def domain_name(text: str) -> str:
    """A domain name in its one form: lower-case A-labels, at least two, no trailing dot.

    Takes U-labels, upper case and full-width forms (UTS 46 mapping, IDNA 2008 rules) and one
    trailing dot. Raises BadName for everything else, IP addresses and look-alikes included.
    """
    typed = _visible(text)
    ascii_name = _a_labels(typed)
    labels = ascii_name.split(".")
    if len(labels) < 2:
        raise BadName(f"“{shown(typed)}” has one label; a domain has at least two, like acme.example")
    if _NUMBER.fullmatch(labels[-1]):
        raise BadName(f"“{shown(typed)}” ends in a number, like an IP address; a domain name is needed here")
    if len(ascii_name) > MAX_NAME:
        raise BadName(f"the name is {len(ascii_name)} octets long; at most {MAX_NAME} are possible")
    for place, label in enumerate(labels, start=1):
        _honest(label, place, idna.ulabel(labels[-1]))
    return ascii_name


def address(text: str) -> str:
    """A mail address in its one form: lower case, a plain local part, the domain as `domain_name` gives it.

    Local parts are dot-atoms of `a-z 0-9 & + = _ . -`, at most 64 octets, first a letter, digit or
    underscore. Raises BadAddress.
    """
    typed = text.strip(" ")
    if typed.count("@") != 1:
        raise BadAddress(f"“{shown(typed)}” needs exactly one @, like mia@acme.example")
    local, domain = typed.split("@")
    try:
        whole = f"{_local_part(local)}@{domain_name(domain)}"
    except BadName as why:
        raise BadAddress(f"after the @: {why}") from None
    if len(whole) > MAX_ADDRESS:
        raise BadAddress(f"the address is {len(whole)} octets long; at most {MAX_ADDRESS} are possible")
    return whole


def unicode_of(name: str) -> str:
    """A kept domain name or address as people read it (U-labels); what does not decode is returned as it is."""
    local, at, domain = name.rpartition("@")
    try:
        return f"{local}{at}{idna.decode(domain)}" if domain else name
    except idna.IDNAError:
        return name


def slug(name: str) -> str:
    """A short key made of a display name: "Bar Client" → "bar-client", "Größe & Söhne" → "grosse-sohne".

    A name without Latin letters or digits gets a digest of itself, and one that would read as an id
    is prefixed, so that a slug can never be taken for the id of something else. Raises BadText.
    """
    plain = plain_text(name)
    if not plain:
        raise BadText("a name is needed here, like Bar Client")
    latin = unicodedata.normalize("NFKD", plain.casefold()).encode("ascii", "ignore").decode()
    short = re.sub(r"[^a-z0-9]+", "-", latin).strip("-")[:MAX_SLUG].strip("-")
    if not short:
        return f"client-{hashlib.sha256(plain.encode()).hexdigest()[:8]}"
    return f"client-{short}" if _reads_as_id(short) else short


def _visible(text: str) -> str:
    typed = text.strip(" ")
    if not typed:
        raise BadName("the name is empty; a domain like acme.example is needed")
    # Four times the longest name: punycode of a longer one cannot fit, and decoding costs time.
    if len(typed) > 4 * MAX_NAME:
        raise BadName(f"the name is {len(typed)} characters long; at most {MAX_NAME} octets are possible")
    for place, char in enumerate(typed, start=1):
        hidden = unicodedata.category(char) == "Cf" and char not in _JOINERS
        if hidden or not printable(char) or char.isspace():
            raise BadName(f"{named(char)} at character {place} cannot stand in a domain name")
        if char == "_":
            raise BadName(f"an underscore at character {place}; letters, digits and hyphens are possible")
    return typed


def _a_labels(typed: str) -> str:
    try:
        mapped = idna.uts46_remap(typed, std3_rules=True, transitional=False)
    except idna.IDNAError as why:
        raise BadName(f"“{shown(typed)}”: {_why(why)}") from None
    labels = mapped.removesuffix(".").split(".")
    return ".".join(_a_label(label, place) for place, label in enumerate(labels, start=1))


def _a_label(label: str, place: int) -> str:
    if not label:
        raise BadName(f"label {place} is empty: two dots in a row, or one at the start")
    if label.isascii() and len(label) > MAX_LABEL:
        raise BadName(f"label {place} is {len(label)} octets long; at most {MAX_LABEL} are possible")
    try:
        encoded = idna.alabel(label).decode()
        idna.ulabel(encoded)
    except idna.IDNAError as why:
        raise BadName(f"label {place} “{shown(label)}”: {_why(why)}") from None
    return encoded.lower()


def _why(error: idna.IDNAError) -> str:
    return str(error).partition(" in '")[0]


def _honest(label: str, place: int, top: str) -> None:
    readable = idna.ulabel(label)
    if mixed_scripts(readable):
        raise BadName(f"label {place} “{shown(readable)}” ({label}) mixes scripts, as look-alike names do")
    # A wholly Cyrillic name under a Cyrillic top-level domain pretends to nothing.
    at_home = not top.isascii() and scripts_of(readable) == scripts_of(top)
    if not readable.isascii() and not at_home and (twin := latin_look_alike(readable)):
        raise BadName(f"label {place} “{shown(readable)}” ({label}) looks like “{twin}” but is another name")


def _local_part(local: str) -> str:
    lowered = local.lower() if local.isascii() else local
    if not lowered:
        raise BadAddress("nothing stands before the @; a name like mia is needed")
    for place, char in enumerate(lowered, start=1):
        if char not in _LOCAL:
            seen = named(char) if not printable(char) or not char.isascii() or char == " " else f"“{char}”"
            raise BadAddress(f"{seen} at character {place} cannot stand before the @; use a-z 0-9 . _ - + = &")
    if lowered[0] not in _LOCAL_FIRST or lowered[-1] == "." or ".." in lowered:
        raise BadAddress(f"“{shown(lowered)}”: start with a letter, digit or _, and put dots only between characters")
    if len(lowered) > MAX_LOCAL:
        raise BadAddress(f"{len(lowered)} octets before the @; at most {MAX_LOCAL} are possible")
    return lowered


def _reads_as_id(short: str) -> bool:
    try:
        UUID(short)
    except ValueError:
        return False
    return True


DomainName = Annotated[str, AfterValidator(domain_name)]
MailAddress = Annotated[str, AfterValidator(address)]
Line = Annotated[str, AfterValidator(plain_text)]
Text = Annotated[str, AfterValidator(long_text)]
