"""What went through at once is looked at afterwards: by whom, once, and what was found stands in the record."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from cast import MIA, House, again, do, person, together
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.changes.errors import NotAllowed, NotSeen, NotThere, OwnChange
from postroom.changes.reviews import close, close_all
from postroom.models import Change, RecordedEdit, Review
from postroom.queries.approvals import reviews
from postroom.queries.changes import whole

FOUND = "called Acme: the laptop is gone, it was right"


def marked(house: House, by: str = "olive", client: str = "acme") -> Review:
    """Somebody closed a mailbox while its client was frozen."""
    do("freezes.start", house.oskar, scope=client, reason="dispute")
    change = do("mailboxes.suspend", getattr(house, by), mailbox=f"mia@{client}.example")
    assert change.version
    return of(change)


def of(change: Change) -> Review:
    with acting_as(SYSTEM):
        return Review.objects.select_related("change").get(change=change)


def written(change: UUID) -> list[Any]:
    """What the record says of reviews of this change."""
    with acting_as(SYSTEM):
        return [line.after for line in RecordedEdit.objects.filter(table="events", row=change)]


def test_an_approver_closes_it_and_what_they_found_is_kept(house: House) -> None:
    review = marked(house)
    with acting_as(house.ada) as access:
        assert [one.pk for one in reviews(access)] == [review.pk]
    change = close(review.pk, actor=house.ada, why=FOUND)
    assert change.pk == review.change_id
    with acting_as(house.ada) as access:
        assert list(reviews(access)) == [], "no longer on Overview"
        (shown,) = whole(change.pk)["reviews"]
    assert shown["closed"] and shown["found"] == FOUND and shown["closed_by"]["name"] == "Ada"
    (entry,) = written(change.pk)
    assert entry.pop("at") and entry.pop("client_id") == str(change.client_id)
    assert [entry] == [
        {
            "what": "review closed", "change": str(change.pk), "review": review.pk, "reason": "during freeze: dispute",
            "person": str(house.ada.person), "why": FOUND,
        }
    ]  # fmt: skip


def test_it_changes_nothing_else(house: House) -> None:
    review = marked(house)
    before = again(review.change)
    close(review.pk, actor=house.ada, why=FOUND)
    after = again(review.change)
    assert (after.stage, after.version, after.verdicts) == (before.stage, before.version, before.verdicts)


def test_nobody_reviews_what_they_did_whatever_their_role(house: House) -> None:
    review = marked(house, by="oskar")
    with pytest.raises(OwnChange):
        close(review.pk, actor=house.oskar, why=FOUND)
    with pytest.raises(OwnChange):
        close_all(review.change_id, actor=house.oskar, why=FOUND)
    assert of(review.change).closed_at is None
    close(review.pk, actor=house.ada, why=FOUND)


@pytest.mark.parametrize("who", ["henry", "audrey", "carl"])
def test_who_may_not_approve_does_not_review(house: House, who: str) -> None:
    review = marked(house)
    with pytest.raises(NotAllowed):
        close(review.pk, actor=getattr(house, who), why=FOUND)
    assert [line["what"] for line in written(review.change_id)] == ["refused"], "and that it was tried stands there"


def test_no_part_of_postroom_reviews_anything(house: House) -> None:
    with pytest.raises(NotAllowed):
        close(marked(house).pk, actor=SYSTEM, why=FOUND)


def test_a_review_is_closed_once(house: House) -> None:
    review = marked(house)
    close(review.pk, actor=house.ada, why=FOUND)
    for twice in (lambda: close(review.pk, actor=house.oskar, why="and I"),
                  lambda: close_all(review.change_id, actor=house.oskar, why="and I")):  # fmt: skip
        with pytest.raises(NotSeen):
            twice()
    (event,) = written(review.change_id)
    assert event["why"] == FOUND


def test_of_two_who_close_it_at_once_one_is_told(house: House) -> None:
    review = marked(house)
    came = together(*(lambda who=who: close(review.pk, actor=who, why=FOUND) for who in (house.ada, house.oskar)))
    assert sorted(type(one).__name__ for one in came) == ["Change", "NotSeen"]
    assert len(written(review.change_id)) == 1


def test_of_another_client_it_is_not_there(house: House) -> None:
    do("people.invite", house.oskar, name="Aron", email="aron@acme.example", client="acme")
    given = do("grants.give", house.oskar, person="aron@acme.example", role="approver", client="acme")
    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    aron, elsewhere, here = person("aron@acme.example", house.oskar), marked(house, client="globex"), marked(house)
    for ask in (lambda: close(elsewhere.pk, actor=aron, why=FOUND),
                lambda: close_all(elsewhere.change_id, actor=aron, why=FOUND),
                lambda: close(10**30, actor=aron, why=FOUND),
                lambda: close_all(uuid4(), actor=aron, why=FOUND)):  # fmt: skip
        with pytest.raises(NotThere):
            ask()
    assert close(here.pk, actor=aron, why=FOUND).pk == here.change_id


def test_all_that_was_marked_on_a_change_is_closed_together(house: House) -> None:
    first = marked(house)
    change = first.change
    with acting_as(SYSTEM):  # as a second policy would leave it
        Review.objects.create(change=change, client_id=change.client_id, reason="in haste", until=first.until)
    close_all(change.pk, actor=house.ada, why=FOUND)
    with acting_as(house.ada):
        shown = whole(change.pk)["reviews"]
        assert [(one["reason"], one["found"]) for one in shown] == [
            ("during freeze: dispute", FOUND),
            ("in haste", FOUND),
        ]
    assert [one["reason"] for one in written(change.pk)] == [one["reason"] for one in shown]


def test_what_needs_no_review_has_none_to_close(house: House) -> None:
    change = do("mailboxes.suspend", house.olive, mailbox=MIA)
    with pytest.raises(NotSeen, match="nothing of this change"):
        close_all(change.pk, actor=house.ada, why=FOUND)
