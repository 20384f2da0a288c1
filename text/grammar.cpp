#include "text/grammar.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "text/automaton.h"
#include "text/forced.h"
#include "text/grammar_rules.h"
#include "text/masks.h"

namespace text {
namespace {

using base::Result;

constexpr std::size_t max_bytes = 16u << 20;  // of positions remembered before a fresh memory is begun

// What has been found out about a grammar over one vocabulary, for all sequences bound by it.
struct Memory {
    std::mutex mutex;
    Places places;
    Masks masks;
    Forced forced;
    Memory(std::shared_ptr<const Machine> machine, std::shared_ptr<const TokenTable> table)
        : places(std::move(machine)), masks(places, table), forced(places, masks, std::move(table)) {}
};

class Compiled final : public Grammar {
public:
    explicit Compiled(std::shared_ptr<const Machine> machine) : machine_(std::move(machine)) {}

    bool accepts(std::string_view text) const override {
        Places places(machine_);
        const Places::Place p = places.run(places.begin(), text);
        return p >= 0 && places.ends(p);
    }

    std::size_t bytes() const override {
        std::shared_ptr<Memory> memory;
        {
            std::lock_guard lock(mutex_);
            memory = memory_;
        }
        if (!memory) return machine_->bytes();
        std::lock_guard lock(memory->mutex);
        return machine_->bytes() + memory->places.bytes() + memory->masks.bytes() + memory->forced.bytes();
    }

    // The memory to use with this vocabulary; another one than `full`.
    std::shared_ptr<Memory> memory(const std::shared_ptr<const TokenTable>& table, const Memory* full) const {
        std::lock_guard lock(mutex_);
        if (!memory_ || memory_.get() == full || memory_of_.lock() != table) {
            memory_ = std::make_shared<Memory>(machine_, table);
            memory_of_ = table;
        }
        return memory_;
    }

private:
    std::shared_ptr<const Machine> machine_;
    mutable std::mutex mutex_;
    mutable std::shared_ptr<Memory> memory_;            // of the vocabulary seen last
    mutable std::weak_ptr<const TokenTable> memory_of_;
};

Result<std::shared_ptr<const Grammar>> compile(const Rules& rules) {
    auto machine = Machine::build(rules);
    if (!machine) return std::move(machine).error();
    return std::shared_ptr<const Grammar>(std::make_shared<Compiled>(std::move(*machine)));
}

class State final : public GrammarState {
public:
    State(std::shared_ptr<const Compiled> grammar, std::shared_ptr<const TokenTable> table, std::string trigger)
        : grammar_(std::move(grammar)), table_(std::move(table)), trigger_(std::move(trigger)) {
        memory_ = grammar_->memory(table_, nullptr);
        std::lock_guard lock(memory_->mutex);
        place_ = memory_->places.run(memory_->places.begin(), trigger_);
        if (place_ < 0) throw std::invalid_argument("the grammar does not begin with its trigger \"" + trigger_ + "\"");
        waiting_ = !trigger_.empty();
        forced_.reserve(kMostForced);
    }
    State(const State&) = default;

    bool mask(std::span<std::uint64_t> bits) override {
        renew();
        std::lock_guard lock(memory_->mutex);
        if (bits.size() < table_->n_words()) throw std::invalid_argument("a mask shorter than the vocabulary");
        if (waiting_) {
            const auto& spoilt = memory_->masks.spoilt(trigger_, matched_, place_);
            if (spoilt.empty()) return false;
            std::fill(bits.begin(), bits.end(), ~std::uint64_t(0));
            for (TokenId id : spoilt) bits[std::size_t(id) / 64] &= ~(1ull << (id % 64));
            return true;
        }
        std::fill(bits.begin(), bits.end(), 0);
        memory_->masks.at(place_).into(bits);
        if (memory_->places.ends(place_))
            for (TokenId id : table_->ending()) bits[std::size_t(id) / 64] |= 1ull << (id % 64);
        return true;
    }

    bool accept(TokenId id) override {
        const Tokenizer& t = table_->tokenizer();
        if (id < 0 || id >= t.size()) return false;
        if (t.ends_generation(id)) return may_end();
        renew();
        std::lock_guard lock(memory_->mutex);
        const bool control = t.is_control(id);
        const std::string bytes = t.bytes(id, true);
        if (waiting_) return wait(bytes);
        if (bytes.empty() || (!control && !table_->has(id))) return false;
        const auto to = control ? memory_->places.run_literal(place_, bytes) : memory_->places.run(place_, bytes);
        if (to < 0) return false;
        place_ = to;
        return true;
    }

    bool may_end() const override {
        if (waiting_) return true;
        std::lock_guard lock(memory_->mutex);
        return memory_->places.ends(place_);
    }

    bool finished() const override {
        if (waiting_) return false;
        std::lock_guard lock(memory_->mutex);
        return memory_->places.ends(place_) && memory_->places.configs(place_).empty();
    }

    std::string forced_bytes(std::size_t limit) override {
        if (waiting_) return {};
        renew();
        std::lock_guard lock(memory_->mutex);
        return memory_->forced.bytes_after(place_, limit);
    }

    std::span<const TokenId> forced() override {
        if (waiting_) return {};
        renew();
        std::lock_guard lock(memory_->mutex);
        return forced_ = memory_->forced.after(place_);
    }

    std::unique_ptr<GrammarState> clone() const override { return std::make_unique<State>(*this); }

private:
    // Before and inside the trigger everything is allowed but tokens that complete it and then go wrong.
    bool wait(const std::string& bytes) {
        std::size_t matched = matched_;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            matched = advance_match(trigger_, matched, bytes[i]);
            if (matched < trigger_.size()) continue;
            const auto to = memory_->places.run(place_, std::string_view(bytes).substr(i + 1));
            if (to < 0) return false;
            place_ = to;
            waiting_ = false;
            return true;
        }
        matched_ = matched;
        return true;
    }

    // Leaves a memory that has grown too large.
    void renew() {
        {
            std::lock_guard lock(memory_->mutex);
            if (memory_->places.bytes() < max_bytes) return;
        }
        auto fresh = grammar_->memory(table_, memory_.get());
        std::scoped_lock lock(memory_->mutex, fresh->mutex);
        place_ = memory_->places.carry(place_, fresh->places);
        std::swap(memory_, fresh);
    }

    std::shared_ptr<const Compiled> grammar_;
    std::shared_ptr<const TokenTable> table_;
    std::shared_ptr<Memory> memory_;
    std::string trigger_;
    Places::Place place_ = 0;   // while waiting: behind the trigger
    std::size_t matched_ = 0;   // bytes of the trigger at the end of the text
    bool waiting_ = false;
    std::vector<TokenId> forced_;
};

}  // namespace

std::shared_ptr<const TokenTable> make_token_table(std::shared_ptr<const Tokenizer> tokenizer) {
    return std::make_shared<TokenTable>(std::move(tokenizer));
}

Result<std::shared_ptr<const Grammar>> Grammar::from_ebnf(std::string_view source) {
    auto rules = parse_ebnf(source);
    if (!rules) return std::move(rules).error();
    return compile(*rules);
}

Result<std::shared_ptr<const Grammar>> Grammar::from_regex(std::string_view pattern) {
    auto rules = regex_rules(pattern);
    if (!rules) return std::move(rules).error();
    return compile(*rules);
}

Result<std::shared_ptr<const Grammar>> Grammar::from_json_schema(const base::OrderedJson& schema, SchemaOptions options) {
    auto source = schema_to_ebnf(schema, "root", options);
    if (!source) return std::move(source).error();
    return from_ebnf(*source);
}

Result<std::shared_ptr<const Grammar>> Grammar::any_json_object() {
    base::OrderedJson schema;
    schema["type"] = "object";
    return from_json_schema(schema);
}

std::unique_ptr<GrammarState> GrammarState::create(std::shared_ptr<const Grammar> grammar,
                                                   std::shared_ptr<const TokenTable> table, std::string trigger) {
    auto compiled = std::dynamic_pointer_cast<const Compiled>(std::move(grammar));
    if (!compiled) throw std::invalid_argument("a grammar that was not made by Grammar");
    return std::make_unique<State>(std::move(compiled), std::move(table), std::move(trigger));
}

}  // namespace text
