#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plug-ins on the command line, each command in a process of its own: wherever operations are named,
# what is refused without the plug-in, and a run whose plug-in has moved. Prints TAP.
# Usage: test_plugin.sh PBA EXAMPLE.so SOURCE_ROOT; PBA_TEST_BAD is the folder of bad plug-ins.
set -u
pba=$(realpath "$1")
plugin=$(realpath "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
cp "$plugin" example.so
cp "$plugin" moving.so
count=0

result() { # ok|"not ok", name
    count=$((count + 1))
    echo "$1 $count - $2"
}

# expect STATUS TEXT ARGUMENT...: the exit status, and the text in what is said.
expect() {
    wanted=$1 text=$2
    shift 2
    "$pba" "$@" >out 2>&1 </dev/null
    status=$?
    if [ $status = "$wanted" ] && { [ -z "$text" ] || grep -qF -e "$text" out; }; then
        result ok "pba $*"
    else
        result "not ok" "pba $*"
        echo "# exit $status, wanted $wanted and \"$text\""
        head -n 5 out | sed 's/^/# /'
    fi
}

small="--model wrn-10-1 --train-size 64 --val-size 30 --batch 32"
search="$small --population 2 --epochs 2 --interval 1"

expect 0 "Grain         0..100 grey values   Adds noise" ops --plugin ./example.so
expect 0 '"plugin": "example"' ops --plugin ./example.so --json
expect 1 "no.so: there is no such plug-in" ops --plugin no.so
expect 1 "is there already: from $folder/example.so" ops --plugin example.so --plugin moving.so
expect 0 "bounds       passed" ops test Grain --plugin example.so
expect 0 '"passed": true' ops test SamplePairing --plugin=example.so --json
expect 0 "sets         passed" ops test Sharpness
expect 2 "unknown operation 'Grain'" ops test Grain
expect 2 "wants the name" ops test
expect 1 "identity     FAILED" ops test Bad --plugin "$PBA_TEST_BAD/bad9.so"
expect 1 "pba: Bad breaks a rule" ops test Bad --plugin "$PBA_TEST_BAD/bad9.so"
expect 1 "crashed (signal" ops test Bad --plugin "$PBA_TEST_BAD/bad10.so"
expect 1 "$PBA_TEST_BAD/bad10.so: " ops test Bad --plugin "example.so,$PBA_TEST_BAD/bad10.so"
mkdir a,b && cp example.so a,b && ln -s a,b/example.so link.so
expect 2 "a,b/example.so: its path has a comma" search demo $search --plugin link.so --out comma
[ ! -e comma ] && result ok "nothing is begun" || result "not ok" "nothing is begun"
expect 1 'broken rule "identity"' search demo $search --plugin "$PBA_TEST_BAD/bad9.so"
expect 0 "--plugin FILE.so" search --help
expect 1 "a.so: there is no such plug-in" train demo --preset rcifar10/wrn-28-10 --plugin a.so --plugin b.so

expect 0 "" preview demo --out sheet.png --images 1
expect 0 "" apply sheet.png grain.png --op Grain:5 --op SamplePairing:9 --plugin example.so
expect 2 "unknown operation 'Grain'" apply sheet.png grain.png --op Grain:5
expect 0 "" ops preview sheet.png --out ops.png --plugin example.so
expect 0 "Grain" bench augment --op Grain --seconds 0 --repeat 1 --plugin example.so
expect 0 "SamplePairing" bench augment --op SamplePairing --seconds 0 --repeat 1 --plugin example.so

expect 2 "ops: -Grain: Grain is not in the default list" search demo $search --ops -Grain
expect 2 "count-probs: the probabilities add up to 0.9" search demo $search --count-probs 0.5,0.4
expect 0 "train with it:   pba train demo --model wrn-10-1" search demo $search --plugin moving.so --out run -q
grep -q '"Contrast", "Grain", "SamplePairing"\]' run/schedule.json &&
    result ok "both are searched" || result "not ok" "both are searched"
grep -q -- "--plugin moving.so" out && result ok "the command names the plug-in" ||
    result "not ok" "the command names the plug-in"
grep -q "\"plugin\": \"$folder/moving.so\"" run/config.json && result ok "config.json has the path" ||
    result "not ok" "config.json has the path"
expect 1 "needs operation Grain of plug-in example, which is not loaded; give its file by --plugin" \
    schedule check run
expect 0 "fine" schedule check run --plugin example.so
expect 1 "give its file by --plugin (example.so)" train demo $small --epochs 1 --augment run
expect 1 "give its file by --plugin (example.so)" preview demo --schedule run --out sheet.png
expect 0 "" preview demo --schedule run --out sheet.png --images 2 --plugin example.so
expect 0 "report" report run --out page.html
grep -q "give its file by --plugin" page.html && result ok "a report without it tells why" ||
    result "not ok" "a report without it tells why"
expect 0 "report" report run --out page.html --plugin example.so
grep -q "give its file by --plugin" page.html && result "not ok" "a report with it has images" ||
    result ok "a report with it has images"
sed -i 's/"version": 1, "plugin"/"version": 7, "plugin"/' run/schedule.json
expect 1 "needs version 7 of operation Grain" schedule check run --plugin example.so
sed -i 's/"version": 7, "plugin"/"version": 1, "plugin"/' run/schedule.json
expect 0 "test error" train demo $small --epochs 1 --augment run --plugin moving.so --out trained -q

expect 1 "give its file by --plugin (example.so)" augment demo --train-size 64 --schedule run --epoch 1 --out grain.npz
expect 0 "images (5, 32, 32, 3)" augment demo --train-size 64 --schedule run --epoch 1 --count 5 \
    --out grain.npz --plugin example.so
expect 1 "give its file by --plugin (example.so)" compare demo $small --epochs 1 --seeds 2 --arms none,run
expect 0 "the best of what needs no search" compare demo $small --epochs 1 --seeds 2 --arms none,run \
    --plugin moving.so --out compared -q
grep -q "\"plugin\": \"$folder/moving.so\"" compared/config.json && result ok "a comparison keeps the path" ||
    result "not ok" "a comparison keeps the path"

# The same version, whose level 10 is another.
cp "$PBA_TEST_BAD/top1.so" levels.so
expect 0 "" search demo $search --plugin ./levels.so --out levels -q
rm levels/result.json levels/schedule.json
cp "$PBA_TEST_BAD/top0.5.so" levels.so
expect 1 "levels/config.json: the run cannot go on: operation Bad of plug-in bad in $folder/levels.so has other levels" \
    search --resume levels
cp "$PBA_TEST_BAD/top1.so" levels.so
expect 0 "validation error" search --resume levels -q

# As if interrupted before its end.
rm run/result.json run/schedule.json
rm trained/result.json
mv moving.so elsewhere.so
expect 1 "$folder/moving.so: there is no such plug-in" search --resume run
expect 1 "$folder/moving.so: there is no such plug-in" train --resume trained
expect 0 "test error" train --resume trained --plugin elsewhere.so -q
expect 1 "$folder/moving.so: there is no such plug-in" compare --resume compared
expect 0 "the best of what needs no search" compare --resume compared --plugin elsewhere.so -q
expect 0 "validation error" search --resume run --plugin elsewhere.so -q
expect 0 "validation error" search demo $search --ops Rotate,Blur,FlipLR --count-probs 0,1 --out few -q
expect 0 "fine" schedule check few
grep -q '"ops": \["Rotate", "Blur", "FlipLR"\]' few/schedule.json &&
    grep -q '"count_probs": \[0.0, 1.0\]' few/schedule.json && result ok "what was chosen is written" ||
    result "not ok" "what was chosen is written"
rm few/result.json few/schedule.json # a report rebuilds it from the journal
expect 0 "report" report few --out page.html
grep -q "FlipLR" page.html && ! grep -q "AutoContrast" page.html &&
    result ok "a search that is not finished is drawn with its own operations" ||
    result "not ok" "a search that is not finished is drawn with its own operations"

echo "1..$count"
