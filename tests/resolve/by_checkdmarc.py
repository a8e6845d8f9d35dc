"""checkdmarc over a list of domains, asked of one name server, as a process of its own; prints what it finds as JSON.

Nothing else is asked and nothing fetched: policy files of MTA-STS are taken to be there, logos are not looked for, no
mail server is connected to. cpu: seconds of this process for all of them.

    python by_checkdmarc.py ADDRESS PORT FILE [THREADS]
"""

from __future__ import annotations

import json
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import checkdmarc
import checkdmarc.mta_sts
import dns.resolver
import httpx
import requests

POLICY = "version: STSv1\r\nmode: testing\r\nmx: *.test\r\nmax_age: 86400\r\n"


def off(*_: object, **__: object) -> Any:
    raise requests.RequestException("no network")


def main(address: str, port: int, names: list[str], threads: int) -> dict[str, Any]:
    requests.Session.get = httpx.Client.get = httpx.get = off  # type: ignore[assignment, method-assign]
    checkdmarc.mta_sts.download_mta_sts_policy = lambda *_, **__: {"policy": POLICY, "warnings": []}
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.lifetime, resolver.timeout = [address], port, 20.0, 5.0
    logging.disable(logging.CRITICAL)

    def some(part: list[str]) -> list[dict[str, Any]]:
        found = checkdmarc.check_domains(
            part, nameservers=[address], timeout=20.0, bimi_selector=None, resolver=resolver
        )
        return found if isinstance(found, list) else [found]

    began, cpu = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        found = [one for part in pool.map(some, [names[n::threads] for n in range(threads)]) for one in part]
    cpu, wall = time.process_time() - cpu, time.monotonic() - began
    return {"cpu": cpu, "wall": wall, "domains": {one["domain"]: said(one) for one in found}}


def said(one: dict[str, Any]) -> dict[str, Any]:
    """What can be compared."""
    spf, dmarc = one["spf"], one["dmarc"]
    return {
        "spf": bool(spf.get("valid")), "lookups": spf.get("dns_lookups"), "dmarc": bool(dmarc.get("valid")),
        "policy": ((dmarc.get("tags") or {}).get("p") or {}).get("value"),
        "mta_sts": bool(one["mta_sts"].get("valid")), "tls_rpt": bool(one["smtp_tls_reporting"].get("valid")),
        "mx": sorted(host["hostname"] for host in one["mx"]["hosts"]),
        "why": [str(part.get("error")) for part in (spf, dmarc, one["mta_sts"]) if part.get("error")],
    }  # fmt: skip


if __name__ == "__main__":
    where, at, listed, *more = sys.argv[1:]
    print(json.dumps(main(where, int(at), Path(listed).read_text().split(), int(more[0]) if more else 1)))
