#!/usr/bin/env bash
# The real program in a real window: opens a picture, loads a checkpoint, types a question, stops the
# answer on its way and finds it stored, kills the program while a second answer streams, opens it
# again and finds both turns, closes it while a third answer streams; a screenshot of each stage stays
# in the build folder for a person to look at.
# window_under_xvfb.sh WORKBENCH MAKE_CHECKPOINT TOKENIZER PICTURE SCREENSHOT_FOLDER
# Exit status 77: skipped, a tool is missing.
set -euo pipefail
workbench=$1 make_checkpoint=$2 tokenizer=$3 picture=$4 shots=$5

skip() { echo "skipped: $1"; exit 77; }
fail() { echo "FAIL: $1"; [ -f "$work/log" ] && tail -20 "$work/log"; exit 1; }
for tool in Xvfb xdotool sqlite3 import; do  # import is ImageMagick's
    command -v $tool >/dev/null || skip "$tool is not installed"
done
[ -e "$picture" ] || skip "needs the shared test data in ../shared, which this clone does not have"

work=$(mktemp -d)
mkdir -p "$shots" "$work/data"
program=
cleanup() {
    [ -n "$program" ] && kill -9 "$program" 2>/dev/null
    [ -n "${server:-}" ] && kill "$server" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT

mkfifo "$work/display"
Xvfb -displayfd 3 -screen 0 1440x900x24 -nolisten tcp 3>"$work/display" 2>/dev/null &
server=$!
DISPLAY=:$(head -n1 "$work/display")
export DISPLAY XDG_RUNTIME_DIR=$work HOME=$work
unset WAYLAND_DISPLAY QT_QPA_PLATFORM

"$make_checkpoint" --shape tiny --seed 7 --tokenizer "$tokenizer" "$work/model" || fail "the checkpoint could not be made"

shoot() { timeout 10 import -window root "$1" || echo "no screenshot $1"; }
start() {
    "$workbench" --data-dir "$work/data" --model "$work/model" "$@" >"$work/log" 2>&1 &
    program=$!
}
query() { sqlite3 -readonly "$work/data/sessions.db" "$1" 2>/dev/null || true; }
# wait_for SECONDS SQL EXPECTED WHAT
wait_for() {
    local i
    for ((i = 0; i < $1 * 10; i++)); do
        [ "$(query "$2")" = "$3" ] && return
        kill -0 "$program" 2>/dev/null || fail "the program ended while waiting for: $4"
        sleep 0.1
    done
    shoot "$shots/failed.png"
    fail "$4: found \"$(query "$2")\", expected \"$3\""
}
ask() {
    xdotool key --clearmodifiers ctrl+e
    sleep 0.5
    xdotool type --delay 15 "$1"
    xdotool key Return
}

printf '[ask]\nmaxNewTokens=5000\n' > "$work/data/settings.ini"  # long enough to be killed in its middle
start "$picture"
window=
for ((i = 0; i < 200; i++)); do
    window=$(xdotool search --onlyvisible --name 'KVL Workbench' 2>/dev/null | tail -n1) && [ -n "$window" ] && break
    sleep 0.1
done
[ -n "$window" ] || fail "no window came up within 20 s"
xdotool windowsize "$window" 1440 900 windowmove "$window" 0 0 windowfocus "$window"
sleep 3  # picture decoded, checkpoint loaded
shoot "$shots/1-opened.png"

ask "What does this picture show?"
wait_for 60 "select count(*) from turns where answer <> '' or state = 'done'" 1 "a part of the first answer is stored"
xdotool key --clearmodifiers ctrl+period  # what random weights write may have no end of its own
wait_for 20 "select count(*) from turns where state in ('done', 'stopped')" 1 "the first answer is stored"
shoot "$shots/2-answered.png"
[ -n "$(query "select 1 from turns where answer <> '' and question = 'What does this picture show?'")" ] || fail "question and answer are not in the store"
[ "$(query "select file from attachments")" = "$picture" ] || fail "the attachment is not $picture"
[ "$(query "select length(model_hash) from turns")" = 64 ] || fail "the model's hash is not in the store"

xdotool key --clearmodifiers ctrl+n  # a prompt of its own, with room for a long answer
sleep 0.5
ask "And what else?"
wait_for 60 "select count(*) from turns where question = 'And what else?' and answer <> ''" 1 "a part of the running answer is stored"
kill -9 "$program"
[ "$(query "select state from turns where question = 'And what else?'")" = running ] || fail "the second answer was over before the kill"
wait "$program" 2>/dev/null || true
shoot "$shots/3-killed.png"

start
wait_for 20 "select count(*) from turns where state = 'running'" 0 "the cut turn is marked when the program starts again"
[ "$(query "select count(*) from turns where answer <> ''")" = 2 ] || fail "a turn was lost"
[ "$(query "pragma integrity_check")" = ok ] || fail "the store is damaged"
sleep 3
shoot "$shots/4-reopened.png"

kill "$program"
for ((i = 0; i < 50; i++)); do
    kill -0 "$program" 2>/dev/null || break
    sleep 0.1
done
kill -0 "$program" 2>/dev/null && fail "the program did not end within 5 s of SIGTERM"
program=
echo "PASS: asked, answered, killed, reopened; screenshots in $shots"
