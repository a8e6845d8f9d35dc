"""Sign-ins and sessions of Mia's, or of another's, as mx1's report leaves them in the database."""

from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from cast import MIA, House, app_password, let_in, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Credential, LiveSession, Mailbox, Node, Report, SignIn

NUMBERS = count(1)


def _about(of: str) -> dict[str, Any]:
    mailbox = the(Mailbox, address__address=of)
    with acting_as(SYSTEM):
        domain = Mailbox.objects.values_list("address__domain_id", flat=True).get(pk=mailbox.pk)
    return {
        "client_id": mailbox.client_id,
        "mailbox_id": mailbox.pk,
        "domain_id": domain,
        "node": the(Node, name="mx1"),
    }


def sign_in(of: str = MIA, **said: Any) -> None:
    about = _about(of)
    with acting_as(SYSTEM):
        said = {"protocol": "imap", "address": "192.0.2.7", "success": True, "at": timezone.now(), **said}
        SignIn.objects.create(number=next(NUMBERS), **about, **said)


def devices_used(house: House) -> Credential:
    """Mia's phone, which is given back: it read mail, then sent some; after that somebody only tried with it. Her
    laptop, a mail app that read mail once; and one in a drawer, which nobody used."""
    phone, laptop = app_password(MIA, "Phone"), let_in(house, MIA, "Laptop")
    app_password(MIA, "Drawer")
    sign_in(address="192.0.2.1", credential=f"app:{phone.pk}")
    sign_in(address="192.0.2.9", credential=f"app:{phone.pk}", protocol="submission")
    sign_in(address="192.0.2.8", credential=f"app:{phone.pk}", success=False)
    sign_in(address="198.51.100.4", credential=f"oauth:{laptop.pk}")
    return phone


def listed(*addresses: str, ago: int = 0) -> None:
    """The node has listed who is in: Mia, from these addresses."""
    about = _about(MIA)
    with acting_as(SYSTEM):
        at = timezone.now() - timedelta(seconds=ago)
        LiveSession.objects.all().delete()
        Report.objects.filter(sort="sessions").delete()
        for n, address in enumerate(addresses):
            LiveSession.objects.create(key=f"imap {n}", protocol="imap", address=address, since=at, at=at, **about)
        Report.objects.create(node=about["node"], sort="sessions", facts={"open": len(addresses)}, at=at)


def also_in(of: str, address: str, **said: Any) -> None:
    """One more session on that list."""
    about, at = _about(of), timezone.now()
    with acting_as(SYSTEM):
        more = {"protocol": "imap", "since": at, "at": at, **said}
        LiveSession.objects.create(key=f"imap also {next(NUMBERS)}", address=address, **about, **more)
