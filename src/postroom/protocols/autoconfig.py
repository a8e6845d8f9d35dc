"""The document Thunderbird and others look for: Mozilla's autoconfig, `clientConfig` version 1.1.

Source: Mozilla, *Autoconfiguration: ConfigFileFormat*, and draft-bucksch-autoconfig. Apps ask
`http(s)://autoconfig.<domain>/mail/config-v1.1.xml?emailaddress=<address>`, then
`https://<domain>/.well-known/autoconfig/mail/config-v1.1.xml`.

Says nothing of any one mailbox: the name to sign in with is the placeholder `%EMAILADDRESS%`, which the app fills.
"""

from xml.etree import ElementTree as Xml

from .mail_settings import MailSettings, OAuth, clean, written

ANY = "%EMAILDOMAIN%"  # a placeholder too, for who asks without an address


def document(of: MailSettings, domain: str = "") -> bytes:
    """For the apps of a domain (A-labels, as `protocols.addresses` has it); of whichever, where none was named."""
    root = Xml.Element("clientConfig", version="1.1")
    provider = Xml.SubElement(root, "emailProvider", id=clean(of.host))
    _said(provider, "domain", domain or ANY)
    _said(provider, "displayName", of.name)
    _said(provider, "displayShortName", of.name)
    _server(provider, "incomingServer", "imap", of.host, of.imaps, of.oauth)
    _server(provider, "outgoingServer", "smtp", of.host, of.submissions, of.oauth)
    words = Xml.SubElement(provider, "documentation", url=clean(of.help_url))
    _said(words, "descr", "The same in words").set("lang", "en")
    if of.oauth is not None:
        _oauth(root, of.oauth)
    return written(root)


def _oauth(root: Xml.Element, of: OAuth) -> None:
    """Where an app asks (the format's own words, which RFC 8414 has otherwise)."""
    one = Xml.SubElement(root, "oAuth2")
    said = (("issuer", of.issuer), ("scope", of.scope), ("authURL", of.authorize), ("tokenURL", of.token))
    for tag, text in said:
        _said(one, tag, text)


def _server(provider: Xml.Element, tag: str, sort: str, host: str, port: int, oauth: OAuth | None) -> None:
    one = Xml.SubElement(provider, tag, type=sort)
    _said(one, "hostname", host)
    _said(one, "port", str(port))
    _said(one, "socketType", "SSL")  # TLS from the first byte; the name is the format's
    _said(one, "authentication", "password-cleartext")  # inside that TLS; first, since every app knows it
    if oauth is not None:
        _said(one, "authentication", "OAuth2")
    _said(one, "username", "%EMAILADDRESS%")


def _said(under: Xml.Element, tag: str, text: str) -> Xml.Element:
    one = Xml.SubElement(under, tag)
    one.text = clean(text)
    return one
