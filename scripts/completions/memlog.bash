# Completion of memlog for bash: source it, or put it into /etc/bash_completion.d.
_memlog()
{
    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} options= files=h5
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W 'read top diff plot export recover check doctor help --help --version' -- "$word")
        return
    fi
    case $command in
    help)
        mapfile -t COMPREPLY < <(compgen -W 'read top diff plot export recover check doctor' -- "$word")
        return ;;
    read)
        options='--follow --chain --all --every --ranks --separate --stdout --mpi --pstack --tree --main-threads --heap --flat --churn --leaks --phase --at --rank --since --until --json --no-color --help'
        files='@(h5|journal|log|csv)' ;;
    top)
        options='--plain --every --no-color --help'
        files='@(h5|journal|log|csv)' ;;
    diff)
        options='--against --fail-if --all --json --no-color --help'
        files='@(h5|journal|log|csv)' ;;
    plot)
        options='--outfile --by --stacked --heatmap --multiples --band --heap --owner --flame --icicle --at --churn --chain --diff --align --column --rate --since --until --rank --node --time --yrange --log
            --pstack --stdout --rotate-text --move-text --trim-text --legend --title --label --size --paper --slide --font --darkmode --palette --help'
        files='@(h5|journal|png|svg|pdf|eps|tex|html|gp|txt)' ;;
    export)
        options='--csv --wide --json --openmetrics --moose-csv --perfetto --folded --speedscope --pprof --weight --heap --at --phase --outfile --rank --since --until --trigger --help'
        files='@(h5|journal|log|csv)' ;;
    recover)
        options='--outfile --force --help'
        files='@(h5|journal)' ;;
    check)
        options='--help' ;;
    doctor)
        mapfile -t COMPREPLY < <(compgen -W '--json --help' -- "$word")
        return ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
    fi
    local extended
    extended=$(shopt -p extglob)
    shopt -s extglob
    mapfile -t COMPREPLY < <(compgen -f -X "!*.$files" -- "$word"; compgen -d -S / -- "$word")
    $extended
    compopt -o nospace -o filenames 2>/dev/null
    if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} != */ ]]; then
        compopt +o nospace
    fi
}
complete -F _memlog memlog
