#!/bin/sh
# Make .venv ready for what is asked: `tools/setup.sh run` or `tools/setup.sh dev`.
#
# Called by make before everything else, so it must be quick when nothing is to be done: a stamp in
# .venv remembers what was installed, for which Python and in which folder. It works on a fresh
# Debian 12 or Raspberry Pi OS that has Python, git and make, as root, with sudo, or as somebody who
# may not install anything, who is told in one sentence what is missing.
set -eu
cd "$(dirname "$0")/.."

kind=${1:-run}
log=.venv/setup.log

say() { printf '%s\n' "$*"; }
give_up() {
    say "Stopped: $*" >&2
    exit 1
}

# --- which Python ------------------------------------------------------------------------------

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && is_new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
}

# --- what apt can bring ------------------------------------------------------------------------

# Without ensurepip (Debian's python3-venv) `python -m venv` fails halfway; `import venv` does not.
has_venv() { "$python" -c 'import ensurepip' 2>/dev/null; }
has_mosquitto() { command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ]; }
has_chromium() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null; }
# The Node inside Playwright needs it, and a small Debian has it not.
has_libatomic() { ls /usr/lib/*/libatomic.so.1 >/dev/null 2>&1; }
has_influxd() { command -v influxd >/dev/null; }
has_victoria() { command -v victoria-metrics >/dev/null; }
has_strace() { command -v strace >/dev/null; }
has_age() { command -v age >/dev/null; }
has_wrk() { command -v wrk >/dev/null; }
has_cjk_font() {
    if command -v fc-list >/dev/null; then
        [ -n "$(fc-list :lang=zh-cn family 2>/dev/null)" ]
    else
        ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@" # nobody is there to type a password
    fi
}

may_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] && return 0
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null || { [ -t 0 ] && as_root true; }
}

install_packages() { # packages; the reason is said by the caller
    apt_log=$(mktemp)
    # An image without package lists (a container, a fresh card) finds nothing before an update.
    # RUNLEVEL=1: what the tests need is started by them; nothing shall run on its own from here on.
    if ! ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1; then
        as_root apt-get update >"$apt_log" 2>&1 || true
    fi
    if ! as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y --no-install-recommends "$@" >>"$apt_log" 2>&1; then
        # Old lists name versions that are gone from the mirror.
        as_root apt-get update >>"$apt_log" 2>&1 || true
        if ! as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
            apt-get install -y --no-install-recommends "$@" >>"$apt_log" 2>&1; then
            tail -n 3 "$apt_log" >&2
            rm -f "$apt_log"
            return 1
        fi
    fi
    rm -f "$apt_log"
}

missing=""
reasons=""
wants() { # check package reason
    "$1" && return
    missing="$missing $2"
    reasons="${reasons:+$reasons; }$2: $3"
}

bring_missing() { # all in one go; what is still missing afterwards is the caller's business
    [ -n "$missing" ] || return 0
    may_install || return 0
    say "Installing$missing with apt-get ($reasons)."
    # shellcheck disable=SC2086 # several words are meant
    install_packages $missing || true
}

need_all() { # pairs of check and package, as given to wants
    bring_missing
    lacking=""
    while [ $# -gt 0 ]; do
        "$1" || lacking="$lacking $2"
        shift 2
    done
    [ -z "$lacking" ] ||
        give_up "missing:$lacking ($reasons). Install: sudo apt-get update && sudo apt-get install$lacking"
}

# --- the environment ---------------------------------------------------------------------------

inputs() {
    cat tools/setup.sh pyproject.toml hatch_build.py requirements.txt
    [ "$kind" = dev ] && cat requirements-dev.txt
    [ -f hub/web/package-lock.json ] && cat hub/web/package-lock.json
    [ "$kind" = run ] && { has_mosquitto && echo mosquitto || echo amqtt; }
    # Scripts in .venv/bin name the folder, so a copied or moved tree needs new ones.
    pwd
}

stamp_now() { inputs | sha256sum | cut -d ' ' -f 1; }

works() { [ -x .venv/bin/python ] && is_new_enough .venv/bin/python; }

is_ready() {
    works && [ -d hub/web/vendor ] && [ -x .venv/bin/linli ] || return 1
    [ "$(cat ".venv/stamp-$kind" 2>/dev/null)" = "$(stamp_now)" ] && return
    # What the tests need includes what the demo needs.
    [ "$kind" = run ] && [ "$(cat .venv/stamp-dev 2>/dev/null)" = "$(kind=dev && stamp_now)" ]
}

quietly() {
    if ! "$@" >>"$log" 2>&1; then
        tail -n 15 "$log" >&2
        give_up "the command above failed; the whole story is in $log."
    fi
}

make_environment() {
    if [ -e .venv ] && ! works; then
        say "The .venv here belongs to a Python that is gone or too old; making a new one."
        rm -rf .venv
    fi
    if [ ! -e .venv ]; then
        say "Making .venv with $("$python" --version)."
        "$python" -m venv .venv || {
            rm -rf .venv # half-made folders confuse the next start
            give_up "$python -m venv failed; see above."
        }
    fi
    : >"$log"
    .venv/bin/python -m pip --version >/dev/null 2>&1 || quietly .venv/bin/python -m ensurepip
}

pip_install() {
    quietly .venv/bin/python -m pip install --disable-pip-version-check --no-input "$@"
}

install_python_packages() {
    list=requirements.txt
    [ "$kind" = dev ] && list=requirements-dev.txt
    say "Installing $(grep -c '==' $list) Python packages ($list, with their hashes)."
    pip_install --require-hashes -r "$list"
    if [ "$kind" = run ] && ! has_mosquitto; then
        say "Installing amqtt, a broker in Python, since there is no Mosquitto."
        pip_install --require-hashes -c requirements-dev.txt -r tools/demo-broker.txt
    fi
    say "Installing Linli itself; its build brings the browser files, and Node if there is none."
    pip_install --no-deps -e .
}

# --- in order ----------------------------------------------------------------------------------

python=$(find_python)
[ -n "$python" ] || give_up "there is no Python 3.11 or newer. Install it: sudo apt-get install python3"
works || wants has_venv python3-venv "it makes .venv"
if [ "$kind" = dev ] && [ "${2:-}" = tools ]; then
    wants has_mosquitto mosquitto "the tests talk to a real broker"
    wants has_chromium chromium "the tests look at the pages in a browser"
    wants has_cjk_font fonts-noto-cjk "the pages under test are in Chinese"
    wants has_libatomic libatomic1 "the program that drives the browser needs it"
    wants has_influxd influxdb "the mirror is tested against a real server"
    wants has_victoria victoria-metrics "and against one that forgets when it is killed"
    wants has_strace strace "power cuts are replayed from a recording"
    wants has_age age "backups are opened without Linli"
    # the bench of the status asks with it, and says so where it is missing: no test needs it
    wants has_wrk wrk "make bench asks for the status as fast as it can"
    need_all has_mosquitto mosquitto has_chromium chromium has_cjk_font fonts-noto-cjk \
        has_libatomic libatomic1 has_influxd influxdb has_victoria victoria-metrics \
        has_strace strace has_age age
elif [ "$kind" = run ]; then
    is_ready && exit 0 # with whichever broker it was set up; apt is not asked at every start
    wants has_mosquitto mosquitto "the demo's broker"
    bring_missing
    has_mosquitto || say "There is no Mosquitto and no right to install it: the demo uses amqtt instead."
fi
is_ready && exit 0
works || need_all has_venv python3-venv
make_environment
install_python_packages
stamp_now >".venv/stamp-$kind"
say "Ready."
