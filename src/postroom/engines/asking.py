"""The questions that need root, over a unix socket only the agent may use: a list of fourteen, nothing else.

Postfix's proxymap is reached through a private socket folder (postfix's own, 0700) and doveadm reads a configuration
that holds its key, mailboxes are the mail user's alone, and logs root's: all of it needs root or more rights than an
agent should have. The node's parent, which is root anyway to start daemons, asks for it: fixed commands, addresses
checked, no shell, bounded time. The caller is known by SO_PEERCRED.

    {"ask": "map", "map": "route", "keys": [...]}      → {"code": 0, "found": {key: value}}
    {"ask": "user" | "login" | "loaded", "addresses": [...]}
                                                       → {"code": 0, "rows": [{"address", field: value} | null, ...]}
    {"ask": "daemons"}                                 → {"postfix": true, "dovecot": true, "milter": true, ...}
    {"ask": "restart", "daemon": "postfix"}            → {"code": 0}
    {"ask": "end", "cred": "…", "address": "…", "pids": [...]}
                                                       → {"told": [pid, ...]}
    {"ask": "let", "address": "…", "rights": "lr"}     → {"code": 0}, as opening.let says
    {"ask": "opened", "pairs": [[address, login], …]}  → {"code": 0, "rows": ["lookup read", "", …]}
    {"ask": "sieve", "addresses": [...]}               → {"rows": [...]}, as sieve_files.listed says
    {"ask": "sieve text", "address": "…", "name": "…"} → {"text": base64} | {"why": "…"} | {"gone": true}
    {"ask": "sieve dump", "text": base64}              → {"dump": base64} | {"why": "…", "again": bool}
    {"ask": "probes", "taken": number}               → {"rows": [...]}, as probe_log.ProbeLog.take says
    {"ask": "left", "taken": number}                 → {"rows": [...], ...}, as left_log.LeftLog.take says

Codes are the command's: 67 no such account, 75 the database fails, 124 no answer in time.
"""

import base64
import json
import re
import socket
import socketserver
import struct
import subprocess
import threading
from collections.abc import Callable
from typing import Any

from . import opening, sieve_box, sieve_files
from .layout import NodeConfig
from .left_log import LeftLog
from .postfix_maps import QUERIES
from .probe_log import ProbeLog
from .rendering import ENVIRONMENT

GONE, UNAVAILABLE, TIMED_OUT = 67, 75, 124
LIMIT = 4_000_000  # bytes of one question
KEY = re.compile(r"[^\x00-\x20\x7f*?-][^\x00-\x20\x7f*?]*")  # one argument or line, no mask, no option
FIELDS = {"user": ("home", "gen"), "login": ("gen",), "loaded": ("cfg",)}
VERBS = {"user": ("user",), "login": ("auth", "lookup"), "loaded": ("user",)}
MISSING = re.compile(r"user (\S+) doesn't exist")
SECONDS = 5

Answer = dict[str, Any]


class ParentAway(Exception):
    """The node's parent did not answer: nothing is known."""


def ask(config: NodeConfig, question: dict[str, Any], timeout: float = 30) -> Answer:
    """From the agent. Raises ParentAway."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(timeout)
            line.connect(str(config.ask_socket))
            line.sendall(json.dumps(question).encode() + b"\n")
            with line.makefile("rb") as answer:
                return dict(json.loads(answer.readline() or b"{}"))
    except (OSError, ValueError) as error:
        raise ParentAway(str(error)) from error


class Desk:
    """Answers. `actions` are what only the parent can do: `daemons`, `restart` and `end`."""

    def __init__(self, config: NodeConfig, actions: dict[str, Callable[..., Answer]]) -> None:
        self.config, self.actions = config, actions
        self.probes = ProbeLog(config.folder / "log")
        self.left = LeftLog(config.folder / "log", config.folder / "log/.left.json")
        self.running: set[subprocess.Popen[str]] = set()
        self.closed, self.lock = False, threading.Lock()

    def answer(self, question: dict[str, Any]) -> Answer:
        match question:
            case {"ask": "map", "map": str(name), "keys": list(keys)} if name in QUERIES or name == "marker":
                return self._map(name, [key for key in keys if isinstance(key, str) and KEY.fullmatch(key)])
            case {"ask": "user" | "login" | "loaded" as sort, "addresses": list(addresses)}:
                good = [one for one in addresses if isinstance(one, str) and KEY.fullmatch(one)]
                return self._accounts(sort, good) if len(good) == len(addresses) else {"error": "no such address"}
            case {"ask": "daemons"}:
                return self.actions["daemons"]()
            case {"ask": "restart", "daemon": "postfix" | "dovecot" as daemon}:
                return self.actions["restart"](daemon)
            case {"ask": "end", "cred": str(cred), "address": str(address), "pids": list(pids)}:
                return self.actions["end"](cred, address, [pid for pid in pids if isinstance(pid, int)])
            case {"ask": "let", "address": str(address), "rights": str(rights)} if KEY.fullmatch(address):
                return opening.let(self.config, self._run, address, rights)
            case {"ask": "opened", "pairs": list(pairs)} if _are_pairs(pairs):
                return opening.opened(self.config, self._run, pairs)
            case {"ask": "sieve", "addresses": list(addresses)}:
                return {"rows": sieve_files.listed(self.config, [one for one in addresses if isinstance(one, str)])}
            case {"ask": "sieve text", "address": str(address), "name": str(name)}:
                return sieve_files.text(self.config, address, name)
            case {"ask": "sieve dump", "text": str(text)}:
                return sieve_box.dumped(self.config, base64.b64decode(text))
            case {"ask": "probes", "taken": int(taken)}:
                return {"rows": self.probes.take(taken)}
            case {"ask": "left", "taken": int(taken)}:
                return self.left.take(taken)
            case _:
                return {"error": "no such question"}

    def _map(self, name: str, keys: list[str]) -> Answer:
        conf = self.config.postfix_conf
        table = f"proxy:static:{keys[0]}" if name == "marker" else f"proxy:sqlite:{conf}/maps/{name}.cf"
        code, out, said = self._run(["postmap", "-c", str(conf), "-q", "-", table], "".join(f"{key}\n" for key in keys))
        if "warning" in said or "fatal" in said or "error" in said:
            return {"code": code if code not in (0, 1) else UNAVAILABLE, "said": said[-500:]}
        pairs = (line.partition("\t") for line in out.splitlines())
        return {"code": code, "found": {key: value for key, tab, value in pairs if tab}}

    def _accounts(self, sort: str, addresses: list[str]) -> Answer:
        rows: list[Answer | None] = []
        worst = 0
        for at in range(0, len(addresses), 100):
            code, found = self._chunk(sort, addresses[at : at + 100])
            if code not in (0, GONE):
                return {"code": code}
            rows, worst = rows + found, max(worst, code)
        return {"code": worst, "rows": rows}

    def _chunk(self, sort: str, addresses: list[str]) -> tuple[int, list[Answer | None]]:
        """One command a field: several in one answer are not told apart."""
        found: list[Answer | None] = [{"address": address} for address in addresses]
        worst = 0
        for field in FIELDS[sort]:
            command = ["doveadm", "-c", str(self.config.dovecot_conf), *VERBS[sort], "-f", field, *addresses]
            code, out, said = self._run(command, "")
            values = _by_address(addresses, out, said)
            if code not in (0, GONE) or values is None:
                return code if code not in (0, GONE) else UNAVAILABLE, []
            worst = max(worst, code)
            found = [row | {field: one} if row and one else None for row, one in zip(found, values, strict=True)]
        return worst, found

    def _run(self, command: list[str], given: str) -> tuple[int, str, str]:
        pipe = subprocess.PIPE
        with self.lock:
            if self.closed:
                return UNAVAILABLE, "", ""
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=ENVIRONMENT)
            self.running.add(process)
        with process:
            try:
                out, said = process.communicate(given, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                return TIMED_OUT, "", ""
            finally:
                with self.lock:
                    self.running.discard(process)
        return process.returncode, out, said

    def close(self) -> None:
        """End what still asks: with its daemon gone it would wait longer than we are here."""
        with self.lock:
            self.closed = True
            for process in self.running:
                process.kill()


def _are_pairs(pairs: list[Any]) -> bool:
    return all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) and KEY.fullmatch(one) for one in pair)
        for pair in pairs
    )


def _by_address(addresses: list[str], out: str, said: str) -> list[str | None] | None:
    """A value for each, None for one that is not there; None altogether if the answer cannot be told apart.

    Values come in order with blank lines between, and nothing in place of a missing account, which is named on the
    side: so there must be exactly as many values as accounts that are not named.
    """
    missing = set(MISSING.findall(out + said))
    values = [line for line in out.splitlines() if line and not MISSING.search(line)]
    if len(values) != sum(address not in missing for address in addresses):
        return None
    order = iter(values)
    return [None if address in missing else next(order) for address in addresses]


def serve(config: NodeConfig, desk: Desk, uid: int) -> socketserver.ThreadingUnixStreamServer:
    """Open the desk for this uid; answers until `shutdown()`."""
    config.ask_socket.unlink(missing_ok=True)

    class Handler(socketserver.StreamRequestHandler):
        timeout = 30

        def handle(self) -> None:
            peer = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            if struct.unpack("3i", peer)[1] not in (0, uid):
                return
            try:
                reply = desk.answer(json.loads(self.rfile.readline(LIMIT)))
            except (ValueError, OSError) as error:
                reply = {"error": str(error)}
            self.wfile.write(json.dumps(reply).encode() + b"\n")

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    server = Server(str(config.ask_socket), Handler)
    config.ask_socket.chmod(0o666)  # its folder lets in root and the agent's group alone
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
