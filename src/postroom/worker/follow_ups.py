"""Changes the system submits because another one has been carried out: DKIM keys are made, then used."""

from collections.abc import Callable, Iterator

from django.conf import settings
from nacl.encoding import Base64Encoder
from nacl.public import PublicKey, SealedBox

from postroom.changes.carry import FollowUp
from postroom.changes.kinds.clients import PlaceClient
from postroom.changes.kinds.dkim import ActivateKey, MakeKey
from postroom.changes.kinds.organization import AddNode
from postroom.models import Change, Client, DkimKey, Node
from postroom.protocols.dkim import make_rsa


def keys_of_domain(change: Change) -> Iterator[FollowUp]:
    """Every wanted key of the client gets its pair, as soon as a node is there to seal its private half to."""
    wanted = DkimKey.objects.filter(client_id=change.client_id, public="", retired_at=None, domain__removed_at=None)
    for key in wanted.select_related("domain", "client__node").order_by("domain__name", "selector"):
        node = key.client.node
        if node and node.public_key:
            private, public = make_rsa()
            box = SealedBox(PublicKey(node.public_key.encode(), encoder=Base64Encoder))
            kind = MakeKey(key=str(key.pk), public=public, domain=key.domain.name)
            sealed = box.encrypt(private.encode(), encoder=Base64Encoder).decode()
            yield FollowUp(kind, f"{key.selector} of {key.domain.name} is wanted", {"private key": sealed})


def key_is_published(change: Change) -> Iterator[FollowUp]:
    """Its record was read at every authoritative server: now it may sign."""
    key = str(change.params["key"])
    yield FollowUp(ActivateKey(key=key), "its record was read at every authoritative server")


def node_of_this_machine(change: Change) -> Iterator[FollowUp]:
    """The installation's own node joins as soon as there is an organization for it to serve."""
    env = settings.POSTROOM
    if env.local_node:
        role = f"postroom_node_{env.local_node}"
        key = env.local_node_key_file.read_text().strip() if env.local_node_key_file else ""
        yield FollowUp(AddNode(node=env.local_node, role=role, public_key=key), "it runs on this machine")


def homes_for_clients(change: Change) -> Iterator[FollowUp]:
    """Clients without a home node get the new one."""
    node = Node.objects.filter(name=change.params["node"]).first()
    for client in Client.objects.filter(node=None).order_by("slug"):
        if node:
            yield FollowUp(PlaceClient(client=client.slug, node=node.name), f"{node.name} joined")


FOLLOW_UPS: dict[str, Callable[[Change], Iterator[FollowUp]]] = {
    "domains.add": keys_of_domain,
    "clients.place": keys_of_domain,
    "dkim_keys.make": key_is_published,
    "organization.found": node_of_this_machine,
    "nodes.add": homes_for_clients,
}
