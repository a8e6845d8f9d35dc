"""dovecot.conf as Dovecot 2.3 reads it. Text only; what it is for stands in dovecot.py."""

from . import accounts
from .layout import NodeConfig
from .own_keys import token_key

CONF = """\
# Rendered by Postroom; changes here are lost.
base_dir = {folder}/dovecot/run
state_dir = {folder}/dovecot/state
log_path = {folder}/log/dovecot.log
log_timestamp = "%Y-%m-%d %H:%M:%S "
import_environment = TZ POSTROOM_STATE
default_internal_user = dovecot
default_internal_group = dovecot
default_login_user = dovenull
listen = {address}
protocols = imap lmtp sieve submission
hostname = {hostname}
recipient_delimiter = +
mail_uid = {mail}
mail_gid = {mail}
first_valid_uid = 1
first_valid_gid = 1
mail_home = {folder}/mail/%Ld/%Ln
mail_location = maildir:~/Maildir
mail_plugins = quota acl
mail_max_userip_connections = 50

ssl = required
ssl_cert = <{folder}/tls/cert.pem
ssl_key = <{folder}/tls/key.pem
ssl_min_protocol = TLSv1.2
# Shown to Postfix by the submission proxy, which is who may name logins there.
ssl_client_cert = <{folder}/tls/inside.pem
ssl_client_key = <{folder}/tls/inside.key
# Without one, every sign-in to submission reads the machine's list of authorities: 20 ms of CPU (tried on 2.3).
ssl_client_ca_file = {folder}/tls/inside.pem
disable_plaintext_auth = yes

auth_mechanisms = plain login xoauth2 oauthbearer
auth_username_format = %Lu
auth_cache_size = 0
auth_verbose = yes
auth_failure_delay = 1 s
auth_policy_server_url = http://{address}:{auth_policy}/
auth_policy_server_api_header = X-API-Key: {policy_key}
auth_policy_server_timeout_msecs = 1000
# What a program calls itself (IMAP ID, RFC 2971) stands in the history of sign-ins.
imap_id_retain = yes
auth_policy_hash_nonce = {policy_nonce}
# One question a sign-in; and when nobody answers it goes on, with the penalty of an address alone.
auth_policy_check_after_auth = no
auth_policy_reject_on_fail = no
auth_policy_request_attributes = login=%{{requested_username}} pwhash=%{{hashed_password}} remote=%{{rip}} \
  device_id=%{{client_id}} protocol=%s session_id=%{{session}} cred=%{{passdb:cred}} mech=%m
# A token is looked at by auth_policy.py and by nothing else, whatever the answer.
passdb {{
  name = oauth
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {conf}/passdb-oauth.conf.ext
  result_failure = return-fail
  result_internalfail = return-fail
}}
passdb {{
  name = app
  driver = sql
  args = {conf}/passdb-app.conf.ext
  auth_verbose = no
}}
passdb {{
  name = main
  driver = sql
  args = {conf}/passdb-main.conf.ext
}}
userdb {{
  driver = sql
  args = {conf}/userdb.conf.ext
  default_fields = cfg={marker}
}}
login_log_format_elements = user=<%u> cred=%{{passdb:cred}} method=%m rip=%r mpid=%e %c session=<%{{session}}>

namespace inbox {{
  inbox = yes
  separator = /
{folders}}}

{open_words}
namespace shared {{
  type = shared
  separator = /
  prefix = shared/%%u/
  location = maildir:{folder}/opened/%%u
  subscriptions = no
  list = children
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
  extra_groups = {maps_group},{secrets_group}
}}
service imap-login {{
  # A few processes for all connections: one for each takes 10 ms of CPU and, with TLS, stays as long as the session, of
  # which there could be a hundred then. 1,600 sessions, and at most a hundred in one process (decision 28).
  service_count = 0
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
  service_count = 0
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
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0600
    user = postfix
  }}
}}
service doveadm {{
  inet_listener http {{
    address = {address}
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
# What filters send goes where it is judged (sieve_out.py), with the certificate by which Postfix knows us; without this
# it would go to the machine's own sendmail. The address is loopback, so there is no name to look at in Postfix's.
submission_host = {inside}:{sieve_out}
submission_ssl = starttls
ssl_client_require_valid_cert = no

protocol imap {{
  mail_plugins = $mail_plugins imap_quota
}}
protocol submission {{
  # It opens no mailbox, and each sign-in is a new process that would load them.
  mail_plugins =
}}
protocol lmtp {{
  mail_plugins = $mail_plugins sieve
  # A full mailbox is told to the sender's queue, not to the sender: it may be emptied in time.
  quota_full_tempfail = yes
  # A filter files into folders of its own mailbox, and makes them: what cannot be opened would put the mail off.
  lda_mailbox_autocreate = yes
  namespace shared {{
    disabled = yes
  }}
  # Here alone: where nobody is signed in, ManageSieve finds it wanting.
  plugin {{
    sieve_user_email = %Lu
  }}
}}
plugin {{
  acl = vfile
  acl_defaults_from_inbox = yes
  acl_shared_dict = file:{folder}/openers/boxes
  sieve = file:~/sieve;active=~/.dovecot.sieve
  # Mail is passed on in the name of the mailbox, and so are answers (sieve_out.py makes their sender null).
  sieve_max_redirects = 4
  sieve_redirect_envelope_from = user_email
  sieve_vacation_send_from_recipient = yes
  # reject, and ereject with it, would lose mail: that it was rejected is told by mail, which goes nowhere from here.
  sieve_extensions = -enotify -include -editheader -reject
  quota = count:User quota
  quota_vsizes = yes
}}
"""

OAUTH = """\
introspection_mode = post
introspection_url = http://dovecot:{token_key}@{address}:{auth_policy}/introspect
# The protocol is told in a header.
send_auth_headers = yes
timeout_msecs = 2000
max_parallel_connections = 8
username_attribute = username
active_attribute = active
active_value = true
pass_attrs = cred=%{{oauth2:cred}} userdb_user_cred=%{{oauth2:cred}}
"""

QUOTA = "CASE WHEN quota_mb IS NULL THEN NULL ELSE '*:storage=' || quota_mb || 'M' END AS quota_rule"


def render(config: NodeConfig, marker: str, api_key: str, policy: tuple[str, str]) -> dict[str, str]:
    """Path below the configuration's folder → text."""
    ports, users, conf = config.ports, config.users, config.dovecot_conf.parent
    main = CONF.format(
        folder=config.folder,
        conf=conf,
        address=config.address,
        inside=config.inside,
        hostname=config.hostname,
        marker=marker,
        api_key=api_key,
        policy_key=policy[0],
        policy_nonce=policy[1],
        mail=users.mail,
        auth=users.auth,
        maps_group=users.maps_group,
        secrets_group=users.secrets_group,
        web_auth=config.web_auth,
        web=users.web,
        folders=accounts.FOLDERS,
        open_words=accounts.OPEN_WORDS,
        **accounts.LOGIN,
        **vars(ports),
    )
    secrets, maps = config.database("secrets"), config.database("maps")
    user = accounts.user_query(config, "%Lu", "%Ld", "%Ln", "%Ls", QUOTA)
    return {
        "dovecot.conf": main,
        "passdb-oauth.conf.ext": OAUTH.format(
            address=config.address, auth_policy=ports.auth_policy, token_key=token_key(policy[0])
        ),
        "passdb-app.conf.ext": _sql(secrets, password=accounts.app_query("%Lu", "%{sha256:password}", "%Ls")),
        "passdb-main.conf.ext": _sql(secrets, password=accounts.password_query("%Lu", "%Ls")),
        "userdb.conf.ext": _sql(maps, user=user, iterate=accounts.ITERATE),
    }


def _sql(database: object, **queries: str) -> str:
    lines = [f"{name}_query = {query}" for name, query in queries.items()]
    return "\n".join(["driver = sqlite", f"connect = {database}", *lines]) + "\n"
