"""What was done to a mailbox, as its owner reads it: what a change means for them, never what else it was about."""

from postroom.web.titles import WORDS

SAID: dict[str, str] = {
    "aliases.create": "Another address brings its mail here",
    "aliases.change": "Where mail of another address goes was changed",
    "aliases.remove": "Another address brings no mail here any more",
    "app_passwords.create": "An app password was made",
    "app_passwords.end": "An app password was ended",
    "clients.suspend": "All mailboxes of the client were suspended",
    "clients.resume": "The mailboxes of the client were opened again",
    "consents.end": "A mail app that was let in was signed out, and is let in no more",
    "consents.end_all": "A mail app that was let in was ended for everybody",
    "consents.grant": "A mail app was let in, without the password",
    "filters.write": "Your filters or your automatic answer were changed",
    "filters.set": "Somebody else set a filter or an automatic answer",
    "filters.end": "Filters were taken out of force",
    "delegations.ask": "It was asked that somebody else gets access",
    "delegations.consent": "Somebody else was let in, as they had asked",
    "delegations.decline": "Somebody else was not let in",
    "delegations.end": "Access of somebody else, or to another mailbox, was ended",
    "domains.suspend": "All mailboxes of the domain were suspended",
    "domains.resume": "The mailboxes of the domain were opened again",
    "doubts.raise": "You said that you do not know a change",
    "doubts.settle": "They found out about a change that you did not know",
    "exceptions.create": "Its mail was let go to an address outside, until a day",
    "exceptions.end": "Its mail may go to an address outside no more",
    "forwards.change": "Until when mail is passed on was changed",
    "forwards.create": "Mail is passed on to another address",
    "forwards.disable": "Mail is passed on no more, for now",
    "forwards.enable": "Mail is passed on again",
    "forwards.end": "Mail is passed on no more",
    "history.roll_back": "An earlier change was undone",
    "invites.cancel": "A link to set the password was cancelled",
    "invites.issue": "A link to set the password was made",
    "invites.redeem": "The password was set, by a link",
    "invites.redirect": "A link to set the password was sent to another address",
    "invites.remind": "A reminder of the link to set the password was sent",
    "invites.resend": "A link to set the password was sent again",
    "invites.send": "A link to set the password was sent",
    "mailboxes.change": "Its name, size or who looks after it was changed",
    "mailboxes.create": "The mailbox was made",
    "mailboxes.end_sessions": "Devices were signed out",
    "mailboxes.forgot": "Somebody who could not get in asked for a link",
    "mailboxes.remove": "The mailbox was removed",
    "mailboxes.restore": "The mailbox was brought back",
    "mailboxes.resume": "The mailbox was opened again",
    "mailboxes.suspend": "The mailbox was suspended",
    "mailboxes.transfer": "The mailbox was given to another owner",
    "nodes.deliver_again": "Its settings were written to the mail server again",
    "recovery_channels.ask": "It was asked whether a way back in is read still",
    "recovery_channels.confirm": "A way back in was confirmed",
    "recovery_channels.end": "A way back in was ended",
    "recovery_channels.issue": "A link to confirm a way back in was made",
    "recovery_channels.name": "A way back in was named",
    "secrets.change": "Another password was chosen",
    "secrets.renew": "Another recovery code was made",
    "secrets.reset": "Somebody got back in, and set password and recovery code",
    "transports.create": "Mail was handed to another mail server, instead of landing here",
    "transports.end": "Mail is handed to another mail server no more",
}


def said_of(kind: str) -> str:
    """A kind that has no words of its own here is called as everybody calls it."""
    if kind in SAID:
        return SAID[kind]
    return WORDS[kind][0] if kind in WORDS else kind or "Something that has no words here"
