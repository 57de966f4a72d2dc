# Completion of memlog-mpi for bash: source it, or put it into /etc/bash_completion.d.
_memlog_mpi()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i
    local options='--outfile --repeat-rate --sample-delay --ranks --ranks-per-node --bind-to
        --nodefile --launch --attach --no-stdout --stdout-limit --pss-rate --overhead --pstack
        --debugger --stack-rate --stack-growth --stack-ranks --stack-signal --no-hooks --heap
        --heap-rate --no-gpu --gpu-rate
        --journal-dir --force
        --live --quiet --verbose --help --version'
    COMPREPLY=()
    # Behind -- it is the application's command and its arguments.
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -- ]] || continue
        if ((COMP_CWORD == i + 1)); then
            mapfile -t COMPREPLY < <(compgen -c -- "$word")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
        fi
        compopt -o filenames 2>/dev/null
        return
    done
    case $before in
    --bind-to) mapfile -t COMPREPLY < <(compgen -W 'auto core socket none' -- "$word") ;;
    --debugger) mapfile -t COMPREPLY < <(compgen -W 'unwind gdb lldb' -- "$word") ;;
    --stack-signal) mapfile -t COMPREPLY < <(compgen -W 'USR1 USR2' -- "$word") ;;
    --attach) mapfile -t COMPREPLY < <(compgen -W 'job' -- "$word") ;;
    --launch) mapfile -t COMPREPLY < <(compgen -W 'auto ranks once' -- "$word") ;;
    --journal-dir)
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        compopt -o filenames 2>/dev/null ;;
    -o | --outfile | --nodefile)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames 2>/dev/null ;;
    -n | --ranks) mapfile -t COMPREPLY < <(compgen -W 'slots' -- "$word") ;;
    -r | --repeat-rate | --sample-delay | --ranks-per-node | --stdout-limit | --pss-rate | --overhead | \
        --stack-rate | --stack-growth | --stack-ranks | --heap-rate | --gpu-rate) ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$options --" -- "$word") ;;
    esac
}
complete -F _memlog_mpi memlog-mpi memlog-mpi.openmpi memlog-mpi.mpich
