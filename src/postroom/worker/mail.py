"""Our own mail: invites and notices. The link is drawn, recorded as a hash and handed to submission in one call.

Never through a queue: run again, a new link is issued and the one before it is void.
"""

import smtplib
import ssl
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from django.conf import settings

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.tokens import (
    confirmation_link,
    draw,
    invite_link,
    mailbox_link,
    notice_link,
    recovery_link,
    reset_code,
)
from postroom.changes.carry import Outcome
from postroom.changes.freeze import freeze_over, in_words
from postroom.changes.kinds.clients import CHECKPOINT
from postroom.changes.kinds.invites import REDEEMED, IssueInvite
from postroom.changes.kinds.notices import IssueNotice
from postroom.changes.kinds.recovery import IssueRecovery
from postroom.changes.kinds.recovery_channels import IssueConfirmation
from postroom.changes.kinds.reset_codes import HASH, IssueCode
from postroom.changes.pipeline import submit
from postroom.models import Change, Delivery, Invite, Letter, Organization, ResetCode
from postroom.models.rounds import ROSTER
from postroom.queries.proofs import signed

from . import channels, checkpoints, letters, notices, owner_letters, reset_codes, rounds

TIMEOUT = 10
INVITE = """Hello,

{organization} has made the mailbox {what} for you.

Open this link to choose your password. Nobody else ever sees or sets it:

{link}

The link works once, until {until}. If you did not expect this mail, do nothing: without the link
nobody can sign in to the mailbox.
"""
REMINDER = """Hello,

{organization} has made the mailbox {what} for you; its password is not set yet, and mail waits there.

Open this link to choose it. The link that was mailed before stopped working:

{link}

The link works once, until {until}. This is the only reminder. If you did not expect this mail, do
nothing: without the link nobody can sign in to the mailbox.
"""
RESET = """Hello,

you asked {organization} for a way back into your mailbox {what}, and were found to be its owner.

Open this link to choose another password. Nobody else ever sees or sets it:

{link}

The link works once, until {until}. When it is used, every session of the mailbox ends, and the password
and the recovery code so far stop working. If you did not ask for this, do not open it, and tell
{organization} at once, by a way you already know.
"""
PERSON = """Hello,

{organization} asks you to make your sign-in to Postroom, for {what}.

Open this link to choose your password and set up a second factor:

{link}

The link works once, until {until}. If you did not expect this mail, do nothing.
"""


def send(change: Change, delivery: Delivery) -> Outcome:
    """Issue a link for an invite and mail it; evidence is our submission's own answer, with its queue id."""
    with acting_as(SYSTEM):
        invite = Invite.objects.select_related("mailbox__address", "person").filter(pk=delivery.object).first()
        letter = Letter.objects.filter(pk=delivery.object).first()
        code = ResetCode.objects.select_related("channel").filter(pk=delivery.object).first()
    if code is not None and settings.POSTROOM.submission is not None:
        return _code(change, code)
    if letter is None and code is None and (invite is None or invite.used_at or invite.ended_at):
        return Outcome(evidence=[{"question": "is it still to be sent?", "answer": "no: it was used or ended"}])
    if settings.POSTROOM.submission is None:
        return Outcome(why="no submission server is set up for our own mail")
    if letter is not None and letter.says == CHECKPOINT:
        return _checkpoint(letter)
    if letter is not None and letter.says == ROSTER:
        with acting_as(SYSTEM):
            written = rounds.letter(letter)
        return hand_in(letter.contact, written)
    if letter is not None and letter.says == REDEEMED:
        return hand_in(letter.contact, letters.redeemed(letter, change))
    if letter is not None and letter.says in owner_letters.SAYS:
        return hand_in(letter.contact, owner_letters.told(letter, change))
    if letter is not None and letter.mailbox_id:
        return hand_in(letter.contact, channels.told(letter, change))
    if letter is not None:
        return hand_in(letter.contact, letters.told(letter, change))
    if invite is None:
        return Outcome(why="it is gone")
    if invite.confirms_id:
        return _confirmation(change, invite)
    if invite.recovers:
        return _recovery(change, invite)
    return _notice(change, invite) if invite.stops_id else _invite(change, invite)


def _code(change: Change, code: ResetCode) -> Outcome:
    """A code that is read out by whoever is on the phone: to one recovery address, and shown nowhere else."""
    if code.used_at or code.ended_at:
        return Outcome(evidence=[{"question": "is it still to be sent?", "answer": "no: it is over"}])
    digits, kept = reset_code(code.pk)
    issue = IssueCode(code=str(code.pk))
    why = f"mail to {code.channel.value}"
    issued = submit(issue, actor=SYSTEM, why=why, caused_by=change, secrets={HASH: kept})
    if issued.version is None:
        return Outcome(why="; ".join(v["reason"] for v in issued.verdicts))
    return hand_in(code.channel.value, reset_codes.letter(code, digits))


def _recovery(change: Change, invite: Invite) -> Outcome:
    """A link that gets a sign-in back: to the address of its person, or a mailbox's recovery address, no other."""
    token, hashed = draw()
    issue = IssueRecovery(recovery=str(invite.pk))
    issued = submit(issue, actor=SYSTEM, why=f"mail to {invite.contact}", caused_by=change, secrets={"link": hashed})
    if issued.version is None:
        return Outcome(why="; ".join(v["reason"] for v in issued.verdicts))
    if invite.mailbox_id:
        return hand_in(invite.contact, owner_letters.back(invite, mailbox_link(token)))
    return hand_in(invite.contact, letters.recovery(invite, recovery_link(token)))


def _confirmation(change: Change, invite: Invite) -> Outcome:
    """A link that says that a recovery channel is read still: to whoever reads it, and to nobody else."""
    token, hashed = draw()
    issue = IssueConfirmation(confirmation=str(invite.pk))
    issued = submit(issue, actor=SYSTEM, why=f"mail to {invite.contact}", caused_by=change, secrets={"link": hashed})
    if issued.version is None:
        return Outcome(why="; ".join(v["reason"] for v in issued.verdicts))
    return hand_in(invite.contact, channels.asked(invite, confirmation_link(token)))


def _checkpoint(letter: Letter) -> Outcome:
    """The newest one as it is sent; none while nothing can be vouched for, and that is said."""
    with acting_as(SYSTEM):
        now = signed()
        if not now.known or not now.note:
            why = now.alarm or now.wrong or "nothing is signed yet, or the signer's key cannot be read"
            return Outcome(why=f"no checkpoint to send: {why}", again_in=timedelta(minutes=10))
        written = checkpoints.letter(letter, now)
    return hand_in(letter.contact, written)


def _notice(change: Change, invite: Invite) -> Outcome:
    """To whom a change that nobody could approve is told; not any more once it waits no more."""
    with acting_as(SYSTEM):
        about = notices.about(invite)
    if about is None:
        return Outcome(evidence=[{"question": "is it still to be sent?", "answer": "no: the change waits no more"}])
    token, hashed = draw()
    issue = IssueNotice(notice=str(invite.pk))
    issued = submit(issue, actor=SYSTEM, why=f"mail to {invite.contact}", caused_by=change, secrets={"link": hashed})
    if issued.version is None:
        return Outcome(why="; ".join(v["reason"] for v in issued.verdicts))
    return hand_in(invite.contact, notices.letter(about, notice_link(token)))


def _invite(change: Change, invite: Invite) -> Outcome:
    with acting_as(SYSTEM):
        freeze = freeze_over(invite.client_id)
    if freeze:
        return Outcome(why=f"frozen: {in_words(freeze)}", again_in=timedelta(minutes=1))
    token, hashed = draw()
    issued = submit(
        IssueInvite(invite=str(invite.pk)), actor=SYSTEM, why=f"mail to {invite.contact}", caused_by=change,
        secrets={"link": hashed},
    )  # fmt: skip
    if issued.version is None:
        return Outcome(why="; ".join(v["reason"] for v in issued.verdicts))
    return hand_in(invite.contact, _letter(invite, invite_link(token)))


def _letter(invite: Invite, link: str) -> EmailMessage:
    with acting_as(SYSTEM):
        now = Invite.objects.get(pk=invite.pk)
        issued = now.until
        organization = Organization.objects.get().name
    what = invite.mailbox.label if invite.mailbox else invite.person.email if invite.person else ""
    text = PERSON if not invite.mailbox else RESET if now.verification_id else REMINDER if now.reminded_at else INVITE
    until = f"{issued:%d %B %Y, %H:%M} UTC" if issued else "it is used"
    letter = EmailMessage()
    letter["Subject"] = _subject(now, what) if invite.mailbox else "Your sign-in to Postroom"
    letter.set_content(text.format(organization=organization, what=what, link=link, until=until))
    return letter


def _subject(invite: Invite, address: str) -> str:
    return f"Choose another password for {address}" if invite.verification_id else f"Set the password of {address}"


def hand_in(to: str, letter: EmailMessage) -> Outcome:
    """Give a letter to our own submission; what it answered is the evidence. What went wrong is said, not raised."""
    env = settings.POSTROOM
    letter["From"], letter["To"] = env.notices_from, to
    letter["Date"], letter["Message-ID"] = formatdate(), make_msgid(domain=env.notices_from.rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday note answers it
    host, port = env.submission
    try:
        with smtplib.SMTP(host, port, timeout=TIMEOUT) as smtp:
            _secured(smtp)
            smtp.login("postroom@system", env.submission_key_file.read_text().strip())
            answer = _sent(smtp, env.notices_from, to, letter)
    except (OSError, smtplib.SMTPException) as error:
        # Each try makes a new link: what will not be taken soon is not tried soon (RFC 5321, 4.2.1: 5yz is permanent).
        lasting = isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500
        wait = timedelta(minutes=10) if lasting else timedelta(seconds=5)
        return Outcome(why=f"our own submission at {host}:{port}: {_said(error)}", again_in=wait)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    asked = f"mail from {env.notices_from} to {to}"
    return Outcome(evidence=[{"question": asked, "answer": answer, "server": f"{host}:{port}", "at": now}])


def _secured(smtp: smtplib.SMTP) -> None:
    """TLS with the one certificate we know; it names the mail host, whatever address it is reached at."""
    ca = settings.POSTROOM.submission_ca_file
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    smtp._host = settings.POSTROOM.mail_host  # type: ignore[attr-defined]  # what starttls checks the certificate for
    smtp.starttls(context=context)


def _said(error: Exception) -> str:
    """An answer as the server gave it, anything else as it is."""
    if not isinstance(error, smtplib.SMTPResponseException):
        return str(error)
    words = error.smtp_error
    return f"{error.smtp_code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"


def _sent(smtp: smtplib.SMTP, sender: str, to: str, letter: EmailMessage) -> str:
    for code, said in (smtp.mail(sender), smtp.rcpt(to), smtp.data(letter.as_bytes())):
        if code not in (250, 251):
            raise smtplib.SMTPResponseException(code, said)
    return f"{code} {said.decode(errors='replace')}"
