#include "text/grammar.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <tuple>

#include "text/automaton.h"
#include "text/call_heads.h"
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
    State(std::shared_ptr<const Compiled> grammar, std::shared_ptr<const TokenTable> table, std::string trigger, std::shared_ptr<const CallHeads> heads)
        : grammar_(std::move(grammar)), table_(std::move(table)), trigger_(std::move(trigger)) {
        memory_ = grammar_->memory(table_, nullptr);
        std::lock_guard lock(memory_->mutex);
        head_place_ = memory_->places.begin();
        behind_ = place_ = memory_->places.run(head_place_, trigger_);
        if (place_ < 0) throw std::invalid_argument("the grammar does not begin with its trigger \"" + trigger_ + "\"");
        waiting_ = !trigger_.empty();
        if (waiting_ && heads) watch_.emplace(std::move(heads));
        forced_.reserve(kMostForced);
    }
    State(const State&) = default;

    bool mask(std::span<std::uint64_t> bits) override {
        renew();
        std::lock_guard lock(memory_->mutex);
        if (bits.size() < table_->n_words()) throw std::invalid_argument("a mask shorter than the vocabulary");
        if (waiting_) {
            std::vector<TokenId> spoilt = memory_->masks.spoilt(trigger_, matched_, behind_);
            if (watch_ && watch_->place() >= 0) memory_->masks.add_spoilt_heads(watch_->places(), watch_->place(), head_place_, spoilt);
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
        return accept_here(id);
    }

    int allowed(std::span<const TokenId> ids) override {
        if (watch_) return 0;  // its way to a head cannot be taken back
        renew();  // before a place is remembered, which it would change
        const auto before = std::tuple(place_, matched_, waiting_, by_head_);
        int n = 0;
        while (n < int(ids.size()) && !table_->tokenizer().ends_generation(ids[std::size_t(n)]) && accept_here(ids[std::size_t(n)])) ++n;
        std::tie(place_, matched_, waiting_, by_head_) = before;
        return n;
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
    // Of a token that does not end generation.
    bool accept_here(TokenId id) {
        const Tokenizer& t = table_->tokenizer();
        if (id < 0 || id >= t.size()) return false;
        std::lock_guard lock(memory_->mutex);
        const bool control = t.is_control(id);
        const std::string bytes = t.bytes(id, true);
        if (waiting_) return wait(bytes);
        if (bytes.empty() || (!control && !table_->has(id))) return false;
        const auto to = control ? memory_->places.run_literal(place_, bytes) : memory_->places.run(place_, bytes);
        if (to < 0) return false;
        place_ = to;
        if (by_head_ && memory_->places.ends(to)) {
            by_head_ = false;
            waiting_ = true;
            matched_ = 0;
        }
        return true;
    }

    // Before and inside the trigger everything is allowed but tokens that complete it, or a head, and then go wrong.
    bool wait(std::string_view bytes) {
        std::size_t matched = matched_;
        const auto watched = watch_ ? watch_->position() : HeadWatch::Position{};
        const Places::Place head = head_place_;
        bool begun = false;  // a head that begins inside a token is none: the mask does not look for it
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const HeadWatch::Step step = watch_ ? watch_head(bytes[i]) : HeadWatch::Step::none;
            begun = begun || step == HeadWatch::Step::begun;
            const bool headed = step == HeadWatch::Step::whole && !begun;
            matched = advance_match(trigger_, matched, bytes[i]);
            if (!headed && matched < trigger_.size()) continue;
            const auto to = memory_->places.run(headed ? head_place_ : behind_, bytes.substr(i + 1));
            if (to < 0) {
                if (watch_) watch_->back_to(watched);
                head_place_ = head;
                return false;
            }
            place_ = to;
            waiting_ = false;
            by_head_ = headed;
            watch_.reset();
            return true;
        }
        matched_ = matched;
        if (watch_ && watch_->position().over()) watch_.reset();
        return true;
    }

    HeadWatch::Step watch_head(char byte) {
        const HeadWatch::Step step = watch_->take(byte);
        if (step == HeadWatch::Step::begun) head_place_ = memory_->places.begin();
        if (step == HeadWatch::Step::on || step == HeadWatch::Step::whole) head_place_ = memory_->places.next(head_place_, std::uint8_t(byte));
        return step;
    }

    // Leaves a memory that has grown too large.
    void renew() {
        {
            std::lock_guard lock(memory_->mutex);
            if (memory_->places.bytes() < max_bytes) return;
        }
        auto fresh = grammar_->memory(table_, memory_.get());
        std::scoped_lock lock(memory_->mutex, fresh->mutex);
        for (Places::Place* place : {&place_, &behind_, &head_place_}) *place = memory_->places.carry(*place, fresh->places);
        std::swap(memory_, fresh);
    }

    std::shared_ptr<const Compiled> grammar_;
    std::shared_ptr<const TokenTable> table_;
    std::shared_ptr<Memory> memory_;
    std::string trigger_;
    Places::Place place_ = 0;
    Places::Place behind_ = 0;       // the trigger
    Places::Place head_place_ = 0;   // while waiting: of what may become a head
    std::size_t matched_ = 0;        // bytes of the trigger at the end of the text
    bool waiting_ = false, by_head_ = false;
    std::optional<HeadWatch> watch_;  // while a head may come
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

Result<std::shared_ptr<const Grammar>> Grammar::from_ebnf(std::string_view source, std::string_view name, const GivenRules& given) {
    auto rules = parse_ebnf(source, name);
    if (!rules) return std::move(rules).error();
    auto other = given_rules(given);
    if (!other) return std::move(other).error();
    fill_in(*rules, name, *std::move(other));
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
                                                   std::shared_ptr<const TokenTable> table, std::string trigger, std::shared_ptr<const CallHeads> heads) {
    auto compiled = std::dynamic_pointer_cast<const Compiled>(std::move(grammar));
    if (!compiled) throw std::invalid_argument("a grammar that was not made by Grammar");
    return std::make_unique<State>(std::move(compiled), std::move(table), std::move(trigger), std::move(heads));
}

}  // namespace text
