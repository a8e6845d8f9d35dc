# Sourced by every script here: strict mode, a known environment, and where things are.
# shellcheck shell=bash disable=SC2034,SC2154

set -euo pipefail

# A locale that exists everywhere: initdb fails under one that was forwarded by ssh but never generated.
export LC_ALL=C.UTF-8 LANG=C.UTF-8
unset LANGUAGE LC_MESSAGES LC_CTYPE
# The service users must be able to read what is made here, whatever the caller's umask.
umask 022
# An ordinary user's PATH has no sbin, and a Python version manager may come first.
export PATH="/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin${PATH:+:$PATH}"
# Settings of a caller's own Python work would send packages elsewhere or contradict the lock file.
unset PYTHONHOME PYTHONPATH PYTHONSTARTUP VIRTUAL_ENV CONDA_PREFIX
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_VIRTUALENV PIP_CONSTRAINT PIP_REQUIRE_HASHES
unset UV_FROZEN UV_LOCKED UV_PROJECT UV_WORKING_DIRECTORY UV_PYTHON UV_SYSTEM_PYTHON UV_PYTHON_PREFERENCE
unset UV_MANAGED_PYTHON UV_NO_MANAGED_PYTHON UV_NO_BUILD UV_NO_BINARY UV_NO_BUILD_ISOLATION UV_NO_SYNC
unset UV_EDITABLE UV_NO_EDITABLE UV_NO_DEV UV_DEV UV_CONSTRAINT UV_OVERRIDE UV_PROJECT_ENVIRONMENT

checkout=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=/usr/bin/python3
uv_version=0.13.9

say() { echo "postroom: $*"; }
die() {
    echo "postroom: $*" >&2
    exit 1
}

state=${POSTROOM_STATE:-/var/lib/postroom}
while [ "$state" != / ] && [ "${state%/}" != "$state" ]; do state=${state%/}; done
# The path ends up in the configuration of five servers, each with its own quoting.
[[ $state =~ ^(/[A-Za-z0-9._@+-]+)+$ && ! $state =~ (^|/)\.\.?(/|$) ]] \
    || die "the state folder must be an absolute path of plain characters, without spaces, '.' or '..': '$state'"
export POSTROOM_STATE=$state
# uv and its cache live in the state folder; the tests share one pair between all their state folders.
tools=${POSTROOM_TOOLS:-$state}

# What the tests and the benchmarks share: not of any one checkout, since those come and go.
shared_tools=/var/cache/postroom

# As nobody: any folder on the way that others may not enter is named.
refuse_closed_state() {
    local folder=
    local part
    while IFS= read -r part; do
        [ -n "$part" ] || continue
        folder=$folder/$part
        [ -e "$folder" ] || mkdir "$folder"
        setpriv --reuid=65534 --regid=65534 --clear-groups -- test -x "$folder" || die \
            "the state folder $state cannot be used: the service users may not enter $folder (chmod o+x it, or set POSTROOM_STATE to a folder under /srv or /var/lib)"
    done < <(tr / '\n' <<< "$state")
}
