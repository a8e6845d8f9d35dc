"""The program `postroom`: runs an installation, and speaks to one by its API. Parses and shows, decides nothing."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click


@dataclass(frozen=True)
class Command:
    """module:attribute of a command, its line in the help, and of what makes ready what the command imports."""

    where: str
    help: str
    before: str | None = None


# A command that works inside the installation needs Django's apps, which are ready only after it was entered.
COMMANDS = {
    "up": Command("machine:up", "Start everything on this machine and stay in the foreground."),
    "node": Command("machine:node", "Run a mail node."),
    "worker": Command("inside:worker", "Run deliveries, the clock, proofs and our own mail.", "place:from_environment"),
    "demo": Command("demo:load", "Load the demo portfolio, once; `up --demo` does it.", "place:enter"),
    "links": Command("inside:links", "Print the one-time links with which people get in.", "place:enter"),
    "break-glass": Command("sealed:break_glass", "Print the two sealed logins, once, for paper.", "place:enter"),
    "token-key": Command("token_key:token_key", "Draw another key for the tokens of mail apps.", "place:enter"),
    "token": Command("inside:token", "Sessions at the API, in a demo installation.", "place:enter"),
    "login": Command("login:login", "Sign in, confirmed in the browser."),
    "logout": Command("login:logout", "End the session that login opened."),
    "doctor": Command("doctor:doctor", "Is every piece here, running, in step?", "place:enter"),
    "audit": Command("audit:audit", "The record: does it still say what was signed?", "place:enter"),
    "change": Command("changes:change", "Propose a change."),
    "kinds": Command("changes:kinds", "What can be changed, and what each takes."),
    "approve": Command("changes:approve", "Let a held change through, having seen its plan."),
    "withdraw": Command("changes:withdraw", "Take back what waits; for an approver, this is a no."),
    "undo": Command("changes:undo", "Take back one change."),
    "replan": Command("changes:replan", "Plan a stale, refused or withdrawn change again, now."),
    "review": Command("changes:review", "What went through at once and is to be looked at; or close one."),
    "check": Command("check:check", "What is wrong with the DNS of any domains; needs no installation."),
    "posture": Command("posture:posture", "How the DNS of each domain stands, by the rules mail is judged by."),
    "findings": Command("findings:findings", "What is wrong, as it was last read."),
    "leaving": Command("leaving:leaving", "Every way by which mail leaves a client, worst first."),
    "sheet": Command("sheet:sheet", "Who holds, owns and may do what at a client; or as a file."),
    "access": Command("access:access", "Who may do what here, and when it was last used."),
    "who-can-reset": Command("access:who_can_reset", "Every path to control of a mailbox, the weakest first."),
    "access-review": Command("rounds:access_review", "Who may do what at a client, signed every quarter."),
    "roster": Command("rounds:roster", "Who of a client is still there, asked every quarter."),
    "sign-ins": Command("sign_ins:sign_ins", "Who signed in to a mailbox, and who tried to."),
    "sessions": Command("sign_ins:sessions", "Who is signed in to a mailbox now, or as a person; or end all of these."),
    "trace": Command("trace:trace", "Where mail to an address lands, hop by hop; and what leads there."),
    "permissions": Command("permissions:permissions", "Which role may what, as a table.", "place:from_environment"),
    "routes": Command("routes:routes", "Every address, and whom it lets in.", "place:from_environment"),
    "log": Command("changes:log", "What changed, newest first."),
    "by-hand": Command("changes:by_hand", "What has to be typed in where a domain's DNS is run."),
    "show": Command("changes:show_one", "A change, or an object as it is or was."),
}


def _named(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(f"postroom.cli.{module}"), name)


class Program(click.Group):
    """A group whose commands, and what they need, are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        known = COMMANDS.get(cmd_name)
        if known is None:
            return None
        if known.before:
            _named(known.before)()
        command: click.Command = _named(known.where)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.help) for name, one in COMMANDS.items()])


@click.command(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="postroom")
def main() -> None:
    """Run the mail of many clients.

    POSTROOM_STATE names the installation on this machine (/var/lib/postroom if left out); POSTROOM_URL and
    POSTROOM_TOKEN an API and a session there.
    """
