#include "server/bridges/telegram.h"

#include <algorithm>
#include <charconv>

#include "server/bridges/pieces.h"
#include "server/bridges/telegram_update.h"

namespace server::bridges {
namespace {

using base::Json;
using store::Sending;
using namespace std::chrono_literals;

constexpr auto kSendTime = 20s, kActivityTime = 5s;
constexpr std::size_t kMostUnits = 4096;  // of UTF-16
constexpr auto kUsualWait = 5s;     // when the API says that it is too busy, and not how long
constexpr auto kRefusedWait = 60s;  // until a token that is refused is tried again

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
    if (answer.status >= 400 && answer.status < 500) return {Sending::End::failed, answer.why(), 0ms, ""};
    return {Sending::End::unknown, answer.why(), 0ms, ""};
}

std::vector<std::string> telegram_pieces(std::string_view text) { return cut_into_pieces(text, kMostUnits); }

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
    if (auto body = base::parse_json(answer->body)) out.body = *std::move(body);
    co_return out;
}

base::Result<Arrival> Telegram::read(std::string_view body) const { return read_telegram_update(body); }

net::Task<Sending> Telegram::send(store::Outgoing letter) {
    // A link that nobody has looked at yet is not fetched for a preview of it.
    Json parameters = {{"chat_id", number_of(letter.chat)}, {"text", letter.content}, {"link_preview_options", {{"is_disabled", true}}}};
    if (!letter.choices.empty()) parameters["reply_markup"] = keyboard_of(letter.choices);
    std::string method = "sendMessage";
    if (!letter.replaces.empty()) {
        method = "editMessageText";
        parameters["message_id"] = number_of(letter.replaces);
    }
    const TelegramAnswer answer = co_await call(std::move(method), std::move(parameters), kSendTime);
    if (!letter.replaces.empty() && answer.status == 400 && answer.why().find("message is not modified") != std::string::npos) co_return Sending{Sending::End::delivered, "", 0ms, letter.replaces};
    co_return sending_of(answer);
}

net::Task<void> Telegram::show_activity(std::string chat, std::string) {
    Json parameters = {{"chat_id", number_of(chat)}, {"action", "typing"}};
    co_await call("sendChatAction", std::move(parameters), kActivityTime);
}

net::Task<void> Telegram::acknowledge(std::string press) {
    Json parameters = {{"callback_query_id", press}};
    co_await call("answerCallbackQuery", std::move(parameters), kActivityTime);
}

}  // namespace server::bridges
