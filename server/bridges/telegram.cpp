#include "server/bridges/telegram.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "server/bridges/foreign_json.h"
#include "server/bridges/pieces.h"

namespace server::bridges {
namespace {

using base::Json;
using store::Sending;
using namespace std::chrono_literals;

constexpr auto kSendTime = 20s, kActivityTime = 5s;
constexpr auto kUsualWait = 5s;     // when the API says that it is too busy, and not how long
constexpr auto kRefusedWait = 60s;  // until a token that is refused is tried again

// parameters.migrate_to_chat_id: the group has become a supergroup.
std::string moved_to(const Json& body) {
    const auto parameters = body.is_object() ? body.find("parameters") : body.end();
    if (parameters == body.end() || !parameters->is_object()) return {};
    const auto to = base::optional_integer(*parameters, "migrate_to_chat_id");
    return to && *to ? std::to_string(**to) : std::string();
}

// The seconds of parameters.retry_after.
std::chrono::milliseconds wait_of(const Json& body) {
    const auto parameters = body.is_object() ? body.find("parameters") : body.end();
    if (parameters == body.end() || !parameters->is_object()) return kUsualWait;
    const auto after = base::optional_integer(*parameters, "retry_after");
    return after && after->value_or(0) > 0 ? std::chrono::seconds(std::min<std::int64_t>(**after, 86400)) : kUsualWait;
}

// As the API gave it.
std::int64_t number_of(const std::string& id) {
    std::int64_t number = 0;
    std::from_chars(id.data(), id.data() + id.size(), number);
    return number;
}

// A row of buttons. The API takes 64 bytes of data.
Json keyboard_of(const std::vector<store::Choice>& choices) {
    Json row = Json::array();
    for (const store::Choice& choice : choices) row.push_back({{"text", choice.label}, {"callback_data", choice.id}});
    return {{"inline_keyboard", Json::array({std::move(row)})}};
}

// Of text from outside an address is seen by whoever reads, and never behind other words.
void mark(Json& message, const std::string& markdown, policy::Integrity label) {
    MarkedText marked = telegram_marked(markdown, label == policy::Integrity::trusted);
    if (marked.text.empty()) return;
    message["text"] = std::move(marked.text);
    if (!marked.entities.empty()) message["entities"] = std::move(marked.entities);
}

// As the API's own server gives them: "documents/file_0.txt".
bool is_plain_path(const std::string& path) {
    const auto plain = [](unsigned char c) { return std::isalnum(c) || c == '/' || c == '_' || c == '-' || c == '.'; };
    return !path.empty() && path[0] != '/' && path.find("..") == path.npos && std::all_of(path.begin(), path.end(), plain);
}

bool is_refused(const TelegramAnswer& answer) { return answer.status == 400 && moved_to(answer.body).empty(); }

std::string message_of(const Json& body) {
    const Json result = body.value("result", Json());
    const auto id = base::integer_field(result, "message_id");
    return id ? std::to_string(*id) : std::string();
}

}  // namespace

std::string TelegramAnswer::why() const {
    if (status == 0) return trouble;
    const auto said = body.is_object() ? body.find("description") : body.end();
    const std::string words = body.is_object() && said != body.end() && said->is_string() ? said->get<std::string>() : "HTTP " + std::to_string(status);
    return "Telegram says: " + words;
}

Sending sending_of(const TelegramAnswer& answer) {
    if (answer.ok()) return {Sending::End::delivered, "", 0ms, message_of(answer.body)};
    if (!answer.left) return {Sending::End::again, answer.why(), kUsualWait, ""};
    if (answer.status == 429) return {Sending::End::again, answer.why(), wait_of(answer.body), ""};
    if (answer.status == 401 || answer.status == 404) return {Sending::End::again, answer.why(), kRefusedWait, ""};
    if (const std::string moved = moved_to(answer.body); answer.status == 400 && !moved.empty()) return {Sending::End::again, answer.why(), 0ms, "", moved};
    if (answer.status >= 400 && answer.status < 500) return {Sending::End::failed, answer.why(), 0ms, ""};
    return {Sending::End::unknown, answer.why(), 0ms, ""};
}

std::vector<std::string> telegram_pieces(std::string_view text) { return cut_into_pieces(text, kMessageUnits); }

net::Task<TelegramAnswer> Telegram::call(std::string method, Json parameters, std::chrono::milliseconds time) {
    TelegramAnswer out;
    auto token = co_await token_();
    if (!token) {
        out.trouble = token.error().text();
        out.left = false;
        co_return out;
    }
    net::HttpRequest request;
    request.method = "POST";
    request.url = url_ + "/bot{secret}/" + method;
    request.url_secret = *std::move(token);
    request.headers = {{"Content-Type", "application/json"}};
    request.body = base::dump(parameters);
    request.total_timeout = time;
    request.left = std::make_shared<bool>(false);
    const auto left = request.left;
    const auto answer = co_await client_.fetch(std::move(request));
    out.left = *left;
    if (!answer) {
        out.trouble = answer.error().text();
        co_return out;
    }
    out.status = answer->status;
    if (auto body = parse_foreign_json(answer->body)) out.body = *std::move(body);
    co_return out;
}

base::Result<Arrival> Telegram::read(std::string_view body) const { return read_telegram_update(body, self_); }

net::Task<std::string> Telegram::learn_itself() {
    Json nothing = Json::object();
    const TelegramAnswer answer = co_await call("getMe", std::move(nothing), kActivityTime);
    if (!answer.ok()) co_return answer.why();
    const Json me = answer.body.value("result", Json());
    const auto id = base::integer_field(me, "id");
    if (!id) co_return "Telegram's getMe: " + id.error().message;
    self_ = {std::to_string(*id), me.value("username", "")};
    co_return std::string();
}

// A Bot API server that keeps its files for itself names a path on its own disk, which is not followed here.
net::Task<base::Result<std::string>> Telegram::fetch(std::string file, std::size_t most) {
    Json parameters = {{"file_id", file}};
    const TelegramAnswer answer = co_await call("getFile", std::move(parameters), kActivityTime);
    if (!answer.ok()) co_return base::error(answer.status == 400 ? base::Code::not_found : base::Code::unavailable, answer.why());
    const auto path = base::string_field(answer.body.value("result", Json::object()), "file_path");
    if (!path) co_return path.error();
    if (!is_plain_path(*path)) co_return base::error(base::Code::unsupported, "Telegram says: it is at " + *path);
    auto token = co_await token_();
    if (!token) co_return std::move(token).error();
    net::HttpRequest request;
    request.url = url_ + "/file/bot{secret}/" + *path;
    request.url_secret = *std::move(token);
    request.total_timeout = time_for(most);
    request.max_body_bytes = most;
    auto got = co_await client_.fetch(std::move(request));
    if (!got) co_return std::move(got).error();
    if (got->status != 200) co_return base::error(base::Code::unavailable, "HTTP " + std::to_string(got->status));
    co_return std::move(got->body);
}

net::Task<Sending> Telegram::send(store::Outgoing letter) {
    // A link that nobody has looked at yet is not fetched for a preview of it.
    Json parameters = {{"chat_id", number_of(letter.chat)}, {"text", letter.content}, {"link_preview_options", {{"is_disabled", true}}}};
    if (!letter.choices.empty()) parameters["reply_markup"] = keyboard_of(letter.choices);
    const bool edits = !letter.replaces.empty();
    if (edits) parameters["message_id"] = number_of(letter.replaces);
    else if (!letter.answers.empty()) parameters["reply_parameters"] = {{"message_id", number_of(letter.answers)}, {"allow_sending_without_reply", true}};
    Json marked = parameters;
    if (letter.markdown) mark(marked, letter.content, letter.label);
    const std::string method = edits ? "editMessageText" : "sendMessage";
    TelegramAnswer answer = co_await call(method, marked, kSendTime);
    // Better without marks than not at all.
    if (is_refused(answer) && marked.contains("entities")) answer = co_await call(method, std::move(parameters), kSendTime);
    if (edits && answer.status == 400 && answer.why().find("message is not modified") != std::string::npos) co_return Sending{Sending::End::delivered, "", 0ms, letter.replaces};
    co_return sending_of(answer);
}

net::Task<void> Telegram::show_activity(std::string chat, std::string) {
    Json parameters = {{"chat_id", number_of(chat)}, {"action", "typing"}};
    co_await call("sendChatAction", std::move(parameters), kActivityTime);
}

net::Task<void> Telegram::show_draft(std::string chat, std::int64_t number, std::string markdown) {
    if (!knows_drafts_) co_return;
    const auto pieces = telegram_marked_pieces(markdown);
    if (pieces.empty()) co_return;
    Json parameters = {{"chat_id", number_of(chat)}, {"draft_id", number}, {"text", pieces.back()}};
    mark(parameters, pieces.back(), policy::Integrity::untrusted);
    const TelegramAnswer answer = co_await call("sendMessageDraft", std::move(parameters), kActivityTime);
    knows_drafts_ = answer.status != 404;
}

net::Task<void> Telegram::acknowledge(std::string press) {
    Json parameters = {{"callback_query_id", press}};
    co_await call("answerCallbackQuery", std::move(parameters), kActivityTime);
}

}  // namespace server::bridges
