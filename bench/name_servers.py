"""How many domains a second one worker asks at all their name servers, beside what it has to: 20,000 in ten minutes.

A server in a process of its own refers and answers over UDP on loopback, some milliseconds late as on the net. Domains
and record sets are put in as superuser past the guard. Prints domains a second, its share of a core, and the ratio of
what is reached to what is needed; goal: at least 1. Usage: name_servers.py [domains]
"""

import multiprocessing
import socket
import struct
import sys
import time

import psycopg
from house import house, newer_columns

SETS, LATE, BEATS = 6, 0.005, 3
NEEDED_WITHIN = 600.0
FILL = """
WITH made AS (SELECT gen_random_uuid() AS id, 'c' || c || '.example' AS name FROM generate_series(1, {many}) c
), domains_ AS (
  INSERT INTO domains (id, client_id, name, hosting, registrar, registrar_holder, registrar_account, dns_holder, proof,
    proof_token)
  SELECT id, (SELECT id FROM clients LIMIT 1), name, 'hosted', '', '', '', '', 'read', '' FROM made
)
INSERT INTO record_sets (id, client_id, domain_id, name, type, ttl, values, ours)
  SELECT gen_random_uuid(), (SELECT id FROM clients LIMIT 1), made.id, 'n' || n || '.' || made.name || '.', 'TXT', 300,
    ARRAY['"x"'], ARRAY['"x"'] FROM made, generate_series(1, {sets}) n
"""
NAMES = ("ns1.bench.", "ns2.bench.")


def answering(ready: "multiprocessing.SimpleQueue[list[int]]") -> None:
    """A root that refers every zone to both servers, and these, which know of no record."""
    plugs = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for plug in plugs:
        plug.bind(("127.0.0.1", 0))
        plug.settimeout(0.0005)
    ready.put([plug.getsockname()[1] for plug in plugs])
    late: list[tuple[float, socket.socket, bytes, tuple[str, int]]] = []
    while True:
        for n, plug in enumerate(plugs):
            try:
                asked, who = plug.recvfrom(2048)
                late.append((time.monotonic() + LATE, plug, reply(asked, refers=n == 0), who))
            except TimeoutError:
                pass
        while late and late[0][0] <= time.monotonic():
            _, plug, said, who = late.pop(0)
            plug.sendto(said, who)


def reply(asked: bytes, *, refers: bool) -> bytes:
    end = asked.index(b"\0", 12) + 5
    head = asked[:2] + struct.pack("!5H", 0x8000 if refers else 0x8400, 1, 0, len(NAMES) if refers else 0, 0)
    wires = [b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) for name in NAMES]
    told = (b"\xc0\x0c" + struct.pack("!HHIH", 2, 1, 300, len(wire)) + wire for wire in wires)
    return head + asked[12:end] + (b"".join(told) if refers else b"")


def main(many: int) -> None:
    ready: multiprocessing.SimpleQueue[list[int]] = multiprocessing.SimpleQueue()
    server = multiprocessing.Process(target=answering, args=(ready,), daemon=True)
    server.start()
    root, *ports = ready.get()
    with house() as (cluster, _), psycopg.connect(cluster.dsn("postgres", "bench"), autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        newer_columns(admin)
        admin.execute(FILL.format(many=many, sets=SETS))
        admin.execute("VACUUM ANALYZE")
        measured(root, dict(zip(NAMES, ports, strict=True)), many)
    server.terminate()


def measured(root: int, ports: dict[str, int], many: int) -> None:
    from postroom.resolve.answer import Server
    from postroom.resolve.walk import NetResolver
    from postroom.worker import name_servers

    places = {name: ("127.0.0.1", port) for name, port in ports.items()}
    name_servers.resolver = lambda: NetResolver([Server("root.", "127.0.0.1", root)], places)  # type: ignore[assignment]
    looking, looked = name_servers.NameServers(), 0
    began, used = time.perf_counter(), time.process_time()
    for _ in range(BEATS):
        looked += looking.look()
    took, cpu = time.perf_counter() - began, time.process_time() - used
    needed = many / NEEDED_WITHIN
    print(f"{looked:,} of {many:,} domains, {SETS * len(NAMES)} questions each: {looked / took:.0f} domains a second, "
          f"{cpu / looked * 1000:.1f} ms of CPU each; {cpu / looked * needed:.2f} of a core to keep up")  # fmt: skip
    print(f"reached {looked / took:.0f}/s beside {needed:.0f}/s needed: ratio {looked / took / needed:.2f} (goal 1.00)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
