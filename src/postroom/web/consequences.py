"""What a change means for people, in plain words: said before it is sent and to whoever approves it."""

from collections.abc import Collection

from postroom.web.parts.shapes import Words

SAID: dict[str, str] = {
    "clients.suspend": "Sign-in and sending stop for every mailbox of the client; mail keeps arriving. Resume brings "
    "all of it back.",
    "clients.remove": "No sign-in, no mail in or out for the whole client. No mail is deleted; thirty days of restore.",
    "domains.suspend": "Sign-in and sending stop for every mailbox of the domain; mail keeps arriving.",
    "domains.remove": "Its records go back to what was found, and it gets no mail. Thirty days of restore; the mail "
    "that is there stays.",
    "mailboxes.suspend": "Open sessions end and sign-in stops at once; mail keeps arriving. Undo lets the owner in "
    "again with the same password.",
    "mailboxes.resume": "The owner gets in as before. With another password: what opened it so far ends for good, and "
    "links to set one are mailed to the recovery addresses that count.",
    "mailboxes.remove": "No mail in, no sign-in, and its password is deleted. The mail is kept and the address stays "
    "taken; thirty days of restore, with a new link for the owner.",
    "mailboxes.transfer": "Its passwords and ways back in die, open sessions end, a link goes to the new owner. The "
    "mail in it stays. The owner so far and the new one are told; a second person agrees first. A VIP’s waits for 15 "
    "minutes too, in which whoever had it is told and can stop it.",
    "mailboxes.create": "Mail is kept from now on; nobody can sign in before the owner has set the password.",
    "aliases.remove": "Mail to it is refused from now on; the address stays taken.",
    "domains.set_alias": "Mail to an address there goes where the other domain’s address of the same name goes; to one "
    "that is none there it is refused.",
    "forwards.create": "Mail that comes from now on goes there too. Where it leaves the client it goes by an exception "
    "with an owner and an end, which a second person lets through.",
    "forwards.disable": "Nothing is passed on; mail lands in its own mailbox, if it has one. It can be enabled again.",
    "forwards.enable": "Mail that comes from now on is passed on again.",
    "forwards.end": "Nothing is passed on any more; mail lands in its own mailbox, or is refused where there is none. "
    "The exception that was planned with it ends along, also for filters, unless you keep it for them.",
    "forwards.tell_owner": "A letter goes to the mailbox and to the contact of its owner; nothing else changes.",
    "forwards.stop": "A forward is disabled, an alias leads there no more, a filter's redirect is stopped at its node, "
    "a catch-all or a transport ends. Nothing is deleted; filters stay as their owners left them.",
    "forwards.replace": "Mail goes on as before until the access stands and its node has read that back; then the "
    "forward is disabled, the alias leads there no more, or the redirect is stopped. Into a person’s mailbox nobody is "
    "let before its owner consents; if they decline, mail goes on as before.",
    "exceptions.create": "Mail of this address may go there until then: by forwards, and by filters of its owner. A "
    "second person lets it through.",
    "exceptions.end": "Mail stops going there at once. Forwards that rest on it are removed, or disabled, as it says.",
    "transports.create": "Mail of this address goes to that server until then, and none of it lands here: its filters "
    "do not see it. Who sent it stands on it as an address of this server, so that it is taken there. A second person "
    "agrees to it.",
    "transports.end": "Mail lands in the mailbox of the address again, or is refused where it has none. What is on its "
    "way to the other server goes there still.",
    "catch_alls.set": "Typing errors and guesses land there too, and spam. Addresses that are there keep theirs.",
    "destinations.change": "Every alias that uses it leads there from now on; the plan lists them all.",
    "probes.send": "A message goes there and comes where mail comes, also to outside; it says what it is. Where it was "
    "seen to arrive is on the page of the trace.",
    "catch_alls.end": "Mail to an address that is none is refused from now on.",
    "delegations.ask": "Into a person’s mailbox nobody is let before its owner consents, signed in to it; of a VIP’s a "
    "second person and the client’s own admin agree too. They are told now, when it starts and when it ends.",
    "delegations.consent": "For the client, of a VIP’s mailbox; its owner consents on their own page. It starts when "
    "both have.",
    "filters.set": "It takes the place of what was put in force here before, and its owner is told by mail.",
    "filters.end": "What was put in force here does nothing any more; what the owner uploaded themselves stays.",
    "redirects.stop": "Its node sends nothing there for a filter of this mailbox any more: that mail stays in it. The "
    "script stays as it is, and is not read. The owner is told.",
    "redirects.resume": "What a filter of this mailbox passes on goes there again, outside as far as an exception or a "
    "pattern lets it. The owner is told.",
    "delegations.decline": "Nobody is let in; whoever asked is told.",
    "delegations.end": "Nobody gets in or writes by it any more, at once; what is open closes. Both owners are told.",
    "people.suspend": "Their sessions end and they cannot sign in here; their roles count for nothing meanwhile.",
    "sessions.end": "What is signed in there is signed out at its next step, and who still may, signs in anew. Of a "
    "person that is every browser and terminal; mail programs, app passwords and API tokens are not touched.",
    "people.remove": "Sign-in, sessions and roles end. Restore brings the person back, but no role.",
    "grants.end": "What the role allowed stops at once. An undo does not bring it back; it is given again.",
    "grants.give": "From then on this person may do what the role allows.",
    "grants.elevate": "Somebody who holds as much has to let it through; it ends by itself when the hours are over.",
    "roles.change": "Whoever holds it may just this from then on.",
    "roles.end": "Nobody can be given it any more; its name stays taken.",
    "tokens.end": "The program that uses it gets no answer any more.",
    "access.suspend": "Nobody of the organization sees or changes this client any more. Its own people go on, and mail "
    "flows. Of the others a sealed login alone gets in, and every owner is told.",
    "access.resume": "The organization’s people may again what their roles say.",
    "doubts.settle": "The finding closes, and the owner of the mailbox reads what you say. It undoes nothing.",
    "mail_apps.end": "It asks no owner any more and is signed out of every mailbox it was let into; that stays so.",
    "consents.end_all": "It is signed out of all these mailboxes at once; no other device is touched.",
    "consents.end": "The device that uses it is signed out at once and gets no more tokens; no other is touched.",
    "app_passwords.end": "The device that uses it is signed out at once and cannot sign in again; no other is touched.",
    "invites.resend": "A new link is mailed; the one before stops working.",
    "invites.redirect": "The link sent before stops working; a new one is mailed to the other contact.",
    "invites.cancel": "The link stops working. The owner cannot set a password until somebody sends a new one.",
    "invites.send": "A link is mailed with which the owner sets the password; every older one stops working.",
    "recovery_channels.name": "A link to confirm it is mailed; the mailbox and its other recovery addresses are told. "
    "It counts seven days from now, once it is confirmed.",
    "clients.ask_contact": "A link is mailed by which whoever reads there says so.",
    "domains.ask_contact": "A link is mailed by which whoever reads there says so.",
    "recovery_channels.ask": "A link is mailed by which its holder says that it is read still.",
    "recovery_channels.end": "Nothing is sent there to get this mailbox back any more. Its holder and the mailbox are "
    "told; named again, it is new. A VIP’s counts seven days yet where others verify who asks.",
    "resets.start": "Nothing is sent yet. Somebody else calls the number on file, or the client’s admin vouches; a "
    "VIP’s takes both. Urgent or not, nothing is skipped.",
    "resets.declare_emergency": "Every owner of the organization is told, and an approver looks at it afterwards. "
    "Alone it skips nothing: the client’s own admin has to let the wait go, and a second person to agree to the reset.",
    "resets.waive_wait": "The link goes as soon as a second person has agreed, without the 15 minutes in which others "
    "could say that it was not them. They are told all the same.",
    "resets.ask_code": "A code of eight digits is mailed to that address, good for a minute. Its owner reads it out; "
    "nobody here sees it. Each one counts against a limit, and the one before it is void.",
    "resets.send_link": "A link is mailed with which the owner sets another password; sessions end when it is used. A "
    "VIP’s waits for a second person and 15 minutes, and whoever has to know is told.",
    "nodes.drain": "It gets no further clients; those it has stay.",
    "nodes.remove": "It is taken out of service.",
    "findings.acknowledge": "It stays open and in the list; whoever looks sees that somebody is at it.",
    "findings.accept": "It leaves the list until then, also if it goes and comes back. If it becomes worse "
    "it is open again.",
    "findings.reopen": "It stands in the list again like any other.",
    "access_reviews.open": "An approver is asked of every right at the client. Nothing is changed by that.",
    "access_reviews.sign": "It stands in the record with your name, your reason and what you saw. Signed to end, the "
    "right is ended in your name at once, if you may; signed to be changed, it is a finding until somebody has.",
    "rosters.open": "The client’s admins and its security contact get a letter. Nothing is changed by that.",
    "rosters.answer": "Nothing is suspended by that: whoever left is a finding until somebody suspends them.",
    "freezes.start": "Nothing changes here until it ends, but what only closes access.",
    "freezes.end": "Changes go through again.",
    "record.erase": "What these lines hold is gone for good, and no undo brings it back. That they were there, about "
    "which rows, when and by whom, stays, and the record still verifies.",
    "history.roll_back": "What still stands as that change left it goes back to how it was before; what changed again "
    "since is left out and listed.",
    "dkim_keys.activate": "Mail of the domain is signed with this key from now on.",
    "dkim_keys.rotate": "New keys are made and published. Mail is signed with them once every name server of the "
    "domain answers for them; what the old ones signed verifies for a week after. Where somebody else signs with the "
    "old ones, they are revoked as soon as the new ones sign.",
    "dkim_keys.retire": "Mail of the domain is signed with this key no more; what it signed verifies for a week.",
    "dkim_keys.revoke": "Whatever was signed with this key counts as not signed from now on, and its private half is "
    "forgotten. It cannot be used again.",
}
CLOSES = frozenset({
    "clients.suspend", "clients.remove", "domains.suspend", "domains.remove", "mailboxes.suspend", "mailboxes.remove",
    "aliases.remove", "forwards.disable", "forwards.end", "exceptions.end", "transports.end", "catch_alls.end",
    "delegations.decline", "delegations.end", "filters.end", "redirects.stop", "forwards.stop",
    "people.suspend", "people.remove", "grants.end", "roles.end", "tokens.end", "access.suspend",
    "invites.cancel", "recovery_channels.end", "app_passwords.end", "consents.end", "mail_apps.end", "resets.end",
    "nodes.drain", "nodes.remove",
})  # fmt: skip
TYPED = {
    "mailboxes.remove": "mailbox",
    "domains.remove": "domain",
    "clients.remove": "client",
    "people.remove": "person",
}


APPS = "Passwords, app passwords and other mail apps: each lets in as before."


def consequence(kind: str) -> str:
    return SAID.get(kind, "")


def typed_word(kind: str, params: dict[str, object]) -> str:
    """What has to be typed before access ends for good: the local part, the domain's name, the client's slug."""
    return str(params.get(TYPED[kind], "")).partition("@")[0] if kind in TYPED else ""


def untouched(tables: Collection[str]) -> tuple[Words, ...]:
    """What such a plan leaves as it is, in the order somebody would ask."""
    apps = "mail_apps" in tables  # whose end is followed at each client that let it in
    found: list[Words] = [APPS if apps else "Other clients: nothing of theirs is read or written."]
    if {"mailboxes", "domains", "clients"} & set(tables):
        found.append("Stored mail: no change ever deletes it.")
    if "mailboxes" in tables and "secrets" not in tables:
        found.append("The password and the recovery code of the owner.")
    if "record_sets" in tables:
        found.append("Every other record of the zone, and other people’s values beside ours.")
    return tuple(found)
