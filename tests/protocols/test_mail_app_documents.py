"""The documents mail apps read: valid for hostile names, and as the apps themselves read them.

`thunderbird` follows the rules by which Thunderbird reads a clientConfig (readFromXML, Sanitizer): what they refuse is
an error here. Apple's keys are those of its device management reference.
"""

from __future__ import annotations

import plistlib
import re
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import pytest
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from postroom.protocols import autoconfig, autodiscover, mobileconfig
from postroom.protocols.mail_settings import MailSettings, clean
from postroom.protocols.qr_code import QUIET, qr_code

NAMES = {
    "plain": "Northlight",
    "marked up": 'Smith & <Sons> "Mail" \'n more',
    "turned": "\u202eשלום\u202d abc",
    "right to left": "مرحبا",
    "controls": "a\0b\x08c\x1bd\rE\ud800F\ufffeG\x85",
    "entities": "]]><!--<?x?>&amp;&#0;",
    "variables": "{{ 7|add:7 }} %EMAILADDRESS%",
    "long": "x" * 300,
}
NAMED = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
ADDRESSES = ("mia@acme.example", "r&d+a=b_c.-@acme.example", "_@xn--bcher-kva.example")
HOST = "mx.postroom.example"


def of(name: str = "Northlight") -> MailSettings:
    return MailSettings(name, HOST, 993, 465, "https://post.example/setup/?a=1&b=<2>")


def parsed(document: bytes) -> Element:
    """As XML without a DTD; what is not well-formed is a failure of the test that asks."""
    try:
        root: Element = fromstring(document, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as error:
        pytest.fail(f"no app reads this: {error}")
    return root


def thunderbird(document: bytes) -> dict[str, Any]:
    """What Thunderbird makes of it; an AssertionError where it would refuse."""
    root = parsed(document)
    assert root.tag == "clientConfig"
    provider = root.find("emailProvider")
    assert provider is not None
    hostname(provider.get("id", ""))
    domains = [hostname(one.text or "") for one in provider.findall("domain")]
    assert domains, "need proper <domain> in XML"
    label = provider.findtext("displayName") or ""
    assert label.strip()
    incoming = [server(one, ("imap", "pop3")) for one in provider.findall("incomingServer")]
    outgoing = [server(one, ("smtp",)) for one in provider.findall("outgoingServer")]
    assert incoming and outgoing
    return {"domains": domains, "label": label, "incoming": incoming, "outgoing": outgoing}


def hostname(text: str) -> str:
    """A legal name, or one with a %PLACEHOLDER%."""
    assert re.fullmatch(r"[a-zA-Z0-9.-]*%[A-Z0-9]+%[a-zA-Z0-9.-]*|[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*", text), text
    return text.lower()


def server(one: Element, sorts: tuple[str, ...]) -> tuple[str, str, int, str]:
    assert one.get("type") in sorts
    port = int(one.findtext("port") or 0)
    assert 1 <= port <= 65535
    assert one.findtext("socketType") in ("plain", "SSL", "STARTTLS")
    assert one.findtext("authentication") in ("password-cleartext", "password-encrypted", "GSSAPI", "NTLM", "OAuth2")
    login = one.findtext("username") or ""
    assert login
    return str(one.get("type")), hostname(one.findtext("hostname") or ""), port, login


@NAMED
@pytest.mark.parametrize("domain", ["acme.example", "xn--bcher-kva.example", ""])
def test_thunderbird_reads_the_autoconfig_whatever_the_organization_is_called(name: str, domain: str) -> None:
    read = thunderbird(autoconfig.document(of(name), domain))
    assert read["incoming"] == [("imap", HOST, 993, "%EMAILADDRESS%")]
    assert read["outgoing"] == [("smtp", HOST, 465, "%EMAILADDRESS%")]
    assert read["domains"] == [domain or "%emaildomain%"]
    assert re.sub(r"\s", " ", read["label"]) == re.sub(r"\s", " ", clean(f"{name} mail"))


OUTLOOK = {"r": autodiscover.OUTLOOK, "o": autodiscover.OUTER}


def request(email: str, schema: str = autodiscover.OUTLOOK) -> bytes:
    said = email.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{autodiscover.ASKED}"><Request><EMailAddress>'
        f"{said}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    ).encode()


@pytest.mark.parametrize("whose", ADDRESSES)
@NAMED
def test_outlook_gets_both_servers_with_the_address_as_its_login(name: str, whose: str) -> None:
    asked = autodiscover.asked(request(whose))
    root = parsed(autodiscover.document(of(name), asked))
    assert root.tag == f"{{{autodiscover.OUTER}}}Autodiscover"
    assert root.findtext("r:Response/r:Account/r:AccountType", namespaces=OUTLOOK) == "email"
    assert root.findtext("r:Response/r:Account/r:Action", namespaces=OUTLOOK) == "settings"
    found = []
    for one in root.findall("r:Response/r:Account/r:Protocol", OUTLOOK):
        said = {child.tag.rpartition("}")[2]: child.text for child in one}
        assert (said["SPA"], said["SSL"], said["AuthRequired"], said["DomainRequired"]) == ("off", "on", "on", "off")
        found.append((said["Type"], said["Server"], said["Port"], said["LoginName"]))
    assert found == [("IMAP", HOST, "993", whose), ("SMTP", HOST, "465", whose)]


BILLION = (
    b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + request("&b;@acme.example").replace(b"&amp;", b"&")[38:]
)


@pytest.mark.parametrize(
    "body, code",
    [
        (b"", 600),
        (b"\xff\xfe\0", 600),
        (b"<a", 600),
        (b"<Autodiscover/>", 600),
        (b'<?xml version="1.0" encoding="nobody-knows"?><a/>', 600),
        pytest.param(BILLION, 600, id="a bomb"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', 600),
        (request("mia"), 600),
        (request("mia@acme.example\0"), 600),
        (request("m<x>ia@acme.example"), 600),
        (request("a@b.example" + "x" * 20_000), 600),
        (request("mia@acme.example", "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"),
         601),
    ],
)  # fmt: skip
def test_what_outlook_would_not_ask_is_refused_in_its_own_words(body: bytes, code: int) -> None:
    with pytest.raises(autodiscover.Refused) as refused:
        autodiscover.asked(body)
    root = parsed(autodiscover.refusal(refused.value, datetime(2026, 11, 30, 9, 12, tzinfo=UTC)))
    error = root.find(".//{*}Error")
    assert error is not None and error.get("Time", "").startswith("09:12:00") and error.get("Id")
    assert error.findtext("{*}ErrorCode") == str(code) and error.findtext("{*}Message")


def test_who_names_no_schema_gets_the_one_there_is() -> None:
    whole = request("Mia@ACME.example").replace(b"<AcceptableResponseSchema>", b"<!--").replace(
        b"</AcceptableResponseSchema>", b"-->"
    )  # fmt: skip
    assert autodiscover.asked(whole) == "mia@acme.example"


# Apple, "Device Management: Mail": keys of com.apple.mail.managed with their types; those marked are required.
MAIL = {
    "EmailAccountDescription": str, "EmailAccountName": str, "EmailAccountType": str, "EmailAddress": str,
    "IncomingMailServerAuthentication": str, "IncomingMailServerHostName": str, "IncomingMailServerPortNumber": int,
    "IncomingMailServerUseSSL": bool, "IncomingMailServerUsername": str, "OutgoingMailServerAuthentication": str,
    "OutgoingMailServerHostName": str, "OutgoingMailServerPortNumber": int, "OutgoingMailServerUseSSL": bool,
    "OutgoingMailServerUsername": str, "OutgoingPasswordSameAsIncomingPassword": bool,
}  # fmt: skip
REQUIRED = {
    "EmailAccountType", "IncomingMailServerAuthentication", "IncomingMailServerHostName",
    "OutgoingMailServerAuthentication", "OutgoingMailServerHostName",
}  # fmt: skip
PAYLOAD = {"PayloadType": str, "PayloadVersion": int, "PayloadIdentifier": str, "PayloadUUID": str}
TOP = {"PayloadDisplayName": str, "PayloadDescription": str, "PayloadOrganization": str, "PayloadContent": list,
       "PayloadRemovalDisallowed": bool}  # fmt: skip
UUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def typed(found: dict[str, Any], keys: dict[str, type]) -> None:
    assert found.keys() <= keys.keys(), found.keys() - keys.keys()
    assert all(type(value) is keys[name] for name, value in found.items())


@NAMED
@pytest.mark.parametrize("whose", ADDRESSES)
def test_apple_gets_a_profile_of_its_own_keys_and_no_password(name: str, whose: str) -> None:
    document = mobileconfig.profile(of(name), whose)
    parsed(re.sub(rb"<!DOCTYPE[^>]*>", b"", document, count=1))
    whole = plistlib.loads(document)
    typed(whole, {**PAYLOAD, **TOP})
    [account] = whole["PayloadContent"]
    typed(account, {**PAYLOAD, **MAIL, "PayloadDisplayName": str})
    assert account.keys() >= REQUIRED
    assert (whole["PayloadType"], account["PayloadType"]) == ("Configuration", "com.apple.mail.managed")
    assert account["EmailAccountType"] == "EmailTypeIMAP"
    assert not {key for key in account if key.endswith("ServerPassword")}
    assert account["IncomingMailServerUsername"] == account["OutgoingMailServerUsername"] == whose
    assert account["EmailAddress"] == whose and account["IncomingMailServerHostName"] == HOST
    ids = [whole["PayloadUUID"], account["PayloadUUID"]]
    assert len(set(ids)) == 2 and all(UUID.fullmatch(one) for one in ids)
    assert mobileconfig.profile(of(name), whose) == document, "installed again it takes the place of itself"


def test_two_addresses_have_two_profiles() -> None:
    one, two = (plistlib.loads(mobileconfig.profile(of(), who)) for who in ADDRESSES[:2])
    assert one["PayloadIdentifier"] != two["PayloadIdentifier"] and one["PayloadUUID"] != two["PayloadUUID"]


def test_a_code_has_its_quiet_zone_and_the_three_marks_by_which_it_is_found() -> None:
    code = qr_code("https://post.example/setup/?emailaddress=mia%40acme.example")
    dark = {(x, y) for x, y in modules(code.path)}
    inner = range(QUIET, code.size - QUIET)
    assert dark and all(x in inner and y in inner for x, y in dark)
    far = code.size - QUIET - 7
    for left, top in ((QUIET, QUIET), (far, QUIET), (QUIET, far)):
        ring = {(x, y) for x in range(7) for y in range(7) if x in (0, 6) or y in (0, 6)}
        assert all((left + x, top + y) in dark for x, y in ring)
        assert (left + 1, top + 1) not in dark and (left + 3, top + 3) in dark
    assert (code.size - 2 * QUIET - 17) % 4 == 0, "a size that the standard has"
    assert len(qr_code("x" * 2000).path) > len(code.path)


def modules(path: str) -> Any:
    """The dark modules a path draws."""
    for x, y, long in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
        yield from ((int(x) + n, int(y)) for n in range(int(long)))
