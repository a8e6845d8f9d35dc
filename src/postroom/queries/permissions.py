"""The permissions table of the docs, from code: roles × permissions, and how each is guarded. Asks no database."""

from collections.abc import Iterator

from postroom.access.roles import APPROVE, CLIENT_ROLES, ONES_OWN, RANK, ROLES, allows
from postroom.changes.cover import permissions
from postroom.changes.kind import APPROVED, ASKED, KINDS, Kind
from postroom.changes.policies import high_risk

COMMAND = "postroom permissions > docs/permissions.md"
HEAD = f"""# Permissions

Made from code by `{COMMAND}`; a test compares.

A permission is the name of a kind of change, `noun.view`, or what it takes to approve. Roles
rank from left to right: nobody gives, or takes from, what stands above what they hold.

**Fresh factor**: a second factor shown within ten minutes comes before it, where it is asked for or approved; *some*:
it depends on what is asked. **Mints**: it lets somebody in, or in further, so no API token ever may. **Held**: whether
it may wait for a second person (`changes/policies/`); what carries a secret is done now or refused.

Client roles are held at one client alone: {", ".join(f"*{role}*" for role in RANK if role in CLIENT_ROLES)}. A role
of your own is a list of these names.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([HEAD, *_changes(), "", *_views(), "", *_approving(), "", *_high_risk(), "", *_of_postroom(), ""])


def _changes() -> Iterator[str]:
    yield "## Changes\n"
    columns = ("Permission", "What it does", *RANK, "Fresh factor", "Mints", "Held")
    yield from _head(columns)
    for name, kind in sorted(KINDS.items()):
        if "person" in kind.by:
            marks = (_step_up(kind), "mints" if kind.mints else "", _held(kind))
            yield _line(f"`{name}`", _first(kind), *_allowed(name), *marks)


def _views() -> Iterator[str]:
    """Whoever holds any of our roles may look; so one line a name would say nothing."""
    names = [one for one in permissions() if one.endswith(".view")]
    yield "## Looking\n"
    yield from _head(("Permission", *RANK))
    by_marks: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        by_marks.setdefault(_allowed(name), []).append(f"`{name}`")
    for marks, same in by_marks.items():
        yield _line(", ".join(same), *marks)
    everybody = ", ".join(f"`{one}`" for one in ONES_OWN)
    yield f"\nEverybody of the organization who holds one of our roles may: {everybody}."


def _approving() -> Iterator[str]:
    yield "## Approving\n"
    yield from _head(("Permission", "What it lets through", *RANK))
    wanted = {APPROVE, *(kind.approved_by for kind in KINDS.values())}
    for name in sorted(wanted):
        kinds = sorted(one for one, kind in KINDS.items() if kind.approved_by == name)
        what = "everything else that is held" if name == APPROVE else ", ".join(f"`{one}`" for one in kinds)
        yield _line(f"`{name}`", what, *_allowed(name))


def _high_risk() -> Iterator[str]:
    """The table by which the policy decides, and what is said below it, as it stands in its module."""
    yield "## What a second person looks at first\n"
    _, head, rest = (high_risk.__doc__ or "").partition("| held |")
    yield head + rest.rstrip()


def _of_postroom() -> Iterator[str]:
    yield "## Done by Postroom itself, by a mailbox's owner, or by who holds a link or a recovery code\n"
    yield from _head(("Kind", "What it does", "By"))
    for name, kind in sorted(KINDS.items()):
        if "person" not in kind.by:
            yield _line(f"`{name}`", _first(kind), ", ".join(sorted(kind.by)))


def _allowed(permission: str) -> tuple[str, ...]:
    return tuple("yes" if allows([role], permission) else "" for role in RANK if role in ROLES)


def _first(kind: type[Kind]) -> str:
    """The first sentence of its docstring, on one line."""
    words = " ".join((kind.__doc__ or "").split())
    return words.partition(". ")[0].rstrip(".").replace("|", "\\|")


def _step_up(kind: type[Kind]) -> str:
    """When it is the parameters that decide, *some*."""
    if kind.steps_up is not Kind.steps_up:
        always = [when for when in (APPROVED,) if when in kind.step_up]
        return ", ".join([f"{ASKED}: some", *always])
    return ", ".join(when for when in (ASKED, APPROVED) if when in kind.step_up)


def _held(kind: type[Kind]) -> str:
    return "never" if kind.carries_secret else "always" if kind.elevates else "may be"


def _head(columns: tuple[str, ...]) -> Iterator[str]:
    yield _line(*columns)
    yield _line(*("---" for _ in columns))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
