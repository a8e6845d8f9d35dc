"""check: what is wrong with the DNS of any domains, by the rules mail is judged by. Needs no installation."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import click

from postroom.posture.sweep import Looked, sweep
from postroom.protocols.addresses import domain_name
from postroom.protocols.judges.dkim import Selector
from postroom.protocols.judges.domain import Known
from postroom.protocols.judges.mta_sts import Fetched
from postroom.resolve.cache import Cache
from postroom.resolve.engine import Engine
from postroom.resolve.policy_file import fetch
from postroom.resolve.upstream import Upstream

from . import checked

# Selectors of the large providers: asked of where none is named, since nobody can ask which a domain has.
OFTEN = (
    "default", "dkim", "mail", "s1", "s2", "selector1", "selector2", "google", "k1", "k2", "k3", "fm1", "fm2", "fm3",
    "mandrill", "zoho", "mxvault", "dk1", "pm", "sig1",
)  # fmt: skip
RESOLVERS = Path("/etc/resolv.conf")
FORMATS = ("table", "json", "csv")
BAD, UNKNOWN = 1, 3  # exit codes


@click.command()
@click.argument("domains", nargs=-1)
@click.option("--file", "listed", type=click.File(), help="A domain a line, # begins a comment; - is the input.")
@click.option("--server", "servers", multiple=True, metavar="ADDRESS[:PORT]",
              help="Whom to ask: a resolver. Again for more; left out, those of this machine.")  # fmt: skip
@click.option("--validates", is_flag=True, help="The resolver validates DNSSEC, and the way to it is safe.")
@click.option("--selector", "selectors", multiple=True, help="A DKIM selector that is in use. Again for more.")
@click.option("--parked", is_flag=True, help="The domains shall neither take nor send mail.")
@click.option("--no-policies", is_flag=True, help="Fetch no MTA-STS policies over HTTPS.")
@click.option("--all", "everything", is_flag=True, help="Show what is good as well.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
def check(
    domains: tuple[str, ...], listed: Iterable[str] | None, servers: tuple[str, ...], validates: bool,
    selectors: tuple[str, ...], parked: bool, no_policies: bool, everything: bool, form: str,
) -> None:  # fmt: skip
    """Look at DOMAINS: MX, SPF, DKIM, DMARC, MTA-STS, TLS-RPT, DANE, CAA, BIMI, name servers and aliases.

    What a resolver could not say is unknown, and never good. Exit code 1: something is bad; 3: something is unknown.
    """
    names = _names([*((f"argument {n}", one) for n, one in enumerate(domains, 1)), *_lines(listed)])
    known = Known(parked=parked, selectors=tuple(map(Selector, selectors)), sought=() if selectors else OFTEN)
    upstreams = [_upstream(one, validates) for one in servers or _of_this_machine()]
    looked = _look([(name, known) for name in names], upstreams, policies=not no_policies)
    shown = checked.SHOWN[form](everything=everything, one=len(names) == 1)
    levels = asyncio.run(_shown(looked, shown))
    raise SystemExit(BAD if "bad" in levels else UNKNOWN if "unknown" in levels else 0)


async def _shown(looked: AsyncIterator[Looked], shown: checked.Shown) -> set[str]:
    levels = set[str]()
    async for one in looked:
        levels |= {each.level for each in one.results} | ({"unknown"} if one.unfinished else set())
        shown.add(one)
    shown.end()
    return levels


async def _look(
    domains: Iterable[tuple[str, Known]], upstreams: list[Upstream], *, policies: bool
) -> AsyncIterator[Looked]:
    async with Engine(upstreams) as engine:
        async for one in sweep(Cache(engine.ask), domains, fetch=_policy if policies else None):
            yield one


def _policy(host: str, addresses: tuple[str, ...]) -> Fetched:
    return Fetched(*fetch(host, addresses))


def _lines(listed: Iterable[str] | None) -> Iterator[tuple[str, str]]:
    for n, line in enumerate(listed or (), 1):
        if name := line.partition("#")[0].strip():
            yield f"line {n}", name


def _names(said: list[tuple[str, str]]) -> list[str]:
    """Each once, as DNS has it; all that is none is said at once."""
    names, wrong = dict[str, None](), list[str]()
    for where, text in said:
        try:
            names[domain_name(text)] = None
        except ValueError as why:
            wrong.append(f"{where}: {why}")
    if wrong:
        raise click.UsageError("\n".join(wrong))
    if not names:
        raise click.UsageError("say at least one domain, or --file")
    return list(names)


def _upstream(text: str, validates: bool) -> Upstream:
    address, port = text, 53
    if found := re.fullmatch(r"\[(.+)\]:(\d{1,5})|([^:]+):(\d{1,5})", text):
        address, port = found[1] or found[3], int(found[2] or found[4])
    try:
        return Upstream(address, port, validates=validates)
    except ValueError as why:
        raise click.UsageError(f"--server {text}: {why}") from None


def _of_this_machine() -> list[str]:
    try:
        found = re.findall(r"^nameserver\s+(\S+)", RESOLVERS.read_text(), re.M)
    except OSError as why:
        raise click.ClickException(f"{RESOLVERS} cannot be read ({why}): say whom to ask with --server") from None
    if not found:
        raise click.ClickException(f"{RESOLVERS} names no resolver: say whom to ask with --server")
    return found
