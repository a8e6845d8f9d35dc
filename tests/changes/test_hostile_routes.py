"""Text of every bad sort in what makes routes: refused at its field, and all that is wrong said at once."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from cast import MIA, House, do
from postroom.changes.errors import Problems
from postroom.changes.kind import KINDS
from routed import later

PAST = "2020-01-01T00:00:00Z"
BAD = (
    "<script>alert(1)</script>@acme.example", "a\u202eb@acme.example", "a\u200bb@acme.example",
    f"{'a' * 10_000}@acme.example", f"a@{'a' * 10_000}.example", "a\0b@acme.example", "mia@\u0430cme.example",
    '"a b"@acme.example', "user%other.test@acme.example", "user%other@own", "other.test!user@acme.example",
    "a@[IPv6:::1]", "a@[192.0.2.1]", "a@b@acme.example", "a\nb@acme.example", "", " ", "m\u00eda@acme.example",
    "a..b@acme.example", "a@acme.example, b@acme.example", "|cmd@acme.example", "/etc/passwd@acme.example",
    "-f@acme.example", "`id`@acme.example", "$x@acme.example", "mia@localhost", "+x@acme.example", "*@acme.example",
    "\ud800@acme.example", 5, None,
)  # fmt: skip
GOOD: dict[str, dict[str, Any]] = {
    "aliases.create": {"address": "new@acme.example", "targets": [MIA]},
    "forwards.create": {"address": MIA, "to": "a@out.test", "until": later(), "owner": "Mia"},
    "catch_alls.set": {"domain": "acme.example", "target": MIA, "until": later()},
    "transports.create": {"address": MIA, "host": "mx.out.test", "until": later(), "owner": "x"},
    "exceptions.create": {"address": MIA, "target": "a@out.test", "until": later(), "owner": "x"},
    "forwards.stop": {"address": MIA, "target": "a@out.test"},
}
FIELDS = [(name, field) for name, good in GOOD.items() for field in good if field not in ("domain", "until", "owner")]


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_it_is_refused_at_its_field_before_anything_is_read(name: str, field: str) -> None:
    for bad in BAD:
        said = {**GOOD[name], field: [bad] if field == "targets" else bad}
        with pytest.raises(ValidationError) as refused:
            KINDS[name].model_validate(said)
            pytest.fail(f"{name} takes {bad!r} as {field}")
        assert {one["loc"][0] for one in refused.value.errors()} == {field}, bad


@pytest.mark.parametrize(("name", "wrong", "where"), [
    ("forwards.create", {"to": MIA, "until": PAST}, {"to", "until"}),
    ("forwards.create", {"address": "fax@acme.example", "owner": "", "until": PAST}, {"owner", "until"}),
    ("catch_alls.set", {"target": "x@out.test", "until": PAST}, {"target", "until"}),
    ("transports.create", {"address": "fax@acme.example", "owner": "", "until": PAST, "host": "192.0.1.1",
                           "tls": "required"}, {"until", "owner", "tls"}),
    ("transports.create", {"address": "fax@acme.example", "owner": "", "review_on": "2019-01-01"},
     {"owner", "review_on"}),
    ("exceptions.create", {"target": MIA, "until": PAST}, {"target", "until"}),
    ("exceptions.create", {"target": MIA, "review_on": "2019-01-01"}, {"target", "review_on"}),
])  # fmt: skip
def test_all_that_is_wrong_is_said_at_once(house: House, name: str, wrong: dict[str, Any], where: set[str]) -> None:
    with pytest.raises(Problems) as refused:
        do(name, house.olive, **{**GOOD[name], **wrong})
    assert {one.where for one in refused.value.problems} == where


@pytest.mark.parametrize("name", sorted(GOOD))
def test_of_another_client_it_is_not_there_and_nobody_without_the_right_may(house: House, name: str) -> None:
    theirs = {key: value.replace("acme", "globex") if isinstance(value, str) else value
              for key, value in GOOD[name].items()}  # fmt: skip
    with pytest.raises(Problems) as refused:
        do(name, house.carl, **theirs)
    first = "domain" if name == "catch_alls.set" else "address"
    assert first in {one.where for one in refused.value.problems}
    assert "globex" not in "".join(one.what.replace("globex.example", "") for one in refused.value.problems)
