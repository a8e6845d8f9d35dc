#!/bin/bash
# System users and groups, made by name where they are missing: the ids differ between machines.
#
#   postroom         web and worker                    postroom-maps      may read the routing maps
#   postroom-agent   the mail node's agent             postroom-secrets   may read password hashes
#   postroom-auth    Dovecot's database look-ups       postroom-keys      may read DKIM keys
#   postroom-milter  signing and From: checks
#   postroom-policy  counts who tries passwords
#   postroom-sieve   takes Sieve scripts apart, and may do nothing else
#   postroom-mail    owns the Maildirs
#   postroom-srs     senders of what is passed on to outside
#   postroom-record  gives the record its order         postroom-signer    signs it, alone with its key
# shellcheck source=install/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

group() { getent group "$1" > /dev/null || groupadd --system "$1"; }

account() {
    group "$1"
    getent passwd "$1" > /dev/null || useradd --system --gid "$1" --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin "$1"
}

join() { # USER GROUP…
    local user=$1
    shift
    local wanted
    for wanted in "$@"; do
        [[ " $(id -nG "$user") " == *" $wanted "* ]] || usermod --append --groups "$wanted" "$user"
    done
}

for user in postroom postroom-agent postroom-auth postroom-milter postroom-policy postroom-sieve postroom-mail \
    postroom-record postroom-signer postroom-srs; do account "$user"; done
for name in postroom-maps postroom-secrets postroom-keys; do group "$name"; done
join postroom-agent postroom-maps postroom-secrets postroom-keys
join postroom-auth postroom-maps postroom-secrets
join postroom-policy postroom-maps
join postroom-milter postroom-maps postroom-keys
join postfix postroom-maps
