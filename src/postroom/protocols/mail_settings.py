"""What a mail app is told: the servers, their ports, whose mail it is. One shape for all the documents apps read.

Only TLS from the first byte is told (RFC 8314, 3.3): IMAP over TLS and message submission over TLS. The name to sign in
with is the whole address.
"""

from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from .text import printable


@dataclass(frozen=True)
class OAuth:
    """Where an app asks to be let in without a password (RFC 8414's words). scope: with blanks between."""

    issuer: str
    authorize: str
    token: str
    scope: str


@dataclass(frozen=True)
class MailSettings:
    """organization: whose mail it is, as people read it. host: the name of the mail servers. help_url: where the same
    is said in words. oauth: where apps may ask to be let in."""

    organization: str
    host: str
    imaps: int
    submissions: int
    help_url: str
    oauth: OAuth | None = None

    @property
    def name(self) -> str:
        """What an app calls the account's provider."""
        return clean(f"{self.organization} mail")


def clean(text: str) -> str:
    """Text as an XML 1.0 document may hold it and a screen shows it: controls, halves of surrogate pairs, noncharacters
    and what turns the order of writing around each become U+FFFD (XML 1.0, 2.2)."""
    return "".join(char if printable(char) else "\ufffd" for char in text)


def written(root: Xml.Element) -> bytes:
    """An XML document in UTF-8."""
    text: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text
