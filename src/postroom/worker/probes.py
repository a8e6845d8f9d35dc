"""A probe, as it is sent: where it is computed to end, its words, and that our own submission refused it."""

from email.message import EmailMessage
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import Outcome
from postroom.changes.kinds.probes import HOUR, MOST, OF_A_CLIENT
from postroom.changes.routes import Facts, read
from postroom.changes.rules import Rules
from postroom.models import Organization, Probe, ProbeLanding
from postroom.models.probes import REFUSED, STILL_TO_BE_SENT
from postroom.protocols.delivery_status import STATUS, line
from postroom.protocols.extensions import parts
from postroom.protocols.routing import trace

SUBJECT = "A probe: where does this mail arrive?"
TEXT = """Hello,

this message was sent by Postroom at {organization}, to

  {address}

to see where mail for that address arrives. There is nothing to do, and nothing in it: you may delete it.

If you wonder why it came to you, ask {organization}.
"""
SAID = 300


def message_id(token: str) -> str:
    """By which the nodes know it again, however often it is passed on (engines/probe_log.py)."""
    return f"<probe.{token}@{settings.POSTROOM.notices_from.rpartition('@')[2]}>"


def computed(probe: Probe) -> EmailMessage | Outcome:
    """Keep where it should end, as it stands now; its words. Outcome: why it is not sent."""
    with acting_as(SYSTEM):
        before = Probe.objects.filter(client=probe.client_id, made__gt=probe.made - HOUR, pk__lt=probe.pk)
        if before.filter(address=probe.address).count() >= MOST or before.count() >= OF_A_CLIENT:
            return Outcome(evidence=[{"question": STILL_TO_BE_SENT, "answer": "no: too many within the hour"}])
        ProbeLanding.objects.filter(probe=probe.pk).delete()  # a try before this one came to nothing
        ProbeLanding.objects.bulk_create(_landings(probe))
        organization = Organization.objects.get().name
    letter = EmailMessage()
    letter["Subject"] = SUBJECT
    letter.set_content(TEXT.format(organization=organization, address=probe.address))
    return letter


def _landings(probe: Probe) -> list[ProbeLanding]:
    facts, now = _of_the_client(read([probe.address]), probe.client_id), timezone.now()
    found = trace(probe.address, Rules(facts, now), at=now).landings
    rows: dict[tuple[str, str], ProbeLanding] = {}
    for one in sorted(found, key=lambda one: one.sometimes):
        row = _row(probe, one.sort, one.address, facts)
        row.predicted, row.sometimes, row.why = True, one.sometimes, one.why
        rows.setdefault((one.sort, one.address), row)
    return list(rows.values())


def _of_the_client(facts: Facts, client: UUID) -> Facts:
    """What is another client's is outside, as the nodes' rules for it are nobody's to see here."""
    ours = (None, str(client))
    return {table: {id: row for id, row in rows.items() if row.get("client_id") in ours}
            for table, rows in facts.items()}  # fmt: skip


def _row(probe: Probe, sort: str, address: str, facts: Facts) -> ProbeLanding:
    names = {row["name"]: id for id, row in facts.get("domains", {}).items() if not row["removed_at"]}
    of = names.get(parts(address)[2].removeprefix("@"))
    return ProbeLanding(
        at=timezone.now(), client_id=probe.client_id, domain_id=probe.domain_id, probe_id=probe.pk,
        of=UUID(of) if of else None, sort=sort, address=address,
    )  # fmt: skip


def answered(probe: Probe, outcome: Outcome) -> Outcome:
    """A refusal is an answer too, and the last one: where mail is refused is where it ends."""
    if not outcome.refused:
        return outcome
    found, now = STATUS.search(outcome.refused), timezone.now()
    said = {"seen_at": now, "status": found[0] if found else "", "said": line(outcome.refused)[:SAID]}
    at = {"at": now, "client_id": probe.client_id, "domain_id": probe.domain_id, "of": probe.domain_id}
    with acting_as(SYSTEM):
        ProbeLanding.objects.update_or_create(
            probe_id=probe.pk, sort=REFUSED, address=probe.address, defaults=said, create_defaults={**at, **said}
        )
    return Outcome(evidence=[{"question": f"a probe to {probe.address}", "answer": outcome.refused}])
