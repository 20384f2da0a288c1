// <|start|>ROLE to=RECIPIENT<|channel|>CHANNEL to=RECIPIENT <|constrain|>json<|message|>TEXT<|end|>: the channel
// analysis is reasoning, a message to a function is a call, anything else is content. The prompt may end
// anywhere in a header.
#include <algorithm>
#include <utility>

#include "text/call_dialects.h"
#include "text/channels.h"

namespace text {
namespace {

using namespace calls;

constexpr std::string_view start = "<|start|>", channel = "<|channel|>", message = "<|message|>", constrain = "<|constrain|>";
constexpr std::string_view end_marks[] = {"<|end|>", "<|call|>", "<|return|>"};
constexpr std::string_view marks[] = {start, channel, message, constrain, "<|end|>", "<|call|>", "<|return|>"};

class HarmonyParser final : public OutputParser {
public:
    explicit HarmonyParser(ParserOptions options) : options_(std::move(options)) {
        if (options_.reasoning_open) place_ = Place::reasoning;
    }

    std::vector<Delta> feed(std::string_view chunk) override {
        pending_ += chunk;
        while (advance(false)) {}
        return out_.take();
    }
    std::vector<Delta> finish() override {
        while (advance(true)) {}
        end_call();
        return out_.take();
    }
    const ParsedOutput& result() const override { return out_.result(); }

private:
    // `outside`: before a header or between messages, where a header without its first token may stand too.
    enum class Place { outside, header, content, reasoning, call };

    bool advance(bool final) {
        if (options_.verbatim && place_ == Place::outside && out_.result().tool_calls.empty() && !begins_with_mark()) return read_verbatim(final);
        const std::string_view text = pending_;
        std::size_t hit = npos;
        std::string_view mark;
        for (std::string_view m : marks)
            if (const std::size_t at = text.find(m); at < hit) hit = at, mark = m;
        std::size_t shown = std::min(hit, text.size());
        if (hit == npos && !final)
            for (std::string_view m : marks)
                for (std::size_t n = std::min(m.size() - 1, text.size()); n > text.size() - shown; --n)
                    if (text.ends_with(m.substr(0, n))) shown = text.size() - n;
        const bool to = place_ == Place::outside && fresh_ && text.substr(0, shown).starts_with(" to=");
        if (place_ == Place::header || to) {
            if (hit == npos && !final) return false;  // a header is read whole
            if (to && hit == npos) place_ = Place::content;
            else header_ += text.substr(0, shown), place_ = Place::header;
        } else if (place_ == Place::outside && fresh_ && hit == npos && !final && std::string_view(" to=").starts_with(text.substr(0, shown))) {
            return false;
        }
        if (shown > 0) fresh_ = false;
        if (place_ != Place::header) show(text.substr(0, shown), hit == npos && final);
        written_ += text.substr(0, shown);
        pending_.erase(0, shown);
        if (hit == npos) return false;
        written_ += mark;
        pending_.erase(0, mark.size());
        take(mark);
        return true;
    }

    bool begins_with_mark() const {
        const auto begins = [&](std::string_view m) { return pending_.starts_with(m); };
        return out_.result().content.empty() && std::any_of(std::begin(marks), std::end(marks), begins);
    }

    // An answer of no message, which has no header. True when there may be more to do.
    bool read_verbatim(bool final) {
        const auto open = [&](std::string_view m) { return may_become(pending_, 0, m); };
        if (!final && out_.result().content.empty() && std::any_of(std::begin(marks), std::end(marks), open)) return false;
        out_.verbatim(std::exchange(pending_, {}));
        return false;
    }

    void show(std::string_view text, bool last) {
        if (place_ == Place::call) return out_.arguments(text);
        std::size_t solid = text.size();
        while (solid > 0 && blank(text[solid - 1])) --solid;
        const std::string_view blanks = text.substr(solid);
        if (place_ == Place::reasoning) {
            out_.reasoning(text.substr(0, solid));
            out_.reasoning_gap(blanks);
        } else {
            out_.content(text.substr(0, solid));
            if (last && solid > 0) out_.content(blanks);
            else out_.content_gap(blanks);
        }
    }

    void take(std::string_view mark) {
        if (mark == start || mark == channel) {
            if (mark == start) header_.clear();
            if (place_ != Place::header) end_call(), written_ = mark;
            header_ += mark;
            place_ = Place::header;
        } else if (mark == constrain) {
            if (place_ == Place::header) header_ += ' ';
        } else if (mark == message) {
            begin_message();
        } else if (std::find(std::begin(end_marks), std::end(end_marks), mark) != std::end(end_marks)) {
            end_call();
            header_.clear();
            written_.clear();
            place_ = Place::outside;
            fresh_ = true;
        }
    }

    void begin_message() {
        const std::string name = recipient();
        const std::size_t at = header_.rfind(channel);
        const bool analysis = at != header_.npos && header_.find("analysis", at) != header_.npos;
        if (!name.empty() && options_.expect_tools) {
            out_.call(name);
            place_ = Place::call;
        } else {
            place_ = analysis && options_.expect_reasoning ? Place::reasoning : Place::content;
        }
        header_.clear();
    }

    // Whom the last channel of the header speaks to; empty for the user and the assistant itself.
    std::string recipient() const {
        const std::size_t at = header_.rfind(" to=");
        if (at == header_.npos) return {};
        const std::size_t from = at + 4, end = std::min(header_.find_first_of(" <", from), header_.size());
        std::string name = header_.substr(from, end - from);
        if (name.starts_with("functions.")) name.erase(0, sizeof("functions.") - 1);
        return name == "assistant" || name == "user" ? "" : name;
    }

    void end_call() {
        if (place_ == Place::call) out_.written(out_.result().tool_calls.size() - 1, written_);
        if (place_ == Place::call) place_ = Place::outside;
        written_.clear();
    }

    ParserOptions options_;
    Channels out_;
    Place place_ = Place::outside;
    bool fresh_ = true;  // outside: nothing has come since
    std::string pending_, header_, written_;
};

}  // namespace

std::unique_ptr<OutputParser> harmony_parser(ParserOptions options) { return std::make_unique<HarmonyParser>(std::move(options)); }

}  // namespace text
