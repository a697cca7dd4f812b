#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Disks as a run may meet them: full, limited, read-only, shared with a second process. Each time
# the message must name file, reason and remedy, and the run must go on to the same bytes. Prints
# TAP. Usage: test_disk.sh PBA
set -u
pba=$(realpath "$1")

# Small and read-only disks are mounted in a namespace of our own; where the system does not permit
# that, what needs them is skipped.
if [ -z "${PBA_TEST_MOUNTS:-}" ]; then
    export PBA_TEST_MOUNTS=no
    unshare -rm sh -c 'mount -t tmpfs -o size=1m none /mnt' 2>/dev/null &&
        PBA_TEST_MOUNTS=yes exec unshare -rm "$0" "$@"
fi

folder=$(mktemp -d)
trap 'umount -l "$folder/small" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder" || exit 1
count=0

result() { # ok|"not ok", name
    count=$((count + 1))
    echo "$1 $count - $2"
}

# check NAME COMMAND...
check() {
    name=$1
    shift
    if "$@" >out 2>err; then
        result ok "$name"
    else
        result "not ok" "$name"
        echo "# $*"
        head -n 5 out err | sed 's/^/# /'
    fi
}

# fails NAME TEXTS COMMAND...: exit 1, and one line "pba: ..." on standard error which has each of
# TEXTS, which are separated by "|".
fails() {
    name=$1 texts=$2
    shift 2
    "$@" >out 2>err </dev/null
    status=$?
    missing=$(echo "$texts" | tr '|' '\n' | while read -r text; do
        grep -qF -e "$text" err || echo "$text"
    done)
    if [ $status = 1 ] && [ "$(wc -l <err)" = 1 ] && grep -q '^pba: ' err && [ -z "$missing" ]; then
        result ok "$name"
    else
        result "not ok" "$name"
        echo "# $*: exit $status, lacks \"$missing\""
        head -n 5 out err | sed 's/^/# /'
    fi
}

# data NAME IMAGES: a folder of IDX files, training and test.
data() {
    mkdir "$1"
    for part in train t10k; do
        printf "\0\0\10\3\0\0\0\\$(printf %03o "$2")\0\0\0\10\0\0\0\10" \
            >"$1/$part-images-idx3-ubyte"
        seq 100000 | tr '\n' '7' | head -c $((64 * $2)) >>"$1/$part-images-idx3-ubyte"
        printf "\0\0\10\1\0\0\0\\$(printf %03o "$2")" >"$1/$part-labels-idx1-ubyte"
        for i in $(seq $(($2 / 2))); do printf '\0\1'; done >>"$1/$part-labels-idx1-ubyte"
    done
}

# limited BLOCKS COMMAND...: no file beyond that many blocks of 512 bytes.
limited() {
    (
        ulimit -f "$1"
        shift
        exec "$@"
    )
}

data data 24
net="--model wrn-10-1 --batch 4 --workers 1 -q"
search="$pba search data $net --population 4 --epochs 4 --interval 1 --train-size 8"
train="$pba train data $net --epochs 2 --seeds 2 --augment trivialaugment"
check "an undisturbed search" $search --out whole
check "an undisturbed training" $train --out trained
same_search() {
    cmp whole/schedule.json "$1/schedule.json" && cmp whole/journal.jsonl "$1/journal.jsonl" &&
        [ ! -e "$1/checkpoint" ]
}
same_training() {
    cmp trained/weights-0.safetensors "$1/weights-0.safetensors" &&
        cmp trained/weights-1.safetensors "$1/weights-1.safetensors" && [ ! -e "$1/checkpoint" ]
}

# ------------------------------------------------------ a limit on the size of files

fails "a file size limit, search" "limited/checkpoint/|File too large|ulimit -f|--resume limited" \
    limited 100 $search --out limited
check "a search goes on without it" "$pba" search --resume limited --workers 1 -q
check "to the same schedule" same_search limited
fails "a file size limit, train" "weights-0.safetensors|File too large|--resume tlimited" \
    limited 100 $train --out tlimited
check "a training goes on without it" "$pba" train --resume tlimited --workers 1 -q
check "to the same weights" same_training tlimited
fails "a file size limit, augment" "a.npz|File too large|ulimit -f" \
    limited 1 "$pba" augment data --augment trivialaugment --epoch 0 --train-epochs 4 --out a.npz
check "no archive is left" test ! -e a.npz -a ! -e a.npz.new

# -------------------------------------------------------------------- two processes

# Of a run that is stopped in the middle of its work.
wait_for() { # FILE LINES
    for i in $(seq 3000); do
        [ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ] && return
        sleep 0.01
    done
}
check "a longer search" $search --epochs 100 --out longer
$search --epochs 100 --out long >/dev/null 2>&1 &
first=$!
wait_for long/journal.jsonl 5
kill -STOP $first
fails "a second process on a search" "long/journal.jsonl|another process" \
    "$pba" search --resume long --workers 1 -q
fails "a second search into its folder" "long|--resume" $search --out long
kill -CONT $first
check "the first one ends" wait $first
check "with the same schedule" cmp longer/schedule.json long/schedule.json
$train --epochs 60 --out tlong >/dev/null 2>&1 &
first=$!
wait_for tlong/checkpoint/seed-0.json 1
kill -STOP $first
fails "a second process on a training" "tlong|another process" \
    "$pba" train --resume tlong --workers 1 -q
kill -CONT $first
check "the first training ends" wait $first

# ------------------------------------------------------------------ small disks

if [ "$PBA_TEST_MOUNTS" = no ]; then
    result ok "full and read-only disks # SKIP mounting is not permitted"
    echo "1..$count"
    exit 0
fi
mkdir small
mount -t tmpfs -o size=2m none small
disk() { # OPTIONS
    mount -o "remount,$1" small
}

fails "a full disk, search" "small/full/checkpoint/|No space left|make room|--resume small/full" \
    $search --out small/full
fails "and again" "small/full|No space left|--resume small/full" \
    "$pba" search --resume small/full --workers 1 -q
disk size=64m
check "a search goes on when there is room" "$pba" search --resume small/full --workers 1 -q
check "to the same schedule" same_search small/full
rm -r small/full

disk size=512k
fails "a full disk, train" "small/tfull/weights-|No space left|make room|--resume small/tfull" \
    $train --out small/tfull
disk size=64m
check "a training goes on when there is room" "$pba" train --resume small/tfull --workers 1 -q
check "to the same weights" same_training small/tfull
rm -r small/tfull

disk size=8k
head -c 100000 /dev/zero >small/filler 2>/dev/null
fails "a disk that is full before" "small/never|No space left|make room" $search --out small/never
fails "a full disk, augment" "small/a.npz|No space left|make room" \
    "$pba" augment data --augment trivialaugment --epoch 0 --train-epochs 4 --out small/a.npz
check "nothing is left" test "$(ls small)" = filler
rm small/filler

disk size=64m
$search --epochs 100 --out small/run >/dev/null 2>&1 &
first=$!
wait_for small/run/journal.jsonl 20
kill -KILL $first
wait $first 2>/dev/null
disk ro
fails "a read-only disk" "small/new|Read-only file system" $search --out small/new
fails "a read-only disk, train" "small/new|Read-only file system" $train --out small/new
fails "a read-only disk, resume" "small/run/journal.jsonl|Read-only file system" \
    "$pba" search --resume small/run --workers 1 -q
disk rw
check "a search goes on when it can be written" "$pba" search --resume small/run --workers 1 -q
check "to the same schedule" cmp longer/schedule.json small/run/schedule.json

echo "1..$count"
