"""The world around an installation: its API, its mail, its DNS, spoken from outside with nothing of Postroom's own."""

import base64
import contextlib
import email
import email.policy
import html.parser
import http.client
import http.cookiejar
import imaplib
import json
import re
import smtplib
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import dkim
import dns.message
import dns.query
import dns.rdatatype

NO_CHECK = ssl.create_default_context()
NO_CHECK.check_hostname, NO_CHECK.verify_mode = False, ssl.CERT_NONE  # demo certificates are made on the spot


def until(what: str, done: Callable[[], Any], *, within: float = 60, every: float = 0.2) -> Any:
    """Ask until the answer is something; how long is bounded, and what was waited for is said."""
    end, last = time.monotonic() + within, None
    while time.monotonic() < end:
        if last := done():
            return last
        time.sleep(every)
    raise AssertionError(f"waited {within} s in vain until {what}; last: {last!r}")


class Stack:
    """A running installation, known by its state folder alone. up: what started it, where a test may stop it."""

    def __init__(self, state: Path, up: Any = None) -> None:
        self.state, self.up = state, up
        self.look_again()
        self.program = state / "venv/bin/postroom"
        self.opened: list[imaplib.IMAP4_SSL] = []
        self.read: dict[Path, EmailMessage] = {}  # what of the sink was read already

    def look_again(self) -> None:
        """Where it answers: pages may be at another port after another start."""
        self.at: dict[str, Any] = json.loads((self.state / "endpoints.json").read_text())

    def run(self, *words: str, token: str = "", ok: bool | None = True) -> str:
        """The program, as somebody types it. ok: whether it has to end well; None: it may do either."""
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "POSTROOM_STATE": str(self.state), "LC_ALL": "C.UTF-8"}
        if token:
            environ["POSTROOM_TOKEN"] = token
        done = subprocess.run([self.program, *words], env=environ, capture_output=True, text=True, timeout=60)
        assert ok is None or (done.returncode == 0) == ok, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr if ok is False else done.stdout

    def person(self, name: str) -> "Person":
        told = json.loads(self.run("token", "create", "--as", name, "--json"))
        return Person(self, told["token"])

    def host_port(self, name: str) -> tuple[str, int]:
        host, _, port = self.at[name].rpartition(":")
        return host, int(port)

    # --- mail ---------------------------------------------------------------------------------------------

    def imap(self, address: str, password: str) -> imaplib.IMAP4_SSL:
        box = imaplib.IMAP4_SSL(*self.host_port("imaps"), ssl_context=NO_CHECK, timeout=20)
        try:
            box.login(address, password)
        except BaseException:
            box.shutdown()
            raise
        self.opened.append(box)
        return box

    def leave(self) -> None:
        """Close what a story left open."""
        for box in self.opened:
            with contextlib.suppress(OSError):
                box.shutdown()
        self.opened.clear()

    def may_sign_in(self, address: str, password: str) -> bool:
        try:
            self.imap(address, password).logout()
        except imaplib.IMAP4.error:
            return False
        return True

    def submit(self, address: str, password: str, to: str, subject: str, sender: str = "") -> None:
        with smtplib.SMTP(*self.host_port("submission"), timeout=20) as smtp:
            smtp.starttls(context=NO_CHECK)
            smtp.login(address, password)
            smtp.send_message(letter(sender or address, to, subject), sender or address, [to])

    def from_outside(self, to: str, subject: str, sender: str = "somebody@elsewhere.test") -> None:
        with smtplib.SMTP(*self.host_port("smtp"), timeout=20) as smtp:
            smtp.send_message(letter(sender, to, subject), sender, [to])

    def upload(self, address: str, password: str, script: str, name: str = "main") -> None:
        """A filter, put there and set active by ManageSieve (RFC 5804), as a mail program does."""
        put = f'PUTSCRIPT "{name}" {{{len(script.encode())}+}}\r\n{script}'
        self._managesieve(address, password, put, f'SETACTIVE "{name}"')

    def filter(self, address: str, password: str, name: str = "main") -> bytes:
        """What stands in a filter, byte for byte, and that it is the active one."""
        (text, listed) = self._managesieve(address, password, f'GETSCRIPT "{name}"', "LISTSCRIPTS")
        assert f'"{name}" ACTIVE'.encode() in listed, listed
        sized = re.search(rb"\{(\d+)\}\r\n", text)
        assert sized, text
        return text[sized.end() : sized.end() + int(sized[1])]

    def _managesieve(self, address: str, password: str, *commands: str) -> list[bytes]:
        """What is answered to each of these, by somebody who is signed in."""
        plain = base64.b64encode(f"\0{address}\0{password}".encode()).decode()
        with socket.create_connection(self.host_port("managesieve"), 20) as bare:
            _ok(bare)
            bare.sendall(b"STARTTLS\r\n")
            _ok(bare)
            with NO_CHECK.wrap_socket(bare) as line:
                _ok(line)
                answers = []
                for command in (f'AUTHENTICATE "PLAIN" "{plain}"', *commands):
                    line.sendall(command.encode() + b"\r\n")
                    answers.append(_ok(line))
        return answers[1:]

    def rcpt(self, to: str) -> int:
        with smtplib.SMTP(*self.host_port("smtp"), timeout=20) as smtp:
            smtp.helo("probe.test")
            smtp.mail("")
            return smtp.rcpt(to)[0]

    def sink(self) -> list[EmailMessage]:
        """Every message that would have left, as they came: the names of those of one second say nothing of that."""
        found = [path for part in ("new", "cur") for path in (Path(self.at["sink"]) / part).iterdir()]
        for path in found:
            if path not in self.read:  # nobody writes in one that has arrived
                self.read[path] = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)  # type: ignore[assignment]
        return [self.read[path] for path in sorted(found, key=lambda path: path.stat().st_mtime_ns)]

    def mailed_link(self, to: str, at: str = "/invite/", *, within: float = 30) -> str:
        """The newest one-time link mailed to a contact, of those to this part of the pages."""

        def newest() -> str:
            links = self.links(to, at)
            return links[-1] if links else ""

        return until(f"a link to {at} was mailed to {to}", newest, within=within)

    def links(self, to: str, at: str = "/invite/") -> list[str]:
        return [link for one in self.sink() if to in str(one["To"]) for link in links_in(one, at)]

    # --- DNS ----------------------------------------------------------------------------------------------

    def dns(self, name: str, type: str) -> list[str]:
        """What our name server answers, TXT joined."""
        host, port = self.host_port("dns")
        answer = dns.query.udp(dns.message.make_query(name, type), host, port=port, timeout=5)
        wanted = dns.rdatatype.from_text(type)
        found = [r for rrset in answer.answer if rrset.rdtype == wanted for r in rrset]
        return sorted(b"".join(r.strings).decode() if type == "TXT" else r.to_text() for r in found)

    def delegated(self, name: str) -> list[str]:
        """The name servers that the stand-in parent names for a zone."""
        query = dns.message.make_query(name, "NS")
        answer = dns.query.udp(query, str(self.at["address"]), port=5301, timeout=5)
        return sorted(r.to_text() for rrset in answer.authority if rrset.rdtype == dns.rdatatype.NS for r in rrset)

    def signed(self, message: bytes) -> bool:
        """Whether it is signed, and every DKIM signature of it verifies against the key that is published for it."""

        def txt(name: bytes, timeout: int = 5) -> bytes:
            return "".join(self.dns(name.decode().rstrip("."), "TXT")[:1]).encode()

        count = len(email.message_from_bytes(message).get_all("DKIM-Signature", []))
        found = dkim.DKIM(message)
        return count > 0 and all(found.verify(n, dnsfunc=txt) for n in range(count))


def _ok(line: socket.socket) -> bytes:
    """One answer of a ManageSieve server, which must be OK."""
    answer = b""
    while not re.search(rb"(?m)^(OK|NO|BYE)(?:.*\{(\d+)\}\r\n(?s:.*))?.*\r\n\Z", answer):
        answer += line.recv(4096)
    assert re.search(rb"(?m)^OK", answer), answer
    return answer


def letter(sender: str, to: str, subject: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Date"] = email.utils.formatdate()
    made["Message-ID"] = email.utils.make_msgid(domain="story.test")
    made.set_content(f"{subject}\n")
    return made


def links_in(message: EmailMessage, at: str = "/invite/") -> list[str]:
    words = str(message.get_body(("plain",)).get_content()).split()  # type: ignore[union-attr]
    return [word for word in words if word.startswith("http://localhost:") and at in word]


def received(box: imaplib.IMAP4, subject: str) -> bytes:
    """The message with this subject, when it has arrived."""

    def look() -> bytes:
        box.select("INBOX")
        found = box.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
        return box.fetch(found[0], "(RFC822)")[1][0][1] if found else b""  # type: ignore[index]

    return until(f"{subject!r} arrived", look)


class Refused(Exception):
    """A problem document (RFC 9457)."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(f"{status} {document}")
        self.status, self.document = status, document


class Person:
    """Somebody at the API, with a session of their own."""

    def __init__(self, stack: Stack, token: str) -> None:
        self.stack, self.token = stack, token

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.stack.at["api"] + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(error.code, json.loads(error.read() or b"{}")) from None

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def change(self, kind: str, params: Any, why: str = "a story", **more: Any) -> Any:
        return self.ask("POST", "/changes", {"kind": kind, "params": params, "why": why, **more})

    def approve(self, change: dict[str, Any]) -> Any:
        seen = self.get(f"/changes/{change['id']}")
        return self.ask("POST", f"/changes/{change['id']}/approve", {"plan_hash": seen["plan_hash"]})

    def undo(self, change: dict[str, Any], why: str = "taken back in a story") -> Any:
        return self.ask("POST", f"/changes/{change['id']}/undo", {"why": why})

    def verified(self, change: dict[str, Any], *, within: float = 30) -> Any:
        """The change, when everything of it was read back."""

        def look() -> Any:
            now = self.get(f"/changes/{change['id']}")
            assert now["stage"] in ("applied", "verified", "scheduled"), now
            return now if now["stage"] == "verified" else None

        try:
            return until(f"{change['kind']} is verified", look, within=within)
        except AssertionError as late:
            raise AssertionError(f"{late}: {json.dumps(self.get('/changes/' + change['id']))[:3000]}") from None


class Forms(html.parser.HTMLParser):
    """The forms of a page: where they go, and their fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(
                {"action": given.get("action", ""), "method": given.get("method"), "fields": {}, "types": {}}
            )
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1]["fields"][given["name"]] = given.get("value", "")
            self.forms[-1]["types"][given["name"]] = given.get("type", "text")


class From(urllib.request.HTTPHandler):
    """Connections from this address of the machine."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source

    def http_open(self, request: urllib.request.Request) -> Any:
        def connection(host: str, **more: Any) -> http.client.HTTPConnection:
            return http.client.HTTPConnection(host, source_address=(self.source, 0), **more)

        return self.do_open(connection, request)  # type: ignore[arg-type]


class Browser:
    """A browser without script: cookies, redirects, plain forms. From an address of its own where one is named, since
    sign-ins are counted by where they come from."""

    def __init__(self, source: str = "") -> None:
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar, *([From(source)] if source else []))
        self.url, self.page, self.status = "", "", 0

    def open(self, url: str, data: dict[str, str] | None = None) -> str:
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        request = urllib.request.Request(url, body, {"Referer": self.url} if self.url else {})
        try:
            with self.opener.open(request, timeout=30) as answer:
                self.url, self.status, self.page = answer.url, answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            self.url, self.status, self.page = error.url, error.code, error.read().decode()
        return self.page

    def fill(self, **values: str) -> str:
        """Fill the page's first form that has a password in it and send it; other fields as they came."""
        form = next(f for f in Forms(self.page).forms if "password" in f["types"].values())
        typed = {n: values.get("password", "") for n, kind in form["types"].items() if kind == "password"}
        return self.open(urllib.parse.urljoin(self.url, form["action"]), {**form["fields"], **typed})

    def press(self, **typed: str | None) -> str:
        """Send the page's first form that changes something, with these fields filled and the others as they came; None
        takes a tick away."""
        form = next(f for f in Forms(self.page).forms if f["method"] == "post")
        said = {name: value for name, value in {**form["fields"], **typed}.items() if value is not None}
        return self.open(urllib.parse.urljoin(self.url, form["action"]), said)
