"""The pages of the control room, by their addresses."""

from django.urls import URLPattern, URLResolver, path

from postroom.web import (
    approvals,
    batches,
    change,
    changes,
    clients,
    deciding,
    doing,
    domains,
    find,
    invites,
    mailboxes,
    nodes,
    overview,
    people,
    reviewing,
)
from postroom.web.door import by_method

URLS: list[URLPattern | URLResolver] = [
    path("", by_method(GET=overview.overview), name="overview"),
    path("clients/", by_method(GET=clients.clients), name="clients"),
    path("clients/<str:ref>/", by_method(GET=clients.client), name="client"),
    path("domains/", by_method(GET=domains.domains), name="domains"),
    path("domains/<str:ref>/", by_method(GET=domains.domain), name="domain"),
    path("mailboxes/", by_method(GET=mailboxes.mailboxes), name="mailboxes"),
    path("mailboxes/<str:ref>/", by_method(GET=mailboxes.mailbox), name="mailbox"),
    path("people/", by_method(GET=people.people), name="people"),
    path("people/<str:ref>/", by_method(GET=people.person), name="person"),
    path("nodes/", by_method(GET=nodes.nodes), name="nodes"),
    path("nodes/<str:ref>/", by_method(GET=nodes.node), name="node"),
    path("invites/", by_method(GET=invites.invites), name="invites"),
    path("invites/<uuid:invite>/link/", by_method(GET=invites.ask, POST=invites.link), name="invite-copy"),
    path("changes/", by_method(GET=changes.changes), name="changes"),
    path("changes/<uuid:change>/", by_method(GET=change.change), name="change"),
    path("changes/<uuid:change>/approve/", deciding.post_approve, name="approve"),
    path("changes/<uuid:change>/withdraw/", deciding.withdrawing, name="withdraw"),
    path("changes/<uuid:change>/replan/", deciding.post_replan, name="replan"),
    path("changes/<uuid:change>/review/", reviewing.reviewing, name="review"),
    path("batches/<uuid:batch>/", by_method(GET=batches.batch), name="batch"),
    path("batches/<uuid:batch>/approve/", deciding.post_approve_all, name="approve-batch"),
    path("batches/<uuid:batch>/withdraw/", deciding.post_withdraw_all, name="withdraw-batch"),
    path("batches/<uuid:batch>/undo/", deciding.post_undo_all, name="undo-batch"),
    path("approvals/", by_method(GET=approvals.approvals), name="approvals"),
    path("do/", doing.do, name="do"),
    path("do/<str:name>/", doing.do_one, name="do-one"),
    path("find/", by_method(GET=find.find), name="find"),
]
