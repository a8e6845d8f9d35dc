#!/bin/bash
# Makes this machine able to run `postroom up`: packages, users, the Python environment. Started again, it does nothing.
# shellcheck source=install/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
cd "$checkout"

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || die "needs Debian's own Python 3.11 or later at $python (package python3)"
refuse_closed_state
bash install/packages.sh
bash install/users.sh
bash install/environment.sh
