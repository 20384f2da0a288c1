# Building and putting in place; deploy/run sources this file. It sets: CHECKOUT, HEARTH (the binary),
# SETTINGS (arguments that name the settings file), SETTINGS_FILE; choose_state sets STATE (folder), KEY_FILE and RUN.
# shellcheck shell=bash

# The state folder that SETTINGS_FILE names; nothing when it names none.
state_in_settings() {
    local binary
    [ -r "$SETTINGS_FILE" ] || return 0
    for binary in "$HEARTH" "$CHECKOUT/build/release/hearth"; do
        [ -x "$binary" ] || continue
        { env -u HEARTH_STATE_FOLDER "$binary" --settings "$SETTINGS_FILE" config show 2>/dev/null || true; } |
            awk -v from=" $SETTINGS_FILE " '$1 == "state.folder" && (at = index($0, from)) { print substr($0, 28, at - 28) }' | sed 's/ *$//'
        return 0
    done
}

# variable NAME VALUE DEFAULT: "NAME=VALUE " for before a command that would take the default by itself.
variable() { [ "$2" = "$3" ] || printf '%s=%q ' "$1" "$2"; }

# choose_state DEFAULT: STATE; KEY_FILE, each server's own; and RUN: this command as it has to be started for the
# same one.
choose_state() {
    local named folder
    named=$(state_in_settings)
    STATE=${HEARTH_STATE_FOLDER:-${named:-$1}}
    RUN=$(variable HEARTH_STATE_FOLDER "$STATE" "${named:-$1}")deploy/run
    folder=$(config_folder)
    if [ "$STATE" != "${named:-$1}" ]; then folder+=/keys$STATE; fi
    # shellcheck disable=SC2034 # deploy/service.sh reads it
    KEY_FILE=$folder/key
    export HEARTH_STATE_FOLDER=$STATE
}

# What goes before $HEARTH so that it finds this server.
variables_of_client() {
    local -a by_itself=(env -u HEARTH_STATE_FOLDER -u HEARTH_SERVER_SOCKET "$HEARTH" "${SETTINGS[@]}" config show)
    variable HEARTH_STATE_FOLDER "$STATE" "$("${by_itself[@]}" state.folder)"
    if [ -n "${HEARTH_SERVER_SOCKET-}" ]; then variable HEARTH_SERVER_SOCKET "$SOCKET" "$("${by_itself[@]}" server.socket)"; fi
}

# curl, as it trusts the server at ADDRESS: a certificate that hearth made is signed by nobody else.
curl_for_server() {
    printf 'curl -sS'
    if [[ $ADDRESS = https:* ]] && [ -z "$(setting server.certificate)" ]; then printf ' --cacert %q' "$STATE/tls/certificate.pem"; fi
}

# The folder for the first key: of who runs this, through sudo too.
config_folder() {
    if [ "$(id -u)" = 0 ] && [ -n "${SUDO_UID-}" ] && [ "$SUDO_UID" != 0 ]; then
        printf '%s\n' "$(getent passwd "$SUDO_UID" | cut -d: -f6)/.config/hearth"
    else
        printf '%s\n' "${XDG_CONFIG_HOME:-$HOME/.config}/hearth"
    fi
}

# One deploy/run of a checkout at a time; descriptor 9 is the lock.
lock_checkout() {
    { mkdir -p build && [ -w build ] && : >>build/run.lock; } 2>/dev/null ||
        die "this user may not write to $CHECKOUT/build" "build in a checkout of your own, or run as the owner of this one"
    exec 9>>build/run.lock
    flock -n 9 || { say "waiting for another deploy/run of this checkout" && flock 9; }
}

# Compilers beside each other: as many as there are CPUs, while each has a GiB of memory.
build_jobs() {
    local cpus gib
    cpus=$(nproc)
    gib=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
    printf '%s\n' $((gib < 1 ? 1 : gib < cpus ? gib : cpus))
}

build() {
    local -a cache=() make=(ninja -C build/release -j"$(build_jobs)" hearth)
    if command -v ccache >/dev/null; then cache=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
    if [ ! -x build/release/hearth ]; then say "building hearth: this takes about ten minutes on two cores"; fi
    [ -f build/release/build.ninja ] || cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DHEARTH_PCH=ON -DHEARTH_UNITY=ON "${cache[@]}" >&2 ||
        die "the build could not be configured" "read the message above"
    # On a terminal the first build is one line that counts; a later one has mostly nothing to do, and no word for that.
    if [ -x build/release/hearth ]; then
        "${make[@]}" 2>&1 | sed -u '/^ninja: Entering directory/d; /^ninja: no work to do/d; /Re-checking globbed directories/d' >&2
    else
        "${make[@]}" >&2
    fi || die "the build failed" "read the compiler's message above"
    ln -sfn app/hearth build/release/hearth
}

# install_file FROM TO MODE: replaced as a whole, and only when it differs.
install_file() {
    if cmp -s "$1" "$2"; then return 0; fi
    say "installing $2"
    install -D -m "$3" "$1" "$2.new"
    mv "$2.new" "$2"
}

write_settings() {
    say "writing $SETTINGS_FILE"
    install -d -m 755 "${SETTINGS_FILE%/*}"
    {
        printf '# Settings of hearth; "hearth config show" lists all.\nstate:\n  folder: '\''%s'\''\n' "${STATE//\'/\'\'}"
        # Whoever called sudo is the owner, beside root.
        if [ -n "${SUDO_UID-}" ]; then printf 'auth:\n  installer_uid: %s\n' "$SUDO_UID"; fi
    } >"$SETTINGS_FILE"
    chmod 644 "$SETTINGS_FILE"
}

# For root: a user that owns the state and nothing else, and a copy of the binary that it can reach.
install_for_system() {
    if ! getent passwd hearth >/dev/null; then
        say "adding the system user hearth"
        useradd --system --user-group --home-dir /var/lib/hearth --no-create-home --shell /usr/sbin/nologin hearth
    fi
    if [ -n "${SUDO_USER-}" ] && [ "$SUDO_USER" != root ] && ! id -nG "$SUDO_USER" | grep -qw hearth; then
        say "adding $SUDO_USER to the group hearth, which may use the server's socket (from the next sign-in on)"
        usermod --append --groups hearth "$SUDO_USER"
    fi
    install_file build/release/app/hearth "$HEARTH" 755
    install_file deploy/models.yaml /opt/hearth/models.yaml 644
    install_file deploy/quality.yaml /opt/hearth/quality.yaml 644
    [ -e "$SETTINGS_FILE" ] || write_settings
    install -d -m 750 -o hearth -g hearth "$STATE"
    as_server test -w "$STATE" || die "the user hearth cannot reach $STATE" "choose a folder that is not under a private one: HEARTH_STATE_FOLDER=/srv/hearth deploy/run"
}

make_state() {
    { mkdir -p "$STATE" && chmod 750 "$STATE"; } || die "the state folder $STATE cannot be made" "choose another: HEARTH_STATE_FOLDER=/path deploy/run"
}

# What the catalogue says of the model in use, when it is not its first, the default.
other_model() { "$HEARTH" "${SETTINGS[@]}" model list | sed -n '2,$s/^\* \([^ ]*\).* here  *\(.*\)/\1 \2/p'; }

# Fetched by whoever runs this, whose network settings count, then handed to the server's user.
# The best model that this machine could carry, where that is another one than it has; else nothing.
better_model() {
    "$HEARTH" "${SETTINGS[@]}" model list 2>/dev/null | grep '^this machine could carry' || true
}

fetch_model() {
    local note fetched=0
    [ -z "${HEARTH_MODEL_PATH-}${HEARTH_BACKEND_SCRIPT-}$(setting model.path)" ] || return 0
    if [ ! -e "$STATE/models/current.gguf" ]; then
        say "fetching the default model"
        "$HEARTH" "${SETTINGS[@]}" model pull >&2 || fetched=$?
        [ $fetched -lt 128 ] || exit $fetched
        if [ $fetched != 0 ]; then
            say "trying a smaller model"
            "$HEARTH" "${SETTINGS[@]}" model pull smollm2-135m-instruct >&2 ||
                die "no model could be fetched" "put a GGUF file anywhere and start again: HEARTH_MODEL_PATH=/path/model.gguf $RUN"
        fi
        if [ "$(id -u)" = 0 ]; then chown -R hearth:hearth "$STATE/models"; fi
    fi
    note=$(other_model)
    if [ -n "$note" ]; then say "the model $note; the default one: $HEARTH model pull && $HEARTH model use qwen2.5-coder-0.5b-instruct"; fi
}
