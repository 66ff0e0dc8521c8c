# The common part of the tests that drive the real window on a screen of their own; to be sourced.
# Sets $work, a folder that goes at the end, and expects $shots, the folder for screenshots; $program
# is the window's process, ended with the test.

skip() { echo "skipped: $1"; exit 77; }
fail() { echo "FAIL: $1"; [ -f "$work/log" ] && tail -20 "$work/log"; exit 1; }
# need TOOL...
need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || skip "$tool is not installed"
    done
}

program= server=
cleanup() {
    # an ended program cannot be killed, and that must not keep the rest from being done
    [ -n "$program" ] && kill -9 "$program" 2>/dev/null || true
    [ -n "$server" ] && kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
make_work_folder() {
    work=$(mktemp -d)
    trap cleanup EXIT
    mkdir -p "$shots" "$work/data"
}

start_screen() {
    mkfifo "$work/display"
    Xvfb -displayfd 3 -screen 0 1440x900x24 -nolisten tcp 3>"$work/display" >/dev/null 2>&1 &
    server=$!
    DISPLAY=:$(head -n1 "$work/display")
    export DISPLAY XDG_RUNTIME_DIR=$work HOME=$work
    unset WAYLAND_DISPLAY QT_QPA_PLATFORM
}
# Waits for the window and gives it the whole screen.
wait_for_window() {
    local i window=
    for ((i = 0; i < 400; i++)); do
        window=$(xdotool search --onlyvisible --name 'KVL Workbench' 2>/dev/null | tail -n1) && [ -n "$window" ] && break
        sleep 0.05
    done
    [ -n "$window" ] || fail "no window came up within 20 s"
    xdotool windowsize "$window" 1440 900 windowmove "$window" 0 0 windowfocus "$window"
}

shoot() { timeout 10 import -window root "$shots/$1.png" || echo "no screenshot $1"; }
query() { sqlite3 -readonly "$work/data/sessions.db" "$1" 2>/dev/null || true; }
# wait_for SECONDS SQL EXPECTED WHAT
wait_for() {
    local i
    for ((i = 0; i < $1 * 20; i++)); do
        [ "$(query "$2")" = "$3" ] && return
        kill -0 "$program" 2>/dev/null || fail "the program ended while waiting for: $4"
        sleep 0.05
    done
    shoot failed
    fail "$4: found \"$(query "$2")\", expected \"$3\""
}
# ends_within_5_s WHAT: the program ends by itself
ends_within_5_s() {
    local i
    for ((i = 0; i < 50; i++)); do
        kill -0 "$program" 2>/dev/null || return 0
        sleep 0.1
    done
    fail "the program did not end within 5 s of $1"
}
