"""A small registrar for demo and tests: it delegates every zone our PowerDNS hosts to our name servers.

It does what a client does at their registrar, within two seconds. It looks at the API twice a second and
writes the stand-in parent's list. Two text files in its folder say otherwise: a name in `not-delegated`
(one a line) stays undelegated; a line `name ns1 ns2` in `elsewhere` delegates to somebody else.

    python -m postroom.dns.registrar --folder F --api http://127.64.0.1:5302 --key-file K --names ns1.x.example,…
"""

import argparse
import json
import signal
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

from postroom.dns.delegations import Delegated, read, write

EVERY = 0.5
TIMEOUT = 2.0
NAMES = ("ns1.postroom.example", "ns2.postroom.example")

# The process' proxy variables are not meant for a server on this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def hosted_zones(api: str, key: str) -> list[str]:
    """Names of all zones, with trailing dots. Raises OSError or ValueError when the API does not tell."""
    url = f"{api.rstrip('/')}/api/v1/servers/localhost/zones?dnssec=false"
    with _direct.open(urllib.request.Request(url, headers={"X-API-Key": key}), timeout=TIMEOUT) as answer:
        return [zone["name"].lower() for zone in json.load(answer)]


def wanted(folder: Path, zones: list[str], names: tuple[str, ...]) -> Delegated:
    """The list of delegations as it shall be. What lies below another zone is delegated in that zone, or not at all."""
    left_out = {_dotted(line) for line in _lines(folder / "not-delegated")}
    elsewhere = {
        _dotted(first): tuple(map(_dotted, rest)) for first, *rest in map(str.split, _lines(folder / "elsewhere"))
    }
    known = {*zones, *elsewhere}
    top = [zone for zone in zones if not any(zone.endswith(f".{other}") for other in known)]
    ours = {zone: tuple(map(_dotted, names)) for zone in top if zone not in left_out}
    return ours | {zone: servers for zone, servers in elsewhere.items() if servers}


def step(folder: Path, api: str, key: str, names: tuple[str, ...]) -> None:
    """Look once; write the list if it is not as it shall be."""
    now = wanted(folder, hosted_zones(api, key), names)
    if now != read(folder):
        write(folder, now)


def run(folder: Path, api: str, key: str, names: tuple[str, ...], ended: threading.Event) -> None:
    """Look again and again until `ended`. While the API is silent the delegations stay as they are."""
    silent = ""
    while not ended.wait(EVERY):
        try:
            step(folder, api, key, names)
            silent = ""
        except (OSError, ValueError, KeyError) as why:
            if str(why) != silent:
                silent = str(why)
                print(f"registrar: nothing was changed: {why}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="postroom.dns.registrar", description="delegates hosted zones to us")
    parser.add_argument("--folder", type=Path, required=True, help="the stand-in parent's folder")
    parser.add_argument("--api", required=True, metavar="URL", help="of our PowerDNS")
    parser.add_argument("--key-file", type=Path, required=True, help="holds the API key")
    parser.add_argument("--names", default=",".join(NAMES), help="our name servers, with commas")
    given = parser.parse_args(arguments)
    ended = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: ended.set())
    run(given.folder, given.api, given.key_file.read_text().strip(), tuple(given.names.split(",")), ended)


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _dotted(name: str) -> str:
    return name.strip().lower().rstrip(".") + "."


if __name__ == "__main__":
    main()
