"""up and node: what runs on a machine. Nothing is installed here: that is `make install`."""

from importlib.resources import files
from pathlib import Path

import click

from postroom.engines.layout import load
from postroom.engines.node import run as run_node
from postroom.host import services
from postroom.host.claim import NoFreeAddress
from postroom.host.cluster import ClusterError
from postroom.host.installation import Installation, StateRefused
from postroom.host.service import Service
from postroom.host.supervise import ServiceFailed, Supervisor
from postroom.host.up import Hooks, say
from postroom.host.up import up as run_up

from .place import as_root
from .remote import state


@click.command()
@click.option("--demo", is_flag=True, help="With a demo portfolio; a state folder is demo or not for ever.")
def up(demo: bool) -> None:
    """Start everything on this machine and stay in the foreground; Ctrl-C stops all of it."""
    as_root()
    hooks = Hooks(
        roles=files("postroom").joinpath("sql/roles.sql").read_text(),
        migrate=services.migrate,
        services=services.services,
        nodes=(services.NODE,),
        prepare=services.prepare,
        loaded=_loaded,
        announce=_announced,
    )
    try:
        run_up(state(), demo, hooks)
    except (StateRefused, ServiceFailed, ClusterError, NoFreeAddress) as refused:
        raise click.ClickException(str(refused)) from None


def _loaded(installation: Installation, supervisor: Supervisor) -> None:
    """The portfolio, through the pipeline like everything else; once."""
    if installation.demo:
        supervisor.once(_job(installation, "demo"))


def _announced(installation: Installation, supervisor: Supervisor) -> None:
    say(f"pages at {installation.origin}")
    supervisor.once(_job(installation, "links"), shown=True)
    if not installation.demo:
        supervisor.beside(_job(installation, "break-glass", "--wait"))


def _job(installation: Installation, name: str, *options: str) -> Service:
    """One of our own commands, as root and in this installation."""
    return Service(name, (str(installation.program), name, *options), env=services.environment(installation))


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path, exists=True), required=True, help="Its settings.")
def node(path: Path) -> None:
    """Run a mail node: agent, count of sign-ins, milter, postsrsd, Dovecot, Postfix. As root; serves on
    while the control plane is away."""
    run_node(*load(path))
