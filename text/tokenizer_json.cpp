#include "text/tokenizer_json.h"

#include <algorithm>
#include <cstdlib>

#include "text/normalizer.h"
#include "text/ordinary.h"
#include "text/tokenizer_steps.h"

namespace text {
namespace {

constexpr std::size_t most_unused_ids = 1 << 16;  // more holes among the ids than any model leaves

class Reader {
public:
    explicit Reader(const JsonNode& file) : file_(file), model_(file["model"]) {
        v_.normalizer.emplace();
        v_.splitter.emplace();
        v_.whole_words = model_["ignore_merges"].flag(false);
        v_.add_space_prefix = false;
    }

    Vocabulary read() {
        const std::string type = model_["type"].text();
        read_normalizer(file_["normalizer"], *v_.normalizer);
        const bool bytes = read_pre_tokenizer(file_["pre_tokenizer"], v_);
        if (type == "BPE") {
            v_.kind = bytes ? Vocabulary::Kind::bpe : Vocabulary::Kind::character_bpe;
            read_bpe();
        } else if (type == "Unigram") {
            v_.kind = Vocabulary::Kind::unigram;
            read_unigram();
        } else if (type == "WordPiece") {
            v_.kind = Vocabulary::Kind::word_piece;
            read_word_piece();
        } else {
            model_["type"].refuse("BPE, Unigram and WordPiece");
        }
        if (bytes && type != "BPE") file_["pre_tokenizer"].refuse("ByteLevel only with BPE");
        read_added();
        if (model_["byte_fallback"].flag(false)) mark_bytes();
        read_decoder(file_["decoder"], v_);
        read_post_processor(file_["post_processor"], v_);
        return std::move(v_);
    }

private:
    void put(const JsonNode& at, std::size_t id, const std::string& token, TokenType type) {
        if (id >= v_.tokens.size()) {
            v_.tokens.resize(id + 1);
            v_.types.resize(id + 1, TokenType::unused);
        } else if (v_.types[id] != TokenType::unused && v_.tokens[id] != token) {
            return at.wrong("one token for the id " + std::to_string(id) + ", which is \"" + v_.tokens[id] + "\" too");
        }
        v_.tokens[id] = token;
        v_.types[id] = type;
    }

    void read_vocab() {
        const JsonNode vocab = model_["vocab"];
        const base::Json& members = vocab.members();
        const std::int64_t last = std::int64_t(members.size() + file_["added_tokens"].size() + most_unused_ids);
        if (members.empty()) vocab.wrong("tokens and their ids");
        for (const auto& [token, id] : members.items()) {
            const bool fits = id.is_number_unsigned() && id.get<std::uint64_t>() <= std::uint64_t(last);
            if (!fits) return vocab[token].wrong("an id from 0 to " + std::to_string(last));
            put(vocab, id.get<std::size_t>(), token, TokenType::normal);
        }
    }

    void set_unknown(const JsonNode& node) {
        if (node.absent()) return;
        const std::string text = node.text();
        for (std::size_t id = 0; id < v_.tokens.size() && v_.unknown < 0; ++id)
            if (v_.tokens[id] == text && v_.types[id] != TokenType::unused) v_.unknown = TokenId(id);
        if (v_.unknown < 0) return node.wrong("a token of the vocabulary");
        // In a byte-level vocabulary everything has a token, and this is one that has another use.
        if (v_.kind != Vocabulary::Kind::bpe) v_.types[std::size_t(v_.unknown)] = TokenType::unknown;
    }

    void read_bpe() {
        read_vocab();
        for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
            if (!model_[key].text("").empty()) model_[key].refuse("none");
        if (!model_["dropout"].absent() && model_["dropout"].number() != 0) model_["dropout"].refuse("none");
        v_.fuse_unknown = model_["fuse_unk"].flag(false);
        set_unknown(model_["unk_token"]);
        const JsonNode merges = model_["merges"];
        if (!merges.is_array()) return merges.wrong("an array");
        v_.merges.reserve(merges.size());
        for (std::size_t i = 0; i < merges.size(); ++i) {
            const JsonNode merge = merges.at(i);
            if (merge.is_text()) {
                v_.merges.push_back(merge.text());
                continue;
            }
            if (merge.size() != 2) return merge.wrong("two parts");
            const std::string left = merge.at(0).text(), right = merge.at(1).text();
            if (left.empty() || right.empty()) return merge.wrong("two parts");
            if ((left + right).find(' ') != left.npos) return merge.refuse("parts without a space");
            v_.merges.push_back(left + " " + right);
        }
    }

    void read_unigram() {
        const JsonNode vocab = model_["vocab"];
        for (const JsonNode& entry : vocab.items()) {
            put(entry, v_.tokens.size(), entry.at(0).text(), TokenType::normal);
            v_.scores.push_back(float(entry.at(1).number()));
        }
        if (v_.tokens.empty()) return vocab.wrong("tokens and their scores");
        if (model_["unk_id"].absent()) return;
        v_.unknown = TokenId(model_["unk_id"].integer(0, std::int64_t(v_.tokens.size()) - 1));
        v_.types[std::size_t(v_.unknown)] = TokenType::unknown;
    }

    void read_word_piece() {
        read_vocab();
        v_.continuation = model_["continuing_subword_prefix"].text();
        v_.longest_word = int(model_["max_input_chars_per_word"].integer(1, 1 << 20, 100));
        set_unknown(model_["unk_token"]);
        if (v_.continuation.empty()) model_["continuing_subword_prefix"].wrong("text");
    }

    void read_added() {
        if (file_["added_tokens"].absent()) return;
        for (const JsonNode& added : file_["added_tokens"].items()) {
            const auto id = TokenId(added["id"].integer(0, std::int64_t(v_.tokens.size() + most_unused_ids)));
            const std::string content = added["content"].text();
            const bool control = added["special"].flag(false);
            if (content.empty()) added["content"].wrong("text");
            if (id != v_.unknown || v_.kind == Vocabulary::Kind::bpe) put(added, std::size_t(id), content, control ? TokenType::control : TokenType::user_defined);
            if (!v_.scores.empty()) v_.scores.resize(v_.tokens.size());
            if (added["normalized"].flag(!control) && changes(content))
                added["normalized"].refuse("true only where the normalizer leaves the token's text as it is");
            v_.added.push_back({id, added["lstrip"].flag(false), added["rstrip"].flag(false), added["single_word"].flag(false)});
        }
    }
    // Whether a token that is looked for in normalized text would not be found in the text as it came.
    bool changes(const std::string& content) const {
        std::vector<NormalizerStep> steps;
        for (const NormalizerStep& step : *v_.normalizer)
            if (step.kind != NormalizerStep::Kind::prepend) steps.push_back(step);
        return normalize(steps, content, true) != content;
    }

    void mark_bytes() {
        int byte = 0;
        for (std::size_t id = 0; id < v_.tokens.size(); ++id)
            if (v_.types[id] == TokenType::normal && ByteTokens::parse(v_.tokens[id], byte)) v_.types[id] = TokenType::byte;
    }

    JsonNode file_, model_;
    Vocabulary v_;
};

// Tokens that tokenizer_config.json has beyond those of the vocabulary.
void read_added_beyond(const JsonNode& node, Vocabulary& v) {
    const std::size_t size = v.tokens.size();
    if (node.absent()) return;
    for (const auto& [key, ignored] : node.members().items()) {
        const JsonNode added = node[key];
        const auto id = std::size_t(std::strtoull(key.c_str(), nullptr, 10));
        if (id < size) continue;
        if (id >= size + most_unused_ids) return added.wrong("ids up to " + std::to_string(size + most_unused_ids));
        if (id >= v.tokens.size()) {
            v.tokens.resize(id + 1);
            v.types.resize(id + 1, TokenType::unused);
            if (!v.scores.empty()) v.scores.resize(id + 1);
        }
        v.tokens[id] = added["content"].text();
        v.types[id] = added["special"].flag(false) ? TokenType::control : TokenType::user_defined;
        if (v.tokens[id].empty()) return added["content"].wrong("text");
        if (!v.added.empty()) v.added.push_back({TokenId(id), added["lstrip"].flag(false), added["rstrip"].flag(false), added["single_word"].flag(false)});
    }
}

base::Result<base::Json> parse(std::string_view json, const std::string& file) {
    auto parsed = base::parse_json(json);
    if (!parsed) return base::error(base::Code::corrupt, file + ": " + parsed.error().message, "the file is damaged; fetch it again");
    return parsed;
}

}  // namespace

base::Result<Vocabulary> read_tokenizer_json(std::string_view json, const std::string& file) {
    const auto parsed = parse(json, file);
    if (!parsed) return parsed.error();
    JsonProblem problem{file, {}};
    const JsonNode root(&*parsed, "", problem);
    if (!root.is_object()) root.wrong("an object");
    Vocabulary v = Reader(root).read();
    if (problem.first) return *std::move(problem.first);
    return v;
}

base::Result<void> apply_tokenizer_config(Vocabulary& v, std::string_view json, const std::string& file) {
    const auto parsed = parse(json, file);
    if (!parsed) return parsed.error();
    JsonProblem problem{file, {}};
    const JsonNode root(&*parsed, "", problem);
    read_added_beyond(root["added_tokens_decoder"], v);
    const std::pair<const char*, TokenId*> ids[] = {{"bos_token", &v.bos}, {"eos_token", &v.eos}, {"pad_token", &v.padding}};
    for (const auto& [key, id] : ids) {
        const JsonNode node = root[key];
        if (node.absent()) continue;
        const std::string text = node.is_object() ? node["content"].text() : node.text();
        const auto it = std::find(v.tokens.begin(), v.tokens.end(), text);
        if (it == v.tokens.end())
            node.wrong("a token of the vocabulary");
        else
            *id = TokenId(it - v.tokens.begin());
    }
    v.add_bos = root["add_bos_token"].flag(v.add_bos);
    v.add_eos = root["add_eos_token"].flag(v.add_eos);
    if (problem.first) return *std::move(problem.first);
    return {};
}

}  // namespace text
