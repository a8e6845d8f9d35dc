"""What runs on one machine: THE list, in the order of the start. PostgreSQL comes before all of it (`up.py`).

pdns        the name server of the zones we host
parent      stand-in for the registries above them (.example, .test)
resolver    unbound, which domains are looked at through
registrar   delegates each hosted zone to us, as a client would
node        the mail node: agent, count of sign-ins, milter, postsrsd, Dovecot, Postfix
web         the pages and the API
worker      deliveries, the clock, mail of our own
"""

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from postroom.dns import powerdns
from postroom.dns.parent import ZONES
from postroom.dns.powerdns import PowerDns
from postroom.engines import layout, own_keys
from postroom.resolve import unbound
from postroom.resolve.unbound import Stub, Unbound

from . import answers, apparmor, claim, files
from .installation import Installation
from .ports import NUMBERS
from .service import Service
from .up import cluster_of

NODE = "mx1"
DNS = 53  # where whoever follows a delegation asks
LEAVE_THE_SESSION = ("postfix/spool/pid/master.pid", "dovecot/run/master.pid", "run/milter.pid",
                     "run/auth_policy.pid", "run/agent.pid", "run/srs.pid")  # fmt: skip
NAME_SERVERS = ("ns1.postroom.example", "ns2.postroom.example")


def services(installation: Installation) -> Sequence[Service]:
    return (
        pdns(installation),
        parent(installation),
        resolver(installation),
        registrar(installation),
        node(installation),
        sequencer(installation),
        signer(installation),
        web(installation),
        worker(installation),
    )


TAKEN_ALONG = (
    "PROXIES", "SESSION_HOURS", "SESSION_IDLE_MINUTES", "API_REQUESTS", "OIDC_ISSUER", "OIDC_CLIENT_ID",
    "OIDC_SECRET_FILE", "OIDC_LABEL", "OIDC_SECOND_FACTORS", "IMAPS_PORT", "SUBMISSIONS_PORT",
)  # fmt: skip
"""What the environment of `up` may say; all else follows from the installation."""


def environment(installation: Installation, role: str = "postroom_app") -> dict[str, str]:
    """The settings (`postroom.environment`) that make a program part of this installation, under this database role."""
    keys, at = installation.keys, installation.at
    return {
        "POSTROOM_STATE": str(installation.state),
        "POSTROOM_DATABASE_URL": cluster_of(installation).dsn(role, "postroom"),
        "POSTROOM_SECRET_KEY_FILE": str(keys / "django"),
        "POSTROOM_TOKEN_KEYS_FILE": str(keys / "tokens"),
        "POSTROOM_ORIGIN": installation.origin,
        "POSTROOM_DEMO": "yes" if installation.demo else "no",
        "POSTROOM_IMAPS_PORT": str(NUMBERS["imaps"]),
        "POSTROOM_SUBMISSIONS_PORT": str(NUMBERS["submissions"]),
        "POSTROOM_SUBMISSION": at("submission"),
        "POSTROOM_SUBMISSION_KEY_FILE": str(keys / "submission"),
        "POSTROOM_SUBMISSION_CA_FILE": str(installation.node / "tls/cert.pem"),
        "POSTROOM_PDNS_API": at("pdns_api"),
        "POSTROOM_PDNS_KEY_FILE": str(keys / "pdns-api"),
        "POSTROOM_DNS_ROOT": at("parent_dns"),
        "POSTROOM_DNS_SERVERS": ",".join(f"{name}={at('dns')}" for name in NAME_SERVERS),
        "POSTROOM_RESOLVER": installation.at("resolver"),
        "POSTROOM_LOCAL_NODE": NODE,
        "POSTROOM_LOCAL_NODE_KEY_FILE": str(keys / "node-public"),
        "POSTROOM_MAILBOX_AUTH": str(installation.node / "run/web/auth-web"),
        "POSTROOM_NODE_CHECK": f"smtp={at('smtp')},imap={at('imap')}",
        "DJANGO_SETTINGS_MODULE": "postroom.settings",
    } | {name: os.environ[name] for name in map("POSTROOM_{}".format, TAKEN_ALONG) if os.environ.get(name)}


def python(installation: Installation) -> str:
    """The installation's interpreter; in tests without an environment of its own, the one that runs now."""
    own = installation.venv / "bin/python"
    return str(own) if own.exists() else sys.executable


def migrate(installation: Installation) -> Service:
    command = (python(installation), "-m", "django", "migrate", "--no-input", "--verbosity", "1")
    return Service("migrate", command, env=environment(installation, "postroom_owner"))


def pdns(installation: Installation) -> Service:
    key = (installation.keys / "pdns-api").read_text()
    also = DNS if claim.free(installation.address, DNS, udp=True) else 0
    instance = PowerDns(installation.state / "pdns", installation.address, key, NAME_SERVERS,
                        NUMBERS["dns"], NUMBERS["pdns_api"], also=also)  # fmt: skip
    answering = partial(_all, (_tcp(installation, "dns"), _tcp(installation, "pdns_api")))
    return Service(
        "pdns", tuple(powerdns.command(instance)), before=partial(powerdns.prepare, instance), ready=answering
    )


def parent(installation: Installation) -> Service:
    command = _module(installation, "postroom.dns.parent", "--folder", str(installation.state / "parent"),
                      "--listen", installation.at("parent_dns"), "--own-address", installation.address)  # fmt: skip
    return Service("parent", command, user="postroom", ready=_tcp(installation, "parent_dns"))


def resolver(installation: Installation) -> Service:
    """All names start at the stand-in parent, as for whoever reads proofs: nothing is asked outside this machine."""
    top = (installation.address, NUMBERS["parent_dns"])
    stubs = tuple(Stub(zone, (top,)) for zone in (".", *(name.rstrip(".") for name in ZONES)))
    instance = Unbound(installation.state / "resolver", installation.address, NUMBERS["resolver"], stubs)
    answering = partial(_all, (_tcp(installation, "resolver"),))
    return Service("resolver", tuple(unbound.command(instance)), before=partial(_resolver, instance), ready=answering)


def _resolver(instance: Unbound) -> None:
    unbound.prepare(instance)
    apparmor.allow("usr.sbin.unbound", instance.profile_line)


def registrar(installation: Installation) -> Service:
    command = _module(installation, "postroom.dns.registrar", "--folder", str(installation.state / "parent"),
                      "--api", f"http://{installation.at('pdns_api')}",
                      "--key-file", str(installation.keys / "pdns-api"))  # fmt: skip
    return Service("registrar", command, user="postroom")


def node(installation: Installation) -> Service:
    folder, settings = installation.node, installation.state / "node.json"
    return Service(
        "node",
        _module(installation, "postroom.engines.node", "--config", str(settings)),
        before=partial(_save_node, installation, settings),
        ready=partial(_all, (_tcp(installation, "smtp", b"220 "), _tcp(installation, "imap", b"* OK"))),
        ready_within=60,
        stop_within=20,
        daemons=tuple(folder / path for path in LEAVE_THE_SESSION),
        outlived=True,  # mail goes on while its agent is away
    )


def _save_node(installation: Installation, settings: Path) -> None:
    postfix, dovecot = layout.versions()
    config = layout.NodeConfig(
        NODE,
        installation.node,
        installation.address,
        sink=installation.sink,  # nothing leaves a machine whose addresses are loopback ones
        system_password=installation.keys / "submission",
        postfix_version=postfix,
        dovecot_version=dovecot,
    )
    files.write(installation.keys / "node-public", own_keys.public_key(config).encode(), mode=0o644)
    layout.save(config, cluster_of(installation).dsn(f"postroom_node_{NODE}", "postroom"), settings)


def sequencer(installation: Installation) -> Service:
    dsn = cluster_of(installation).dsn("postroom_system", "postroom")
    return Service("record", _module(installation, "postroom.record.sequencer", "--dsn", dsn), user="postroom-record")


def signer(installation: Installation) -> Service:
    command = _module(installation, "postroom.record.signer", "--dsn",
                      cluster_of(installation).dsn("postroom_signer", "postroom"), "--folder", str(installation.signer),
                      "--origin", installation.log_name)  # fmt: skip
    return Service("signer", command, user="postroom-signer")


def web(installation: Installation) -> Service:
    hosts = claim.localhosts()
    port = installation.web_port
    binds = [f"--bind={f'[{host}]' if ':' in host else host}:{port}" for host in hosts]
    # No access log: the links in it would open mailboxes.
    options = ("--workers=2", "--threads=4", "--timeout=60", "--graceful-timeout=5", "--worker-tmp-dir=/dev/shm",
               "--no-control-socket")  # fmt: skip
    command = (str(installation.venv / "bin/gunicorn"), "postroom.web.wsgi:application", *binds, *options)
    answering = [partial(answers.http_get, host, port) for host in hosts]
    return Service("web", command, user="postroom", env=environment(installation), ready=partial(_all, answering))


def worker(installation: Installation) -> Service:
    command = (str(installation.program), "worker")
    # Longer than the worker itself waits for the job in hand (worker/run.py).
    return Service("worker", command, user="postroom", env=environment(installation), stop_within=20)


def _module(installation: Installation, name: str, *options: str) -> tuple[str, ...]:
    return (python(installation), "-m", name, *options)


def _tcp(installation: Installation, port: str, greeting: bytes = b"") -> "partial[bool]":
    return partial(answers.tcp, installation.address, NUMBERS[port], greeting=greeting)


def _all(questions: "Sequence[partial[bool]]") -> bool:
    return all(question() for question in questions)


def prepare(installation: Installation) -> None:
    """Folders that services which are not root keep their files in."""
    files.folder(installation.state / "parent", owner="postroom", mode=0o750)
    files.folder(installation.signer, owner="postroom-signer")
    for folder in (installation.sink, *(installation.sink / part for part in ("cur", "new", "tmp"))):
        files.folder(folder, owner="postroom-mail")
