#!/bin/bash
# check_tables.sh SOURCE: what stands in a table of the code stands also where people look for it.
# docs/how-to-add.md has all places; here are those that neither the compiler nor another test
# reminds of. Names each one that is missing.
# shellcheck disable=SC2013 # none of these lines has blanks
set -euo pipefail
cd "$1"
missing=0

# wants FILE TEXT WHY
wants() {
    grep -qF -- "$2" "$1" || { echo "$1 lacks $2: $3"; missing=1; }
}

# texts FILE FROM: the string literals from the line that has FROM to the next one with "};"
texts() {
    awk -v from="$2" 'index($0, from) {on = 1} on {print} on && /};/ {exit}' "$1" |
        grep -oE '"[^"]+"' | tr -d '"'
}

for folder in src/*/; do
    wants docs/architecture.md "| \`$(basename "$folder")\` |" "what the folder is and may use"
done

for code in $(grep -oE '^ +ML_(EVENT|TRIGGER|NODE_END)_[A-Z_]+ =' src/record/tables.h | tr -d ' ='); do
    wants src/record/tables.c "{$code, \"" "its word in the file"
done

# Columns that memlog plot can draw: is_drawable in src/plot/source.c
others=" $(texts src/plot/source.c 'others[]' | tr '\n' ' ')"
for column in $(sed -n '/define ML_SAMPLE_COLUMNS/,/^$/p' src/record/tables.h |
    sed -nE 's/.*X\((INT64|INT32|SPAN), [^"]*"([^"]+)".*/\2/p'); do
    [[ $others == *" $column "* ]] ||
        wants src/plot/compose.c "{\"$column\", \"" "its words in the title of a picture"
done

for form in $(sed -n '/^enum ml_plot_form {/,/^}/s/^ *ML_PLOT_\([A-Z]*\),.*/\1/p' src/plot/page.h |
    tr '[:upper:]' '[:lower:]'); do
    wants src/draw/html.c "\"$form\"" "the form's name in a page"
    [[ $form == lines ]] && continue # is drawn where no form is asked for
    wants docs/pictures.md "\`--$form\`" "which question the form answers"
    wants tests/integration/plot_testing.py "\"$form\": [" "so that the tests of pictures draw it"
done

for scheduler in $(texts src/launch/schedulers.c 'schedulers[]' | grep _); do
    wants docs/man/memlog-mpi.1 "$scheduler" "a variable that is read"
done

for source in $(grep -ohE '\.name = "[a-z_]+"' src/recorder/*.c | cut -d'"' -f2); do
    wants docs/architecture.md "| \`$source\` (" "what the source does at a tick"
done

# What is defined and in no table compiles, and is never called.
for source in $(grep -ohE '^const struct ml_source ml_source_[a-z_]+' src/recorder/*.c | sed 's/.* //'); do
    wants src/recorder/source_table.c "&$source" "so that the sampler calls it"
done
for command in $(grep -ohE '^const struct ml_command ml_command_[a-z_]+' src/commands/*.c |
    sed 's/.*ml_command_//'); do
    wants src/commands/command.h "X($command)" "so that memlog has it"
done

# Backends, and all words that options of memlog-mpi take
for backend in $(grep -oE '&ml_stack_[a-z]+' src/stack/backends.c | sed 's/.*_//'); do
    wants src/launch/options.c "\"$backend\"" "a word of --debugger"
    wants tests/integration/stack_testing.py "\"$backend\"" "so that the tests of stacks use it"
done
for option in bind-to debugger launch; do
    for word in $(texts src/launch/options.c "${option%-to}_words[]"); do
        wants docs/man/memlog-mpi.1 "$word" "a word of --$option"
        [[ $word == auto ]] || grep -qE "^ +--$option\).*\<$word\>" scripts/completions/memlog-mpi.bash ||
            { echo "scripts/completions/memlog-mpi.bash lacks $word after --$option"; missing=1; }
        [[ $word == auto ]] || grep -qE "^ +\(\"memlog-mpi\", \"$option\"\):.*\<$word\>" scripts/completions/generate ||
            { echo "scripts/completions/generate lacks $word after --$option"; missing=1; }
    done
done

version=$(sed -n 's/^project(memlog-mpi VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
wants scripts/packaging/debian/changelog "memlog-mpi ($version-" "the version of the package"
wants scripts/packaging/memlog-mpi.spec "Version:        $version" "the version of the package"
exit $missing
