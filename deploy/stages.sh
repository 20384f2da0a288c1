# The stages of deploy/test, which sources this file. Each prints to its own log; see tests/report.py for its form.
# shellcheck shell=bash

JOBS=$(nproc)

# configure FOLDER OPTION…
configure() {
    local folder=$1
    shift
    local -a cache=()
    if command -v ccache >/dev/null; then cache=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache); fi
    cmake -S . -B "$folder" -G Ninja -DHEARTH_TESTS=ON -DHEARTH_PCH=ON -DHEARTH_UNITY=ON "${cache[@]}" "$@"
}

# The default model takes part where it already lies on the machine; nothing is fetched for tests.
default_model() {
    local file folder
    [ -z "${HEARTH_MODEL-}" ] || return 0
    for folder in "${HEARTH_STATE_FOLDER:-/var/lib/hearth}" "${XDG_STATE_HOME:-$HOME/.local/state}/hearth"; do
        file=$folder/models/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf
        if [ -r "$file" ]; then export HEARTH_MODEL=$file; fi
    done
}

# binary NAME FILE ARGUMENT…: one test binary, whatever it answers, for at most LIMIT seconds; the report judges
# by the log.
binary() {
    local name=$1 status=0
    shift
    printf '@begin %s\n' "$name"
    timeout -k 60 "${LIMIT:-900}" "$@" </dev/null || status=$?
    printf '\n@end %s %s\n' "$name" "$status"
}

stage_unit() {
    configure build/test || return 1
    ninja -C build/test -j"$JOBS" || return 1
    rm -f build/golden.jsonl
    # A failed test is the report's to tell.
    HEARTH_GOLDEN_RECORD=$PWD/build/golden.jsonl ctest --test-dir build/test -V -j"$JOBS" --output-on-failure || true
    binary models_page python3 tests/models_page.py build/golden.jsonl
}

# Minutes each under AddressSanitizer, and say of many files and vocabularies what others say of a few.
LONG='Convert.GivesTheSameLogitsOfEvery*:Convert.TellsHowFarItIs:Emitter.NoTokenOfARealVocabulary*:Golden.FastIsNearExact:Golden.FormatsOfTheCacheAreNear*:Integers.AreTheFloats*:Untrusted.BecomesNoControlTokenInAnyTemplate:Untrusted.BecomesNoControlTokenOfRealVocabularies'

# What parses model files, templates, schemas and texts of models. It is also the build of the engine alone, with nothing
# but nlohmann's headers.
stage_asan() {
    configure build/asan -DHEARTH_ENGINE_ONLY=ON -DHEARTH_SANITIZE=address || return 1
    FILTER="*-$LONG" sanitized build/asan "base text engine"
}

# The other modules would take as long again to compile, so they are for --full, with what stage_asan leaves out.
stage_asan_rest() {
    configure build/asan -DHEARTH_ENGINE_ONLY=ON -DHEARTH_SANITIZE=address || return 1
    FILTER=$LONG sanitized build/asan "text engine" || return 1
    configure build/asan_rest -DHEARTH_SANITIZE=address || return 1
    sanitized build/asan_rest "policy prompts net sandbox router memory store tools agents server"
}

# The CPU threads of the engine: worker, pool, token rings, sessions beside each other.
stage_tsan() {
    configure build/tsan -DHEARTH_ENGINE_ONLY=ON -DHEARTH_SANITIZE=thread || return 1
    FILTER='Engine.*:Pool*:Worker*:Stream*:Ring*:Scheduler*:HearthEngine*' sanitized build/tsan engine
}

# sanitized FOLDER "MODULE…": builds and runs their test binaries.
sanitized() {
    local folder=$1 module
    local -a targets=()
    for module in $2; do
        if ninja -C "$folder" -t query "${module}_test" >/dev/null 2>&1; then targets+=("${module}_test"); fi
    done
    ninja -C "$folder" -j"$JOBS" "${targets[@]}" || return 1
    export ASAN_OPTIONS="detect_stack_use_after_return=0:strict_string_checks=1:detect_leaks=1:abort_on_error=0:allocator_may_return_null=1"
    export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"
    export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1"
    # As many at once as there are CPUs; each has a log of its own until all are done.
    for module in "${targets[@]}"; do
        while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n || true; done
        LIMIT=2400 binary "$module" "$folder/tests/$module" --gtest_brief=0 --gtest_filter="${FILTER:-*}" >"$folder/$module.log" 2>&1 &
    done
    wait
    for module in "${targets[@]}"; do cat "$folder/$module.log"; done
}

# The engine cross-compiled for aarch64, under qemu-user: the suite on a processor that has every target, in as many parts as
# there are CPUs, then that loading comes down to what smaller processors have. Left out are the longest of those that say of
# many vocabularies and files what others say of a few: no arithmetic of this processor's is in them.
stage_aarch64() {
    local part smaller='TargetsTest.LoadingTakes*:TargetsTest.RowOps*:Engine.SaysPerOp*'
    local most='*-Untrusted.BecomesNoControlToken*:SplitPatterns/AgainstOniguruma.*:Emitter.NoTokenOfARealVocabulary*:Convert.GivesTheSameLogitsOfEvery*:GgufParts.GiveTheSameLogitsOfEvery*'
    configure build/aarch64 -DHEARTH_ENGINE_ONLY=ON -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64.cmake || return 1
    ninja -C build/aarch64 -j"$JOBS" base_test text_test engine_test || return 1
    rm -f build/aarch64/*.log
    for part in $(seq 0 $((JOBS - 1))); do
        HEARTH_BEST_TARGET=i8mm emulated max "$part" "$most" base text engine >"build/aarch64/max.$part.log" 2>&1 &
    done
    wait
    HEARTH_BEST_TARGET=neon JOBS=1 emulated neoverse-n1 0 "$smaller" engine >build/aarch64/neoverse-n1.log 2>&1
    HEARTH_BEST_TARGET=ref JOBS=1 emulated cortex-a72 0 "$smaller" engine >build/aarch64/cortex-a72.log 2>&1
    cat build/aarch64/*.log
}

# emulated CPU PART FILTER MODULE…: that part of the modules' tests.
emulated() {
    local cpu=$1 part=$2 filter=$3 module
    shift 3
    for module in "$@"; do
        LIMIT=3600 binary "${module}_${cpu}_$part" env GTEST_TOTAL_SHARDS="$JOBS" GTEST_SHARD_INDEX="$part" \
            qemu-aarch64 -cpu "$cpu" -L /usr/aarch64-linux-gnu "build/aarch64/tests/${module}_test" --gtest_brief=0 --gtest_filter="$filter"
    done
}

# The kernels compiled by nvcc, for one architecture or (--full) for all of a release; tests/engine/cuda runs them without a device.
stage_cuda() { cuda_compiles 90a; }
stage_cuda_all() { cuda_compiles all; }

cuda_compiles() {
    local nvcc folder=build/cuda_$1
    nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null) || {
        printf '@skip cuda: no nvcc is here (CUDA Toolkit 13.0 or later)\n'
        return 0
    }
    configure "$folder" -DHEARTH_ENGINE_ONLY=ON -DHEARTH_CUDA=ON -DHEARTH_CUDA_ARCHITECTURES="$1" -DCMAKE_CUDA_COMPILER="$nvcc" || return 1
    ninja -C "$folder" -j"$JOBS" cuda_device_program || return 1
    # The runtime is linked statically: without a driver and without the toolkit's libraries the program starts.
    LD_LIBRARY_PATH='' ctest --test-dir "$folder" -V -R '^cuda_device_program$' || true
}

# Every parser of outside bytes under libFuzzer, twenty seconds each: docs/security.md has the table. A build of its
# own, since only clang has it, and of no more than what the targets need; each file by itself and without precompiled
# headers, so that none lives on what another includes.
stage_fuzz() {
    local name
    if ! has_fuzzer; then
        printf '@skip fuzz: clang links no fuzz target here (packages clang and libclang-rt-dev)\n'
        return 0
    fi
    configure build/fuzz -DHEARTH_FUZZ=ON -DHEARTH_ENGINE_ONLY=ON -DHEARTH_SANITIZE=address -DHEARTH_PCH=OFF -DHEARTH_UNITY=OFF \
        -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ || return 1
    ninja -C build/fuzz -j"$JOBS" fuzz || return 1
    rm -rf build/fuzz/logs build/fuzz/findings
    mkdir -p build/fuzz/logs
    find build/fuzz/tests/fuzz -name 'fuzz_*' -type f -executable -printf '%f\n' | sort | sed 's/^fuzz_//' >build/fuzz/names
    # shellcheck disable=SC2016 # the inner shell's variables
    xargs -P "$JOBS" -I{} sh -c 'timeout -k 10 300 tests/fuzz/run "$1" >"build/fuzz/logs/$1" 2>&1; echo $? >"build/fuzz/logs/$1.status"' - {} <build/fuzz/names
    while read -r name; do
        printf '@begin fuzz_%s\n' "$name"
        cat "build/fuzz/logs/$name"
        printf '\n@end fuzz_%s %s\n' "$name" "$(cat "build/fuzz/logs/$name.status")"
    done <build/fuzz/names
}

# Whether clang is here, and its runtime of the same version.
has_fuzzer() {
    printf 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n' |
        clang++ -fsanitize=fuzzer,address,undefined -x c++ - -o /dev/null
}

stage_e2e() {
    local tests
    local -a beside=()
    tests=$(find tests/e2e -name '*_test.py' -o -name 'test_*.py')
    if [ -z "$tests" ]; then
        printf '@skip e2e: tests/e2e holds no Python test\n'
        return 0
    fi
    ninja -C build/test -j"$JOBS" hearth schema_samples arrivals_of || return 1
    [ -x build/venv/bin/python ] || python3 -m venv build/venv || return 1
    if ! build/venv/bin/python -c 'import openai, pytest, jsonschema' 2>/dev/null &&
        ! timeout 300 build/venv/bin/pip install -q --retries 1 openai pytest jsonschema; then
        printf '@skip e2e: no Python package index can be reached for openai, pytest and jsonschema\n'
        return 0
    fi
    # Without them their own tests say that they are skipped.
    build/venv/bin/python -c 'import schemathesis' 2>/dev/null ||
        timeout 300 build/venv/bin/pip install -q --retries 1 schemathesis==4.32.5 || true
    # The files share nothing, and most of a test waits: with xdist one more at once than there are CPUs, up to four.
    build/venv/bin/python -c 'import xdist' 2>/dev/null || timeout 300 build/venv/bin/pip install -q --retries 1 pytest-xdist || true
    if build/venv/bin/python -c 'import xdist' 2>/dev/null; then beside=(-n "$((JOBS < 3 ? JOBS + 1 : 4))" --dist loadfile); fi
    build/venv/bin/python -c 'import playwright, axe_playwright_python' 2>/dev/null ||
        timeout 300 build/venv/bin/pip install -q --retries 1 playwright axe-playwright-python || true
    export HEARTH_BINARY=$PWD/build/test/app/hearth
    LIMIT=2400 binary pytest build/venv/bin/python -m pytest -rfEs -v "${beside[@]}" tests/e2e
}

# All of the kills of which stage_unit tries some.
stage_kill_matrix() {
    configure build/test || return 1
    ninja -C build/test -j"$JOBS" kill_matrix || return 1
    LIMIT=7200 binary kill_matrix tests/e2e/kill_matrix --runs 20000
}

# As many runs that are added to, stopped and killed at random as stage_unit tries a few of.
stage_schedules() {
    configure build/test || return 1
    ninja -C build/test -j"$JOBS" schedules || return 1
    LIMIT=3600 binary schedules tests/e2e/schedules --runs 2000
}

# The outage of stage_e2e, a minute long.
stage_outage() {
    if [ ! -x build/venv/bin/python ] || [ ! -x build/test/app/hearth ]; then
        printf '@skip outage: the stage e2e made no hearth or no Python environment\n'
        return 0
    fi
    HEARTH_OUTAGE_SECONDS=60 HEARTH_BINARY=$PWD/build/test/app/hearth binary pytest build/venv/bin/python -m pytest -rfEs -v tests/e2e/outage_test.py
}

stage_fresh_machine() {
    local reason
    if ! reason=$(tests/e2e/fresh_machine --can 2>&1); then
        printf '@skip %s\n' "$reason"
        return 0
    fi
    LIMIT=5400 binary fresh_machine tests/e2e/fresh_machine
}
