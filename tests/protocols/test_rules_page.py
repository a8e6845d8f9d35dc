"""docs/dns-rules.md says what the table says."""

from pathlib import Path

from postroom.protocols import rules

DOCS = Path(__file__).parents[2] / "docs" / "dns-rules.md"


def test_the_page_is_the_table() -> None:
    assert DOCS.read_text() == rules.page(), f"docs/dns-rules.md is out of date: run {rules.COMMAND}"


def test_the_page_has_every_rule_once() -> None:
    assert [rules.page().count(f"| `{id}` |") for id in rules.RULES] == [1] * len(rules.RULES)
