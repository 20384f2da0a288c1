# The first process of the fresh machine that tests/e2e/fresh_machine makes: installs, asks, starts again, stops,
# as an ordinary user and as root, and looks at what lies there. Prints figures and one line a check.
# shellcheck shell=bash
set -uo pipefail

ANN=/home/ann
CHECKOUT=$ANN/hearth
LOGS=/var/tmp/logs
QUESTION="List the files in this folder and tell me what the README is about"
FAILED=0
mkdir -p "$LOGS"
chmod 1777 "$LOGS"

# check WHAT COMMAND…
check() {
    local what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        printf 'ok      %s\n' "$what"
    else
        printf 'FAILED  %s\n' "$what"
        FAILED=$((FAILED + 1))
    fi
}

# With the loopback alone: what needs the network fails at once.
OFFLINE=(unshare --net python3 -c '
import fcntl, os, socket, struct, sys
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
os.execvp(sys.argv[1], sys.argv[1:])')
WRAP=()

as_ann() { (cd "$CHECKOUT" && "${WRAP[@]}" setpriv --reuid ann --regid ann --init-groups env HOME="$ANN" USER=ann "$@"); }
as_admin() { (cd "$CHECKOUT" && "${WRAP[@]}" env HOME=/root USER=root "$@"); }

# timed NAME COMMAND…: standard output to LOGS/NAME.out, standard error with the second of each line before it to
# LOGS/NAME.err; sets STATUS and TOOK.
timed() {
    local name=$1 began=$SECONDS
    shift
    STATUS=0
    "$@" 2> >(while IFS= read -r line; do printf '%4d %s\n' $((SECONDS - began)) "$line"; done >"$LOGS/$name.err") >"$LOGS/$name.out" || STATUS=$?
    wait $! 2>/dev/null
    TOOK=$((SECONDS - began))
}

show() { sed 's/^/        | /' "$LOGS/$1.out" "$LOGS/$1.err" | tail -n "${2-25}"; }

# Milliseconds that a command takes.
clocked() {
    local began=${EPOCHREALTIME/./}
    STATUS=0
    "$@" || STATUS=$?
    TOOK_MS=$(((${EPOCHREALTIME/./} - began) / 1000))
}

# began NAME TEXT: the second at which a line of deploy with TEXT came; empty when none came.
began() { awk -v text="deploy: $2" 'index($0, text) { print $1; exit }' "$LOGS/$1.err"; }

# lasted NAME TEXT NEXT: the seconds from one such line to another; 0 when either is missing.
lasted() {
    local from to
    from=$(began "$1" "$2") to=$(began "$1" "$3")
    printf '%d' $((${from:+${to:+1}} + 0 == 1 ? to - from : 0))
}

# names_files FILE: whether the text names at least two things that lie in the checkout.
names_files() {
    local count=0 name
    while read -r name; do
        if grep -qwF -- "$name" "$1"; then count=$((count + 1)); fi
    done < <(ls "$CHECKOUT")
    [ $count -ge 2 ]
}

run_id() { awk '/^ *[0-9]+ run / { print $3 }' "$LOGS/$1.err" | tail -n 1; }

# in_database USER STATE RUN: what PostgreSQL itself holds of the run: its spans, where the root one is closed.
in_database() {
    local password
    password=$(head -n 1 "$2/pg/credentials")
    [ "$(setpriv --reuid "$1" --regid "$1" --init-groups env PGPASSWORD="$password" psql -h "$2/pg/socket" -U hearth_admin -d hearth -Atc \
        "select count(*) >= 3 from span where run_id = '$3'")" = t ]
}

# running NAME [USER]: whether a process of that program runs (as that user).
running() {
    local process
    for process in /proc/[0-9]*; do
        if [[ $(readlink "$process/exe") =~ /$1( \(deleted\))?$ ]] && [ "$(stat -c %U "$process")" = "${2-$(stat -c %U "$process")}" ]; then return 0; fi
    done
    return 1
}
nothing_runs() { ! running hearth && ! running postgres && ! running bwrap; }
mode_of() { [ "$(stat -c '%a %U' "$1")" = "$2" ]; }
owned_by() { [ -d "$2" ] && [ -z "$(find "$2" ! -user "$1" -print -quit)" ]; }
says() { grep -qF -- "$2" "$LOGS/$1.err"; }

bare_machine() {
    timed bare as_ann deploy/run
    check "without sudo, an ordinary user is told what root has to install" test $STATUS = 1
    check "… naming the packages" says bare "g++ cmake ninja-build"
    timed wrong as_ann deploy/run --twice
    check "a wrong argument ends with status 2 and the usage" test $STATUS = 2
    apt-get -q update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends sudo >/dev/null 2>&1
    printf 'ann ALL=(ALL) NOPASSWD: ALL\n' >/etc/sudoers.d/ann
}

# With the outside's cache of compiled files, which is only read.
use_objects() {
    printf 'the build takes compiled files from a cache: its time does not count\n'
    DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends ccache >/dev/null 2>&1
    export CCACHE_DIR=/ccache CCACHE_READONLY=1 CCACHE_TEMPDIR=/var/tmp/ccache CCACHE_BASEDIR=$CHECKOUT CCACHE_NOHASHDIR=1 \
        CCACHE_SLOPPINESS=pch_defines,time_macros
    install -d -m 1777 "$CCACHE_TEMPDIR"
}

# ask NAME WHO: up to three times, since a small model does not always call the right tool.
ask() {
    local name=$1 who=$2 try
    for try in 1 2 3; do
        [ "$try" = 1 ] || timed "$name" "$who" deploy/run --once "$QUESTION"
        if [ $STATUS = 0 ] && names_files "$LOGS/$name.out"; then break; fi
    done
    printf '        the answer (try %d of at most 3):\n' "$try"
    show "$name" 4
    check "$name: the question is answered" test $STATUS = 0
    check "$name: the answer names real files" names_files "$LOGS/$name.out"
    check "$name: cost and time are said" grep -qE 'tokens/s · [0-9.]+ s: waiting' "$LOGS/$name.err"
}

first_answer() {
    printf 'ann, who may use sudo: deploy/run --once "%s"\n' "$QUESTION"
    timed first as_ann deploy/run --once "$QUESTION"
    local lists model packages
    lists=$(lasted first "refreshing the package lists" "installing: ")
    packages=$(lasted first "installing: " "building hearth")
    model=$(lasted first "fetching the default model" "starting the server")
    [ $STATUS = 0 ] || show first 60
    printf 'figure  fresh machine to first answer: %d s; of it %d s package lists, %d s packages (download and unpacking), %d s build, %d s model\n' \
        "$TOOK" "$lists" "$packages" "$(lasted first "building hearth" "fetching the default model")" "$model"
    printf 'figure  without package lists and model: %d s; load at the end: %s\n' $((TOOK - lists - model)) "$(cut -d' ' -f1-3 /proc/loadavg)"
    check "first answer within 15 minutes, downloads aside" test $((TOOK - lists - model)) -le 900
    ask first as_ann
}

# starts_again WHO: while it runs, and after a stop; without the network.
starts_again() {
    clocked "$1" deploy/run >"$LOGS/again.out" 2>"$LOGS/again.err"
    check "$1: deploy/run while it runs is ready" test $STATUS = 0
    printf 'figure  %s: deploy/run while the server runs: %d ms\n' "$1" "$TOOK_MS"
    check "$1: … within 5 s" test "$TOOK_MS" -le 5000
    "$1" deploy/run --stop >"$LOGS/stop.out" 2>"$LOGS/stop.err"
    check "$1: deploy/run --stop leaves no process" nothing_runs
    WRAP=("${OFFLINE[@]}")
    clocked "$1" deploy/run >"$LOGS/offline.out" 2>"$LOGS/offline.err"
    WRAP=()
    [ $STATUS = 0 ] || show offline
    printf 'figure  %s: deploy/run after a stop, without a network: %d ms\n' "$1" "$TOOK_MS"
    check "$1: deploy/run after a stop needs no network" test $STATUS = 0
    check "$1: … and is ready within 5 s" test "$TOOK_MS" -le 5000
    "$1" deploy/run --stop >"$LOGS/stop.out" 2>"$LOGS/stop.err"
    check "$1: deploy/run --stop leaves no process again" nothing_runs
}

ordinary_user() {
    local state=$ANN/.local/state/hearth
    check "ann: the trace lies in PostgreSQL" in_database ann "$state" "$(run_id first)"
    as_ann build/release/hearth trace show "$(run_id first)" >"$LOGS/trace.out" 2>"$LOGS/trace.err"
    check "ann: hearth trace show tells of the tool call" grep -qE '(list_dir|read_file|glob_files|grep_files|bash)' "$LOGS/trace.out"
    check "ann: the key is hers alone" mode_of "$ANN/.config/hearth/key" "600 ann"
    check "ann: the state is hers" owned_by ann "$state"
    check "ann: nothing is installed for the machine" test ! -e /opt/hearth
    starts_again as_ann
}

root() {
    printf 'root: deploy/run --once in the same checkout, which the user hearth cannot reach\n'
    # The model is there: no second download of it.
    install -D -t /var/lib/hearth/models "$ANN"/.local/state/hearth/models/*.gguf
    rm -f /var/lib/hearth/models/current.gguf
    timed root as_admin deploy/run --once "$QUESTION"
    [ $STATUS = 0 ] || show root 40
    ask root as_admin
    check "root: the trace lies in PostgreSQL" in_database hearth /var/lib/hearth "$(run_id root)"
    check "root: the key is root's alone" mode_of /root/.config/hearth/key "600 root"
    check "root: the user hearth owns the state" owned_by hearth /var/lib/hearth
    check "root: the server runs as hearth" running hearth hearth
    mkdir -p /root/notes && printf 'buy a blue kettle\n' >/root/notes/list.txt
    (cd /root/notes && HOME=/root /opt/hearth/hearth chat --once "Run the command: cat list.txt" </dev/null) >"$LOGS/notes.out" 2>"$LOGS/notes.err"
    printf '        %s\n' "$(head -c 300 "$LOGS/notes.out")"
    check "root: a folder under /root is a workspace" grep -q kettle "$LOGS/notes.out" "$LOGS/notes.err"
    starts_again as_admin
    chown -R ann:ann "$CHECKOUT"
}

bare_machine
if [ -n "${OBJECTS-}" ]; then use_objects; fi
first_answer
ordinary_user
root
printf '%d checks failed\n' $FAILED
[ $FAILED = 0 ]
