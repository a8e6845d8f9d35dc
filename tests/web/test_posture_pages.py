"""DNS posture as pages: domains beside each other by area, and one with every result and what would mend it."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from test_object_pages import plain
from visitors import visitor

from api.test_posture_doors import ACME, NEW, OTHER, stands
from cast import House, do

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def three(house: House) -> House:
    do("domains.add", house.olive, client="acme", name=NEW)
    stands(ACME, {"mx.good": "good", "spf.none": "bad", "dkim.unknown": "unknown", "tls_rpt.none": "warn"})
    stands(OTHER, {"mx.good": "good", "caa.none": "info", f"bimi.{HOSTILE}": "info"})
    return house


def rows(answer: Any) -> dict[str, str]:
    """Domain → the words of its row."""
    text = plain(answer)
    order = sorted((text.index(f"{name} "), name) for name in (ACME, NEW, OTHER) if f"{name} " in text)
    ends = [at for at, _ in order[1:]] + [len(text)]
    return {name: text[at:end] for (at, name), end in zip(order, ends, strict=True)}


def test_each_domain_area_by_area(three: House) -> None:
    answer = visitor(three.olive).get("/posture/")
    found = rows(answer)
    assert list(found) == [NEW, ACME, OTHER]
    for word in ("good", "bad", "not known", "to mend"):
        assert word in found[ACME], (word, found)
    assert "good" not in found[NEW] and found[NEW].count("not known") == 7 and "not looked at yet" in found[NEW]
    assert "noted" in found[OTHER] and "bad" not in found[OTHER].split("shown")[0]
    assert f'href="/domains/{ACME}/posture/"' in answer.content.decode()


def test_narrowed_by_state_and_client(three: House) -> None:
    olive = visitor(three.olive)
    assert list(rows(olive.get("/posture/?state=bad"))) == [ACME]
    assert list(rows(olive.get("/posture/?state=unknown"))) == [NEW]
    assert OTHER not in plain(olive.get("/posture/?client=acme"))
    assert list(rows(olive.get("/posture/?state=nonsense"))) == [NEW, ACME, OTHER]


def test_one_says_what_is_what_it_rests_on_and_what_would_mend_it(three: House) -> None:
    text = plain(visitor(three.olive).get(f"/domains/{ACME}/posture/"))
    for words in (
        "1 bad, 1 not known, 1 to mend", "spf.none is bad at acme.example.", "RFC 7208, 3",
        'acme.example. 3600 IN TXT "v=spf1 -all"', "75 of 100", "at most", "−20", "What is as it should be",
    ):  # fmt: skip
        assert words in text, (words, text)
    assert text.index("spf.none is bad") < text.index("dkim.unknown is") < text.index("tls_rpt.none is")


def test_of_what_was_never_looked_at_nothing_is_said(three: House) -> None:
    text = plain(visitor(three.olive).get(f"/domains/{NEW}/posture/"))
    assert "not known: it was not looked at yet" in text
    for words in ("of 100", "nothing, as last", "as it should be"):
        assert words not in text


def test_what_stands_in_dns_is_shown_and_never_markup(three: House) -> None:
    body = visitor(three.olive).get(f"/domains/{OTHER}/posture/").content.decode()
    assert HOSTILE not in body and HOSTILE in unescape(body)


def test_another_clients_is_not_there(three: House) -> None:
    carl = visitor(three.carl)
    assert OTHER not in plain(carl.get("/posture/"))
    assert carl.get(f"/domains/{OTHER}/posture/").status_code == 404
