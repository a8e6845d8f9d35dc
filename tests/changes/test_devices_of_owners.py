"""App passwords: made by the mailbox's owner alone, ended by whoever may, and what becomes of them with the mailbox."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cast import LINK, MIA, House, app_password, do, owner_of, reasons, redeemed, the, tick, with_consent
from mail_nodes import Node, acknowledge, pull
from postroom.access.acting import SYSTEM, Actor, NoSuchLink, NoSuchOwner, acting_as
from postroom.access.scope import visible
from postroom.access.tokens import app_password as drawn
from postroom.changes.approvals import undo
from postroom.changes.errors import NotAllowed, Problems
from postroom.models import Credential, RecordedEdit, Secret

OTHER = "mia@globex.example"
KEPT = "ab" * 32


@pytest.fixture
def mia(house: House) -> House:
    """Mia has set her password."""
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    return house


@pytest.fixture
def mx1(node: Callable[[str], Node], mia: House) -> Node:
    found = node("mx1")
    acknowledge(found)
    return found


def compiled(node: Node) -> list[dict[str, Any]]:
    """What the node is told of Mia's app passwords, or would be: it is on its list."""
    return list(box(node)["secrets"]["app"])


def box(node: Node) -> Any:
    """Her mailbox, as its node gets it; it is on its list."""
    listed = [one for one in pull(node).values() if one and one.get("maps", {}).get("login")]
    return [one for one in listed if one["maps"]["login"][0]["address"] == MIA][-1]


def secrets_of(one: Credential) -> int:
    with acting_as(SYSTEM):
        return Secret.objects.filter(owner_row=one.pk).count()


def test_her_own_is_made_and_goes_to_her_node(mx1: Node, mia: House) -> None:
    phone = app_password(MIA, "Phone", kept=KEPT, protocols=["submission", "imap", "imap"])
    assert phone.protocols == ["imap", "submission"]
    until = int((datetime.now(UTC) + timedelta(days=3)).timestamp())
    laptop = app_password(MIA, "Laptop", until=datetime.fromtimestamp(until, UTC).isoformat())
    first, second = compiled(mx1)
    row = {"address": MIA, "cred": str(phone.pk), "sha256": KEPT, "protocols": "imap submission", "until": None}
    assert first == {**row, "access_epoch": 0}
    assert (second["cred"], second["until"]) == (str(laptop.pk), until)


def test_what_is_drawn_is_long_enough_and_kept_nowhere(mia: House) -> None:
    shown, kept = drawn()
    assert 31 ** len(shown.replace("-", "")) > 2**128 and len({drawn()[0] for _ in range(50)}) == 50
    app_password(MIA, "Phone", kept=kept)
    with acting_as(SYSTEM):
        said = str(list(RecordedEdit.objects.values_list("before", "after")))
    assert "Phone" in said and kept not in said and shown not in said


@pytest.mark.parametrize("who", ["oskar", "olive", "ada", "henry", "audrey", "carl"])
def test_nobody_makes_one_for_her(mia: House, who: str) -> None:
    """Whatever they hold: whoever runs the service, or administers the client, never knows a secret of hers."""
    with pytest.raises((NotAllowed, Problems)):
        done = do(
            "app_passwords.create", getattr(mia, who), secrets={"app password": KEPT}, name="x", protocols=["imap"]
        )
        assert done.version is None
        raise NotAllowed(reasons(done))
    with acting_as(SYSTEM):
        assert not Credential.objects.exists()


@pytest.mark.parametrize("asked, words", [
    ({"protocols": []}, "protocols"),
    ({"protocols": ["web"]}, "protocols"),
    ({"protocols": ["pop3"]}, "protocols"),
    ({"until": "2020-01-01T00:00:00Z"}, "past already"),
    ({"name": "Phone"}, "one of this name"),
    ({"name": ""}, "name"),
    ({"name": "x" * 81}, "name"),
])  # fmt: skip
def test_what_is_not_made(mia: House, asked: dict[str, Any], words: str) -> None:
    app_password(MIA, "Phone")
    with pytest.raises((ValueError, Problems), match=words):
        do("app_passwords.create", owner_of(MIA), secrets={"app password": KEPT},
           **{"name": "Other", "protocols": ["imap"], **asked})  # fmt: skip


def test_there_are_never_more_than_fit_a_page(mia: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postroom.changes.kinds.app_passwords.MOST", 2)
    one = app_password(MIA, "1")
    app_password(MIA, "2")
    with pytest.raises(Problems, match="there are 2"):
        app_password(MIA, "3")
    do("app_passwords.end", owner_of(MIA), app_password=str(one.pk))
    app_password(MIA, "3")


def test_a_name_is_free_again_once_it_has_ended(mia: House) -> None:
    one = app_password(MIA, "Phone")
    do("app_passwords.end", owner_of(MIA), app_password=str(one.pk))
    assert app_password(MIA, "Phone", kept=KEPT).pk != one.pk


@pytest.mark.parametrize("who", ["herself", "olive", "carl", "oskar"])
def test_who_may_end_one(mx1: Node, mia: House, who: str) -> None:
    phone, laptop = app_password(MIA, "Phone"), app_password(MIA, "Laptop")
    by = owner_of(MIA) if who == "herself" else getattr(mia, who)
    assert do("app_passwords.end", by, app_password=str(phone.pk)).version
    ended = the(Credential, pk=phone.pk)
    assert ended.ended_at and ended.access_epoch == 1 and secrets_of(phone) == 0
    assert [one["cred"] for one in compiled(mx1)] == [str(laptop.pk)] and secrets_of(laptop) == 1


@pytest.mark.parametrize("who", ["ada", "henry", "audrey"])
def test_who_may_not_end_one(mia: House, who: str) -> None:
    phone = app_password(MIA, "Phone")
    done = do("app_passwords.end", getattr(mia, who), app_password=str(phone.pk))
    assert done.stage == "refused" and the(Credential, pk=phone.pk).ended_at is None


def test_another_owner_neither_sees_nor_ends_it(mia: House) -> None:
    """Neither her namesake at another client nor a colleague at her own."""
    phone = app_password(MIA, "Phone")
    do("mailboxes.create", mia.olive, address="leo@acme.example", contact="leo@home.test")
    redeemed("leo@acme.example")
    for other in map(owner_of, (OTHER, "leo@acme.example")):
        with acting_as(other):
            assert not visible(other, Credential).exists()
            assert not Credential.objects.exists(), "row security says the same"
            assert not Secret.objects.filter(owner_row=phone.pk).exists()
        with pytest.raises(Problems, match="no app password"):
            do("app_passwords.end", other, app_password=str(phone.pk))
    herself = owner_of(MIA)
    with acting_as(herself):
        assert visible(herself, Credential).get() == phone


def test_an_end_by_time_is_tidied_by_the_clock(mx1: Node, mia: House) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    phone = app_password(MIA, "Phone", until=soon.isoformat())
    acknowledge(mx1)
    tick(soon - timedelta(minutes=1))
    assert the(Credential, pk=phone.pk).ended_at is None
    (tidied,) = tick(soon + timedelta(minutes=1))
    assert tidied.kind == "app_passwords.end" and tidied.actor == "clock"
    assert the(Credential, pk=phone.pk).ended_at and secrets_of(phone) == 0 and compiled(mx1) == []


def test_a_suspension_keeps_them_and_lets_none_in(mx1: Node, mia: House) -> None:
    phone = app_password(MIA, "Phone")
    do("mailboxes.suspend", mia.olive, mailbox=MIA)
    assert compiled(mx1) == [] and the(Credential, pk=phone.pk).ended_at is None and secrets_of(phone) == 1
    with pytest.raises(NoSuchOwner):
        app_password(MIA, "Laptop")
    do("mailboxes.resume", mia.olive, mailbox=MIA)
    assert [one["cred"] for one in compiled(mx1)] == [str(phone.pk)]


def test_a_removal_ends_them_for_good(mx1: Node, mia: House) -> None:
    phone = app_password(MIA, "Phone")
    gone = with_consent(mia, do("mailboxes.remove", mia.olive, mailbox=MIA))
    assert the(Credential, pk=phone.pk).ended_at and secrets_of(phone) == 0
    back = undo(gone.pk, actor=mia.olive, why="a slip")
    assert back.version, reasons(back)
    assert the(Credential, pk=phone.pk).ended_at and compiled(mx1) == [], "no undo gives access again"
    assert ("credentials", str(phone.pk)) in {(table, id) for table, id, _ in back.left_out}


@pytest.mark.parametrize("keeps", [False, True])
def test_a_mailbox_that_is_got_back_ends_or_keeps_them_as_the_client_says(mx1: Node, mia: House, keeps: bool) -> None:
    phone = app_password(MIA, "Phone")
    do("clients.change", mia.olive, client="acme", reset_keeps_app_passwords=True)
    if not keeps:
        do("clients.change", mia.olive, client="acme", reset_keeps_app_passwords=False)
    by_code = replace(owner_of(MIA), sort="code", link="{HASH}c")
    assert do("secrets.reset", by_code, secrets={"password": "{HASH}n", "recovery code": "{HASH}r"}).version
    assert (the(Credential, pk=phone.pk).ended_at is None) == keeps and secrets_of(phone) == keeps
    assert len(compiled(mx1)) == keeps


def test_whoever_knows_the_old_main_password_keeps_them_with_a_new_one(mia: House) -> None:
    phone = app_password(MIA, "Phone")
    assert do("secrets.change", owner_of(MIA), secrets={"password": "{HASH}n"}).version
    assert the(Credential, pk=phone.pk).ended_at is None and secrets_of(phone) == 1


def test_where_app_passwords_alone_are_for_mail_every_mailbox_is_told(mx1: Node, mia: House) -> None:
    app_password(MIA, "Phone")
    acknowledge(mx1)
    do("clients.change", mia.olive, client="acme", app_passwords_only=True)
    assert box(mx1)["secrets"]["password"][0]["app_only"] == 1 and len(compiled(mx1)) == 1
    do("clients.change", mia.olive, client="acme", app_passwords_only=False)
    assert box(mx1)["secrets"]["password"][0]["app_only"] is None


def test_a_freeze_stops_a_new_one_and_no_end(mia: House) -> None:
    phone = app_password(MIA, "Phone")
    do("freezes.start", mia.olive, scope="acme", reason="audit")
    done = do("app_passwords.create", owner_of(MIA), secrets={"app password": KEPT}, name="x", protocols=["imap"])
    assert done.stage == "refused" and "frozen" in reasons(done)
    assert do("app_passwords.end", owner_of(MIA), app_password=str(phone.pk)).version


def test_without_its_value_nothing_is_made(mia: House) -> None:
    done = do("app_passwords.create", owner_of(MIA), name="x", protocols=["imap"])
    assert done.version is None and "no longer in memory" in reasons(done)


def test_who_may_not_make_one_takes_none_back(mx1: Node, mia: House) -> None:
    phone = app_password(MIA, "Phone")
    with acting_as(SYSTEM):
        (made,) = phone.mailbox.client.change_set.filter(kind="app_passwords.create")
    back = undo(made.pk, actor=mia.olive, why="not hers")
    assert back.stage == "refused" and the(Credential, pk=phone.pk).ended_at is None


def test_somebody_who_stands_above_is_not_signed_out_by_who_stands_below(mia: House) -> None:
    """Oskar owns Mia's mailbox here: a client's admin does not end what the owner of the organization uses."""
    with_consent(mia, do("mailboxes.change", mia.oskar, mailbox=MIA, owner="owner@northlight.example"))
    phone = app_password(MIA, "Phone")
    done = do("app_passwords.end", mia.carl, app_password=str(phone.pk))
    assert done.stage == "refused" and "stands above you" in reasons(done)


def test_a_link_is_no_owner(mia: House) -> None:
    with pytest.raises(NoSuchLink):
        do("app_passwords.create", Actor(None, MIA, "link", LINK), secrets={"app password": KEPT}, name="x",
           protocols=["imap"])  # fmt: skip
