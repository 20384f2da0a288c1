// The tokenizer's data out of GGUF metadata.
#include <optional>

#include "engine/model/gguf_file.h"
#include "text/charsmap.h"
#include "text/normalizer.h"

namespace engine {
namespace {

using Kind = text::Vocabulary::Kind;

base::Result<std::vector<text::TokenType>> token_types(const Gguf& gguf, std::size_t size) {
    auto raw = gguf.integers("tokenizer.ggml.token_type");
    if (!raw) return std::move(raw).error();
    std::vector<text::TokenType> types;
    if (!*raw) return types;
    if ((*raw)->size() != size)
        return gguf.error("tokenizer.ggml.token_type has " + std::to_string((*raw)->size()) + " entries, expected " +
                          std::to_string(size));
    for (const auto type : **raw) {
        if (type < 1 || type > 6)
            return gguf.error("tokenizer.ggml.token_type has the value " + std::to_string(type) + ", expected 1 to 6");
        types.push_back(text::TokenType(type));
    }
    return types;
}

// -1 when absent, or when the file says "none" by an id that no vocabulary has (2^32 - 1).
base::Result<text::TokenId> token_id(const Gguf& gguf, const char* key, std::size_t size) {
    auto id = gguf.integer(std::string("tokenizer.ggml.") + key);
    if (!id) return std::move(id).error();
    if (!*id || **id == 0xffffffffll || **id == -1) return text::TokenId(-1);
    if (**id < 0 || **id >= std::int64_t(size))
        return gguf.error("tokenizer.ggml." + std::string(key) + " is " + std::to_string(**id) + ", expected below " +
                          std::to_string(size));
    return text::TokenId(**id);
}

std::optional<Kind> kind_of(const std::string& model) {
    if (model == "gpt2") return Kind::bpe;
    if (model == "llama") return Kind::spm;
    if (model == "t5") return Kind::unigram;
    if (model == "gemma4") return Kind::character_bpe;
    if (model == "bert") return Kind::word_piece;
    return std::nullopt;
}

// The file marks tokens that begin words by U+2581, in place of the ## of the others.
base::Result<void> read_bert(const Gguf& gguf, text::Vocabulary& v) {
    v.word_start = "\xE2\x96\x81";
    v.leading_spaces = 1;
    const std::pair<const char*, text::TokenId*> ids[] = {{"cls_token_id", &v.bos}, {"seperator_token_id", &v.eos}};
    for (const auto& [key, field] : ids) {
        auto id = token_id(gguf, key, v.tokens.size());
        if (!id) return std::move(id).error();
        if (*field < 0) *field = *id;
    }
    auto lowercase = gguf.boolean("tokenizer.ggml.normalizer.lowercase");
    if (!lowercase) return std::move(lowercase).error();
    auto strip = gguf.boolean("tokenizer.ggml.normalizer.strip_accents");
    if (!strip) return std::move(strip).error();
    const bool small = lowercase->value_or(true);
    v.normalizer = text::BertNormalizer{.strip_accents = strip->value_or(small), .lowercase = small}.steps();
    return {};
}

base::Result<void> read_unigram(const Gguf& gguf, text::Vocabulary& v) {
    text::SentencePieceNormalizer steps{.space_before = v.add_space_prefix};
    auto one_space = gguf.boolean("tokenizer.ggml.remove_extra_whitespaces");
    if (!one_space) return std::move(one_space).error();
    steps.one_space = one_space->value_or(false);
    auto bytes = gguf.integers("tokenizer.ggml.precompiled_charsmap");
    if (!bytes) return std::move(bytes).error();
    if (*bytes && !(*bytes)->empty()) {
        std::string table;
        for (const std::int64_t byte : **bytes) table += char(byte);
        auto map = text::Charsmap::read(table);
        if (!map) return gguf.error("tokenizer.ggml.precompiled_charsmap is no " + map.error().message);
        steps.charsmap = *std::move(map);
    }
    v.normalizer = steps.steps();
    v.leading_spaces = v.add_space_prefix;
    v.fuse_unknown = true;
    return {};
}

}  // namespace

base::Result<text::Vocabulary> read_vocabulary(const Gguf& gguf) {
    text::Vocabulary v;
    auto model = gguf.text("tokenizer.ggml.model");
    if (!model) return std::move(model).error();
    if (!*model) return gguf.error("key 'tokenizer.ggml.model' is missing: the file has no tokenizer");
    const auto kind = kind_of(**model);
    if (!kind)
        return gguf.error("has the tokenizer '" + **model +
                              "'; this engine runs gpt2 (byte-level BPE), llama (SentencePiece), t5 (unigram), gemma4 (BPE of characters) and bert (WordPiece)",
                          base::Code::unsupported);
    v.kind = *kind;

    auto tokens = gguf.texts("tokenizer.ggml.tokens");
    if (!tokens) return std::move(tokens).error();
    if (!*tokens || (*tokens)->empty()) return gguf.error("key 'tokenizer.ggml.tokens' is missing or empty");
    v.tokens = **std::move(tokens);
    auto types = token_types(gguf, v.tokens.size());
    if (!types) return std::move(types).error();
    v.types = *std::move(types);
    auto scores = gguf.reals("tokenizer.ggml.scores");
    if (!scores) return std::move(scores).error();
    if (*scores) v.scores = **std::move(scores);
    if ((v.kind == Kind::spm || v.kind == Kind::unigram || !v.scores.empty()) && v.scores.size() != v.tokens.size())
        return gguf.error("tokenizer.ggml.scores has " + std::to_string(v.scores.size()) + " entries, expected " +
                          std::to_string(v.tokens.size()));
    auto merges = gguf.texts("tokenizer.ggml.merges");
    if (!merges) return std::move(merges).error();
    if (*merges) v.merges = **std::move(merges);
    if ((v.kind == Kind::bpe || v.kind == Kind::character_bpe) && v.merges.empty())
        return gguf.error("key 'tokenizer.ggml.merges' is missing: byte-pair encoding needs it");
    auto pre = gguf.text("tokenizer.ggml.pre");
    if (!pre) return std::move(pre).error();
    if (v.kind == Kind::bpe) v.pre = pre->value_or("default");  // others cut words by rules of their own, whatever the file says

    const std::pair<const char*, text::TokenId*> ids[] = {
        {"bos_token_id", &v.bos}, {"eos_token_id", &v.eos}, {"unknown_token_id", &v.unknown}, {"padding_token_id", &v.padding}};
    for (const auto& [key, field] : ids) {
        auto id = token_id(gguf, key, v.tokens.size());
        if (!id) return std::move(id).error();
        *field = *id;
    }
    const std::pair<const char*, bool*> flags[] = {{"tokenizer.ggml.add_bos_token", &v.add_bos},
                                                   {"tokenizer.ggml.add_eos_token", &v.add_eos},
                                                   {"tokenizer.ggml.add_space_prefix", &v.add_space_prefix}};
    v.add_space_prefix = v.kind == Kind::spm;  // what SentencePiece models expect unless told otherwise, as is the next
    v.add_bos = v.kind == Kind::spm;
    v.add_eos = v.kind == Kind::unigram;
    for (const auto& [key, field] : flags) {
        auto flag = gguf.boolean(key);
        if (!flag) return std::move(flag).error();
        *field = flag->value_or(*field);
    }
    if (v.kind == Kind::word_piece)
        if (auto bert = read_bert(gguf, v); !bert) return std::move(bert).error();
    if (v.kind == Kind::unigram)
        if (auto unigram = read_unigram(gguf, v); !unigram) return std::move(unigram).error();
    return v;
}

}  // namespace engine
