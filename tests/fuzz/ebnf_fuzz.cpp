// A grammar in EBNF; the first byte is the chance of a walk. A mask allows only what the state takes, of
// tokens of one byte all of it, and the state may end just where the grammar accepts the text.
#include <random>

#include "fuzz.h"
#include "text/grammar.h"
#include "walk.h"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto tokenizer = text::words();
    static const auto table = text::make_token_table(tokenizer);
    std::string_view input = fuzz::text_of(data, size);
    const unsigned chance = fuzz::take_byte(input);
    std::mt19937 random(chance);
    const auto grammar = text::Grammar::from_ebnf(input);
    if (!grammar) {
        require(!grammar.error().message.empty(), "a refusal says why");
        return 0;
    }
    const auto state = text::GrammarState::create(*grammar, table);
    std::vector<std::uint64_t> bits((std::size_t(tokenizer->size()) + 63) / 64);
    std::string written;
    const int steps = (*grammar)->bytes() > 100'000 ? 1 : 8;  // a mask of thousands of states takes as long as all else
    for (int step = 0; step < steps; ++step) {
        require(state->mask(bits), "without a trigger the mask binds");
        std::vector<text::TokenId> allowed;
        bool ends = false;
        for (text::TokenId id = 0; id < tokenizer->size(); ++id) {
            const bool bit = bits[std::size_t(id) / 64] >> (id % 64) & 1;
            // A mask whose work is cut leaves long tokens out, and takes none in.
            if (id % 8 == step && (bit || tokenizer->bytes(id, true).size() == 1))
                require(bit == state->clone()->accept(id), [&] { return "the mask is what the state takes: " + tokenizer->bytes(id, true) + " after " + written; });
            if (bit && tokenizer->ends_generation(id)) ends = true;
            else if (bit) allowed.push_back(id);
        }
        require(ends == state->may_end(), "the end is in the mask");
        if (step == int(chance) % steps)  // it reads from the beginning, so once
            require((*grammar)->accepts(written) == state->may_end() || written.find("<tool>") != written.npos, [&] { return "the state ends where the grammar does: " + written; });
        if (allowed.empty()) break;
        const text::TokenId chosen = allowed[random() % allowed.size()];
        require(state->accept(chosen), "a token of the mask is taken");
        written += tokenizer->bytes(chosen, true);
    }
    return 0;
}
