#include "server/bridges/telegram_poll.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "base/id.h"
#include "server/bridges/telegram_update.h"

namespace server::bridges {
namespace {

using base::Json;
using namespace std::chrono_literals;

constexpr auto kPatience = 10s;                // that Telegram waits until there is something
constexpr auto kAskTime = kPatience + 5s;      // of the whole call
constexpr auto kHold = kAskTime + 5s;          // that no other process asks, while this one lives
constexpr auto kBetweenLooks = 5s;             // while another process asks
constexpr std::chrono::seconds kFirstPause = 1s, kLongestPause = 60s;  // after a failure

}  // namespace

Json telegram_wanted_updates() { return Json::array({"message", "edited_message", "callback_query", "chat_member"}); }

TelegramPoll::TelegramPoll(Telegram& telegram, store::Db& db, store::Identity house, Keep keep, base::Log& log)
    : telegram_(telegram), db_(db), house_(house), keep_(std::move(keep)), log_(log), me_(base::RunId::make(base::SystemClock().now())) {}

net::Task<void> TelegramPoll::watch() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (auto pause = kFirstPause;;) {
        std::string trouble;
        bool asks = false;
        try {
            asks = co_await may_ask();
            if (asks) trouble = co_await ask();
        } catch (const std::exception& e) {
            trouble = e.what();
        }
        say(trouble);
        if (asks && trouble.empty()) {
            pause = kFirstPause;
            continue;
        }
        timer.expires_after(trouble.empty() ? kBetweenLooks : pause);
        if (!trouble.empty()) pause = std::min(2 * pause, kLongestPause);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

net::Task<bool> TelegramPoll::may_ask() {
    if (left_) co_return false;
    // Locked once: a lock that is lost is taken again with the runs' (store::Db::restore_locks).
    const auto hold = [this](store::Tx& tx) {
        locked_ = locked_ || db_.try_lock(me_);
        return store::hold_poll(tx, kTelegram, me_, kHold);
    };
    asks_ = co_await db_.run(house_, hold);
    co_return asks_;
}

net::Task<void> TelegramPoll::leave() {
    left_ = true;
    if (!asks_) co_return;
    const auto let_go = [this](store::Tx& tx) { return store::hold_poll(tx, kTelegram, me_, 0s); };
    co_await db_.run(house_, let_go);
}

net::Task<std::string> TelegramPoll::ask() {
    Json wanted = {{"timeout", kPatience.count()}, {"allowed_updates", telegram_wanted_updates()}};
    if (offset_ > 0) wanted["offset"] = offset_;
    TelegramAnswer answer = co_await telegram_.call("getUpdates", std::move(wanted), kAskTime);
    if (answer.status == 409 && answer.why().find("webhook") != std::string::npos) co_return co_await end_webhook();
    if (!answer.ok()) co_return answer.why();
    Json updates = answer.body.value("result", Json());
    if (!updates.is_array()) co_return std::string("Telegram sent no list of updates");
    co_return co_await take(std::move(updates));
}

net::Task<std::string> TelegramPoll::take(Json updates) {
    std::vector<store::Arrived> all;
    std::int64_t last = -1;
    for (const Json& update : updates) {
        std::string body = base::dump(update);
        auto number = telegram_update_number(body);
        if (!number) continue;
        last = std::max(last, update["update_id"].get<std::int64_t>());
        all.push_back({kTelegram, *std::move(number), std::move(body)});
    }
    // Without a number nothing could say that it was taken: it would come again at once.
    if (all.size() < updates.size() && last < 0) co_return std::string("Telegram sent updates without numbers");
    if (!all.empty()) co_await keep_(std::move(all));
    offset_ = std::max(offset_, last + 1);
    co_return std::string();
}

// Left by another program, or by other settings of ours: as long as it stands nothing can be asked for.
net::Task<std::string> TelegramPoll::end_webhook() {
    Json nothing = Json::object();
    const TelegramAnswer answer = co_await telegram_.call("deleteWebhook", std::move(nothing), kAskTime);
    if (!answer.ok()) co_return answer.why();
    log_.warn("a webhook of the bot was ended, since updates are asked for here");
    co_return std::string();
}

void TelegramPoll::say(const std::string& trouble) {
    const std::lock_guard lock(mutex_);
    if (trouble != trouble_ && !trouble.empty()) log_.warn("Telegram is not heard", {{"reason", trouble}});
    if (trouble.empty() && !trouble_.empty()) log_.info("Telegram is heard again");
    trouble_ = trouble;
}

base::Probe TelegramPoll::probe() const {
    const std::lock_guard lock(mutex_);
    if (!trouble_.empty()) return {"Telegram", base::Health::warning, "messages do not come in: " + trouble_, "see that the bot's token is that of telegram.token and that this machine reaches telegram.url"};
    return {"Telegram", base::Health::ok, "messages are asked for", ""};
}

}  // namespace server::bridges
