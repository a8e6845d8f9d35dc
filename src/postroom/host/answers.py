"""Does it answer? Small, quick questions to a service just started; no judgement on how well it works."""

import http.client
import socket
from pathlib import Path

PATIENCE = 2.0
PATIENCE_WITH_PAGES = 10.0


def tcp(host: str, port: int, *, greeting: bytes = b"") -> bool:
    """It accepts a connection and, where a greeting is wanted, starts with it (`220`, `* OK`)."""
    try:
        with socket.create_connection((host, port), PATIENCE) as connection:
            return connection.recv(512).startswith(greeting) if greeting else True
    except OSError:
        return False


def unix(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(path))
            return True
    except OSError:
        return False


def http_get(host: str, port: int, path: str = "/", *, host_header: str = "localhost") -> bool:
    """Any HTTP answer but a server's own failure (5xx)."""
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_WITH_PAGES)
    try:
        connection.request("GET", path, headers={"Host": f"{host_header}:{port}"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
