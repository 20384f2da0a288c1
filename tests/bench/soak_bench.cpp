// Many long answers one after another: memory, descriptors and CPU threads must not grow. Exit status 1 where they do.
//
//   soak_bench MODEL.gguf [answers=100] [tokens=1024] [threads=0]
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "engine/engine.h"

namespace {

struct Held {
    long kilobytes = 0, descriptors = 0, threads = 0;
};

Held held() {
    Held out;
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word == "VmRSS:") status >> out.kilobytes;
        if (word == "Threads:") status >> out.threads;
    }
    for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) ++out.descriptors;
    return out;
}

bool answer(engine::Engine& engine, int round, int tokens) {
    engine::Request request;
    std::vector<engine::TokenId> ids;
    for (int i = 0; i < 64; ++i) ids.push_back((round * 131 + i * 7919 + 17) % std::min(engine.info().vocabulary, 30000));
    request.prompt = {{.tokens = std::move(ids)}};
    request.max_tokens = tokens;
    request.ignore_eos = true;
    request.cache_salt = std::to_string(round);
    auto session = engine.start(std::move(request));
    if (!session) return std::fprintf(stderr, "soak_bench: %s\n", session.error().text().c_str()), false;
    int n = 0;
    while (const auto event = (*session)->next()) {
        n += event->id >= 0;
        if (event->finish == engine::Finish::failed) return std::fprintf(stderr, "soak_bench: %s\n", event->error.c_str()), false;
    }
    return n == tokens;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: soak_bench MODEL.gguf [answers=100] [tokens=1024] [threads=0]\n");
        return 2;
    }
    const auto number = [&](int i, int otherwise) { return argc > i ? std::max(0, std::atoi(argv[i])) : otherwise; };
    const int answers = number(2, 100), tokens = number(3, 1024);
    // A pool that a few answers fill: what the cache keeps of them is then no growth.
    auto engine = engine::Engine::load({.path = argv[1], .threads = number(4, 0), .context = tokens + 128, .kv_tokens = std::uint64_t(4 * (tokens + 128))});
    if (!engine) return std::fprintf(stderr, "soak_bench: %s\n", engine.error().text().c_str()), 1;
    const int settled = std::min(answers, 8);
    Held begin, now;
    for (int i = 0; i < answers; ++i) {
        if (!answer(**engine, i, tokens)) return 1;
        now = held();
        if (i + 1 == settled) begin = now;
        if ((i + 1) % 10 == 0 || i + 1 == answers) std::printf("%4d answers of %d tokens: %ld MiB resident, %ld descriptors, %ld CPU threads\n", i + 1, tokens, now.kilobytes >> 10, now.descriptors, now.threads), std::fflush(stdout);
    }
    const bool flat = now.kilobytes <= begin.kilobytes + 1024 && now.descriptors == begin.descriptors && now.threads == begin.threads;
    std::printf("%s: %+ld KiB, %+ld descriptors and %+ld CPU threads since the %dth\n", flat ? "flat" : "NOT FLAT", now.kilobytes - begin.kilobytes, now.descriptors - begin.descriptors, now.threads - begin.threads, settled);
    return flat ? 0 : 1;
}
