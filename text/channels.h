// What a parser of outputs has found so far, channel by channel. Internal to the output parser.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/output_parser.h"

namespace text {

class Channels {
public:
    // More of a channel. Blanks where it begins are dropped.
    void content(std::string_view text) { add(Delta::Kind::content, result_.content, content_gap_, text); }
    // The same with these blanks.
    void verbatim(std::string_view text) {
        if (text.empty()) return;
        result_.content += text;
        deltas_.push_back({Delta::Kind::content, std::string(text), -1});
    }
    void reasoning(std::string_view text) { add(Delta::Kind::reasoning, result_.reasoning, reasoning_gap_, text); }
    // Blanks that are shown only if more of the channel follows.
    void content_gap(std::string_view blanks) { content_gap_ += blanks; }
    void reasoning_gap(std::string_view blanks) { reasoning_gap_ += blanks; }

    void call(std::string_view name) {
        result_.tool_calls.push_back({std::string(name)});
        deltas_.push_back({Delta::Kind::tool_call_started, std::string(name), int(result_.tool_calls.size()) - 1});
    }
    void arguments(std::string_view text) {
        if (text.empty()) return;
        result_.tool_calls.back().arguments += text;
        deltas_.push_back({Delta::Kind::tool_arguments, std::string(text), int(result_.tool_calls.size()) - 1});
    }
    void written(std::size_t call, std::string_view text) { result_.tool_calls[call].written += text; }
    void notice(Notice::Kind kind, std::string text) { result_.notices.push_back({kind, std::move(text)}); }

    std::vector<Delta> take() { return std::exchange(deltas_, {}); }
    const ParsedOutput& result() const { return result_; }

private:
    void add(Delta::Kind kind, std::string& channel, std::string& gap, std::string_view text) {
        constexpr std::string_view blanks = " \n\r\t";
        if (channel.empty()) text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
        if (text.empty()) return;
        const std::string shown = (channel.empty() ? "" : gap) + std::string(text);
        gap.clear();
        channel += shown;
        deltas_.push_back({kind, shown, -1});
    }

    ParsedOutput result_;
    std::vector<Delta> deltas_;
    std::string content_gap_, reasoning_gap_;
};

// OpenAI's harmony: messages with a channel each, some of them calls.
std::unique_ptr<OutputParser> harmony_parser(ParserOptions options);

}  // namespace text
