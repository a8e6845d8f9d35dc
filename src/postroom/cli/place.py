"""Which installation this process belongs to; told to Django before it starts."""

import os
import shlex
import sys
from pathlib import Path

import click
import django

from postroom.host import installation as installations
from postroom.host import services
from postroom.host.installation import Installation

from .remote import state


def installation() -> Installation:
    """The one of POSTROOM_STATE, as it runs now."""
    found = installations.current(state())
    if found is None:
        raise click.ClickException(f"{state()} is no installation: start one with `make up` or `make demo`")
    return found


def as_root() -> None:
    """Whoever is not gets one line, with the command that works: a path, because sudo has a PATH of its own."""
    if os.geteuid() != 0:
        itself = Path(sys.argv[0]).absolute()
        raise click.ClickException(f"this needs root: sudo {shlex.join([str(itself), *sys.argv[1:]])}")


def enter() -> Installation:
    """Become a part of it: its settings, its database. For commands that run on the machine itself, as root."""
    as_root()
    found = installation()
    for name, value in services.environment(found).items():
        os.environ.setdefault(name, value)
    django.setup()
    return found


def from_environment() -> None:
    """A service that `up` started: its settings stand in the environment already."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.settings")
    django.setup()
