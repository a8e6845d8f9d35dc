#!/bin/bash
# Debian packages, without starting their system services. With --for-tests also what tests alone need.
#
# Skips everything when all are installed. Waits for other users of apt and dpkg: a new cloud machine runs its own
# updates in the first minutes.
# shellcheck source=install/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

packages=(
    ca-certificates python3-venv
    postgresql
    postfix postfix-sqlite postsrsd
    dovecot-imapd dovecot-lmtpd dovecot-sieve dovecot-managesieved dovecot-submissiond dovecot-sqlite
    pdns-server pdns-backend-sqlite3
    unbound dns-root-data # the validating resolver that domains are looked at through
    fonts-dejavu-core # what inventory sheets are written in
)
for_tests=(
    chromium libatomic1 # the browser, and what its driver is linked to (Debian 12 brings that with nothing else)
    golang-go golang-golang-x-mod-dev # a verifier of the record that is not ours
    nsd dnsperf # a name server for ten thousand zones, and what asks as fast as can be asked
    isync msmtp # mail programs that people use, which sign in and are cut off
    libsasl2-modules-kdexoauth2 # by which isync shows a token
    gcc libc6-dev # a clock that stories move, for the programs of one installation
    systemd # systemd-analyze, which reads the units in deploy/; nothing of it is started
)
[ "${1:-}" != --for-tests ] || packages+=("${for_tests[@]}")
# Units and init scripts that come with the packages above.
services=(postgresql postfix dovecot pdns postsrsd unbound unbound-resolvconf nsd)

guard=/usr/sbin/policy-rc.d
guard_mark="# postroom: starts nothing while its packages are installed"
log=$(mktemp)

missing() {
    local package
    for package in "${packages[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || echo "$package"
    done
}

clean_up() {
    rm -f "$log"
    if grep -qsF "$guard_mark" "$guard"; then rm -f "$guard"; fi
}

# invoke-rc.d and deb-systemd-invoke ask this file. One that is there already is the machine's own choice.
put_guard() {
    [ -e "$guard" ] || [ -L "$guard" ] || printf '#!/bin/sh\n%s\nexit 101\n' "$guard_mark" > "$guard"
    chmod 755 "$guard"
}

run() { # COMMAND…: quiet while it works, its last words when it fails
    "$@" < /dev/null > "$log" 2>&1
}

failed() {
    tail -n 15 "$log" >&2
    die "$1"
}

# apt-get update has no lock timeout of its own: DPkg::Lock::Timeout does not reach the lists' lock.
update_lists() {
    local attempt tries=0
    for attempt in $(seq 120); do
        if run apt-get -q -o Acquire::Retries=3 update; then return; fi
        if grep -q "Could not get lock" "$log"; then
            [ "$attempt" != 1 ] || say "waiting for another program that updates the package lists"
        else
            tries=$((tries + 1))
            [ "$tries" -lt 3 ] || failed "apt-get update failed"
        fi
        sleep 5
    done
    failed "the package lists were locked for ten minutes"
}

install() {
    run apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
        --no-install-recommends install "$@"
}

# What was not on this machine before shall not take its ports at the next boot either.
disable() {
    local service
    for service in "$@"; do
        # Where there is no systemctl, units are not read; it works on a systemd that is not running, too.
        if command -v systemctl > /dev/null; then systemctl --quiet disable "$service" > /dev/null 2>&1 || true; fi
        if [ -x "/etc/init.d/$service" ]; then update-rc.d "$service" disable > /dev/null 2>&1 || true; fi
    done
}

present() { [ -e "/etc/init.d/$1" ] || [ -e "/lib/systemd/system/$1.service" ]; }

mapfile -t wanted < <(missing)
if [ "${#wanted[@]}" = 0 ]; then
    clean_up
    exit 0
fi
command -v apt-get > /dev/null || die "needs these packages, and there is no apt-get here: ${wanted[*]}"

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# One installer at a time: the second must not lose its guard when the first is done.
exec 9> /run/lock/postroom-packages.lock
flock 9
export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1

new_services=()
for service in "${services[@]}"; do present "$service" || new_services+=("$service"); done

put_guard
say "installing ${#wanted[@]} Debian packages: ${wanted[*]}"
update_lists
if ! install "${wanted[@]}"; then
    # An installation that was interrupted before leaves packages that only dpkg itself can finish.
    grep -q "dpkg --configure -a" "$log" || failed "the packages could not be installed"
    run dpkg --configure -a || failed "dpkg was interrupted before and could not finish"
    install "${wanted[@]}" || failed "the packages could not be installed"
fi
disable "${new_services[@]}"
