#include "text/sampled_turns.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "base/trim.h"

namespace text {
namespace {

using base::OrderedJson;
using base::trimmed;
using base::trimmed_left;
using base::trimmed_right;

// A number that is whole is one however it is written: a client's parser may have read 1.0 as 1.
base::Json canonical(base::Json value) {
    constexpr double beyond = 9223372036854775808.0;  // 2^63; below it the conversion is exact
    if (value.is_number_float()) {
        const double number = value;
        if (std::trunc(number) == number && std::abs(number) < beyond) return std::int64_t(number);
    }
    if (value.is_structured())
        for (auto& inner : value) inner = canonical(std::move(inner));
    return value;
}

struct Call {
    std::string name;
    base::Json arguments;  // their text where they are no JSON
};

std::string key_of(const std::vector<Call>& calls, const std::string& salt) {
    base::Json key = {salt};
    for (const Call& call : calls) key.push_back({call.name, call.arguments});
    return base::dump(key);
}

base::Json arguments_of(const std::string& text) {
    auto parsed = base::parse_json(text.empty() ? "{}" : text);
    return parsed ? canonical(*std::move(parsed)) : base::Json(text);
}

std::vector<Call> calls_of(const ParsedOutput& output) {
    std::vector<Call> calls;
    for (const ToolCall& call : output.tool_calls) calls.push_back({call.name, arguments_of(call.arguments)});
    return calls;
}

// Of a message in OpenAI's shape, whose arguments may be an object instead of its text.
std::vector<Call> calls_of(const OrderedJson& message) {
    std::vector<Call> calls;
    if (message.value("role", "") != "assistant" || !message.contains("tool_calls") || !message["tool_calls"].is_array()) return calls;
    for (const auto& item : message["tool_calls"]) {
        const auto& function = item.at("function");
        const auto& arguments = function.at("arguments");
        calls.push_back({function.at("name"), arguments.is_string() ? arguments_of(arguments.get<std::string>()) : canonical(base::Json(arguments))});
    }
    return calls;
}

std::string text_of(const OrderedJson& message, const char* field) {
    const auto it = message.find(field);
    return it != message.end() && it->is_string() ? it->get<std::string>() : std::string();
}

bool same_text(std::string_view a, std::string_view b) { return trimmed(a) == trimmed(b); }

std::size_t shared_prefix(std::string_view a, std::string_view b) {
    return std::size_t(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

std::uint64_t chained(std::uint64_t before, std::string_view more) {
    std::string bytes(reinterpret_cast<const char*>(&before), sizeof before);
    return std::hash<std::string>()(bytes.append(more));
}

std::uint64_t chained(std::uint64_t before, const std::vector<TokenId>& tokens) {
    return chained(before, {reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof(TokenId)});
}

// A conversation with one more message. Its reasoning does not count, which a client may leave out.
std::uint64_t with_message(std::uint64_t conversation, OrderedJson message) {
    message.erase("reasoning_content");
    return chained(conversation, message.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
}

// Where in a prompt the turn stands that was sampled in this place. What opened it may be printed with other blanks before
// it, and without all or some of what closed the reasoning before the turn began.
std::optional<std::size_t> behind_opening(std::string_view text, std::size_t at, std::string_view opening, const std::vector<std::string>& markup) {
    if (opening.empty()) return at;
    opening = trimmed_left(opening);
    at = text.size() - trimmed_left(text.substr(at)).size();
    std::size_t shared = shared_prefix(opening, text.substr(at));
    if (shared == 0) return std::nullopt;
    // Two tags may begin alike.
    if (shared < opening.size() && opening.substr(0, shared).find('>', opening.substr(0, shared).find_last_of('<')) == opening.npos)
        shared = std::min(shared, opening.substr(0, shared).find_last_of('<'));
    at += shared;
    const std::string_view closed = trimmed(opening.substr(shared));
    for (const std::string& tag : markup)
        if (closed.ends_with(tag) && trimmed_left(text.substr(at)).starts_with(tag)) return text.size() - trimmed_left(text.substr(at)).size() + tag.size();
    return at;
}

// A prompt's text without what ends its last turn; nothing when nothing ends it.
std::optional<std::string_view> without_ends(std::string_view text, const std::vector<std::string>& ends) {
    bool any = false;
    for (;;) {
        text = trimmed_right(text);
        const auto mark = std::find_if(ends.begin(), ends.end(), [&](const std::string& m) { return text.ends_with(m); });
        if (mark == ends.end()) return any ? std::optional(text) : std::nullopt;
        text.remove_suffix(mark->size());
        any = true;
    }
}

}  // namespace

// A prompt that is being put together.
struct SampledTurns::Walk {
    const ChatTemplate& source;
    const RenderInput& input;
    const Setting& setting;
    const Rendered& rendered;
    std::uint64_t prompt;
    std::size_t at = 0;  // in the rendered text
    std::vector<Piece> pieces{};
    Found used{};
};

std::vector<SampledTurns::Found> SampledTurns::find(const std::vector<std::string>& keys) const {
    std::vector<Found> out(keys.size());
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].empty()) continue;
        const auto [from, to] = by_calls_.equal_range(keys[i]);
        for (auto entry = from; entry != to; ++entry) out[i].push_back(*entry->second);
    }
    return out;
}

void SampledTurns::add_reasoning(OrderedJson& messages, const std::string& salt) const {
    std::vector<std::uint64_t> before;
    std::vector<std::string> keys;
    std::uint64_t conversation = 0;
    for (const auto& message : messages) {
        before.push_back(std::exchange(conversation, with_message(conversation, message)));
        const auto calls = calls_of(message);
        keys.push_back(calls.empty() || !text_of(message, "reasoning_content").empty() ? "" : key_of(calls, salt));
    }
    const auto found = find(keys);
    for (std::size_t i = 0; i < found.size(); ++i)
        for (const auto& turn : found[i])
            if (turn->place.conversation == before[i] && !turn->reasoning.empty()) {
                messages[i]["reasoning_content"] = turn->reasoning;
                break;
            }
}

base::Result<SampledTurns::Prompt> SampledTurns::compose(const ChatTemplate& source, const RenderInput& input, const Setting& setting) {
    const auto rendered = source.render_guarded(input, setting.guard);
    if (!rendered) return rendered.error();
    std::vector<std::string> keys;
    std::uint64_t conversation = 0;
    for (const auto& message : input.messages) {
        const auto calls = calls_of(message);
        keys.push_back(calls.empty() ? "" : key_of(calls, setting.salt));
        conversation = with_message(conversation, message);
    }
    const auto found = find(keys);
    Walk walk{source, input, setting, *rendered, chained(0, setting.salt)};
    for (std::size_t i = 0; i < found.size(); ++i) replay(i, found[i], walk);
    use(walk.used);
    const std::string_view rest = std::string_view(rendered->text).substr(walk.at);
    for (auto& piece : setting.guard.pieces(rest)) walk.pieces.push_back(std::move(piece));
    const std::size_t turn = std::max(rendered->turn, walk.at);
    return Prompt{std::move(walk.pieces), {chained(walk.prompt, rest), turn - walk.at, rendered->text.substr(turn), conversation}};
}

void SampledTurns::replay(std::size_t index, const Found& turns, Walk& walk) {
    const auto& message = walk.input.messages[index];
    const std::string_view text = walk.rendered.text;
    for (const auto& candidate : turns) {
        Turn& turn = *candidate;
        const Place& place = turn.place;
        if (walk.at + place.begins > text.size() || !same_text(turn.content, text_of(message, "content"))) continue;
        const auto begin = behind_opening(text, walk.at + place.begins, place.opening, walk.setting.markup);
        if (!begin) continue;
        const std::string before = std::string(text.substr(walk.at, place.begins)) + place.opening;
        if (chained(walk.prompt, before) != place.prompt) continue;
        std::size_t end = *begin;
        for (int tries = 0; tries < 3; ++tries, ++end) {
            std::size_t next = text.npos;
            for (const std::string& mark : walk.setting.ends) next = std::min(next, text.find(mark, end));
            if ((end = next) == text.npos) break;
            if (!is_printed(turn, *begin, end, index, walk)) continue;
            for (auto& piece : walk.setting.guard.pieces(before)) walk.pieces.push_back(std::move(piece));
            walk.pieces.push_back({{}, true, turn.tokens});
            walk.prompt = chained(place.prompt, turn.tokens);
            walk.at = end;
            walk.used.push_back(candidate);
            return;
        }
    }
}

// They were used last. Some may have been forgotten since they were found.
void SampledTurns::use(const Found& turns) {
    if (turns.empty()) return;
    std::lock_guard lock(mutex_);
    for (const auto& turn : turns) {
        const auto [from, to] = by_calls_.equal_range(turn->key);
        const auto entry = std::find_if(from, to, [&](const auto& one) { return *one.second == turn; });
        if (entry != to) turns_.splice(turns_.begin(), turns_, entry->second);
    }
}

// Whether the text between is what the template prints of the turn. It is when it ends the same conversation without what
// came after, however badly the template prints calls; or when a parser reads the same turn in it. Reasoning must be
// there: a template that leaves it out of former turns means to.
bool SampledTurns::is_printed(Turn& turn, std::size_t begin, std::size_t end, std::size_t index, const Walk& walk) {
    const std::string_view text = walk.rendered.text, printed = text.substr(begin, end - begin);
    const std::size_t hash = std::hash<std::string_view>()(printed);
    if (turn.printed == hash) return true;
    ParserOptions options;
    options.dialect = walk.setting.dialect;
    options.tools = walk.input.tools;
    options.reasoning_open = opens_reasoning(walk.setting.dialect, text.substr(0, begin));
    auto parser = OutputParser::create(options);
    if (!parser) return false;
    (*parser)->feed(Guard::without_marks(printed));
    (*parser)->finish();
    const ParsedOutput& read = (*parser)->result();
    if (!same_text(read.reasoning, turn.reasoning)) return false;
    const bool words = trimmed(read.content).empty() || same_text(read.content, turn.content);
    if (!words || key_of(calls_of(read), walk.setting.salt) != turn.key) {
        RenderInput alone = walk.input;
        alone.add_generation_prompt = false;
        alone.messages.erase(alone.messages.begin() + std::ptrdiff_t(index) + 1, alone.messages.end());
        const auto last = walk.source.render_guarded(alone, walk.setting.guard);
        if (!last) return false;
        const auto turn_alone = without_ends(last->text, walk.setting.ends);
        if (!turn_alone || !turn_alone->ends_with(trimmed_right(printed))) return false;
    }
    turn.printed = hash;
    return true;
}

void SampledTurns::remember(const Place& place, const ParsedOutput& output, std::vector<TokenId> tokens, const std::string& salt) {
    if (output.tool_calls.empty() || tokens.empty()) return;
    auto turn = std::make_shared<Turn>();
    turn->key = key_of(calls_of(output), salt);
    turn->place = place;
    turn->content = output.content, turn->reasoning = output.reasoning;
    turn->tokens = std::move(tokens);
    std::lock_guard lock(mutex_);
    const auto [from, to] = by_calls_.equal_range(turn->key);
    for (auto entry = from; entry != to; ++entry) {
        const Turn& other = **entry->second;
        if (other.place.prompt != place.prompt) continue;
        tokens_ -= other.tokens.size();
        turns_.erase(entry->second);
        by_calls_.erase(entry);
        break;
    }
    tokens_ += turn->tokens.size();
    turns_.push_front(std::move(turn));
    by_calls_.emplace(turns_.front()->key, turns_.begin());
    shrink();
}

void SampledTurns::shrink() {
    while (tokens_ > most_tokens_) {
        const auto last = std::prev(turns_.end());
        const auto [from, to] = by_calls_.equal_range((*last)->key);
        for (auto entry = from; entry != to; ++entry)
            if (entry->second == last) {
                by_calls_.erase(entry);
                break;
            }
        tokens_ -= (*last)->tokens.size();
        turns_.pop_back();
    }
}

std::size_t SampledTurns::tokens() const {
    std::lock_guard lock(mutex_);
    return tokens_;
}

}  // namespace text
