#include "text/output_parser.h"

#include <algorithm>
#include <optional>

#include "base/json_schema_words.h"
#include "text/bare_call.h"
#include "text/call_dialects.h"
#include "text/channels.h"

namespace text {
namespace {

using calls::blank;
using calls::npos;

// Text is handed on as soon as no marker can begin in it; a call as soon as it can be nothing else.
class Parser final : public OutputParser {
public:
    Parser(ParserOptions options, const CallDialect* dialect)
        : options_(std::move(options)), dialect_(dialect), thoughts_(dialect ? dialect->thoughts : plain_thoughts()) {
        const bool inside = options_.reasoning_open && !thoughts_.empty();
        if (inside && !options_.expect_reasoning) out_.content(thoughts_[0].open);
        enter(inside && options_.expect_reasoning ? Mode::reasoning : Mode::content);
    }

    std::vector<Delta> feed(std::string_view chunk) override {
        pending_ += chunk;
        while (advance(false)) {}
        return out_.take();
    }

    std::vector<Delta> finish() override {
        while (advance(true)) {}
        if (options_.expect_tools && !options_.verbatim && !finished_) look_for_other_dialect();
        finished_ = true;
        return out_.take();
    }
    const ParsedOutput& result() const override { return out_.result(); }

private:
    enum class Mode { content, reasoning, call };
    struct Marker {
        enum class Kind { opens_thoughts, closes_thoughts, opens_call, ignored } kind;
        std::string_view text;
        std::string_view label = {};
    };

    void enter(Mode mode) {
        mode_ = mode;
        fresh_ = mode == Mode::reasoning;
        bare_possible_ = mode == Mode::content && may_be_bare();
        bare_.reset();
        markers_.clear();
        for (const Thoughts& t : thoughts_) {
            if (!options_.expect_reasoning) break;
            if (mode == Mode::reasoning) markers_.push_back({Marker::Kind::closes_thoughts, t.close});
            else if (!t.prose || !begun_) markers_.push_back({Marker::Kind::opens_thoughts, t.open, t.label});
            if (mode == Mode::content && unclosed_) markers_.push_back({Marker::Kind::closes_thoughts, t.close});
        }
        const bool inside = mode == Mode::reasoning && dialect_ && dialect_->in_thoughts != InThoughts::text;
        if (dialect_ && (mode == Mode::content ? options_.expect_tools : inside)) {
            for (std::string_view opener : dialect_->openers)
                if (opener.size() > 1 || mode == Mode::content) markers_.push_back({Marker::Kind::opens_call, opener});
            if (mode == Mode::content && !begun_ && !dialect_->first_opener.empty()) markers_.push_back({Marker::Kind::opens_call, dialect_->first_opener});
            if (mode == Mode::content && !tagged_ && !dialect_->untagged_opener.empty()) markers_.push_back({Marker::Kind::opens_call, dialect_->untagged_opener});
        }
        if (dialect_ && options_.expect_tools && mode == Mode::content)
            for (std::string_view token : dialect_->control) markers_.push_back({Marker::Kind::ignored, token});
        if (mode == Mode::content && !echo_.empty()) markers_.push_back({Marker::Kind::ignored, echo_});
        if (mode == Mode::call) reader_ = make_reader(*dialect_, options_), first_call_ = out_.result().tool_calls.size();
    }

    bool advance(bool final) {
        if (mode_ == Mode::call) return read_call(final);
        if (options_.verbatim && mode_ == Mode::content && out_.result().tool_calls.empty()) return read_verbatim(final);
        return bare_possible_ ? read_bare(final) : read_text(final);
    }

    // Whether a call without markup could be all that the message holds.
    bool may_be_bare() const {
        const ParsedOutput& so_far = out_.result();
        return dialect_ && options_.expect_tools && options_.bare_calls && calls::has_tools(options_.tools) && so_far.content.empty() && so_far.tool_calls.empty() &&
               so_far.notices.empty();
    }

    // Withholds the message while it may become a call without markup. True when there may be more to do.
    bool read_bare(bool final) {
        const std::string_view message = std::string_view(pending_).substr(calls::past_blank(pending_, 0));
        if (message.empty() && !final) return false;
        const auto own = [&](std::string_view opener) { return message.starts_with(opener); };
        const bool begins = message.starts_with('`') || (message.starts_with('{') && std::none_of(dialect_->openers.begin(), dialect_->openers.end(), own));
        if (begins && !bare_) {
            auto made = BareCall::create(options_.tools);
            if (made) bare_.emplace(*std::move(made));
        }
        bare_possible_ = bare_ && bare_->may_become(message) && (!final || bare_->whole());
        if (!bare_possible_) return true;
        if (!final) return false;
        const auto call = BareCall::read(message);
        if (!bare_->holds(call)) {
            out_.notice(Notice::Kind::not_a_call, call.name);
            bare_possible_ = false;
            bare_refused_ = true;
            return true;
        }
        const std::size_t index = out_.result().tool_calls.size();
        out_.call(call.name);
        out_.arguments(call.arguments);
        out_.written(index, pending_);
        if (!call.beside.empty()) out_.notice(Notice::Kind::beside_call, call.beside);
        pending_.clear();
        enter(Mode::content);
        return false;
    }

    // Reasoning that begins with what opens it, or with its label: neither is a thought.
    bool drop_opening(bool final) {
        const std::size_t at = calls::past_blank(pending_, 0);
        for (const Thoughts& t : thoughts_) {
            for (std::string_view what : {t.open, t.label}) {
                if (what.empty()) continue;
                if (calls::begins(pending_, at, what)) return pending_.erase(0, at + what.size()), true;
                if (at < pending_.size() && !final && calls::may_become(pending_, at, what)) return false;
            }
            // The label may stand alone.
            const std::string_view word = calls::trimmed(t.label);
            if (!word.empty() && calls::begins(pending_, at, std::string(word) + std::string(t.close))) return pending_.erase(0, at + word.size()), true;
            if (!word.empty() && at < pending_.size() && !final && calls::may_become(pending_, at, std::string(word) + std::string(t.close))) return false;
        }
        if (at == pending_.size()) return false;
        fresh_ = false;
        return true;
    }

    // True when there may be more to do.
    bool read_text(bool final) {
        if (fresh_) return drop_opening(final);
        if (pending_.empty()) return false;
        if (!begun_ && calls::past_blank(pending_, 0) == pending_.size() && !final) return false;
        const std::string_view text = pending_;
        std::size_t hit = npos;
        Marker marker{};
        for (const Marker& m : markers_) {
            const std::size_t at = first_only(m) ? (calls::begins(text, calls::past_blank(text, 0), m.text) ? calls::past_blank(text, 0) : npos) : text.find(m.text);
            if (at < hit || (at == hit && at != npos && m.text.size() > marker.text.size())) hit = at, marker = m;
        }
        std::size_t end = std::min(hit, text.size());
        if (hit == npos && !final) end -= held_back(text);
        std::size_t shown = end;  // blanks before a marker count only if more text follows
        while (shown > 0 && blank(text[shown - 1])) --shown;
        const bool last = hit == npos && final && (shown > 0 || joined_);
        if (last) shown = end;
        show(text.substr(0, shown));
        if (hit != npos) gap(text.substr(shown, hit - shown));
        pending_.erase(0, hit == npos ? (final ? pending_.size() : shown) : hit);
        if (hit == npos) return false;
        reach(marker);
        return true;
    }

    // True when there may be more to do.
    bool read_verbatim(bool final) {
        if (behind_thoughts_) {
            if (!final && pending_.size() < behind_reasoning.size() && calls::may_become(pending_, 0, behind_reasoning)) return false;
            if (calls::begins(pending_, 0, behind_reasoning)) pending_.erase(0, behind_reasoning.size());
            behind_thoughts_ = false;
        }
        Marker marker{};
        bool open = false;
        for (const Marker& m : markers_) {
            if (m.kind == Marker::Kind::ignored || !out_.result().content.empty()) continue;
            if (calls::begins(pending_, 0, m.text)) marker = m.text.size() > marker.text.size() ? m : marker;
            else open = open || calls::may_become(pending_, 0, m.text);
        }
        if (open && !final) return false;
        if (!marker.text.empty()) return reach(marker), true;
        out_.verbatim(std::exchange(pending_, {}));
        return false;
    }

    // Openers of plain words or of one bracket count only where the output begins.
    bool first_only(const Marker& m) const {
        if (mode_ != Mode::content) return false;
        const bool prose = std::any_of(thoughts_.begin(), thoughts_.end(), [&](const Thoughts& t) { return t.prose && t.open == m.text; });
        return prose || (dialect_ && m.text == dialect_->first_opener);
    }

    void reach(const Marker& marker) {
        joined_ = false;
        switch (marker.kind) {
            case Marker::Kind::opens_call: return reach_call(marker.text);
            case Marker::Kind::ignored: out_.notice(Notice::Kind::no_calls, std::string(marker.text)); break;
            case Marker::Kind::opens_thoughts: enter(Mode::reasoning); break;
            case Marker::Kind::closes_thoughts: begun_ = behind_thoughts_ = true, unclosed_ = false, enter(Mode::content); break;
        }
        pending_.erase(0, marker.text.size());
    }

    // Where no calls are wanted their markup is content, but it still ends the reasoning.
    void reach_call(std::string_view opener) {
        opener_ = opener;
        unclosed_ = unclosed_ || mode_ == Mode::reasoning;
        in_thoughts_ = mode_ == Mode::reasoning && dialect_->in_thoughts == InThoughts::call;
        enter(options_.expect_tools || in_thoughts_ ? Mode::call : Mode::content);
    }

    // The length of the end that may be the beginning of a marker, or of a tag that closes what is not open.
    std::size_t held_back(std::string_view text) const {
        std::size_t most = 0;
        const auto hold = [&](std::string_view m) {
            for (std::size_t n = std::min(m.size() - 1, text.size()); n > most; --n)
                if (text.ends_with(m.substr(0, n))) most = n;
        };
        for (const Marker& m : markers_) {
            const std::size_t at = calls::past_blank(text, 0);
            if (first_only(m)) most = std::max(most, m.text.size() > text.size() - at && calls::may_become(text, at, m.text) ? text.size() - at : 0);
            else hold(m.text);
        }
        for (const Thoughts& t : thoughts_) hold(t.close);
        return most;
    }

    void show(std::string_view text) {
        if (text.empty()) return;
        joined_ = true;
        if (mode_ == Mode::reasoning) return out_.reasoning(text);
        out_.content(text);
        if (begun_ || calls::past_blank(text, 0) == text.size()) return;
        begun_ = true;
        enter(Mode::content);
    }

    void gap(std::string_view blanks) { mode_ == Mode::reasoning ? out_.reasoning_gap(blanks) : out_.content_gap(blanks); }

    bool read_call(bool final) {
        const Attempt attempt = reader_->step(pending_, final);
        if (!options_.expect_tools && (!attempt.pieces.empty() || attempt.state == Attempt::State::done)) return enter(Mode::content), true;
        for (const CallPiece& piece : attempt.pieces) piece.begins ? out_.call(piece.text) : out_.arguments(piece.text);
        if (attempt.state == Attempt::State::more) return false;
        std::string text = pending_.substr(0, attempt.consumed), rest;
        pending_.erase(0, attempt.consumed);
        if (attempt.state == Attempt::State::not_a_call) return refuse_call(text, attempt.broken), true;
        for (auto range = attempt.left.rbegin(); range != attempt.left.rend(); ++range) {
            const auto [from, to] = *range;
            rest.insert(0, text, from, to - from);
            text.erase(from, to - from);
        }
        end_call(text);
        for (const std::string& one : attempt.beside) out_.notice(Notice::Kind::beside_call, one);
        if (!attempt.broken.empty()) out_.notice(Notice::Kind::not_a_call, attempt.broken);
        out_.content(rest);
        joined_ = !rest.empty();
        return true;
    }

    void end_call(const std::string& text) {
        begun_ = true;
        tagged_ = tagged_ || opener_ != dialect_->untagged_opener;
        const auto* python = std::get_if<PythonForm>(&dialect_->form);
        if (python && !dialect_->untagged_opener.empty() && opener_ != dialect_->untagged_opener && text.ends_with(python->close)) echo_ = text.substr(opener_.size());
        if (out_.result().tool_calls.size() > first_call_) out_.written(first_call_, text);
        else out_.notice(Notice::Kind::no_calls, text);
        enter(Mode::content);
    }

    void refuse_call(const std::string& text, const std::string& broken) {
        joined_ = true;
        if (in_thoughts_) {
            out_.reasoning(text);
            enter(Mode::reasoning);
            fresh_ = false;
            return;
        }
        if (text.size() > 1 || !broken.empty()) out_.notice(Notice::Kind::not_a_call, broken.empty() ? text : broken);
        begun_ = true;
        out_.content(text);
        enter(Mode::content);
    }

    // Calls of the given tools that stand in the content, since another dialect was expected.
    void look_for_other_dialect() {
        const ParsedOutput& so_far = out_.result();
        if (bare_refused_ || !so_far.tool_calls.empty() || so_far.content.empty() || !calls::has_tools(options_.tools)) return;
        for (const CallDialect& other : call_dialects()) {
            const auto stands = [&](std::string_view opener) { return so_far.content.find(opener) != npos; };
            if (&other == dialect_ || std::none_of(other.openers.begin(), other.openers.end(), stands)) continue;
            ParserOptions options = options_;
            options.dialect = other.name;
            options.reasoning_open = false;
            Parser parser(options, &other);
            parser.finished_ = true;  // it looks no further
            parser.feed(so_far.content);
            parser.finish();
            const auto& found = parser.result().tool_calls;
            if (std::any_of(found.begin(), found.end(), [&](const ToolCall& call) { return calls::is_tool(options_.tools, call.name); }))
                return out_.notice(Notice::Kind::other_dialect, std::string(other.name));
        }
    }

    ParserOptions options_;
    const CallDialect* dialect_;
    const std::vector<Thoughts>& thoughts_;
    Channels out_;
    std::vector<Marker> markers_;  // of the mode
    std::string pending_;
    bool bare_possible_ = false;          // nothing of the message speaks against a call without markup
    std::optional<BareCall> bare_;        // once it has begun like one
    bool bare_refused_ = false;           // it was one, of a strict tool, and not as that wants it
    std::unique_ptr<CallReader> reader_;  // of the call under way
    std::size_t first_call_ = 0;          // that it may bring
    Mode mode_ = Mode::content;
    std::string_view opener_;  // of the call under way
    bool begun_ = false;   // the output has begun
    bool in_thoughts_ = false;  // the call under way stands in reasoning, and ends it only if it is one
    bool unclosed_ = false;     // a call has ended reasoning: the mark that closes it may still come, and is no content
    bool tagged_ = false;  // a call with a tag has come
    std::string echo_;     // what it would be again without what opened it: models repeat themselves
    bool fresh_ = false;   // reasoning has been opened, nothing of it has come
    bool behind_thoughts_ = false;  // nothing has come behind reasoning
    bool joined_ = false;  // text of the same channel stands directly before
    bool finished_ = false;
};

// Arguments are read by the same words as grammars write them by.
void read_in_current_words(base::OrderedJson& tools) {
    if (!tools.is_array()) return;
    for (auto& tool : tools) {
        if (!tool.is_object()) continue;
        auto& function = tool.contains("function") ? tool["function"] : tool;
        if (function.is_object() && function.contains("parameters")) function["parameters"] = base::in_current_words(std::move(function["parameters"]));
    }
}

}  // namespace

base::Result<std::unique_ptr<OutputParser>> OutputParser::create(ParserOptions options) {
    read_in_current_words(options.tools);
    const CallDialect* dialect = find_dialect(options.dialect);
    if (!dialect && options.dialect != "none") {
        std::string known;
        for (const auto& name : dialects()) known += (known.empty() ? "" : ", ") + name;
        return base::error(base::Code::invalid_argument, "there is no tool dialect '" + options.dialect + "'", "use one of: " + known);
    }
    if (dialect && std::holds_alternative<HarmonyForm>(dialect->form)) return harmony_parser(std::move(options));
    return std::unique_ptr<OutputParser>(std::make_unique<Parser>(std::move(options), dialect));
}

std::vector<std::string> dialects() {
    std::vector<std::string> out = {"none"};
    for (const CallDialect& d : call_dialects()) out.emplace_back(d.name);
    return out;
}

std::string detect_dialect(std::string_view source) {
    if (source.find("tools") == npos) return "none";
    const auto holds = [&](const std::vector<std::string_view>& signs) {
        return std::all_of(signs.begin(), signs.end(), [&](std::string_view sign) { return source.find(sign) != npos; });
    };
    for (const CallDialect& d : call_dialects())
        if (std::any_of(d.signs.begin(), d.signs.end(), holds)) return std::string(d.name);
    return "none";
}

bool opens_reasoning(std::string_view dialect, std::string_view prompt) {
    const CallDialect* d = find_dialect(dialect);
    const std::string_view end = prompt.substr(0, prompt.find_last_not_of(" \n") + 1);
    const auto& thoughts = d ? d->thoughts : plain_thoughts();
    return std::any_of(thoughts.begin(), thoughts.end(), [&](const Thoughts& t) {
        const std::string_view label = calls::trimmed(t.label);
        return !t.prose && (end.ends_with(t.open) || (!label.empty() && end.ends_with(std::string(t.open) + std::string(label))));
    });
}

}  // namespace text
