"""What we say of thousands of generated zones is what checkdmarc says, or it is known why not (decision 51)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from compared import by_checkdmarc, differences, swept
from name_daemons import nsd, own_address
from portfolio import domains, zones

DECISION = Path(__file__).parents[2] / "docs/decisions/0051-where-we-and-checkdmarc-differ.md"


PLANTED = {
    "spf.none", "spf.several", "spf.syntax", "spf.lookups", "spf.voids", "spf.loop", "spf.include_none", "dmarc.none",
    "dmarc.several", "dmarc.bad_policy", "mx.nowhere", "mx.cname", "mta_sts.broken", "tls_rpt.several",
}  # fmt: skip


@pytest.mark.server
@pytest.mark.parametrize("many", [480, pytest.param(3_200, marks=pytest.mark.soak)])
def test_we_and_checkdmarc_say_the_same(many: int, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    names, counted = list(domains(many)), Counter[str]()
    with own_address() as address, nsd(tmp_path / "nsd", address, zones(many), within=120):
        ours, theirs = swept(address, names), by_checkdmarc(address, names, tmp_path)
    assert {one.domain for one in ours.found} == set(names) == theirs["domains"].keys()
    for one in ours.found:
        for differs in differences(one, theirs["domains"][one.domain]):
            assert differs.why, (differs, theirs["domains"][one.domain]["why"])
            counted[differs.why] += 1
    seen = {each.rule for one in ours.found for each in one.results}
    assert seen >= PLANTED, "each defect is among them"
    explained = {line[3:].strip() for line in DECISION.read_text().splitlines() if line.startswith("## ")}
    assert counted.keys() <= explained, "each is explained there"
    assert sum(counted.values()) < many / 10, counted
