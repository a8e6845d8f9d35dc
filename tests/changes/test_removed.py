"""A removed client, or domain, is restored or closed further, and nothing else is done to it."""

from cast import MIA, House, as_wanted, do, reasons, the, with_consent
from postroom.changes.approvals import undo
from postroom.changes.edit import Edit
from postroom.changes.policies.removed import only_closes
from postroom.changes.policy import Move
from postroom.models import Client

CLIENT, DOMAIN = "Acme is removed: restore it first", "acme.example is removed: restore it first"


def test_at_a_removed_client_nothing_but_restoring_and_closing(house: House) -> None:
    do("grants.give", house.oskar, person="henry@northlight.example", role="client admin", client="acme")
    gone = with_consent(house, do("clients.remove", house.olive, client="acme"))
    for name, params in {
        "clients.change": {"client": "acme", "name": "New"},
        "clients.resume": {"client": "acme"},
        "mailboxes.create": {"address": "leo@acme.example"},
        "mailboxes.change": {"mailbox": MIA, "name": "New"},
        "aliases.create": {"address": "sales@acme.example", "targets": [MIA]},
        "domains.change": {"domain": "acme.example", "registrar": "x"},
        "grants.give": {"person": "audrey@northlight.example", "role": "client admin", "client": "acme"},
    }.items():
        if name == "clients.resume":
            do("clients.suspend", house.oskar, client="acme")
        change = do(name, house.oskar, **params)
        assert (change.stage, reasons(change).split("; ")[0]) == ("refused", CLIENT), name
    assert do("mailboxes.suspend", house.oskar, mailbox=MIA).version
    assert with_consent(house, do("mailboxes.remove", house.olive, mailbox=MIA)).version
    assert do("clients.change", house.oskar, client="globex", name="Globex Ltd").version, "others go on"
    back = undo(gone.pk, actor=house.olive, why="x")
    assert back.version or with_consent(house, back).version
    assert the(Client, slug="acme").removed_at is None
    with_consent(house, do("clients.remove", house.olive, client="acme"))
    assert do("clients.restore", house.oskar, client="acme").version
    assert do("clients.change", house.oskar, client="acme", name="New").version


def test_at_a_removed_domain_too(house: House) -> None:
    as_wanted(house, "acme.example")
    with_consent(house, do("domains.remove", house.olive, domain="acme.example", accept_loss=True))
    for name, params in {
        "domains.change": {"domain": "acme.example", "registrar": "x"},
        "mailboxes.change": {"mailbox": MIA, "name": "New"},
        "mailboxes.resume": {"mailbox": MIA},
        "aliases.change": {"alias": "abuse@acme.example", "targets": [MIA]},
    }.items():
        if name == "mailboxes.resume":
            assert do("mailboxes.suspend", house.oskar, mailbox=MIA).version
        change = do(name, house.oskar, **params)
        assert (change.stage, reasons(change).split("; ")[0]) == ("refused", DOMAIN), name
    as_wanted(house, "acme.example")
    back = do("domains.restore", house.olive, domain="acme.example")
    assert back.version or with_consent(house, back).version
    assert do("mailboxes.change", house.oskar, mailbox=MIA, name="New").version


def test_who_is_told_of_an_end_is_told_with_it_and_never_alone() -> None:
    letter = Move(Edit("letters", "1", None, {"says": "x"}, None), None, {"says": "x"})
    now, then = {"removed_at": None, "targets": [MIA]}, {"removed_at": "2026-12-01T10:00:00+00:00", "targets": [MIA]}
    gone = Move(Edit("aliases", "2", {"removed_at": None}, {"removed_at": then["removed_at"]}, None), now, then)
    assert only_closes([gone]) and only_closes([gone, letter])
    assert not only_closes([letter]) and not only_closes([])
