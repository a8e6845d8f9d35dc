"""What the demo plants at the name server is planted, also when that one is busy for a moment."""

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from django.conf import settings

from cast import House
from postroom.access.acting import SYSTEM, acting_as
from postroom.cli import demo, faults, portfolio
from postroom.models import Client


def test_a_load_that_ends_before_the_faults_plants_them_the_next_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        portfolio.Step("olive@northlight.example", "clients.create", {"name": name}, f"of {name}") for name in "XY"
    ]
    told: list[str] = []

    def plant() -> None:
        told.append("planted" if told else "died")
        if told == ["died"]:
            raise SystemExit

    monkeypatch.setattr(portfolio, "steps", lambda _: steps)
    monkeypatch.setattr(demo, "plant", plant)
    for _ in range(3):
        CliRunner().invoke(demo.load)
    assert told == ["died", "planted"]
    with acting_as(SYSTEM):
        assert {"X", "Y"} <= set(Client.objects.values_list("name", flat=True))
    monkeypatch.setattr(portfolio, "steps", lambda _: [replace(steps[0], params={"name": "Z"}), *steps])
    loaded = CliRunner().invoke(demo.load)  # by another version of it
    assert not loaded.exception and told == ["died", "planted"]


@pytest.mark.parametrize("refusals", [0, 2])
def test_a_busy_name_server_is_asked_again(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, refusals: int) -> None:
    answers = [500] * refusals + [204]
    asked = []

    class Busy(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(answers.pop(0))
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    (tmp_path / "key").write_text("k")
    monkeypatch.setattr(faults.time, "sleep", lambda seconds: None)
    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        env = SimpleNamespace(pdns_api=server.server_address, pdns_key_file=tmp_path / "key")
        monkeypatch.setattr(settings, "POSTROOM", env)
        faults._patch("acme.example", {"name": "acme.example."})
        server.shutdown()
    assert len(asked) == refusals + 1 and not answers
