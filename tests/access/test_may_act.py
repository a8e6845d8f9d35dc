"""Who may act at a client, as whoever sees the client as a whole may know it: by name, and of no other client."""

from datetime import UTC, datetime, timedelta

from cast import House, do, person
from postroom.access.acting import SYSTEM, Actor, acting_as, may_act

SOON = (datetime.now(UTC) + timedelta(days=30)).isoformat()


def seen(actor: Actor, client: str) -> set[tuple[str, str, str, bool, str | None]]:
    with acting_as(SYSTEM):
        from postroom.models import Client

        which = Client.objects.get(slug=client).pk
    with acting_as(actor):
        return {(one.sort, one.name, one.role, one.here, one.domain) for one in may_act(which)}


def test_the_whole_of_a_client_and_nothing_of_another(house: House) -> None:
    for name, role, at in (
        ("Amy", "client admin", {"client": "acme"}),
        ("Dora", "operator", {"domain": "acme.example"}),
        ("Greg", "client viewer", {"client": "globex"}),
    ):
        do("people.invite", house.oskar, name=name, email=f"{name.lower()}@x.example")
        given = do("grants.give", house.oskar, person=f"{name.lower()}@x.example", role=role, **at)
        if given.stage == "held":
            from cast import with_consent

            with_consent(house, given)
    amy, dora, greg = (person(f"{name}@x.example", house.oskar) for name in ("amy", "dora", "greg"))
    do("tokens.create", house.olive, secrets={"token": "5" * 64}, name="CI", permissions=["domains.view"], until=SOON)
    do("tokens.create", house.oskar, secrets={"token": "6" * 64}, name="G", permissions=["domains.view"],
       clients=["globex"], until=SOON)  # fmt: skip
    do("people.suspend", house.oskar, person="henry@northlight.example")

    acme = seen(amy, "acme")
    assert acme == {
        ("role", "Oskar", "owner", False, None), ("role", "Olive", "operator", False, None),
        ("role", "Ada", "approver", False, None), ("role", "Audrey", "auditor", False, None),
        ("role", "Carl", "client admin", True, None), ("role", "Amy", "client admin", True, None),
        ("role", "Dora", "operator", True, "acme.example"), ("token", "Olive", "CI", False, None),
    }  # fmt: skip
    assert ("token", "Oskar", "G", True, None) in seen(greg, "globex"), "its own, since it names that client alone"
    for actor, client in ((amy, "globex"), (greg, "acme"), (dora, "acme"), (dora, "globex")):
        assert seen(actor, client) == set(), (actor.name, client)
    assert {one[1] for one in seen(greg, "globex")} == {"Oskar", "Olive", "Ada", "Audrey", "Greg"}
    assert seen(house.oskar, "acme") == acme
