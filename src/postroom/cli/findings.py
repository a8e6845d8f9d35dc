"""findings: what is wrong, as it was last read; worst first."""

from typing import Any

import click

from . import remote, show

SEVERITIES = ("critical", "high", "medium", "low")
STATES = ("open", "unknown", "acknowledged", "accepted", "closed", "any")


@click.command()
@click.argument("finding_id", required=False)
@click.option("--client", help="Of one client, by its slug; or organization.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="Of this severity.")
@click.option("--check", help="Of one check, by its name.")
@click.option("--state", type=click.Choice(STATES), help="Left out: all that is open and not accepted.")
@click.option("--search", help="With this in its title, or in what its object is called.")
@click.option("--limit", default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer as it is.")
def findings(finding_id: str | None, as_json: bool, **narrowed: Any) -> None:
    """What is wrong, worst first; or one, FINDING_ID, with what was seen."""
    path = f"/findings/{remote.quoted(finding_id)}" if finding_id else "/findings?" + remote.query(narrowed)
    found = remote.ask("GET", path)
    if as_json:
        show.as_json(found)
    elif finding_id:
        show.finding(found)
    else:
        show.findings(found["items"], remote.ask("GET", "/findings/counts")["unread"])
