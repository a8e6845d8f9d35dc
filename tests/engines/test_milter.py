"""The milter's side of the protocol, spoken to by a scripted Postfix; and what it decides."""

import asyncio
import base64
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from live_node import named
from nacl.public import PrivateKey, SealedBox

from postroom.engines import compile, maps, sieve_out
from postroom.engines.layout import MAPS, NodeConfig
from postroom.engines.milter import Milter
from postroom.engines.milter_protocol import STEPS, STEPS_WITH_RECIPIENTS, Message, converse
from postroom.engines.self_test import published
from postroom.engines.signing import Key
from postroom.engines.source import Compiled, Todo

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NODE_KEY = PrivateKey.generate()
OFFER = struct.pack(">III", 6, 0x1FF, 0x1FFFFF)
Packet = tuple[bytes, bytes]


def sealed(key: Key, to: PrivateKey = NODE_KEY) -> str:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return base64.b64encode(SealedBox(to.public_key).encrypt(pem)).decode()


def put(files: maps.Files, sort: str, name: str, compiled: Compiled | None) -> None:
    compile.write(files, [Todo(1, sort, named(name), None, compiled)])  # type: ignore[arg-type]


def key_row(domain: str, selector: str, key: str, algorithm: str = "rsa-2048", since: int | None = 100) -> Compiled:
    row = {"domain": domain, "selector": selector, "algorithm": algorithm, "sealed": key, "since": since}
    return {"keys": {"key": [row]}}


@pytest.fixture
def files() -> Iterator[maps.Files]:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    for name in MAPS:
        (folder / "db" / name).mkdir(parents=True)
    (folder / "keys").mkdir()
    (folder / "keys/node.key").write_bytes(base64.b64encode(bytes(NODE_KEY)))
    opened = maps.open_files(NodeConfig("mx1", folder, "127.0.0.1"))
    put(opened, "address", "mia", {"maps": {"sender": [{"sender": "mia@acme.example", "login": "mia@acme.example"}]}})
    put(opened, "key", "k2", key_row("acme.example", "s2", sealed(KEY)))
    yield opened
    for one in opened:
        one.connection.close()


@pytest.fixture
def milter(files: maps.Files) -> Iterator[Milter]:
    milter = Milter(NodeConfig("mx1", files.maps.path.parents[2], "127.0.0.1"))
    milter.test.run()
    yield milter
    for reader in (milter.maps, milter.keys.reader):
        reader.close()


def mail(login: str, sender: str, queue_id: str = "4A") -> list[Packet]:
    """What Postfix sends for one message, with the steps we asked for."""
    macros = b"M" + b"\0".join([b"{auth_authen}", login.encode(), b"i", queue_id.encode()]) + b"\0"
    return [
        (b"D", macros),
        (b"M", b"<" + sender.encode() + b">\0"),
        (b"L", b"From\0 " + sender.encode() + b"\0"),
        (b"L", b"Subject\0 hi\0"),
        (b"N", b""),
        (b"B", b"line one\r\n"),
        (b"B", b"line two\r\n"),
        (b"E", b""),
    ]


def spoken(milter: Milter, packets: list[Packet], with_whom: Any = None) -> list[Packet]:
    """Everything it answers to these packets, until it or they end."""
    converses = with_whom or (lambda reader, writer: converse_and_close(milter, reader, writer))

    async def talk() -> list[Packet]:
        server = await asyncio.start_unix_server(converses, folder / "s")
        async with server:
            reader, writer = await asyncio.open_unix_connection(folder / "s")
            for command, data in [*packets, (b"Q", b"")]:
                writer.write(struct.pack(">I", len(data) + 1) + command + data)
            await writer.drain()
            answer = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            await writer.wait_closed()
        found = []
        while answer:
            (length,) = struct.unpack(">I", answer[:4])
            found.append((answer[4:5], answer[5 : 4 + length]))
            answer = answer[4 + length :]
        return found

    folder = Path(tempfile.mkdtemp())
    return asyncio.run(talk())


async def converse_and_close(milter: Milter, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await converse(reader, writer, milter.judge)
    finally:
        writer.close()
        await writer.wait_closed()


def test_a_session_of_two_messages(milter: Milter) -> None:
    own, forged = mail("mia@acme.example", "mia@acme.example"), mail("mia@acme.example", "joe@acme.example", "4B")
    answers = spoken(milter, [(b"O", OFFER), *own, *forged])

    assert answers[0] == (b"O", struct.pack(">III", 6, 1, STEPS))
    assert [command for command, _ in answers] == [b"O", b"i", b"a", b"y"]  # nothing where nothing was agreed
    assert answers[1][1].startswith(b"\0\0\0\0DKIM-Signature\0 v=1;")
    assert answers[3][1] == b"550 5.7.1 From: joe@acme.example is not yours\0"


def test_the_signature_verifies(milter: Milter) -> None:
    header = spoken(milter, [(b"O", OFFER), *mail("mia@acme.example", "mia@acme.example")])[1][1]
    value = header[4:].split(b"\0")[1].replace(b"\n", b"\r\n")
    text = b"DKIM-Signature:" + value + b"\r\nFrom: mia@acme.example\r\nSubject: hi\r\n\r\nline one\r\nline two\r\n"
    assert dkim.verify(text, dnsfunc=lambda name, timeout=5: published(KEY))


def test_mail_is_signed_by_a_key_of_each_algorithm_the_newest_of_each(milter: Milter, files: maps.Files) -> None:
    edward, newer = ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)
    put(files, "key", "k9", key_row("acme.example", "e9", sealed(edward), "ed25519", since=50))
    keys: dict[bytes, Key] = {b"s2": KEY, b"e9": edward, b"s9": newer}
    assert signed_by(milter, keys) == [b"s2", b"e9"]
    put(files, "key", "k3", key_row("acme.example", "s9", sealed(newer), since=200))
    assert signed_by(milter, keys) == [b"s9", b"e9"], "not the lowest selector: the one that came last"
    assert milter.signs(["acme.example"]) == {"acme.example": [["s9", "rsa", 200], ["e9", "ed25519", 50]]}
    for name in ("k2", "k3"):
        put(files, "key", name, None)
    assert signed_by(milter, keys) == [], "Ed25519 alone signs nothing"


def test_a_key_of_before_nodes_knew_since_when_signs_until_another_does(milter: Milter, files: maps.Files) -> None:
    put(files, "key", "k2", key_row("acme.example", "s2", sealed(KEY), since=None))
    put(files, "key", "k1", key_row("acme.example", "s1", sealed(KEY), since=None))
    assert milter.signs(["acme.example"]) == {"acme.example": [["s1", "rsa", 0]]}
    put(files, "key", "k4", key_row("acme.example", "s4", sealed(KEY), since=1))
    assert milter.signs(["acme.example"]) == {"acme.example": [["s4", "rsa", 1]]}


def signed_by(milter: Milter, keys: dict[bytes, Key]) -> list[bytes]:
    """The selectors of the signatures that are put on a message, each of which verifies."""
    said = spoken(milter, [(b"O", OFFER), *mail("mia@acme.example", "mia@acme.example")])
    values = [one[4:].split(b"\0")[1].replace(b"\n", b"\r\n") for command, one in said if command == b"i"]
    plain = b"From: mia@acme.example\r\nSubject: hi\r\n\r\nline one\r\nline two\r\n"
    found = []
    for value in values:
        selector = value.split(b" s=")[1].split(b";")[0]
        assert dkim.verify(
            b"DKIM-Signature:" + value + b"\r\n" + plain,
            dnsfunc=lambda name, timeout=5, key=keys[selector]: published(key),
        )
        found.append(selector)
    return found


BOSS = "boss@acme.example"


def behalf(files: maps.Files, **more: object) -> None:
    row = {"sender": BOSS, "login": "mia@acme.example", **more}
    put(files, "address", "boss", {"maps": {"behalf": [row], "sender": [{"sender": BOSS, "login": BOSS}]}})


def test_on_anothers_behalf_the_sender_is_put_in_and_signed(milter: Milter, files: maps.Files) -> None:
    behalf(files)
    said = [one[4:].split(b"\0") for command, one in spoken(milter, [(b"O", OFFER), *mail("mia@acme.example", BOSS)])
            if command == b"i"]  # fmt: skip
    assert [name for name, *_ in said] == [b"Sender", b"DKIM-Signature"] and said[0][1] == b" mia@acme.example"
    text = b"DKIM-Signature:" + said[1][1].replace(b"\n", b"\r\n") + b"\r\nSender: mia@acme.example\r\nFrom: "
    text += BOSS.encode() + b"\r\nSubject: hi\r\n\r\nline one\r\nline two\r\n"
    assert dkim.verify(text, dnsfunc=lambda name, timeout=5: published(KEY))
    assert b"sender" in said[1][1]
    assert milter.behalf([[BOSS, "mia@acme.example"], [BOSS, "joe@acme.example"]]) == [[BOSS, "mia@acme.example"]]


def test_whose_time_is_over_writes_on_nobodys_behalf(milter: Milter, files: maps.Files) -> None:
    behalf(files, until=1)
    assert decided(milter, BOSS) == "550"
    assert milter.behalf([[BOSS, "mia@acme.example"]]) == []
    behalf(files, until=4_000_000_000)
    assert decided(milter, BOSS) != "550"


def test_an_aborted_message_leaves_nothing_behind(milter: Milter) -> None:
    half = mail("mia@acme.example", "mia@acme.example")[:4]
    stranger = [(b"D", b"Mi\x004C\0"), *mail("x", "mia@acme.example")[1:]]
    answers = spoken(milter, [(b"O", OFFER), *half, (b"A", b""), *stranger])
    assert answers[-1] == (b"y", b"550 5.7.1 nobody is signed in\0")


def test_one_who_signed_in_before_is_not_the_next_sender(milter: Milter) -> None:
    stranger = [(b"D", b"Mi\x004C\0"), *mail("x", "mia@acme.example")[1:]]
    answers = spoken(milter, [(b"O", OFFER), *mail("mia@acme.example", "mia@acme.example"), *stranger])
    assert answers[-1] == (b"y", b"550 5.7.1 nobody is signed in\0")


def test_an_offer_without_our_steps_ends_it(milter: Milter) -> None:
    with pytest.raises(Exception, match="offered version 2"):
        asyncio.run(out_of_step(milter))


async def out_of_step(milter: Milter) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(struct.pack(">I", 13) + b"O" + struct.pack(">III", 2, 0x3F, 0x7F))
    await converse(reader, None, milter.judge)  # type: ignore[arg-type]


def decided(milter: Milter, sender: str = "mia@acme.example", login: str = "mia@acme.example") -> str:
    message = Message({"auth_authen": login}, [(b"From", b" " + sender.encode())], bytearray(b"hi"))
    answer = asyncio.run(milter.judge(message))
    if answer.reply:
        return answer.reply[:3]
    return answer.add[-1][1].split("s=")[1].split(";")[0] if answer.add else "unsigned"


def test_the_lowest_selector_signs_and_a_new_file_is_seen_at_once(milter: Milter, files: maps.Files) -> None:
    assert decided(milter) == "s2"
    put(files, "key", "k1", key_row("acme.example", "s1", sealed(KEY)))
    assert decided(milter) == "s1"
    put(files, "key", "k1", None)
    assert decided(milter) == "s2"
    put(files, "key", "k2", None)
    assert decided(milter) == "unsigned"


def test_a_key_that_cannot_be_opened_defers_its_domain_alone(milter: Milter, files: maps.Files) -> None:
    put(
        files, "address", "kim", {"maps": {"sender": [{"sender": "kim@globex.example", "login": "kim@globex.example"}]}}
    )
    put(files, "key", "k3", key_row("globex.example", "s1", sealed(KEY, PrivateKey.generate())))
    assert decided(milter, "kim@globex.example", "kim@globex.example") == "451"
    assert milter.signs(["globex.example"])["globex.example"].startswith("unusable")  # type: ignore[union-attr]
    assert decided(milter) == "s2"
    for _ in range(2):
        milter.test.run()
    assert list(milter.status()["unusable"]) == ["globex.example"]


def test_a_failing_self_test_defers_everything(milter: Milter) -> None:
    milter.test.failing = "a signature does not verify"
    assert decided(milter) == "451"


def test_files_that_cannot_be_read_defer_everything(milter: Milter, files: maps.Files) -> None:
    files.maps.connection.execute("DROP TABLE sender")
    assert decided(milter) == "451"


def test_a_file_made_anew_is_not_read_from_its_old_place(milter: Milter, files: maps.Files) -> None:
    assert decided(milter) == "s2"
    path = files.keys.path
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).rename(path.with_name("old" + end))
    new = maps._open("keys", path)
    assert decided(milter) == "unsigned"
    new.connection.close()


def test_a_sender_ends_by_its_own_time(milter: Milter, files: maps.Files) -> None:
    row = {"sender": "mia@acme.example", "login": "mia@acme.example", "until": 1}
    put(files, "address", "mia", {"maps": {"sender": [row]}})
    assert decided(milter) == "550"


def test_readers_may_not_write(milter: Milter) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        milter.maps.rows("DELETE FROM sender")


# What filters send, on a socket of its own


def filtered(milter: Milter, sender: str, to: str, *headers: str) -> list[Packet]:
    """All it answers to one message that a filter sends."""
    lines = [
        (b"L", name.encode() + b"\0" + value.encode() + b"\0") for name, value in (h.split(":", 1) for h in headers)
    ]
    packets = [(b"O", OFFER), (b"D", b"Mi\x004D\0"), (b"M", f"<{sender}>\0BODY=8BITMIME\0".encode()),
               (b"R", f"<{to}>\0".encode()), *lines, (b"N", b""), (b"B", b"away\r\n"), (b"E", b"")]  # fmt: skip

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await converse(reader, writer, milter.judge_filtered, sieve_out.TERMS)
        finally:
            writer.close()
            await writer.wait_closed()

    return spoken(milter, packets, talk)


ANSWER = ("X-Sieve: Pigeonhole", "From: <mia@acme.example>", "Auto-Submitted: auto-replied (vacation)")
PASSED_ON = ("X-Sieve: Pigeonhole", "X-Sieve-Redirected-From: mia@acme.example", "Received: x", "From: a@out.example")


def test_an_answer_is_signed_and_loses_its_sender(milter: Milter) -> None:
    answers = filtered(milter, "mia@acme.example", "one@far.example", *ANSWER)
    assert answers[0] == (b"O", struct.pack(">III", 6, 0x41, STEPS_WITH_RECIPIENTS))
    assert [command for command, _ in answers] == [b"O", b"i", b"e", b"a"]
    assert answers[1][1].startswith(b"\0\0\0\0DKIM-Signature\0 v=1;") and answers[2][1] == b"<>\0"


def test_what_is_passed_on_goes_unsigned_or_not_at_all(milter: Milter, files: maps.Files) -> None:
    refused = filtered(milter, "mia@acme.example", "one@far.example", *PASSED_ON)[1:]
    assert refused == [(b"y", b"550 5.7.1 mia@acme.example may not pass mail on to one@far.example\0")]
    row = {"source": "mia@acme.example", "target": "@far.example"}
    put(files, "address", "allowed", {"maps": {"allowed": [row]}})
    assert filtered(milter, "mia@acme.example", "one@far.example", *PASSED_ON)[1:] == [(b"a", b"")]
    pair = ["mia@acme.example", "@far.example"]
    asked = [pair, ["mia@acme.example", "one@far.example"], ["x"]]
    assert milter.answer({"allowed": asked, "forbidden": asked})["allowed"] == [pair]
    assert milter.answer({"forbidden": asked})["forbidden"] == []


@pytest.mark.parametrize("table", ["allowed", "domain", "sender"])
def test_what_cannot_be_judged_comes_again(milter: Milter, files: maps.Files, table: str) -> None:
    files.maps.connection.execute(f"DROP TABLE {table}")
    what = ANSWER if table == "sender" else PASSED_ON
    (answer,) = filtered(milter, "mia@acme.example", "one@far.example", *what)[1:]
    assert answer[1].startswith(b"451 ")


def test_an_answer_that_cannot_be_signed_comes_again(milter: Milter) -> None:
    milter.test.failing = "a signature does not verify"
    (answer,) = filtered(milter, "mia@acme.example", "one@far.example", *ANSWER)[1:]
    assert answer[1].startswith(b"451 ")
