"""NSD and unbound in folders of their own, on an address that nobody else has; ended by their process."""

import ipaddress
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from postroom.host import claim
from postroom.host.ports import Port
from postroom.resolve.answer import NotRead, Server
from postroom.resolve.ask import exchange

NETWORK = ipaddress.IPv4Network("127.64.0.0/10")
NSD_PORT, UNBOUND_PORT = 5310, 5311
PORTS = (Port("nsd", NSD_PORT, False, "", udp=True), Port("unbound", UNBOUND_PORT, False, "", udp=True))
NSD_CONF = """server:
  ip-address: {address}@{port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{folder}/zones"
  pidfile: ""
  database: ""
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  xfrdir: "{folder}"
  minimal-responses: yes
  hide-version: yes
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  logfile: "{folder}/nsd.log"
remote-control:
  control-enable: no
"""


@contextmanager
def own_address() -> Iterator[str]:
    held = claim.address(network=NETWORK, ports=PORTS)
    try:
        yield held.name
    finally:
        held.release()


@contextmanager
def nsd(
    folder: Path, address: str, zones: Iterable[tuple[str, str]], within: float = 10
) -> Iterator[subprocess.Popen[bytes]]:
    """It serves these zones, (name, master file), until the end of the block."""
    (folder / "zones").mkdir(parents=True)
    with open(folder / "nsd.conf", "w") as conf:
        conf.write(NSD_CONF.format(address=address, port=NSD_PORT, folder=folder))
        first = ""
        for name, text in zones:
            first = first or name
            file = "root" if name == "." else name
            (folder / "zones" / file).write_text(text)
            conf.write(f'zone:\n  name: "{name}"\n  zonefile: "{file}"\n')
    command = [program("nsd"), "-d", "-c", str(folder / "nsd.conf")]
    with running(command, folder / "nsd.out", lambda: answers(address, NSD_PORT, first), within) as process:
        yield process


@contextmanager
def running(
    command: list[str], log: Path, ready: Callable[[], bool], within: float = 10
) -> Iterator[subprocess.Popen[bytes]]:
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + within
        while not ready():
            assert process.poll() is None and time.monotonic() < end, log.read_text()
        yield process
    finally:
        process.terminate()
        process.wait(10)


def answers(address: str, port: int, name: str = ".", type: str = "SOA") -> bool:
    time.sleep(0.05)
    return not isinstance(exchange(Server("here.", address, port), name, type, timeout=0.5, tries=1), NotRead)


def program(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin")
    assert found, f"{name} is not installed (install/packages.sh --for-tests)"
    return found
