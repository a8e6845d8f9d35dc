"""Dovecot's answers over HTTP, as its versions give them."""

from typing import Any

import pytest

from postroom.engines.doveadm import Doveadm, DoveadmAway, _rows

ONE = {"username": "mia@acme.example", "connections": "2", "service": "imap", "pids": "(41 43)", "ips": "(::1)"}
OTHER = {"username": "joe@acme.example", "connections": "1", "service": "submission", "pids": "(42)", "ips": "(::1)"}
MORE = {**OTHER, "username": "mia@acme.example", "pids": "(44)"}
EVERYBODY = [["doveadmResponse", [ONE], OTHER, MORE, "t"]]  # as 2.3.19 says it
LISTED = [["doveadmResponse", [ONE, OTHER, MORE], "t"]]


@pytest.mark.parametrize("answer", [EVERYBODY, LISTED])
def test_every_row_of_an_answer(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _rows("who", answer) == [ONE, OTHER, MORE]
    doveadm = Doveadm("127.0.0.1", 1, "k")
    monkeypatch.setattr(Doveadm, "_ask", lambda self, command, parameters: _rows(command, answer))
    assert doveadm.who(["mia@acme.example", "joe@acme.example"]) == {
        "mia@acme.example": ["imap", "submission"],
        "joe@acme.example": ["submission"],
    }
    assert doveadm.processes("mia@acme.example") == {41, 43, 44}


def test_by_credential_it_is_said_whether_there_was_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    answers: list[Any] = [[["doveadmResponse", [{"count": "2"}], "t"]], [["error", {"exitCode": 68}, "t"]]]
    monkeypatch.setattr(
        Doveadm, "_ask", lambda self, command, parameters: asked.append(parameters) or _rows(command, answers.pop(0))
    )
    doveadm = Doveadm("127.0.0.1", 1, "k")
    assert [doveadm.kick_credential("app:1"), doveadm.kick_credential("app:1")] == [True, False]
    assert asked == [{"passdbField": "user_cred", "mask": ["app:1"]}] * 2


@pytest.mark.parametrize("answer", [{}, [], [["error", {"exitCode": 75}, "t"]], [["doveadmResponse", "x", "t"]]])
def test_anything_else_is_not_known(answer: Any) -> None:
    with pytest.raises(DoveadmAway):
        _rows("who", answer)
