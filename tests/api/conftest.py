"""People at the API: a session each, opened as `postroom token create` does it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cast import House, do
from postroom.access.acting import SYSTEM, Actor
from postroom.access.tokens import draw


class Caller:
    """Somebody with a session at the API."""

    def __init__(self, who: Actor, *, hours: float = 12) -> None:
        token, kept = draw()
        until = timezone.now() + timedelta(hours=hours)
        opened = do("sessions.open", SYSTEM, secrets={"session": kept}, person=str(who.person), mfa="test", until=until)
        assert opened.version, opened.verdicts
        self.token = token
        self.http = Client(
            headers={"authorization": f"Bearer {token}", "host": "localhost"}, raise_request_exception=False
        )

    def get(self, path: str) -> Any:
        return self.http.get("/api/v1" + path)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.http.post("/api/v1" + path, json.dumps(body), content_type="application/json", headers=headers)

    def change(self, kind: str, params: Any, why: str = "a test", **more: Any) -> Any:
        return self.post("/changes", {"kind": kind, "params": params, "why": why, **more})


@pytest.fixture
def at_api(house: House) -> Callable[[str], Caller]:
    return lambda name: Caller(getattr(house, name))
