"""What the sign-in library does, as entries of the record: sign-ins, failures, factors and passwords that change."""

from functools import partial
from typing import Any
from uuid import UUID

from allauth.account.signals import password_changed
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from postroom.access.acting import EVERYTHING, SYSTEM, acting_as
from postroom.changes.kinds.factors import TellOfFactor
from postroom.changes.pipeline import submit
from postroom.changes.record import note
from postroom.models import Login, Mailbox
from postroom.posture.checks.sealed_login import used
from postroom.web.session_limits import began

PRINTED = "printed link, both factors counted as done"


def entered(what: str, login: Any, **facts: Any) -> None:
    """One entry. In a transaction of the library's own it stands or falls with what it is about."""
    person = getattr(login, "person_id", None)
    about = {"person": str(person) if person else "", **facts}
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(EVERYTHING)
        _noted(what, person, getattr(login, "mailbox", None), about)
        return
    with acting_as(SYSTEM):
        _noted(what, person, getattr(login, "mailbox", None), about)


def _noted(what: str, person: UUID | None, mailbox: Mailbox | None, about: dict[str, Any]) -> None:
    if mailbox:
        of_mailbox(what, mailbox.pk, mailbox.client_id, mailbox.label, name="its owner", **about)
        return
    entry = note(what, client=None, **about)
    if person:
        used(person, what, str(about.get("source", "")), entry)


def of_mailbox(what: str, mailbox: UUID, client: UUID, address: str, **facts: Any) -> None:
    """One entry about a mailbox, in its client's record, where it is found by the mailbox. Inside `acting_as`."""
    note(what, client=client, of=mailbox, mailbox=address, **facts)


def signed_in(sender: object, request: HttpRequest, user: Any, **_: object) -> None:
    records = request.session.get("account_authentication_methods") or []
    methods = [str(one.get("type") or one.get("method")) for one in records if isinstance(one, dict)]
    began(request)
    by = getattr(request, "signed_in_by", "") or " and ".join(dict.fromkeys(methods)) or "password"
    entered("signed in", user, by=by, source=request.META.get("REMOTE_ADDR", ""))


def signed_out(sender: object, request: HttpRequest, user: Any, **_: object) -> None:
    if user is not None:
        because = getattr(request, "ended_because", "")
        entered("session ended", user, because=because) if because else entered("signed out", user)


def failed(sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **_: object) -> None:
    """What was typed is not kept: a password may stand in the field for the address."""
    entered("sign-in failed", None, source=request.META.get("REMOTE_ADDR", "") if request else "")


def factor(what: str) -> Any:
    """What became of a second factor is an entry, and a letter to whose it is."""

    def told(sender: object, user: Any, **facts: Any) -> None:
        made = facts.get("authenticator")
        touched(user)
        # From where too: what was ever bound is on record with its source (NIST SP 800-63B-4, 4.1).
        source = str(getattr(facts.get("request"), "META", {}).get("REMOTE_ADDR", ""))
        entered(what, user, factor=str(getattr(made, "type", "")), source=source)
        if made is not None and user.person_id:
            about = {"person": str(user.person_id), "factor": str(made.type), "source": source}
            kind = TellOfFactor.model_validate({**about, "removed": what == GONE})
            transaction.on_commit(partial(submit, kind, actor=SYSTEM, why=what))  # as soon as it stands

    return told


GONE = "factor removed"
ADDED, REMOVED, RESET = factor("factor added"), factor(GONE), factor("factor replaced")


def factor_failed(sender: object, user: Any, **facts: Any) -> None:
    """At sign-in, or where a fresh one is asked for; what was typed is not kept."""
    entered("second factor failed", user, factor=str(getattr(facts.get("authenticator"), "type", "")))


def touched(login: Any) -> None:
    """Whatever link was asked for before is void from now on (changes/recovery.py)."""
    Login.objects.filter(pk=login.pk).update(changed_at=timezone.now())


def changed(sender: object, user: Any, **_: object) -> None:
    touched(user)
    entered("password changed", user)


def connect() -> None:
    """Once, when the URLs are loaded: only the pages sign anybody in."""
    user_logged_in.connect(signed_in)
    user_logged_out.connect(signed_out)
    user_login_failed.connect(failed)
    authentication_failed.connect(factor_failed)
    authenticator_added.connect(ADDED)
    authenticator_removed.connect(REMOVED)
    authenticator_reset.connect(RESET)
    password_changed.connect(changed)
