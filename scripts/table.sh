# SPDX-License-Identifier: Apache-2.0
# For scripts that compare: training's JSON summaries as rows of a table. Sourced, not run.

# The number of a key in a flat part of a JSON summary.
field() { sed -n "s/^ *\"$2\": \([-0-9.e+]*\),*\$/\1/p" "$1" | head -n 1; }

# table NAME=FILE[,FILE...] ...: mean and range of the test errors in one or more summaries.
table() {
    printf '%-28s %8s   %s\n' augmentation mean range
    for row in "$@"; do
        printf '%s' "${row%%=*}"
        for file in $(echo "${row#*=}" | tr , ' '); do
            printf '\t%s\t%s\t%s' "$(field "$file" mean_test_error)" \
                "$(field "$file" least_test_error)" "$(field "$file" most_test_error)"
        done
        echo
    done | awk -F '\t' '{
        sum = 0; least = 1; most = 0; files = (NF - 1) / 3
        for (i = 2; i < NF; i += 3) {
            sum += $i
            if ($(i + 1) < least) least = $(i + 1)
            if ($(i + 2) > most) most = $(i + 2)
        }
        printf "%-28s %6.2f %%   %.2f to %.2f\n", $1, 100 * sum / files, 100 * least, 100 * most
    }'
}

# fresh PREFIX: the first of PREFIX-1, PREFIX-2 ... that does not exist, made.
fresh() {
    number=1
    while [ -e "$1-$number" ]; do number=$((number + 1)); done
    mkdir -p "$1-$number"
    echo "$1-$number"
}
