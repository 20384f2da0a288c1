// WhatsApp's Cloud API: what is sent through it, and what its answers mean. Experimental; docs/bridges.md says on which terms.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "base/secret_value.h"
#include "net/http_client.h"
#include "server/bridges/transport.h"

namespace server::bridges {

inline const std::string kWhatsApp = "whatsapp";

// How a call ended.
struct WhatsAppAnswer {
    int status = 0;        // of HTTP; 0: there was no answer
    base::Json body;       // null where it was no JSON
    std::string trouble{}; // why there was no answer
    bool left = true;      // false: nothing of the call left this machine
    std::int64_t code() const;  // of the API's error; 0: it names none
    std::string why() const;    // in the API's words, or the client's
};
// Of a call that sends a message, which is not to arrive twice. Pure.
store::Sending sending_of(const WhatsAppAnswer& answer);

// Whether a file may be fetched there with the house's token: from the API's own server, or where Meta keeps files. Pure.
bool hands_out_files(const std::string& api, const std::string& url);

// An approved template with one parameter, which holds the text; see docs/bridges.md.
struct WhatsAppTemplate {
    std::string name, language;
};
// "NAME/LANGUAGE". Error{invalid_argument} says what is wrong.
base::Result<WhatsAppTemplate> parse_whatsapp_template(const std::string& text);

class WhatsApp final : public Transport {
public:
    // For a host: the API's, or the one that it hands out files from.
    using Token = std::function<net::Task<base::Result<std::shared_ptr<const base::SecretValue>>>(std::string host)>;
    struct Parts {  // client and clock outlive it
        std::string url;       // "https://graph.facebook.com/v23.0"
        std::string number;    // the id of the number that people write to
        std::optional<WhatsAppTemplate> form;  // for whoever has been silent for a day; none: he gets nothing
        Token token;
        net::HttpClient& client;
        const base::Clock& clock;
    };
    explicit WhatsApp(Parts parts) : parts_(std::move(parts)) {}

    const std::string& name() const override { return kWhatsApp; }
    base::Result<Arrival> read(std::string_view body) const override;
    net::Task<base::Result<std::string>> fetch(std::string file, std::size_t most) override;
    std::vector<std::string> pieces(std::string_view text) const override;
    std::vector<std::string> answer_pieces(std::string_view text) const override;
    bool offers_choices() const override { return true; }
    std::vector<std::string> pieces_with_choices(std::string_view text) const override;

private:
    net::Task<store::Sending> send(store::Outgoing letter) override;
    net::Task<void> show_activity(std::string chat, std::string update) override;

    net::Task<WhatsAppAnswer> call(base::Json body, std::chrono::milliseconds time);
    net::Task<WhatsAppAnswer> ask(net::HttpRequest request);
    net::Task<store::Sending> send_form(store::Outgoing letter);

    Parts parts_;
};

}  // namespace server::bridges
