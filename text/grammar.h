// Output bound by a grammar: JSON Schema, regular expression or EBNF compiled to an automaton, and
// a mask over the vocabulary for the next token.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "text/given_rules.h"
#include "text/tokenizer.h"

namespace text {

struct SchemaOptions {
    bool allow_additional = true;  // properties that the schema does not name
    bool any_whitespace = false;   // false: the one spacing ", " and ": "
    bool plain_less_than = true;   // false: < stands in texts as \u003c only, so that no markup appears
};

// The vocabulary arranged for masking (token bytes in a trie). Built once a tokenizer.
class TokenTable;
std::shared_ptr<const TokenTable> make_token_table(std::shared_ptr<const Tokenizer> tokenizer);

// Compiled, immutable, shareable.
class Grammar {
public:
    static base::Result<std::shared_ptr<const Grammar>> from_json_schema(const base::OrderedJson& schema,
                                                                          SchemaOptions options = {});
    static base::Result<std::shared_ptr<const Grammar>> any_json_object();
    static base::Result<std::shared_ptr<const Grammar>> from_regex(std::string_view pattern);
    // GBNF as llama.cpp documents it: rules "name ::= …", literals, classes, groups, * + ? {m,n}.
    static base::Result<std::shared_ptr<const Grammar>> from_ebnf(std::string_view source);
    // `source` may name a rule `name` and define none: it stands for the given language. What that calls its own rules does not
    // matter. An error in it names the place.
    static base::Result<std::shared_ptr<const Grammar>> from_ebnf(std::string_view source, std::string_view name, const GivenRules& given);
    // JSON Schema as EBNF text whose root rule is `root`; so that dialects can embed it.
    static base::Result<std::string> schema_to_ebnf(const base::OrderedJson& schema, std::string_view root,
                                                    SchemaOptions options = {});
    virtual ~Grammar() = default;
    virtual bool accepts(std::string_view text) const = 0;  // the whole text is a sentence
    virtual std::size_t bytes() const = 0;                  // of memory, about; grows with use up to a bound
};

// Beginnings of an output that bind it as a trigger does; see call_syntax in output_parser.h.
class CallHeads;

// One sequence's position. Not shareable. With a trigger, everything is allowed until the trigger
// text has been produced; from then on the grammar (which begins with the trigger) binds. With heads
// it also binds from where the output is one of them, all of the output then being its sentence's beginning,
// and until the sentence is whole: behind it everything is allowed again.
class GrammarState {
public:
    static std::unique_ptr<GrammarState> create(std::shared_ptr<const Grammar> grammar,
                                                std::shared_ptr<const TokenTable> table, std::string trigger = {},
                                                std::shared_ptr<const CallHeads> heads = nullptr);
    virtual ~GrammarState() = default;
    // Bit id of `bits` (ceil(V/64) words) is set when token id may come next. End-of-generation
    // tokens are allowed exactly where the grammar may end. Returns false when all are allowed
    // (bits untouched): the sampler then needs no mask.
    virtual bool mask(std::span<std::uint64_t> bits) = 0;
    virtual bool accept(TokenId id) = 0;  // false: the token was not allowed; the state is unchanged
    // How many of `ids` may come one after another, none of them an end; the state is unchanged. 0 while one of several heads may begin.
    virtual int allowed(std::span<const TokenId> ids) = 0;
    virtual bool may_end() const = 0;
    virtual bool finished() const = 0;  // it may end, and nothing else may follow
    // The bytes that must come next whatever is chosen, at most `limit`.
    virtual std::string forced_bytes(std::size_t limit) = 0;
    // Tokens that write forced bytes and can be appended without asking the model, at most kMostForced; the state is
    // unchanged. They are split as the tokenizer splits that text, which is how the model has learnt to read it, and not as
    // a choice among all the tokens that the mask allows may have split it: the text is the same, the tokens may differ.
    // What the tokenizer could split in another way, depending on what follows, is left for the model to choose.
    // Valid until the next call.
    virtual std::span<const TokenId> forced() = 0;
    static constexpr int kMostForced = 64;
    virtual std::unique_ptr<GrammarState> clone() const = 0;
};

}  // namespace text
