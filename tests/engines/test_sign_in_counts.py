"""Who may try a password: the rules by case; and whatever strangers do, an owner's known source is never refused."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.engines import sign_in_counts
from postroom.engines.sign_in_counts import (
    A_DAY,
    DAY,
    KNOWN_FOR,
    MOST_KNOWN,
    MOST_NAMES,
    SHORT,
    UNANSWERED,
    Answer,
    Counts,
    source_of,
)

MIA, JOE, HOME, CAFE = "mia@acme.example", "joe@acme.example", "192.0.2.7", "198.51.100.9"
THERE = {MIA, JOE}
ON, OFF = Answer(), Answer(refused=True)


def counts() -> Counts:
    return Counts(THERE.__contains__)


def wrong(count: Counts, source: str, secret: str, now: float, login: str = MIA) -> Answer:
    answer = count.may(login, source, secret, now)
    if not answer.refused:
        count.wrong(login, source, secret, now)
    return answer


def strangers(many: int) -> Iterator[tuple[str, str]]:
    for n in range(many):
        yield f"203.0.{n // 250}.{n % 250}", f"{n:03x}"


def test_three_other_passwords_then_the_right_one_is_refused_there_and_nowhere_else() -> None:
    count = counts()
    assert [wrong(count, CAFE, secret, 0) for secret in "abc"] == [ON, ON, ON]
    assert count.may(MIA, CAFE, "right", 1) == OFF
    assert count.may(MIA, HOME, "right", 1) == ON
    assert count.may(JOE, CAFE, "right", 1) == ON
    assert count.may(MIA, CAFE, "right", SHORT - 1) == OFF
    assert count.may(MIA, CAFE, "right", SHORT + 1) == ON


def test_a_phone_with_an_old_password_counts_once() -> None:
    count = counts()
    assert {wrong(count, HOME, "old", n) for n in range(500)} == {ON}
    assert count.may(MIA, HOME, "right", 500) == ON


def test_the_same_wrong_one_does_not_pass_once_the_source_is_refused() -> None:
    """Twelve bits: of a thousand guesses one is taken for another that was counted already."""
    count = counts()
    for secret in "abc":
        wrong(count, CAFE, secret, 0)
    assert [count.may(MIA, CAFE, secret, 1) for secret in "abc"] == [OFF] * 3


def test_what_is_tried_at_once_is_counted_before_any_of_it_has_failed() -> None:
    count = counts()
    assert [count.may(MIA, CAFE, f"{n}", 0) for n in range(5)] == [ON, ON, ON, OFF, OFF]


def test_a_program_that_opens_five_connections_after_two_slips_gets_all_of_them() -> None:
    count = counts()
    for secret in "ab":
        wrong(count, HOME, secret, 0)
    assert [count.may(MIA, HOME, "right", 1) for _ in range(5)] == [ON] * 5
    assert count.may(MIA, HOME, "right", 1 + UNANSWERED) == OFF, "an answer that never came is a failure"


def test_a_sign_in_takes_back_its_own_source_at_its_own_account_alone() -> None:
    count = counts()
    for source in (HOME, CAFE):
        for login in (MIA, JOE):
            for secret in "abc":
                wrong(count, source, secret, 0, login)
    count.right(MIA, HOME, 1)
    assert count.may(MIA, HOME, "x", 2) == ON
    assert count.may(MIA, CAFE, "x", 2) == OFF
    assert count.may(JOE, HOME, "x", 2) == OFF


def test_a_stranger_with_an_account_of_their_own_takes_nothing_back_by_signing_in_to_it() -> None:
    count = counts()
    for secret in "abc":
        wrong(count, CAFE, secret, 0)
    count.may(JOE, CAFE, "theirs", 1)
    count.right(JOE, CAFE, 1)
    assert count.may(MIA, CAFE, "d", 2) == OFF


@pytest.mark.parametrize(("before", "wait"), [(9, 0), (10, 1), (11, 2), (24, 15), (60, 15)])
def test_from_the_eleventh_in_ten_minutes_strangers_wait(before: int, wait: int) -> None:
    count = counts()
    for source, secret in strangers(before):
        wrong(count, source, secret, 0)
    assert count.may(MIA, "203.0.113.200", "x", 1) == Answer(wait)
    assert count.may(MIA, "203.0.113.201", "x", SHORT + 1).wait <= 1


def test_the_hundred_and_first_of_strangers_is_refused_though_it_is_right_and_a_known_source_is_not() -> None:
    count = counts()
    count.right(MIA, HOME, 0)
    tried = [wrong(count, source, secret, 1) for source, secret in strangers(150)]
    assert sum(not one.refused for one in tried) == A_DAY
    assert count.may(MIA, CAFE, "right", 2) == OFF
    assert count.may(MIA, HOME, "right", 2) == ON
    assert count.may(MIA, CAFE, "right", DAY + 2) == ON


def test_a_known_source_has_a_count_of_its_own_and_an_end() -> None:
    count = counts()
    count.right(MIA, HOME, 0)
    tried = [wrong(count, HOME, f"{n}", n * SHORT / 2) for n in range(280)]
    assert sum(not one.refused for one in tried) == A_DAY
    assert [wrong(count, HOME, secret, 2 * DAY) for secret in "abcd"] == [ON, ON, ON, OFF]
    for source, secret in strangers(A_DAY):
        wrong(count, source, secret, KNOWN_FOR + 1)
    assert count.may(MIA, HOME, "right", KNOWN_FOR + 2) == OFF, "not seen for thirty days: a stranger"


def test_of_an_account_that_there_is_not_it_looks_the_same() -> None:
    there, not_there = counts(), counts()
    for n, (source, secret) in enumerate(strangers(130)):
        for same in (source, CAFE):
            assert wrong(there, same, secret, n) == wrong(not_there, same, secret, n, "nobody@acme.example")


def test_names_made_up_push_out_no_account_that_there_is_and_are_few() -> None:
    count = counts()
    for secret in "abc":
        wrong(count, CAFE, secret, 0)
    for n in range(3 * MOST_NAMES):
        wrong(count, CAFE, "x", 1, f"made-up-{n}@acme.example")
    assert count.may(MIA, CAFE, "right", 2) == OFF
    assert len(count.made_up) == MOST_NAMES and set(count.accounts) == {MIA}


def test_what_is_kept_of_an_account_has_an_end() -> None:
    count = counts()
    for n in range(20 * MOST_KNOWN):
        count.right(MIA, f"192.0.2.{n}", n)
    for n, (source, secret) in enumerate(strangers(3000)):
        wrong(count, source, secret, 400 + n / 100)
    kept = count.accounts[MIA]
    assert len(kept.known) == MOST_KNOWN and len(kept.tries) <= A_DAY and len(kept.open) <= A_DAY
    count.sweep(KNOWN_FOR + DAY)
    assert count.accounts == {}


@pytest.mark.parametrize(
    ("address", "source"),
    [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
     ("", ""), ("unix", ""), ("192.0.2.7\n", "")],
)  # fmt: skip
def test_a_source_is_an_address_or_a_64(address: str, source: str) -> None:
    assert source_of(address) == source


Act = tuple[str, int, int, bool, int]
ACTS = st.tuples(
    st.sampled_from([MIA, JOE, "made-up@acme.example"]), st.integers(0, 400), st.integers(0, 4095), st.booleans(),
    st.integers(0, 300),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTS, max_size=250))
def test_whatever_strangers_do_a_known_source_is_neither_refused_nor_slowed(acts: list[Act]) -> None:
    """They try what they like from anywhere but there, wait for the answer or not, sign in to accounts of theirs."""
    count, now = counts(), 0.0
    count.right(MIA, HOME, now)
    for login, place, secret, answered, later in acts:
        now = min(now + later, KNOWN_FOR - 1)
        source = f"203.0.{place // 250}.{place % 250}"
        answer = count.may(login, source, f"{secret:03x}", now)
        if answered and not answer.refused:
            count.wrong(login, source, f"{secret:03x}", now)
        elif login == JOE and not answer.refused:
            count.right(JOE, source, now)
        assert count.may(MIA, HOME, "right", now) == ON
        count.wrong(MIA, HOME, "right", now)  # the passwords' own database was away: nothing is taken back


def test_the_property_sees_a_count_that_is_not_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken out, who is known: then strangers do lock the owner out."""
    monkeypatch.setattr(sign_in_counts.Account, "came_in", lambda self, source, now: None)
    count = counts()
    count.right(MIA, HOME, 0)
    for source, secret in strangers(A_DAY):
        wrong(count, source, secret, 1)
    assert count.may(MIA, HOME, "right", 2) == OFF
