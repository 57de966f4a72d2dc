#!/bin/bash
# check_commands.sh SOURCE MEMLOG: each subcommand that memlog --help names has a man page of its
# own, stands in memlog(1) and in the bash completion, and its options are there too.
set -euo pipefail
source=$1 program=$2
commands=$("$program" --help | sed -n 's/^  memlog \([a-z]*\) *\(\[\{0,1\}[A-Z]\{3,\}\| \{12\}[A-Z]\).*/\1/p')
[[ $commands ]] || { echo "memlog --help names no subcommand"; exit 1; }

# Those between "-W '" and the first word that is none, in lines of the completion
completed=$(grep -oE "compgen -W '[a-z ]+" "$source/scripts/completions/memlog.bash" |
    sed "s/compgen -W '//; s/ help *$//; s/ *$//")
while read -r list; do
    [[ $list == $(tr '\n' ' ' <<<"$commands" | sed 's/ $//') ]] ||
        { echo "completion has '$list', --help has: $commands"; exit 1; }
done <<<"$completed"
for command in $commands; do
    grep -q "memlog\\\\-$command" "$source/docs/man/memlog.1" ||
        { echo "memlog.1 does not name memlog\\-$command"; exit 1; }
    "$(dirname "$0")/check_options.sh" "$source" "$program" memlog "$command"
done
