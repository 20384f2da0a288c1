# Helpers of deploy/run and deploy/test, which source this file.
# shellcheck shell=bash

# What ccache must know of precompiled headers.
export CCACHE_SLOPPINESS=pch_defines,time_macros

say() { printf '%s\n' "deploy: $*" >&2; }
# die WHAT [REMEDY [STATUS]]
die() {
    say "$1"
    [ -z "${2-}" ] || say "remedy: $2"
    exit "${3-1}"
}
wrong_use() { die "$1" "see $0 --help" 2; }

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

# installed PACKAGE…: those that are, one a line; one call, since each reads the whole list.
installed() {
    { dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } | sed -n 's/^installed //p'
}

# The lines of one section of packages.txt.
section() {
    awk -v wanted="[$1]" '/^\[/ { inside = ($0 == wanted); next } inside && NF && !/^#/' "$DEPLOY/packages.txt"
}

# Debian's package would create and start a cluster on port 5432, which nobody here asked for. Only on a
# machine where PostgreSQL is not yet installed is that decision ours.
no_main_cluster() {
    local file=/etc/postgresql-common/createcluster.conf
    if [ -n "$(installed postgresql-common)" ] || [ -e "$file" ]; then return 0; fi
    say "writing $file: the distribution's own PostgreSQL cluster is not started"
    as_root mkdir -p "${file%/*}"
    printf 'create_main_cluster = false\n' | as_root tee "$file" >/dev/null
}

# What an interrupted installation left half done.
mend_dpkg() {
    if [ -z "$(dpkg --audit 2>/dev/null)" ]; then return 0; fi
    say "finishing an interrupted installation of packages"
    as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a >&2 || true
}

# no_source PACKAGE STALE
no_source() {
    if [ -n "$2" ]; then
        die "the package $1 is missing and the package sources cannot be reached" "connect this machine to the network, or check /etc/apt/sources.list*"
    fi
    die "no package source has $1" "Debian 12, Ubuntu 24.04 or newer is needed; check /etc/apt/sources.list*"
}

# A dead mirror is given up soon; another apt (a fresh machine updates itself) is waited for.
APT=(-q -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 -o Acquire::Retries=1 -o DPkg::Lock::Timeout=600)

# available PACKAGE…: those that a package source has, one a line; one call, since each reads all lists.
available() {
    LC_ALL=C apt-cache policy "$@" 2>/dev/null |
        awk '/^[^ ].*:$/ { name = substr($0, 1, length($0) - 1) } $1 == "Candidate:" && $2 != "(none)" { print name }'
}

# first_of LIST NAME…: the first of the names that is a line of the list; fails when none is.
first_of() {
    local list=$1 name
    shift
    for name in "$@"; do
        if [[ $'\n'$list$'\n' == *$'\n'"$name"$'\n'* ]]; then
            printf '%s\n' "$name"
            return 0
        fi
    done
    return 1
}

# need_packages SECTION…: installs what dpkg lacks; touches no network when nothing is missing.
need_packages() {
    local name line have offered found stale=
    local -a lines=() wanted=()
    MISSING=()
    command -v dpkg-query >/dev/null || die "this is no Debian or Ubuntu" "install what deploy/packages.txt lists by hand"
    for name in "$@"; do mapfile -t -O ${#lines[@]} lines < <(section "$name"); done
    # shellcheck disable=SC2086 # words: the alternatives of a line
    have=$(installed ${lines[*]//|/ })
    for line in "${lines[@]}"; do
        # shellcheck disable=SC2086
        first_of "$have" ${line//|/ } >/dev/null || wanted+=("$line")
    done
    [ ${#wanted[@]} -gt 0 ] || return 0
    say "missing packages: ${wanted[*]}"
    MISSING=("${wanted[@]%%|*}")
    mend_dpkg
    say "refreshing the package lists"
    as_root apt-get "${APT[@]}" -o APT::Update::Error-Mode=any update >&2 || stale=1
    MISSING=()
    # shellcheck disable=SC2086 # words: the alternatives of a line
    offered=$(available ${wanted[*]//|/ })
    for line in "${wanted[@]}"; do
        # shellcheck disable=SC2086
        found=$(first_of "$offered" ${line//|/ }) || no_source "${line//|/ or }" "$stale"
        MISSING+=("$found")
    done
    no_main_cluster
    say "installing: ${MISSING[*]}"
    # --force-confold: the file written above stays when postgresql-common brings its own.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "${APT[@]}" install -y --no-install-recommends \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "${MISSING[@]}" >&2 ||
        die "apt-get could not install: ${MISSING[*]}" "read its message above; then start this command again"
}
