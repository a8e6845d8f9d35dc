"""A configuration profile for iPhone, iPad and Mac: one mail account, without its password.

Source: Apple, *Device Management: TopLevel* and *Mail* (payload type `com.apple.mail.managed`); the file is an XML
property list. It is not signed: the device says so and asks. Its ids follow from the address, so that a profile that
is installed again takes the place of the one before.
"""

import plistlib
from uuid import NAMESPACE_URL, uuid5

from .mail_settings import MailSettings, clean

TYPE = "application/x-apple-aspen-config"


def profile(of: MailSettings, whose: str) -> bytes:
    """For one address, in the one form of `protocols.addresses.address`."""
    turned = ".".join(reversed(of.host.split(".")))
    account = {
        **_payload("com.apple.mail.managed", f"{turned}.mail.account", whose),
        "PayloadDisplayName": clean(f"{of.name}: {whose}"),
        "EmailAccountDescription": clean(f"{of.name}: {whose}"),
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAddress": whose,
        **_server("Incoming", of.host, of.imaps, whose),
        **_server("Outgoing", of.host, of.submissions, whose),
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
    whole = {
        **_payload("Configuration", f"{turned}.mail", whose),
        "PayloadDisplayName": clean(f"{of.name}: {whose}"),
        "PayloadDescription": "Sets up one mail account. It holds no password: the device asks for it.",
        "PayloadOrganization": clean(of.organization),
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [account],
    }
    return plistlib.dumps(whole)


def _payload(sort: str, id: str, whose: str) -> dict[str, object]:
    unique = uuid5(NAMESPACE_URL, f"{id}/{whose}")
    return {"PayloadType": sort, "PayloadVersion": 1, "PayloadIdentifier": f"{id}.{unique}",
            "PayloadUUID": str(unique).upper()}  # fmt: skip


def _server(way: str, host: str, port: int, login: str) -> dict[str, object]:
    return {
        f"{way}MailServerAuthentication": "EmailAuthPassword",
        f"{way}MailServerHostName": host,
        f"{way}MailServerPortNumber": port,
        f"{way}MailServerUseSSL": True,
        f"{way}MailServerUsername": login,
    }
