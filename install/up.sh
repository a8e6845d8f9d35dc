#!/bin/bash
# Installs what is missing, then becomes `postroom up`: one process, so that Ctrl-C reaches it and nothing in between.
# shellcheck source=install/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

bash "$checkout/install/install.sh"
cd /
exec "$state/venv/bin/postroom" up "$@"
