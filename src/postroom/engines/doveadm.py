"""Dovecot's HTTP interface: kick and who, which are asked by the second, and a mailbox's script put in force.

Wrong JSON types make the doveadm process panic (tried), so every parameter that its schema calls an array is one
here. Look-ups of accounts go by the command (asking.py): over HTTP one missing account fails its whole batch.
"""

import base64
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

NOBODY = 68  # EX_NOHOST: no session matched


class DoveadmAway(Exception):
    """Dovecot did not answer, or not as agreed: nothing is known."""


@dataclass(frozen=True)
class Session:
    """One connection of an account. credential: as 2.4 says it; 2.3 does not (tried)."""

    account: str
    service: str
    pid: str
    address: str = ""
    credential: str = ""

    @property
    def key(self) -> str:
        return f"{self.service} {self.pid}"


@dataclass(frozen=True)
class Doveadm:
    """`key` is the doveadm_api_key of the running instance."""

    address: str
    port: int
    key: str
    timeout: float = 5

    def kick(self, addresses: list[str]) -> None:
        """End every session of these accounts. In an address `*` and `?` match more than themselves: within its
        domain too many sessions end rather than too few."""
        for address in addresses:
            self._ask("kick", {"mask": [address]})

    def kick_credential(self, cred: str) -> bool:
        """End every session that was opened with it, and no other (2.4); whether there was one."""
        rows = self._ask("kick", {"passdbField": "user_cred", "mask": [cred]})
        return any(str(row.get("count", row.get("result", ""))) != "0" for row in rows)

    def processes(self, address: str) -> set[int]:
        """Of the account's sessions, one a process; those that are going already too."""
        rows = [row for row in self._ask("who", {}) if row.get("username") == address]
        return {int(pid) for row in rows for pid in re.findall(r"\d+", str(row.get("pids", "")))}

    def who(self, addresses: list[str]) -> dict[str, list[str]]:
        """Account → services it has sessions of, of those asked for that have any."""
        wanted = set(addresses)
        sessions: dict[str, list[str]] = {}
        for one in self.sessions():
            if one.account in wanted:
                sessions.setdefault(one.account, []).append(one.service)
        return sessions

    def sessions(self) -> list[Session]:
        """Every session that is open."""
        rows = self._ask("who", {"separateConnections": True})
        return [_session(row) for row in rows if row.get("username")]

    def put_script(self, address: str, name: str, text: str) -> None:
        """Stored, and in force."""
        self._ask("sievePut", {"user": address, "scriptname": name, "activate": True, "file": text})

    def no_script(self, address: str) -> None:
        """None is in force at this mailbox any more; those that are stored stay."""
        self._ask("sieveDeactivate", {"user": address})

    def _ask(self, command: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        request = urllib.request.Request(
            f"http://{self.address}:{self.port}/doveadm/v1",
            json.dumps([[command, parameters, "t"]]).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": "X-Dovecot-API " + base64.b64encode(self.key.encode()).decode(),
            },
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never by way of a site's proxy
        try:
            with opener.open(request, timeout=self.timeout) as answer:
                return _rows(command, json.load(answer))
        except (OSError, ValueError, urllib.error.HTTPError) as error:
            raise DoveadmAway(f"{command}: {error}") from error


def _session(row: dict[str, Any]) -> Session:
    said = (str(row.get(name) or "") for name in ("username", "service", "pid", "ip", "user_cred"))
    return Session(*said)


def _rows(command: str, answer: Any) -> list[dict[str, Any]]:
    match answer:
        # 2.3 closes the list after its first row: [[…, [row], row, row, "t"]] (tried, `who` with two sessions).
        case [["doveadmResponse", list(rows), *more, "t"]]:
            return [row for row in (*rows, *more) if isinstance(row, dict)]
        case [["error", {"exitCode": code}, "t"]] if code == NOBODY:
            return []
        case _:
            raise DoveadmAway(f"{command}: {json.dumps(answer)[:200]}")
