"""The life of signing keys: rotated, retired once others sign, revoked once nothing they signed is on its way."""

from typing import Any

import pytest

from cast import House, again, as_wanted, do, do_all, kind, reasons, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.errors import Problems
from postroom.changes.pipeline import dry_run, submit
from postroom.models import Change, DkimKey, Finding, RecordSet, Secret
from postroom.posture.checks.old_key import OLD_KEY
from postroom.posture.run import run
from postroom.protocols.dkim import algorithm_of, key_record, make_ed25519, make_rsa
from postroom.worker import dkim_life
from postroom.worker.follow_ups import FOLLOW_UPS

ACME = "acme.example"


def used(house: House, key: DkimKey) -> Change:
    """Its pair is made, its record stands, it signs."""
    make(house, key)
    change = do("dkim_keys.activate", SYSTEM, key=str(key.pk))
    assert change.version, reasons(change)
    return change


def make(house: House, key: DkimKey) -> None:
    public = (make_rsa() if key.algorithm.startswith("rsa") else make_ed25519())[1]
    made = do("dkim_keys.make", SYSTEM, secrets={"private key": "x"}, key=str(key.pk), public=public, domain=ACME)
    assert made.version, reasons(made)
    as_wanted(house, ACME)


def keys(**where: Any) -> list[DkimKey]:
    with acting_as(SYSTEM):
        return list(DkimKey.objects.filter(domain__name=ACME, **where).order_by("selector"))


@pytest.fixture
def pair(house: House, sql: Any) -> list[DkimKey]:
    """The keys that the domain began with, in use for an hour."""
    began = keys()
    for one in began:
        used(house, one)
    passes(sql, "1 hour")
    return keys()


def passes(sql: Any, time: str) -> None:
    moved = ", ".join(f"{one} = {one} - interval '{time}'" for one in ("activated_at", "retired_at", "revoke_at"))
    sql("SELECT set_config('postroom.change', 'time passes', false)", f"UPDATE dkim_keys SET {moved}")


def rotated(house: House) -> list[DkimKey]:
    """New ones, RSA first, made and in use."""
    do("dkim_keys.rotate", house.olive, domain=ACME)
    new = sorted(keys(activated_at=None), key=lambda one: one.algorithm, reverse=True)
    for one in new:
        used(house, one)
    return new


def follow(change: Change) -> list[Change]:
    """What follows from it, submitted."""
    made = []
    with acting_as(SYSTEM):
        wanted = list(FOLLOW_UPS[change.kind](change))
    for one in wanted:
        built, secrets = one.build()
        made.append(submit(built, actor=SYSTEM, why=one.why, secrets=secrets, caused_by=change))
    return made


def values(key: DkimKey) -> list[str]:
    with acting_as(SYSTEM):
        return list(RecordSet.objects.get(domain__name=ACME, name__startswith=f"{key.selector}.").values)


def test_a_rotation_asks_for_a_key_of_each_algorithm_under_names_that_never_were(
    house: House, pair: Any, sql: Any
) -> None:
    sql("SELECT set_config('postroom.change', 'a node has a key', false)", "UPDATE nodes SET public_key = 'x'")
    change = do("dkim_keys.rotate", house.olive, domain=ACME)
    assert change.version
    new = keys(activated_at=None)
    assert {one.algorithm for one in new} == {"rsa-2048", "ed25519"}
    assert len({one.selector for one in (*new, *pair)}) == 4
    assert [(one.retired_at, one.revoke_at) for one in keys(activated_at__isnull=False)] == [(None, None)] * 2
    with acting_as(SYSTEM):
        following = [one.permission for one in FOLLOW_UPS["dkim_keys.rotate"](change)]
    assert following == ["dkim_keys.make"] * 2, "their pairs are made by the system, sealed to the node"
    with pytest.raises(Problems, match="are on their way"):
        do("dkim_keys.rotate", house.olive, domain=ACME)


def test_what_signed_before_is_retired_by_what_was_read_back_to_sign_instead(house: House, pair: list[DkimKey]) -> None:
    do("dkim_keys.rotate", house.olive, domain=ACME)
    for new in keys(activated_at=None):
        (before,) = [one for one in pair if one.algorithm == new.algorithm]
        (retired,) = follow(used(house, new))
        assert retired.version and retired.params["key"] == str(before.pk)
        now = the(DkimKey, pk=before.pk)
        assert now.retired_at == retired.now and (now.revoke_at - now.retired_at).days == 7
        assert values(before) == [key_record(before.public, algorithm_of(before.public))], "what it signed verifies"


def test_the_last_rsa_key_that_signs_is_not_retired(house: House, pair: list[DkimKey]) -> None:
    rsa, ed25519 = sorted(pair, key=lambda one: one.algorithm, reverse=True)
    with pytest.raises(Problems, match="no other RSA key of its domain signs"):
        do("dkim_keys.retire", house.olive, key=str(rsa.pk))
    assert do("dkim_keys.retire", house.olive, key=str(ed25519.pk)).version, "RSA alone signs as well"


def test_a_key_that_signs_is_not_revoked_nor_one_whose_mail_is_on_its_way(house: House, pair: list[DkimKey]) -> None:
    (rsa,) = [one for one in pair if one.algorithm == "rsa-2048"]
    about = {"key": str(rsa.pk), "domain": ACME}
    with pytest.raises(Problems, match=f"mail is signed with {rsa.selector}; rotate the keys"):
        do("dkim_keys.revoke", house.olive, **about)
    rotated(house)
    do("dkim_keys.retire", house.olive, key=str(rsa.pk))
    with pytest.raises(Problems, match="may be on its way until"):
        do("dkim_keys.revoke", house.olive, **about)
    with pytest.raises(Problems, match="is no key of globex"):
        do("dkim_keys.revoke", SYSTEM, key=str(rsa.pk), domain="globex.example")
    assert dry_run(kind("dkim_keys.revoke", **about, compromised=True), actor=house.olive).plan.edits


def test_a_revoked_key_says_so_in_dns_and_can_never_sign_again(house: House, pair: list[DkimKey], sql: Any) -> None:
    """No accept_loss: what is revoked is in no use. A key that is in use is still guarded."""
    (rsa,) = [one for one in pair if one.algorithm == "rsa-2048"]
    rotated(house)
    do("dkim_keys.retire", house.olive, key=str(rsa.pk))
    taken = {"domain": ACME, "name": f"{rsa.selector}._domainkey.{ACME}", "type": "TXT", "values": []}
    assert do("record_sets.set", house.olive, **taken).stage == "refused", "what it signed is on its way"
    passes(sql, "8 days")
    gone = do("dkim_keys.revoke", SYSTEM, key=str(rsa.pk), domain=ACME)
    assert gone.version, reasons(gone)
    assert values(rsa) == ["v=DKIM1; k=rsa; p="]
    as_wanted(house, ACME)
    with acting_as(SYSTEM):
        assert not Secret.objects.filter(owner_row=rsa.pk).exists()
    with pytest.raises(Problems, match="revoked, for good"):
        do("dkim_keys.activate", house.olive, key=str(rsa.pk))
    assert do("record_sets.set", house.olive, **taken).version, "an empty key is no loss"


def test_a_compromised_key_is_revoked_as_soon_as_others_sign(house: House, pair: list[DkimKey]) -> None:
    do("dkim_keys.rotate", house.olive, domain=ACME)
    asked = do("dkim_keys.rotate", house.olive, domain=ACME, compromised=True)
    assert asked.version and len(keys()) == 4, "said of a rotation that is under way: no more keys"
    with pytest.raises(Problems, match="mail is signed with"):
        do("dkim_keys.revoke", house.olive, key=str(pair[0].pk), domain=ACME, compromised=True)
    for new in keys(activated_at=None):
        (retired,) = follow(used(house, new))
        (revoked,) = follow(retired)
        assert revoked.version, reasons(revoked)
    assert all(one.revoked_at for one in keys(pk__in=[one.pk for one in pair]))
    assert not any(one.revoked_at for one in keys() if one.pk not in {each.pk for each in pair})


def done() -> list[str]:
    """What the worker does now of its own accord."""
    with acting_as(SYSTEM):
        before = set(Change.objects.values_list("pk", flat=True))
    for work in dkim_life.look():
        work()
    with acting_as(SYSTEM):
        return [one.kind for one in Change.objects.exclude(pk__in=before).order_by("pk")]


def test_the_worker_rotates_after_half_a_year_and_revokes_after_a_week(house: House, pair: Any, sql: Any) -> None:
    assert done() == []
    passes(sql, "180 days")
    assert done() == ["dkim_keys.rotate"] and done() == [], "not while some are on their way"
    new = keys(activated_at=None)
    for one in new:
        used(house, one)
    retired = [do("dkim_keys.retire", SYSTEM, key=str(one.pk)) for one in pair]
    with acting_as(SYSTEM):
        Change.objects.filter(pk__in=[one.pk for one in retired]).update(stage="verified")
    assert done() == []
    passes(sql, "7 days")
    with acting_as(SYSTEM):
        Change.objects.filter(pk=retired[0].pk).update(stage="applied")
    assert done() == ["dkim_keys.revoke"], "a node may still sign with the other"
    assert not the(DkimKey, pk=pair[0].pk).revoked_at and the(DkimKey, pk=pair[1].pk).revoked_at
    with acting_as(SYSTEM):
        Change.objects.filter(pk=retired[0].pk).update(stage="verified")
    as_wanted(house, ACME)
    assert done() == ["dkim_keys.revoke"] and done() == []


def test_nothing_is_rotated_during_a_freeze_nor_where_others_write_the_zone(house: House, pair: Any, sql: Any) -> None:
    passes(sql, "200 days")
    do("freezes.start", house.olive, scope="acme", reason="stop")
    assert done() == []
    sql("SELECT set_config('postroom.change', 'time passes', false)", "UPDATE freezes SET ended_at = now()",
        f"UPDATE domains SET hosting = 'manual' WHERE name = '{ACME}'")  # fmt: skip
    assert done() == []
    sql("SELECT set_config('postroom.change', 'time passes', false)",
        f"UPDATE domains SET hosting = 'hosted' WHERE name = '{ACME}'")  # fmt: skip
    assert done() == ["dkim_keys.rotate"]


def test_a_pair_is_of_the_algorithm_that_was_wanted(house: House) -> None:
    (one,) = keys(algorithm="ed25519")
    with pytest.raises(Problems, match="is to be an ed25519 key"):
        do("dkim_keys.make", SYSTEM, secrets={"private key": "x"}, key=str(one.pk), public=make_rsa()[1], domain=ACME)


def test_an_undone_retirement_signs_again(house: House, pair: list[DkimKey]) -> None:
    (rsa,) = [one for one in pair if one.algorithm == "rsa-2048"]
    rotated(house)
    retired = do("dkim_keys.retire", house.olive, key=str(rsa.pk))
    back = do("history.roll_back", house.olive, change=str(retired.pk))
    assert back.version, reasons(back)
    now = the(DkimKey, pk=rsa.pk)
    assert (now.retired_at, now.revoke_at) == (None, None) and again(back).version


def test_a_key_that_signs_for_too_long_is_a_finding_until_it_is_rotated(
    house: House, pair: list[DkimKey], sql: Any
) -> None:
    """Where others write the zone nobody else rotates it."""
    sql("SELECT set_config('postroom.change', 'a test', false)", "UPDATE domains SET hosting = 'manual'")
    passes(sql, "209 days")
    assert old_keys() == []
    passes(sql, "2 days")
    (rsa,) = [one for one in pair if one.algorithm == "rsa-2048"]
    assert old_keys() == [("low", f"{rsa.selector} has signed mail of {ACME} for 211 days")]
    passes(sql, "160 days")
    assert [severity for severity, _ in old_keys()] == ["medium"]
    rotated(house)
    do("dkim_keys.retire", house.olive, key=str(rsa.pk))
    assert old_keys() == []


def old_keys() -> list[tuple[str, str]]:
    run(OLD_KEY)
    with acting_as(SYSTEM):
        open_ = Finding.objects.filter(check_name="dkim.old_key", closed_at=None)
        return list(open_.values_list("severity", "title"))


def test_of_keys_that_are_retired_together_one_rsa_key_is_left(house: House, pair: list[DkimKey]) -> None:
    rotated(house)
    rsa = [{"key": str(one.pk)} for one in keys(algorithm="rsa-2048")]
    assert len(rsa) == 2
    with pytest.raises(Problems, match="no other RSA key of its domain signs"):
        do_all("dkim_keys.retire", house.olive, rsa)
    assert do_all("dkim_keys.retire", house.olive, rsa[:1]).version


def test_compromised_keys_get_a_successor_of_each_algorithm_whatever_is_on_its_way(house: House) -> None:
    """One of the first pair signs, the other is not published yet: a new RSA key comes all the same."""
    rsa, ed25519 = sorted(keys(), key=lambda one: one.algorithm, reverse=True)
    used(house, rsa)
    assert do("dkim_keys.rotate", house.olive, domain=ACME, compromised=True).version
    coming = keys(activated_at=None)
    assert {one.algorithm for one in coming} == {"rsa-2048", "ed25519"} and ed25519 in coming and len(coming) == 2


def test_what_follows_is_of_every_key_of_a_change(house: House, pair: list[DkimKey]) -> None:
    """Several are activated, or retired, in one change; an id may be written in another spelling."""
    do("dkim_keys.rotate", house.olive, domain=ACME, compromised=True)
    for one in keys(activated_at=None):
        make(house, one)
    both = [{"key": str(one.pk).upper()} for one in keys(activated_at=None)]
    retired = follow(do_all("dkim_keys.activate", house.olive, both))
    assert {one.params["key"] for one in retired} == {str(one.pk) for one in pair}
    assert sorted(one.kind for each in retired for one in follow(each)) == ["dkim_keys.revoke"] * 2


def test_a_key_retired_with_others_is_not_revoked_before_its_node_said_so(
    house: House, pair: list[DkimKey], sql: Any
) -> None:
    rotated(house)
    retired = do_all("dkim_keys.retire", house.olive, [{"key": str(one.pk).upper()} for one in pair])
    passes(sql, "8 days")
    with acting_as(SYSTEM):
        Change.objects.filter(pk=retired.pk).update(stage="applied")
    assert done() == [], "a node may still sign with them"
    with acting_as(SYSTEM):
        Change.objects.filter(pk=retired.pk).update(stage="verified")
    assert sorted(done()) == ["dkim_keys.revoke"] * 2
