"""Dovecot's configuration for one node, as text, in the language of the version that is installed.

2.3 and 2.4 share what they ask the files (accounts.py) and nothing of their spelling (dovecot23.py, dovecot24.py).
What it does:
- two password databases in secrets.db, app passwords and the main one; no cache of answers, so an end is an end;
- accounts in maps.db: whoever may not sign in still gets mail;
- before a password is looked at, auth_policy.py is asked whether it may be tried, and told
  what came of it;
- nobody sends a password without TLS; POP3 is off; what filters send is judged (sieve_out.py).
"""

from . import dovecot23, dovecot24
from .layout import NodeConfig


def render(config: NodeConfig, marker: str, api_key: str, policy: tuple[str, str]) -> dict[str, str]:
    """Path below the configuration's folder → text.

    `api_key` opens the HTTP interface; `policy`: key and nonce of the count of sign-ins.
    """
    render_for = dovecot24.render if config.dovecot_version >= (2, 4) else dovecot23.render
    return render_for(config, marker, api_key, policy)
