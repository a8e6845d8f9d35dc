"""Read the zones of all domains again and again, the longest unread first: what stands there, whoever changed it.

An observer: it writes readings and changes nothing. What differs from the record sets is for the pages to show.
"""

from datetime import datetime, timedelta

from allauth.idp.oidc.models import Token
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import readings
from postroom.changes.readings import ZoneRead
from postroom.models import (
    Counted,
    Domain,
    LastHit,
    LookedAt,
    Mailed,
    Posture,
    ProbeLanding,
    Reading,
    Report,
    SieveScript,
    SignIn,
    SignInPlace,
)
from postroom.models.mailed import DELAYED, HANDED, QUEUED

from .cadence import at_once, side_by_side
from .zones import read

AT_ONCE = 10
FRESH, WITHIN = timedelta(seconds=30), timedelta(seconds=210)
KEPT, NEWEST = timedelta(days=7), timedelta(hours=1)
OF_THE_MOMENT = ("digest", "objects", "sessions")  # what a node has now: only the newest is ever asked for
SIGN_INS = timedelta(days=90)
LOOKED, HITS = timedelta(hours=2), timedelta(days=365)


def forget() -> int:
    """Observations of nodes older than a week are let go; sign-ins of mailboxes, what became of letters and where
    probes arrived after 90 days; when mail last left by a way after a year; counts and mail apps' codes past their
    time, and filters of mailboxes and postures of domains that are removed. What was read back for a change stays with
    it."""
    with acting_as(SYSTEM):
        LookedAt.objects.filter(hour__lt=timezone.now() - LOOKED).delete()
        Token.objects.expired().filter(expires_at__lt=timezone.now() - LOOKED).delete()
        Counted.objects.filter(expires__lt=timezone.now()).delete()
        Report.objects.filter(at__lt=timezone.now() - NEWEST, sort__in=OF_THE_MOMENT).delete()
        _forget_sign_ins(timezone.now() - SIGN_INS)
        _forget_letters(timezone.now() - SIGN_INS)
        LastHit.objects.filter(at__lt=timezone.now() - HITS).delete()
        ProbeLanding.objects.filter(at__lt=timezone.now() - SIGN_INS).delete()
        Posture.objects.filter(domain__removed_at__lt=timezone.now() - KEPT).delete()
        SieveScript.objects.filter(mailbox__removed_at__lt=timezone.now() - KEPT).delete()
        return Report.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]


def _forget_sign_ins(before: datetime) -> None:
    """The place where a mailbox was seen last stays, however long ago: by it the next one is no first."""
    SignIn.objects.filter(at__lt=before).delete()
    later = SignInPlace.objects.filter(mailbox=OuterRef("mailbox"), last__gt=OuterRef("last"))
    SignInPlace.objects.filter(Exists(later), last__lt=before).delete()


def _forget_letters(before: datetime) -> None:
    """The newest to an address of which something is known stays, however long ago: by it the next one is no first."""
    known = Mailed.objects.exclude(state__in=("", HANDED, QUEUED, DELAYED))
    later = known.filter(contact=OuterRef("contact"), id__gt=OuterRef("id"))
    Mailed.objects.filter(Exists(later) | Q(state__in=("", HANDED)), at__lt=before).delete()


def look_around() -> int:
    """Read the zones that were not read for the longest time; how many."""
    newest = Reading.objects.filter(zone=OuterRef("name"), name="", type="").values("at")[:1]
    with acting_as(SYSTEM):
        domains = Domain.objects.filter(removed_at=None).exclude(hosting="provider").annotate(read=Subquery(newest))
        many = at_once(domains.count(), least=AT_ONCE, within=WITHIN)
        longest = domains.order_by(F("read").asc(nulls_first=True))[:many]
        due = [d for d in longest if d.read is None or d.read < timezone.now() - FRESH]
    for domain, (found, began) in zip(due, side_by_side(_read, due), strict=True):
        readings.keep(found, domain.client_id, began=began)
    return len(due)


def _read(domain: Domain) -> tuple[ZoneRead, datetime]:
    """What stands there, and when it was begun: a publication that is read back meanwhile knows better."""
    began = timezone.now()
    return read(domain.name, domain.hosting), began
