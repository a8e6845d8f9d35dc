"""The small requests of the demo's day, which most changes are: a short address, a full mailbox, another name."""

from collections.abc import Iterator

from .going_on import routes
from .portfolio import ACME_ADMIN, GLOBEX_ADMIN, HELPDESK, NAMES, OPERATOR, OWNER, REGISTRARS, Step, address_of

ADMINS = {"acme.example": ACME_ADMIN, "globex.example": GLOBEX_ADMIN}
TITLES = ("Dr.", "Prof.", "Ing.")


def requests() -> Iterator[Step]:
    for domain, names in NAMES.items():
        yield from _of_people(domain, names)
    yield from _absences()
    yield from _found_out()
    yield from routes()


def _of_people(domain: str, names: list[str]) -> Iterator[Step]:
    """What people ask the client's own administrator for, where there is one."""
    admin = ADMINS.get(domain, OPERATOR)
    for place, name in enumerate(names):
        box = address_of(name, domain)
        if place % 3 == 0:
            short = f"{name.split()[0].lower()}@{domain}"
            yield Step(admin, "aliases.create", {"address": short, "targets": [box]}, f"{name} wants a short address")
        if place % 4 == 2:
            yield Step(OPERATOR, "mailboxes.change", {"mailbox": box, "quota_mb": 15_000}, "mailbox nearly full")
        if place % 5 == 3:
            titled = f"{TITLES[place % 3]} {name}"
            yield Step(admin, "mailboxes.change", {"mailbox": box, "name": titled}, "as on the business card")


def _absences() -> Iterator[Step]:
    for name, domain, why in (
        ("Noor Haddad", "acme.example", "sabbatical; nobody shall sign in meanwhile"),
        ("Felix Kurz", "globex.example", "laptop lost at the airport"),
        ("Drew Hill", "initech.example", "phone in repair, wiped to be safe"),
        ("Ruth Abel", "acme.example", "odd sign-ins; asked to wait"),
    ):
        box = address_of(name, domain)
        yield Step(HELPDESK, "mailboxes.suspend", {"mailbox": box}, why)
        yield Step(OPERATOR, "mailboxes.suspend", {"mailbox": box}, f"{why}; asked again by the client")
        yield Step(OPERATOR, "mailboxes.resume", {"mailbox": box}, "owner confirmed by call-back")
    for name in ("Luis Ortega", "Elif Demir"):
        mistyped = {"mailbox": address_of(name, "acme.example"), "quota_mb": 1_000}
        yield Step(OPERATOR, "mailboxes.change", mistyped, "typed in the wrong line", then="undo", who=OPERATOR)


def _found_out() -> Iterator[Step]:
    """Who holds what, as it comes to light; and the clients' own wishes."""
    for domain, holder in (
        ("acme.example", "Acme, IT"), ("acme-shop.example", "the web agency of Acme"), ("globex.example", "Northlight"),
        ("globex-travel.example", "a former employee; asked"), ("initech.example", "Namehouse, by their account"),
        ("initech-law.example", "unknown; asked the client"),
    ):  # fmt: skip
        yield Step(OPERATOR, "domains.change", {"domain": domain, "dns_holder": holder}, "found out on the phone")
    for client, ends in (("acme", "2027-03-31"), ("globex", "2027-06-30")):
        read = {"domain": f"{client}.example", "expires_on": ends, **REGISTRARS[client]}
        yield Step(OPERATOR, "domains.change", read, "read off the registrar's invoice")
    yield Step(
        OWNER, "clients.change", {"client": "acme", "notes": "Machine parts. Freeze before audits in May."}, "call"
    )
    yield Step(OWNER, "clients.change", {"client": "initech", "security_contact": "it@initech.example"}, "letter")
