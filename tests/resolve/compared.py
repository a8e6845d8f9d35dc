"""What a sweep of ours and checkdmarc say of the same domains, part by part; and why they may differ (decision 51)."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from name_daemons import NSD_PORT

from postroom.posture.sweep import Looked, sweep
from postroom.protocols.judges.dkim import Selector
from postroom.protocols.judges.domain import Known
from postroom.resolve.cache import Cache
from postroom.resolve.engine import Counts, Engine
from postroom.resolve.upstream import Upstream

KNOWN = Known(selectors=(Selector("s1"), Selector("s2")), private=True)
# By which receivers use no part of a record, as each RFC has it.
PERMERROR = frozenset({
    "spf.none", "spf.several", "spf.syntax", "spf.lookups", "spf.voids", "spf.loop", "spf.mx_many", "spf.include_none",
    "spf.no_name",
})  # fmt: skip
NO_POLICY = frozenset({"dmarc.none", "dmarc.several", "dmarc.broken"})
NO_STS = frozenset({"mta_sts.none", "mta_sts.several", "mta_sts.broken"})
NO_REPORTS = frozenset({"tls_rpt.none", "tls_rpt.several", "tls_rpt.broken", "tls_rpt.bad_uri"})
STRENGTHS = {"dmarc.reject": "reject", "dmarc.quarantine": "quarantine", "dmarc.p_none": "none"}


class Swept(NamedTuple):
    """found: in the order in which it was had. cpu: seconds of this process."""

    found: Sequence[Looked]
    cpu: float
    wall: float
    counts: Counts


class Differs(NamedTuple):
    """part: of what; why: a heading of decision 51, or empty where nobody knows why."""

    domain: str
    part: str
    ours: object
    theirs: object
    why: str


def swept(address: str, names: Sequence[str], port: int = NSD_PORT) -> Swept:
    async def run() -> Swept:
        async with Engine([Upstream(address, port)]) as engine:
            wall, cpu = time.monotonic(), time.process_time()
            found = [one async for one in sweep(Cache(engine.ask), ((name, KNOWN) for name in names))]
            return Swept(found, time.process_time() - cpu, time.monotonic() - wall, engine.counts)

    return asyncio.run(run())


def by_checkdmarc(
    address: str, names: Sequence[str], folder: Path, port: int = NSD_PORT, threads: int = 1
) -> dict[str, Any]:
    listed = folder / "names"
    listed.write_text("\n".join(names))
    command = [sys.executable, str(Path(__file__).with_name("by_checkdmarc.py")), address, str(port), str(listed)]
    done = subprocess.run([*command, str(threads)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def differences(looked: Looked, theirs: Mapping[str, Any]) -> Iterator[Differs]:
    """Every part in which they are not of one mind."""
    rules = {one.rule for one in looked.results}
    assert not looked.unfinished and not any(rule.endswith("unknown") for rule in rules), looked
    no_mail = "mx.null" in rules
    ours: dict[str, Any] = {
        "spf": not PERMERROR & rules, "dmarc": not NO_POLICY & rules, "mx": hosts(looked),
        "mta_sts": not (NO_STS & rules or no_mail), "tls_rpt": not (NO_REPORTS & rules or no_mail),
    }  # fmt: skip
    if ours["spf"]:
        ours["lookups"] = lookups(looked)
    if ours["dmarc"] and theirs["dmarc"]:
        ours["policy"] = next((word for rule, word in STRENGTHS.items() if rule in rules), "")
    for part, value in ours.items():
        if value != theirs[part]:
            yield Differs(looked.domain, part, value, theirs[part], _why(part, rules))


def _why(part: str, rules: set[str]) -> str:
    if part == "dmarc" and "dmarc.bad_policy" in rules:
        return "A policy that is none reads as p=none"
    if part in ("tls_rpt", "mta_sts") and "mx.null" in rules:
        return "Who takes no mail is not asked about TLS"
    return ""


def hosts(looked: Looked) -> list[str]:
    """As the domain's own MX name them, or of those that are wrong each by itself; none of a null MX."""
    about = [one.evidence for one in looked.results if one.rule.startswith("mx.")]
    named = {value.split()[1].rstrip(".") for one in about if one.name == looked.domain for value in one.raw}
    return sorted((named | {one.name for one in about if one.name != looked.domain}) - {""})


def lookups(looked: Looked) -> int | None:
    """Of the ten that RFC 7208, 4.6.4 allows, as our own words count them."""
    said = [dict(one.evidence.parsed).get("look-ups") for one in looked.results if one.rule.startswith("spf.")]
    return next((int(one) for one in said if one), None)
