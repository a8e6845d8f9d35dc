#!/bin/bash
# The locked Python environment in the state folder, <state>/venv, with our code installed in it, not linked: nothing
# that runs needs the checkout. Done again only when the lock, the sources or the interpreter changed.
# shellcheck source=install/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
# shellcheck source=install/uv.sh
source "$checkout/install/uv.sh"
cd "$checkout"

key=$({ printf '%s\0' uv.lock pyproject.toml README.md LICENSE \
    && find src -name __pycache__ -prune -o -type f -print0 | sort -z; } | fingerprint)
mark=$state/venv/.complete
if [ "$(cat "$mark" 2> /dev/null)" = "$key" ] && "$state/venv/bin/python" -c '' 2> /dev/null; then exit 0; fi

# `postroom up` holds this lock while it runs; its processes would start again with half of each version.
holder=$state/run/up.pid
if [ -e "$holder" ] && ! flock --nonblock "$holder" true; then
    die "the code changed, but an installation runs on $state (pid $(cut -d' ' -f1 "$holder")): stop it first"
fi

say "building the Python environment in $state/venv"
make_uv
staging=$state/venv.new
rm -rf "$staging"
# Relocatable: built beside, then renamed, so that the one in use stays whole until the new one is.
uv venv --relocatable --no-project --python "$python" "$staging"
# uv keeps a wheel of ours by the time of pyproject.toml alone; the sources may be newer.
UV_PROJECT_ENVIRONMENT=$staging uv sync --locked --no-dev --no-editable --python "$python" \
    --refresh-package postroom --reinstall-package postroom
echo "$key" > "$staging/.complete"
rm -rf "$state/venv.old"
[ ! -e "$state/venv" ] || mv -T "$state/venv" "$state/venv.old"
mv -T "$staging" "$state/venv"
rm -rf "$state/venv.old"
