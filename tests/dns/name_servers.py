"""A private PowerDNS, the stand-in parent and the registrar on a loopback address of their own."""

import ipaddress
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from postroom.dns.powerdns import PowerDns, command, prepare
from postroom.dns.providers import Provider, open_provider
from postroom.host import claim
from postroom.resolve.answer import NotRead, Server
from postroom.resolve.ask import exchange
from postroom.resolve.walk import NetResolver, servers_of

NETWORK = ipaddress.IPv4Network("127.64.0.0/10")
NS = ("ns1.postroom.example.", "ns2.postroom.example.")
PARENT_PORT = 5301
SRC = Path(__file__).parents[2] / "src"


def until(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False


class NameServers:
    """Start it, stop it, look at it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="postroom-dns-"))
        self.folder.chmod(0o755)
        self.claim = claim.address(network=NETWORK)
        self.address = self.claim.name
        self.powerdns = PowerDns(self.folder / "pdns", self.address, secrets.token_hex(16), NS)
        self.names = dict.fromkeys(NS, (self.address, self.powerdns.port))
        self.parent = Server("parent.example.", self.address, PARENT_PORT)
        self.resolver = NetResolver([self.parent], self.names, ours=NS, timeout=1.0)
        self.ours = servers_of(NS, self.names)
        self.running: list[subprocess.Popen[bytes]] = []
        self.pdns: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        key = self.folder / "api-key"
        key.write_text(self.powerdns.api_key)
        prepare(self.powerdns)
        self.start_powerdns()
        own = ["--folder", str(self.folder)]
        listen = ["--listen", f"{self.address}:{PARENT_PORT}", "--own-address", self.address]
        self._python("postroom.dns.parent", *own, *listen)
        api = f"http://{self.address}:{self.powerdns.api_port}"
        self._python("postroom.dns.registrar", *own, "--api", api, "--key-file", str(key), "--names", ",".join(NS))
        assert until(lambda: not isinstance(exchange(self.parent, "example.", "SOA", timeout=0.2), NotRead))

    def start_powerdns(self) -> None:
        with open(self.folder / "pdns.log", "ab") as log:
            self.pdns = subprocess.Popen(command(self.powerdns), stdout=log, stderr=log)
        assert until(self._api_answers), (self.folder / "pdns.log").read_text()

    def stop_powerdns(self) -> None:
        assert self.pdns is not None
        self.pdns.terminate()
        self.pdns.wait(10)

    def stop(self) -> None:
        self.stop_powerdns()
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            assert process.wait(10) == 0
        self.claim.release()
        shutil.rmtree(self.folder)

    def provider(self, **settings: str) -> Provider:
        return open_provider("powerdns", {**self.powerdns.settings, **settings}, nameservers=NS)

    def api(self, path: str, method: str = "GET", data: Any = None) -> Any:
        """The API as an outsider uses it, without any of our code."""
        url = f"http://{self.address}:{self.powerdns.api_port}/api/v1/servers/localhost{path}"
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(url, body, {"X-API-Key": self.powerdns.api_key}, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def foreign_zone(self, name: str, *rrsets: tuple[str, str, int, list[str]]) -> None:
        """A zone somebody made before us."""
        records = [
            {"name": owner, "type": type, "ttl": ttl, "records": [{"content": v, "disabled": False} for v in values]}
            for owner, type, ttl, values in rrsets
        ]
        self.api("/zones", "POST", {"name": name, "kind": "Native", "nameservers": list(NS), "rrsets": records})

    def dump(self, name: str) -> dict[tuple[str, str], Any]:
        """Every RRset with its TTL, the SOA apart."""
        zone = self.api(f"/zones/{name}")
        return {
            (rrset["name"], rrset["type"]): (rrset["ttl"], sorted(r["content"] for r in rrset["records"]))
            for rrset in zone["rrsets"]
            if rrset["type"] != "SOA"
        }

    def _api_answers(self) -> bool:
        try:
            self.api("")
        except OSError:
            return False
        return True

    def _python(self, module: str, *arguments: str) -> None:
        environ = {**os.environ, "PYTHONPATH": str(SRC)}
        self.running.append(subprocess.Popen([sys.executable, "-m", module, *arguments], env=environ))
