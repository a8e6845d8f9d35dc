"""Members of the cast at the pages, through Django's own client: signed in, with a second factor or without one."""

from __future__ import annotations

from uuid import UUID

from django.test import Client

import postroom.web.urls  # noqa: F401  as in a web process: what notes a sign-in is connected before the first one
from cast import House, do, the
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.models import Entry, Freeze, Login, Person
from postroom.posture.findings import Found, observed
from postroom.web.signing import login_of
from postroom.web.step_up import BY_LINK

CAST = ("oskar", "olive", "ada", "henry", "audrey", "carl")
PASSWORD = "two plain words"


def login(actor: Actor, password: str | None = None) -> Login:
    with acting_as(SYSTEM):
        return login_of(Person.objects.get(pk=actor.person), password)


def visitor(actor: Actor | None = None, *, factor: bool = True, **more: object) -> Client:
    """A browser; `factor`: signed in by a link that stands for both factors."""
    client = Client(SERVER_NAME="localhost", **more)
    if actor is not None:
        client.force_login(login(actor), backend="allauth.account.auth_backends.AuthenticationBackend")
        if factor:
            session = client.session
            session[BY_LINK] = True
            session.save()
    return client


def samples(house: House) -> dict[str, str]:
    """A value for each argument that an address takes: objects of the cast, a held change, one to review, an invite."""
    box = do("mailboxes.create", house.olive, address="nia@acme.example", name="Nia", contact="nia@home.test")
    held = do("mailboxes.remove", house.olive, mailbox="nia@acme.example")
    do("freezes.start", house.olive, scope="acme", reason="a test")
    reviewed = do("freezes.end", house.olive, freeze=str(the(Freeze).pk))
    return {
        "change": str(held.pk),
        "reviewed": str(reviewed.pk),
        "made": str(box.pk),
        "entry": str(entry_of(house.carl)),
        "invite": str(invite_of(house.olive)),
        "verification": str(verification_at_acme(house)),
        "batch": str(UUID(int=7)),
        "finding": str(found_at_acme()),
        **{"review": str(round_at_acme("access_reviews.open")), "roster": str(round_at_acme("rosters.open"))},
    }


def verification_at_acme(house: House) -> UUID:
    """A verified reset that the helpdesk started; its mailbox's owner has set a secret."""
    from cast import redeemed
    from postroom.models import Verification

    do("mailboxes.create", house.olive, address="rex@acme.example", contact="rex@home.test")
    redeemed("rex@acme.example")
    do("resets.start", house.henry, mailbox="rex@acme.example", ticket="T-1")
    return the(Verification, mailbox__address__address="rex@acme.example").pk


def round_at_acme(kind: str) -> UUID:
    """An access review or a roster, just opened."""
    from postroom.models import Round

    done = do(kind, SYSTEM, client="acme")
    with acting_as(SYSTEM):
        return Round.objects.get(client=done.client_id, sort="roster" if "roster" in kind else "access review").pk


def found_at_acme() -> UUID:
    """Something wrong at Acme."""
    from postroom.models import Domain, Finding

    acme = the(Domain, name="acme.example")
    evidence = {"before": {"ttl": 3600}, "after": {"ttl": 60}, "server": "ns1.acme.example"}
    observed("t.sample", [Found("high", "domains", acme.pk, acme.name, "A TTL moved", client=acme.client_id,
                                domain=acme.pk, evidence=evidence, kind="domains.change",
                                params={"domain": acme.name})])  # fmt: skip
    with acting_as(SYSTEM):
        return Finding.objects.get(check_name="t.sample", closed_at=None).pk


def entry_of(actor: Actor) -> int:
    """One that everybody of the cast may read."""
    with acting_as(actor):
        return Entry.objects.latest("id").pk


def invite_of(actor: Actor) -> UUID:
    from postroom.models import Invite

    with acting_as(actor):
        return Invite.objects.filter(mailbox__isnull=False, used_at=None, ended_at=None).latest("made").pk
