"""Our own mail: invites and notices. A link is drawn, recorded as a hash and handed to submission in one call.

Never through a queue: run again, a new link is issued and the one before it is void. So a try that another one has
overtaken issues nothing and mails nothing: whoever is written to could be left with a link that is void. Each letter
leaves from a return address of its own, by which mail servers say what became of it (models/mailed.py,
engines/returned.py).
"""

import smtplib
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.tokens import (
    confirmation_link,
    draw,
    hashed,
    invite_link,
    mailbox_link,
    notice_link,
    recovery_link,
    reset_code,
)
from postroom.changes.carry import Outcome, in_hand
from postroom.changes.freeze import freeze_over, in_words
from postroom.changes.kind import Kind
from postroom.changes.kinds.clients import CHECKPOINT
from postroom.changes.kinds.exceptions_asked import ENDED
from postroom.changes.kinds.filters import SET
from postroom.changes.kinds.forwards_told import LEAVES
from postroom.changes.kinds.invites import REDEEMED, IssueInvite
from postroom.changes.kinds.mailboxes import ResumeMailbox
from postroom.changes.kinds.notices import IssueNotice
from postroom.changes.kinds.own_secrets import COMPELLED
from postroom.changes.kinds.recovery import IssueRecovery
from postroom.changes.kinds.recovery_channels import IssueConfirmation
from postroom.changes.kinds.reset_codes import HASH, IssueCode
from postroom.changes.pipeline import submit
from postroom.models import Change, Delivery, Invite, Letter, Mailed, Probe, ResetCode
from postroom.models.mailed import HANDED, QUEUED, REFUSED
from postroom.models.rounds import ROSTER
from postroom.protocols import return_address
from postroom.protocols.delivery_status import SAID, STATUS, line

from . import (
    channels,
    checkpoints,
    delegation_letters,
    filter_letters,
    forward_letters,
    invite_letters,
    letters,
    notices,
    owner_letters,
    probes,
    redirect_letters,
    reset_codes,
    rounds,
)

TIMEOUT = 10
OVER = Outcome(evidence=[{"question": "is it still to be sent?", "answer": "no: it was used or ended"}])
OVERTAKEN = Outcome(why="a newer try has taken it up")
NOTIFY = "NOTIFY=SUCCESS,FAILURE,DELAY"  # RFC 3461, 4.1
Written = EmailMessage | Outcome  # a letter; or why there is none
About = Letter | Invite | ResetCode | Probe

# What a letter says → who writes it.
LETTERS: Mapping[str, Callable[[Letter, Change], Written]] = {
    CHECKPOINT: lambda letter, change: checkpoints.newest(letter),
    ROSTER: lambda letter, change: rounds.letter(letter),
    REDEEMED: letters.redeemed,
    COMPELLED: owner_letters.wanted,
    ENDED: forward_letters.ended,
    LEAVES: forward_letters.told,
    SET: filter_letters.told,
    **dict.fromkeys(owner_letters.SAYS, owner_letters.told),
    **dict.fromkeys(channels.SAYS, channels.told),
    **dict.fromkeys(redirect_letters.SAYS, redirect_letters.told),
    **dict.fromkeys(delegation_letters.SAYS, delegation_letters.told),
    **dict.fromkeys(letters.SAYS, letters.told),
}


def send(change: Change, delivery: Delivery) -> Outcome:
    """Write what is to be mailed, with a link of its own where it has one; evidence is our submission's own answer."""
    about = _about(delivery.object)
    if about is None or (isinstance(about, Invite | ResetCode) and (about.used_at or about.ended_at)):
        return OVER
    if settings.POSTROOM.submission is None:
        return Outcome(why="no submission server is set up for our own mail")
    if isinstance(about, Probe):
        return _probe(about, delivery)
    with in_hand(delivery) as mine:
        written = _written(about, change) if mine else OVERTAKEN
    if isinstance(written, Outcome):
        return written
    with in_hand(delivery) as mine:
        if not mine:
            return OVERTAKEN
    to = about.channel.value if isinstance(about, ResetCode) else about.contact
    return post(to, written, object=about.pk, client=change.client_id)


def _about(row: UUID | None) -> About | None:
    """What there is to write, with what its writer needs."""
    sorts: tuple[QuerySet[Any], ...] = (
        Letter.objects.all(),
        Invite.objects.select_related("mailbox__address", "person"),
        Probe.objects.all(),
        ResetCode.objects.select_related("channel"),
    )
    with acting_as(SYSTEM):
        return next((found for rows in sorts if (found := rows.filter(pk=row).first())), None)


def _probe(probe: Probe, delivery: Delivery) -> Outcome:
    """What is computed is kept, and then it is tried."""
    with in_hand(delivery) as mine:
        written = probes.computed(probe) if mine else OVERTAKEN
    if isinstance(written, Outcome):
        return written
    token = return_address.drawn()
    written["Message-ID"] = probes.message_id(token)
    return probes.answered(probe, post(probe.address, written, object=probe.pk, client=probe.client_id, token=token))


def _written(about: Letter | Invite | ResetCode, change: Change) -> Written:
    if isinstance(about, Letter):
        return LETTERS[about.says](about, change)
    return _code(about, change) if isinstance(about, ResetCode) else _with_link(about, change)


def _code(code: ResetCode, change: Change) -> Written:
    """A code that is read out by whoever is on the phone: to one recovery address, and shown nowhere else."""
    digits, kept = reset_code(code.pk)
    issue, why = IssueCode(code=str(code.pk)), f"mail to {code.channel.value}"
    return _sealed(issue, why, change, {HASH: kept}) or reset_codes.letter(code, digits)


def _with_link(invite: Invite, change: Change) -> Written:
    if invite.confirms_id or invite.vouches:
        issue: Kind = IssueConfirmation(confirmation=str(invite.pk))
        return _issued(issue, invite, change, lambda token: channels.asked(invite, confirmation_link(token)))
    if invite.recovers:
        issue = IssueRecovery(recovery=str(invite.pk))
        return _issued(issue, invite, change, lambda token: _back(invite, change, token))
    return _notice(invite, change) if invite.stops_id else _invite(invite, change)


def _issued(issue: Kind, invite: Invite, change: Change, letter: Callable[[str], EmailMessage]) -> Written:
    """A letter with a new link, which is good from now on; the one before it is not."""
    token, link = draw()
    return _sealed(issue, f"mail to {invite.contact}", change, {"link": link}) or letter(token)


def _sealed(issue: Kind, why: str, change: Change, secrets: dict[str, str]) -> Outcome | None:
    """None when it is issued, with only a hash kept; else why not."""
    issued = submit(issue, actor=SYSTEM, why=why, caused_by=change, secrets=secrets)
    return None if issued.version is not None else Outcome(why="; ".join(v["reason"] for v in issued.verdicts))


def _back(invite: Invite, change: Change, token: str) -> EmailMessage:
    """A link that gets a sign-in back: to the address of its person, or a mailbox's recovery address, no other."""
    if invite.mailbox_id:
        return owner_letters.back(invite, mailbox_link(token), wanted=change.kind == ResumeMailbox.permission)
    return letters.recovery(invite, recovery_link(token))


def _notice(invite: Invite, change: Change) -> Written:
    """To whom a change that nobody could approve is told; not any more once it waits no more."""
    with acting_as(SYSTEM):
        about = notices.about(invite)
    if about is None:
        return Outcome(evidence=[{"question": "is it still to be sent?", "answer": "no: the change waits no more"}])
    issue = IssueNotice(notice=str(invite.pk))
    return _issued(issue, invite, change, lambda token: notices.letter(about, notice_link(token)))


def _invite(invite: Invite, change: Change) -> Written:
    with acting_as(SYSTEM):
        freeze = freeze_over(invite.client_id)
    if freeze:
        return Outcome(why=f"frozen: {in_words(freeze)}", again_in=timedelta(minutes=1))
    issue = IssueInvite(invite=str(invite.pk))
    return _issued(issue, invite, change, lambda token: invite_letters.letter(invite, invite_link(token)))


def post(to: str, letter: EmailMessage, *, object: UUID, client: UUID | None, token: str = "") -> Outcome:
    """Hand a letter in from a return address of its own, and keep by which it is known. object: what it is about."""
    token = token or return_address.drawn()
    with acting_as(SYSTEM):
        again = Mailed.objects.filter(object=object, contact=to, state__in=("", REFUSED))  # a try that came to nothing
        said = {"token": hashed(token), "at": timezone.now()}
        if not again.update(**said):
            Mailed.objects.create(object=object, contact=to, client_id=client, **said)
    letter["Return-Path"] = return_address.address(settings.POSTROOM.notices_from, token)
    outcome = hand_in(to, letter)
    with acting_as(SYSTEM):
        mine = Mailed.objects.filter(
            token=hashed(token), state__in=("", REFUSED)
        )  # a server may have said more already
        mine.update(**_state(outcome))
    return outcome


def _state(outcome: Outcome) -> dict[str, str]:
    if outcome.refused:
        found = STATUS.search(outcome.refused)
        return {"state": REFUSED, "status": found[0] if found else "", "said": line(outcome.refused)[:SAID]}
    if outcome.why:
        return {"state": ""}
    said = outcome.evidence[0] if outcome.evidence else {}
    return {"state": QUEUED if said.get("notified") else HANDED, "said": str(said.get("answer", ""))[:SAID]}


def hand_in(to: str, letter: EmailMessage) -> Outcome:
    """Give a letter to our own submission; what it answered is the evidence. What went wrong is said, not raised.

    Its Return-Path says from what address it leaves, as Bcc would say to whom; it does not go along."""
    env = settings.POSTROOM
    sender = str(letter["Return-Path"] or env.notices_from)
    del letter["Return-Path"]
    letter["From"], letter["To"] = env.notices_from, to
    letter["Date"] = formatdate()
    if "Message-ID" not in letter:
        letter["Message-ID"] = make_msgid(domain=env.notices_from.rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday note answers it
    host, port = env.submission
    try:
        with smtplib.SMTP(host, port, timeout=TIMEOUT) as smtp:
            _secured(smtp)
            smtp.login("postroom@system", env.submission_key_file.read_text().strip())
            smtp.ehlo()  # what is offered to who is signed in
            notified = smtp.has_extn("dsn")
            answer = _sent(smtp, sender, to, letter, notified=notified)
    except (OSError, smtplib.SMTPException) as error:
        # Each try makes a new link: what will not be taken soon is not tried soon (RFC 5321, 4.2.1: 5yz is permanent).
        lasting = isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500
        wait = timedelta(minutes=10) if lasting else timedelta(seconds=5)
        refused = _said(error) if isinstance(error, NotTaken) and lasting else ""
        return Outcome(why=f"our own submission at {host}:{port}: {_said(error)}", again_in=wait, refused=refused)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    asked = f"mail from {env.notices_from} to {to}"
    found = {"question": asked, "answer": answer, "server": f"{host}:{port}", "at": now, "notified": notified}
    return Outcome(evidence=[found])


def _secured(smtp: smtplib.SMTP) -> None:
    """TLS with the one certificate we know; it names the mail host, whatever address it is reached at."""
    ca = settings.POSTROOM.submission_ca_file
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    smtp._host = settings.POSTROOM.mail_host  # type: ignore[attr-defined]  # what starttls checks the certificate for
    smtp.starttls(context=context)


class NotTaken(smtplib.SMTPResponseException):
    """This letter, or who gets it, was refused: not who we are."""


def _said(error: Exception) -> str:
    """An answer as the server gave it, anything else as it is."""
    if not isinstance(error, smtplib.SMTPResponseException):
        return str(error)
    words = error.smtp_error
    return f"{error.smtp_code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"


def _sent(smtp: smtplib.SMTP, sender: str, to: str, letter: EmailMessage, *, notified: bool) -> str:
    """Only its headers come back: a letter may hold a link."""
    said = smtp.mail(sender, ["RET=HDRS"] if notified else [])
    if said[0] != 250:
        raise smtplib.SMTPResponseException(*said)
    for code, words in (smtp.rcpt(to, [NOTIFY] if notified else []), smtp.data(letter.as_bytes())):
        if code not in (250, 251):
            raise NotTaken(code, words)
        answer = f"{code} {words.decode(errors='replace')}"
    return answer
