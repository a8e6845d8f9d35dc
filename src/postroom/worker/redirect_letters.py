"""What the owner of a mailbox is told when a redirect of their filter is stopped, or goes on."""

from email.message import EmailMessage

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.kinds.redirects import RESUMED, STOPPED
from postroom.models import Change, Letter, Mailbox, Organization

from .letters import written

SUBJECTS = {STOPPED: "A filter of your mailbox passes no mail on", RESUMED: "A filter of your mailbox may pass mail on"}
DOES = {
    STOPPED: "stopped filters of the mailbox {mailbox} from passing mail on to",
    RESUMED: "let filters of the mailbox {mailbox} pass mail on again to",
}
MEANS = {
    STOPPED: "What your filter would send there stays in your mailbox. Your filter was not changed or read;\n"
    "what else it does, it does.",
    RESUMED: "Outside of {organization} it goes only as far as it is allowed, as before.",
}
TEXT = """Hello,

{who} at {organization} {does}

  {target}

Why: {why}

{means}
"""
SAYS = tuple(SUBJECTS)


def told(letter: Letter, change: Change) -> EmailMessage:
    with acting_as(SYSTEM):
        mailbox = Mailbox.objects.select_related("address").get(pk=letter.mailbox_id)
        who = change.proposer.name if change.proposer_id and change.proposer else "Somebody"
        organization = Organization.objects.get().name
    said = {"mailbox": mailbox.label, "organization": organization}
    does, means = (words[letter.says].format(**said) for words in (DOES, MEANS))
    words = {"who": who, "organization": organization, "target": letter.about, "why": change.why}
    return written(SUBJECTS[letter.says], TEXT.format(**words, does=does, means=means))
