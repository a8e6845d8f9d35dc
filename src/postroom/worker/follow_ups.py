"""Changes the system submits because another one has been carried out: DKIM keys are made, then used; nodes join;
what an ended mail app was let in by ends; what access takes the place of ends;
role accounts go where the organization's postmaster goes."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet
from nacl.encoding import Base64Encoder
from nacl.public import PublicKey, SealedBox

from postroom.changes.along import following, postmaster_moved
from postroom.changes.follow import FollowUp
from postroom.changes.history import edits_of
from postroom.changes.kinds.aliases import ChangeAlias
from postroom.changes.kinds.clients import PlaceClient
from postroom.changes.kinds.dkim import ActivateKey, MakeKey
from postroom.changes.kinds.dkim_life import RetireKey, RevokeKey
from postroom.changes.kinds.mail_apps import EndAllConsents
from postroom.changes.kinds.organization import AddNode
from postroom.changes.kinds.replacing import EndReplaced
from postroom.changes.pipeline import One_or_many
from postroom.models import Change, Client, Credential, Delegation, DkimKey, MailApp, Node, Organization, StateModel
from postroom.models.credentials import OAUTH
from postroom.models.routes import postmaster
from postroom.protocols.dkim import family, make_ed25519, make_rsa

Built = tuple[One_or_many, Mapping[str, str] | None]


def keys_of_domain(change: Change) -> Iterator[FollowUp]:
    """The keys of the domains this change added."""
    asked = change.params if isinstance(change.params, list) else [change.params]
    yield from _made(DkimKey.objects.filter(domain__name__in=[one["name"] for one in asked]))


def keys_of_client(change: Change) -> Iterator[FollowUp]:
    """A client got its node: now there is somebody to seal private halves to."""
    yield from _made(DkimKey.objects.filter(client_id=change.client_id))


def keys_of_rotation(change: Change) -> Iterator[FollowUp]:
    """The keys this change asked for."""
    yield from _made(DkimKey.objects.filter(pk__in=_touched(change, DkimKey)))


def _made(keys: "QuerySet[DkimKey]") -> Iterator[FollowUp]:
    wanted = keys.filter(public="", retired_at=None, domain__removed_at=None).select_related("domain", "client__node")
    for key in wanted.order_by("domain__name", "selector"):
        node = key.client.node
        if node and node.public_key:
            why = f"{key.selector} of {key.domain.name} is wanted"
            yield FollowUp("dkim_keys.make", str(key.pk), why, partial(_pair, key, node))


def _pair(key: DkimKey, node: Node) -> Built:
    """A new pair, in this call's memory: the public half in the plan, the private one sealed to the node."""
    private, public = make_rsa() if family(key.algorithm) == "rsa" else make_ed25519()
    box = SealedBox(PublicKey(node.public_key.encode(), encoder=Base64Encoder))
    sealed = box.encrypt(private.encode(), encoder=Base64Encoder).decode()
    return MakeKey(key=str(key.pk), public=public, domain=key.domain.name), {"private key": sealed}


def key_is_published(change: Change) -> Iterator[FollowUp]:
    """Its record was read at every authoritative server: now it may sign."""
    key = str(change.params["key"])
    why = "its record was read at every authoritative server"
    yield FollowUp("dkim_keys.activate", key, why, lambda: (ActivateKey(key=key), None))


def keys_before(change: Change) -> Iterator[FollowUp]:
    """Its node signs with these keys, read back: those of their algorithms that signed before sign no more."""
    for key in DkimKey.objects.filter(pk__in=_touched(change, DkimKey), retired_at=None).exclude(activated_at=None):
        before = DkimKey.objects.filter(domain=key.domain_id, algorithm=key.algorithm, retired_at=None)
        for one in before.filter(activated_at__lt=key.activated_at).order_by("selector"):
            kind = RetireKey(key=str(one.pk))
            why = f"{key.selector} signs instead"
            yield FollowUp("dkim_keys.retire", str(one.pk), why, partial(lambda kind: (kind, None), kind))


def key_is_compromised(change: Change) -> Iterator[FollowUp]:
    """No node signs with them any more, read back; those that somebody else may sign with are revoked at once."""
    due = DkimKey.objects.filter(pk__in=_touched(change, DkimKey), revoked_at=None, revoke_at__lte=F("retired_at"))
    for key in due.select_related("domain").order_by("selector"):
        kind = RevokeKey(key=str(key.pk), domain=key.domain.name)
        why = "somebody else may sign with it"
        yield FollowUp("dkim_keys.revoke", str(key.pk), why, partial(lambda kind: (kind, None), kind))


def _touched(change: Change, model: type[StateModel]) -> set[UUID]:
    """The rows of a table that a change is about, whatever its parameters call them."""
    return {one.row for one in edits_of([change]) if one.table == model._meta.db_table}


def node_of_this_machine(change: Change) -> Iterator[FollowUp]:
    """The installation's own node joins as soon as there is an organization for it to serve."""
    env = settings.POSTROOM
    if name := env.local_node:
        public = env.local_node_key_file.read_text().strip() if env.local_node_key_file else ""
        kind = AddNode(node=name, role=f"postroom_node_{name}", public_key=public)
        yield FollowUp("nodes.add", name, "it runs on this machine", lambda: (kind, None))


def homes_for_clients(change: Change) -> Iterator[FollowUp]:
    """Clients without a home node get the new one."""
    asked = change.params if isinstance(change.params, list) else [change.params]
    name = str(asked[0]["node"])
    for client in Client.objects.filter(node=None).order_by("slug"):
        kind = PlaceClient(client=client.slug, node=name)
        yield FollowUp("clients.place", client.slug, f"{name} joined", partial(lambda one: (one, None), kind))


def consents_of_app(change: Change) -> Iterator[FollowUp]:
    """Nobody is let in any more by an app that was ended: one change at each client whose owners had let it in."""
    for app in MailApp.objects.filter(pk__in=_touched(change, MailApp)).exclude(ended_at=None).order_by("id"):
        live = Credential.objects.filter(app=app, sort=OAUTH, ended_at=None)
        for slug in live.order_by("client__slug").values_list("client__slug", flat=True).distinct():
            kind, about = EndAllConsents(client=slug, mail_app=str(app.pk)), f"{app.pk} {slug}"
            why = f"{app.name} was ended"
            yield FollowUp("consents.end_all", about, why, partial(lambda one: (one, None), kind), closes=True)


def ways_replaced(change: Change) -> Iterator[FollowUp]:
    """Access that was to take the place of ways out stands, read back at its node: those ways end."""
    rows = Delegation.objects.filter(pk__in=_touched(change, Delegation), ended_at=None)
    begun = rows.exclude(started_at=None).exclude(replaces=[])
    for one in begun.select_related("mailbox__address", "to_mailbox__address").order_by("id"):
        why = f"{one.to_mailbox.label} opens {one.mailbox.label} instead"
        kind = EndReplaced(delegation=str(one.pk))
        yield FollowUp("forwards.give_way", str(one.pk), why, partial(lambda one: (one, None), kind), closes=True)


def role_accounts_follow(change: Change) -> Iterator[FollowUp]:
    """The organization has another postmaster: one change at each client whose role accounts lead to the old one."""
    new = postmaster()
    was = {postmaster_moved(one.table, one.before, one.after)[0] for one in edits_of([change])} - {"", new}
    for old in sorted(was):
        for slug, rows in groupby(following(old, new), key=lambda one: one.client.slug):
            kinds = [ChangeAlias(alias=str(one.pk), targets=(new,)) for one in rows]
            why = f"the organization's postmaster is {new} now"
            yield FollowUp("aliases.change", slug, why, partial(lambda many: (many, None), kinds))


def taken_back(change: Change) -> Iterator[FollowUp]:
    """The undo of adding an app ends it too; that of another postmaster leads back to the one before."""
    yield from consents_of_app(change)
    yield from role_accounts_follow(change)


FOLLOW_UPS: dict[str, Callable[[Change], Iterator[FollowUp]]] = {
    "domains.add": keys_of_domain,
    "clients.place": keys_of_client,
    "dkim_keys.make": key_is_published,
    "dkim_keys.rotate": keys_of_rotation,
    "dkim_keys.activate": keys_before,
    "dkim_keys.retire": key_is_compromised,
    "organization.found": node_of_this_machine,
    "nodes.add": homes_for_clients,
    "mail_apps.end": consents_of_app,
    "forwards.replace": ways_replaced,
    "delegations.consent": ways_replaced,
    "organization.change": role_accounts_follow,
    "history.roll_back": taken_back,
}
# Kinds of which only what touches these tables, or table.field, is followed.
GIVEN = frozenset({Delegation._meta.db_table})
POSTMASTER = f"{Organization._meta.db_table}.postmaster"
TOUCHING: dict[str, frozenset[str]] = {
    "history.roll_back": frozenset({MailApp._meta.db_table, POSTMASTER}),
    "organization.change": frozenset({POSTMASTER}),
    "forwards.replace": GIVEN, "delegations.consent": GIVEN,
}  # fmt: skip
