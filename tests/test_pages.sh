#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Manual pages and completions: that none is missing, that what reads them finds nothing to complain
# of, and that they say what --help says. Prints TAP. Usage: test_pages.sh PBA PAGES_FOLDER
set -u
pba=$(realpath "$1")
pages=$(realpath "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
count=0

# check NAME COMMAND...: what it says is a complaint, as is another exit status than 0.
check() {
    name=$1
    shift
    count=$((count + 1))
    if "$@" >said 2>&1 && [ ! -s said ]; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        head -n 10 said | sed 's/^/# /'
    fi
}

skip() {
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2 is not installed"
}

commands=$("$pba" --help | sed -n '/^COMMANDS/,/^$/s/^    \([a-z]*\) .*/\1/p')

# Every option of --help stands in the page.
names_options() {
    "$pba" "$1" --help | sed -n 's/^    \(-q, \|-h, \)\{0,1\}--\([a-z-]*\).*/\2/p' >options
    [ -s options ] || echo "--help lists no options"
    while read -r option; do
        sed 's/\\-/-/g' "$pages/man1/pba-$1.1" | grep -qF -e "--$option" ||
            echo "--$option is missing"
    done <options
}

all_pages() {
    for command in $commands; do
        [ -s "$pages/man1/pba-$command.1" ] || echo "pba-$command.1 is missing"
        grep -q "pba..$command" "$pages/man1/pba.1" || echo "pba.1 does not name $command"
    done
}

check "a page for every command" all_pages
check "options of pba search" names_options search
check "options of pba watch" names_options watch
if command -v mandoc >/dev/null; then
    check "mandoc" mandoc -Tlint -Wstyle "$pages"/man1/*.1
else
    skip "mandoc" mandoc
fi
if command -v groff >/dev/null; then
    groff_of() { for page in "$pages"/man1/*.1; do groff -ww -man -Tascii -z "$page"; done; }
    check "groff" groff_of
else
    skip "groff" groff
fi

# ------------------------------------------------------------------- completion

# completes EXPECTED WORD...: bash proposes these, sorted, for the last word.
completes() {
    expected=$1
    shift
    # shellcheck disable=SC2016
    bash -c 'source "$0"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_WORDBREAKS="=:"
        _pba
        printf "%s\n" "${COMPREPLY[@]}" | sort | paste -sd " "' "$pages/pba" "$@" >proposed 2>&1
    [ "$(cat proposed)" = "$expected" ] || echo "\"$*\": \"$(cat proposed)\", wanted \"$expected\""
}

touch schedule.json
mkdir runs
if command -v bash >/dev/null; then
    check "bash: a command" completes "search" pba sea
    check "bash: choices" completes "auto bf16 f32" pba search demo --precision ""
    check "bash: a choice behind =" completes "bf16" pba search --precision = b
    check "bash: an option" completes "--population" pba search demo --pop
    check "bash: no option of another command" completes "" pba ops --pop
    check "bash: a preset of its job" completes "rsvhn" pba search --preset rs
    check "bash: an operation" completes "Rotate" pba apply in.png out.png --op Ro
    check "bash: behind a colon" completes "cifar10" pba train demo --augment autoaugment : ci
    check "bash: a schedule in place of a name" completes "schedule.json" pba train demo --augment sch
    check "bash: an action" completes "check" pba schedule ch
    check "bash: a file" completes "runs" pba watch ru
    check "bash: no file where a number belongs" completes "" pba search demo --epochs ""
    check "bash: a value that is written out" completes "constant cosine" pba search demo --lr-schedule co
    check "bash: the same as the program writes" sh -c "'$pba' --completion bash | cmp - '$pages/pba'"
else
    skip "bash" bash
fi
if command -v zsh >/dev/null; then
    # shellcheck disable=SC2016
    zsh_loads() {
        zsh -fc 'fpath=("$1" $fpath); autoload -Uz compinit; compinit -D -u
            [[ $_comps[pba] == _pba ]] || echo "compinit does not find it"' zsh "$pages"
        zsh -n "$pages/_pba"
    }
    # zsh completes on a terminal alone: one is made, and what it shows is looked at.
    # shellcheck disable=SC2016
    zsh_completes() {
        cat >complete.zsh <<'ZSH'
zmodload zsh/zpty
zpty z zsh -f
zpty -w z "PS1='%# '; fpath=($1 \$fpath); autoload -Uz compinit; compinit -D -u; bindkey '^I' complete-word"
zpty -n -w z "pba search --precisi"$'\t'$'\t'$'\t'
out=
for i in {1..600}; do
    while zpty -r -t z chunk; do out+=$chunk; done
    [[ $out == *bf16* ]] && break
    sleep 0.1
done
zpty -d z
[[ $out == *--precision* && $out == *bf16* ]] || print -r -- "$out"
ZSH
        zsh -f complete.zsh "$pages"
    }
    check "zsh: it loads" zsh_loads
    check "zsh: it completes" zsh_completes
else
    skip "zsh" zsh
fi

echo "1..$count"
