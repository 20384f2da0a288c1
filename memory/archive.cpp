#include "memory/archive.h"

#include <map>

#include "memory/git_store.h"
#include "store/digest.h"
#include "store/seal.h"

namespace memory {
namespace {

namespace fs = std::filesystem;
using base::Code;

constexpr int kOfCommit = 1000;
constexpr std::size_t kLine = 76;  // of base64

// In 256 folders by the id's end, which is random.
std::string path_of(const std::string& kind, const base::Uuid& id) {
    const std::string text = id.text();
    return kind + "s/" + text.substr(text.size() - 2) + "/" + text + ".md";
}

fs::path repository_of(const fs::path& folder, const store::Identity& who) { return folder / (who.person.text() + ".git"); }

base::SecretValue sealing_key(const std::string& key) { return store::derived_key(key, "archive"); }

// What stands above the text, and what the text is bound to, so that no file passes for another.
std::string header_of(const store::Archivable& one) {
    std::string out = "---\nid: " + one.id.text() + "\nkind: " + one.kind + "\nconversation: " + one.conversation.text();
    if (!one.run.is_nil()) out += "\nrun: " + one.run.text();
    return out + "\nbegan: " + base::rfc3339(one.began) + "\nended: " + base::rfc3339(one.ended) + "\n---\n";
}

std::string file_of(const store::Archivable& one, const store::Identity& who) {
    const std::string header = header_of(one);
    const std::string sealed = store::base64(store::seal_alike(one.text, sealing_key(one.key), who.person.text() + "\n" + header));
    std::string out = header;
    for (std::size_t i = 0; i < sealed.size(); i += kLine) out += sealed.substr(i, kLine) + "\n";
    return out;
}

struct Read {
    std::map<std::string, std::string> fields;
    std::string header, sealed;
};
std::optional<Read> read_file(const std::string& file) {
    const std::string mark = "---\n";
    const auto end = file.starts_with(mark) ? file.find("\n" + mark, mark.size() - 1) : std::string::npos;
    if (end == std::string::npos) return std::nullopt;
    Read out;
    const std::size_t text = end + 1 + mark.size();
    out.header = file.substr(0, text);
    out.sealed = file.substr(text);
    for (std::size_t at = mark.size(); at < end;) {
        const std::size_t line = file.find('\n', at), colon = file.find(": ", at);
        if (colon < line) out.fields[file.substr(at, colon - at)] = file.substr(colon + 2, line - colon - 2);
        at = line + 1;
    }
    return out;
}

// One transaction: whoever breaks off before its end has changed no row, and what he wrote is written again as it was.
base::Result<Archived> archive_some(store::Tx& tx, const fs::path& folder) {
    store::lock_archive(tx);
    const auto items = store::next_archivable(tx, kOfCommit);
    Archived out;
    if (items.empty()) return out;
    std::vector<GitStore::File> files;
    for (const store::Archivable& one : items) {
        files.push_back({path_of(one.kind, one.id), file_of(one, tx.identity())});
        ++(one.kind == "segment" ? out.segments : out.episodes);
    }
    auto repository = GitStore::open_to_write(repository_of(folder, tx.identity()));
    if (!repository) return std::move(repository).error();
    const std::string message = std::to_string(out.segments) + " segments, " + std::to_string(out.episodes) + " episodes\n";
    const auto committed = repository->commit(files, message, base::SystemClock().now());
    if (!committed) return committed.error();
    out.commits = *committed;
    store::mark_archived(tx, items);
    return out;
}

}  // namespace

net::Task<base::Result<Archived>> archive(store::Db& db, store::Identity who, fs::path folder, base::StopToken stop) {
    Archived all;
    const auto keys = [](store::Tx& tx) { store::make_archive_keys(tx, kOfCommit); };
    const auto some = [&](store::Tx& tx) { return archive_some(tx, folder); };
    while (!stop.stopped()) {
        co_await db.run(who, keys);
        const auto done = co_await db.run(who, some);
        if (!done) co_return done.error();
        if (done->segments + done->episodes == 0) break;
        all.segments += done->segments;
        all.episodes += done->episodes;
        all.commits += done->commits;
    }
    co_return all;
}

base::Result<ArchivedText> archived_text(store::Tx& tx, const fs::path& folder, const base::Uuid& id) {
    const base::Error none = base::error(Code::not_found, "there is nothing with the id " + id.text() + " in your archive", "hearth memory archive puts into it what is not there yet");
    const auto repository = GitStore::open(repository_of(folder, tx.identity()));
    if (!repository) return repository.error();
    if (!*repository) return none;
    for (const char* kind : {"segment", "episode"}) {
        const auto file = (*repository)->read(path_of(kind, id));
        if (!file) return file.error();
        if (!*file) continue;
        const auto read = read_file(**file);
        const auto conversation = read ? base::ConversationId::parse(read->fields.count("conversation") ? read->fields.at("conversation") : "") : std::nullopt;
        if (!conversation) return base::error(Code::corrupt, "the archive's file of " + id.text() + " was changed", "restore the archive from a backup");
        const auto key = store::archive_key(tx, *conversation);
        if (!key) return base::error(Code::not_found, "what " + id.text() + " said was forgotten: its key is gone");
        const auto sealed = store::from_base64(read->sealed);
        const auto text = sealed ? store::unseal(*sealed, sealing_key(*key), tx.identity().person.text() + "\n" + read->header) : std::nullopt;
        if (!text) return base::error(Code::not_found, "what " + id.text() + " said cannot be read: it was forgotten, or the archive's file was changed");
        const auto field = [&](const char* name) { return read->fields.count(name) ? read->fields.at(name) : std::string(); };
        return ArchivedText{kind, conversation->text(), field("run"), field("began"), field("ended"), *text};
    }
    return none;
}

}  // namespace memory
