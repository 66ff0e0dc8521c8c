#!/usr/bin/env bash
# The demonstration study and its model as a newcomer meets them, through `kvl ask` and in a real
# window, answers held against the truth: the window opens the study by itself, is asked on slices,
# stills and (kvl ask) figures, draws a box, is stopped in mid-thought, asked a follow-up, killed,
# opened again, and saves a report.
# demo_under_xvfb.sh WORKBENCH KVL GRADE_DEMO RESOURCES SCREENSHOTS [MAKE_CHECKPOINT TOKENIZER]
# With the last two a model of random weights stands in, and all but the truth of answers is tested.
# Exit status 77: skipped; a tool or the trained model is missing.
set -euo pipefail
workbench=$1 kvl=$2 grade_demo=$3 resources=$4 shots=$5
trained=1
[ $# -gt 5 ] && trained=

. "$(dirname "${BASH_SOURCE[0]}")/under_xvfb.sh"
need Xvfb xdotool sqlite3 import pdftotext pdfimages  # import is ImageMagick's
if [ -n "$trained" ] && [ ! -e "$resources/models/kvl-mini/model.safetensors" ]; then
    skip "resources/models/kvl-mini/model.safetensors is not there; the demonstration model has not come yet"
fi

make_work_folder
export KVL_RESOURCES=$resources
demo=$resources/demo
if [ -z "$trained" ]; then
    mkdir -p "$work/resources/models"
    cp -r "$demo" "$work/resources/demo"
    "$6" --shape mini --seed 3 --tokenizer "$7" "$work/resources/models/kvl-mini" || fail "the checkpoint could not be made"
    export KVL_RESOURCES=$work/resources
    demo=$work/resources/demo
    printf '[ask]\nmaxNewTokens=60\n' > "$work/data/settings.ini"
fi
mark='Demonstration model: synthetic images only'

# The judge itself can say no.
grade() { "$grade_demo" "$demo/demo.json" "$@"; }
grade answer 1 '<think>x</think><ref>spot</ref><box>[[0, 0, 100, 100]]</box>' >/dev/null && fail "the judge takes a wrong box"
grade answer 0 'none at all' >/dev/null && fail "the judge takes a wrong answer"
questions=()
while IFS= read -r line; do questions+=("$line"); done < <(grade list)
field() { cut -f "$2" <<<"${questions[$1]}"; }

asked=0 right=0
judge() {  # number, text
    asked=$((asked + 1))
    [ -z "$trained" ] && return
    if grade answer "$1" "$2"; then right=$((right + 1)); fi
}

# 1. kvl ask, without --model: one question on each picture and figure.
last=
limit=(); [ -z "$trained" ] && limit=(--max-new-tokens 20)
for ((i = 0; i < ${#questions[@]}; i++)); do
    where="$(field $i 2) $(field $i 3) $(field $i 4)"
    [ "$where" = "$last" ] && continue
    last=$where
    [ -z "$trained" ] && [ $asked -ge 2 ] && [ "$(field $i 4)" = - ] && continue  # a random model: enough is seen
    region=(); [ "$(field $i 4)" != - ] && region=(--region "$(field $i 4)")
    "$kvl" ask --image "$demo/$(field $i 2)" --frame "$(field $i 3)" "${region[@]}" "${limit[@]}" --json "$(field $i 6)" \
        >"$work/answer.json" 2>"$work/said" || { cat "$work/said"; fail "kvl ask: $(field $i 6)"; }
    [ "$(grep -c "$mark" "$work/said")" = 1 ] || fail "kvl ask does not say once what its model is: $(cat "$work/said")"
    judge $i "$(sqlite3 :memory: "select json_extract(readfile('$work/answer.json'), '\$.text')")"
done
[ -z "$trained" ] || [ $asked -ge 8 ] || fail "the study has pictures without questions"
echo "kvl ask: $asked questions${trained:+, $right right}"

# 2. The window.
start_screen
now() { date +%s%N | cut -c1-13; }
start() {
    local began
    began=$(now)
    "$workbench" --data-dir "$work/data" >"$work/log" 2>&1 &
    program=$!
    wait_for_window
    echo "window after $(($(now) - began)) ms"
}
key() { xdotool key --clearmodifiers "$@"; sleep 0.3; }
turns() { query "select count(*) from turns"; }
# send QUESTION: types it and presses Enter until it is taken; the model may still be loading
send() {
    local before i
    before=$(turns)
    key ctrl+e
    xdotool type --delay 15 "$1"
    for ((i = 0; i < 60; i++)); do
        xdotool key Return
        sleep 0.3
        [ "$(turns)" != "${before:-0}" ] && return
    done
    shoot failed
    fail "the question is not taken: $1"
}
# ask NUMBER: the picture has to be on the screen
ask() {
    send "$(field $1 6)"
    wait_for 120 "select state in ('done', 'token-limit') from turns order by id desc limit 1" 1 "an answer to: $(field $1 6)"
    [ "$(query "select question from turns order by id desc limit 1")" = "$(field $1 6)" ] || fail "asked was: $(field $1 6)"
    judge $1 "$(query "select text from turns order by id desc limit 1")"
}
given() { query "select file from attachments where turn_id = (select max(id) from turns)"; }

start
sleep 3
shoot 1-opened
inWindow=$asked boxes=0 onThing=0
previous=
for ((i = 0; i < ${#questions[@]}; i++)); do
    file=$(field $i 2)
    [ "$(field $i 4)" = - ] || continue  # figures need a region drawn by hand
    if [ "$file" != "$previous" ] && [ -n "$previous" ]; then
        key Escape
        if [ "$(dirname "$file")" = "$(dirname "$previous")" ] && [ "$(dirname "$file")" != . ]; then
            key Down
        else
            key space
        fi
        sleep 1
    fi
    [ "$file" = "$previous" ] || first=1
    previous=$file
    # one of each picture, and all boxes
    [ -n "$first" ] || [ "$(field $i 5)" = box ] || continue
    first=
    key ctrl+n
    ask $i
    [ "$(given)" = "$demo/$file" ] || fail "$file was to be asked about, given was $(given)"
    if [ "$(field $i 5)" = box ] && [ -n "$trained" ]; then
        box=$(query "select x, y, width, height from boxes where turn_id = (select max(id) from turns)" | tr '|' ' ')
        size=$(query "select frame_width, frame_height from attachments where turn_id = (select max(id) from turns)" | tr '|' ' ')
        shoot "box-$i"
        boxes=$((boxes + 1))
        # shellcheck disable=SC2086
        if [ -n "$box" ] && grade box $i $box $size; then onThing=$((onThing + 1)); fi
    fi
    shown=$i
done
[ $((3 * onThing)) -ge $((2 * boxes)) ] || fail "only $onThing of $boxes boxes lie on what was asked for"
[ $((asked - inWindow)) -ge 9 ] || fail "the window was asked $((asked - inWindow)) questions only"
[ "$(query "select count(*) from turns where demonstration = 0")" = 0 ] || fail "an answer does not carry the mark"
echo "first token after $(query "select round(first_token_seconds * 1000) from turns order by id limit 1") ms, later $(query "select round(min(first_token_seconds) * 1000) from turns") ms at best"
shoot 2-answered

# A follow-up: the picture is neither given nor read again.
ask $((shown + 1))
[ -z "$(given)" ] || fail "the follow-up was given the picture again"
picture=$(query "select tokens from attachments where turn_id = (select max(id) from turns) - 1")
kept=$(query "select cached_tokens from turns order by id desc limit 1")
[ "$kept" -gt "$picture" ] || fail "the follow-up kept $kept tokens, the picture alone has $picture"
[ "$(query "select vision_seconds < 0.001 from turns order by id desc limit 1")" = 1 ] || fail "the follow-up saw the picture again"
echo "follow-up: $kept tokens kept, $picture of them the picture's"
shoot 3-followed

# A report with the answer and the picture.
title=$(query "select title from sessions order by updated desc limit 1")
key ctrl+s
dialog=$(xdotool search --sync --onlyvisible --name 'Save a report' | tail -n1)
xdotool windowfocus "$dialog"
sleep 0.5
shoot 4-report
key Return
for ((i = 0; i < 100; i++)); do
    compgen -G "$work/*.pdf" >/dev/null && break
    sleep 0.1
done
report=$(compgen -G "$work/*.pdf" | head -n1) || fail "no report of \"$title\" was saved"
pdftotext -layout "$report" "$work/report.txt"
grep -q "$mark" "$work/report.txt" || fail "the report does not say what the model is"
flat() { tr -cd '[:alnum:]' <"$1"; }
[[ "$(flat "$work/report.txt")" == *"$(query "select question from turns order by id desc limit 1 offset 1" | tr -cd '[:alnum:]')"* ]] || fail "the question is not in the report"
if [ -n "$trained" ]; then
    [[ "$(flat "$work/report.txt")" == *"$(query "select answer from turns order by id desc limit 1 offset 1" | tr -cd '[:alnum:]')"* ]] || fail "the answer is not in the report"
fi
[ "$(pdfimages -list "$report" | wc -l)" -gt 2 ] || fail "no picture is in the report"
window=$(xdotool search --onlyvisible --name 'KVL Workbench' | tail -n1)
xdotool windowfocus "$window"

# Stopped in mid-thought: a thought takes a tenth of a second, so the program is held up for nine tenths
# of the time meanwhile, and stopped at one of several moments.
hold_up() {
    while kill -STOP "$program" 2>/dev/null; do
        sleep 0.04
        kill -CONT "$program"
        sleep 0.004
    done
}
stopped=
for pause in 0.5 0.7 0.9 1.2 1.5 2 0.4 0.3 0.2 3; do
    key ctrl+n ctrl+e
    count=$(turns)
    xdotool type --delay 15 "$(field $shown 6)"
    sleep 0.3
    hold_up &
    holder=$!
    xdotool key --delay 1 Return sleep $pause key --delay 1 ctrl+period
    sleep 0.3
    kill $holder
    wait $holder 2>/dev/null || true
    kill -CONT "$program"
    wait_for 120 "select count(*) from turns where state <> 'running'" $((count + 1)) "the stopped answer is stored"
    stopped=$(query "select 1 from turns where state = 'stopped' and answer = '' and thinking <> '' limit 1")
    [ -z "$trained" ] && stopped=$(query "select 1 from turns where state = 'stopped' and text <> '' limit 1")
    [ -n "$stopped" ] && break
done
[ -n "$stopped" ] || fail "no answer was stopped in mid-thought: $(query "select state, length(thinking), length(answer) from turns order by id desc limit 15" | tr '\n' ' ')"
shoot 5-stopped

# Killed and opened again.
key ctrl+n
count=$(turns)
send "How many are there?"
kill -9 "$program"
wait "$program" 2>/dev/null || true
start
wait_for 30 "select count(*) from turns where state = 'running'" 0 "the cut turn is marked when the program starts again"
[ "$(turns)" = $((count + 1)) ] || fail "a turn was lost"
[ "$(query "pragma integrity_check")" = ok ] || fail "the store is damaged"
sleep 2
shoot 6-reopened
kill "$program"
wait "$program" 2>/dev/null || true
program=
echo "window and kvl ask: $asked questions${trained:+, $right right}"
[ -z "$trained" ] || [ $((10 * right)) -ge $((8 * asked)) ] || fail "only $right of $asked answers were right"
echo "PASS; screenshots in $shots"
