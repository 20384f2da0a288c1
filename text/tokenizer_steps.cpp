#include "text/tokenizer_steps.h"

#include "text/charsmap.h"
#include "text/normalizer.h"
#include "text/ordinary.h"
#include "text/split_patterns.h"

namespace text {
namespace {

using Kind = NormalizerStep::Kind;

// {"String": …} or {"Regex": …}.
std::string pattern_of(const JsonNode& node, bool& literal) {
    literal = !node["String"].absent();
    std::string pattern = node[literal ? "String" : "Regex"].text();
    if (node[literal ? "String" : "Regex"].is_text() && pattern.empty()) node.wrong("a pattern that is not empty");
    return pattern;
}

SplitterStep::Behavior behavior_of(const JsonNode& node, SplitterStep::Behavior otherwise) {
    using Behavior = SplitterStep::Behavior;
    constexpr std::pair<const char*, Behavior> known[] = {{"Isolated", Behavior::isolated},
                                                          {"Removed", Behavior::removed},
                                                          {"MergedWithPrevious", Behavior::merged_with_previous},
                                                          {"MergedWithNext", Behavior::merged_with_next},
                                                          {"Contiguous", Behavior::contiguous}};
    if (node.absent()) return otherwise;
    const std::string name = node.text();
    for (const auto& [text, behavior] : known)
        if (name == text) return behavior;
    node.wrong("Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous");
    return otherwise;
}

void read_charsmap(const JsonNode& node, std::vector<NormalizerStep>& steps) {
    const auto bytes = from_base64(node.text());
    if (node.absent()) return;
    if (!bytes) return node.wrong("base64");
    auto map = Charsmap::read(*bytes);
    if (!map) return node.wrong(map.error().message);
    steps.push_back({.kind = Kind::charsmap, .charsmap = *std::move(map), .by_cluster = true});
}

void read_bert_normalizer(const JsonNode& node, std::vector<NormalizerStep>& steps) {
    BertNormalizer bert;
    bert.lowercase = node["lowercase"].flag(true);
    bert.clean = node["clean_text"].flag(true);
    bert.space_ideographs = node["handle_chinese_chars"].flag(true);
    bert.strip_accents = node["strip_accents"].flag(bert.lowercase);
    for (NormalizerStep& step : bert.steps()) steps.push_back(std::move(step));
}

struct Splitting {
    Vocabulary& vocabulary;
    bool bytes = false;  // nothing may follow

    std::vector<SplitterStep>& steps() { return *vocabulary.splitter; }
    void isolate(const char* pattern) { steps().push_back({.pattern = pattern}); }

    void byte_level(const JsonNode& node) {
        if (node["add_prefix_space"].flag(true)) {
            if (!steps().empty()) return node.refuse("ByteLevel with add_prefix_space only before other splitters");
            vocabulary.normalizer->push_back({.kind = Kind::prepend, .to = " ", .unless_there = true});
        }
        if (node["use_regex"].flag(true)) isolate(patterns::gpt2);
        bytes = true;
    }

    void metaspace(const JsonNode& node) {
        const std::string mark(space_mark);
        const std::string scheme = node["prepend_scheme"].text(node["add_prefix_space"].flag(true) ? "always" : "never");
        // Each word that white space leaves gets a mark.
        const bool words = steps().size() == 1 && steps()[0].pattern == patterns::spaces && steps()[0].behavior == SplitterStep::Behavior::removed;
        if (!steps().empty() && !(words && scheme == "always" && node["split"].flag(true))) return node.refuse("Metaspace only before other splitters, or behind WhitespaceSplit");
        if (node["replacement"].text() != mark) return node["replacement"].refuse("\"" + mark + "\"");
        if (scheme != "always" && scheme != "first" && scheme != "never") return node["prepend_scheme"].wrong("always, first or never");
        if (words) {
            steps() = {{.pattern = mark, .literal = true, .behavior = SplitterStep::Behavior::merged_with_next}};
            return vocabulary.normalizer->push_back({.kind = Kind::mark_words, .to = mark});
        }
        vocabulary.normalizer->push_back({.kind = Kind::replace, .from = " ", .to = mark});
        if (scheme != "never")
            vocabulary.normalizer->push_back({.kind = Kind::prepend, .to = mark, .unless_there = true, .first_only = scheme == "first"});
        if (node["split"].flag(true)) steps().push_back({.pattern = mark, .literal = true, .behavior = SplitterStep::Behavior::merged_with_next});
    }

    void split(const JsonNode& node) {
        SplitterStep step;
        step.pattern = pattern_of(node["pattern"], step.literal);
        step.behavior = behavior_of(node["behavior"], SplitterStep::Behavior::isolated);
        step.invert = node["invert"].flag(false);
        if (!step.literal && !step.pattern.empty() && !find_split_pattern(step.pattern))
            return node["pattern"]["Regex"].refuse(std::to_string(split_patterns().size()) + " patterns, and this is none of them");
        steps().push_back(std::move(step));
    }

    void read(const JsonNode& node) {
        const std::string type = node["type"].text();
        if (bytes) return node["type"].refuse("no pre-tokenizer behind ByteLevel");
        if (type == "Sequence") {
            for (const JsonNode& each : node["pretokenizers"].items()) read(each);
        } else if (type == "ByteLevel") {
            byte_level(node);
        } else if (type == "Split") {
            split(node);
        } else if (type == "Metaspace") {
            metaspace(node);
        } else if (type == "Digits") {
            isolate(node["individual_digits"].flag(false) ? patterns::number : patterns::numbers);
        } else if (type == "Punctuation") {
            steps().push_back({.pattern = patterns::punctuation, .behavior = behavior_of(node["behavior"], SplitterStep::Behavior::isolated)});
        } else if (type == "WhitespaceSplit" || type == "BertPreTokenizer") {
            steps().push_back({.pattern = patterns::spaces, .behavior = SplitterStep::Behavior::removed});
            if (type == "BertPreTokenizer") isolate(patterns::punctuation);
        } else {
            node["type"].refuse("Sequence, ByteLevel, Split, Metaspace, Digits, Punctuation, WhitespaceSplit and BertPreTokenizer");
        }
    }
};

// A decoder, or the decoders of a Sequence.
std::vector<JsonNode> decoders(const JsonNode& node) {
    if (node["type"].text() != "Sequence") return {node};
    return node["decoders"].items();
}

void read_byte_decoder(const JsonNode& node) {
    const auto all = decoders(node);
    if (all.size() != 1 || all.front()["type"].text() != "ByteLevel") node.refuse("ByteLevel for a byte-level vocabulary");
}

void read_word_piece_decoder(const JsonNode& node, Vocabulary& v) {
    if (node["type"].text() != "WordPiece") return node["type"].refuse("WordPiece for a WordPiece vocabulary");
    if (node["prefix"].text() != v.continuation) node["prefix"].wrong("the model's continuing_subword_prefix");
    if (!node["cleanup"].flag(true)) node["cleanup"].refuse("true");
    v.leading_spaces = 1;
}

// The mark becomes a space, byte tokens become bytes, and the spaces that encoding put first go.
void read_character_decoder(const JsonNode& node, Vocabulary& v) {
    bool spaces = false;
    for (const JsonNode& each : decoders(node)) {
        const std::string type = each["type"].text();
        if (type == "Metaspace") {
            spaces = each["replacement"].text() == space_mark;
            v.leading_spaces = each["prepend_scheme"].text(each["add_prefix_space"].flag(true) ? "always" : "never") == "never" ? 0 : 1;
        } else if (type == "Replace") {
            spaces = each["pattern"]["String"].text() == space_mark && each["content"].text() == " ";
            if (!spaces) each.refuse("a Replace of \"" + std::string(space_mark) + "\" by a space");
        } else if (type == "Strip") {
            if (each["content"].text() != " " || each["stop"].integer(0, 1 << 20) != 0) each.refuse("a Strip of spaces at the start");
            v.leading_spaces = int(each["start"].integer(0, 1 << 20));
        } else if (type != "ByteFallback" && type != "Fuse") {
            each["type"].refuse("Replace, ByteFallback, Fuse, Strip and Metaspace");
        }
    }
    if (!spaces) node.refuse("decoders that make a space of \"" + std::string(space_mark) + "\"");
}

void read_template(const JsonNode& node, Vocabulary& v) {
    bool before = true;
    int n_before = 0, n_after = 0;
    for (const JsonNode& part : node["single"].items()) {
        if (!part["Sequence"].absent()) {
            before = false;
            continue;
        }
        const JsonNode special = node["special_tokens"][part["SpecialToken"]["id"].text()]["ids"];
        const auto id = TokenId(special.at(0).integer(0, std::int64_t(v.tokens.size()) - 1));
        if (special.size() != 1 || ++(before ? n_before : n_after) > 1) return node["single"].refuse("one special token before and one after the text");
        (before ? v.bos : v.eos) = id;
        (before ? v.add_bos : v.add_eos) = true;
    }
}

}  // namespace

void read_normalizer(const JsonNode& node, std::vector<NormalizerStep>& steps) {
    if (node.absent()) return;
    const std::string type = node["type"].text();
    if (type == "Sequence") {
        for (const JsonNode& each : node["normalizers"].items()) read_normalizer(each, steps);
    } else if (type == "NFC" || type == "NFD") {
        steps.push_back({.kind = type == "NFC" ? Kind::nfc : Kind::nfd});
    } else if (type == "NFKC" || type == "NFKD") {
        steps.push_back({.kind = type == "NFKC" ? Kind::nfkc : Kind::nfkd});
    } else if (type == "Precompiled") {
        read_charsmap(node["precompiled_charsmap"], steps);
    } else if (type == "Lowercase") {
        steps.push_back({.kind = Kind::lowercase});
    } else if (type == "StripAccents") {
        steps.push_back({.kind = Kind::strip_marks});
    } else if (type == "Prepend") {
        steps.push_back({.kind = Kind::prepend, .to = node["prepend"].text()});
    } else if (type == "Replace") {
        bool literal = false;
        NormalizerStep step{.kind = Kind::replace, .from = pattern_of(node["pattern"], literal), .to = node["content"].text()};
        if (!literal && step.from == " {2,}") step.kind = Kind::squeeze, step.from = " ";
        else if (!literal) return node["pattern"].refuse("{\"String\": …}, or the expression \" {2,}\"");
        if (!step.from.empty()) steps.push_back(std::move(step));
    } else if (type == "Strip") {
        if (node["strip_left"].flag(true)) steps.push_back({.kind = Kind::trim_left});
        if (node["strip_right"].flag(true)) steps.push_back({.kind = Kind::trim_right});
    } else if (type == "BertNormalizer") {
        read_bert_normalizer(node, steps);
    } else {
        node["type"].refuse("Sequence, NFC, NFD, NFKC, NFKD, Precompiled, Lowercase, StripAccents, Prepend, Replace, Strip and BertNormalizer");
    }
}

bool read_pre_tokenizer(const JsonNode& node, Vocabulary& vocabulary) {
    if (node.absent()) return false;
    Splitting splitting{vocabulary};
    splitting.read(node);
    return splitting.bytes;
}

void read_decoder(const JsonNode& node, Vocabulary& v) {
    switch (v.kind) {
        case Vocabulary::Kind::bpe: return read_byte_decoder(node);
        case Vocabulary::Kind::word_piece: return read_word_piece_decoder(node, v);
        default: return read_character_decoder(node, v);
    }
}

void read_post_processor(const JsonNode& node, Vocabulary& v) {
    if (node.absent()) return;
    const std::string type = node["type"].text();
    if (type == "Sequence") {
        for (const JsonNode& each : node["processors"].items()) read_post_processor(each, v);
    } else if (type == "TemplateProcessing") {
        read_template(node, v);
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
        const auto last = std::int64_t(v.tokens.size()) - 1;
        v.bos = TokenId(node["cls"].at(1).integer(0, last));
        v.eos = TokenId(node["sep"].at(1).integer(0, last));
        v.add_bos = v.add_eos = true;
    } else if (type != "ByteLevel") {
        node["type"].refuse("Sequence, TemplateProcessing, BertProcessing, RobertaProcessing and ByteLevel");
    }
}

}  // namespace text
