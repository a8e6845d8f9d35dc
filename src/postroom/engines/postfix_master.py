"""Postfix's master.cf: what listens, and what carries mail further."""

from .layout import NodeConfig

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

# Where only we ourselves speak: on loopback an address proves nothing, so the certificate is asked for that nobody else
# can show (certificates.py).
INSIDE = """\
  -o smtpd_tls_security_level=encrypt
  -o smtpd_tls_req_ccert=yes
  -o smtpd_tls_CAfile={folder}/tls/inside.pem
  -o smtpd_client_connection_count_limit=0
  -o smtpd_client_restrictions=permit_tls_all_clientcerts,reject
  -o smtpd_sender_restrictions=
  -o smtpd_relay_restrictions=permit_tls_all_clientcerts,reject
"""

# Round once for a sender that postsrsd signs, and back for one that it signed. Only these two ask it: what stays here
# goes on without it. What is handed to another server comes round one recipient at a time (`round`).
FORWARDED = """\
{inside}:{forwards} inet n - n - - smtpd
  -o syslog_name=postfix/forwards
  -o cleanup_service_name=cleanup-forwards
{only_inside}  -o smtpd_recipient_restrictions=$forwards_recipients
{inside}:{bounces} inet n - n - - smtpd
  -o syslog_name=postfix/bounces
  -o cleanup_service_name=cleanup-bounces
{only_inside}  -o smtpd_recipient_restrictions=permit_tls_all_clientcerts,reject
cleanup-forwards unix n - n - 0 cleanup
  -o sender_canonical_maps=tcp:{inside}:{srs_forward}
  -o sender_canonical_classes=envelope_sender
  -o virtual_alias_maps=
cleanup-bounces unix n - n - 0 cleanup
  -o recipient_canonical_maps=tcp:{inside}:{srs_reverse}
  -o recipient_canonical_classes=envelope_recipient
{round}forwarded unix - - n - - smtp
  -o syslog_name=postfix/forwarded
handed unix - - n - - smtp
  -o syslog_name=postfix/handed
handed-tls unix - - n - - smtp
  -o syslog_name=postfix/handed
  -o smtp_tls_security_level=secure
  -o smtp_tls_secure_cert_match=nexthop
  -o smtp_tls_CApath=/etc/ssl/certs
"""
ROUND = """\
{name} unix - - n - - smtp
  -o syslog_name=postfix/srs
  -o smtp_tls_security_level=encrypt
  -o smtp_tls_cert_file={folder}/tls/inside.pem
  -o smtp_tls_key_file={folder}/tls/inside.key
"""


# What filters send, from Dovecot, which shows the certificate. One recipient each, as it does: to outside it goes
# round, and that is decided of the whole message. Without who judges it (sieve_out.py) it waits where it came from.
SIEVE = """\
{inside}:{sieve_out} inet n - n - - smtpd
  -o syslog_name=postfix/sieve
  -o smtpd_milters=unix:{folder}/run/milter/sieve.sock
  -o milter_default_action=tempfail
  -o milter_protocol=6
  -o smtpd_recipient_limit=1
{only_inside}  -o smtpd_recipient_restrictions=$sieve_recipients
"""


def render(config: NodeConfig, mail_ids: tuple[int, int], agent_ids: tuple[int, int]) -> str:
    """The ids are uid and gid of who owns the sink, and what comes back of our own letters."""
    address, ports = config.address, config.ports
    behind = SMTPD_BEHIND.format(address=address, behind=ports.behind, folder=config.folder)
    text = f"# Rendered by Postroom; changes here are lost.\n{address}:{ports.smtp} inet n - n - - smtpd\n"
    uid, gid = agent_ids
    text += behind + SERVICES + RETURNED.format(folder=config.folder, uid=uid, gid=gid)
    only_inside = INSIDE.format(folder=config.folder)
    round_ = "".join(ROUND.format(name=name, folder=config.folder) for name in ("srs", "round"))
    about = {"folder": config.folder, "inside": config.inside, "only_inside": only_inside, "round": round_}
    for services in (FORWARDED, SIEVE):
        text += services.format(**about, **vars(ports))
    if config.sink is not None:
        uid, gid = mail_ids
        text += SINK.format(parent=config.sink.parent, name=config.sink.name, uid=uid, gid=gid)
    return text
