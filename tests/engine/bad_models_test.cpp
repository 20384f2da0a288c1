// Damaged and hostile GGUF and safetensors files: each does what the manifest says, in a child process with 256 MiB
// of address space of its own and one second; under AddressSanitizer, whose shadow needs more address space, with 256 MiB
// of resident memory.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/engine.h"
#include "engine/model/gguf.h"
#include "engine/model/safetensors.h"
#include "support/fixtures.h"

using namespace engine;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr rlim_t kMemory = 256u << 20;
constexpr rlim_t kSeconds = kSanitized ? 10 : 1;

// Exit statuses that no sanitizer ends with.
enum Outcome { loaded = 40, refused, generated, failed_cleanly, crashed_or_late };

// Opens the container and touches every byte of its tensors.
int read_safetensors(const std::filesystem::path& file) {
    auto container = Safetensors::open(file);
    if (!container) return container.error().message.find(file.string()) == std::string::npos ? crashed_or_late : refused;
    volatile unsigned sum = 0;
    for (const SafeTensor& tensor : (*container)->tensors())
        for (const std::uint8_t byte : tensor.data) sum = sum + byte;
    return loaded;
}

// In the child: opens the container, loads, generates four tokens.
int use(const std::filesystem::path& file, bool container_only) {
    if (file.extension() != ".gguf") return read_safetensors(file);
    if (container_only) return Gguf::open(file) ? loaded : refused;
    auto engine = Engine::load({.path = file, .threads = 1});
    if (!engine) return engine.error().message.find(file.filename().string()) == std::string::npos &&
                                engine.error().code != base::Code::resource_exhausted
                            ? crashed_or_late  // an error must name the file
                            : refused;
    Request r;
    r.prompt.emplace_back();
    r.prompt.back().tokens = {1};
    r.max_tokens = 4;
    auto session = (*engine)->start(r);
    if (!session) return failed_cleanly;
    Finish finish = Finish::none;
    while (auto event = (*session)->next()) finish = event->finish;
    return finish == Finish::length || finish == Finish::stop ? generated : failed_cleanly;
}

// Bytes of address space and of memory that this process holds: a child begins with them, whatever tests ran before.
struct Held {
    rlim_t space = 0, resident = 0;
};

Held held() {
    Held out;
    std::ifstream("/proc/self/statm") >> out.space >> out.resident;
    const rlim_t page = rlim_t(sysconf(_SC_PAGESIZE));
    return {out.space * page, out.resident * page};
}

Outcome in_a_child(const std::filesystem::path& file, bool container_only) {
    const Held before = held();
    const pid_t child = fork();
    if (child == 0) {
        const rlimit space{before.space + kMemory, before.space + kMemory}, cpu{kSeconds, kSeconds}, no_core{0, 0};
        if (!kSanitized) setrlimit(RLIMIT_AS, &space);
        setrlimit(RLIMIT_CPU, &cpu);
        setrlimit(RLIMIT_CORE, &no_core);
        int out = crashed_or_late;
        try {
            out = use(file, container_only);
        } catch (...) {
        }
        _exit(out);
    }
    int status = 0;
    rusage used{};
    wait4(child, &status, 0, &used);
    EXPECT_LE(rlim_t(used.ru_maxrss) << 10, before.resident + kMemory);
    return WIFEXITED(status) ? Outcome(WEXITSTATUS(status)) : crashed_or_late;
}

}  // namespace

TEST(BadModels, EveryFileDoesWhatTheManifestSays) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer needs more address space than the limit";
#endif
    support::TempDir dir;
    const std::string unpack = "tar -xJf '" + (*vectors / "bad_models/bad_models.tar.xz").string() + "' -C '" + dir.path().string() + "'";
    ASSERT_EQ(std::system(unpack.c_str()), 0);
    const auto manifest = nlohmann::json::parse(support::read_text(*vectors / "bad_models/manifest.json"));
    int seen = 0;
    for (const auto& entry : manifest["files"]) {
        const std::string expect = entry["expect"];
        std::string name = entry["file"];
        if (name.ends_with('/')) name.pop_back();  // a folder of shards
        SCOPED_TRACE(name + ": " + entry["why"].get<std::string>());
        auto file = dir.path() / "bad_models" / name;
        if (!std::filesystem::exists(file)) file = dir.path() / name;
        ASSERT_TRUE(std::filesystem::exists(file));
        ++seen;
        const bool container = expect == "accept" || expect == "accept-container";
        const auto begin = std::chrono::steady_clock::now();
        const Outcome outcome = in_a_child(file, container);
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2 * kSeconds));
        EXPECT_NE(outcome, crashed_or_late);
        if (container) {
            EXPECT_EQ(outcome, loaded);
        } else if (expect == "accept-model") {
            EXPECT_EQ(outcome, generated);
        } else if (expect == "reject") {
            EXPECT_EQ(outcome, refused);
        }
    }
    EXPECT_GT(seen, 200);
}
