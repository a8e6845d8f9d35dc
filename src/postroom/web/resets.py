"""The card *Who can reset this?*: every path is a line, the weakest first and marked. What is not known is no green."""

from typing import Any

from postroom.models import Mailbox
from postroom.queries.resets import NO, UNKNOWN, YES, Path, paths
from postroom.queries.verifying import opened
from postroom.web.framed import offered, query
from postroom.web.parts.shapes import Act, Badge, Item
from postroom.web.times import when

ICONS = {"code": "id", "channel": "first-aid-kit", "link": "mail", "role": "user-check", "token": "plug-connected",
         "registrar": "world", "dns": "world-cog"}  # fmt: skip
WEAKEST = Badge("bad", "weakest", "alert-triangle")
NOT_KNOWN = Badge("unknown", "not known")
NOT_COUNTED = Badge("fact", "does not count", "ban")


def items(request: Any, one: Mailbox) -> tuple[Item, ...]:
    """A line a path; what can be done about it beside it."""
    return tuple(_item(request, one, path) for path in paths(request.actor, one))


def _item(request: Any, one: Mailbox, path: Path) -> Item:
    badge = WEAKEST if path.weakest else {UNKNOWN: NOT_KNOWN, NO: NOT_COUNTED}.get(path.counts)
    age = f"since {when(path.since)}" if path.since else "age not known" if path.counts != NO else ""
    said = [age, path.why, path.reason if path.weakest and path.reason != path.why else ""]
    return Item(path.who, " · ".join(filter(None, said)), _tone(path), ICONS[path.sort], badge=badge,
                acts=_acts(request, one, path), marked=path.weakest)  # fmt: skip


def _tone(path: Path) -> Any:
    if path.counts == NO:
        return "off"
    return "bad" if path.weakest else "ok" if path.counts == YES and path.sort == "code" else "plain"


def _acts(request: Any, one: Mailbox, path: Path) -> tuple[Act, ...]:
    at, wanted = f"?channel={path.id}", []
    if path.sort == "channel" and path.id:
        ask = Act("Ask", f"/do/recovery_channels.ask/{at}", of=path.who)
        wanted = [("recovery_channels.ask", ask)] if path.counts == NO else []
        wanted += [("recovery_channels.end", Act("End…", f"/do/recovery_channels.end/{at}", of=path.who))]
    elif path.sort == "link":
        wanted = [("invites.view", Act("See pending", f"/invites/?client={one.client.slug}"))]
    return offered(request, one.client_id, *wanted, domain=one.address.domain_id)


def new(request: Any, one: Mailbox) -> tuple[Act, ...]:
    """What can be added: a channel; and while nobody has set a secret, a link. And that it is somebody else's now."""
    at = query(mailbox=one.label)
    wanted = [("resets.start", Act("Start verified reset", f"/do/resets.start/{at}", "phone")),
              ("recovery_channels.name", Act("Name a channel", f"/do/recovery_channels.name/{at}")),
              ("invites.send", Act("Send a new link", f"/do/invites.send/{at}"))]  # fmt: skip
    if (open_one := opened(request.actor, one.pk)) is not None:
        go_on = Act("Go on with the verified reset", f"/resets/{open_one}/", "phone")
        wanted = [("verifications.view", go_on), *wanted[1:]]
    other = Act("Another owner…", f"/do/mailboxes.transfer/{at}", "user", "asks")
    more = [] if one.kind == "shared" or one.removed_at else [("mailboxes.transfer", other)]
    home = one.address.domain_id
    return offered(request, one.client_id, *wanted, domain=home) + offered(request, one.client_id, *more, domain=home)
