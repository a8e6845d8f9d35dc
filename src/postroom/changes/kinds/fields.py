"""The types kinds' parameters are made of: what each is called in the form, and what it refuses.

`ref` in a schema names the list a picker is filled from; wherever it stands, an id or the natural key is accepted.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field

from postroom.protocols.addresses import DomainName, Line, MailAddress, Text, address
from postroom.protocols.mail_server import host
from postroom.protocols.patterns import pattern
from postroom.protocols.phone import number
from postroom.protocols.refs import address_ref, domain_ref, short_ref


def _whole_seconds_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("name a time zone: end it in Z or +01:00")
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError("that is beyond the calendar") from None


def _one_record(text: str) -> str:
    if any(not char.isprintable() for char in text) or len(text) > LONGEST_RECORD:
        raise ValueError(f"a record's value is one line of at most {LONGEST_RECORD:,} printable characters")
    return text


def _secure_page(text: str) -> str:
    if not text:
        return text
    parts = urlsplit(text)
    plain = text.isascii() and text.isprintable() and not set(text) & set(" \"'<>\\`") and len(text) <= 500
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or not plain:
        raise ValueError("say https:// and where it stands, or nothing")
    return text


def _lower(text: str) -> str:
    return text.lower()


def _one_spelling(text: str) -> str:
    """An id as it is written everywhere: by it rules find what was asked about the same row before."""
    try:
        return str(UUID(text))
    except ValueError:
        return text


def _ref(noun: str, words: str) -> Any:
    return Field(min_length=1, description=words, json_schema_extra={"ref": noun})


def _address_or_number(text: str) -> str:
    return address(text) if "@" in text else number(text)


LONGEST_RECORD = 16_000
RecordValue = Annotated[str, AfterValidator(_one_record)]
AddressOrNumber = Annotated[Line, AfterValidator(_address_or_number)]
PageUrl = Annotated[Line, AfterValidator(_secure_page)]
Moment = Annotated[datetime, AfterValidator(_whole_seconds_utc)]
ClientRef = Annotated[Line, AfterValidator(short_ref), _ref("clients", "A client: its slug or id")]
DomainRef = Annotated[Line, AfterValidator(domain_ref), _ref("domains", "A domain: its name or id")]
MailboxRef = Annotated[Line, AfterValidator(address_ref), _ref("mailboxes", "A mailbox: its address or id")]
AliasRef = Annotated[Line, AfterValidator(address_ref), _ref("aliases", "An alias: its address or id")]
DestinationRef = Annotated[
    Line,
    _ref("destinations", "A destination: its name (acme:invoicing), or its id"),
]
ForwardRef = Annotated[Line, _ref("forwards", "A forward: its id")]
CatchAllRef = Annotated[Line, AfterValidator(domain_ref), _ref("catch_alls", "A catch-all: its domain or id")]
TransportRef = Annotated[Line, _ref("transports", "A transport: its id")]
MailServer = Annotated[Line, AfterValidator(host)]
ExceptionRef = Annotated[Line, _ref("exceptions", "An exception: its id")]
PersonRef = Annotated[Line, AfterValidator(address_ref), _ref("people", "A person: their mail address or id")]
NodeRef = Annotated[Line, _ref("nodes", "A mail node: its name or id")]
GrantRef = Annotated[Line, _ref("grants", "A grant: its id")]
DelegationRef = Annotated[Line, _ref("delegations", "A delegation: its id")]
FreezeRef = Annotated[Line, _ref("freezes", "A freeze: its id")]
ChannelRef = Annotated[Line, _ref("recovery_channels", "A recovery channel: its id")]
InviteRef = Annotated[Line, _ref("invites", "An invite: its id")]
RecordSetRef = Annotated[Line, _ref("record_sets", "A record set: its id")]
DkimKeyRef = Annotated[Line, _ref("dkim_keys", "A DKIM key: its id")]
ChangeRef = Annotated[Line, _ref("changes", "A change: its id")]
FindingRef = Annotated[Line, _ref("findings", "A finding: its id")]
DoubtRef = Annotated[Line, _ref("doubts", "What an owner does not know: its id")]
AcceptanceRef = Annotated[Line, _ref("acceptances", "An acceptance of a finding: its id")]
RoundLineRef = Annotated[Line, _ref("round_lines", "A line of an access review or a roster: its id")]
SessionRef = Annotated[Line, _ref("api_sessions", "A session: its id")]
DeviceRef = Annotated[Line, _ref("devices", "A device: its id")]
VerificationRef = Annotated[Line, AfterValidator(_one_spelling), _ref("verifications", "A verified reset: its id")]
ResetCodeRef = Annotated[Line, _ref("reset_codes", "A code of a verified reset: its id")]
Name = Annotated[Line, Field(min_length=1)]
Patterns = Annotated[tuple[Annotated[Line, AfterValidator(pattern)], ...], Field(max_length=100)]
RoleRef = Annotated[Line, AfterValidator(_lower), _ref("roles", "A role: one of Postroom's, or of your own")]
OurRole = Literal["owner", "operator", "approver", "helpdesk", "auditor"]
YesNo = Literal["yes", "no", "unknown"]
OwnRoleRef = Annotated[Line, AfterValidator(_lower), _ref("own_roles", "A role of your own: its name")]
AppPasswordRef = Annotated[Line, _ref("credentials", "An app password: its id")]
ConsentRef = Annotated[Line, _ref("credentials", "A consent: its id")]
MailAppRef = Annotated[Line, _ref("mail_apps", "A mail app: its name or id")]
TokenRef = Annotated[Line, _ref("api_tokens", "A token: its id")]

__all__ = [
    "AcceptanceRef", "AddressOrNumber", "AliasRef", "AppPasswordRef", "CatchAllRef", "ChangeRef", "ChannelRef",
    "ClientRef", "ConsentRef", "DelegationRef", "DestinationRef", "DeviceRef", "DkimKeyRef", "DomainName", "DomainRef",
    "DoubtRef",
    "ExceptionRef", "FindingRef", "ForwardRef", "FreezeRef", "GrantRef", "InviteRef", "Line", "MailAddress",
    "MailAppRef", "MailServer", "MailboxRef", "Moment", "Name", "NodeRef", "OurRole", "OwnRoleRef", "PageUrl",
    "Patterns", "PersonRef", "RecordSetRef", "RecordValue", "ResetCodeRef", "RoleRef", "RoundLineRef", "SessionRef",
    "Text", "TokenRef", "TransportRef", "VerificationRef", "YesNo", "date",
]  # fmt: skip
