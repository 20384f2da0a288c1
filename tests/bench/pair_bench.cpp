// Two models of one process that decode at the same time, beside each alone, by turns: tokens a second of each.
//
//   pair_bench ONE.gguf OTHER.gguf [threads=0] [tokens=64] [rounds=5]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <vector>

#include "engine/host.h"

namespace {

struct Asked {
    std::shared_ptr<engine::Engine> engine;
    int tokens = 0;
};

// From the first token until `enough` says so, so that the other one computes all the while.
double speed(const Asked& asked, int round, std::atomic<int>& going) {
    engine::Request request;
    std::vector<engine::TokenId> ids;
    for (int i = 0; i < 16; ++i) ids.push_back((round * 131 + i * 7919 + 17) % std::min(asked.engine->info().vocabulary, 30000));
    request.prompt = {{.tokens = std::move(ids)}};
    request.max_tokens = 64 * asked.tokens;
    request.ignore_eos = true;
    request.drafts = false;
    auto session = asked.engine->start(std::move(request));
    if (!session) return std::fprintf(stderr, "pair_bench: %s\n", session.error().text().c_str()), std::exit(1), 0;
    using Clock = std::chrono::steady_clock;
    Clock::time_point begin{}, end{};
    for (int n = 0; const auto event = (*session)->next();) {
        if (event->id < 0) break;
        if (n++ == 0) begin = Clock::now();
        if (n == asked.tokens + 1) end = Clock::now(), --going;
        if (n > asked.tokens && going == 0) break;
    }
    return asked.tokens / std::chrono::duration<double>(end - begin).count();
}

double median(std::vector<double> all) {
    std::ranges::sort(all);
    return all[all.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: pair_bench ONE.gguf OTHER.gguf [threads=0] [tokens=64] [rounds=5]\n");
        return 2;
    }
    const auto number = [&](int i, int otherwise) { return argc > i ? std::max(0, std::atoi(argv[i])) : otherwise; };
    engine::Host host;
    Asked asked[2];
    for (int i = 0; i < 2; ++i) {
        engine::LoadOptions options{.path = argv[1 + i], .threads = number(3, 0), .context = 8192, .kv_tokens = 16384};
        auto loaded = host.load(host.take_turn(), i == 0 ? "one" : "other", std::move(options));
        if (!loaded) return std::fprintf(stderr, "pair_bench: %s\n", loaded.error().text().c_str()), 1;
        asked[i] = {*std::move(loaded), number(4, 64)};
    }
    std::vector<double> alone[2], together[2], share;
    for (int round = 0; round < number(5, 5); ++round) {
        for (int i = 0; i < 2; ++i) {
            std::atomic<int> going = 1;
            alone[i].push_back(speed(asked[i], round, going));
        }
        std::atomic<int> going = 2;
        auto other = std::async(std::launch::async, speed, asked[1], round, std::ref(going));
        together[0].push_back(speed(asked[0], round, going));
        together[1].push_back(other.get());
        share.push_back(together[0].back() / alone[0].back() + together[1].back() / alone[1].back());
        std::printf("round %d: alone %.1f and %.1f tokens/s, together %.1f and %.1f: %.2f of one machine\n", round + 1, alone[0].back(), alone[1].back(), together[0].back(), together[1].back(), share.back());
        std::fflush(stdout);
    }
    std::printf("median: alone %.1f and %.1f, together %.1f and %.1f: %.2f of one machine\n", median(alone[0]), median(alone[1]), median(together[0]), median(together[1]), median(share));
    return 0;
}
