"""THE list of everything pluggable. Nothing registers itself."""

from postroom.changes import carry, deliver, due, follow, kind, policy, readings, rings
from postroom.changes.deliver import Served
from postroom.changes.due import Ends
from postroom.changes.kinds import (
    access,
    aliases,
    alive,
    app_passwords,
    catch_alls,
    clients,
    delegations,
    destinations,
    devices,
    dkim,
    dkim_life,
    domains,
    doubts,
    emergencies,
    factors,
    filters,
    findings,
    forwards,
    forwards_told,
    freezes,
    grants,
    history,
    invites,
    links,
    mail_apps,
    mailboxes,
    nodes,
    notices,
    organization,
    own_secrets,
    people,
    probes,
    record,
    records,
    recovery,
    recovery_channels,
    redeeming,
    redirects,
    replacing,
    reset_codes,
    resets,
    roles,
    rounds,
    sealed,
    tokens,
    transfer,
    transports,
    ways,
)  # fmt: skip
from postroom.changes.policies.asked_before import asked_before
from postroom.changes.policies.beside import beside
from postroom.changes.policies.both_told import both_told
from postroom.changes.policies.brought_back import brought_back
from postroom.changes.policies.closed_round import closed_round
from postroom.changes.policies.consented import consented
from postroom.changes.policies.dns_roles import dns_roles
from postroom.changes.policies.forwarding import forwarding
from postroom.changes.policies.frozen import frozen
from postroom.changes.policies.handed_over import handed_over
from postroom.changes.policies.high_risk import high_risk, many_together
from postroom.changes.policies.known_owner import known_owner
from postroom.changes.policies.landing import landing
from postroom.changes.policies.last_owner import last_owner
from postroom.changes.policies.layers import layers
from postroom.changes.policies.led_out import led_out
from postroom.changes.policies.left_behind import left_behind
from postroom.changes.policies.loops import loops
from postroom.changes.policies.mirrored import mirrored
from postroom.changes.policies.own_link import own_link
from postroom.changes.policies.own_rights import own_rights
from postroom.changes.policies.own_undo import own_undo
from postroom.changes.policies.postmaster_kept import postmaster_kept
from postroom.changes.policies.rank import rank
from postroom.changes.policies.removed import removed
from postroom.changes.policies.role_accounts import role_accounts
from postroom.changes.policies.verified import verified
from postroom.changes.policies.vip_links import vip_links
from postroom.changes.policies.warned import warned
from postroom.posture import run as posture
from postroom.posture.checks import loop
from postroom.posture.checks.after_reset import AFTER_RESET
from postroom.posture.checks.behind_our_back import BEHIND_OUR_BACK
from postroom.posture.checks.by_hand import BY_HAND
from postroom.posture.checks.by_way import BY_WAY
from postroom.posture.checks.dead import DEAD
from postroom.posture.checks.devices import DEVICES
from postroom.posture.checks.drift import DRIFT
from postroom.posture.checks.emergency import EMERGENCIES
from postroom.posture.checks.ending import ENDING
from postroom.posture.checks.engines import ENGINES
from postroom.posture.checks.expiring import EXPIRING
from postroom.posture.checks.holders import HOLDERS
from postroom.posture.checks.left import LEFT
from postroom.posture.checks.locked import RESET_LOCKED
from postroom.posture.checks.many_hands import MANY_HANDS
from postroom.posture.checks.maps import MAPS
from postroom.posture.checks.name_servers import NAME_SERVERS
from postroom.posture.checks.no_contact import NO_CONTACT
from postroom.posture.checks.not_known import NOT_KNOWN
from postroom.posture.checks.old_key import OLD_KEY
from postroom.posture.checks.overdue import OVERDUE
from postroom.posture.checks.owned import OWNED
from postroom.posture.checks.owners import OWNERS
from postroom.posture.checks.redirect import REDIRECT
from postroom.posture.checks.review import REVIEW
from postroom.posture.checks.sealed_login import SEALED_LOGINS
from postroom.posture.checks.shared import SHARED
from postroom.posture.checks.sign_in_guard import SIGN_IN_GUARD
from postroom.posture.checks.signed import SIGNED
from postroom.posture.checks.standing import STANDING
from postroom.posture.checks.unanswered import UNANSWERED
from postroom.posture.checks.unconfirmed import CONTACTS, UNCONFIRMED
from postroom.posture.checks.undelivered import UNDELIVERED
from postroom.posture.checks.unexcepted import UNEXCEPTED
from postroom.posture.checks.unreadable import UNREADABLE
from postroom.worker import follow_ups, mail, zones
from postroom.worker import rounds as ends

KINDS: list[type[kind.Kind]] = [
    organization.Found, organization.ChangeOrganization,
    organization.AddNode, organization.DrainNode, organization.RemoveNode,
    nodes.DeliverAgain,
    clients.CreateClient, clients.ChangeClient, clients.PlaceClient, clients.SuspendClient, clients.ResumeClient,
    clients.RemoveClient, clients.RestoreClient, clients.MailCheckpoint, alive.AskSecurityContact,
    domains.AddDomain, domains.ChangeDomain, domains.SuspendDomain, domains.ResumeDomain, domains.RemoveDomain,
    domains.RestoreDomain, domains.ProveDomain, domains.SetAlias, alive.AskRegistrarAddress,
    records.SetRecords, records.ReleaseRecords,
    dkim.MakeKey, dkim.ActivateKey, dkim_life.RotateKeys, dkim_life.RetireKey, dkim_life.RevokeKey,
    mailboxes.CreateMailbox, mailboxes.ChangeMailbox, mailboxes.SuspendMailbox, mailboxes.ResumeMailbox,
    mailboxes.EndSessions, mailboxes.RemoveMailbox, mailboxes.RestoreMailbox, transfer.TransferMailbox,
    aliases.CreateAlias, aliases.ChangeAlias, aliases.RemoveAlias,
    forwards.CreateForward, forwards.ChangeForward, forwards.DisableForward, forwards.EnableForward,
    forwards.EndForward, forwards.CreateException, forwards.EndException, forwards_told.TellOwner,
    replacing.ReplaceForward, replacing.EndReplaced, ways.StopWays,
    transports.CreateTransport, transports.EndTransport,
    catch_alls.SetCatchAll, catch_alls.EndCatchAll,
    destinations.CreateDestination, destinations.ChangeDestination, destinations.EndDestination, probes.SendProbe,
    delegations.AskDelegation, delegations.ConsentToDelegation, delegations.DeclineDelegation,
    delegations.EndDelegation,
    filters.WriteFilters, filters.SetFilters, filters.EndFilters, redirects.StopRedirect, redirects.ResumeRedirect,
    invites.SendInvite, invites.IssueInvite, invites.ResendInvite, invites.RedirectInvite, invites.CancelInvite,
    invites.RemindInvite, redeeming.RedeemInvite,
    doubts.RaiseDoubt, doubts.SettleDoubt,
    app_passwords.CreateAppPassword, app_passwords.EndAppPassword,
    mail_apps.AddMailApp, mail_apps.EndMailApp, mail_apps.GrantConsent, mail_apps.EndConsent, mail_apps.EndAllConsents,
    mail_apps.ChangeTokenKey,
    people.InvitePerson, people.ChangePerson, people.SuspendPerson, people.ResumePerson, people.RemovePerson,
    people.RestorePerson, people.EnrolPerson, people.OpenSession, people.EndSession,
    grants.GiveGrant, grants.Elevate, grants.EndGrant,
    roles.CreateRole, roles.ChangeRole, roles.EndRole,
    devices.RegisterDevice, devices.ForgetDevice, factors.TellOfFactor,
    tokens.CreateToken, tokens.EndToken,
    access.SuspendAccess, access.ResumeAccess,
    links.PrintLink, sealed.SealLogin,
    recovery.Forgot, recovery.IssueRecovery, recovery.Recover, recovery.Regain,
    recovery_channels.NameChannel, recovery_channels.AskChannel, recovery_channels.IssueConfirmation,
    recovery_channels.ConfirmChannel, recovery_channels.EndChannel,
    own_secrets.ChangePassword, own_secrets.RenewCode, own_secrets.ResetSecrets, own_secrets.ForgotPassword,
    resets.StartReset, resets.RecordCall, resets.Vouch, resets.SendReset, resets.EndReset,
    reset_codes.AskCode, reset_codes.IssueCode, reset_codes.EnterCode,
    emergencies.DeclareEmergency, emergencies.WaiveWait,
    notices.SendNotice, notices.IssueNotice, notices.StopByNotice,
    freezes.StartFreeze, freezes.EndFreeze,
    findings.AcknowledgeFinding, findings.AcceptFinding, findings.ReopenFinding, findings.LapseAcceptance,
    rounds.OpenAccessReview, rounds.SignLine, rounds.OpenRoster, rounds.AnswerRoster,
    history.RollBack, record.Erase,
]  # fmt: skip

# All are asked, in this order; one refusal is enough, every reason is shown.
POLICIES: list[policy.Policy] = [
    frozen,
    removed,
    last_owner,
    rank,
    layers,
    own_rights,
    closed_round,
    role_accounts,
    known_owner,
    asked_before,
    verified,
    own_link,
    vip_links,
    warned,
    both_told,
    consented,
    dns_roles,
    forwarding,
    left_behind,
    brought_back,
    postmaster_kept,
    handed_over,
    mirrored,
    loops,
    landing,
    led_out,
    beside,
    high_risk,
]
TOGETHER: list[policy.Together] = [many_together]
WAIVERS: list[policy.Waiver] = [own_undo]

# Who serves what: the deliveries of a change follow from the tables of its edits; a table left out is served by nobody.
PATTERNS = frozenset({"forward_allowed", "forward_forbidden"})
SERVED_BY: dict[str, Served] = {
    "clients": Served(
        "nodes",
        frozenset(
            {"suspended_at", "removed_at", "node_id", "app_passwords_only", "forward_allowed", "forward_forbidden"}
        ),
        made=False,
    ),
    "domains": Served("nodes", frozenset({"proof", "suspended_at", "removed_at", "name", "alias_of_id"})),
    "addresses": Served("nodes"),
    "mailboxes": Served(
        "nodes", frozenset({"address_id", "kind", "quota_mb", "access_epoch", "suspended_at", "removed_at"})
    ),
    "aliases": Served("nodes", frozenset({"address_id", "targets", "removed_at"})),
    "forwards": Served("nodes"),
    "catch_alls": Served("nodes"),
    "exceptions": Served("nodes"),
    "transports": Served("nodes"),
    "delegations": Served("nodes", frozenset({"started_at", "ended_at"})),
    "filters": Served("nodes"),
    "redirect_stops": Served("nodes"),
    "organizations": Served("nodes", PATTERNS, made=False),
    "credentials": Served("nodes"),
    "secrets": Served("nodes", only=("purpose", frozenset({"password", "private key"}))),
    "dkim_keys": Served("nodes", frozenset({"activated_at", "retired_at", "revoked_at", "selector"})),
    "token_keys": Served("nodes"),
    "nodes": Served("nodes", frozenset({"removed_at"}), gone=False),
    "redeliveries": Served("nodes"),
    "record_sets": Served("zone", frozenset({"values", "ttl"}), of="domain_id"),
    "invites": Served("mail", frozenset({"asked", "reminded_at"}), gone=False, only=("by_mail", frozenset({True}))),
    "letters": Served("mail", gone=False),
    "probes": Served("mail", gone=False),
    "reset_codes": Served("mail", frozenset(), gone=False),
    "round_lines": Served("end", frozenset({"answer"}), made=False, gone=False, only=("answer", frozenset({"end"}))),
}

# What ends by time has ended by predicate; the clock submits these to tidy.
ENDS: dict[str, Ends] = {
    "freezes": Ends("freezes.end", "freeze"),
    "grants": Ends("grants.end", "grant"),
    "forwards": Ends("forwards.end", "forward"),
    "catch_alls": Ends("catch_alls.end", "catch_all"),
    "exceptions": Ends("exceptions.end", "exception"),
    "transports": Ends("transports.end", "transport"),
    "delegations": Ends("delegations.end", "delegation"),
    "invites": Ends("invites.remind", "invite", "remind_at"),  # ends nothing: what is due then is a reminder
    "api_sessions": Ends("sessions.end", "session"),
    "credentials": Ends("app_passwords.end", "app_password"),
    "api_tokens": Ends("tokens.end", "token"),
    "acceptances": Ends("findings.lapse", "acceptance"),
    "verifications": Ends("resets.end", "verification"),
    "recovery_channels": Ends("recovery_channels.ask", "channel", "ask_at"),
    "clients": Ends("clients.ask_contact", "client", "security_ask_at"),
    "domains": Ends("domains.ask_contact", "domain", "registrar_ask_at"),
}


# What is looked at again and again; what is wrong is a finding.
CHECKS: list[posture.Check] = [
    OWNERS, EXPIRING, ENDING, SEALED_LOGINS, BEHIND_OUR_BACK, MAPS, DRIFT, NAME_SERVERS, SHARED, DEVICES, ENGINES,
    SIGN_IN_GUARD, REVIEW, LEFT, UNANSWERED, UNCONFIRMED, RESET_LOCKED, AFTER_RESET, EMERGENCIES,
    HOLDERS, OWNED, NOT_KNOWN, UNDELIVERED, BY_HAND, NO_CONTACT, CONTACTS, SIGNED,
    UNEXCEPTED, DEAD, loop.check(rings.standing), OVERDUE, MANY_HANDS, REDIRECT, BY_WAY, UNREADABLE,
    STANDING, OLD_KEY,
]  # fmt: skip


def hand_over() -> None:
    """At start: each registry gets its list, once."""
    kind.KINDS.update({one.permission: one for one in KINDS})
    policy.POLICIES[:], policy.TOGETHER[:], policy.WAIVERS[:] = POLICIES, TOGETHER, WAIVERS
    deliver.SERVED_BY.update(SERVED_BY)
    due.ENDS.update(ENDS)
    carry.SENDERS.update({"zone": zones.publish, "mail": mail.send, "end": ends.end_right})
    follow.FOLLOW_UPS.update(follow_ups.FOLLOW_UPS)
    deliver.FOLLOWED.update({name: follow_ups.TOUCHING.get(name, frozenset()) for name in follow_ups.FOLLOW_UPS})
    readings.READERS[:] = [zones.read]
    posture.CHECKS[:] = CHECKS
