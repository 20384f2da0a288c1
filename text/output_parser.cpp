#include "text/output_parser.h"

#include <algorithm>

#include "text/call_dialects.h"

namespace text {
namespace {

constexpr std::string_view think = "<think>", end_think = "</think>";
constexpr auto npos = std::string_view::npos;

bool blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Text is handed on as soon as no marker can begin in it; a call as soon as it can be nothing else.
class Parser final : public OutputParser {
public:
    Parser(ParserOptions options, const CallDialect* dialect)
        : options_(std::move(options)), dialect_(options_.expect_tools ? dialect : nullptr) {
        if (options_.reasoning_open) enter(Mode::reasoning);
    }

    std::vector<Delta> feed(std::string_view chunk) override {
        pending_ += chunk;
        while (advance(false)) {}
        return std::exchange(deltas_, {});
    }

    std::vector<Delta> finish() override {
        while (advance(true)) {}
        return std::exchange(deltas_, {});
    }
    const ParsedOutput& result() const override { return result_; }

private:
    enum class Mode { content, reasoning, call };

    void enter(Mode mode) {
        mode_ = mode;
        reader_ = mode == Mode::call ? dialect_->reader(options_) : nullptr;
        skip_blank_ = mode != Mode::call && (mode == Mode::reasoning || mode_before_ != Mode::content);
        mode_before_ = mode;
    }

    bool advance(bool final) { return mode_ == Mode::call ? read_call(final) : read_text(final); }

    std::vector<std::string_view> markers() const {
        std::vector<std::string_view> out;
        out.push_back(mode_ == Mode::reasoning ? end_think : think);
        if (!dialect_) return out;
        for (std::string_view opener : dialect_->openers)
            if (mode_ == Mode::content || opener == "<tool_call>") out.push_back(opener);
        return out;
    }

    // True when a marker was reached, so that there may be more to do.
    bool read_text(bool final) {
        std::size_t skipped = 0;
        while (skip_blank_ && skipped < pending_.size() && blank(pending_[skipped])) ++skipped;
        pending_.erase(0, skipped);
        if (pending_.empty()) return false;
        skip_blank_ = false;
        const std::string_view text = pending_;
        std::size_t hit = npos;
        std::string_view marker;
        for (std::string_view m : markers())
            if (const std::size_t at = text.find(m); at < hit) hit = at, marker = m;
        std::size_t end = hit == npos ? text.size() : hit;
        if (hit == npos && !final) end -= held_back(text);
        std::size_t shown = end;  // blanks before a marker are dropped, so they wait until it is known what follows
        if (hit != npos || !final)
            while (shown > 0 && blank(text[shown - 1])) --shown;
        emit(text.substr(0, shown));
        blanks_ = hit == npos ? "" : std::string(text.substr(shown, hit - shown));
        pending_.erase(0, hit == npos ? shown : hit);
        if (hit == npos) return false;
        if (marker == think || marker == end_think) {
            pending_.erase(0, marker.size());
            enter(marker == think ? Mode::reasoning : Mode::content);
        } else {
            enter(Mode::call);
        }
        return true;
    }

    // The length of the end that may be the beginning of a marker.
    std::size_t held_back(std::string_view text) const {
        std::size_t most = 0;
        for (std::string_view m : markers())
            for (std::size_t n = std::min(m.size() - 1, text.size()); n > most; --n)
                if (text.ends_with(m.substr(0, n))) most = n;
        return most;
    }

    bool read_call(bool final) {
        const Attempt attempt = reader_->step(pending_, final);
        for (const CallPiece& piece : attempt.pieces) {
            if (piece.begins) result_.tool_calls.push_back({piece.text, {}});
            else result_.tool_calls.back().arguments += piece.text;
            const auto kind = piece.begins ? Delta::Kind::tool_call_started : Delta::Kind::tool_arguments;
            deltas_.push_back({kind, piece.text, int(result_.tool_calls.size()) - 1});
        }
        if (attempt.state == Attempt::State::more) return false;
        enter(Mode::content);
        if (attempt.state == Attempt::State::not_a_call) {
            skip_blank_ = false;
            emit(blanks_ + pending_.substr(0, attempt.consumed));
        }
        pending_.erase(0, attempt.consumed);
        return true;
    }

    void emit(std::string_view text) {
        if (text.empty()) return;
        const bool reasoning = mode_ == Mode::reasoning;
        (reasoning ? result_.reasoning : result_.content) += text;
        deltas_.push_back({reasoning ? Delta::Kind::reasoning : Delta::Kind::content, std::string(text), -1});
    }

    ParserOptions options_;
    const CallDialect* dialect_;
    ParsedOutput result_;
    std::vector<Delta> deltas_;
    std::string pending_;
    std::string blanks_;  // dropped before the opener of what may turn out to be no call
    std::unique_ptr<CallReader> reader_;  // of the call under way
    Mode mode_ = Mode::content, mode_before_ = Mode::content;
    bool skip_blank_ = false;
};

const CallDialect* find(std::string_view name) {
    for (const CallDialect& d : call_dialects())
        if (d.name == name) return &d;
    return nullptr;
}

}  // namespace

base::Result<std::unique_ptr<OutputParser>> OutputParser::create(ParserOptions options) {
    const CallDialect* dialect = find(options.dialect);
    if (!dialect && options.dialect != "none") {
        std::string known;
        for (const auto& name : dialects()) known += (known.empty() ? "" : ", ") + name;
        return base::error(base::Code::invalid_argument, "there is no tool dialect '" + options.dialect + "'", "use one of: " + known);
    }
    return std::unique_ptr<OutputParser>(std::make_unique<Parser>(std::move(options), dialect));
}

std::vector<std::string> dialects() {
    std::vector<std::string> out = {"none"};
    for (const CallDialect& d : call_dialects()) out.emplace_back(d.name);
    return out;
}

std::string detect_dialect(std::string_view source) {
    if (source.find("tools") == npos) return "none";
    for (const CallDialect& d : call_dialects())
        if (d.used_by(source)) return std::string(d.name);
    return "none";
}

}  // namespace text
