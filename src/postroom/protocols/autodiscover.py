"""What Outlook asks for: Autodiscover in plain old XML (POX).

Source: Microsoft [MS-OXDSCLI], 2.2.3 (request), 2.2.4 (response), 3.1.5.2 (errors). The app posts the address to
`https://autodiscover.<domain>/autodiscover/autodiscover.xml`, or to where `_autodiscover._tcp.<domain>` SRV points.

Reads what was posted without entities and without a DTD; what it says depends on nothing but the request.
"""

from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as Xml
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from .addresses import BadAddress, address
from .mail_settings import MailSettings, clean, written

BASE = "http://schemas.microsoft.com/exchange/autodiscover/"
ASKED = f"{BASE}outlook/requestschema/2006"
OUTER = f"{BASE}responseschema/2006"
OUTLOOK = f"{BASE}outlook/responseschema/2006a"
LONGEST = 16_384  # octets of a request; Outlook's have some 400
INVALID, NO_PROVIDER = 600, 601


@dataclass(frozen=True)
class Refused(Exception):
    """The request cannot be answered; `code` is the protocol's, `words` say why."""

    code: int
    words: str


def asked(body: bytes) -> str:
    """The address somebody asks for, in its one form. Refused: not this protocol, or a schema that is not ours."""
    if len(body) > LONGEST:
        raise Refused(INVALID, f"the request is longer than {LONGEST} octets")
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):  # LookupError: an encoding that nobody knows
        raise Refused(INVALID, "the request is not well-formed XML without a DTD") from None
    request = root.find(f"{{{ASKED}}}Request")
    if root.tag != f"{{{ASKED}}}Autodiscover" or request is None:
        raise Refused(INVALID, "the request is not Autodiscover of 2006 for Outlook")
    wanted = (request.findtext(f"{{{ASKED}}}AcceptableResponseSchema") or OUTLOOK).strip()
    if wanted != OUTLOOK:
        raise Refused(NO_PROVIDER, "the schema that is asked for is not one that this server answers")
    try:
        return address(request.findtext(f"{{{ASKED}}}EMailAddress") or "")
    except BadAddress as wrong:
        raise Refused(INVALID, f"EMailAddress: {wrong}") from None


def document(of: MailSettings, whose: str) -> bytes:
    """The settings of one address, in the one form of `protocols.addresses.address`."""
    root = Xml.Element("Autodiscover", xmlns=OUTER)
    response = Xml.SubElement(root, "Response", xmlns=OUTLOOK)
    _all(Xml.SubElement(response, "User"), DisplayName=whose)
    account = Xml.SubElement(response, "Account")
    _all(account, AccountType="email", Action="settings")
    _server(account, "IMAP", of.host, of.imaps, whose)
    _all(_server(account, "SMTP", of.host, of.submissions, whose), UsePOPAuth="on", SMTPLast="off")
    return written(root)


def refusal(why: Refused, now: datetime) -> bytes:
    """The protocol's own way to say no."""
    root = Xml.Element("Autodiscover", xmlns=OUTER)
    response = Xml.SubElement(root, "Response")
    error = Xml.SubElement(response, "Error", Time=f"{now:%H:%M:%S.%f}", Id="0")
    _all(error, ErrorCode=str(why.code), Message=why.words, DebugData="")
    return written(root)


def _server(account: Xml.Element, sort: str, host: str, port: int, login: str) -> Xml.Element:
    one = Xml.SubElement(account, "Protocol")
    _all(one, Type=sort, Server=host, Port=str(port), DomainRequired="off", LoginName=login, SPA="off", SSL="on",
         Encryption="SSL", AuthRequired="on")  # fmt: skip
    return one


def _all(under: Xml.Element, **said: str) -> None:
    for tag, text in said.items():
        Xml.SubElement(under, tag).text = clean(text)
