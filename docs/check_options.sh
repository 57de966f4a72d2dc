#!/bin/bash
# check_options.sh SOURCE PROGRAM NAME [SUBCOMMAND]: the man page and the bash completion know the
# options that --help prints, which come from the program's own table, and no others.
set -euo pipefail
source=$1 program=$2 name=$3 subcommand=${4:-}
page=$source/docs/man/$name${subcommand:+-$subcommand}.1
completion=$source/scripts/completions/$name.bash

# "  -o, --outfile FILE   text", "      --help, --version" to "--outfile FILE" a line
from_help() {
    "$program" $subcommand --help | grep -E '^ +(-[a-zA-Z], )?--[a-z]' |
        sed -E 's/^ +(-[a-zA-Z], )?//; s/  .*//; s/, /\n/g' | sort
}

# The lines behind .TP that begin with an option, without fonts
from_page() {
    awk '/^\.TP/ {getline; print}' "$page" | sed 's/\\f[A-Z]//g; s/^\.[A-Z]* //; s/\\-/-/g; s/"//g; s/  */ /g' |
        grep '^-' | grep -oE -- '--[a-z-]+( \[?[A-Z]+\]?)?' | sort
}

# Of a program with subcommands those of this one
from_completion() {
    local part
    if [[ $subcommand ]]; then
        part=$(sed -n "/^    $subcommand)/,/;;/p" "$completion")
    else
        part=$(sed -n "/options='/,/'\$/p" "$completion")
    fi
    grep -oE -- '--[a-z-]+' <<<"$part" | sort
}

diff -u --label help --label "$page" <(from_help) <(from_page)
diff -u --label help --label "$completion" <(from_help | sed 's/ .*//') <(from_completion)
