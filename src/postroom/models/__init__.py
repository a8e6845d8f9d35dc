"""State, observations and the record: nouns only, no verbs. Only changes.apply writes state."""

from .base import Observation, Row, SecretField, StateModel, WriteOutsideChange
from .clients import Client, Freeze, Node, Organization, Redelivery
from .credentials import Credential
from .delegations import Delegation
from .domains import Address, DkimKey, Domain, Reading, RecordSet, ServerReading
from .doubts import Doubt
from .filters import Filter
from .findings import Acceptance, Finding, Look
from .left import LastHit, LeftRead
from .logins import Counted, DeviceCode, Login, Subject
from .machinery import Delivery, Due, NodeTodo, Review
from .mail_apps import MailApp, TokenKey
from .mailboxes import Alias, Destination, Invite, Mailbox, Secret
from .mailed import Mailed
from .nodes import Evidence, Report
from .people import ApiSession, ApiToken, Device, Grant, Letter, Person, Role, SavedView, TokenUse
from .postures import Posture
from .probes import Probe, ProbeLanding
from .record import Alarm, Approval, Batch, Change, Checkpoint, Entry, Erasure, LookedAt, Place, RecordedEdit, TreeNode
from .recovery import RecoveryChannel
from .redirects import RedirectStop
from .rounds import Round, RoundLine
from .routes import CatchAll, Forward, RouteException, Transport
from .sieve import SieveAsked, SieveRead, SieveScript
from .sign_ins import LiveSession, SignIn, SignInPlace
from .verifying import Proof, ResetCode, Verification

__all__ = [
    "Acceptance",
    "Address",
    "Alarm",
    "Alias",
    "ApiSession",
    "ApiToken",
    "Approval",
    "Batch",
    "CatchAll",
    "Change",
    "Checkpoint",
    "Client",
    "Counted",
    "Credential",
    "Delegation",
    "Delivery",
    "Destination",
    "Device",
    "DeviceCode",
    "DkimKey",
    "Domain",
    "Doubt",
    "Due",
    "Entry",
    "Erasure",
    "Evidence",
    "Filter",
    "Finding",
    "Forward",
    "Freeze",
    "Grant",
    "Invite",
    "LastHit",
    "LeftRead",
    "Letter",
    "LiveSession",
    "Login",
    "Look",
    "LookedAt",
    "MailApp",
    "Mailbox",
    "Mailed",
    "Node",
    "NodeTodo",
    "Observation",
    "Organization",
    "Person",
    "Place",
    "Posture",
    "Probe",
    "ProbeLanding",
    "Proof",
    "Reading",
    "RecordSet",
    "RecordedEdit",
    "RecoveryChannel",
    "Redelivery",
    "RedirectStop",
    "Report",
    "ResetCode",
    "Review",
    "Role",
    "Round",
    "RoundLine",
    "RouteException",
    "Row",
    "SavedView",
    "Secret",
    "SecretField",
    "ServerReading",
    "SieveAsked",
    "SieveRead",
    "SieveScript",
    "SignIn",
    "SignInPlace",
    "StateModel",
    "Subject",
    "TokenKey",
    "TokenUse",
    "Transport",
    "TreeNode",
    "Verification",
    "WriteOutsideChange",
]  # fmt: skip
