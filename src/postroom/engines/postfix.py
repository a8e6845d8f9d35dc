"""Postfix's configuration for one node, as text: main.cf, master.cf and the query of every map.

The same for Postfix 3.7 and 3.10. Renders only; rendering.py checks and switches. What it is made to do:
- mail from outside is taken for domains and addresses in maps.db, and from nobody who claims a domain hosted here
  (those sign in: `check_sender_access`, since reject_unauthenticated_sender_login_mismatch does nothing without SASL);
- mail from mailbox owners comes from Dovecot's submission proxy alone, which shows a certificate only it has, and
  names the login by XCLIENT; envelope sender and From: must be the login's own;
- our own letters have a return address each, hosted or not: what comes there goes to a Maildir of the agent's
  (returned.py), and is no mail of any domain; what sends them says itself that the next server took one (DSN is asked
  of us, and not passed on), since many servers never say so;
- bare newlines and unauthorized pipelining are refused: Debian 12's default leaves SMTP smuggling open.
"""

from postroom.protocols import return_address

from .layout import NodeConfig

# Name of the map → its query. `unixepoch()`, never strftime('%%s'): one text serves Postfix and both Dovecots.
LIVE = "(until IS NULL OR until > unixepoch())"
QUERIES = {
    "domain": "SELECT DISTINCT name FROM domain WHERE name='%s'",
    "mailbox": f"SELECT address FROM mailbox WHERE address='%s' AND {LIVE}",
    # A mailbox of which no rule says otherwise, or none does any more, has its own mail.
    "route": f"SELECT DISTINCT destination FROM route WHERE source='%s' AND {LIVE} UNION SELECT address FROM mailbox "
    f"WHERE address='%s' AND {LIVE} AND NOT EXISTS (SELECT 1 FROM route WHERE source='%s' AND {LIVE})",
    "sender": f"SELECT DISTINCT login FROM sender WHERE sender='%s' AND {LIVE}",
    "pool": "SELECT transport FROM pool WHERE domain='%d'",
    "hosted": "SELECT DISTINCT 'REJECT 5.7.1 sign in to send as this domain' FROM domain WHERE name='%s'",
    "canary": "SELECT v FROM canary WHERE k='%s'",
}

MAIN = """\
# Rendered by Postroom; changes here are lost.
compatibility_level = 3.6
queue_directory = {folder}/postfix/spool
data_directory = {folder}/postfix/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log/postfix.log
maillog_file_prefixes = {folder}/log
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C POSTROOM_STATE

myhostname = {hostname}
myorigin = $myhostname
inet_interfaces = {interfaces}
inet_protocols = ipv4
mynetworks =
mydestination =
local_recipient_maps =
local_transport = error:5.1.1 no local delivery
alias_maps =
alias_database =
relay_domains =
biff = no
append_dot_mydomain = no
recipient_delimiter =
smtputf8_enable = no
enable_long_queue_ids = yes
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = 0
disable_vrfy_command = yes
smtpd_helo_required = yes
smtpd_banner = $myhostname ESMTP

# Maps: through proxymap, which answers for all; the last one says which of our configurations it has loaded.
db = proxy:sqlite:$config_directory/maps
virtual_mailbox_domains = ${{db}}/domain.cf
returned = regexp:$config_directory/maps/returned
virtual_mailbox_maps = ${{db}}/mailbox.cf ${{returned}}
virtual_alias_maps = ${{db}}/route.cf
virtual_transport = lmtp:unix:{folder}/dovecot/run/lmtp
transport_maps = ${{returned}}
smtpd_sender_login_maps = ${{db}}/sender.cf ${{returned}}_sender
pool_maps = ${{db}}/pool.cf
hosted_maps = ${{db}}/hosted.cf
canary_maps = ${{db}}/canary.cf
proxy_read_maps = $virtual_mailbox_domains $virtual_mailbox_maps $virtual_alias_maps $smtpd_sender_login_maps
  $pool_maps $hosted_maps $canary_maps proxy:static:{marker}

# From outside.
smtpd_forbid_bare_newline = yes
smtpd_forbid_bare_newline_exclusions =
smtpd_forbid_unauth_pipelining = yes
smtpd_sasl_auth_enable = no
smtpd_relay_restrictions = check_recipient_access ${{returned}}_access reject_unauth_destination
smtpd_sender_restrictions = check_sender_access $hosted_maps
smtpd_recipient_restrictions = check_recipient_access ${{returned}}_access reject_unlisted_recipient
  reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = {folder}/tls/cert.pem
smtpd_tls_key_file = {folder}/tls/key.pem
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_protocols = >=TLSv1.2
smtpd_tls_loglevel = 1

# To outside.
{leaving}
smtp_tls_security_level = may
smtp_tls_loglevel = 1
delay_warning_time = 4h
lmtp_destination_recipient_limit = 50
"""

SMTPD_BEHIND = """\
{address}:{behind} inet n - n - - smtpd
  -o syslog_name=postfix/from-submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_tls_req_ccert=yes
  -o smtpd_tls_CAfile={folder}/tls/inside.pem
  -o smtpd_authorized_xclient_hosts={address},127.0.0.1
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_sasl_path={folder}/dovecot/run/auth-postfix
  -o smtpd_milters=unix:{folder}/run/milter/milter.sock
  -o milter_default_action=tempfail
  -o milter_protocol=6
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_helo_restrictions=
  -o smtpd_sender_restrictions=reject_authenticated_sender_login_mismatch
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_recipient_restrictions=reject_unlisted_recipient,permit_sasl_authenticated,reject
"""

# virtual(8) delivers every recipient that would leave into one Maildir; it is root until it is the Maildir's owner.
SINK = """\
sink unix - n n - - virtual
  -o virtual_mailbox_base={parent}
  -o virtual_mailbox_maps=static:{name}/
  -o virtual_mailbox_domains=
  -o virtual_alias_maps=
  -o virtual_minimum_uid=1
  -o virtual_uid_maps=static:{uid}
  -o virtual_gid_maps=static:{gid}
"""

# Notifications about our own letters: into a Maildir that is the agent's alone. And what sends the letters.
RETURNED = """\
returned unix - n n - - virtual
  -o virtual_mailbox_base={folder}
  -o virtual_mailbox_maps=static:returned/
  -o virtual_mailbox_domains=
  -o virtual_alias_maps=
  -o virtual_minimum_uid=1
  -o virtual_uid_maps=static:{uid}
  -o virtual_gid_maps=static:{gid}
letters unix - - n - - smtp
  -o syslog_name=postfix/letters
  -o smtp_discard_ehlo_keywords=dsn
"""

SERVICES = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def render(config: NodeConfig, marker: str, mail_ids: tuple[int, int], agent_ids: tuple[int, int]) -> dict[str, str]:
    """Path below the configuration's folder → text. The ids are uid and gid of who owns the sink, and the returned."""
    maps = {
        f"maps/{name}.cf": f"dbpath = {config.database('maps')}\nquery = {query}\n" for name, query in QUERIES.items()
    }
    texts = {"main.cf": _main(config, marker), "master.cf": _master(config, mail_ids, agent_ids)}
    return {**texts, **maps, **_returned(config)}


def _returned(config: NodeConfig) -> dict[str, str]:
    """Of a return address: where mail to it goes, that it is taken, whose it is, and what sends from it."""
    ours = return_address.pattern(config.notices_from)
    says = {"": "returned:", "_access": "OK", "_sender": config.system_login, "_letters": "letters:"}
    return {f"maps/returned{name}": f"/{ours}/ {what}\n" for name, what in says.items()}


def _main(config: NodeConfig, marker: str) -> str:
    leaving = "default_transport = smtp\nsender_dependent_default_transport_maps = ${returned}_letters $pool_maps"
    if config.sink is not None:
        # No pools either: a sender's own transport would beat the default.
        leaving = "# Nothing leaves: it is kept where people can look at it.\ndefault_transport = sink:kept"
    return MAIN.format(
        folder=config.folder,
        hostname=config.hostname,
        # A loopback address other than 127.0.0.1 is on no interface, which Postfix would not have; what it listens on
        # stands in master.cf.
        interfaces="loopback-only" if config.address.startswith("127.") else config.address,
        marker=marker,
        leaving=leaving,
    )


def _master(config: NodeConfig, mail_ids: tuple[int, int], agent_ids: tuple[int, int]) -> str:
    address, ports = config.address, config.ports
    behind = SMTPD_BEHIND.format(address=address, behind=ports.behind, folder=config.folder)
    text = f"# Rendered by Postroom; changes here are lost.\n{address}:{ports.smtp} inet n - n - - smtpd\n"
    uid, gid = agent_ids
    text += behind + SERVICES + RETURNED.format(folder=config.folder, uid=uid, gid=gid)
    if config.sink is not None:
        uid, gid = mail_ids
        text += SINK.format(parent=config.sink.parent, name=config.sink.name, uid=uid, gid=gid)
    return text
