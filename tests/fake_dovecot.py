"""Dovecot's `service auth` for a test: it speaks the protocol at a unix socket, and knows the passwords it is given."""

from __future__ import annotations

import base64
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HELLO = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t7\nCUID\t1\nCOOKIE\tabc\nDONE\n"
Answers = Callable[[str, str], str]  # (address, password) → the line, without number


class FakeDovecot:
    """passwords: address → its main password. `says`: another answer than yes or no; `hello`: another greeting."""

    def __init__(self, where: Path) -> None:
        self.where, self.passwords, self.asked = where, dict[str, str](), list[str]()
        self.hello, self.says, self.slow = HELLO, self._yes_or_no, 0.0
        self.numbers = set[str]()
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(where))
        self.listening.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _yes_or_no(self, address: str, password: str) -> str:
        right = self.passwords.get(address) == password
        return f"OK\tuser={address}\tcred=main\tgen=3" if right else f"FAIL\tuser={address}"

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._speak, args=(line,), daemon=True).start()

    def _speak(self, line: socket.socket) -> None:
        with suppress(OSError), line, line.makefile("rw", newline="\n") as talk:  # whoever asked may hang up
            talk.write(self.hello)
            talk.flush()
            for said in talk:
                words = said.rstrip("\n").split("\t")
                if words[0] == "CPID":
                    assert words[1] not in self.numbers, "Dovecot hangs up on a number that is there already"
                    self.numbers.add(words[1])
                if words[0] != "AUTH":
                    continue
                self.asked.append(said)
                _, address, password = base64.b64decode(words[-1].removeprefix("resp=")).decode().split("\0")
                time.sleep(self.slow)
                verdict, *facts = self.says(address, password).split("\t")
                talk.write("\t".join([verdict, words[1], *facts]) + "\n")
                talk.flush()


@contextmanager
def fake_dovecot() -> Iterator[FakeDovecot]:
    with tempfile.TemporaryDirectory() as folder:
        fake = FakeDovecot(Path(folder) / "auth-web")
        try:
            yield fake
        finally:
            fake.listening.close()
