// The worker's side of what is kept on disk: blocks and states of its caches, copied between two steps.
#include <algorithm>

#include "engine/worker.h"

namespace engine {

void Worker::on_ended(std::function<void(Ended)> told) {
    between_steps([&] { told_of_ended_ = std::move(told); });
}

void Worker::tell_of_end(const Sequence& s) {
    if (!told_of_ended_ || s.salt.empty() || s.computed < 4 * kKvBlock) return;
    told_of_ended_({s.salt, root(s.salt), {s.tokens.begin(), s.tokens.begin() + s.computed}, recurrent() && s.turn < s.computed ? s.turn : 0, s.usage, s.begun});
}

int Worker::cached(BlockKey root, std::span<const TokenId> tokens) {
    int out = 0;
    between_steps([&] {
        std::vector<std::int32_t> table;
        const auto found = blocks_.hold_prefix(root, tokens, table);
        out = int(table.size()) * kKvBlock + found.tail_tokens;
        blocks_.release(table);
        if (recurrent()) out = states_.find(root, tokens.first(std::size_t(out))).tokens;
    });
    return out;
}

std::vector<std::string> Worker::copy_out(BlockKey root, std::span<const TokenId> tokens, std::size_t first) {
    std::vector<std::string> out;
    between_steps([&] {
        std::vector<std::int32_t> table;
        const auto found = blocks_.hold_prefix(root, tokens, table);
        const std::size_t whole = table.size() * kKvBlock, rest = tokens.size() % kKvBlock;
        if (whole + std::size_t(found.tail_tokens) >= tokens.size()) {
            for (std::size_t at = first; at < whole; at += kKvBlock) runner_->copy_out(table[at / kKvBlock], kKvBlock, out.emplace_back());
            if (rest > 0) runner_->copy_out(found.tail, int(rest), out.emplace_back());
        }
        blocks_.release(table);
    });
    return out;
}

bool Worker::put_in(BlockKey root, std::span<const TokenId> tokens, std::size_t first, std::span<const std::string> blocks) {
    bool done = true;
    between_steps([&] {
        BlockKey chain = next_key(root, tokens.first(first));
        for (const std::string& bytes : blocks) {
            const auto held = tokens.subspan(first, std::min<std::size_t>(kKvBlock, tokens.size() - first));
            const std::int32_t block = bytes.size() == runner_->kv_bytes(int(held.size())) ? blocks_.take() : -1;
            if (block < 0) return void(done = false);
            runner_->put_in(block, int(held.size()), bytes);
            blocks_.fill(block, chain, held);
            blocks_.release({&block, 1});
            chain = next_key(chain, held);
            first += held.size();
        }
    });
    return done;
}

std::string Worker::copy_state(BlockKey root, std::span<const TokenId> tokens) {
    std::string out;
    between_steps([&] {
        if (!recurrent()) return;
        const auto found = states_.find(root, tokens);
        if (found.state >= 0 && std::size_t(found.tokens) == tokens.size()) out = runner_->kept_state(found.state);
    });
    return out;
}

void Worker::put_in_state(BlockKey root, std::span<const TokenId> tokens, const std::string& state) {
    between_steps([&] {
        if (!recurrent() || state.size() != runner_->state_bytes()) return;
        if (const int kept = states_.take(next_key(root, tokens), int(tokens.size())); kept >= 0) runner_->set_kept_state(kept, state);
    });
}

}  // namespace engine
