# Sourced, in strict mode: commands that run beside each other, and are told one after another when all have ended.
# shellcheck shell=bash

declare -A beside_groups
beside_told=$(mktemp -d)
trap end_beside EXIT

# beside NAME COMMAND…: in a group of its own, which an interrupt of this script ends with all it started (without job
# control a shell has its children ignore interrupts).
beside() {
    set -m
    "${@:2}" > "$beside_told/$1" 2>&1 < /dev/null &
    beside_groups[$1]=$!
    set +m
}

# Waits for all, prints what each printed, and last, where it is looked for, what of it was red. The code is 0 if all
# were, else that of one which was not.
tell_all() {
    local code=0 name red=()
    for name in "${!beside_groups[@]}"; do
        wait "${beside_groups[$name]}" || { code=$? && red+=("$name ended with $code"); }
    done
    for name in "${!beside_groups[@]}"; do echo "postroom: $name" && cat "$beside_told/$name"; done
    (cd "$beside_told" && grep -ahE '^postroom: unsteady' ./*) || true
    [ "$code" = 0 ] && return
    (cd "$beside_told" && grep -aE '^(FAILED|ERROR) |^[0-9]+ (failed|error)' ./*) || true
    printf 'postroom: %s\n' "${red[@]}"
    return "$code"
}

# What still runs is interrupted. What has ended cannot be, which is no fault.
end_beside() {
    local name
    for name in "${!beside_groups[@]}"; do kill -INT -- "-${beside_groups[$name]}" 2> /dev/null || true; done
    wait
    rm -rf "$beside_told"
}
