"""Where an app's users come back to with the answer (RFC 6749, 3.1.2): what may be registered, and what is the same.

An address of the web with TLS; the loopback address, where the app listens at a port of its own each time (RFC 8252,
7.3); or a scheme of the app's own, which is a name turned round (RFC 8252, 7.1).
"""

import re
from urllib.parse import SplitResult, urlsplit

LOOPBACK = ("127.0.0.1", "::1")
OWN_SCHEME = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+")
PLAIN = re.compile(r"[!#-;=?-~]{1,300}")  # printable ASCII but for space, quotes, < and >


def redirect_uri(text: str) -> str:
    """As it was given, or ValueError."""
    parts = _parts(text)
    if parts is None or parts.fragment or "#" in text or "*" in text or "\\" in text:
        raise ValueError("an address without #, * and spaces")
    web = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    here = parts.scheme == "http" and parts.hostname in LOOPBACK and "@" not in parts.netloc
    if not (web or here or OWN_SCHEME.fullmatch(parts.scheme)):
        raise ValueError("say https://…, http://127.0.0.1/…, or a scheme of the app's own like org.example.app:/…")
    return text


def matches(asked: str, registered: str) -> bool:
    """The same, letter for letter; at the loopback address whatever the port."""
    if asked == registered:
        return True
    one, other = _parts(asked), _parts(registered)
    if one is None or other is None or other.scheme != "http" or other.hostname not in LOOPBACK or "#" in asked:
        return False
    rest = (one.scheme, one.hostname, one.path, one.query) == (other.scheme, other.hostname, other.path, other.query)
    return rest and "@" not in one.netloc and "\\" not in asked


def _parts(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        return parts if PLAIN.fullmatch(text) and (parts.port is None or parts.port > 0) else None
    except ValueError:
        return None
