# Sourced: defines `uv`, which runs the pinned uv with its cache beside it, made on first use.
# shellcheck shell=bash disable=SC2034,SC2154

uv_home=$tools/uv

make_uv() {
    [ "$("$uv_home/bin/uv" --version 2> /dev/null | cut -d' ' -f2)" != "$uv_version" ] || return 0
    # A venv without python3-venv leaves half a folder behind, as does an interrupted one.
    rm -rf "$uv_home"
    mkdir -p "$tools"
    "$python" -m venv "$uv_home"
    "$uv_home/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check "uv==$uv_version" < /dev/null
}

uv() {
    UV_CACHE_DIR=$tools/uv-cache UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 UV_COMPILE_BYTECODE=1 \
        "$uv_home/bin/uv" --quiet "$@" < /dev/null
}

# One hash over files and what else must be equal for an environment to be current: NAME… on stdin, NUL between.
fingerprint() {
    { "$python" -VV && xargs -0 sha256sum -- && echo "uv $uv_version"; } | sha256sum | cut -d' ' -f1
}
