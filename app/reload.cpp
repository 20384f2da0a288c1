#include "app/reload.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "app/cast.h"

namespace app {
namespace {

constexpr auto kBetweenLooks = std::chrono::seconds(2);

std::filesystem::file_time_type time_of(const std::filesystem::path& file) {
    std::error_code absent;
    return std::filesystem::last_write_time(file, absent);
}

// What was changed a moment ago may still be being written.
bool is_fresh(std::filesystem::file_time_type changed) {
    const auto age = std::filesystem::file_time_type::clock::now() - changed;
    return age >= age.zero() && age < std::chrono::seconds(1);
}

std::string listed(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
}

}  // namespace

Reload::Reload(LoadedSettings running, Load load, std::vector<std::filesystem::path> masked, std::vector<router::Alias> own, router::Gateway& gateway, net::HttpClient& client, base::Log& log, SecretOpener secrets,
               std::function<void(const Settings&)> took)
    : running_(std::move(running)), load_(std::move(load)), masked_(std::move(masked)), own_(std::move(own)), gateway_(gateway), client_(client), log_(log), secrets_(std::move(secrets)), took_(std::move(took)), seen_(time_of(running_.settings.file)) {}

net::Task<void> Reload::watch() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (;;) {
        timer.expires_after(kBetweenLooks);
        co_await timer.async_wait(boost::asio::use_awaitable);
        const auto changed = time_of(running_.settings.file);
        if (changed != seen_ && !is_fresh(changed)) now();
    }
}

void Reload::now() {
    seen_ = time_of(running_.settings.file);
    const auto loaded = load_();
    if (!loaded) return say(loaded.error().text(), {});
    if (auto masked = keys_are_masked(loaded->settings); !masked) return say(masked.error().text(), {});
    if (auto cast = cast_of(loaded->settings); !cast) return say(cast.error().text(), {});
    auto roster = make_roster(loaded->settings, own_, client_, secrets_);
    if (!roster) return say(roster.error().text(), {});
    std::vector<std::string> waiting;
    for (const auto& [name, origin] : loaded->origins)
        if (const auto was = running_.origins.find(name); was != running_.origins.end() && was->second.value != origin.value) waiting.push_back(name);
    if (loaded->settings.roster.models != running_.settings.roster.models) waiting.push_back("models");
    if (took_) took_(loaded->settings);
    gateway_.change(*std::move(roster));
    log_.info("roster read anew", {{"file", running_.settings.file.string()}, {"models", gateway_.aliases().size()}});
    say({}, std::move(waiting));
}

// What sandboxes do not see was settled at the start.
base::Result<void> Reload::keys_are_masked(const Settings& settings) const {
    for (const auto& upstream : settings.roster.upstreams) {
        if (upstream.key_file.empty()) continue;
        const auto key = std::filesystem::absolute(upstream.key_file).lexically_normal();
        const auto holds = [&](const std::filesystem::path& folder) { return std::mismatch(folder.begin(), folder.end(), key.begin(), key.end()).first == folder.end(); };
        if (std::none_of(masked_.begin(), masked_.end(), holds))
            return base::error(base::Code::invalid_argument, "upstreams." + upstream.id + ".key_file is " + key.string() + ", which programs of the sandbox could read until the next start",
                               "put it beside hearth.yaml in its own folder, or restart hearth");
    }
    return {};
}

void Reload::say(std::string refused, std::vector<std::string> waiting) {
    if (!refused.empty()) log_.error("settings refused, those before go on", {{"reason", refused}});
    if (!waiting.empty()) log_.warn("settings wait for a restart", {{"settings", listed(waiting)}});
    const std::lock_guard lock(mutex_);
    refused_ = std::move(refused);
    waiting_ = std::move(waiting);
}

base::Probe Reload::probe() const {
    const std::lock_guard lock(mutex_);
    const std::string file = running_.settings.file.string();
    if (!refused_.empty()) return {"settings", base::Health::warning, "what " + file + " says now is refused, and what it said before goes on: " + refused_, "mend it; it is read again as soon as it changes"};
    if (!waiting_.empty()) return {"settings", base::Health::warning, file + " has other values than those in force: " + listed(waiting_), "restart hearth"};
    return {"settings", base::Health::ok, file + " is in force", {}};
}

}  // namespace app
