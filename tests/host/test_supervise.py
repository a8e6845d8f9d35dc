"""The supervisor by itself: what it says when something does not start, and what a service gets."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from postroom.host import pid_files, processes
from postroom.host.service import Service
from postroom.host.supervise import ServiceFailed, Supervisor

pytestmark = pytest.mark.server

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="changes to another user")


def python(name: str, code: str, **more: object) -> Service:
    return Service(name, (sys.executable, "-c", code), **more)  # type: ignore[arg-type]


def test_a_service_that_ends_at_once_is_told_with_the_end_of_its_log(state: Path) -> None:
    with Supervisor(state).listening() as supervisor, pytest.raises(ServiceFailed, match="no such table"):
        supervisor.start([python("broken", "raise SystemExit('no such table')", ready=lambda: False)])


def test_a_service_that_does_not_answer_is_told_and_ended(state: Path) -> None:
    with Supervisor(state).listening() as supervisor:
        with pytest.raises(ServiceFailed, match=r"silent does not answer within 0\.2 s"):
            supervisor.start([Service("silent", SLEEP, ready=lambda: False, ready_within=0.2)])
        one = supervisor.running[0].process
    assert one.poll() is not None
    assert list(pid_files.read_all(state / "run")) == []


def test_a_program_that_is_not_there_is_named(state: Path) -> None:
    with (
        Supervisor(state).listening() as supervisor,
        pytest.raises(ServiceFailed, match=r"gone cannot be started.*/no/such"),
    ):
        supervisor.start([Service("gone", ("/no/such/program",))])


def test_a_job_runs_to_its_end_while_the_services_are_watched(state: Path) -> None:
    said: list[str] = []
    with Supervisor(state, said.append).listening() as supervisor:
        supervisor.start([Service("one", SLEEP)])
        supervisor.running[0].process.kill()
        supervisor.once(python("job", "import time; time.sleep(1.2); print('done')"))
        assert supervisor.running[0].process.poll() is None
        assert (state / "log/job.log").read_text() == "done\n"
        with pytest.raises(ServiceFailed, match="bad job failed with 3"):
            supervisor.once(python("bad job", "raise SystemExit(3)"))
    assert said == ["one ended with -9; starting it again in 0.5 s"]


def test_a_job_beside_goes_on_with_the_services_and_is_not_started_again(state: Path) -> None:
    said: list[str] = []
    with Supervisor(state, said.append).listening() as supervisor:
        supervisor.start([Service("one", SLEEP)])
        supervisor.beside(python("aside", "import time; time.sleep(0.3)"))
        assert len(supervisor.running) == 2
        supervisor.once(python("job", "import time; time.sleep(1)"))
        assert [one.service.name for one in supervisor.running] == ["one"] and said == []


def test_what_cannot_be_started_again_is_tried_later_and_stops_nothing_else(state: Path) -> None:
    said: list[str] = []
    starts = iter([None, OSError("disk full"), None])

    def before() -> None:
        if failing := next(starts):
            raise failing

    with Supervisor(state, said.append).listening() as supervisor:
        supervisor.start([Service("one", SLEEP, before=before), Service("two", SLEEP)])
        other = supervisor.running[1].process.pid
        supervisor.running[0].process.kill()
        supervisor.once(python("meanwhile", "import time; time.sleep(2.5)"))
        assert supervisor.running[0].process.poll() is None
        assert supervisor.running[1].process.pid == other
    assert [line.partition(";")[0] for line in said] == [
        "one ended with -9",
        "one did not start: one cannot be started: disk full",
    ]


def test_a_service_that_ignores_the_request_is_killed(state: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    log = state / "log/deaf.log"
    begun = time.monotonic()
    with Supervisor(state).listening() as supervisor:
        supervisor.start(
            [python("deaf", deaf, stop_within=0.3, ready=lambda: log.exists() and "deaf" in log.read_text())]
        )
        one = supervisor.running[0].process
    assert one.returncode == -9
    assert time.monotonic() - begun < 10


def test_what_a_dead_service_started_is_ended_even_if_it_does_not_know_us(state: Path) -> None:
    code = f"import subprocess; print(subprocess.Popen({list(SLEEP)!r}, env={{}}).pid)"
    with Supervisor(state).listening() as supervisor, pytest.raises(ServiceFailed):
        supervisor.start([python("parent", code, ready=lambda: False)])
    child = processes.read(int((state / "log/parent.log").read_text()))
    assert child is None or not child.alive


def test_the_callers_environment_does_not_reach_a_service(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("LC_ALL", "xx_YY")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    with Supervisor(state).listening() as supervisor:
        supervisor.once(python("job", "import json, os; print(json.dumps(dict(os.environ)))", env={"OWN": "1"}))
    got = json.loads((state / "log/job.log").read_text())
    assert got["POSTROOM_STATE"] == str(state)
    assert (got["OWN"], got["LC_ALL"], got["https_proxy"]) == ("1", "C.UTF-8", "http://proxy.example:3128")
    assert "PYTHONPATH" not in got


@AS_ROOT
def test_a_service_runs_as_its_user_with_that_users_groups(state: Path) -> None:
    with Supervisor(state).listening() as supervisor:
        supervisor.once(Service("job", ("/usr/bin/id", "--name", "--groups"), user="postroom-agent", umask=0o027))
    groups = (state / "log/job.log").read_text().split()
    assert groups[0] == "postroom-agent"
    assert {"postroom-maps", "postroom-secrets", "postroom-keys"} <= set(groups)
    assert "root" not in groups
