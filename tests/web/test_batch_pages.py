"""A batch at the pages: seen as a whole, decided as a whole, undone as a whole."""

from __future__ import annotations

from test_doing import page
from visitors import visitor

from cast import House, again, do, kind
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.batch import submit_batch
from postroom.models import Batch, Change


def removals(house: House) -> Batch:
    parts = [kind("mailboxes.remove", mailbox=f"mia@{name}.example") for name in ("acme", "globex")]
    return submit_batch(parts, actor=house.olive, why="both contracts end")


def parts(batch: Batch) -> list[Change]:
    with acting_as(SYSTEM):
        return list(Change.objects.filter(batch=batch).order_by("id"))


def test_a_batch_waits_as_one_and_is_approved_as_one(house: House) -> None:
    batch = removals(house)
    ada, at = visitor(house.ada), f"/batches/{batch.pk}/"
    queue = page(ada.get("/approvals/"))
    assert "A batch of 2 changes" in queue and "Decided as a whole." in queue
    one = page(ada.get(f"/changes/{parts(batch)[0].pk}/"))
    assert "Decided with its batch" in one and "Approve exactly this" not in one
    whole = page(ada.get(at))
    assert "mia@acme.example" in whole and "mia@globex.example" in whole and batch.plan_hash in whole
    assert visitor(house.olive).post(f"{at}approve/", {"plan_hash": batch.plan_hash}).status_code == 403
    assert ada.post(f"{at}approve/", {"plan_hash": "0" * 64}).status_code == 409
    assert ada.post(f"{at}approve/", {"plan_hash": batch.plan_hash}).status_code == 302
    assert {again(change).stage for change in parts(batch)} == {"applied"}


def test_a_no_takes_all_of_it_back(house: House) -> None:
    batch = removals(house)
    visitor(house.ada).post(f"/batches/{batch.pk}/withdraw/", {"why": "not yet"})
    assert {again(change).stage for change in parts(batch)} == {"withdrawn"}


def test_a_client_admin_who_sees_one_part_does_not_see_the_batch(house: House) -> None:
    batch = removals(house)
    assert visitor(house.carl).get(f"/batches/{batch.pk}/").status_code == 404


def test_a_batch_is_undone_as_a_batch(house: House) -> None:
    suspended = [kind("mailboxes.suspend", mailbox=f"mia@{name}.example") for name in ("acme", "globex")]
    batch = submit_batch(suspended, actor=house.olive, why="a worm")
    browser, at = visitor(house.olive), f"/batches/{batch.pk}/"
    assert "Undo all of it" in page(browser.get(at))
    answer = browser.post(f"{at}undo/", {"why": "it was none"})
    assert answer.status_code == 302 and answer["Location"] != at
    assert all(again(change).undone_by_id for change in parts(batch))


def test_nothing_of_a_frozen_client_is_seen_without_its_note(house: House) -> None:
    do("freezes.start", house.oskar, scope="acme", reason="audit until Friday")
    browser = visitor(house.olive)
    for address in ("/clients/acme/", "/domains/acme.example/", "/mailboxes/mia@acme.example/"):
        assert "“audit until Friday”" in page(browser.get(address)), address
    assert "audit until Friday" not in page(browser.get("/clients/globex/"))
    do("freezes.start", house.oskar, scope="organization", reason="the move")
    for address in ("/", "/clients/globex/", "/mailboxes/", "/changes/", "/approvals/", "/nodes/", "/people/"):
        assert "Everything is frozen" in page(browser.get(address)), address
