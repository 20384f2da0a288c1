#include "server/bridges/whatsapp.h"

#include <algorithm>

#include "server/bridges/pieces.h"
#include "server/bridges/telegram_markdown.h"
#include "server/bridges/whatsapp_markdown.h"
#include "server/bridges/whatsapp_update.h"

namespace server::bridges {
namespace {

using base::Json;
using store::Sending;
using namespace std::chrono_literals;

constexpr auto kSendTime = 20s, kActivityTime = 5s;
constexpr std::size_t kMostUnits = 4096, kMostWithButtons = 1024, kMostInForm = 1024;
constexpr auto kUsualWait = 5s, kChatWait = 6s;  // when it is too busy; of one chat
constexpr auto kRefusedWait = 60s;               // until a token that is refused is tried again
constexpr auto kWindow = 24h - 1min;             // after what somebody has written, as the API counts; less what a call may take
constexpr std::int64_t kWindowClosed = 131047, kChatBusy = 131056;
constexpr std::int64_t kBusy[] = {4, 80007, 130429}, kTokenRefused[] = {10, 190, 200};

template <std::size_t n>
bool is_one_of(const std::int64_t (&all)[n], std::int64_t code) {
    return std::find(std::begin(all), std::end(all), code) != std::end(all);
}

const Json* error_in(const Json& body) {
    if (!body.is_object()) return nullptr;
    const auto found = body.find("error");
    return found != body.end() && found->is_object() ? &*found : nullptr;
}

std::string text_in(const Json& in, const char* field) {
    const auto text = base::optional_string(in, field);
    return text ? text->value_or("") : "";
}

// The id of the message that was taken; empty: none was.
std::string message_of(const Json& body) {
    if (!body.is_object()) return {};
    const auto found = body.find("messages");
    if (found == body.end() || !found->is_array() || found->empty() || !found->front().is_object()) return {};
    return text_in(found->front(), "id");
}

bool is_plain_id(const std::string& id) {
    return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

Json message_to(const store::Outgoing& letter, const char* type) {
    // What comes back in receipts: also of a message whose sending nobody has heard the end of.
    return {{"messaging_product", "whatsapp"}, {"recipient_type", "individual"}, {"to", letter.chat}, {"type", type}, {"biz_opaque_callback_data", letter.id.text()}};
}

// The API takes three buttons, of 20 characters each.
Json buttons_under(const store::Outgoing& letter) {
    Json buttons = Json::array();
    for (const store::Choice& choice : letter.choices) {
        Json reply = {{"id", choice.id}, {"title", choice.label}};
        buttons.push_back({{"type", "reply"}, {"reply", std::move(reply)}});
    }
    return {{"type", "button"}, {"body", {{"text", letter.content}}}, {"action", {{"buttons", std::move(buttons)}}}};
}

// Without marks where these make it too long.
std::string shown(const std::string& markdown) {
    std::string marked = whatsapp_marked(markdown);
    return units_of(marked) <= kMostUnits ? marked : telegram_marked(markdown, false).text;
}

// A parameter of a template has neither line feeds nor tabs nor several blanks together.
std::string in_one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (!blank) out += c;
        else if (!out.empty() && out.back() != ' ') out += ' ';
    }
    return out;
}

}  // namespace

std::int64_t WhatsAppAnswer::code() const {
    const Json* const error = error_in(body);
    const auto number = error ? base::optional_integer(*error, "code") : std::optional<std::int64_t>();
    return number ? number->value_or(0) : 0;
}

std::string WhatsAppAnswer::why() const {
    if (status == 0) return trouble;
    const Json* const error = error_in(body);
    if (!error) return "WhatsApp says: HTTP " + std::to_string(status);
    const auto data = error->find("error_data");
    std::string words = data != error->end() && data->is_object() ? text_in(*data, "details") : "";
    if (words.empty()) words = text_in(*error, "message");
    return "WhatsApp says: " + words + " (" + std::to_string(code()) + ")";
}

Sending sending_of(const WhatsAppAnswer& answer) {
    if (answer.status == 200 && !message_of(answer.body).empty()) return {Sending::End::delivered, "", 0ms, message_of(answer.body)};
    if (!answer.left) return {Sending::End::again, answer.why(), kUsualWait, ""};
    const std::int64_t code = answer.code();
    if (code == kChatBusy) return {Sending::End::again, answer.why(), kChatWait, ""};
    if (answer.status == 429 || is_one_of(kBusy, code)) return {Sending::End::again, answer.why(), kUsualWait, ""};
    if (answer.status == 401 || answer.status == 404 || is_one_of(kTokenRefused, code)) return {Sending::End::again, answer.why(), kRefusedWait, ""};
    if (answer.status >= 400 && answer.status < 500) return {Sending::End::failed, answer.why(), 0ms, ""};
    return {Sending::End::unknown, answer.why(), 0ms, ""};
}

bool hands_out_files(const std::string& api, const std::string& url) {
    const std::string host = net::host_of(url);
    if (host.empty()) return false;
    if (host == net::host_of(api)) return url.starts_with(api.substr(0, api.find("://") + 3));
    return url.starts_with("https://") && host.ends_with(".fbsbx.com");
}

base::Result<WhatsAppTemplate> parse_whatsapp_template(const std::string& text) {
    const auto slash = text.find('/');
    const auto fits = [](std::string_view part) {
        return !part.empty() && part.size() <= 512 && std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
    };
    if (slash == text.npos || !fits(text.substr(0, slash)) || !fits(text.substr(slash + 1)))
        return base::error(base::Code::invalid_argument, "'" + text + "' names no template", "the template's name and language as NAME/LANGUAGE, for example hearth_message/en_US");
    return WhatsAppTemplate{text.substr(0, slash), text.substr(slash + 1)};
}

net::Task<WhatsAppAnswer> WhatsApp::call(Json body, std::chrono::milliseconds time) {
    net::HttpRequest request;
    request.method = "POST";
    request.url = parts_.url + "/" + parts_.number + "/messages";
    request.headers = {{"Content-Type", "application/json"}};
    request.body = base::dump(body);
    request.total_timeout = time;
    return ask(std::move(request));
}

net::Task<WhatsAppAnswer> WhatsApp::ask(net::HttpRequest request) {
    WhatsAppAnswer out;
    auto token = co_await parts_.token(net::host_of(request.url));
    if (!token) {
        out.trouble = token.error().text();
        out.left = false;
        co_return out;
    }
    request.secret_headers.push_back({"Authorization", "Bearer ", *std::move(token)});
    request.left = std::make_shared<bool>(false);
    const auto left = request.left;
    const auto answer = co_await parts_.client.fetch(std::move(request));
    out.left = *left;
    if (!answer) {
        out.trouble = answer.error().text();
        co_return out;
    }
    out.status = answer->status;
    if (auto json = base::parse_json(answer->body)) out.body = *std::move(json);
    co_return out;
}

base::Result<Arrival> WhatsApp::read(std::string_view body) const {
    auto read = read_whatsapp_part(body);
    if (!read) return std::move(read).error();
    if (read->number == parts_.number) return std::move(read->arrival);
    Arrival other;
    other.update = std::move(read->arrival.update);
    other.what = "for another number";
    return other;
}

// The address of a file holds for minutes, and wants the token once more.
net::Task<base::Result<std::string>> WhatsApp::fetch(std::string file, std::size_t most) {
    if (!is_plain_id(file)) co_return base::error(base::Code::not_found, "WhatsApp gives it no id");
    net::HttpRequest request;
    request.url = parts_.url + "/" + file + "?phone_number_id=" + parts_.number;
    request.total_timeout = kActivityTime;
    const WhatsAppAnswer answer = co_await ask(std::move(request));
    if (answer.status != 200) co_return base::error(answer.status == 400 || answer.status == 404 ? base::Code::not_found : base::Code::unavailable, answer.why());
    const auto url = base::string_field(answer.body, "url");
    if (!url) co_return url.error();
    if (!hands_out_files(parts_.url, *url)) co_return base::error(base::Code::permission_denied, "WhatsApp says that it is at " + net::host_of(*url) + ", where its token is not sent");
    auto token = co_await parts_.token(net::host_of(*url));
    if (!token) co_return std::move(token).error();
    net::HttpRequest download;
    download.url = *url;
    download.secret_headers.push_back({"Authorization", "Bearer ", *std::move(token)});
    download.total_timeout = time_for(most);
    download.max_body_bytes = most;
    auto got = co_await parts_.client.fetch(std::move(download));
    if (!got) co_return std::move(got).error();
    if (got->status != 200) co_return base::error(base::Code::unavailable, "HTTP " + std::to_string(got->status));
    co_return std::move(got->body);
}

std::vector<std::string> WhatsApp::pieces(std::string_view text) const { return cut_into_pieces(text, kMostUnits); }
std::vector<std::string> WhatsApp::answer_pieces(std::string_view text) const { return telegram_marked_pieces(text); }
std::vector<std::string> WhatsApp::pieces_with_choices(std::string_view text) const { return cut_into_pieces(text, kMostWithButtons); }

net::Task<Sending> WhatsApp::send(store::Outgoing letter) {
    const bool open = letter.heard && parts_.clock.now() - *letter.heard < kWindow;
    if (!open) co_return co_await send_form(std::move(letter));
    const bool offers = !letter.choices.empty();
    Json body = message_to(letter, offers ? "interactive" : "text");
    if (offers) body["interactive"] = buttons_under(letter);
    else body["text"] = {{"body", letter.markdown ? shown(letter.content) : letter.content}, {"preview_url", false}};
    const WhatsAppAnswer answer = co_await call(std::move(body), kSendTime);
    if (answer.code() == kWindowClosed) co_return co_await send_form(std::move(letter));
    co_return sending_of(answer);
}

net::Task<Sending> WhatsApp::send_form(store::Outgoing letter) {
    std::string text = in_one_line(letter.content);
    Sending refused{Sending::End::failed, "", 0ms, ""};
    if (!parts_.form) refused.why = "more than a day has passed since he wrote last, and whatsapp.template names nothing that WhatsApp lets out then";
    else if (cut_into_pieces(text, kMostInForm).size() > 1) refused.why = "more than a day has passed since he wrote last, and the text is longer than a template holds";
    if (!refused.why.empty()) co_return refused;
    Json body = message_to(letter, "template");
    Json parameters = Json::array();
    parameters.push_back({{"type", "text"}, {"text", std::move(text)}});
    Json component = {{"type", "body"}, {"parameters", std::move(parameters)}};
    body["template"] = {{"name", parts_.form->name}, {"language", {{"code", parts_.form->language}}}, {"components", Json::array({std::move(component)})}};
    const WhatsAppAnswer answer = co_await call(std::move(body), kSendTime);
    co_return sending_of(answer);
}

// Also shows there that it was read.
net::Task<void> WhatsApp::show_activity(std::string, std::string update) {
    Json body = {{"messaging_product", "whatsapp"}, {"status", "read"}, {"message_id", update}, {"typing_indicator", {{"type", "text"}}}};
    co_await call(std::move(body), kActivityTime);
}

}  // namespace server::bridges
