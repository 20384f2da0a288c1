# Helpers of deploy/run and deploy/test, which source this file.
# shellcheck shell=bash

say() { printf '%s\n' "deploy: $*" >&2; }
die() {
    say "$1"
    [ -z "${2-}" ] || say "remedy: $2"
    exit 1
}

# as_root COMMAND…: as it is for root, else by sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "installing packages needs root, and sudo is not there" "run as root, or let root install: ${MISSING[*]-}"
    fi
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# The lines of one section of packages.txt.
section() {
    awk -v wanted="[$1]" '/^\[/ { inside = ($0 == wanted); next } inside && NF && !/^#/' "$DEPLOY/packages.txt"
}

# Debian's package would create and start a cluster on port 5432, which nobody here asked for. Only on a
# machine where PostgreSQL is not yet installed is that decision ours.
no_main_cluster() {
    local file=/etc/postgresql-common/createcluster.conf
    if installed postgresql-common || [ -e "$file" ]; then return 0; fi
    say "writing $file: the distribution's own PostgreSQL cluster is not started"
    as_root mkdir -p "${file%/*}"
    printf 'create_main_cluster = false\n' | as_root tee "$file" >/dev/null
}

# need_packages SECTION…: installs what dpkg lacks; touches no network when nothing is missing.
need_packages() {
    local name line option found
    local -a wanted=()
    MISSING=()
    command -v dpkg-query >/dev/null || die "this is no Debian or Ubuntu" "install what deploy/packages.txt lists by hand"
    for name in "$@"; do
        while IFS= read -r line; do
            found=
            for option in ${line//|/ }; do
                if installed "$option"; then found=1; fi
            done
            [ -n "$found" ] || wanted+=("$line")
        done < <(section "$name")
    done
    [ ${#wanted[@]} -gt 0 ] || return 0
    say "missing packages: ${wanted[*]}"
    MISSING=("${wanted[@]%%|*}")
    as_root apt-get update -qq || say "the package lists could not be refreshed; trying with those at hand"
    MISSING=()
    for line in "${wanted[@]}"; do
        found=
        for option in ${line//|/ }; do
            if [ -z "$found" ] && [ -n "$(apt-cache show --no-all-versions "$option" 2>/dev/null)" ]; then found=$option; fi
        done
        [ -n "$found" ] || die "no package source has ${line//|/ or }" "Debian 12, Ubuntu 24.04 or newer; check /etc/apt/sources.list*"
        MISSING+=("$found")
    done
    no_main_cluster
    say "installing: ${MISSING[*]}"
    # --force-confold: the file written above stays when postgresql-common brings its own.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "${MISSING[@]}" >&2 ||
        die "apt-get could not install: ${MISSING[*]}" "read its message above; then start this command again"
}
