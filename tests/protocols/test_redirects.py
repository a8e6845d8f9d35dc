"""Where an app's users may come back to, and what is the same place."""

import pytest

from postroom.protocols.redirects import matches, redirect_uri

GOOD = ("https://app.example/back", "http://127.0.0.1/back", "http://[::1]/back", "http://127.0.0.1:8080/",
        "org.example.app:/back", "com.example.mail-app://oauth")  # fmt: skip
BAD = ("http://app.example/back", "https://", "https://me@app.example/back", "https://app.example/#x", "mailapp:/back",
       "javascript:alert(1)", "data:text/html,x", "http://localhost/back", "https://app.example/a b", "https://*.example/",
       "https://app.example\\@x/", "", "http://127.0.0.1:99999/", "http://127.0.0.1.example/", "x" * 400)  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_it_may_be_registered(text: str) -> None:
    assert redirect_uri(text) == text and matches(text, text)


@pytest.mark.parametrize("text", BAD)
def test_it_may_not(text: str) -> None:
    with pytest.raises(ValueError):
        redirect_uri(text)


@pytest.mark.parametrize("asked, registered, same", [
    ("http://127.0.0.1:53123/back", "http://127.0.0.1/back", True),
    ("http://[::1]:53123/back", "http://[::1]/back", True),
    ("http://127.0.0.1:53123/back", "http://[::1]/back", False),
    ("http://127.0.0.1:53123/back/", "http://127.0.0.1/back", False),
    ("http://127.0.0.1:53123/back?x", "http://127.0.0.1/back", False),
    ("http://127.0.0.1:53123/back#x", "http://127.0.0.1/back", False),
    ("https://127.0.0.1:53123/back", "http://127.0.0.1/back", False),
    ("http://x@127.0.0.1:53123/back", "http://127.0.0.1/back", False),
    ("http://127.0.0.1:53123\\@x/back", "http://127.0.0.1/back", False),
    ("https://app.example:444/back", "https://app.example/back", False),
    ("https://app.example/back?x", "https://app.example/back", False),
    ("HTTPS://app.example/back", "https://app.example/back", False),
])  # fmt: skip
def test_the_same_place_is_the_same_letter_for_letter_but_for_a_loopback_port(
    asked: str, registered: str, same: bool
) -> None:
    assert matches(asked, registered) is same
