#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command line as a user meets it: exit statuses, messages, formats; above all what it says to
# bad input. Prints TAP. Usage: test_cli.sh PBA SOURCE_ROOT
set -u
pba=$(realpath "$1")
source=$(realpath "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
count=0

result() { # ok|"not ok", name
    count=$((count + 1))
    echo "$1 $count - $2"
}

run() {
    "$pba" "$@" >out 2>err </dev/null
    status=$?
}

# works NAME TEXT ARGUMENT...: exit 0, nothing on standard error, standard output has TEXT.
works() {
    name=$1 text=$2
    shift 2
    run "$@"
    if [ $status = 0 ] && [ ! -s err ] && { [ -z "$text" ] || grep -qF -e "$text" out; }; then
        result ok "$name"
    else
        result "not ok" "$name"
        echo "# pba $*: exit $status, wanted 0 and \"$text\""
        head -n 5 out err | sed 's/^/# /'
    fi
}

# refuses NAME STATUS TEXT ARGUMENT...: that exit status, nothing on standard output, one line
# "pba: ..." on standard error which has TEXT, and no run folder left behind.
refuses() {
    name=$1 wanted=$2 text=$3
    shift 3
    run "$@"
    if [ $status = "$wanted" ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] &&
        grep -q '^pba: ' err && grep -qF -e "$text" err && [ ! -e runs ]; then
        result ok "$name"
    else
        result "not ok" "$name"
        echo "# pba $*: exit $status, wanted $wanted and \"$text\""
        head -n 5 out err | sed 's/^/# /'
        [ ! -e runs ] || echo "# a run folder was left behind"
        rm -rf runs
    fi
}

# cifar FILE IMAGES: records of a label, round the ten classes, and 3,072 zeros.
cifar() {
    head -c 3072 /dev/zero >pixels
    for i in $(seq 0 $(($2 - 1))); do
        printf "\\$(printf '%03o' $((i % 10)))"
        cat pixels
    done >"$1"
}

# idx MAGIC: a folder idx/ with a file of images that starts with these four bytes (octal escapes).
idx() {
    mkdir -p idx
    printf "$1"'\0\0\0\2\0\0\0\10\0\0\0\10' >idx/train-images-idx3-ubyte
    head -c 128 /dev/zero >>idx/train-images-idx3-ubyte
    printf '\0\0\10\1\0\0\0\2\0\1' >idx/train-labels-idx1-ubyte
}

# schedule OP VALUES LENGTH VERSION EPOCHS: schedule.json with one operation in one copy.
schedule() {
    printf '{"format": "pba-schedule", "version": %s, "space": "pba", "ops": ["%s"], "copies": 1,
 "epochs": %s, "segments": [{"epochs": %s, "policy": [%s]}]}\n' "$4" "$1" "$5" "$3" "$2" >s.json
}

# -------------------------------------------------------------- in general

works "version names the libraries" "oneDNN" --version
works "overview" "COMMANDS" --help
works "help" "COMMANDS" help
for command in $("$pba" --help | sed -n '/^COMMANDS/,/^$/s/^    \([a-z]*\) .*/\1/p'); do
    works "$command --help has examples" "EXAMPLES" "$command" --help
    works "help $command is the same" "pba $command - " help "$command"
    refuses "$command: an unknown option" 2 "no such option" "$command" --nonsense 3
    refuses "$command: an unknown short option" 2 "no such option" "$command" -z
done
refuses "no command" 2 "--help"
refuses "an unknown command" 2 "foo: no such command" foo
refuses "help for an unknown command" 2 "foo: no such command" help foo
refuses "an option near to one" 2 "the nearest one is width" models --widht 3
refuses "an option without its value" 2 "--width needs a value" models --width
refuses "an option for a value" 2 "--width needs a value" models --width --json
refuses "half a number" 2 "--width: \"3x\" is not a whole number" models --width 3x
refuses "an empty number" 2 "--width: \"\" is not a whole number" models --width=
refuses "a number out of range" 2 "from 1 to" models --width 0
refuses "an argument too many" 2 "one argument too many" ops preview in.png out.png
"$pba" ops >/dev/full 2>err
if [ $? = 1 ] && grep -q "^pba: standard output: No space left" err; then
    result ok "a full disk under standard output"
else
    result "not ok" "a full disk under standard output"
fi
{ "$pba" ops; echo $? >status; } 2>err | true
if [ "$(cat status)" = 1 ] && grep -q "^pba: standard output: Broken pipe" err; then
    result ok "a closed pipe under standard output"
else
    # the reader may have read all before it left
    [ "$(cat status)" = 0 ] && result ok "a pipe closed after all was written" ||
        result "not ok" "a closed pipe under standard output"
fi

# ---------------------------------------------------------------- listings

works "ops" "Rotate" ops
works "ops as JSON" '"name": "Rotate"' ops --json
works "models" "wrn-40-2" models
works "size of a model" "2,232,794 parameters" models wrn-40-2
works "size of a model as JSON" '"parameters": 2243546' models wrn-40-2:standard --json
refuses "an unknown model" 2 "resnext" models resnext

# ---------------------------------------------------------------- schedules

mkdir empty

schedule Rotate 3,7 5 1 5
works "check a schedule" "fine, 1 segment over 5 epochs" schedule check s.json
works "show a schedule" "Rotate:7(30%)" schedule show s.json
works "show a schedule as JSON" '"from": 0' schedule show s.json --json
schedule Twist 3,7 5 1 5
refuses "a schedule with an unknown operation" 1 "Twist" schedule check s.json
schedule Rotate 3,11 5 1 5
refuses "a level out of range" 1 "s.json" schedule check s.json
schedule Rotate 11,3 5 1 5
refuses "a probability out of range" 1 "s.json" schedule check s.json
schedule Rotate 3 5 1 5
refuses "a policy that is too short" 1 "s.json" schedule check s.json
schedule Rotate 3,7 4 1 5
refuses "segments that do not add up" 1 "s.json" schedule check s.json
schedule Rotate 3,7 5 2 5
refuses "a future version" 1 "version" schedule check s.json
head -c 40 s.json >t.json
refuses "a truncated schedule" 1 "t.json" schedule check t.json
printf '["1", "0", 2, 2, [%s0], [%s0]]\n' "$(printf '0, %.0s' $(seq 58))" \
    "$(printf '0, %.0s' $(seq 58))" >log.txt
refuses "a policy of 59 integers" 1 "59" schedule check log.txt --epochs 4
printf '["1", "0", 2, 2, [%s0], [%s0]]\n' "$(printf '0, %.0s' $(seq 59))" \
    "$(printf '1, %.0s' $(seq 59))" >log.txt
works "a log" "fine, 2 segments over 4 epochs" schedule check log.txt --epochs 4
refuses "a log without its length" 2 "--epochs" schedule check log.txt
works "log to JSON" "" schedule convert log.txt c.json --epochs 4
works "JSON to log" "" schedule convert c.json c.txt
refuses "a missing schedule" 1 "none.json" schedule check none.json
refuses "a folder without a schedule" 1 "empty/schedule.json" schedule check empty
refuses "an unknown suffix" 2 ".json" schedule convert log.txt c.yaml --epochs 4
refuses "schedule without a verb" 2 "argument is missing" schedule
refuses "schedule with an unknown verb" 2 "show, check, convert" schedule print s.json
refuses "convert without OUT" 2 "IN and OUT" schedule convert s.json
refuses "a path below a file" 1 "Not a directory" schedule convert log.txt s.json/c.json --epochs 4

sed -n '/^```json/,/^```/p' "$source/docs/schedule-format.md" | sed '/^```/d' >doc.json
works "the example of the documentation" "fine, 2 segments over 5 epochs" schedule check doc.json

# -------------------------------------------------------------------- data

mkdir good cut
cifar good/data_batch_1.bin 200
cifar good/test_batch.bin 20
cifar cut/data_batch_1.bin 20
truncate -s -17 cut/data_batch_1.bin
works "data info" "cifar-10" data info good
works "data info tells the memory" "memory      1 MB" data info good
works "data info at the size that images have" "" data info good --size 32x32
refuses "data info at another size" 2 "only folders of image files are resized" data info good --size 16x16
refuses "a size that is none" 2 "32" data info good --size 32
refuses "a fit that is none" 2 "neither crop nor pad" data info good --fit stretch
refuses "a size for a search" 2 "only folders of image files are resized" search good --size 16x16 --dry-run
works "data info as JSON" '"classes"' data info good --json
works "data stats" "deviation" data stats good
refuses "a missing data set" 1 "nowhere" data info nowhere
refuses "a truncated data file" 1 "data_batch_1.bin" data info cut
refuses "an empty folder" 1 "empty" data info empty
refuses "a file as a data set" 1 "log.txt" data info log.txt
idx '\0\0\10\1'
refuses "a wrong magic number" 1 "train-images-idx3-ubyte" data info idx
refuses "data with an unknown verb" 2 "neither info nor stats" data look good
refuses "more images than there are" 1 "ask for fewer" data info good --train-size 100000

# ------------------------------------------------------------------- apply

base64 -d >in.png <<'PNG' # 8x8, colours that differ
iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAbElEQVR42hXNQRUAUQhCUaMYhShGeVGIQhSizB+XXA7ODDto
uIHBQ4YOM8suWm5h8ZKl+0CskDiBsIioHhx76LiDw0eO3oN/4FVf+J8h0PduzBqZ8x/bxNQPwgaFy192SGgelC0q13/CJaXl
A8Z7WAFXOTbyAAAAAElFTkSuQmCC
PNG
works "apply operations" "" apply in.png out.png --op Invert:0 --op Rotate:7:- --alpha
works "apply to its own output" "" apply out.png out.png --op Cutout:2 --seed 3
works "apply a schedule" "" apply in.png out.png --schedule c.json --epoch 3
refuses "apply: neither --op nor --schedule" 2 "either --op" apply in.png out.png
refuses "apply: an unknown operation" 2 "Twist" apply in.png out.png --op Twist:3
refuses "apply: a level out of range" 2 "from 0 to 10" apply in.png out.png --op Rotate:11
refuses "apply: half a level" 2 "3x" apply in.png out.png --op Rotate:3x
refuses "apply: no level" 2 "NAME:LEVEL" apply in.png out.png --op Rotate
refuses "apply: an unknown sign" 2 "NAME:LEVEL" apply in.png out.png --op Rotate:3:*
refuses "apply: a sign without a direction" 2 "Invert" apply in.png out.png --op Invert:3:-
refuses "apply: an epoch behind the end" 2 "epochs 0 to 3" apply in.png out.png \
    --schedule c.json --epoch 4
refuses "apply: a missing image" 1 "none.png" apply none.png out.png --op Rotate:3
refuses "apply: a file that is no image" 1 "log.txt" apply log.txt out.png --op Rotate:3
refuses "apply: an unknown suffix" 2 "out.xyz" apply in.png out.xyz --op Rotate:3
refuses "apply: a path below a file" 1 "in.png/out.png" apply in.png in.png/out.png --op Rotate:3
refuses "apply: no OUT" 2 "argument is missing" apply in.png --op Rotate:3

# ------------------------------------------------------------------- train

small="--model wrn-10-1 --train-size 64 --batch 32 --epochs 1"
works "train --dry-run" "wrn-10-1" train good $small --dry-run
works "train --dry-run as JSON" '"parameters"' train good $small --dry-run --json
[ -e runs ] && result "not ok" "--dry-run writes nothing" || result ok "--dry-run writes nothing"
refuses "train: a missing data set" 1 "nowhere" train nowhere $small
refuses "train: a truncated data file" 1 "data_batch_1.bin" train cut $small
refuses "train: an empty folder" 1 "empty" train empty $small
refuses "train: a wrong magic number" 1 "train-images-idx3-ubyte" train idx $small
refuses "train: fewer images than a batch" 2 "batch" train good --model wrn-10-1 --train-size 64
refuses "train: more images than there are" 1 "ask for fewer" train good $small --train-size 1000
refuses "train: an unknown model" 2 "resnext" train good $small --model resnext
refuses "train: --epochs 3x" 2 '--epochs: "3x"' train good $small --epochs 3x
refuses "train: --seeds 0" 2 "--seeds" train good $small --seeds 0
refuses "train: an unknown baseline" 2 "twist" train good $small --baseline twist:3
refuses "train: an unknown rate schedule" 2 "falling" train good $small --lr-schedule falling
refuses "train: a path below a file" 1 "good/test_batch.bin" train good $small \
    --out good/test_batch.bin/run
refuses "train: a schedule that is missing" 1 "none.json" train good $small --augment none.json
refuses "train: a folder that is no run" 1 "empty" train good $small --augment empty
schedule Twist 3,7 5 1 5
refuses "train: an unknown operation" 1 "Twist" train good $small --augment s.json
schedule Rotate 3,11 5 1 5
refuses "train: a level out of range" 1 "s.json" train good $small --augment s.json
schedule Rotate 3,7 5 2 5
refuses "train: a future version" 1 "version" train good $small --augment s.json
schedule Rotate 3,7 4 1 5
refuses "train: segments that do not add up" 1 "s.json" train good $small --augment s.json
refuses "train: a log, which lacks its length" 2 "pba schedule convert" train good $small \
    --augment log.txt
schedule Rotate 3,7 5 1 5
works "train under a schedule" "test error" train good $small --augment s.json --out run -q
[ -s run/result.json ] && [ -s run/weights-0.safetensors ] && result ok "figures and weights" ||
    result "not ok" "figures and weights"
run train good $small --augment s.json --out run -q
[ $status = 1 ] && grep -q "^pba: run: " err && result ok "a run is not overwritten" ||
    result "not ok" "a run is not overwritten"
refuses "train: an unknown augmentation" 2 "trivialaugment, policy:FILE" train good $small \
    --augment autoaugmnet:cifar10
refuses "train: an unknown table" 2 "autoaugment:svhn" train good $small --augment autoaugment:mnist
refuses "train: a strength out of range" 2 "0 to BINS - 1" train good $small --augment randaugment:2,31
refuses "train: half a strength" 2 "randaugment:N,M" train good $small --augment randaugment:2,3.5
refuses "train: a missing policy" 1 "none.json" train good $small --augment policy:none.json
refuses "train: an order of no schedule" 2 "has no schedule" train good $small \
    --augment trivialaugment --schedule-order shuffled
refuses "train: an unknown order" 2 "in-order|last|shuffled" train good $small --augment s.json \
    --schedule-order backwards
schedule Rotate 3,7 4 1 4
for kind in cutout autoaugment:cifar10 randaugment:2,9 trivialaugment policy:s.json; do
    works "train --augment $kind" "test error" train good $small --augment "$kind" --out "run-$kind" -q
done
for order in last shuffled flattened random-policy random-schedule; do
    works "train --schedule-order $order" "test error" train good $small --augment s.json \
        --schedule-order $order --out "run-$order" -q
done
grep -q '"schedule-order": "flattened"' run-flattened/config.json &&
    result ok "the order is remembered" || result "not ok" "the order is remembered"
refuses "train: an unknown preset" 2 "cifar10/wrn-28-10" train good $small --preset cifar10
refuses "train: a preset of the search" 2 "rsvhn/wrn-28-10" train good $small --preset rsvhn
works "train --preset" "12.82 %   rcifar10/wrn-28-10" train good $small --val-size 0 \
    --preset rcifar10/wrn-28-10 --out run-preset -q
grep -q '"lr": "0.05"' run-preset/config.json && grep -q '"epochs": "1"' run-preset/config.json &&
    grep -q '"preset": "rcifar10/wrn-28-10"' run-preset/config.json &&
    grep -q '"published_error": 0.1282' run-preset/result.json &&
    result ok "a preset's settings, but for those given" ||
    result "not ok" "a preset's settings, but for those given"
works "bench" "Cutout" bench augment --size 8x8 --seconds 0 --repeat 1
works "bench as JSON" '"median": ' bench augment --op none --seconds 0 --repeat 1 --augment randaugment:2,9 --json
tiny="--model wrn-10-1 --train-size 40 --batch 20"
# shellcheck disable=SC2086
works "bench train" "of peak" bench train demo $tiny --members 1 --seconds 0 --repeat 1
# shellcheck disable=SC2086
works "bench search as JSON" '"share_outside": ' bench search demo $tiny --val-size 20 \
    --population 4 --epochs 2 --interval 1 --json
refuses "bench of an unknown model" 2 "wrn-41-1" bench train --model wrn-41-1
refuses "bench of no data set" 1 "nowhere" bench search nowhere
refuses "bench without a part" 2 "an argument is missing" bench
refuses "bench of another part" 2 "no such part" bench cooking
refuses "bench of a size that is none" 2 "--size: 8" bench augment --size 8
refuses "bench of an unknown operation" 2 "no such operation" bench augment --op Rotat --seconds 0
works "presets" "pba search --preset rcifar10" presets
works "presets as JSON" '"published_error": 0.0258' presets --json
works "policies" "randaugment:N,M" policies
works "policies as JSON" '"source"' policies --json
works "train as JSON" '"mean_test_error"' train good $small --seeds 2 --out run2 -q --json

# ------------------------------------------------------------------ search

small="--model wrn-10-1 --train-size 64 --val-size 30 --batch 32 --population 2 --epochs 2 --interval 1"
works "search --dry-run" "2 x wrn-10-1" search good $small --dry-run
works "search --dry-run as JSON" '"members": 2' search good $small --dry-run --json
[ -e runs ] && result "not ok" "--dry-run writes nothing" || result ok "--dry-run writes nothing"
refuses "search: no data set" 2 "argument is missing" search
refuses "search: a missing data set" 1 "nowhere" search nowhere $small
refuses "search: a truncated data file" 1 "data_batch_1.bin" search cut $small
refuses "search: an empty folder" 1 "empty" search empty $small
refuses "search: a wrong magic number" 1 "train-images-idx3-ubyte" search idx $small
refuses "search: fewer images than a batch" 2 "batch" search good $small --batch 128
refuses "search: more images than there are" 1 "ask for fewer" search good $small --train-size 1000
refuses "search: an unknown model" 2 "resnext" search good $small --model resnext
refuses "search: an unknown option" 2 "the nearest one is population" search good $small --popluation 4
refuses "search: --population 1" 2 "--population: 1" search good $small --population 1
refuses "search: --epochs 3x" 2 '--epochs: "3x"' search good $small --epochs 3x
refuses "search: a path below a file" 1 "s.json/run" search good $small --out s.json/run
refuses "search: --resume with another option" 2 "--epochs" search --resume run3 --epochs 3
refuses "search: --resume with a data set" 2 "leave out" search good --resume run3
refuses "search: --resume of nothing" 1 "nowhere" search --resume nowhere
refuses "search: an unknown selection" 2 "truncation|none" search good $small --selection tournament
works "search --selection none --dry-run" "nobody copies anybody" search good $small \
    --selection none --dry-run
refuses "search: a share too large" 2 "--quantile: 0.6" search good $small --quantile 0.6
refuses "search: a negative burn-in" 2 "--burn-in: -1" search good $small --burn-in -1
refuses "search: a start that is no schedule" 2 "is no schedule" search good $small --from trivialaugment
refuses "search: a start from nowhere" 1 "nowhere/x" search good $small --from nowhere/x
refuses "search: other images that are missing" 1 "val: nowhere" search good $small --val nowhere
refuses "search: other images of the same ones" 2 "all of the 200 images" search good \
    --model wrn-10-1 --val good --dry-run
mkdir other
head -c 3072 /dev/zero | tr '\0' '\7' >pixels
for i in $(seq 0 59); do
    printf "\\$(printf '%03o' $((i % 10)))"
    cat pixels
done >other/data_batch_1.bin
works "search --val --dry-run" "64 training, 50 validation, 20 test" search good $small --val other --val-size 50 --dry-run
refuses "a budget without a unit" 2 "\"90\" is no time" search good $small --budget 90
refuses "a budget that is too short" 2 "give --budget" search good --model wrn-10-1 --train-size 64 \
    --batch 32 --budget 1s
refuses "a budget beside a preset" 2 "leave one of them out" search good --preset rsvhn --budget 1h
works "search --budget --dry-run" "by hand     pba search good --precision" search good \
    --model wrn-10-1 --train-size 64 --batch 32 --population 2 --seed 3 --budget 3m --dry-run
grep -q -e "--train-size 64 --val-size .* --epochs .* --batch 32 --seed 3$" out &&
    result ok "the command that does the same" || result "not ok" "the command that does the same"
works "search --budget --dry-run as JSON" '"why": "given"' search good \
    --model wrn-10-1 --train-size 64 --batch 32 --population 2 --budget 3m --dry-run --json
works "train --budget --dry-run" "2 seeds" train good --model wrn-10-1 \
    --train-size 64 --batch 32 --seeds 2 --budget 3m --dry-run --tensorboard
grep -q -e " --tensorboard$" out && result ok "a flag in the command that does the same" ||
    result "not ok" "a flag in the command that does the same"
refuses "train: epochs and a budget" 2 "--epochs" train good --model wrn-10-1 --train-size 64 \
    --batch 32 --epochs 3 --budget 1h
[ -e runs ] && result "not ok" "--dry-run writes nothing" || result ok "--dry-run writes nothing"
refuses "search: an unknown preset" 2 "use rcifar10, rsvhn" search good $small --preset mnist
works "search --preset --dry-run" "wrn-10-1" search good $small --preset rsvhn --dry-run
refuses "search: a preset that asks for more" 1 "ask for fewer" search good --preset rcifar10
works "search" "pba train good --model wrn-10-1" search good $small --out run3 -q
for file in config.json journal.jsonl schedule.json schedule.txt report.html; do
    [ -s "run3/$file" ] && result ok "search writes $file" || result "not ok" "search writes $file"
done
works "its schedule is fine" "over 2 epochs" schedule check run3
works "--dry-run of a finished search" "finished already" search --resume run3 --dry-run
works "resuming a finished search" "run3/schedule.json" search --resume run3 -q
run search good $small --out run3
[ $status = 1 ] && [ "$(wc -l <err)" = 1 ] && grep -q -e "^pba: run3: .*--resume" err &&
    result ok "a search is not overwritten" || result "not ok" "a search is not overwritten"
works "search as JSON" '"validation_error"' search good $small --json -q
[ -d runs/search-good-1 ] && result ok "the run folder's default name" ||
    result "not ok" "the run folder's default name"
rm -rf runs
works "train under a run" "test error" train good --model wrn-10-1 --epochs 3 --train-size 64 \
    --batch 32 --augment run3 --out run4 -q

works "evaluate" "balanced error" evaluate good --weights run4/weights-0.safetensors \
    --predictions answers.csv
[ "$(wc -l <answers.csv)" -gt 1 ] && result ok "predictions" || result "not ok" "predictions"
works "evaluate as JSON" '"answers"' evaluate good --weights run4/weights-0.safetensors --json
refuses "evaluate without weights" 2 "--weights" evaluate good
refuses "evaluate missing weights" 1 "none.st" evaluate good --weights none.st
refuses "evaluate other files" 1 "s.json" evaluate good --weights s.json

arms="--model wrn-10-1 --train-size 64 --batch 32 --epochs 1"
works "compare --dry-run" "6 x wrn-10-1" compare good $arms --arms none,randaugment:2,9,run3 --seeds 2 --dry-run
[ -e runs ] && result "not ok" "--dry-run writes nothing" || result ok "--dry-run writes nothing"
works "compare" "the best of what needs no search" compare good $arms --arms none,randaugment:2,9,run3 \
    --seeds 2 --out compared --tensorboard -q
for file in report.html comparison.svg result.json 2-randaugment-2-9/weights-1.safetensors 3-run3/result.json \
    1-none/tensorboard/seed-0; do
    [ -e "compared/$file" ] && result ok "compare makes $file" || result "not ok" "compare makes $file"
done
works "compare as JSON, finished before" '"search_core_seconds"' compare --resume compared --json -q
works "report of a comparison" "report    again.html" report compared --out again.html
cmp again.html compared/report.html && result ok "the same as it wrote itself" ||
    result "not ok" "the same as it wrote itself"
works "an arm is a training run" "test error" train --resume compared/1-none -q
run compare good $arms --arms none,baseline --out compared
[ $status = 1 ] && grep -q "^pba: compared: " err && result ok "a comparison is not overwritten" ||
    result "not ok" "a comparison is not overwritten"
refuses "compare: no data set" 2 "argument is missing" compare --arms none,baseline
refuses "compare: no arms" 2 "name two or more" compare good $arms
refuses "compare: an arm that is none" 2 "autoaugmnet" compare good $arms --arms baseline,autoaugmnet:cifar10
refuses "compare: a run that is missing" 1 "nowhere/run" compare good $arms --arms baseline,nowhere/run
refuses "compare: other options beside --resume" 2 "--lr" compare --resume compared --lr 1
refuses "compare: an unknown model" 2 "resnext" compare good --model resnext --arms none,baseline

works "augment" "images (160, 32, 32, 3), labels, 10 class_names" augment good --augment trivialaugment \
    --epoch 3 --out epoch.npz --val-size 40
works "what augment wrote is a data set" "npz" data info epoch.npz
works "augment by a schedule, as JSON" '"images": 5' augment good --schedule run3 --train-epochs 9 \
    --epoch 8 --baseline none --count 5 --split test --masks --out few.npz --json
refuses "augment: nothing to do" 2 "either --schedule" augment good --out x.npz
refuses "augment: no --epoch" 2 "--epoch is missing" augment good --schedule run3 --out x.npz
refuses "augment: two things to do" 2 "either --schedule" augment good --schedule run3 --augment none --out x.npz
refuses "augment: no --out" 2 "--out is missing" augment good --augment none
refuses "augment: another suffix" 2 "end in .npz" augment good --augment none --out x.npy
refuses "augment: an epoch behind the end" 2 "epochs 0 to 1" augment good --schedule run3 --epoch 2 --out x.npz
refuses "augment: more images than there are" 1 "count: 999" augment good --augment none --count 999 --out x.npz
refuses "augment: a path below a file" 1 "epoch.npz/x.npz" augment good --augment none --out epoch.npz/x.npz

# A training run, stopped, goes on.
long="--model wrn-10-1 --train-size 96 --batch 16 --epochs 40"
: >err
"$pba" train good $long --out cut >out 2>err &
for i in $(seq 600); do
    grep -q "^epoch " err && break
    sleep 0.1
done
kill -TERM $!
wait $!
[ $? = 130 ] && grep -q "pba train --resume cut" err && result ok "a stopped training tells how" ||
    result "not ok" "a stopped training tells how"
works "an undisturbed training" "" train good $long --out uncut -q
# A run from before there were --size, --fit and --skip-bad resumes.
sed -i '/"size":/d; /"fit":/d; /"skip-bad":/d' cut/config.json
works "a resumed training" "test error" train --resume cut -q
cmp cut/weights-0.safetensors uncut/weights-0.safetensors && result ok "the same weights" ||
    result "not ok" "the same weights"
works "resuming a finished training" "test error" train --resume cut -q
refuses "other options beside --resume" 2 "--lr" train --resume cut --lr 1
works "watch --once" "finished" watch run3 --once
works "watch a finished search" "finished: validation error" watch run3
works "watch a finished training" "finished: mean test error" watch cut
works "watch as JSON" '"state": "finished"' watch cut --once --json
refuses "watch: --json alone" 2 "--once" watch run3 --json
refuses "watch: no run" 1 "config.json" watch empty
refuses "watch: nothing there" 1 "nowhere" watch nowhere
refuses "completion of another shell" 2 "bash or zsh" --completion fish
refuses "pages without a folder" 2 "folder" --man-pages
works "report" "report    here.html" report run3 --out here.html
works "report as JSON" '"pictures": "drawn"' report run3/schedule.json --svg drawn --json
[ -s report.html ] && result ok "a schedule's report is written here" ||
    result "not ok" "a schedule's report is written here"
refuses "report: nothing given" 2 "argument" report
refuses "report: no run" 1 "config.json" report empty
works "ops preview" "" ops preview in.png --out ops.png
refuses "ops preview: no --out" 2 "--out is missing" ops preview in.png
refuses "ops: an unknown action" 2 "no action" ops draw
refuses "resuming a search as a training" 1 "search" train --resume run3

# Interrupted after its first round, resumed, it ends as it does undisturbed.
long="--model wrn-10-1 --train-size 96 --val-size 30 --batch 16 --population 4 --epochs 12 --interval 2 --size 32x32"
for signal in INT TERM; do
    : >err # the last one's is not to be taken for this one's
    env --default-signal=INT "$pba" search good $long --out stopped-$signal >out 2>err &
    for i in $(seq 600); do
        grep -q "^round 1 " err && break
        sleep 0.1
    done
    kill -$signal $!
    wait $!
    [ $? = 130 ] && grep -q "pba search --resume stopped-$signal" err &&
        result ok "SIG$signal saves and tells how to go on" ||
        result "not ok" "SIG$signal saves and tells how to go on"
done
grep -q '"size": "32x32"' stopped-TERM/config.json && result ok "the size is kept" ||
    result "not ok" "the size is kept"
works "an undisturbed search" "--size 32x32" search good $long --out whole -q
works "resume" "" search --resume stopped-TERM --workers 1 -q
cmp whole/schedule.json stopped-TERM/schedule.json && result ok "the same schedule" ||
    result "not ok" "the same schedule"

# Interrupted while it measures for a budget or a plan: nothing is written.
for job in "search good --budget 1h" "train good --budget 1h" "search good --model wrn-16-2" \
    "train good --model wrn-16-2" "compare good --arms none,baseline --model wrn-16-2"; do
    env --default-signal=INT "$pba" $job --workers 2 --batch 16 --out unbegun >out 2>err &
    for i in $(seq 600); do
        [ "$(ls /proc/$!/task | wc -l)" -gt 2 ] && break # its workers
        sleep 0.02
    done
    kill -INT $!
    wait $!
    [ $? = 130 ] && [ "$(cat err)" = "pba: interrupted" ] && [ ! -s out ] && [ ! -e unbegun ] &&
        result ok "SIGINT while it measures: $job" ||
        result "not ok" "SIGINT while it measures: $job"
done

# ----------------------------------------------------------------- preview

works "preview of a data set" "" preview good --out sheet.png
works "preview of a schedule" "" preview good --schedule run3 --out sheet.png --images 3
[ -s sheet.png ] && result ok "the picture" || result "not ok" "the picture"
refuses "preview without --out" 2 "--out" preview good
refuses "preview of a missing schedule" 1 "none.json" preview good --schedule none.json --out x.png
refuses "preview below a file" 1 "s.json/x.png" preview good --out s.json/x.png

echo "1..$count"
