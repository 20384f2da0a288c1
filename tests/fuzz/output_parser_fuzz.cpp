// A model's output: the first byte chooses the dialect, the second the options, the third how the text is cut. However
// it is cut the result is the same and is what the deltas add up to; what was written is found again as content,
// as reasoning or as the text of a call, and only the markup of reasoning may be missing.
#include <array>

#include "fuzz.h"
#include "text/output_parser.h"

namespace {

using fuzz::require;
using text::Delta;

// The text without blanks, which a parser may drop.
std::string bare(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') out += c;
    return out;
}

// Feeds a parser and holds its deltas against its result.
class Feeding {
public:
    explicit Feeding(const text::ParserOptions& options) : parser_(text::OutputParser::create(options).value()) {}

    void feed(std::string_view chunk) { add(parser_->feed(chunk)); }
    void finish() {
        add(parser_->finish());
        require(parser_->finish().empty(), "nothing comes after the end");
        const text::ParsedOutput& r = parser_->result();
        require(r.content == content_ && r.reasoning == reasoning_ && r.tool_calls.size() == arguments_.size(), "the deltas are the result");
        for (std::size_t i = 0; i < arguments_.size(); ++i) require(r.tool_calls[i].arguments == arguments_[i], "the deltas are the result");
    }
    const text::ParsedOutput& result() const { return parser_->result(); }
    const std::string& found() const { return found_; }

    std::string shown() const {
        std::string out = "content=" + content_ + "|reasoning=" + reasoning_;
        for (const auto& c : result().tool_calls) out += "|" + c.name + c.arguments + c.written;
        for (const auto& n : result().notices) out += "|" + std::to_string(int(n.kind)) + n.text;
        return out;
    }

private:
    void add(const std::vector<Delta>& deltas) {
        const text::ParsedOutput& r = result();
        told_.resize(r.tool_calls.size(), false);
        for (std::size_t i = 0; i < told_.size(); ++i)
            if (!told_[i] && !r.tool_calls[i].written.empty()) found_ += r.tool_calls[i].written, told_[i] = true;
        for (; notices_ < r.notices.size(); ++notices_)
            if (r.notices[notices_].kind == text::Notice::Kind::no_calls) found_ += r.notices[notices_].text;
        for (const Delta& d : deltas) {
            require(!d.text.empty() || d.kind == Delta::Kind::tool_call_started, "no delta is empty");
            if (d.kind == Delta::Kind::content) content_ += d.text, found_ += d.text;
            if (d.kind == Delta::Kind::reasoning) reasoning_ += d.text, found_ += d.text;
            if (d.kind == Delta::Kind::tool_call_started) {
                require(d.tool_index == int(arguments_.size()) && r.tool_calls[arguments_.size()].name == d.text, "calls come in order");
                arguments_.emplace_back();
            }
            if (d.kind == Delta::Kind::tool_arguments) {
                require(d.tool_index == int(arguments_.size()) - 1, "arguments are those of the call under way");
                arguments_.back() += d.text;
            }
        }
    }

    std::unique_ptr<text::OutputParser> parser_;
    std::string content_, reasoning_, found_;
    std::vector<std::string> arguments_;
    std::vector<bool> told_;  // of the calls: their text is found
    std::size_t notices_ = 0;
};

using Bag = std::array<int, 256>;  // how often each byte is there

Bag bag_of(std::string_view text) {
    Bag out{};
    for (const char c : text) ++out[static_cast<unsigned char>(c)];
    return out;
}

const std::string tags[] = {"<think>", "</think>", "<|channel>", "<channel|>", "[THINK]", "[/THINK]", "<seed:think>", "</seed:think>",
                            "Hereismythoughtprocess:", "Hereismyresponse:", "<longcat_think>", "</longcat_think>", "thought"};

// Whether the missing bytes are those of some tags of the text, from the given one on.
bool are_tags(Bag missing, const std::string& text, std::size_t tag = 0) {
    if (tag == std::size(tags)) return missing == Bag{};
    const Bag taken = bag_of(tags[tag]);
    for (std::size_t at = 0;; ++at) {
        if (are_tags(missing, text, tag + 1)) return true;
        at = text.find(tags[tag], at);
        if (at == text.npos) return false;
        for (std::size_t byte = 0; byte < missing.size(); ++byte)
            if ((missing[byte] -= taken[byte]) < 0) return false;
    }
}

// Calls and notices do not say where between the deltas they belong, so order is not looked at.
bool is_less_tags(const std::string& found, const std::string& text) {
    Bag missing = bag_of(text);
    const Bag there = bag_of(found);
    for (std::size_t byte = 0; byte < missing.size(); ++byte)
        if ((missing[byte] -= there[byte]) < 0) return false;
    return are_tags(missing, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<std::string> dialects = text::dialects();
    static const auto tools = base::parse_ordered_json(R"([{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {
        "s": {"type": "string"}, "n": {"type": "integer"}, "l": {"type": "array", "items": {"type": ["number", "null"]}}, "o": {"type": "object"}, "b": {"type": "boolean"}}}}}])").value();
    std::string_view input = fuzz::text_of(data, size);
    text::ParserOptions options;
    options.dialect = dialects[fuzz::take_byte(input) % dialects.size()];
    const unsigned flags = fuzz::take_byte(input);
    if (flags & 1) options.tools = tools;
    options.reasoning_open = flags & 2;
    options.expect_tools = !(flags & 4);
    options.expect_reasoning = !(flags & 8);
    const unsigned seed = fuzz::take_byte(input);

    Feeding whole(options), pieces(options);
    whole.feed(input);
    if (seed % 4 == 0)
        for (std::size_t i = 0; i < input.size(); ++i) pieces.feed(input.substr(i, 1));
    else
        for (const auto piece : fuzz::cut(input, seed)) pieces.feed(piece);
    for (Feeding* one : {&whole, &pieces}) one->finish();
    require(whole.shown() == pieces.shown(), [&] { return options.dialect + ": pieces give " + pieces.shown() + ", the whole gives " + whole.shown(); });
    text::holds_call_mark(input);
    text::opens_reasoning(options.dialect, input);
    if (options.dialect == "harmony") return 0;  // its headers are no text
    if (options.reasoning_open && !options.expect_reasoning) return 0;  // what the prompt opened is shown, too
    require(is_less_tags(bare(pieces.found()), bare(input)), [&] { return options.dialect + ": something is lost; found is " + pieces.found(); });
    return 0;
}
