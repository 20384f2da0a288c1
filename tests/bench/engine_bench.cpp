// Decode and prefill speed of one model file, straight on forward(): no scheduler, no sampling but
// the largest logit. Beside each figure a plain load loop of the same run, since machines differ by
// the minute.
//
//   engine_bench MODEL.gguf [threads=1] [prefill=512] [decode=64] [rounds=3] [target]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/model/forward.h"
#include "engine/runner.h"

using namespace engine;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Bench {
    Pool pool;
    std::unique_ptr<Model> model;
    HugeMemory storage;
    std::vector<KvLayer> kv;
    std::vector<std::int32_t> blocks;
    HugeMemory scratch;
    std::vector<float> logits;

    template <class T>
    static T need(base::Result<T> result) {
        if (!result) throw std::runtime_error(result.error().message);
        return *std::move(result);
    }

    Bench(const std::string& file, int threads, int most_rows, int most_tokens, const std::string& target) : pool(threads) {
        auto opened = need(ModelFile::open(file));
        Config c = need(opened->config());
        const Ops* ops = nullptr;
        for (const Target& t : targets(false))
            if (t.available && !ops && (target.empty() || t.name == target)) ops = t.ops;
        if (!ops) throw std::runtime_error("no target '" + target + "' on this machine");
        const double begin = now();
        model = need(load_model(std::move(opened), c, *ops, pool, {}));
        std::printf("%s: target %s, %d threads, %.0f MB of weights a token, loaded in %.2f s\n", file.c_str(), ops->target, threads,
                    double(model->bytes_per_token) / 1e6, now() - begin);
        const int n = (most_tokens + kKvBlock - 1) / kKvBlock;
        for (int i = 0; i < n; ++i) blocks.push_back(i);
        storage = need(HugeMemory::allocate(std::size_t(n) * kKvBlock * kv_bytes_per_token(c, KvFormat::f16), "keys and values"));
        kv = kv_layers(c, n, KvFormat::f16, storage.data());
        scratch = need(HugeMemory::allocate(forward_scratch(c, most_rows, threads), "scratch"));
        logits.resize(std::size_t(c.vocabulary));
    }

    // Appends tokens at `context`; returns the best next token.
    std::int32_t feed(const std::vector<std::int32_t>& tokens, int context) {
        const int n = int(tokens.size());
        std::vector<std::int32_t> positions;
        for (int i = 0; i < n; ++i) positions.push_back(context + i);
        const SequenceRows sequence{0, n, context, blocks.data()};
        const std::int32_t last = n - 1;
        Scratch room(scratch.data(), scratch.size());
        Exec exec{&pool, &room};
        forward(*model, {tokens.data(), positions.data(), n, &sequence, 1, &last, 1}, kv, logits.data(), exec);
        return std::int32_t(std::max_element(logits.begin(), logits.end()) - logits.begin());
    }

    // GB/s of a plain read of the packed weights on all threads.
    double load_loop() {
        const auto* words = reinterpret_cast<const std::uint64_t*>(model->packed.data());
        const std::size_t n = model->packed.size() / 8 / 64 * 64;
        if (n == 0) return 0;
        std::vector<std::uint64_t> sums(std::size_t(pool.threads()) * 8);
        const double begin = now();
        auto part = [&](int item, int) {
            const std::size_t each = n / std::size_t(pool.threads()) / 64 * 64;
            std::uint64_t sum[8] = {};
            for (std::size_t i = std::size_t(item) * each; i < std::size_t(item + 1) * each; i += 8)
                for (std::size_t j = 0; j < 8; ++j) sum[j] ^= words[i + j];
            for (std::uint64_t s : sum) sums[std::size_t(item) * 8] ^= s;
        };
        pool.run(pool.threads(), part);
        const double seconds = now() - begin;
        if (sums[0] == 42) std::printf(" ");  // keeps the loop
        return double(n) * 8 / seconds / 1e9;
    }
};

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 2) {
        std::fprintf(stderr, "usage: engine_bench MODEL.gguf [threads=1] [prefill=512] [decode=64] [rounds=3] [target]\n");
        return 2;
    }
    auto number = [&](int i, int otherwise) { return argc > i ? std::max(1, std::atoi(argv[i])) : otherwise; };
    const int threads = number(2, 1), prefill = number(3, 512), decode = number(4, 64), rounds = number(5, 3);
    Bench bench(argv[1], threads, prefill, prefill + decode + 1, argc > 6 ? argv[6] : "");
    std::vector<std::int32_t> prompt;
    for (int i = 0; i < prefill; ++i) prompt.push_back((i * 7919 + 13) % bench.model->config.vocabulary);
    bench.feed({prompt[0]}, 0);
    for (int round = 0; round < rounds; ++round) {
        const double begin = now();
        bench.feed(prompt, 0);
        const double middle = now();
        std::int32_t token = prompt[0];
        for (int i = 0; i < decode; ++i) token = bench.feed({token}, i);
        const double end = now();
        const double loop = bench.load_loop(), rate = decode / (end - middle);
        const double gb = rate * double(bench.model->bytes_per_token) / 1e9;
        std::printf("prefill %d: %.1f tokens/s   decode %d: %.1f tokens/s, %.1f GB/s (plain load loop %.1f GB/s, %.0f %%)\n", prefill,
                    prefill / (middle - begin), decode, rate, gb, loop, loop > 0 ? 100 * gb / loop : 0.0);
    }
} catch (const std::exception& e) {
    std::fprintf(stderr, "engine_bench: %s\n", e.what());
    return 1;
}
