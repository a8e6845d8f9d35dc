"""State, observations and the record: nouns only, no verbs. Only changes.apply writes state."""

from .base import Observation, Row, SecretField, StateModel, WriteOutsideChange
from .clients import Client, Freeze, Node, Organization
from .domains import Address, DkimKey, Domain, Reading, RecordSet
from .findings import Acceptance, Finding, Look
from .logins import Counted, DeviceCode, Login
from .machinery import Delivery, Due, NodeTodo, Review
from .mailboxes import Alias, Invite, Mailbox, Secret
from .nodes import Evidence, Report
from .people import ApiSession, Grant, Person
from .record import Approval, Batch, Change, Checkpoint, Entry, Place, RecordedEdit, TreeNode

__all__ = [
    "Acceptance",
    "Address",
    "Alias",
    "ApiSession",
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
    "Evidence",
    "Finding",
    "Freeze",
    "Grant",
    "Invite",
    "Login",
    "Look",
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
    "Row",
    "Secret",
    "SecretField",
    "StateModel",
    "TreeNode",
    "WriteOutsideChange",
]  # fmt: skip
