#!/bin/bash
# Runs a command as root: directly, or through sudo.
#
# sudo drops the environment; what says where packages come from, whom to trust and where our state is must
# survive, so those variables are named one by one.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
    exec "$@"
fi
if ! command -v sudo > /dev/null; then
    echo "postroom: needs root: run this as root, or install sudo" >&2
    exit 1
fi
carried='^(POSTROOM_[A-Z0-9_]+|(UV|PIP)_[A-Z0-9_]+|(https?|ftp|no|all)_proxy|(HTTPS?|FTP|NO|ALL)_PROXY|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|HYPOTHESIS_[A-Z_]+)$'
names=$(compgen -e | grep -E "$carried" | paste -sd, || true)
if [ -n "$names" ]; then
    exec sudo --preserve-env="$names" -- "$@"
fi
exec sudo -- "$@"
