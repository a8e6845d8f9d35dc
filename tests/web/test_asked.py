"""A change that came to nothing says what was asked, though there is nothing it did."""

from django.test import Client
from visitors import visitor

from cast import MIA, House, do


def body(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_refused_change_shows_what_was_asked(house: House) -> None:
    do("freezes.start", house.olive, scope="acme", reason="an audit")
    refused = do("mailboxes.change", house.olive, mailbox=MIA, name="Mia <Hart>", quota_mb=20_000, vip=True)
    assert refused.stage == "refused"
    shown = body(visitor(house.olive), f"/changes/{refused.pk}/")
    assert "0 objects" not in shown and "nothing: it is refused" in shown
    for words in ("Mailbox", MIA, "Mia &lt;Hart&gt;", "Quota mb", "20000", "Vip", "yes"):
        assert words in shown, words


def test_one_that_did_something_shows_that(house: House) -> None:
    done = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=20_000)
    shown = body(visitor(house.olive), f"/changes/{done.pk}/")
    assert "Quota mb" not in shown and "1 object of one client" in shown
