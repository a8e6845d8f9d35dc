"""An id or a name, in any spelling that would have made it, names an object everywhere."""

from collections.abc import Callable
from typing import Any

from cast import MIA, House, do
from postroom.protocols.refs import address_ref, domain_ref
from postroom.web.badges import spelt

Ask = Callable[[str], Any]
BUECHER = "xn--bcher-kva.example"


def test_names_are_read_as_they_are_made(house: House, at_api: Ask, sql: Any) -> None:
    olive = at_api("olive")
    do("domains.add", house.oskar, client="acme", name="bücher.example")
    do("mailboxes.create", house.oskar, address="x@bücher.example", name="X")
    for name in (f"{BUECHER}", "bücher.example", "BÜCHER.example.", f"{BUECHER}.".upper()):
        done = olive.change("domains.change", {"domain": name, "registrar": name})
        assert done.status_code == 200, (name, done.content)
        assert olive.get(f"/domains/{name}").json()["registrar"] == name
        found = olive.get(f"/mailboxes?client=Acme&domain={name}").json()["items"]
        assert [one["label"] for one in found] == [f"x@{BUECHER}"]
        box = f"X@{name}"
        assert olive.change("mailboxes.change", {"mailbox": box, "name": name}).status_code == 200, box
        assert olive.get(f"/mailboxes/{box}").json()["name"] == name
    ((acme,), (domain,)) = (
        *sql("SELECT id::text FROM clients WHERE slug = 'acme'"),
        *sql(f"SELECT id::text FROM domains WHERE name = '{BUECHER}'"),
    )
    assert olive.get("/clients/ACME").json()["id"] == olive.get(f"/clients/{acme.upper()}").json()["id"] == acme
    assert olive.change("clients.change", {"client": "ACME", "notes": "x"}).status_code == 200
    assert len(olive.get(f"/mailboxes?domain={domain}").json()["items"]) == 1


def test_the_timeline_is_asked_by_names_or_ids(house: House, at_api: Ask, sql: Any) -> None:
    olive, carl = at_api("olive"), at_api("carl")
    done = do("mailboxes.change", house.olive, mailbox=MIA, name="Mia Hart")
    ((acme,), (box,), (who,)) = (
        *sql("SELECT id::text FROM clients WHERE slug = 'acme'"), *sql("SELECT id::text FROM mailboxes WHERE vip = "
        "false AND name = 'Mia Hart'"), *sql("SELECT id::text FROM people WHERE email = 'olive@northlight.example'"),
    )  # fmt: skip

    def ids(api: Any, asked: str) -> list[str]:
        answer = api.get(f"/changes?limit=500&{asked}")
        assert answer.status_code == 200, answer.content
        return [one["id"] for one in answer.json()["items"]]

    assert ids(olive, f"client={acme}") == ids(olive, "client=ACME") == ids(olive, "client=acme") != []
    assert str(done.pk) in ids(olive, f"object={MIA.upper()}") and str(done.pk) in ids(olive, f"object={box}")
    assert set(ids(olive, f"object={box}")) < {*ids(olive, f"object={MIA}"), *ids(olive, "object=acme")}
    assert ids(olive, "object=ACME.example.") and ids(olive, "object=acme")
    assert ids(olive, f"person={who}") == ids(olive, "person=Olive@northlight.example") == [str(done.pk)]
    for nothing in ("object=no@acme.example", "object=%22;--", "client=nobody", "person=x"):
        assert ids(olive, nothing) == []
    assert ids(carl, "object=globex.example") == ids(carl, "object=globex") == []


def test_a_name_that_cannot_be_made_names_nothing() -> None:
    for text in ("a..b", "x@y@z", "xn--\x00", "", "аcme.example"):
        assert domain_ref(text) == text.lower() and address_ref(text) == text.lower()


def test_a_name_in_letters_of_its_own_stands_beside_the_kept_one() -> None:
    words = {
        name: [(one.state, one.words) for one in spelt(name)]
        for name in ("acme.example", "mia@acme.example", BUECHER, f"x@{BUECHER}", "xn--j1ail.example")
    }
    assert words == {
        "acme.example": [],
        "mia@acme.example": [],
        BUECHER: [("fact", "bücher.example")],
        f"x@{BUECHER}": [("fact", "x@bücher.example")],
        "xn--j1ail.example": [("fact", "кто.example"), ("warn", "mixes scripts: Cyrillic, Latin")],
    }
