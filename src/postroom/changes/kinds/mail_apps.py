"""Mail apps: who may ask, whom an owner let in, and by which key the tokens they get are known to mail nodes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from django.db.models import Q
from pydantic import AfterValidator, Field

from postroom.changes.errors import Problem
from postroom.changes.kind import ASKED, Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Client, Credential, Invite, MailApp, Mailbox, TokenKey
from postroom.models.credentials import OAUTH
from postroom.models.recovery import half_set_up
from postroom.protocols.redirects import redirect_uri

from .app_passwords import HALF, LET_IN, MOST, ended, told_of
from .fields import ClientRef, ConsentRef, Line, MailAppRef, Moment, Name

LONGEST = timedelta(days=366)
OVERLAP = timedelta(minutes=20)  # what an older key signed is good to its end, and clocks differ
Redirect = Annotated[Line, AfterValidator(redirect_uri)]


class AddMailApp(Kind, name="mail_apps.add"):
    """A mail app that may ask owners of mailboxes to be let in, without their password. It keeps no secret of ours, and
    is known by where its users come back to.
    """

    step_up = frozenset({ASKED})
    name: Name = Field(max_length=60, description="As owners of mailboxes know it: Thunderbird")
    redirect_uris: list[Redirect] = Field(
        min_length=1, max_length=10,
        description="Where its users come back to: https://…, http://127.0.0.1/… for any port, or a scheme of its own",
    )  # fmt: skip

    def plan(self, state: State) -> Iterator[Planned]:
        if state.rows(MailApp, name=self.name, ended_at=None).exists():
            raise Problem("name", "there is one of this name; end it, or call this one otherwise")
        uris = sorted(set(self.redirect_uris))
        yield create(MailApp, state.new_id(), name=self.name, redirect_uris=uris, made=state.now)


class EndMailApp(Kind, name="mail_apps.end"):
    """A mail app asks nobody any more and gets no further tokens; all that let it in ends, at every client."""

    mail_app: MailAppRef

    def plan(self, state: State) -> Iterator[Planned]:
        app = state.get(MailApp, self.mail_app, where="mail_app")
        if app.ended_at is None:
            yield edit(app, ended_at=state.now)


class GrantConsent(Kind, name="consents.grant"):
    """Let a mail app into your mailbox without your password, for mail alone. It can be taken back by itself."""

    by = frozenset({"owner"})
    mints = True
    app: MailAppRef
    name: Name = Field(max_length=80, description="The device, as you will know it again")
    protocols: list[Literal["imap", "submission", "managesieve"]] = Field(
        min_length=1, description="imap: read mail; submission: send it; managesieve: filters"
    )
    until: Moment = Field(description="When it ends by itself, within a year")

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = state.get(Mailbox, state.actor.mailbox or "", where="name")
        app = state.get(MailApp, self.app, where="app")
        if app.ended_at:
            raise Problem("app", f"{app.name} asks nobody any more")
        if mailbox.removed_at or mailbox.suspended_at or mailbox.kind == "shared":
            raise Problem("name", f"{mailbox.label} lets nobody in")
        if half_set_up(state.rows(Invite), mailbox.pk):
            raise Problem("name", HALF)
        if not state.now < self.until <= state.now + LONGEST:
            raise Problem("until", "it ends within a year, and not in the past")
        live = [one for one in state.hanging(Credential, "mailbox_id", mailbox.pk) if not one.ended_at]
        if self.name in {one.name for one in live}:
            raise Problem("name", "there is one of this name; end it, or call this one otherwise")
        if len(live) >= MOST:
            raise Problem("name", f"there are {MOST}; end those that are not used any more")
        yield create(
            Credential, state.new_id(), client_id=mailbox.client_id, mailbox_id=mailbox.pk, sort=OAUTH, app_id=app.pk,
            name=self.name, protocols=sorted(set(self.protocols)), until=self.until, made=state.now,
        )  # fmt: skip
        yield from told_of(mailbox, LET_IN, state)


class EndConsent(Kind, name="consents.end"):
    """Take back that a mail app may sign in: it is signed out at once and gets no more tokens; no other is touched."""

    by = frozenset({"person", "owner", "system"})
    consent: ConsentRef

    def plan(self, state: State) -> Iterator[Planned]:
        one = state.get(Credential, self.consent, where="consent")
        if one.sort != OAUTH:
            raise Problem("consent", "that is an app password")
        yield from ended(one, state)


class EndAllConsents(Kind, name="consents.end_all"):
    """A mail app was ended: what owners of one client's mailboxes let it in by ends, and it is signed out there."""

    by = frozenset({"system"})
    client: ClientRef
    mail_app: MailAppRef

    def plan(self, state: State) -> Iterator[Planned]:
        client = state.get(Client, self.client, where="client")
        app = state.get(MailApp, self.mail_app, where="mail_app")
        if app.ended_at is None:
            raise Problem("mail_app", f"{app.name} was not ended")
        for one in state.rows(Credential, client_id=client.pk, app_id=app.pk, ended_at=None).order_by("id"):
            yield from ended(one, state)


class ChangeTokenKey(Kind, name="token_keys.change"):
    """Another key signs tokens from now on; those before it sign no more, and what they signed is good to its end."""

    by = frozenset({"system"})
    kid: Name = Field(pattern=r"^[A-Za-z0-9_-]{20,80}$", description="Its thumbprint (RFC 7638)")
    public: str = Field(pattern=r"^[A-Za-z0-9+/]{100,180}={0,2}$", description="The public key: DER, base64")
    issuer: Line = Field(description="Who signs by it, as tokens say")

    def plan(self, state: State) -> Iterator[Planned]:
        known = {one.kid: one for one in state.rows(TokenKey).filter(Q(until=None) | Q(kid=self.kid)).order_by("id")}
        for one in known.values():
            if one.kid != self.kid:
                yield edit(one, until=state.now + OVERLAP)
        if self.kid in known:
            yield edit(known[self.kid], issuer=self.issuer, until=None)
            return
        yield create(TokenKey, state.new_id(), kid=self.kid, public=self.public, issuer=self.issuer, made=state.now)
