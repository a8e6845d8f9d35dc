"""What people are told of a sign-in by mail: the link that gets it back, and what was done."""

from email.message import EmailMessage

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Change, Invite, Letter, Organization

PASSWORD = """Hello,

somebody asked to get the sign-in of {what} to Postroom at {organization} back.

Open this link to choose another password. You are asked for your second factor too; without it the
link does nothing:

{link}

The link works once, until {until}. If you did not ask for it, do nothing: nobody gets in by this.
"""
SIGN_IN = """Hello,

your sign-in to Postroom at {organization} is given back to you, after a second person agreed or the
time to object had passed.

Open this link to choose another password and to set up a new second factor. The old ones stop working:

{link}

The link works once, until {until}. If you did not ask for it, tell an owner of {organization} at once.
"""
RECOVERED = """Hello,

{name} ({what}) got the sign-in to Postroom at {organization} back by a mailed link, at {when}.

Every session of theirs has ended. If this was not {name}, suspend that person at once and look under
Changes for what was done in their name.
"""
MOVED = """Hello,

the address with which {name} signs in to Postroom at {organization} was changed by {who}, at {when}.

  Before:  {about}
  Now:     {what}

Notices go to the new address from now on. If you do not know of this, tell an owner of {organization}
at once; this address gets no further mail about it.
"""
DEVICE = """Hello,

a device was registered as one from which {name} signs in to Postroom at {organization}, at {when}:

  {about}

If this was not you, somebody has your password and your second factor: end every session under
Your sign-in, choose another password, and tell an owner of {organization} at once.
"""
FACTOR_ADDED = """Hello,

a second factor was added to the sign-in of {name} to Postroom at {organization}, at {when}:

  {about}

If this was not you, somebody can sign in as you: take it away under Your sign-in, end every session, choose
another password, and tell an owner of {organization} at once, by a way you already know.
"""
FACTOR_REMOVED = """Hello,

a second factor was taken away from the sign-in of {name} to Postroom at {organization}, at {when}:

  {about}

If this was not you, somebody has signed in as you: end every session under Your sign-in, choose another
password, and tell an owner of {organization} at once, by a way you already know.
"""
CODES_MADE = """Hello,

recovery codes were made for the sign-in of {name} to Postroom at {organization}, at {when}; those from
before, if there were any, are void:

  {about}

If this was not you, somebody can sign in as you: make other codes under Your sign-in, end every session,
choose another password, and tell an owner of {organization} at once, by a way you already know.
"""
TRANSFERRED = """Hello,

the mailbox {about}, run by {organization}, was given to another owner by {who}, at {when}.

What opened it before opens it no more: passwords, recovery codes, and every session have ended. Its new
owner gets a link of their own to set a password; the mail in it stays as it is.

If you do not know of this, tell {organization} at once, by a way you already know.
"""
SHUT = "shown to the client's own people alone: it has closed itself"
USED = """Hello,

the link by which the password of {about} is set was used, at {when}. It was mailed to you by
{organization}, or copied for you.

If this was you, there is nothing to do. If not, tell {organization} at once: whoever used it reads
the mail of {about} now.
"""
LINKS = {"password": PASSWORD, "sign-in": SIGN_IN}
SAYS = {"recovered": ("A sign-in was got back", RECOVERED),
        "moved": ("An address to sign in with was changed", MOVED),
        "factor added": ("A second factor was added to your sign-in", FACTOR_ADDED),
        "factor removed": ("A second factor was taken away from your sign-in", FACTOR_REMOVED),
        "codes made": ("Recovery codes were made for your sign-in", CODES_MADE),
        "device": ("A new device signs in to Postroom", DEVICE),
        "transferred": ("A mailbox has another owner", TRANSFERRED)}  # fmt: skip


def recovery(invite: Invite, link: str) -> EmailMessage:
    with acting_as(SYSTEM):
        issued = Invite.objects.select_related("person").get(pk=invite.pk)
        organization = Organization.objects.get().name
    until = f"{issued.until:%d %B %Y, %H:%M} UTC" if issued.until else "it is used"
    what = issued.person.email if issued.person else ""
    text = LINKS[invite.recovers].format(organization=organization, what=what, link=link, until=until)
    return written("Your sign-in to Postroom", text)


def told(letter: Letter, change: Change) -> EmailMessage:
    """What was done, by whom, when. Nothing that somebody typed stands in a header."""
    with acting_as(SYSTEM):
        person = Letter.objects.select_related("person__client").get(pk=letter.pk).person
        made = Change.objects.select_related("proposer").get(pk=change.pk)
        organization = Organization.objects.get().name
    who = made.proposer.name if made.proposer else "the system"
    subject, text = SAYS[letter.says]
    name, what = (person.name, person.email) if person else ("", "")
    home = person.client if person else None
    if person and home and home.closed_at and letter.contact not in (person.email, letter.about):
        name, what = f"somebody of {home.name}", SHUT  # the organization's owners are told too
    words = {"name": name, "what": what, "about": letter.about, "who": who, "organization": organization}
    return written(subject, text.format(**words, when=f"{made.now:%d %B %Y, %H:%M} UTC"))


def redeemed(letter: Letter, change: Change) -> EmailMessage:
    """To where the link was sent: that it was used."""
    with acting_as(SYSTEM):
        organization = Organization.objects.get().name
    when = f"{change.now:%d %B %Y, %H:%M} UTC"
    text = USED.format(about=letter.about, organization=organization, when=when)
    return written("The link to your mailbox was used", text)


def written(subject: str, text: str) -> EmailMessage:
    """A plain letter of ours; who it is from and to is the mail's own work."""
    letter = EmailMessage()
    letter["Subject"] = subject
    letter.set_content(text)
    return letter
