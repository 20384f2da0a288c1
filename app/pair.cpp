// hearth pair: who writes from elsewhere, and whose they are. Works without a running server.
#include <cstdio>

#include "app/commands.h"
#include "app/database.h"
#include "app/terminal.h"
#include "server/bridges/pairing.h"
#include "store/outbox.h"
#include "store/senders.h"

namespace app {
namespace {

base::Json known_json(const store::KnownSender& one) {
    return {{"bridge", one.bridge}, {"sender", one.id}, {"label", one.label}, {"person", one.person.name}, {"person_id", one.person.id.text()}, {"role", one.person.role}};
}

base::Json waiting_json(const store::Pairing& one) {
    return {{"bridge", one.sender.bridge}, {"sender", one.sender.id}, {"label", one.sender.label}, {"code", one.code}, {"expires", base::rfc3339(one.expires)}};
}

}  // namespace

int pair_list(const LoadedSettings& loaded, bool json) {
    auto opened = open_as_owner(loaded.settings);
    if (!opened) return complain(opened.error());
    base::Json waiting = base::Json::array(), known = base::Json::array();
    const auto read = [&](store::Tx& tx) {
        for (const auto& one : store::open_pairings(tx)) waiting.push_back(waiting_json(one));
        for (const auto& one : store::known_senders(tx)) known.push_back(known_json(one));
    };
    opened->db->run_blocking(opened->owner, read);
    if (json) {
        print_json({{"waiting", waiting}, {"known", known}});
        return 0;
    }
    const auto text = [](const base::Json& one, const char* field) { return visible(one.value(field, "")); };
    for (const auto& one : waiting)
        std::printf("waits  %s  %s %s  %s  until %s\n", text(one, "code").c_str(), text(one, "bridge").c_str(), text(one, "sender").c_str(), text(one, "label").c_str(), text(one, "expires").substr(0, 16).c_str());
    for (const auto& one : known)
        std::printf("known  %s %s  %s  is %s (%s)\n", text(one, "bridge").c_str(), text(one, "sender").c_str(), text(one, "label").c_str(), text(one, "person").c_str(), text(one, "role").c_str());
    if (waiting.empty() && known.empty()) std::puts("nobody has written from elsewhere");
    return 0;
}

int pair_approve(const LoadedSettings& loaded, const std::string& code, const std::string& who, bool json) {
    const auto approve = [&](store::Tx& tx) { return server::bridges::pair(tx, code, who); };
    const auto known = as_owner(loaded.settings, approve);
    if (!known) return complain(known.error());
    if (json) print_json(known_json(*known));
    else std::printf("%s %s is %s\n", visible(known->bridge).c_str(), visible(known->id).c_str(), visible(known->person.name).c_str());
    return 0;
}

int pair_remove(const LoadedSettings& loaded, const std::string& bridge, const std::string& sender, bool json) {
    const auto forget = [&](store::Tx& tx) -> base::Result<void> {
        if (store::forget_sender(tx, bridge, sender)) return {};
        return base::error(base::Code::not_found, "nobody is known as '" + sender + "' of '" + bridge + "'", "hearth pair list shows who is");
    };
    const auto forgotten = as_owner(loaded.settings, forget);
    if (!forgotten) return complain(forgotten.error());
    if (json) print_json({{"bridge", bridge}, {"sender", sender}, {"removed", true}});
    else std::printf("%s %s is nobody's any more\n", visible(bridge).c_str(), visible(sender).c_str());
    return 0;
}

}  // namespace app
