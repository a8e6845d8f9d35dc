"""What Postfix asks maps.db, in SQL: the name of the map → its query.

Postfix asks for a whole address first, then without its extension (mia+x@ → mia@), then for `@domain`; of several maps
the first that answers counts. So what is said of one address goes before what is said of all.
"""

from collections.abc import Mapping
from typing import Any

# `unixepoch()`, never strftime('%%s'): one text serves Postfix and both Dovecots.
LIVE = "(until IS NULL OR until > unixepoch())"

# Of user+extension@domain: both halves. An extension alone (+x@) is none, as Postfix sees it.
EXTENDED = "instr('%u', '+') > 1"
PLAIN = f"CASE WHEN {EXTENDED} THEN substr('%u', 1, instr('%u', '+') - 1) ELSE '%u' END"
EXTENSION = "substr('%u', instr('%u', '+'))"
# An extension goes along to who is here, where filters look at it. Elsewhere it may not exist: it is left off.
AT = "substr(destination, instr(destination, '@') + 1)"
HERE = (
    f"(EXISTS (SELECT 1 FROM domain d WHERE d.name = {AT}) OR EXISTS (SELECT 1 FROM alias_domain a "
    f"WHERE a.name = {AT} AND (a.until IS NULL OR a.until > unixepoch())))"
)
EXTENDED_DESTINATION = f"CASE WHEN {HERE} THEN replace(destination, '@', {EXTENSION} || '@') ELSE destination END"
# Only who gets mail at the domain it stands for: anybody else is refused at RCPT, and not bounced afterwards.
AT_TARGET = (
    "(EXISTS (SELECT 1 FROM route r "
    f"WHERE r.source IN ('%u@' || target, ({PLAIN}) || '@' || target, '@' || target) "
    "AND (r.until IS NULL OR r.until > unixepoch())) OR EXISTS (SELECT 1 FROM mailbox m "
    f"WHERE m.address IN ('%u@' || target, ({PLAIN}) || '@' || target) AND (m.until IS NULL OR m.until > unixepoch())))"
)


def _routes(source: str) -> str:
    """Where mail of an address goes. A mailbox of which no rule says otherwise, or none does any more, has its own."""
    ruled = f"SELECT 1 FROM route r WHERE r.source = {source} AND (r.until IS NULL OR r.until > unixepoch())"
    return (
        f"SELECT destination FROM route WHERE source = {source} AND {LIVE} "
        f"UNION SELECT address FROM mailbox WHERE address = {source} AND {LIVE} AND NOT EXISTS ({ruled})"
    )


# To where mail of an address is handed over, by whom: one that takes any TLS, or one that wants the server's own name.
HANDED_BY = "CASE WHEN tls = 1 THEN 'handed-tls' ELSE 'handed' END"
HANDED = f"'FILTER ' || {HANDED_BY} || ':[' || host || ']:' || CAST(port AS INT)"
SIGN_IN = "REJECT 5.7.1 sign in to send as this domain"

WITHOUT = f"(({PLAIN}) || '@%d')"  # the address without its extension
QUERIES = {
    "domain": "SELECT DISTINCT name FROM domain WHERE name='%s'",
    "alias_domain": f"SELECT DISTINCT target FROM alias_domain WHERE name='%s' AND {LIVE}",
    "mailbox": f"SELECT address FROM mailbox WHERE address='%s' AND {LIVE}",
    "route": _routes("'%s'"),
    "plus": f"SELECT DISTINCT {EXTENDED_DESTINATION} FROM ({_routes(WITHOUT)}) WHERE {EXTENDED}",
    "alias": f"SELECT DISTINCT '%u@' || target FROM alias_domain WHERE name='%d' AND {LIVE} AND {AT_TARGET}",
    "here": f"SELECT 'OK' FROM domain WHERE name='%d' UNION SELECT 'OK' FROM alias_domain WHERE name='%d' AND {LIVE}",
    "sender": f"SELECT DISTINCT login FROM sender WHERE sender='%s' AND {LIVE}",
    "pool": "SELECT transport FROM pool WHERE domain='%d'",
    "hosted": f"SELECT DISTINCT '{SIGN_IN}' FROM domain WHERE name='%s'",
    "hosted_alias": f"SELECT DISTINCT '{SIGN_IN}' FROM alias_domain WHERE name='%s' AND {LIVE}",
    "handed": f"SELECT {HANDED} FROM handed WHERE address='%s' AND {LIVE}",
    "canary": "SELECT v FROM canary WHERE k='%s'",
}


def handed_to(row: Mapping[str, Any]) -> str:
    """What the map `handed` answers for a row."""
    return f"FILTER {'handed-tls' if row['tls'] else 'handed'}:[{row['host']}]:{row['port']}"


def transport_query(transport: str) -> str:
    """Mail that is handed to another server takes this way first."""
    return f"SELECT '{transport}' FROM handed WHERE address='%s' AND {LIVE}"


def own_query(transport: str) -> str:
    """Whose sender is of a domain that is ours keeps it, and goes by this."""
    alias = f"SELECT '{transport}' FROM alias_domain WHERE name='%d' AND {LIVE}"
    return f"SELECT '{transport}' FROM domain WHERE name='%d' UNION {alias}"
