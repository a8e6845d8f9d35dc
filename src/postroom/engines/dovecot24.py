"""dovecot.conf as Dovecot 2.4 reads it. Text only; what it is for stands in dovecot.py."""

from . import accounts
from .layout import NodeConfig
from .own_keys import token_key

CONF = """\
# Rendered by Postroom; changes here are lost.
dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
base_dir = {folder}/dovecot/run
state_dir = {folder}/dovecot/state
log_path = {folder}/log/dovecot.log
import_environment {{
  TZ = %{{env:TZ}}
  POSTROOM_STATE = %{{env:POSTROOM_STATE}}
}}
default_internal_user = dovecot
default_internal_group = dovecot
default_login_user = dovenull
listen = {address}
protocols {{
  imap = yes
  lmtp = yes
  sieve = yes
  submission = yes
}}
hostname = {hostname}
recipient_delimiter = +
mail_uid = {mail}
mail_gid = {mail}
first_valid_uid = 1
first_valid_gid = 1
mail_home = {folder}/mail/%{{user | domain | lower}}/%{{user | username | lower}}
mail_driver = maildir
mail_path = ~/Maildir
mailbox_list_layout = maildir++
mail_plugins {{
  quota = yes
  acl = yes
}}
mail_max_userip_connections = 50

ssl = required
ssl_server_cert_file = {folder}/tls/cert.pem
ssl_server_key_file = {folder}/tls/key.pem
ssl_min_protocol = TLSv1.2
# Shown to Postfix by the submission proxy, which is who may name logins there.
ssl_client_cert_file = {folder}/tls/inside.pem
ssl_client_key_file = {folder}/tls/inside.key
# Without one, every sign-in to submission reads the machine's list of authorities: 20 ms of CPU (tried on 2.3).
ssl_client_ca_file = {folder}/tls/inside.pem
auth_allow_cleartext = no

auth_mechanisms = plain login xoauth2 oauthbearer
auth_username_format = %{{user | lower}}
auth_cache_size = 0
auth_verbose = yes
auth_failure_delay = 1s
auth_policy_server_url = http://{address}:{auth_policy}/
auth_policy_server_api_header = X-API-Key: {policy_key}
# What a program calls itself (IMAP ID, RFC 2971) stands in the history of sign-ins.
imap_id_retain = yes
auth_policy_hash_nonce = {policy_nonce}
# One question a sign-in; and when nobody answers it goes on, with the penalty of an address alone.
auth_policy_check_after_auth = no
auth_policy_reject_on_fail = no
http_client_request_timeout = 1s
auth_policy_request_attributes {{
  login = %{{requested_username}}
  pwhash = %{{hashed_password}}
  remote = %{{remote_ip}}
  device_id = %{{client_id}}
  protocol = %{{protocol}}
  session_id = %{{session}}
  cred = %{{passdb:cred}}
  mech = %{{mechanism}}
}}
# A token is looked at by auth_policy.py alone: what password databases said of it afterwards would stand for it.
oauth2 {{
  introspection_mode = post
  introspection_url = http://dovecot:{token_key}@{address}:{auth_policy}/introspect
  # The protocol is told in a header.
  send_auth_headers = yes
  username_attribute = username
  active_attribute = active
  active_value = true
}}
sql_driver = sqlite
passdb app {{
  driver = sql
  mechanisms_filter = plain login
  sqlite_path = {secrets}
  use_cache = no
  sql_query = {app_query}
}}
passdb main {{
  driver = sql
  sqlite_path = {secrets}
  use_cache = no
  sql_query = {password_query}
}}
userdb sql {{
  fields {{
    cfg = {marker}
  }}
  sqlite_path = {maps}
  use_cache = no
  sql_query = {user_query}
  sql_iterate_query = {iterate}
}}
login_log_format_elements = user=<%{{user}}> cred=%{{passdb:cred}} method=%{{mechanism}} rip=%{{remote_ip}} \
mpid=%{{mail_pid}} %{{secured}} session=<%{{session}}>

namespace inbox {{
  inbox = yes
  separator = /
{folders}}}

{open_words}
namespace shared {{
  type = shared
  separator = /
  prefix = shared/$user/
  mail_path = {folder}/opened/%{{owner_user}}
  subscriptions = no
  list = children
}}
acl_driver = vfile
acl_defaults_from_inbox = yes
acl_sharing_map {{
  dict file {{
    path = {folder}/openers/boxes
  }}
}}

service auth {{
  extra_groups = {maps_group}
  unix_listener auth-postfix {{
    mode = 0600
    user = postfix
  }}
  # The pages ask here whether a typed password is the mailbox's (dovecot_auth.py).
  unix_listener {web_auth} {{
    mode = 0660
    group = {web}
  }}
}}
service auth-worker {{
  user = {auth}
  group = {auth}
  extra_groups = {maps_group} {secrets_group}
}}
service imap-login {{
  # A few processes for all connections: one for each takes 10 ms of CPU and, with TLS, stays as long as the session, of
  # which there could be a hundred then. 1,600 sessions, and at most a hundred in one process (decision 28).
  restart_request_count = unlimited
  client_limit = {login_clients}
  process_min_avail = {login_ready}
  process_limit = {login_processes}
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service submission-login {{
  restart_request_count = unlimited
  client_limit = {login_clients}
  process_min_avail = {login_ready}
  process_limit = {login_processes}
  inet_listener submission {{
    port = {submission}
  }}
  inet_listener submissions {{
    port = {submissions}
    ssl = yes
  }}
}}
service managesieve-login {{
  inet_listener sieve {{
    port = {managesieve}
  }}
  inet_listener sieve_deprecated {{
    port = 0
  }}
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0600
    user = postfix
  }}
}}
service doveadm {{
  inet_listener http {{
    listen = {address}
    port = {doveadm}
  }}
}}
doveadm_api_key = {api_key}

submission_relay_host = {address}
submission_relay_port = {behind}
submission_relay_ssl = starttls
submission_relay_ssl_verify = no
submission_relay_trusted = yes
submission_max_mail_size = 50M
# What filters send goes where it is judged (sieve_out.py), with our certificate, and not to the machine's sendmail.
submission_host = {inside}:{sieve_out}
submission_ssl = starttls
ssl_client_require_valid_cert = no

protocol imap {{
  mail_plugins {{
    imap_quota = yes
  }}
}}
protocol submission {{
  # It opens no mailbox, and each sign-in is a new process that would load them.
  mail_plugins {{
    quota = no
    acl = no
  }}
}}
protocol lmtp {{
  mail_plugins {{
    sieve = yes
  }}
  # A full mailbox is told to the sender's queue: it may be emptied in time. A filter files into its own mailbox alone.
  quota_full_tempfail = yes
  lda_mailbox_autocreate = yes
  namespace shared {{
    disabled = yes
  }}
}}
sieve_script personal {{
  driver = file
  path = ~/sieve
  active_path = ~/.dovecot.sieve
}}
# Mail is passed on in the name of the mailbox, and so are answers (sieve_out.py makes their sender null).
sieve_max_redirects = 4
sieve_redirect_envelope_from = user_email
sieve_vacation_send_from_recipient = yes
# reject, and ereject with it, would lose mail: that it was rejected is told by mail, which goes nowhere from here.
sieve_extensions {{
  enotify = no
  include = no
  editheader = no
  reject = no
}}
quota User {{
  driver = count
}}
"""

QUOTA = """CASE WHEN quota_mb IS NULL THEN NULL ELSE quota_mb || 'M' END AS "quota/User/storage_size\""""
# By whose name filters send. Said here, since doveconf takes no variable for an address (tried on 2.4.1).
SENDER = "address AS sieve_user_email"
# Sessions ask whose mailbox it is that they open, and are answered about their own user's alone (tried on 2.4.1).
WHOSE = "'{mail}' AS uid"
# With a filter of mechanisms the look-up by which we read back, which has none, would skip it (tried on 2.4.1).
NO_TOKEN = "AND '%{mechanism}' NOT IN ('XOAUTH2', 'OAUTHBEARER')"
ADDRESS, DOMAIN, LOCAL = "%{user | lower}", "%{user | domain | lower}", "%{user | username | lower}"


def render(config: NodeConfig, marker: str, api_key: str, policy: tuple[str, str]) -> dict[str, str]:
    """Path below the configuration's folder → text."""
    ports, users = config.ports, config.users
    more = ", ".join((QUOTA, SENDER, WHOSE.format(mail=users.mail)))
    main = CONF.format(
        folder=config.folder,
        address=config.address,
        inside=config.inside,
        hostname=config.hostname,
        marker=marker,
        api_key=api_key,
        policy_key=policy[0],
        policy_nonce=policy[1],
        token_key=token_key(policy[0]),
        mail=users.mail,
        auth=users.auth,
        maps_group=users.maps_group,
        secrets_group=users.secrets_group,
        web_auth=config.web_auth,
        web=users.web,
        folders=accounts.FOLDERS,
        open_words=accounts.OPEN_WORDS,
        **accounts.LOGIN,
        secrets=config.database("secrets"),
        maps=config.database("maps"),
        app_query=accounts.app_query(ADDRESS, "%{password | sha256}", "%{protocol}"),
        password_query=accounts.password_query(ADDRESS, "%{protocol}", NO_TOKEN),
        user_query=accounts.user_query(config, ADDRESS, DOMAIN, LOCAL, "%{protocol}", more, asks_owner=True),
        iterate=accounts.ITERATE,
        **vars(ports),
    )
    return {"dovecot.conf": main}
