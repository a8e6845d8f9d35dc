# Sourced, in strict mode: tests that talk to servers; of what is red, which may be for the machine's sake, asked again.
# shellcheck shell=bash

# asked_twice PYTHON MARKERS WHERE…: pytest, of what has these markers. At most two files that hold what was red are
# asked once more, each whole. What is green only then is named: it is a defect, of that test or of ours (decision 43).
asked_twice() {
    local code=0 said red=()
    said=$(mktemp)
    "$1" -m pytest -m "$2" "${@:3}" 2>&1 | tee "$said" || code=$?
    if [ "$code" = 1 ]; then mapfile -t red < <(sed -nE 's/^(FAILED|ERROR) ([^: ]+\.py)\b.*/\2/p' "$said" | sort -u); fi
    if [ "${#red[@]}" = 1 ] || [ "${#red[@]}" = 2 ]; then
        code=0
        echo "postroom: asked once more: ${red[*]}"
        "$1" -m pytest -m "$2" "${red[@]}" || code=$?
        [ "$code" != 0 ] || printf 'postroom: unsteady, green only when asked once more: %s\n' "${red[@]}"
    fi
    rm -f "$said"
    return "$code"
}
