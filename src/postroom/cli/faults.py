"""Faults of the demo, planted from outside as in life: somebody at the name server, past Postroom.

docs/demo.md lists each with what finds it. Nothing of this is in the record, and that is the point.
"""

import base64
import json
import secrets
import time
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.models import DkimKey

LOST_MX = "acme-parts.example"
SWAPPED_KEY = "globex-travel.example"
TRIES = 30  # PowerDNS says 500 while another one writes to its SQLite: octoDNS is still at it when the demo is loaded


def plant() -> None:
    """A record set deleted by hand, and a DKIM key replaced by another."""
    _patch(LOST_MX, {"name": f"{LOST_MX}.", "type": "MX", "changetype": "DELETE"})
    with acting_as(SYSTEM):
        keys = visible(SYSTEM, DkimKey).filter(domain__name=SWAPPED_KEY).order_by("selector")
        name = f"{keys[0].selector}._domainkey.{SWAPPED_KEY}."
    other = base64.b64encode(secrets.token_bytes(294)).decode()
    pieces = [f"v=DKIM1; k=rsa; p={other}"[at : at + 255] for at in range(0, len(other) + 20, 255)]
    content = " ".join(f'"{piece}"' for piece in pieces if piece)
    wrong = {"name": name, "type": "TXT", "ttl": 3600, "changetype": "REPLACE", "records": [{"content": content}]}
    _patch(SWAPPED_KEY, wrong)


def _patch(zone: str, rrset: dict[str, Any]) -> None:
    env = settings.POSTROOM
    host, port = env.pdns_api
    url = f"http://{host}:{port}/api/v1/servers/localhost/zones/{zone}."
    headers = {"X-API-Key": env.pdns_key_file.read_text().strip(), "Content-Type": "application/json"}
    body = json.dumps({"rrsets": [rrset]}).encode()
    for left in reversed(range(TRIES)):
        try:
            urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PATCH"), timeout=10).close()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 or not left:
                raise
            time.sleep(1)
        else:
            return
