// The Telegram Bot API: how it is called, and what its answers mean. The token is part of the URLs, and is opened for each call.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/secret_value.h"
#include "net/http_client.h"
#include "server/bridges/telegram_markdown.h"
#include "server/bridges/telegram_update.h"
#include "server/bridges/transport.h"

namespace server::bridges {

inline const std::string kTelegram = "telegram";

// How a call ended.
struct TelegramAnswer {
    int status = 0;          // of HTTP; 0: there was no answer
    base::Json body;         // the API's object; null where it was none
    std::string trouble{};   // why there was no answer
    bool left = true;        // false: nothing of the call left this machine
    bool ok() const { return status == 200 && body.is_object() && body.value("ok", false); }
    // In the API's words, or the client's.
    std::string why() const;
};
// Of a call that sends a message, which is not to arrive twice. Pure.
store::Sending sending_of(const TelegramAnswer& answer);

// A message holds 4096 UTF-16 units; cut between paragraphs, lines or words where that leaves half a message. Pure.
std::vector<std::string> telegram_pieces(std::string_view text);

class Telegram final : public Transport {
public:
    using Token = std::function<net::Task<base::Result<std::shared_ptr<const base::SecretValue>>>()>;
    // `url`: "https://api.telegram.org", or that of a Bot API server of one's own. The client outlives it.
    Telegram(std::string url, Token token, net::HttpClient& client) : url_(std::move(url)), token_(std::move(token)), client_(client) {}

    net::Task<TelegramAnswer> call(std::string method, base::Json parameters, std::chrono::milliseconds time);

    const std::string& name() const override { return kTelegram; }
    base::Result<Arrival> read(std::string_view body) const override;
    bool knows_itself() const override { return !self_.id.empty(); }
    net::Task<std::string> learn_itself() override;
    net::Task<base::Result<std::string>> fetch(std::string file, std::size_t most) override;
    std::vector<std::string> pieces(std::string_view text) const override { return telegram_pieces(text); }
    std::vector<std::string> answer_pieces(std::string_view text) const override { return telegram_marked_pieces(text); }
    bool tells_starts() const override { return true; }
    bool offers_choices() const override { return true; }

private:
    net::Task<store::Sending> send(store::Outgoing letter) override;
    net::Task<void> show_activity(std::string chat, std::string update) override;
    net::Task<void> show_draft(std::string chat, std::int64_t number, std::string markdown) override;
    net::Task<void> acknowledge(std::string press) override;

    std::string url_;
    Token token_;
    net::HttpClient& client_;
    TelegramSelf self_;
    bool knows_drafts_ = true;  // a Bot API server of one's own may be older
};

}  // namespace server::bridges
