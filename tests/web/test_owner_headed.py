"""Every page of a mailbox's owner is headed by who runs their mail, so that they know whose page it is."""

from mailbox_owner import owner
from postroom.models import Mailbox

PAGES = (
    "", "password/", "code/", "record/", "sessions/", "sign-ins/", "filters/", "filters/answer/", "filters/script/",
    "forwards/new/", "ways-back/new/", "access/ask/", "app-passwords/new/",
)  # fmt: skip


def test_every_page_of_an_owner_is_headed_by_who_runs_the_mailbox(mia: Mailbox) -> None:
    browser = owner()
    for one in PAGES:
        answer = browser.get(f"/mailbox/{one}")
        assert answer.status_code == 200, (one, answer.status_code)
        text = answer.content.decode()
        assert "<span>Northlight mail</span>" in text and "Northlight</title>" in text, one
