"""break-glass: prints the two sealed logins, once, on a terminal, to be put on paper and in an envelope each."""

import sys
import time

import click
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.access.tokens import recovery_code
from postroom.changes.errors import ChangeError
from postroom.changes.kinds.people import EndSession
from postroom.changes.kinds.sealed import SealLogin
from postroom.changes.kinds.tokens import EndToken
from postroom.changes.pipeline import submit
from postroom.changes.record import note
from postroom.models import ApiSession, ApiToken, Login, Organization, Person
from postroom.posture.checks.sealed_login import HOW_MANY, PRINTED, printed

LOOK = 2.0  # seconds between two looks for an organization


@click.command("break-glass")
@click.option("--wait", is_flag=True, help="Until the installation is founded; then print them, if never done before.")
@click.option("--anew", is_flag=True, help="Draw all secrets again: what was printed before opens nothing any more.")
def break_glass(wait: bool, anew: bool) -> None:
    """Print the sealed logins. Never into a pipe or a log: on a terminal alone."""
    if not sys.stdout.isatty():
        if wait:
            return  # a service manager's log is no envelope; doctor says that none was printed
        raise click.ClickException("this prints secrets for paper: run it on a terminal")
    founded = _founded(wait)
    if founded is None:
        raise click.ClickException("there is no organization yet: open the link that `postroom up` printed")
    if _printed() and not anew:
        if wait:
            return
        raise click.ClickException("they were printed before; --anew draws them again, and voids what was printed")
    try:
        for number in range(1, HOW_MANY + 1):
            _print(number, *_drawn(_sealed(number, founded)))
    except ChangeError as error:
        raise click.ClickException(str(error)) from None
    click.echo("Put each on paper, in an envelope, in a place of its own. They are shown this once; any use of one\n"
               "is told to every owner.")  # fmt: skip


def _founded(wait: bool) -> Organization | None:
    while True:
        try:
            with acting_as(SYSTEM):
                found: Organization | None = visible(SYSTEM, Organization).first()
        except (DatabaseError, InterfaceError):
            found = None
        if found or not wait:
            return found
        close_old_connections()
        time.sleep(LOOK)


def _printed() -> bool:
    """Whether each sealed login has its secrets already."""
    with acting_as(SYSTEM):
        return printed() >= HOW_MANY


def _sealed(number: int, organization: Organization) -> Person:
    """The person of a sealed login, made the first time."""
    email = f"sealed-{number}@{organization.postmaster.rpartition('@')[2]}"
    with acting_as(SYSTEM):
        found: Person | None = visible(SYSTEM, Person).filter(email=email).first()
    if found is None:
        change = submit(
            SealLogin(name=f"Sealed login {number}", email=email), actor=SYSTEM, why="printed on the machine"
        )
        if change.version is None:
            raise click.ClickException("; ".join(v["reason"] for v in change.verdicts))
        with acting_as(SYSTEM):
            made: Person = visible(SYSTEM, Person).get(email=email)
            return made
    return found


def _drawn(person: Person) -> tuple[str, str, str]:
    """(address, password, TOTP seed): new ones, in place of any before; that they were drawn is an entry."""
    password, _ = recovery_code()
    seed = generate_totp_secret()
    _ended(person)
    with acting_as(SYSTEM):
        login, _ = Login.objects.get_or_create(person=person, defaults={"email": person.email})
        login.set_password(password)
        login.save()
        EmailAddress.objects.get_or_create(user=login, email=person.email, defaults={"verified": True, "primary": True})
        Authenticator.objects.filter(user=login).delete()
        TOTP.activate(login, seed)
        note(PRINTED, client=None, person=str(person.pk))
    return person.email, password, seed


def _ended(person: Person) -> None:
    """Whatever was opened by what was printed before: terminals and tokens too; browsers end with the password."""
    with acting_as(SYSTEM):
        mine = {"person": person, "ended_at": None}
        sessions = list(visible(SYSTEM, ApiSession).filter(**mine).values_list("pk", flat=True))
        tokens = list(visible(SYSTEM, ApiToken).filter(**mine).values_list("pk", flat=True))
    kinds = [*(EndSession(session=str(pk)) for pk in sessions), *(EndToken(token=str(pk)) for pk in tokens)]
    for kind in kinds:
        change = submit(kind, actor=SYSTEM, why="its sealed login is printed anew")
        if change.version is None:
            raise click.ClickException("; ".join(v["reason"] for v in change.verdicts))


def _print(number: int, email: str, password: str, seed: str) -> None:
    click.echo(f"\nSealed login {number} of {HOW_MANY}, at {settings.POSTROOM.origin}/sign-in/")
    for label, value in (("Address", email), ("Password", password), ("Authenticator key (TOTP)", _in_fours(seed))):
        click.echo(f"  {label:26} {value}")
    click.echo("")


def _in_fours(seed: str) -> str:
    return " ".join(seed[at : at + 4] for at in range(0, len(seed), 4))
