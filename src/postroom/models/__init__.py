"""State, observations and the record: nouns only, no verbs. Only changes.apply writes state."""

from .base import Observation, Row, SecretField, StateModel, WriteOutsideChange
from .clients import Client, Freeze, Node, Organization
from .domains import Address, DkimKey, Domain, Reading, RecordSet
from .logins import Counted, DeviceCode, Login, Subject
from .machinery import Delivery, Due, NodeTodo, Review
from .mailboxes import Alias, Invite, Mailbox, Secret
from .nodes import Evidence, Report
from .people import ApiSession, ApiToken, Grant, Letter, Person, Role, TokenUse
from .record import Approval, Batch, Change, Checkpoint, Entry, Erasure, Place, RecordedEdit, TreeNode

__all__ = [
    "Address",
    "Alias",
    "ApiSession",
    "ApiToken",
    "Approval",
    "Batch",
    "Change",
    "Checkpoint",
    "Client",
    "Counted",
    "Delivery",
    "DeviceCode",
    "DkimKey",
    "Domain",
    "Due",
    "Entry",
    "Erasure",
    "Evidence",
    "Freeze",
    "Grant",
    "Invite",
    "Letter",
    "Login",
    "Mailbox",
    "Node",
    "NodeTodo",
    "Observation",
    "Organization",
    "Person",
    "Place",
    "Reading",
    "RecordSet",
    "RecordedEdit",
    "Report",
    "Review",
    "Role",
    "Row",
    "Secret",
    "SecretField",
    "StateModel",
    "Subject",
    "TokenUse",
    "TreeNode",
    "WriteOutsideChange",
]  # fmt: skip
