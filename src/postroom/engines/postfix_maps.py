"""What Postfix asks maps.db, in SQL: the name of the map → its query.

Postfix asks for a whole address first, then without its extension (mia+x@ → mia@), then for `@domain`; of several maps
the first that answers counts. So what is said of one address goes before what is said of all.
"""

# `unixepoch()`, never strftime('%%s'): one text serves Postfix and both Dovecots.
LIVE = "(until IS NULL OR until > unixepoch())"

# Of user+extension@domain: both halves. An extension alone (+x@) is none, as Postfix sees it.
EXTENDED = "instr('%u', '+') > 1"
PLAIN = "substr('%u', 1, instr('%u', '+') - 1)"
EXTENSION = "substr('%u', instr('%u', '+'))"
# An extension goes along to who is here, where filters look at it. Elsewhere it may not exist: it is left off.
HERE = "EXISTS (SELECT 1 FROM domain d WHERE d.name = substr(destination, instr(destination, '@') + 1))"
WITH_EXTENSION = f"CASE WHEN {HERE} THEN replace(destination, '@', {EXTENSION} || '@') ELSE destination END"

QUERIES = {
    "domain": "SELECT DISTINCT name FROM domain WHERE name='%s'",
    "mailbox": f"SELECT address FROM mailbox WHERE address='%s' AND {LIVE}",
    "route": f"SELECT DISTINCT destination FROM route WHERE source='%s' AND {LIVE}",
    "plus": f"SELECT DISTINCT {WITH_EXTENSION} FROM route WHERE {EXTENDED} AND source = {PLAIN} || '@%d' AND {LIVE}",
    "sender": f"SELECT DISTINCT login FROM sender WHERE sender='%s' AND {LIVE}",
    "pool": "SELECT transport FROM pool WHERE domain='%d'",
    "hosted": "SELECT DISTINCT 'REJECT 5.7.1 sign in to send as this domain' FROM domain WHERE name='%s'",
    "canary": "SELECT v FROM canary WHERE k='%s'",
}
