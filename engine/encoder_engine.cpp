#include "engine/encoder_engine.h"

#include <algorithm>
#include <mutex>

#include "engine/device/huge_memory.h"
#include "engine/embedding_input.h"
#include "engine/memory_plan.h"
#include "engine/model/encode.h"
#include "engine/model/encoder_file.h"
#include "engine/target_choice.h"

namespace engine {
namespace {

using base::Code;

constexpr int kRows = 512;  // of one step, or one text of the longest

int rows_of(const EncoderConfig& config) { return std::max(kRows, config.context); }
int blocks_of(const EncoderConfig& config) { return 2 * ((rows_of(config) + kKvBlock - 1) / kKvBlock); }

// Files read and measured, before anything is allocated.
struct Opened {
    std::unique_ptr<EncoderFile> file;
    Target target;
    int threads = 1;
    std::uint64_t parameters = 0;
    MemoryPlan plan;
};

base::Result<Opened> open(const LoadOptions& options) {
    Opened out;
    auto file = open_encoder(options.path);
    if (!file) return std::move(file).error();
    out.file = *std::move(file);
    auto target = choose_target(options);
    if (!target) return std::move(target).error();
    out.target = *std::move(target);
    out.threads = options.threads ? options.threads : usable_cpus();
    auto size = measure_encoder(*out.file, *out.target.ops);
    if (!size) return std::move(size).error();
    out.parameters = size->parameters;
    const EncoderConfig& config = out.file->config;
    PlanInput input;
    input.weights = size->bytes.packed + size->bytes.mapped;
    input.scratch = encode_scratch(config, rows_of(config), blocks_of(config), out.threads);
    input.available = available_memory();
    input.trained_context = config.context;
    auto plan = plan_encoder(input, options);
    if (!plan) return std::move(plan).error();
    out.plan = *std::move(plan);
    return out;
}

ModelInfo describe(const EncoderFile& file, std::uint64_t parameters) {
    const EncoderConfig& c = file.config;
    ModelInfo out;
    out.name = c.name;
    out.architecture = "bert";
    out.encoder = true;
    out.pooling = name(c.pooling);
    if (const auto matrix = file.find("blk.0.ffn_up.weight")) out.format = info(matrix->format).name;
    out.parameters = out.active_parameters = parameters;
    out.file_bytes = file.bytes();
    out.layers = c.layers;
    out.hidden = c.hidden;
    out.vocabulary = c.vocabulary;
    out.trained_context = c.context;
    return out;
}

class EncoderEngine final : public Engine {
public:
    EncoderEngine(ModelInfo info, MemoryPlan plan, Profile profile, Target target, std::unique_ptr<Encoder> encoder, std::unique_ptr<Pool> pool,
                  std::shared_ptr<const text::Tokenizer> tokenizer, HugeMemory scratch)
        : info_(std::move(info)), plan_(std::move(plan)), profile_(profile), target_(std::move(target)), encoder_(std::move(encoder)),
          pool_(std::move(pool)), tokenizer_(std::move(tokenizer)), scratch_(std::move(scratch)),
          hidden_(std::size_t(rows_of(encoder_->config)) * std::size_t(encoder_->config.hidden)) {}

    const ModelInfo& info() const override { return info_; }
    const MemoryPlan& memory() const override { return plan_; }
    Profile profile() const override { return profile_; }
    std::vector<std::string> adapters() const override { return {}; }
    std::shared_ptr<const text::Tokenizer> tokenizer() const override { return tokenizer_; }
    std::shared_ptr<const text::ChatTemplate> chat_template() const override { return nullptr; }
    std::shared_ptr<const text::TokenTable> token_table() const override { return nullptr; }
    void forget(const std::string&) override {}
    Load load_now() const override { return {.running = running_, .waiting = waiting_}; }

    std::vector<TargetChoice> targets() const override { return target_choices(target_, profile_, kEncoderOps); }

    base::Result<std::unique_ptr<Session>> start(Request, base::StopToken) override { return writes_nothing(); }
    base::Result<std::vector<float>> logits(const std::vector<TokenId>&) override { return writes_nothing(); }

    base::Result<Embeddings> embed(const EmbeddingRequest& request, base::StopToken stop) override {
        auto tokens = embedding_tokens(request.inputs, *tokenizer_, {info_.vocabulary, plan_.context, request.truncate});
        if (!tokens) return std::move(tokens).error();
        const std::vector<std::vector<TokenId>>& texts = *tokens;
        Embeddings out;
        out.width = info_.hidden;
        out.values.resize(texts.size() * std::size_t(out.width));
        ++waiting_;
        const std::lock_guard lock(mutex_);
        --waiting_, running_ = 1;
        const Pool::Busy busy(*pool_);
        std::size_t done = 0;
        while (done < texts.size() && !stop.stopped()) {
            const std::size_t n = step({texts.data() + done, texts.size() - done}, out.values.data() + done * std::size_t(out.width));
            for (std::size_t i = done; i < done + n; ++i) out.tokens += int(texts[i].size());
            done += n;
        }
        running_ = 0;
        if (done < texts.size()) return stop.error("the embedding");
        return out;
    }

    base::Result<StepTimes> time_steps(const StepShape&, int) override { return writes_nothing(); }
    base::Result<Rates> rates() override { return writes_nothing(); }

private:
    base::Error writes_nothing() const {
        return base::error(Code::unsupported, "the model '" + info_.name + "' (" + info_.architecture + ") is an encoder: it makes vectors of texts and writes none",
                           "use a chat model");
    }

    // As many of the texts as fit into one step; returns how many.
    std::size_t step(std::span<const std::vector<TokenId>> texts, float* vectors) {
        const EncoderConfig& c = encoder_->config;
        tokens_.clear();
        lengths_.clear();
        for (const auto& text : texts) {
            lengths_.push_back(int(text.size()));
            const bool fits = int(tokens_.size() + text.size()) <= rows_of(c) && key_blocks(lengths_) <= blocks_of(c);
            if (!fits) {
                lengths_.pop_back();
                break;
            }
            tokens_.insert(tokens_.end(), text.begin(), text.end());
        }
        const int n = int(tokens_.size());
        const Mat hidden{hidden_.data(), n, c.hidden};
        Scratch scratch(scratch_.data(), scratch_.size());
        Exec exec{pool_.get(), &scratch};
        encode(*encoder_, {tokens_.data(), n, lengths_}, hidden, exec);
        int row = 0;
        for (std::size_t i = 0; i < lengths_.size(); ++i) {
            pool_rows(c.pooling, c.normalise, {hidden.row(row), lengths_[i], c.hidden}, vectors + i * std::size_t(c.hidden));
            row += lengths_[i];
        }
        return lengths_.size();
    }

    const ModelInfo info_;
    const MemoryPlan plan_;
    const Profile profile_;
    const Target target_;
    const std::unique_ptr<Encoder> encoder_;
    const std::unique_ptr<Pool> pool_;
    const std::shared_ptr<const text::Tokenizer> tokenizer_;
    std::atomic<int> running_{0}, waiting_{0};
    std::mutex mutex_;  // of what follows: one step at a time
    HugeMemory scratch_;
    std::vector<float> hidden_;
    std::vector<TokenId> tokens_;
    std::vector<int> lengths_;
};

}  // namespace

base::Result<MemoryPlan> plan_encoder_engine(const LoadOptions& options) {
    auto opened = open(options);
    if (!opened) return std::move(opened).error();
    return opened->plan;
}

base::Result<ModelInfo> inspect_encoder(const std::filesystem::path& path) {
    auto file = open_encoder(path);
    if (!file) return std::move(file).error();
    auto size = measure_encoder(**file, ref_ops());
    if (!size) return std::move(size).error();
    return describe(**file, size->parameters);
}

base::Result<std::unique_ptr<Engine>> load_encoder_engine(LoadOptions options) {
    const auto tell = [&](const char* stage, double fraction) {
        if (options.progress) options.progress(stage, fraction);
    };
    tell("reading", 0);
    auto opened = open(options);
    if (!opened) return std::move(opened).error();
    if (options.admit) options.admit(opened->plan);
    ModelInfo info = describe(*opened->file, opened->parameters);
    tell("tokenizer", 0);
    auto tokenizer = text::Tokenizer::create(std::move(opened->file->vocabulary));
    if (!tokenizer) return std::move(tokenizer).error();
    auto pool = std::make_unique<Pool>(opened->threads, options.share);
    auto scratch = HugeMemory::allocate(opened->plan.scratch, "activations");
    if (!scratch) return std::move(scratch).error();
    auto encoder = [&] {
        const Pool::Busy loading(*pool);
        return load_encoder(std::move(opened->file), *opened->target.ops, *pool, [&](double done) { tell("weights", done); });
    }();
    if (!encoder) return std::move(encoder).error();
    tell("ready", 1);
    return std::unique_ptr<Engine>(new EncoderEngine(std::move(info), opened->plan, options.profile, opened->target, *std::move(encoder), std::move(pool),
                                                     *std::move(tokenizer), *std::move(scratch)));
}

}  // namespace engine
