"""A store of answers says what it does not hold, all of it at once; a look-up that failed is held."""

import pytest

from postroom.protocols.answers import Answers, Held, Missing, key

MX = Held(((10, "mx.acme.example"),), 300)


def test_what_is_held_is_given_and_what_failed_is_held_too() -> None:
    answers = Answers({("acme.example", "MX"): MX, ("acme.example", "TXT"): Held(failed="no answer")})
    assert answers.get("acme.example", "MX") is MX
    assert answers.all([("acme.example", "TXT"), ("acme.example", "MX")]) == [Held(failed="no answer"), MX]


def test_all_that_is_missing_is_said_at_once_and_once() -> None:
    answers = Answers({("acme.example", "MX"): MX})
    with pytest.raises(Missing) as one:
        answers.get("acme.example", "A")
    assert one.value.keys == (("acme.example", "A"),)
    wanted = [("a.example", "A"), ("acme.example", "MX"), ("b.example", "A"), ("a.example", "A")]
    with pytest.raises(Missing, match=r"a\.example A, b\.example A") as several:
        answers.all(wanted)
    assert several.value.keys == (("a.example", "A"), ("b.example", "A"))


def test_names_are_called_without_the_last_dot_in_small_letters() -> None:
    assert key("Acme.EXAMPLE.", "mx") == ("acme.example", "MX") and key(".", "ns") == ("", "NS")
