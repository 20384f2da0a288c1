#include "engine/kv_keeper.h"

#include <algorithm>

#include "engine/model/checksum.h"
#include "engine/steady_seconds.h"

namespace engine {
namespace {

constexpr int kLeastTokens = 4 * kKvBlock;       // that are worth a file, and reading one
constexpr std::size_t kPieceBytes = 32u << 20;   // of a file, about: what is in memory at once, and lost to one damaged byte
constexpr std::uint64_t kLeastPieces = 8;        // that all of the store holds, however small it is
constexpr int kJobBlocks = 16;                   // copied between two steps
constexpr std::size_t kMostWaiting = 64;         // conversations to write; more than that, and the disk is too slow to be of use


std::size_t whole_blocks(std::size_t tokens) { return tokens / kKvBlock * kKvBlock; }

}  // namespace

KvKeeper::KvKeeper(std::unique_ptr<KvStore> store, std::shared_ptr<Worker> worker, base::Log* log, std::string model)
    : store_(std::move(store)), worker_(std::move(worker)), block_bytes_(worker_->runner().kv_bytes(kKvBlock)), log_(log), model_(std::move(model)) {
    thread_ = std::thread([this] { loop(); });
    worker_->on_ended([this](Worker::Ended ended) {
        if (!is_audience(ended.salt)) return;
        std::lock_guard lock(mutex_);
        if (saves_.size() < kMostWaiting) saves_.push_back(std::move(ended));
        changed_.notify_all();
    });
}

KvKeeper::~KvKeeper() {
    worker_->on_ended({});
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

base::Result<void> KvKeeper::submit(std::unique_ptr<Sequence> sequence) {
    if (auto booked = worker_->book(*sequence); !booked) return booked;
    const bool may_restore = sequence->prompt > kLeastTokens && is_audience(sequence->salt) && store_->holds(sequence->salt);
    std::unique_lock lock(mutex_);
    sequence->begun = ++begun_;
    if (may_restore) {
        restores_.push_back(std::move(sequence));
        changed_.notify_all();
        return {};
    }
    lock.unlock();
    worker_->enter(std::move(sequence));
    return {};
}

std::string KvKeeper::trouble() const {
    std::lock_guard lock(mutex_);
    return trouble_;
}

void KvKeeper::note(const base::Result<void>& done) {
    if (!done && done.error().code == base::Code::resource_exhausted) return;  // more than the store may hold at all
    if (!done) ++failures_;
    std::string before = done ? std::string() : done.error().text();
    {
        std::lock_guard lock(mutex_);
        trouble_.swap(before);
    }
    if (!log_ || done.ok() != !before.empty()) return;
    if (done) log_->info("conversations are kept on disk again", {{"model", model_}});
    else log_->warn("conversations are not kept on disk for now", {{"model", model_}, {"error", done.error().text()}});
}

void KvKeeper::erase(const std::string& audience) {
    {
        std::lock_guard lock(mutex_);
        erased_[audience] = begun_;
    }
    const std::lock_guard saving(saving_);
    if (const auto erased = store_->erase(audience); !erased) note(erased);  // what can be erased may still not be written
}

bool KvKeeper::is_erased(const Worker::Ended& ended) {
    std::lock_guard lock(mutex_);
    const auto erased = erased_.find(ended.salt);
    return erased != erased_.end() && ended.begun <= erased->second;
}

bool KvKeeper::restore_waiting() {
    std::lock_guard lock(mutex_);
    return !restores_.empty();
}

void KvKeeper::loop() {
    for (;;) {
        std::unique_ptr<Sequence> sequence;
        Worker::Ended ended;
        bool ending = false;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return ending_ || !restores_.empty() || !saves_.empty(); });
            ending = ending_;
            if (!restores_.empty()) {
                sequence = std::move(restores_.front());
                restores_.pop_front();
            } else if (!saves_.empty()) {
                ended = std::move(saves_.front());
                saves_.pop_front();
            } else {
                return;
            }
        }
        try {
            if (sequence && !ending && !sequence->is_stopped()) restore(*sequence);
            if (!sequence) {
                learn(ended.usage);
                const std::lock_guard saving(saving_);
                const bool erased = is_erased(ended);
                if (!erased && ended.turn > 0) save(ended, std::size_t(ended.turn));
                if (!erased) save(ended, ended.tokens.size());
            }
        } catch (const std::exception&) {
            // Neither disk nor memory for it: the conversation goes on as if nothing were kept.
        }
        if (sequence) worker_->enter(std::move(sequence));
    }
}

// How long computing takes, as it is under the load that there is.
void KvKeeper::learn(const Usage& usage) {
    const int computed = usage.prompt_tokens - usage.cached_tokens;
    if (computed < kKvBlock || usage.prefill.count() <= 0) return;
    const double seconds = double(usage.prefill.count()) / 1e6 / computed;
    seconds_a_token_ = seconds_a_token_ > 0 ? (3 * seconds_a_token_ + seconds) / 4 : seconds;
}

void KvKeeper::restore(Sequence& s) {
    const bool recurrent = worker_->runner().model().config.state_values > 0;
    const auto tokens = std::span<const TokenId>(s.tokens).first(std::size_t(s.prompt) - 1);
    auto found = store_->find(s.salt, tokens, 0, recurrent);
    if (found.empty()) return;
    const int cached = worker_->cached(s.chain, tokens), there = found.back().end;
    for (auto one = found.rbegin(); one != found.rend(); ++one) store_->touch(s.salt, *one);
    if (there - cached < kLeastTokens) return;
    // Of a recurrent model only the whole way to a state is of use, and its first part may have left the cache.
    if (!recurrent) found = store_->find(s.salt, tokens, cached, false);
    for (const KvStore::Found& one : found)
        if (s.is_stopped() || !bring(s.salt, s.chain, one)) return;
}

bool KvKeeper::bring(const std::string& audience, BlockKey root, const KvStore::Found& found) {
    if (seconds_a_token_ == 0) seconds_a_token_ = found.seconds_a_token;  // as it was when that was computed
    const double a_block = store_->most_of_computing() * kKvBlock * seconds_a_token_;
    if (read_seconds_a_byte_ * double(block_bytes_) > a_block) return false;
    const double begin = steady_seconds();
    auto piece = store_->read(audience, found, a_block);
    if (!piece) return false;
    double bytes = double(piece->state.size());
    for (const std::string& block : piece->blocks) bytes += double(block.size());
    if (bytes > 0) read_seconds_a_byte_ = (steady_seconds() - begin) / bytes;
    const std::size_t end = piece->tokens.size(), first = std::size_t(piece->first);
    for (std::size_t at = 0; at < piece->blocks.size(); at += kJobBlocks) {
        const auto some = std::span<const std::string>(piece->blocks).subspan(at, std::min<std::size_t>(kJobBlocks, piece->blocks.size() - at));
        const std::size_t from = first + at * kKvBlock, to = std::min(end, from + some.size() * kKvBlock);
        if (!worker_->put_in(root, std::span<const TokenId>(piece->tokens).first(to), from, some)) return false;
        restored_ += to - from;
    }
    if (!piece->state.empty()) worker_->put_in_state(root, piece->tokens, piece->state);
    return int(end) == found.end;
}

void KvKeeper::save(const Worker::Ended& ended, std::size_t end) {
    const bool recurrent = worker_->runner().model().config.state_values > 0;
    if (!recurrent) end = whole_blocks(end);
    const auto tokens = std::span<const TokenId>(ended.tokens).first(end);
    const auto found = store_->find(ended.salt, tokens, 0, recurrent);
    const std::size_t there = found.empty() ? 0 : std::size_t(found.back().end);
    if (end < there + kLeastTokens) return;
    if (recurrent && worker_->copy_state(ended.root, tokens).empty()) return;
    for (auto one = found.rbegin(); one != found.rend(); ++one) store_->touch(ended.salt, *one);
    const auto piece_bytes = std::size_t(std::min<std::uint64_t>(kPieceBytes, store_->most_bytes() / kLeastPieces));
    const std::size_t step = std::max<std::size_t>(1, piece_bytes / std::max<std::size_t>(1, block_bytes_)) * kKvBlock;
    for (std::size_t begin = whole_blocks(there); begin < end; begin += step)
        if (!write(ended, begin, std::min(end, begin + step), end)) return;
}

bool KvKeeper::write(const Worker::Ended& ended, std::size_t begin, std::size_t end, std::size_t of) {
    KvPiece piece;
    piece.tokens.assign(ended.tokens.begin(), ended.tokens.begin() + std::ptrdiff_t(end));
    piece.first = int(begin);
    piece.seconds = seconds_a_token_ * double(end - begin);
    for (std::size_t at = begin; at < end; at += kJobBlocks * kKvBlock) {
        const auto blocks = worker_->copy_out(ended.root, std::span<const TokenId>(piece.tokens).first(std::min(end, at + kJobBlocks * kKvBlock)), at);
        if (blocks.empty()) return false;  // it has left the cache
        piece.blocks.insert(piece.blocks.end(), blocks.begin(), blocks.end());
    }
    if (end == of) piece.state = worker_->copy_state(ended.root, piece.tokens);
    const auto written = store_->write(ended.salt, piece);
    note(written);
    return written && !restore_waiting();
}

std::uint64_t kv_fingerprint(const Runner& runner, bool exact) {
    const Model& model = runner.model();
    const Config& c = model.config;
    std::string text = c.architecture + "\n" + c.name + "\n" + model.ops->target + (exact ? " exact" : " fast");
    text += " dimension by dimension, eight bits rotated";  // how a block's values lie and what they are
    for (const std::uint64_t number : {std::uint64_t(c.layers), std::uint64_t(c.hidden), std::uint64_t(c.heads), std::uint64_t(c.vocabulary), std::uint64_t(c.state_values), std::uint64_t(kKvBlock),
                                       std::uint64_t(runner.kv_bytes(1)), model.parameters, std::uint64_t(runner.shape().kv)})
        text += " " + std::to_string(number);
    const auto add = [&](std::span<const std::uint8_t> bytes) { text += " " + std::to_string(xxh64(bytes)); };
    const auto weights = runner.weights();
    constexpr std::size_t samples = 256, sample = 4096;
    std::uint8_t read[sample];
    for (std::size_t i = 0; i < samples && weights.size() >= sample; ++i) {
        model.ops->device->read(read, weights.data() + (weights.size() - sample) / samples * i, sample);
        add(read);
    }
    for (const auto& array : model.arrays.floats()) add({reinterpret_cast<const std::uint8_t*>(array.data()), array.size() * sizeof(float)});
    return xxh64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace engine
