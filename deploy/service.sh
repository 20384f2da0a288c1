# Starting, waiting for and stopping the server; deploy/run sources this file. It sets: HEARTH (the binary),
# STATE (folder), SERVER_USER, SETTINGS (arguments that name the settings file), SOCKET (the server's),
# RUN (this command, for remedies), ONCE (whether a question is asked), DEPLOY.
# shellcheck shell=bash

# as_server COMMAND…: as the user that the server runs as. HOME stays: the key of whoever runs this lies
# under it, and the server hides that folder from tools. Descriptor 9 is the lock of deploy/run.
as_server() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid "$SERVER_USER" --regid "$SERVER_USER" --init-groups "$@" 9>&-
    else
        "$@" 9>&-
    fi
}

hearth() { (cd / && as_server "$HEARTH" "${SETTINGS[@]}" "$@"); }

pid_file() { printf '%s\n' "$STATE/run/serve.pid"; }
log_file() { printf '%s\n' "$STATE/serve.log"; }

# The pid of the running server, when the pid file's process is a hearth.
server_pid() {
    local pid
    pid=$(cat "$(pid_file)" 2>/dev/null) || return 1
    # After a new build the link reads ".../hearth (deleted)".
    [[ $(readlink "/proc/$pid/exe" 2>/dev/null) =~ /hearth(\ \(deleted\))?$ ]] && printf '%s\n' "$pid"
}

# Whether it runs the binary that lies there now and not one that has been replaced.
server_is_current() { [ "/proc/$1/exe" -ef "$HEARTH" ]; }

# setting NAME: its value as the server sees it.
setting() { hearth config show "$1"; }

# Over the Unix socket, which needs neither the port nor a certificate.
health() { curl -sS --max-time 5 --unix-socket "$SOCKET" http://localhost/health 2>/dev/null; }

# Where the running server listens, by its own line; every address of the machine is reached by name.
server_address() {
    sed -n 's/^hearth listens on //p' "$(log_file)" | tail -n 1 | sed 's#//0\.0\.0\.0:#//localhost:#; s#//\[::\]:#//localhost:#'
}

# health_line ANSWER: the server's own account of how far it is, as one line; fails until it is ready.
health_line() {
    local status stage percent
    status=$(field status "$1") stage=$(field stage "$1") percent=$(field percent "$1")
    case "$status" in
        ok | degraded) return 0 ;; # it serves; hearth doctor names what failed
        loading) printf 'loading: %s %s %%\n' "$stage" "$percent" ;;
        *) printf '%s\n' "${status:-starting}" ;;
    esac
    return 1
}

# field NAME JSON: of a flat object of words and numbers.
field() { sed -n 's/.*"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/p' <<<"$2"; }

LOG_BEGIN=0 # bytes that the log had before this start

# die_with_log WHAT [REMEDY]
die_with_log() {
    # Of this start alone, and what is wrong rather than what went well.
    tail -c "+$((LOG_BEGIN + 1))" "$(log_file)" | grep -v ' info ' | tail -n 5 >&2 || true
    die "$1" "${2-the whole log is $(log_file); hearth doctor looks at the machine}"
}

# Waits until it answers 200, showing stage and percentage. One that is down for a second will not come up: a
# database that is started again takes less.
wait_for_server() {
    local line last="" down=0 deadline=$((SECONDS + ${HEARTH_START_SECONDS:-300}))
    until line=$(health_line "$(health)"); do
        if [ "$line" != "$last" ]; then say "$line"; fi
        last=$line
        server_pid >/dev/null || die_with_log "the server stopped while starting"
        [ "$line" != disk_full ] || die "the server takes nothing in: its disk is full" "free some space on the disk of $STATE; the server goes on by itself"
        if [ "$line" = down ]; then down=$((down + 1)); else down=0; fi
        [ $down -lt 6 ] || die_with_log "the server is down" "the whole log is $(log_file); hearth doctor looks at the machine; $RUN --stop ends it"
        [ $SECONDS -lt $deadline ] || die "the server is not ready: $line" "look at $(log_file), or $RUN --stop"
        sleep 0.2
    done
}

start_server() {
    local pid=
    pid=$(server_pid) || true
    if [ -n "$pid" ] && ! server_is_current "$pid"; then
        say "the running server is of another build: starting it anew"
        stop_server
        pid=
    fi
    if [ -n "$pid" ]; then
        [ -n "$ONCE" ] || say "the server already runs (pid $pid)"
        return 0
    fi
    if [ -n "$(health)" ]; then
        die "another server answers at $SOCKET" "stop it, or choose another state folder: HEARTH_STATE_FOLDER=/path deploy/run"
    fi
    say "starting the server; its log is $(log_file)"
    LOG_BEGIN=$(stat -c %s "$(log_file)" 2>/dev/null) || LOG_BEGIN=0
    as_server mkdir -p "$STATE/run"
    # A session of its own, which Ctrl-C in this terminal does not reach, and which keeps nothing open that the
    # caller holds: neither this script's output nor a lock.
    # shellcheck disable=SC2016 # expands in the inner shell
    as_server setsid --fork bash -c 'for fd in /proc/self/fd/*; do [ "${fd##*/}" -le 2 ] || eval "exec ${fd##*/}>&-"; done
        cd / && echo $$ >"$1" && log=$2 && shift 2 && exec "$@" </dev/null >>"$log" 2>&1' \
        start "$(pid_file)" "$(log_file)" "$HEARTH" serve "${SETTINGS[@]}" </dev/null >/dev/null 2>&1
    for _ in $(seq 50); do
        if server_pid >/dev/null; then return 0; fi
        sleep 0.1
    done
    die_with_log "the server did not start"
}

stop_server() {
    local pid
    if ! pid=$(server_pid); then
        say "no server runs"
        return 0
    fi
    say "stopping the server (pid $pid)"
    kill "$pid"
    for _ in $(seq 100); do
        [ -e "/proc/$pid" ] || return 0
        sleep 0.1
    done
    say "it did not stop within 10 s: killing it"
    kill -KILL "$pid"
}

# as_caller COMMAND…: as who runs this, through sudo too.
as_caller() {
    if [ "$(id -u)" = 0 ] && [ -n "${SUDO_UID-}" ]; then
        # shellcheck disable=SC2153 # sudo sets both
        setpriv --reuid "$SUDO_UID" --regid "$SUDO_GID" --clear-groups "$@"
    else
        "$@"
    fi
}

key_is_known() {
    local status
    # Its certificate may be its own; the address is of this machine.
    status=$(curl -sk -o /dev/null -w '%{http_code}' --max-time 5 -H @<(printf 'Authorization: Bearer %s' "$(cat "$KEY_FILE")") "$ADDRESS/v1/models") || true
    [ "$status" != 401 ]
}

# The first key, once: written for whoever runs this, readable by nobody else. What lies there and is not of this
# server may be of another one: it is kept.
make_key() {
    local secret
    if [ -s "$KEY_FILE" ]; then
        if key_is_known; then return 0; fi
        say "the key in $KEY_FILE is not known to this server: making a new one, and keeping that one beside it"
    fi
    secret=$(hearth key new --label deploy --scopes chat,dev,admin --quiet) || die "no key could be made" "see the message above"
    # shellcheck disable=SC2016 # expands in the inner shell
    printf '%s\n' "$secret" | as_caller bash -c 'umask 077 && mkdir -p "${1%/*}" && chmod 700 "${1%/*}" && cat >"$1.new" && mv --backup=numbered "$1.new" "$1"' key "$KEY_FILE" ||
        die "the key could not be written to $KEY_FILE" "make its folder yours; the key is not shown anywhere else: start this command again"
    say "the key of this server lies in $KEY_FILE"
}
