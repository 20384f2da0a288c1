// Outputs fed to their parser in pieces.
#pragma once

#include <gtest/gtest.h>

#include <random>

#include "text/output_parser.h"

namespace text {

inline ParsedOutput parse(const ParserOptions& options, const std::vector<std::string>& chunks) {
    auto parser = text::OutputParser::create(options);
    EXPECT_TRUE(parser.ok());
    ParsedOutput added;
    const auto add = [&](const std::vector<Delta>& deltas) {
        for (const Delta& d : deltas) {
            if (d.kind == Delta::Kind::content) added.content += d.text;
            if (d.kind == Delta::Kind::reasoning) added.reasoning += d.text;
            if (d.kind == Delta::Kind::tool_call_started) added.tool_calls.push_back({d.text, ""});
            if (d.kind == Delta::Kind::tool_arguments) added.tool_calls.at(std::size_t(d.tool_index)).arguments += d.text;
        }
    };
    for (const auto& chunk : chunks) add((*parser)->feed(chunk));
    add((*parser)->finish());
    const ParsedOutput& result = (*parser)->result();
    EXPECT_EQ(added.content, result.content);
    EXPECT_EQ(added.reasoning, result.reasoning);
    EXPECT_EQ(added.tool_calls.size(), result.tool_calls.size());
    for (std::size_t i = 0; i < std::min(added.tool_calls.size(), result.tool_calls.size()); ++i) {
        EXPECT_EQ(added.tool_calls[i].name, result.tool_calls[i].name);
        EXPECT_EQ(added.tool_calls[i].arguments, result.tool_calls[i].arguments);
    }
    return added;
}

inline std::string shown(const ParsedOutput& p) {
    std::string out = "content=" + p.content + "|reasoning=" + p.reasoning;
    for (const auto& c : p.tool_calls) out += "|" + c.name + c.arguments;
    return out;
}

inline std::vector<std::string> bytes_of(const std::string& text) {
    std::vector<std::string> out;
    for (char c : text) out.emplace_back(1, c);
    return out;
}

inline std::vector<std::string> cut_by_chance(const std::string& text, std::mt19937& random) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size(); at += out.back().size()) out.push_back(text.substr(at, 1 + random() % 9));
    return out;
}

// What every split of a text gives; 1-byte chunks and some by chance are tried.
inline ParsedOutput parse_any_way(const ParserOptions& options, const std::string& text, std::mt19937& random, int rounds = 20) {
    const ParsedOutput whole = parse(options, {text});
    EXPECT_EQ(shown(parse(options, bytes_of(text))), shown(whole)) << text;
    for (int round = 0; round < rounds; ++round) EXPECT_EQ(shown(parse(options, cut_by_chance(text, random))), shown(whole)) << text;
    return whole;
}

}  // namespace text
