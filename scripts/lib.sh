# shellcheck shell=bash
# What the scripts share. To be sourced by bash; runs nothing by itself.

# shellcheck disable=SC2034 # the scripts use it
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { complain "$*"; exit 1; }

# quietly LOG COMMAND...: its output goes to LOG, of which the end is shown if it fails.
quietly() {
    local log=$1
    shift
    "$@" </dev/null >"$log" 2>&1 && return
    tail -n 40 "$log" >&2
    complain "failed: $* (all of it: $log)"
    return 1
}

# The prefix that makes a command run as root, in the array $as_root; false if there is none.
find_root() {
    as_root=()
    ((EUID == 0)) && return
    command -v sudo >/dev/null || return 1
    as_root=(sudo)
    sudo -n true 2>/dev/null || [[ -t 0 ]]
}

# Whether apt can install PACKAGE. Of one that others only name, apt-cache says nothing and returns 0;
# it may be provided by another one all the same.
apt_has() {
    [[ $(apt-cache show "$1" 2>/dev/null) ]] || apt-get install -s "$1" >/dev/null 2>&1
}

# install_packages LOG PACKAGE...: those that apt has and that are not there yet. A PACKAGE may be
# written COMMAND=PACKAGE: it is wanted only where COMMAND is missing.
install_packages() {
    local log=$1 entry package unknown=() wanted=()
    shift
    for entry; do
        package=${entry#*=}
        [[ $entry == *=* ]] && command -v "${entry%%=*}" >/dev/null && continue
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            wanted+=("$package")
    done
    ((${#wanted[@]})) || return 0
    find_root || { complain "not root, and no sudo to install: ${wanted[*]}"; return 1; }
    quietly "$log" "${as_root[@]}" apt-get update -qq || return
    entry=("${wanted[@]}")
    wanted=()
    for package in "${entry[@]}"; do
        if apt_has "$package"; then
            wanted+=("$package")
        else
            unknown+=("$package")
        fi
    done
    ((${#unknown[@]})) && say "not in this distribution: ${unknown[*]}"
    ((${#wanted[@]})) || return 0
    say "installing ${wanted[*]}"
    quietly "$log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${wanted[@]}"
}

# Makes Open MPI start as root, and more ranks than there are cores: in the words of Open MPI 4, and
# in those of PRRTE, which Open MPI 5 starts ranks with.
allow_open_mpi() {
    if ((EUID == 0)); then
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    export OMPI_MCA_rmaps_base_oversubscribe=1
    export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
}

# The mpiexec of FLAVOUR.
mpiexec_of() {
    local name
    for name in "mpiexec.$1" mpiexec.hydra mpiexec; do
        [[ $1 == openmpi && $name == mpiexec.hydra ]] && continue
        command -v "$name" && return
    done
    return 1
}
