"""What a client has instead of the standard: how many objects wait for a second person, how long an undo does not."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cast import MIA, House, again, do, kind, reasons, the, waits, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve, undo
from postroom.changes.batch import members, submit_batch
from postroom.changes.kind import Kind
from postroom.changes.pipeline import apply_scheduled, submit
from postroom.models import Change, Client, Domain, Invite


def boxes(n: int, client: str = "acme", prefix: str = "m") -> list[Kind]:
    return [kind("mailboxes.create", address=f"{prefix}{i}@{client}.example") for i in range(n)]


def made(house: House, n: int, **more: Any) -> Change:
    return submit(boxes(n, **more), actor=house.olive, why="x")


def has(house: House, client: str = "acme", /, **values: int) -> Change:
    """The client has these from now on, with a second person's consent where that is wanted."""
    change = do("clients.change", house.olive, client=client, **values)
    return with_consent(house, change) if change.stage == "held" else change


def kept(client: str = "acme") -> tuple[int | None, int | None]:
    row = the(Client, slug=client)
    return row.held_over, row.undo_within


def test_a_client_with_more_has_many_made_at_once(house: House) -> None:
    has(house, held_over=30)
    assert made(house, 30).version
    over = made(house, 31, prefix="n")
    assert over.stage == "held" and reasons(over) == "31 mailboxes in one change"
    assert made(house, 26, client="globex").stage == "held", "of another client nothing was said"


def test_a_client_with_less_has_few(house: House) -> None:
    has(house, held_over=2)
    assert made(house, 2).version
    over = made(house, 3, prefix="n")
    assert over.stage == "held" and reasons(over) == "3 mailboxes in one change"
    with_consent(house, over)


def test_one_object_is_never_many_and_asks_no_more_of_the_database(house: House) -> None:
    has(house, held_over=1)
    with CaptureQueriesContext(connection) as asked:
        assert made(house, 1).version
    assert not [one for one in asked.captured_queries if '"held_over" FROM' in one["sql"]]
    with CaptureQueriesContext(connection) as asked:
        assert made(house, 2, prefix="n").stage == "held"
    assert len([one for one in asked.captured_queries if '"held_over" FROM' in one["sql"]]) == 1


def test_what_came_to_be_too_many_while_it_waited_is_held(house: House) -> None:
    later = waits("mailboxes.create", house.olive, address="later@acme.example")
    change = submit(boxes(3), actor=house.olive, why="x", at=later.at)
    has(house, held_over=2)
    assert apply_scheduled(later.pk).version, "one is one"
    assert apply_scheduled(change.pk).stage == "held" and "3 mailboxes" in reasons(again(change))


@pytest.mark.parametrize("looser", [{"held_over": 26}, {"held_over": 1000}], ids=str)
def test_to_hold_less_is_held_itself(house: House, looser: dict[str, int]) -> None:
    change = do("clients.change", house.olive, client="acme", **looser)
    assert change.stage == "held" and kept() == (None, None)
    assert reasons(change) == f"holds changes of Acme over {looser['held_over']} objects only, until now over 25"
    assert made(house, 26).stage == "held", "what waits counts for nothing yet"
    with_consent(house, change)
    assert kept() == (looser["held_over"], None)


def test_links_of_one_mailbox_are_one_object(house: House) -> None:
    """The new one ends the old one in the same change."""
    has(house, held_over=1)
    for _ in range(2):
        sent = do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
        assert sent.version and not sent.verdicts
    invite = the(Invite, mailbox__address__address=MIA, ended_at=None)
    assert do("invites.redirect", house.olive, invite=str(invite.pk), contact="mia@desk.test").version


def test_to_hold_more_is_not_and_the_way_back_to_the_standard_is(house: House) -> None:
    tighter = do("clients.change", house.olive, client="acme", held_over=3, undo_within=5)
    assert tighter.version and kept() == (3, 5)
    back = do("clients.change", house.oskar, client="acme", held_over=25, undo_within=30, notes="x")
    assert back.stage == "held" and kept() == (3, 5)
    assert reasons(back) == (
        "holds changes of Acme over 25 objects only, until now over 3;"
        " lets an undo of one's own at Acme need nobody for 30 min, not 5"
    )
    with_consent(house, back)
    assert kept() == (None, None), "the standard is nothing of the client's own"


def test_an_undo_that_makes_it_looser_is_judged_like_it(house: House, sql: Any) -> None:
    tighter = has(house, held_over=3)
    back = undo(tighter.pk, actor=house.oskar, why="too much")
    assert back.stage == "held" and "over 25 objects only" in reasons(back)
    sql(f"UPDATE changes SET now = now - interval '31 minutes' WHERE id = '{tighter.pk}'")
    assert undo(tighter.pk, actor=house.olive, why="too much").stage == "held"


def test_looser_for_two_clients_at_once_holds_the_batch(house: House) -> None:
    parts = [kind("clients.change", client="acme", held_over=30), kind("clients.change", client="globex", notes="x")]
    _, changes = batched(house, parts)
    assert {one.stage for one in changes} == {"held"} and kept() == (None, None)


@pytest.mark.parametrize(
    ("own", "acme", "globex", "words"),
    [
        ({}, 13, 12, ""),
        ({}, 13, 13, "26 mailboxes in one batch"),
        ({"acme": 30, "globex": 30}, 13, 13, "26 mailboxes in one batch"),
        ({"acme": 2}, 2, 12, ""),
        ({"acme": 2}, 3, 12, "3 mailboxes in one change"),
        ({"globex": 2}, 12, 3, "3 mailboxes in one change"),
        ({"acme": 2, "globex": 2}, 2, 2, ""),
    ],
)
def test_a_batch_goes_by_each_clients_number_and_as_a_whole_by_the_standard(
    house: House, own: dict[str, int], acme: int, globex: int, words: str
) -> None:
    for client, number in own.items():
        has(house, client, held_over=number)
    _, changes = batched(house, [boxes(acme), boxes(globex, "globex")])
    assert {one.stage for one in changes} == ({"held"} if words else {"applied"})
    assert words in "; ".join(reasons(one) for one in changes)


def batched(house: House, parts: list[Any]) -> tuple[Any, list[Change]]:
    batch = submit_batch(parts, actor=house.olive, why="x")
    with acting_as(SYSTEM):
        return members(batch.pk)


def test_what_follows_from_a_change_goes_by_the_standard(house: House) -> None:
    """What we read of two domains at once is nobody's wish: it is not held."""
    has(house, held_over=1)
    added = do("domains.add", house.olive, client="acme", name="new.example")
    assert added.version, "its records and role accounts come along"
    parts = [kind("domains.prove", domain=name, proof="x") for name in ("new.example", "acme.example")]
    assert submit(parts, actor=SYSTEM, why="x").version
    assert the(Domain, name="new.example").proof


@pytest.mark.parametrize(("within", "minutes", "stage"), [(30, 29, "applied"), (5, 4, "applied"), (5, 6, "held"),
                                                         (0, 0, "held")])  # fmt: skip
def test_ones_own_undo_goes_by_itself_as_long_as_the_client_says(
    house: House, sql: Any, within: int, minutes: int, stage: str
) -> None:
    if within != 30:
        has(house, undo_within=within)
    many = submit(boxes(3), actor=house.olive, why="x")
    has(house, held_over=2)  # so that taking them back is held but for the waiver
    sql(f"UPDATE changes SET now = now - interval '{minutes} minutes' WHERE id = '{many.pk}'")
    assert undo(many.pk, actor=house.olive, why="x").stage == stage


def test_longer_again_is_held_and_more_than_the_standard_is_refused(house: House) -> None:
    assert do("clients.change", house.olive, client="acme", undo_within=0).version
    longer = do("clients.change", house.olive, client="acme", undo_within=10)
    assert longer.stage == "held"
    approve(longer.pk, actor=house.ada, plan_hash=longer.plan_hash)
    assert kept() == (None, 10)
    for wrong in ({"undo_within": 31}, {"undo_within": -1}, {"held_over": 0}, {"held_over": 1001}):
        with pytest.raises(ValueError, match="than or equal"):
            kind("clients.change", client="acme", **wrong)
