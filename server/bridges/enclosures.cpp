#include "server/bridges/enclosures.h"

#include <algorithm>

#include "agents/service.h"
#include "base/utf8.h"
#include "memory/extract.h"
#include "server/bridges/media_words.h"
#include "server/bridges/words.h"
#include "store/arrivals.h"
#include "store/senders.h"

namespace server::bridges {
namespace {

using base::Code;
using namespace std::chrono_literals;

constexpr auto kHold = 120s;           // that no other process fetches the same; longer than a fetch takes
constexpr auto kBetweenLooks = 5s;
constexpr auto kFirstWait = 5s;        // until a fetch that failed is tried again; each time four times as long
constexpr int kMostTries = 6;
constexpr std::size_t kLongestName = 200, kLongestType = 100;  // bytes

// What channels send without saying its type.
constexpr std::pair<std::string_view, const char*> kTypes[] = {
    {"photo", "image/jpeg"}, {"image", "image/jpeg"}, {"sticker", "image/webp"}, {"voice", "audio/ogg"}, {"audio", "audio/mpeg"}, {"video", "video/mp4"}, {"video_note", "video/mp4"}, {"animation", "video/mp4"},
};

constexpr std::string_view kUnknown = "application/octet-stream";

std::string type_of(const std::string& media, const ArrivedFile& file) {
    if (!file.type.empty() && file.type != kUnknown) return std::string(base::beginning(file.type, kLongestType));
    const auto* const usual = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& one) { return one.first == media; });
    if (usual != std::end(kTypes)) return usual->second;
    const std::string_view by_name = memory::type_of_name(file.name);
    return std::string(by_name.empty() ? kUnknown : by_name);
}

std::string id_of(const Arrival& arrival) { return arrival.message.empty() ? arrival.update : arrival.message; }

store::NewBlob blob_of(Transport& by, const Arrival& arrival, bool quoted) {
    const std::string& media = quoted ? arrival.quoted.media : arrival.media;
    const ArrivedFile& file = quoted ? arrival.quoted.file : arrival.file;
    store::NewBlob out;
    out.bridge = by.name();
    out.chat = arrival.chat;
    out.message = quoted ? arrival.quoted.message : id_of(arrival);
    out.source = file.id;
    out.in_company = !arrival.alone;
    out.media = media;
    out.name = base::beginning(file.name, kLongestName);
    out.type = type_of(media, file);
    out.bytes = std::max<std::int64_t>(file.bytes, 0);
    return out;
}

// None: it would fail again.
std::optional<std::chrono::seconds> next_try(Code code, int tries) {
    const bool may_change = code == Code::unavailable || code == Code::deadline || code == Code::io;
    if (!may_change || tries >= kMostTries) return std::nullopt;
    return kFirstWait * (1 << (2 * (tries - 1)));
}

std::string why_unread(const std::string& type, const std::string& name) { return memory::why_unread(type, name.empty() ? "it" : name).text(); }

Saying notice_of(Code why) {
    switch (why) {
        case Code::permission_denied: return Saying::file_locked;
        case Code::not_found: return Saying::file_wordless;
        case Code::resource_exhausted: return Saying::file_too_much;
        case Code::unavailable: return Saying::file_no_reader;
        default: return Saying::file_damaged;
    }
}

}  // namespace

bool is_readable(const std::string& media, const ArrivedFile& file) { return !file.id.empty() && memory::kind_of(type_of(media, file)) != memory::Kind::none; }

net::Task<Enclosures::Told> Enclosures::tell(Transport& by, const Arrival& arrival, bool quoted, policy::Principal who) {
    const std::string media = quoted ? arrival.quoted.media : arrival.media;
    const ArrivedFile file = quoted ? arrival.quoted.file : arrival.file;
    const MediaWords& says = quoted ? arrival.quoted.says : arrival.says;
    const bool his = quoted ? arrival.quoted.sender == arrival.sender : !arrival.forwarded;
    if (!says.text.empty()) co_return Told{told_words(media, says.text, quoted), his && says.own};
    if (file.id.empty()) co_return Told{unread_words(media, file, ""), file.name.empty()};
    store::NewBlob wanted = blob_of(by, arrival, quoted);
    const bool reads = is_readable(media, file);
    if (reads) wanted.claimed = kHold;
    const auto want = [&](store::Tx& tx) { return store::want_blob(tx, wanted, parts_.files.caps()); };
    const store::Blob blob = co_await parts_.db.run(agents::identity_of(who), want);
    if (blob.state == "failed") co_return Told{unread_words(media, file, blob.error), file.name.empty()};
    if (!reads) {
        wake();
        co_return Told{kept_words(media, file, blob.id.text(), why_unread(blob.type, blob.name)), file.name.empty()};
    }
    auto bytes = co_await read(by, blob, file, std::move(who));
    if (!bytes) co_return Told{unread_words(media, file, bytes.error().message), file.name.empty()};
    const auto said = co_await parts_.reader.read(blob.type, "it", *std::move(bytes), parts_.reader.most_shown());
    if (!said) {
        parts_.log.info("a file that came with a message was not read", {{"bridge", by.name()}, {"blob", blob.id.text()}, {"type", blob.type}, {"reason", said.error().text()}});
        co_return Told{kept_words(media, file, blob.id.text(), said.error().message), file.name.empty(), false, notice_of(said.error().code)};
    }
    co_return Told{file_words(media, file, said->text, said->cut), false, true, said->cut ? std::optional(Saying::file_cut) : std::nullopt};
}

// From the disk, or from the channel, which it is kept from then on.
net::Task<base::Result<std::string>> Enclosures::read(Transport& by, const store::Blob& blob, const ArrivedFile& file, policy::Principal who) {
    if (blob.state == "kept") {
        const auto open = [&](store::Tx& tx) { return parts_.files.read(tx, blob); };
        co_return co_await parts_.db.read(agents::identity_of(who), open);
    }
    auto bytes = co_await by.fetch(file.id, std::size_t(parts_.files.caps().one));
    if (!bytes && bytes.error().code == Code::resource_exhausted) bytes = store::too_large(parts_.files.caps());
    const auto note = [&](store::Tx& tx) {
        const auto kept = bytes ? parts_.files.keep(tx, blob.id, *bytes) : base::Result<bool>(bytes.error());
        if (kept) return true;
        store::blob_failed(tx, blob.id, kept.error().message, next_try(kept.error().code, 1));
        return false;
    };
    const bool kept = co_await parts_.db.run(agents::identity_of(who), note);
    if (kept) co_await by.let_go(file.id);
    else wake();
    if (!bytes) parts_.log.warn("a file that came with a message was not fetched", {{"bridge", by.name()}, {"reason", bytes.error().text()}});
    co_return bytes;
}

net::Task<std::string> Enclosures::keep_alone(Transport& by, const Arrival& arrival, policy::Principal who, bool tells) {
    store::NewBlob wanted = blob_of(by, arrival, false);
    wanted.tells = tells;
    const auto write = [&](store::Tx& tx) -> std::string {
        const store::Blob blob = store::want_blob(tx, wanted, parts_.files.caps());
        if (blob.state == "failed") return blob.error;
        store::settle_arrival(tx, by.name(), arrival.update, "kept");
        return {};
    };
    std::string why = co_await parts_.db.run(agents::identity_of(who), write);
    wake();
    co_return why;
}

net::Task<void> Enclosures::note_run(Transport& by, const Arrival& arrival, policy::Principal who, base::RunId run) {
    if (arrival.file.id.empty()) co_return;
    const auto note = [&](store::Tx& tx) { store::note_blob_run(tx, by.name(), arrival.chat, id_of(arrival), run); };
    co_await parts_.db.run(agents::identity_of(who), note);
}

void Enclosures::wake() {
    if (const auto ear = ear_.lock()) ear->wake();
}

// What another process holds at our start was perhaps held by one that is gone; twice fetched it is the same file.
net::Task<void> Enclosures::watch() {
    const auto ear = std::make_shared<agents::EventHub::Ear>(co_await boost::asio::this_coro::executor);
    ear_ = ear;
    bool also_held = true;
    for (;;) {
        std::string trouble;
        try {
            while (co_await fetch_one(also_held)) continue;
            also_held = false;
        } catch (const std::exception& e) {
            trouble = e.what();
        }
        if (trouble != trouble_ && !trouble.empty()) parts_.log.warn("what came with messages is not fetched", {{"reason", trouble}});
        trouble_ = trouble;
        co_await ear->wait(std::chrono::steady_clock::now() + kBetweenLooks);
    }
}

net::Task<bool> Enclosures::fetch_one(bool also_held) {
    std::vector<std::string> bridges;
    for (const Transport* one : parts_.transports) bridges.push_back(one->name());
    const auto take = [&](store::Tx& tx) { return store::take_wanted_blobs(tx, bridges, 1, kHold, also_held); };
    const std::vector<store::WantedBlob> taken = co_await parts_.db.run(parts_.house, take);
    if (taken.empty()) co_return false;
    const store::WantedBlob& wanted = taken.front();
    Transport& by = **std::find_if(parts_.transports.begin(), parts_.transports.end(), [&](const Transport* one) { return one->name() == wanted.bridge; });
    auto bytes = co_await by.fetch(wanted.source, std::size_t(parts_.files.caps().one));
    if (!bytes && bytes.error().code == Code::resource_exhausted) bytes = store::too_large(parts_.files.caps());
    co_await settle(by, wanted, std::move(bytes));
    co_return true;
}

net::Task<void> Enclosures::settle(Transport& by, store::WantedBlob wanted, base::Result<std::string> bytes) {
    const policy::Principal who{parts_.house.tenant, wanted.person, policy::parse_role(wanted.role).value_or(policy::Role::guest), by.name(), false};
    const policy::House house = co_await house_for(parts_.rules, parts_.db, who, parts_.clock.now());
    const auto write = [&](store::Tx& tx) -> std::optional<base::Error> {
        const auto kept = bytes ? parts_.files.keep(tx, wanted.id, *bytes) : base::Result<bool>(bytes.error());
        const Language language = language_of(store::language_in(tx, who.person, by.name()));
        std::string words;
        if (!kept) {
            const auto again = next_try(kept.error().code, wanted.attempts);
            store::blob_failed(tx, wanted.id, kept.error().message, again);
            if (!again) words = said(language, Saying::not_kept, media_word(language, wanted.media), kept.error().message);
        } else if (*kept && wanted.tells) words = said(language, Saying::kept_unread, media_word(language, wanted.media), wanted.id.text()) + " " + why_unread(wanted.type, wanted.name);
        store::Reply reply{by.name(), wanted.chat, "blob:" + wanted.id.text(), by.pieces(words)};
        if (wanted.in_company) reply.answers = wanted.message;
        store::write_reply(tx, who, house, reply);  // of no piece: nothing
        return kept ? std::nullopt : std::optional(kept.error());
    };
    const auto error = co_await parts_.db.run(agents::identity_of(who), write);
    parts_.outbound.wake();
    if (error) parts_.log.warn("a file that came with a message was not kept", {{"bridge", by.name()}, {"attempt", wanted.attempts}, {"reason", error->text()}});
    else co_await by.let_go(wanted.source);
}

}  // namespace server::bridges
