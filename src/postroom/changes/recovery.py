"""A lost sign-in: asked for by anybody, with the same work for every address; the link, and who agrees to it."""

from datetime import timedelta

from django.utils import timezone

from postroom.access.acting import CLOCK, Actor, NoSuchLink, acting_as
from postroom.models import Change, Due, Invite, Person

from .kind import KINDS
from .pipeline import NOTICE, submit
from .state import seconds

FORGOT, RECOVER, REGAIN = "people.forgot", "people.recover", "people.regain"
WAITS = timedelta(hours=24)


def asked(email: str) -> None:
    """Somebody cannot sign in: the clock looks whose address it is, so that here no answer depends on it."""
    with acting_as(CLOCK):
        Due.objects.create(at=seconds(timezone.now()), kind=FORGOT, params={"email": email})


def holder(link: str, person: Person | None = None) -> Actor:
    """Whoever holds a link; in the name of its person where that is known."""
    return Actor(person.pk if person else None, person.name if person else "whoever opened the link", "link", link)


def opened(link: str) -> Invite:
    """A good link's recovery, with its person; NoSuchLink for one that is unknown, spent, too old or void meanwhile.

    Void it is when the password, a factor or the address changed since it was asked for.
    """
    with acting_as(holder(link)) as access:
        found = Invite.objects.select_related("person__login").exclude(recovers="")
        good = found.filter(pk=access.invite, used_at=None, ended_at=None, until__gt=timezone.now())
        invite: Invite | None = good.first()
        person = invite.person if invite else None
        if invite is None or person is None or person.suspended_at or person.removed_at:
            raise NoSuchLink("no such link")
        changed = person.login.changed_at
        if changed is not None and changed >= invite.made:
            raise NoSuchLink("no such link")
        return invite


def regain(link: str, person: Person) -> Change:
    """Spend the link; sessions end, and those who have to know are told."""
    return submit(KINDS[REGAIN](), actor=holder(link, person), why="opened the mailed link")


def ask_owner(link: str, person: Person) -> Change:
    """The second factor is lost too: an owner has to agree, a day passes, and everybody who has to know is told now."""
    kind = KINDS[RECOVER].model_validate({"person": str(person.pk)})
    at = seconds(timezone.now()) + WAITS
    change = submit(kind, actor=holder(link, person), why="says that the second factor is lost too", at=at)
    if change.stage == "held":
        with acting_as(CLOCK):
            about = {"change": str(change.pk)}
            Due.objects.create(at=change.now, client_id=None, change_id=change.pk, kind=NOTICE, params=about)
    return change
