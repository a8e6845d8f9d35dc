"""Postfix's configuration for one node, as text: main.cf; master.cf is postfix_master.py's, queries postfix_maps.py's.

The same for Postfix 3.7 and 3.10. Renders only; rendering.py checks and switches. What it is made to do:
- mail from outside is taken for domains and addresses in maps.db, and from nobody who claims a domain hosted here
  (those sign in: `check_sender_access`, since reject_unauthenticated_sender_login_mismatch does nothing without SASL);
- mail from mailbox owners comes from Dovecot's submission proxy alone, which shows a certificate only it has, and
  names the login by XCLIENT; envelope sender and From: must be the login's own;
- our own letters have a return address each, hosted or not: what comes there goes to a Maildir of the agent's
  (returned.py), and is no mail of any domain; what sends them says itself that the next server took one (DSN is asked
  of us, and not passed on), since many servers never say so;
- what a forward passes on to outside leaves by a transport of its own, with a sender here that leads back (SRS):
  never by a client's pool, and under nobody else's name;
- what is handed to another server goes round the same way, one recipient at a time, and comes back with the word to
  whom (FILTER): so the sender is rewritten, the recipient stays, and nobody's pool is used;
- bare newlines and unauthorized pipelining are refused: Debian 12's default leaves SMTP smuggling open.
"""

from postroom.protocols import return_address

from . import postfix_master
from .layout import NodeConfig
from .postfix_maps import QUERIES, own_query, transport_query

SUNK = "sink:kept"

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
# Of other domains nothing is said by these lists: what is below a hosted one is not hosted.
parent_domain_matches_subdomains =
hopcount_limit = 30
virtual_alias_recursion_limit = 50
biff = no
append_dot_mydomain = no
recipient_delimiter = +
# postfix_maps.py says what becomes of an extension.
propagate_unmatched_extensions =
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
virtual_mailbox_domains = ${{db}}/domain.cf ${{db}}/alias_domain.cf
returned = regexp:$config_directory/maps/returned
virtual_mailbox_maps = ${{db}}/mailbox.cf ${{returned}}
virtual_alias_maps = ${{db}}/route.cf ${{db}}/plus.cf ${{db}}/alias.cf
virtual_transport = lmtp:unix:{folder}/dovecot/run/lmtp
transport_maps = ${{returned}} ${{db}}/transport.cf inline:{{{{{srs_domain} = srs:[{inside}]:{bounces}}}}}
smtpd_sender_login_maps = ${{db}}/sender.cf ${{returned}}_sender
pool_maps = ${{db}}/pool.cf
own_maps = ${{db}}/own.cf
here_maps = ${{db}}/here.cf
hosted_maps = ${{db}}/hosted.cf
hosted_alias_maps = ${{db}}/hosted_alias.cf
handed_maps = ${{db}}/handed.cf
canary_maps = ${{db}}/canary.cf
proxy_read_maps = $virtual_mailbox_domains $virtual_mailbox_maps $virtual_alias_maps $smtpd_sender_login_maps
  $pool_maps $own_maps $here_maps $hosted_maps
  $hosted_alias_maps $canary_maps $handed_maps $transport_maps proxy:static:{marker}

# From outside.
smtpd_forbid_bare_newline = yes
smtpd_forbid_bare_newline_exclusions =
smtpd_forbid_unauth_pipelining = yes
smtpd_sasl_auth_enable = no
smtpd_relay_restrictions = check_recipient_access ${{returned}}_access reject_unauth_destination
smtpd_sender_restrictions = check_sender_access $hosted_maps check_sender_access $hosted_alias_maps
smtpd_recipient_restrictions = check_recipient_access ${{returned}}_access reject_unlisted_recipient
  check_recipient_access inline:{{{{{srs_domain} = bounces_only}}}} reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = {folder}/tls/cert.pem
smtpd_tls_key_file = {folder}/tls/key.pem
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_protocols = >=TLSv1.2
smtpd_tls_loglevel = 1

# To outside. A sender who is ours goes by the client's pool or straight; any other was passed on by a forward, and goes
# round by a port that rewrites the sender (SRS), so that the next server may take it from us. What comes back to such a
# sender is a bounce and nothing else; who it is for is asked of postsrsd, for this one domain alone.
{leaving}
default_transport = srs:[{inside}]:{forwards}
relay_domains = {srs_domain}
relay_recipient_maps = tcp:{inside}:{srs_reverse}
# What filters send stays here as it is, and goes round to outside.
sieve_recipients = reject_unlisted_recipient check_recipient_access $here_maps
  check_recipient_access static:{{FILTER srs:[{inside}]:{forwards}}} permit
# What comes round to be handed over is told to whom.
forwards_recipients = check_recipient_access $handed_maps permit_tls_all_clientcerts reject
smtpd_restriction_classes = bounces_only
bounces_only = check_sender_access inline:{{{{<> = OK}}}} reject
smtp_tls_security_level = may
smtp_tls_loglevel = 1
delay_warning_time = 4h
lmtp_destination_recipient_limit = 50
# Of each that is handed over it is said to whom, of the whole message.
round_destination_recipient_limit = 1
"""


def render(config: NodeConfig, marker: str, mail_ids: tuple[int, int], agent_ids: tuple[int, int]) -> dict[str, str]:
    """Path below the configuration's folder → text. The ids are uid and gid of who owns the sink, and the returned."""
    leaves = config.sink is None
    first = f"round:[{config.inside}]:{config.ports.forwards}" if leaves else SUNK
    own = own_query("smtp:" if leaves else SUNK)
    queries = {**QUERIES, "own": own, "transport": transport_query(first)}
    maps = {
        f"maps/{name}.cf": f"dbpath = {config.database('maps')}\nquery = {query}\n" for name, query in queries.items()
    }
    texts = {"main.cf": _main(config, marker), "master.cf": postfix_master.render(config, mail_ids, agent_ids)}
    return {**texts, **maps, **_returned(config)}


def _returned(config: NodeConfig) -> dict[str, str]:
    """Of a return address: where mail to it goes, that it is taken, whose it is, and what sends from it."""
    ours = return_address.pattern(config.notices_from)
    letters = "letters:" if config.sink is None else SUNK
    says = {"": "returned:", "_access": "OK", "_sender": config.system_login, "_letters": letters}
    return {f"maps/returned{name}": f"/{ours}/ {what}\n" for name, what in says.items()}


def _leaving(config: NodeConfig) -> str:
    """By whom it leaves, of senders that keep their name; the null sender's goes with what was passed on, and never
    round: it would not be rewritten, and come by again."""
    pools, straight, forwarded = "$pool_maps ", "smtp:", "forwarded:"
    said = ""
    if config.sink is not None:
        # No pools either: a sender's own transport would beat the default.
        pools, straight, forwarded = "", SUNK, SUNK
        said = "# Nothing leaves: it is kept where people can look at it.\n"
    ours = f"{{<> = {forwarded}}}, {{@{config.srs_domain} = {forwarded}}}, {{{config.notices_from} = {straight}}}"
    maps = f"${{returned}}_letters {pools}$own_maps\n  inline:{{{ours}}}"
    return f"{said}sender_dependent_default_transport_maps = {maps}"


def _main(config: NodeConfig, marker: str) -> str:
    return MAIN.format(
        folder=config.folder,
        hostname=config.hostname,
        # A loopback address other than 127.0.0.1 is on no interface, which Postfix would not have; what it listens on
        # stands in master.cf.
        interfaces="loopback-only" if config.address.startswith("127.") else config.address,
        inside=config.inside,
        srs_domain=config.srs_domain,
        marker=marker,
        leaving=_leaving(config),
        **vars(config.ports),
    )
