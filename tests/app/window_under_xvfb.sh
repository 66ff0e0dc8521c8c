#!/usr/bin/env bash
# The real program in a real window: opens a picture, loads a checkpoint, types a question, stops the
# answer on its way and finds it stored, kills the program while a second answer streams, opens it
# again and finds both turns, closes it while a third answer streams; a screenshot of each stage stays
# in the build folder for a person to look at.
# window_under_xvfb.sh WORKBENCH MAKE_CHECKPOINT TOKENIZER PICTURE SCREENSHOT_FOLDER
# Exit status 77: skipped, a tool is missing.
set -euo pipefail
workbench=$1 make_checkpoint=$2 tokenizer=$3 picture=$4 shots=$5

. "$(dirname "${BASH_SOURCE[0]}")/under_xvfb.sh"
need Xvfb xdotool sqlite3 import  # import is ImageMagick's
[ -e "$picture" ] || skip "needs the shared test data in ../shared, which this clone does not have"

make_work_folder
start_screen

"$make_checkpoint" --shape tiny --seed 7 --tokenizer "$tokenizer" "$work/model" || fail "the checkpoint could not be made"

start() {
    "$workbench" --data-dir "$work/data" --model "$work/model" "$@" >"$work/log" 2>&1 &
    program=$!
}
ask() {
    xdotool key --clearmodifiers ctrl+e
    sleep 0.5
    xdotool type --delay 15 "$1"
    xdotool key Return
}

printf '[ask]\nmaxNewTokens=5000\n' > "$work/data/settings.ini"  # long enough to be killed in its middle
start "$picture"
wait_for_window
sleep 3  # picture decoded, checkpoint loaded
shoot 1-opened

ask "What does this picture show?"
wait_for 60 "select count(*) from turns where answer <> '' or state = 'done'" 1 "a part of the first answer is stored"
xdotool key --clearmodifiers ctrl+period  # what random weights write may have no end of its own
wait_for 20 "select count(*) from turns where state in ('done', 'stopped')" 1 "the first answer is stored"
shoot 2-answered
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
shoot 3-killed

start
wait_for 20 "select count(*) from turns where state = 'running'" 0 "the cut turn is marked when the program starts again"
[ "$(query "select count(*) from turns where answer <> ''")" = 2 ] || fail "a turn was lost"
[ "$(query "pragma integrity_check")" = ok ] || fail "the store is damaged"
sleep 3
shoot 4-reopened

kill "$program"
ends_within_5_s SIGTERM
wait "$program" 2>/dev/null || true

start "$picture"  # without it the random weights come to an end of their own soon
wait_for_window
sleep 3
xdotool key --clearmodifiers ctrl+n
sleep 0.5
ask "What does this picture show?"
last="from turns order by id desc limit 1"
wait_for 60 "select id > 2 and answer <> '' $last" 1 "a part of the third answer is stored"
xdotool key --clearmodifiers ctrl+q  # closed while the answer streams
ends_within_5_s "being closed while it answered"
wait "$program" || fail "the program ended with status $? when it was closed while it answered"
[ "$(query "select state $last")" = stopped ] || fail "the turn that was cut by closing is not marked as stopped: $(query "select state, length(answer) $last")"
program=
echo "PASS: asked, answered, killed, reopened, closed in an answer; screenshots in $shots"
