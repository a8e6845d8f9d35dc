"""What a kind of change is called, and one change by its parameters; a kind without words here goes by its own name."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from postroom.changes.kind import KINDS, Kind
from postroom.web.parts.plain import NOUNS

# kind → what can be done, in words; and with the parameters in it, what one change does.
WORDS: dict[str, tuple[str, str]] = {
    "organization.found": ("Found the organization", "Found {name}"),
    "organization.change": ("Change the organization", "Change the organization"),
    "nodes.add": ("Add a node", "Add node {node}"),
    "nodes.drain": ("Drain a node", "Drain node {node}"),
    "nodes.remove": ("Take out a node", "Take out node {node}"),
    "clients.create": ("Add a client", "Add client {name}"),
    "clients.change": ("Change a client", "Change client {client}"),
    "clients.place": ("Give a client its home node", "Place {client} on {node}"),
    "clients.suspend": ("Suspend a client", "Suspend client {client}"),
    "clients.resume": ("Resume a client", "Resume client {client}"),
    "clients.remove": ("Remove a client", "Remove client {client}"),
    "clients.restore": ("Restore a client", "Restore client {client}"),
    "clients.mail_checkpoint": ("Mail a client its checkpoint", "Mail the newest checkpoint to the security contact"),
    "domains.add": ("Add a domain", "Add domain {name}"),
    "domains.change": ("Change what is known of a domain", "Change domain {domain}"),
    "domains.suspend": ("Suspend a domain", "Suspend domain {domain}"),
    "domains.resume": ("Resume a domain", "Resume domain {domain}"),
    "domains.remove": ("Remove a domain", "Remove domain {domain}"),
    "domains.restore": ("Restore a domain", "Restore domain {domain}"),
    "domains.prove": ("Note the proof of a domain", "Proof of {domain} read"),
    "record_sets.set": ("Set records", "Set {type} {name} in {domain}"),
    "record_sets.release": ("Stop answering for a record set", "Release record set {record_set}"),
    "dkim_keys.make": ("Make a signing key", "Make signing key for {domain}"),
    "dkim_keys.rotate": ("Rotate signing keys", "Rotate the signing keys of {domain}"),
    "dkim_keys.retire": ("Retire a signing key", "Retire signing key {key}"),
    "dkim_keys.revoke": ("Revoke a signing key", "Revoke signing key {key} of {domain}"),
    "dkim_keys.activate": ("Sign with a key", "Sign with key {key}"),
    "mailboxes.create": ("Add mailboxes", "Add mailbox {address}"),
    "mailboxes.change": ("Change a mailbox", "Change mailbox {mailbox}"),
    "mailboxes.suspend": ("Suspend mailboxes", "Suspend mailbox {mailbox}"),
    "mailboxes.resume": ("Resume mailboxes", "Resume mailbox {mailbox}"),
    "mailboxes.end_sessions": ("End sessions of a mailbox", "End sessions of {mailbox}"),
    "mailboxes.remove": ("Remove mailboxes", "Remove mailbox {mailbox}"),
    "mailboxes.restore": ("Restore a mailbox", "Restore mailbox {mailbox}"),
    "mailboxes.transfer": ("Give a mailbox to another owner", "Give mailbox {mailbox} to {contact}"),
    "aliases.create": ("Add aliases", "Add alias {address}"),
    "aliases.change": ("Change an alias", "Change alias {alias}"),
    "aliases.remove": ("Remove an alias", "Remove alias {alias}"),
    "domains.set_alias": ("Make a domain an alias of another", "Make {domain} an alias of {of}"),
    "forwards.create": ("Forward mail", "Forward {address} to {to}"),
    "forwards.change": ("Change the end of a forward", "Change the end of {forward}"),
    "forwards.disable": ("Disable a forward", "Disable {forward}"),
    "forwards.enable": ("Enable a forward", "Enable {forward}"),
    "forwards.end": ("End a forward", "End {forward}"),
    "forwards.tell_owner": ("Tell owners that their mail leaves", "Tell the owner of {mailbox} that mail leaves"),
    "forwards.replace": ("Replace by access", "Let {to} open the mailbox instead of passing mail of {address} on"),
    "forwards.stop": ("Disable or end ways out", "Let nothing at {address} pass mail on to {target}"),
    "forwards.give_way": ("End what access replaces", "End what access {delegation} replaces"),
    "exceptions.create": ("Let mail leave by an exception", "Let mail of {address} go to {target}"),
    "exceptions.end": ("End an exception", "End the exception {exception}"),
    "transports.create": ("Hand mail to another server", "Hand mail of {address} to {host}"),
    "transports.end": ("Hand mail over no more", "End the transport {transport}"),
    "catch_alls.set": ("Set a catch-all", "Catch all of {domain} for {target}"),
    "catch_alls.end": ("End a catch-all", "End the catch-all of {catch_all}"),
    "destinations.create": ("Name a destination", "Name the destination {name} of {client}"),
    "destinations.change": ("Change a destination", "Change the destination {destination}"),
    "destinations.end": ("End a destination", "End the destination {destination}"),
    "probes.send": ("Send a probe", "Send a probe to {address}"),
    "filters.write": ("Write a filter of one’s own", "Write a filter of one’s own"),
    "filters.set": ("Set a filter or an auto-reply", "Set a filter at {mailbox}"),
    "filters.end": ("End a filter", "End the filter at {mailbox}"),
    "redirects.stop": ("Stop a redirect of a filter", "Stop filters of {mailbox} passing mail on to {target}"),
    "redirects.resume": ("Let a redirect of a filter go on", "Let filters of {mailbox} pass mail on to {target} again"),
    "delegations.ask": ("Ask for access to a mailbox", "Let {to} have access to {mailbox}"),
    "delegations.consent": ("Consent to access", "Consent to access {delegation}"),
    "delegations.decline": ("Decline access", "Decline access {delegation}"),
    "delegations.end": ("End access to a mailbox", "End access {delegation}"),
    "invites.send": ("Invite the owner of a mailbox", "Invite the owner of {mailbox}"),
    "invites.issue": ("Make a new link", "Make a link {invite}"),
    "invites.resend": ("Send an invite again", "Send the invite {invite} again"),
    "invites.redirect": ("Send an invite to somebody else", "Send the invite {invite} to {contact}"),
    "invites.cancel": ("Cancel an invite", "Cancel the invite {invite}"),
    "secrets.change": ("Choose another password for one's mailbox", "The owner chose another password"),
    "secrets.renew": ("Make another recovery code", "The owner made another recovery code"),
    "secrets.reset": ("Get a mailbox back", "The owner got the mailbox back"),
    "mailboxes.forgot": ("Mail links to a mailbox's recovery addresses", "Somebody cannot get into {email}"),
    "invites.remind": ("Remind of an invite", "Remind of the invite {invite}"),
    "invites.redeem": ("Set the secret of a mailbox", "Owner set the secret"),
    "doubts.raise": ("Say that one does not know it", "The owner does not know what was done"),
    "doubts.settle": ("Settle what an owner did not know", "Settled, what the owner did not know: {outcome}"),
    "app_passwords.create": ("Make an app password", "Make the app password {name}"),
    "mail_apps.add": ("Add a mail app", "Add the mail app {name}"),
    "mail_apps.end": ("End a mail app", "End the mail app {mail_app}"),
    "consents.grant": ("Let a mail app in", "Let a mail app in: {name}"),
    "consents.end": ("End what a mail app was let in by", "End the consent {consent}"),
    "consents.end_all": ("End all that let a mail app in", "End what let {mail_app} into mailboxes of {client}"),
    "token_keys.change": ("Sign mail apps' tokens with another key", "Sign mail apps' tokens with {kid}"),
    "app_passwords.end": ("End an app password", "End the app password {app_password}"),
    "clients.ask_contact": ("Ask whether a security contact is read still", "Ask the security contact of {client}"),
    "domains.ask_contact": (
        "Ask whether a registrar's address is read still",
        "Ask the registrar's address of {domain}",
    ),
    "recovery_channels.name": ("Name a recovery channel", "Name {value} to recover {mailbox}"),
    "recovery_channels.ask": ("Ask whether a recovery channel is read still", "Ask whether {channel} is read still"),
    "recovery_channels.issue": ("Make a link of a recovery channel", "Make a link {confirmation}"),
    "recovery_channels.confirm": ("Confirm a recovery channel", "Recovery channel confirmed"),
    "recovery_channels.end": ("End a recovery channel", "End the recovery channel {channel}"),
    "resets.start": ("Start a verified reset", "Verify the owner of {mailbox}"),
    "resets.record_call": ("Record a call-back", "Call-back recorded for {verification}: {answer}"),
    "resets.vouch": ("Vouch for an owner", "The client’s admin on {verification}: {answer}"),
    "resets.send_link": ("Send the link of a verified reset", "Send the link of {verification} to {contact}"),
    "resets.end": ("End a verified reset", "End {verification}"),
    "resets.declare_emergency": ("Declare an emergency at a reset", "An emergency at {verification}: {reason}"),
    "resets.waive_wait": ("Let the wait of a reset go", "The client’s admin lets the wait of {verification} go"),
    "resets.ask_code": ("Mail a code to read out", "Mail a code of {verification}"),
    "resets.issue_code": ("Draw a code to read out", "Draw the code {code}"),
    "resets.enter_code": ("Type the code that was read out", "A code was typed for {verification}"),
    "people.invite": ("Invite a person", "Invite {name}"),
    "people.change": ("Change a person", "Change {person}"),
    "people.suspend": ("Suspend a person", "Suspend {person}"),
    "people.resume": ("Resume a person", "Resume {person}"),
    "people.remove": ("Remove a person", "Remove {person}"),
    "people.restore": ("Restore a person", "Restore {person}"),
    "people.enrol": ("Make a sign-in", "Sign-in made from a link"),
    "people.forgot": ("Send a link to get a sign-in back", "A link to get the sign-in of {email} back"),
    "people.issue_recovery": ("Make a new link of a recovery", "Make a link of a recovery"),
    "people.recover": ("Give a sign-in back", "Give {person} a new sign-in"),
    "people.regain": ("Get a sign-in back", "Sign-in back by a link"),
    "people.seal": ("Make a sealed login", "Make {name}"),
    "people.print_link": ("Print a sign-in link", "Print a sign-in link for {person}"),
    "notices.send": ("Tell of a change that nobody could approve", "Tell who has to know that a change waits"),
    "notices.issue": ("Make a new link of a notice", "Make a link of a notice"),
    "notices.stop": ("Say that it was not you", "Stopped by a notice: this was not me"),
    "grants.give": ("Give a role", "Give {person} the role {role}"),
    "grants.end": ("End a role", "End the role {grant}"),
    "grants.elevate": ("Ask for a role for some hours", "Ask for the role {role} for {hours} hours"),
    "roles.create": ("Make a role of your own", "Make the role {name}"),
    "roles.change": ("Change a role of your own", "Change the role {role}"),
    "roles.end": ("End a role of your own", "End the role {role} for everybody"),
    "tokens.create": ("Make an API token", "Make the API token {name}"),
    "tokens.end": ("End an API token", "End the API token {token}"),
    "access.suspend": ("Close a client to the organization", "Close client {client} to the organization"),
    "access.resume": ("Open a client to the organization again", "Open client {client} to the organization again"),
    "devices.register": ("Register a device", "Register a device of {person}: {browser}"),
    "people.tell_of_factor": ("Tell of a second factor", "Tell {person} of a second factor"),
    "devices.forget": ("Forget a device", "Forget the device {device}"),
    "sessions.open": ("Open a session", "Open a session for {person}"),
    "sessions.end": ("End sessions", "Sign out {person} {session}"),
    "nodes.deliver_again": ("Write an object at a node again", "Write {object} again at the node {node}"),
    "freezes.start": ("Start a freeze", "Freeze {scope}"),
    "freezes.end": ("End a freeze", "End the freeze {freeze}"),
    "findings.acknowledge": ("Acknowledge a finding", "Acknowledge a finding {finding}"),
    "findings.accept": ("Accept a finding", "Accept a finding {finding}"),
    "findings.reopen": ("Reopen a finding", "Reopen a finding {finding}"),
    "findings.lapse": ("End what was accepted until now", "Acceptance of a finding ended {acceptance}"),
    "access_reviews.open": ("Open an access review", "Open the access review of {client}"),
    "access_reviews.sign": ("Sign a line of an access review", "Sign {line}: {answer}"),
    "rosters.open": ("Open a roster", "Open the roster of {client}"),
    "rosters.answer": ("Answer a line of a roster", "Roster: {line} {answer}"),
    "record.erase": ("Erase from the record", "Erase from the record: {reason}"),
    "history.roll_back": ("Undo a change", "Undo an earlier change"),
}
# Where a kind's noun is no table's name.
TABLES = {
    "findings": "acceptances",
    "organization": "organizations",
    "sessions": "api_sessions",
    "notices": "invites",
    "tokens": "api_tokens",
    "app_passwords": "credentials",
    "consents": "credentials",
    "access": "clients",
    "record": "erasures",
    "access_reviews": "rounds",
    "rosters": "rounds",
    "resets": "verifications",
}
ICONS = {"history": "arrow-back-up"}
Named = Callable[[Any], str]


def called(kind: str) -> str:
    """What can be done: *Suspend mailboxes*; a kind nobody has named is spelt out."""
    noun, _, verb = kind.partition(".")
    return WORDS[kind][0] if kind in WORDS else f"{verb} {noun}".replace("_", " ").capitalize()


def title(kind: str, params: Any, named: Named = str, undone: tuple[str, Any] | None = None) -> str:
    """What one change does: *Suspend mailbox mia@acme.example*, *… and 11 more*. `named` puts words to ids.

    undone: kind and parameters of what it takes back, where it is an undo that is known.
    """
    if undone:
        return f"Undo: {title(*undone, named)}"
    listed = params if isinstance(params, list) else [params]
    first: Mapping[str, Any] = listed[0] if listed and isinstance(listed[0], dict) else {}
    words = _filled(kind, first, named)
    return f"{words} and {len(listed) - 1} more" if len(listed) > 1 else words


def _filled(kind: str, params: Mapping[str, Any], named: Named) -> str:
    if kind not in WORDS:
        return called(kind)
    words = " ".join(WORDS[kind][1].format_map(_Said(params, named)).split())
    return words if " " in words else called(kind)  # a verb alone says nothing: its object is known by an id


class _Said(dict[str, str]):
    """Parameters as they are said: a word as it is, an id by its name, nothing where there is none."""

    def __init__(self, params: Mapping[str, Any], named: Named) -> None:
        super().__init__({name: _said(value, named) for name, value in params.items()})

    def __missing__(self, key: str) -> str:
        return ""


def _said(value: Any, named: Named) -> str:
    text = "" if value is None else str(value)
    try:
        UUID(text)
    except ValueError:
        return text[:120] + ("…" if len(text) > 120 else "")
    words = named(text)
    return "" if words == text else words


def icon_of(kind: str) -> str:
    noun = kind.partition(".")[0]
    return ICONS.get(noun) or NOUNS.get(TABLES.get(noun, noun), ("", "point"))[1]


def does(kind: type[Kind]) -> str:
    """A kind's docstring, as one line."""
    return " ".join((kind.__doc__ or "").split())


def kind_of(name: str) -> type[Kind] | None:
    return KINDS.get(name)
