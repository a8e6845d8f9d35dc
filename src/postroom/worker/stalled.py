"""Jobs of a worker that died go back on the queue; each is safe to run again.

A worker is dead when its sign of life stays the same over several looks. What the time of day says of it is not asked:
after a machine was asleep, or its clock was set, every worker would look dead, and what each has in hand be begun a
second time beside the first. Who looks sleeps with the machine too, and looks no oftener for it afterwards.
"""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from postroom.access.acting import SYSTEM, acting_as

ALIVE_EVERY = 5  # seconds: signs of life of a worker, and looks at them
LOOKS = 4  # with the same sign of life, after the first: whoever gives none in 20 seconds is dead
Sign = tuple[int, int | None, datetime | None]  # how often it was begun, by which worker, and that one's sign of life


@dataclass
class Stalled:
    """Which jobs are in hand, with whose sign of life, and for how many looks it has been the same."""

    seen: dict[int, tuple[Sign, int]] = field(default_factory=dict)

    def look(self) -> None:
        with acting_as(SYSTEM):
            in_hand = ProcrastinateJob.objects.filter(status="doing")
            signs = in_hand.values_list("pk", "attempts", "worker_id", "worker__last_heartbeat")
            self.seen = {job: self._counted(job, (n, worker, beat)) for job, n, worker, beat in signs}
            for job in [job for job, (_, looks) in self.seen.items() if looks >= LOOKS]:
                _again(job, self.seen.pop(job)[0])

    def _counted(self, job: int, sign: Sign) -> tuple[Sign, int]:
        was, looks = self.seen.get(job, (None, 0))
        return (sign, looks + 1 if was == sign else 0)


def _again(job: int, sign: Sign) -> None:
    """Unless another worker that looked was quicker, or its own has finished it."""
    still = ProcrastinateJob.objects.select_for_update(skip_locked=True).filter(pk=job, status="doing")
    if still.filter(attempts=sign[0]).first():
        app.job_manager.retry_job_by_id(job, retry_at=timezone.now())
