"""The demo portfolio: an agency, its clients, a day's work of several people. Every line is a change like any other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

AGENCY = "northlight.example"
FOUND = {
    "name": "Northlight",
    "owner_name": "Nora Light",
    "owner_email": f"owner@{AGENCY}",
    "postmaster": f"postmaster@{AGENCY}",
    "team": [
        {"name": "Olive Brandt", "email": f"operator@{AGENCY}", "role": "operator"},
        {"name": "Ada Okafor", "email": f"approver@{AGENCY}", "role": "approver"},
        {"name": "Henry Moss", "email": f"helpdesk@{AGENCY}", "role": "helpdesk"},
        {"name": "Audrey Lind", "email": f"auditor@{AGENCY}", "role": "auditor"},
    ],
}
OWNER, OPERATOR, APPROVER = f"owner@{AGENCY}", f"operator@{AGENCY}", f"approver@{AGENCY}"
HELPDESK, AUDITOR = f"helpdesk@{AGENCY}", f"auditor@{AGENCY}"
ACME_ADMIN, GLOBEX_ADMIN = "admin@acme.example", "admin@globex.example"
PEOPLE = (OWNER, OPERATOR, APPROVER, HELPDESK, AUDITOR, ACME_ADMIN, GLOBEX_ADMIN)


@dataclass(frozen=True)
class Step:
    """Who asks for what, and why. then: approve, undo or withdraw it, by whom, or approve it and disable the
    forward that it made; the rest is left as it comes. A span of time in `params` is so far ahead of when it is asked.
    """

    by: str
    kind: str
    params: Any
    why: str
    then: str = ""
    who: str = ""


CLIENTS: dict[str, dict[str, Any]] = {
    "Northlight": {"notes": "Our own mail."},
    "Acme": {
        "may_ask": ["mia.hart@acme.example", ACME_ADMIN],
        "notes": "Machine parts, three sites. Freeze before audits.",
    },
    "Globex": {"may_ask": [GLOBEX_ADMIN], "notes": "Travel; busy in March."},
    "Initech": {"notes": "Law firm: every leaver is sensitive."},
}
CONTACTS = {  # named once somebody reads there: they are written to at once
    "northlight": f"owner@{AGENCY}", "acme": "security@acme.example", "globex": "it@globex.example",
    "initech": "partner@initech.example",
}  # fmt: skip
DOMAINS = {
    "northlight": (AGENCY, "northlight.test"),
    "acme": ("acme.example", "acme-shop.example", "acme.test", "acme-parts.example"),
    "globex": ("globex.example", "globex-travel.example", "globex.test"),
    "initech": ("initech.example", "initech-law.example", "initech.test"),
}
REGISTRARS: dict[str, dict[str, Any]] = {
    "acme": {
        "registrar": "Namehouse",
        "registrar_holder": "Acme, accounts",
        "registrar_account": "acme.domains@home.test",
        "registrar_account_holder": "Acme, Mia Hart",
        "registrar_mfa": "yes",
        "second_holder": "Acme, Mia Hart",
    },
    "globex": {"registrar": "Eastgate Names", "registrar_holder": "Northlight"},
    "initech": {"registrar": "Namehouse", "expires_on": "2027-02-01"},
}
PEOPLE_OF = {
    "acme.example": """Mia Hart, Jonas Weiss, Priya Nair, Tom Albright, Lena Fischer, Marco Ruiz, Sofia Lang, Ben Adler,
        Ines Roth, Karl Brandt, Noor Haddad, Elif Demir, Peter Vogt, Anna Keller, Luis Ortega, Ruth Abel,
        Greta Sommer, Yusuf Aydin""",
    "globex.example": """Grace Lund, Omar Said, Hanna Berg, Viktor Olsen, Clara Stein, Felix Kurz, Nina Holm,
        Paul Ziegler, Rosa Marin, David Frost, Emma Falk, Jan Novak, Sara Blom, Igor Petrov""",
    "initech.example": """Bill Portman, Milton Waddams, Joanna Reyes, Peter Gibbons, Samir Nagheen, Michael Bolt,
        Drew Hill, Tom Smykow, Laura Bird, Steve Orr, Nadia West, Carla Voss""",
    AGENCY: "Nora Light, Olive Brandt, Ada Okafor, Henry Moss, Audrey Lind, Ivo Lenz",
}
NAMES = {domain: [name.strip() for name in names.split(",")] for domain, names in PEOPLE_OF.items()}
TEAMS = {"globex.example": ("Support", "Groups"), "initech.example": ("Office",)}  # several read these, by one sign-in
SHARED = ("sales@acme.example", "parts@acme.example", "bookings@globex.example", "reception@initech.example")
READ_BY = {  # where letters of Postroom's own arrive: to who signs in, and to a client's security contact
    OWNER: "Nora Light", OPERATOR: "Olive Brandt", APPROVER: "Ada Okafor", HELPDESK: "Henry Moss",
    AUDITOR: "Audrey Lind", "security@acme.example": "Mia Hart", "it@globex.example": "Omar Said",
    "it@initech.example": "Samir Nagheen", "partner@initech.example": "Bill Portman",
}  # fmt: skip
VIPS = ("mia.hart@acme.example", "grace.lund@globex.example", "bill.portman@initech.example")


def steps(requests: Iterable[Step] = ()) -> Iterator[Step]:
    """The whole day, in order; `requests` are the small ones that come between."""
    yield from _clients_and_domains()
    for domain in NAMES:
        yield from _mailboxes(domain)
    yield from _people()
    yield from _addresses()
    yield from _a_morning()
    yield from requests
    yield from _an_afternoon()
    yield from _an_evening()


def _clients_and_domains() -> Iterator[Step]:
    for name, known in CLIENTS.items():
        yield Step(OPERATOR, "clients.create", {"name": name, **known}, f"contract with {name} signed")
    for client, names in DOMAINS.items():
        for name in names:
            params = {"client": client, "name": name, **REGISTRARS.get(client, {})}
            yield Step(OPERATOR, "domains.add", params, f"onboarding of {client}")


def _people() -> Iterator[Step]:
    for email, name, client in ((ACME_ADMIN, "Carl Hagen", "acme"), (GLOBEX_ADMIN, "Gina Farrow", "globex")):
        box = {"address": email, "name": name, "kind": "admin", "contact": f"{name.split()[0].lower()}@home.test"}
        yield Step(OPERATOR, "mailboxes.create", box, "where the client's administrator gets our mail")
        invited = {"name": name, "email": email, "client": client}
        yield Step(OWNER, "people.invite", invited, f"{client} wants a hand in its own mail")
        grant = {"person": email, "role": "client admin", "client": client}
        yield Step(OWNER, "grants.give", grant, "named in the contract")


def _mailboxes(domain: str) -> Iterator[Step]:
    """In two changes a domain, as a client would send its list: below the number that needs a second person."""
    every = [_mailbox(name, domain) for name in NAMES[domain]]
    every += [{**_mailbox(name, domain), "kind": "role"} for name in TEAMS.get(domain, ())]
    half = (len(every) + 1) // 2
    yield Step(OPERATOR, "mailboxes.create", every[:half], "list of the client, part one")
    yield Step(OPERATOR, "mailboxes.create", every[half:], "list of the client, part two")


def address_of(name: str, domain: str) -> str:
    return f"{name.lower().replace(' ', '.')}@{domain}"


def _mailbox(name: str, domain: str) -> dict[str, Any]:
    address = address_of(name, domain)
    return {"address": address, "name": name, "contact": address_of(name, "home.test"), "vip": address in VIPS}


def _addresses() -> Iterator[Step]:
    postmaster = {"address": f"postmaster@{AGENCY}", "name": "Postmaster", "kind": "role", "contact": "nora@home.test"}
    yield Step(OWNER, "mailboxes.create", postmaster, "where postmaster@ and abuse@ of every domain arrive")
    for address, name in READ_BY.items():
        reader = {"address": address, "targets": [address_of(name, address.partition("@")[2])]}
        yield Step(OPERATOR, "aliases.create", reader, f"{name} reads it")
    for client, contact in CONTACTS.items():
        named = {"client": client, "security_contact": contact}
        yield Step(OPERATOR, "clients.change", named, "whom to tell, says the contract")
    for address in SHARED:
        shared = {"address": address, "name": address.partition("@")[0].title(), "kind": "shared"}
        yield Step(OPERATOR, "mailboxes.create", shared, "asked by the client")
    for number, (domain, names) in enumerate(NAMES.items()):
        people = [address_of(name, domain) for name in names]
        for what, targets in (("info", people[:2]), ("billing", people[2:3]), ("jobs", people[3:5]), ("all", people)):
            yield Step(OPERATOR, "aliases.create", {"address": f"{what}@{domain}", "targets": targets}, "standard set")
        yield Step(
            ACME_ADMIN if number == 0 else OPERATOR,
            "mailboxes.change",
            {"mailbox": people[1], "quota_mb": 20_000},
            "mailbox nearly full",
        )


def _a_morning() -> Iterator[Step]:
    """Suspensions, changes taken back, refused and held: what a timeline looks like in life."""
    tom, jonas, priya = "tom.albright@acme.example", "jonas.weiss@acme.example", "priya.nair@acme.example"
    yield Step(OPERATOR, "mailboxes.suspend", {"mailbox": tom}, "phone stolen on the train")
    yield Step(OPERATOR, "mailboxes.resume", {"mailbox": tom}, "new phone, owner confirmed by call-back")
    yield Step(OPERATOR, "mailboxes.suspend", {"mailbox": jonas}, "left the company", then="undo", who=OPERATOR)
    yield Step(ACME_ADMIN, "mailboxes.change", {"mailbox": priya, "name": "Priya Nair-Jones"}, "married")
    yield Step(
        OPERATOR, "mailboxes.remove", {"mailbox": "karl.brandt@acme.example"}, "left in May", "approve", APPROVER
    )
    yield Step(OPERATOR, "mailboxes.remove", {"mailbox": "david.frost@globex.example"}, "contract ended")
    yield Step(OPERATOR, "mailboxes.suspend", {"mailbox": VIPS[1]}, "odd sign-ins from abroad")
    yield Step(OWNER, "grants.give", {"person": HELPDESK, "role": "operator", "client": "globex"}, "covers for Olive")
    yield Step(HELPDESK, "mailboxes.suspend", {"mailbox": "nina.holm@globex.example"}, "asked on the phone")
    yield Step(AUDITOR, "aliases.remove", {"alias": "jobs@globex.example"}, "does not look used")
    yield Step(ACME_ADMIN, "aliases.change", {"alias": "abuse@acme.example", "targets": [tom]}, "we read it ourselves")


def _an_afternoon() -> Iterator[Step]:
    """Records: one that would lose mail, one that is fine, one that a second person looks at."""
    yield Step(
        OPERATOR,
        "record_sets.set",
        {"domain": "acme.example", "name": "acme.example", "type": "MX", "values": []},
        "moving the web site",
    )
    yield Step(
        OPERATOR,
        "record_sets.set",
        {"domain": "globex.example", "name": "www.globex.example", "type": "A", "values": ["192.0.2.80"]},
        "the web site of the client",
    )
    yield Step(
        OPERATOR,
        "record_sets.set",
        {
            "domain": "initech.example",
            "name": "_dmarc.initech.example",
            "type": "TXT",
            "values": ["v=DMARC1; p=quarantine; rua=mailto:dmarc@postroom.example"],
        },
        "clean reports for 30 days",
        "approve",
        APPROVER,
    )


def _an_evening() -> Iterator[Step]:
    """A dispute and its freeze, and what still goes through it."""
    yield Step(
        OPERATOR,
        "freezes.start",
        {"scope": "initech", "reason": "partner dispute: no changes without the owner"},
        "call of the managing partner",
    )
    yield Step(
        OPERATOR, "mailboxes.change", {"mailbox": "laura.bird@initech.example", "quota_mb": 30_000}, "mailbox full"
    )
    yield Step(OPERATOR, "mailboxes.suspend", {"mailbox": "steve.orr@initech.example"}, "left in anger")
    yield Step(
        OPERATOR,
        "aliases.change",
        {"alias": "jobs@globex.example", "targets": ["hanna.berg@globex.example"]},
        "new front desk",
        "undo",
        OPERATOR,
    )
    yield Step(OPERATOR, "domains.change", {"domain": "acme.test", "dns_holder": "Acme, IT"}, "found out on the phone")
    yield Step(OPERATOR, "clients.change", {"client": "globex", "notes": "Travel; busy in March. New contact."}, "call")
    yield Step(APPROVER, "access_reviews.open", {"client": "acme"}, "a first look at who may do what")
    yield Step(OPERATOR, "rosters.open", {"client": "acme"}, "their audit asks who is still there")
    yield Step(OPERATOR, "rosters.open", {"client": "globex"}, "agreed with the client: from now on every quarter")
