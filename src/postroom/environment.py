"""Every setting there is: its name, default, type and reason. Read from the environment, all problems at once.

Not Django's settings module: that one (`settings.py`) only turns these into Django's names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

PREFIX = "POSTROOM_"
HERE = ("http", "localhost")  # the one origin without TLS that browsers trust


class Misconfigured(Exception):
    """What in the environment cannot be, all of it; nothing was started."""


@dataclass(frozen=True)
class Setting:
    name: str
    default: Any
    read: Callable[[str], Any]
    reason: str


def _flag(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false", "1", "0"):
        raise ValueError("say yes or no")
    return text.lower() in ("yes", "true", "1")


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ValueError("say a whole number above 0")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError("say a port, 1 to 65535")
    return int(text)


def _server(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError("say HOST:PORT")
    return host.strip("[]"), int(port)


def _servers(text: str) -> dict[str, tuple[str, int]]:
    """`ns1.postroom.example=127.1.2.3:5300,ns2…`: names whose address or port is not what DNS would say."""
    pairs = [one.partition("=") for one in text.split(",") if one.strip()]
    return {name.strip().rstrip(".").lower(): _server(where.strip()) for name, _, where in pairs}


def _names(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """`10.1.0.0/16,2001:db8::1`: an address is a network of one."""
    return tuple(ip_network(one) for one in _names(text))


SETTINGS = (
    Setting("STATE", Path("/var/lib/postroom"), Path, "where this installation keeps what it must not lose"),
    Setting("DATABASE_URL", "postgresql:///postroom?user=postroom_app", str, "the one store of state; its role decides "
            "what a process may do (sql/roles.sql)"),
    Setting("SECRET_KEY_FILE", None, Path, "the key that signs sessions and sign-in links and encrypts seeds of second "
            "factors; without a file, no pages"),
    Setting("TOKEN_KEYS_FILE", None, Path, "the keys that tokens of mail apps are signed by, the newest first; "
            "without a file, apps sign in with passwords alone"),
    Setting("ORIGIN", "http://localhost:8480", str, "every mailed link starts with it, whatever Host a request names"),
    Setting("PROXIES", (), _networks, "proxies of yours before the pages, by network: what they say in X-Forwarded-For "
            "is who asks; without them, it is whoever connects"),
    Setting("DEMO", False, _flag, "a demo installation says so on every page and hands out personal sessions"),
    Setting("SESSION_HOURS", 24, _count, "how long a sign-in at the pages lasts at most; AAL2 allows a day"),
    Setting("SESSION_IDLE_MINUTES", 60, _count, "after how long without a click an operator signs in again"),
    Setting("API_REQUESTS", 600, _count, "how many a minute the API answers a session; more get 429 and Retry-After"),
    Setting("OIDC_ISSUER", "", str, "the provider of staff's single sign-on, as it calls itself; empty: none"),
    Setting("OIDC_CLIENT_ID", "", str, "what the provider knows this installation as"),
    Setting("OIDC_SECRET_FILE", None, Path, "the secret that goes with it"),
    Setting("OIDC_LABEL", "single sign-on", str, "what people call it; stands on the button"),
    Setting("OIDC_SECOND_FACTORS", (), _names, "amr or acr values that count as a second factor; none: ours is asked"),
    Setting("MAIL_HOST", "mx.postroom.example", str, "the name clients' MX records point to"),
    Setting("IMAPS_PORT", 993, _port, "of the mail host, where mail apps read mail; TLS from the first byte"),
    Setting("SUBMISSIONS_PORT", 465, _port, "of the mail host, where they hand it in; TLS from the first byte"),
    Setting("NAME_SERVERS", ("ns1.postroom.example", "ns2.postroom.example"), _names, "ours, as registrars know them"),
    Setting("SPF_INCLUDE", "", str, "what clients' SPF records include; empty: they name the mail host by `mx`"),
    Setting("REPORTS_TO", "dmarc@postroom.example", str, "where receivers send DMARC aggregate reports"),
    Setting("NOTICES_FROM", "postroom@postroom.example", str, "who our own mail says it is from"),
    Setting("SUBMISSION", None, _server, "where our own mail is handed in; without it, mail waits and says why"),
    Setting("SUBMISSION_KEY_FILE", None, Path, "the password of our own sender there"),
    Setting("SUBMISSION_CA_FILE", None, Path, "the certificate our own submission is known by"),
    Setting("PDNS_API", None, _server, "the HTTP interface of our own PowerDNS"),
    Setting("PDNS_KEY_FILE", None, Path, "its key"),
    Setting("DNS_ROOT", None, _server, "where look-ups of name servers start; without it, the machine's resolver"),
    Setting("DNS_SERVERS", {}, _servers, "name servers whose address or port is not what DNS says"),
    Setting("RESOLVER", None, _server, "the validating resolver that domains are looked at through, on this machine; "
            "without one, their DNS is not judged"),
    Setting("LOCAL_NODE", "", str, "the mail node on this machine: it joins when the organization is founded"),
    Setting("LOCAL_NODE_KEY_FILE", None, Path, "its public key, which DKIM keys are sealed to"),
    Setting("MAILBOX_AUTH", None, Path, "the mail node's socket where the pages ask whether a mailbox's password is "
            "right; without it, no owner signs in to /mailbox/"),
    Setting("NODE_CHECK", {}, _servers, "where the smtp and imap greetings are asked, once a minute"),
)  # fmt: skip


@dataclass(frozen=True)
class Environment:
    values: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name.upper()]
        except KeyError:
            raise AttributeError(name) from None


def read(environ: Mapping[str, str]) -> Environment:
    """All settings, or Misconfigured with everything that is wrong."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for one in SETTINGS:
        text = environ.get(PREFIX + one.name, "")
        try:
            values[one.name] = one.read(text) if text else one.default
        except ValueError as error:
            wrong.append(f"{PREFIX}{one.name}={text!r}: {error} ({one.reason})")
    wrong += [] if wrong else list(_contradictions(values))
    if wrong:
        raise Misconfigured("\n".join(wrong))
    return Environment(values)


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    wrong = []
    origin = _parts(values["ORIGIN"])
    if (origin.scheme, bool(origin.hostname)) != ("https", True) and (origin.scheme, origin.hostname) != HERE:
        wrong.append("POSTROOM_ORIGIN must be https, or http on localhost: passkeys and cookies work nowhere else")
    for needs, what in (("SUBMISSION", "SUBMISSION_KEY_FILE"), ("PDNS_API", "PDNS_KEY_FILE")):
        if values[needs] and not values[what]:
            wrong.append(f"POSTROOM_{needs} needs POSTROOM_{what}")
    wrong += _sso(values)
    if values["RESOLVER"] and not _loopback(values["RESOLVER"][0]):
        wrong.append("POSTROOM_RESOLVER must be an address on loopback: its word that DNSSEC holds crosses no network")
    if values["SESSION_HOURS"] > 24:
        wrong.append("POSTROOM_SESSION_HOURS is 24 at most: no sign-in lasts longer (NIST SP 800-63B-4, 2.2.3)")
    if values["SESSION_IDLE_MINUTES"] > values["SESSION_HOURS"] * 60:
        wrong.append("POSTROOM_SESSION_IDLE_MINUTES is longer than POSTROOM_SESSION_HOURS: it would never come to that")
    return wrong


def _loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _parts(url: str) -> SplitResult:
    """Of an address that cannot be taken apart: no parts."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _sso(values: Mapping[str, Any]) -> list[str]:
    issuer = _parts(values["OIDC_ISSUER"])
    if not values["OIDC_ISSUER"]:
        along = [name for name in ("OIDC_CLIENT_ID", "OIDC_SECRET_FILE", "OIDC_SECOND_FACTORS") if values[name]]
        return [f"POSTROOM_{name} needs POSTROOM_OIDC_ISSUER" for name in along]
    wrong = [
        f"POSTROOM_OIDC_ISSUER needs POSTROOM_{n}" for n in ("OIDC_CLIENT_ID", "OIDC_SECRET_FILE") if not values[n]
    ]
    here = issuer.scheme == "http" and issuer.hostname in ("localhost", "127.0.0.1", "::1")
    if not (issuer.hostname and (issuer.scheme == "https" or here)) or issuer.query or issuer.fragment:
        wrong.append("POSTROOM_OIDC_ISSUER must be https, without ? and #, or http on this machine itself")
    return wrong
