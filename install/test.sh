#!/bin/bash
# The developers' commands: test.sh all|unit|check|soak|bench. Makes <checkout>/.venv current first.
# stories|secrets|drills|servers|quick are the parts of `all`, which starts them beside each other.
#
# As root, because the servers under test change to users of their own.
# shellcheck source=install/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
export POSTROOM_TOOLS=$shared_tools
tools=$shared_tools
# shellcheck source=install/uv.sh
source "$checkout/install/uv.sh"
# shellcheck source=install/beside.sh
source "$checkout/install/beside.sh"
# shellcheck source=install/twice.sh
source "$checkout/install/twice.sh"
cd "$checkout"
venv=$checkout/.venv
# Root must leave nothing in a checkout that its owner cannot remove: what Python compiles is kept elsewhere.
export PYTHONPYCACHEPREFIX=$shared_tools/pycache HYPOTHESIS_STORAGE_DIRECTORY=$shared_tools/hypothesis GOCACHE=$shared_tools/go-build
export KEPT_CLUSTERS=$shared_tools/clusters # tests/clusters.py
unset POSTROOM_STATE

development_environment() {
    local key
    key=$(printf '%s\0' uv.lock pyproject.toml | fingerprint)
    if [ "$(cat "$venv/.complete" 2> /dev/null)" = "$key" ] && "$venv/bin/python" -c '' 2> /dev/null; then return; fi
    say "building the development environment in $venv"
    make_uv
    rm -f "$venv/.complete"
    UV_PROJECT_ENVIRONMENT=$venv uv sync --locked --python "$python"
    echo "$key" > "$venv/.complete"
    chown -R --reference="$checkout" "$venv"
}

# No test at all in a part (5) is not a failure of that part.
tests() {
    local code=0
    "$venv/bin/python" -m pytest "$@" || code=$?
    [ "$code" = 5 ] || return "$code"
}

# What goes through the doors asks whole pages and answers: it is quick too, but not within the minute of `make unit`.
doors=(api cli flaws isolation nist web)
no_servers="not server and not drill and not soak"
two=(-n 2 --dist worksteal)
units=("${doors[@]/#/--ignore=tests/}" --ignore=tests/stories --ignore=tests/drills)
unit_tests() { tests "${two[@]}" -m "$no_servers and not matrix" "${units[@]}"; }

# What talks to servers mostly waits. So five parts run at once: two of stories and the drills, each on what `make demo`
# starts, tests with servers of their own, and, yielding to all, the rest. Each is told when all are done; all run, so
# that one red test does not hide those of another part.
all() {
    aside stories
    aside secrets
    aside drills
    aside servers
    aside quick nice -n 10
    tell_all
}

aside() { beside "$1" "${@:2}" bash install/test.sh "$1"; }

live() { asked_twice "$venv/bin/python" "$@"; }
stories() { live "not soak and not secrets" tests/stories; }
secrets() { live "secrets and not soak" tests/stories; }
drills() { live "not soak" tests/drills; }
servers() { live "(server or drill) and not soak" --ignore tests/stories --ignore tests/drills; }

# Of units and doors one run: each has processes that load everything, a cluster and a cast of their own.
quick() {
    local code=0
    asked_twice "$venv/bin/python" "$no_servers and not matrix" "${two[@]}" --ignore=tests/stories --ignore=tests/drills || code=$?
    tests "${two[@]}" -m "matrix and not soak" || code=$?
    exit "$code"
}

check() {
    "$venv/bin/ruff" check --no-cache src tests
    "$venv/bin/ruff" format --no-cache --check src tests
    "$venv/bin/mypy" --cache-dir="$shared_tools/mypy"
    [ ! -d tests/architecture ] || tests tests/architecture
}

# All run, also after one that fails.
bench() {
    local file code=0
    for file in bench/*.py; do
        case $file in */house.py | */running.py) continue ;; esac
        say "$file"
        "$venv/bin/python" "$file" || { code=1; say "$file ended badly"; }
    done
    return "$code"
}

what=${1:?all, unit, check, soak or bench}
case $what in
    all | soak) bash install/packages.sh --for-tests ;;
    stories | secrets | drills | servers | quick) # all is installed: ends here
        "$what"
        exit ;;
    *) bash install/packages.sh ;;
esac
bash install/users.sh
development_environment
case $what in
    all) all ;;
    unit) unit_tests ;;
    check) check ;;
    soak) POSTROOM_SOAK=1 tests -m soak ;;
    bench) bench ;;
    *) die "no such part: $what" ;;
esac
