// The files of blobs. Whoever writes or removes one holds the advisory lock of its audience until his transaction ends, so that no file goes
// that a row is about to count on, and no two pass a cap together.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "store/blobs.h"
#include "store/digest.h"

namespace store {
namespace {

namespace fs = std::filesystem;
using base::Code;

constexpr std::int64_t kMiB = 1 << 20;
const std::string kPart = ".part";

std::string in_mib(std::int64_t bytes) { return std::to_string((bytes + kMiB - 1) / kMiB) + " MiB"; }

void lock(Tx& tx, const std::string& audience) { tx.exec("select pg_advisory_xact_lock(hashtextextended('blobs of ' || $1, 0))", {audience}); }

struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno != EINTR) return false;
        bytes.remove_prefix(std::size_t(std::max<ssize_t>(n, 0)));
    }
    return true;
}

// Beside its place, flushed and renamed: it is whole or not there.
base::Result<void> write_file(const fs::path& path, std::string_view bytes) {
    const fs::path part = path.string() + kPart;
    const auto failed = [&] {
        auto error = base::error(Code::io, "cannot write " + path.string() + ": " + std::strerror(errno), "check permissions and free space of state.folder");
        ::unlink(part.c_str());
        return error;
    };
    if (::mkdir(path.parent_path().c_str(), 0700) != 0 && errno != EEXIST) return failed();
    {
        const Descriptor file{::open(part.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600)};
        if (file.fd < 0 || !write_all(file.fd, bytes) || ::fsync(file.fd) != 0) return failed();
    }
    if (::rename(part.c_str(), path.c_str()) != 0) return failed();
    const Descriptor folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.fd < 0 || ::fsync(folder.fd) != 0) return failed();
    return {};
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> out;
    std::error_code failed;
    for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) out.push_back(it->path().filename().string());
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

base::Error too_large(const BlobCaps& caps) {
    return base::error(Code::resource_exhausted, "it is larger than the " + in_mib(caps.one) + " that blobs.most_mib keeps of one file", "set blobs.most_mib higher");
}

base::Result<BlobFiles> BlobFiles::open(const fs::path& state_folder, BlobCaps caps) {
    const fs::path folder = state_folder / "blobs";
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return base::error(Code::io, "cannot make " + folder.string() + ": " + std::strerror(errno), "check permissions of state.folder");
    auto key = DiskKey::open(state_folder / "blobs.key", "what came with messages until now cannot be read any more");
    if (!key) return std::move(key).error();
    return BlobFiles(folder, *std::move(key), caps);
}

base::Result<bool> BlobFiles::keep(Tx& tx, BlobId id, std::string_view bytes) const {
    const auto rows = tx.exec("select state, hearth_person() from blob where id = $1 for update", {id});
    if (rows.empty()) return false;
    if (rows[0].text(0) == "kept") return true;  // another process was faster
    if (std::int64_t(bytes.size()) > caps_.one) return too_large(caps_);
    const std::string audience = rows[0].text(1), digest = sha256_hex(bytes);
    lock(tx, audience);
    const std::int64_t held = tx.exec("select coalesce(sum(bytes), 0) from (select distinct on (digest) bytes from blob where audience_id = hearth_person() and digest <> $1) held", {digest}).at(0).integer(0);
    if (held + std::int64_t(bytes.size()) > caps_.person)
        return base::error(Code::resource_exhausted, in_mib(held) + " are kept for this person already, and blobs.person_mib allows " + in_mib(caps_.person), "hearth blob forget ID makes room, or set blobs.person_mib higher");
    if (auto written = write_file(folder_ / audience / digest, key_.seal(audience, bytes, digest)); !written) return std::move(written).error();
    tx.send("update blob set state = 'kept', digest = $2, bytes = $3, error = '', node_id = hearth_node() where id = $1", {id, digest, std::int64_t(bytes.size())});
    return true;
}

base::Result<std::string> BlobFiles::read(Tx& tx, const Blob& blob) const {
    if (blob.state == "failed") return base::error(Code::conflict, "it could not be kept: " + blob.error, "send it again");
    if (blob.state != "kept") return base::error(Code::conflict, "it is still to be fetched" + (blob.error.empty() ? "" : "; the last attempt failed: " + blob.error), "try again in a while");
    const std::string audience = tx.identity().person.text();
    const fs::path path = folder_ / audience / blob.digest;
    std::ifstream in(path, std::ios::binary);
    const std::string sealed{std::istreambuf_iterator<char>(in), {}};
    if (!in && blob.node != tx.node()) return base::error(Code::conflict, "it lies on another machine of the house", "ask the server there");
    if (!in) return base::error(Code::io, "its file " + path.string() + " cannot be read", "restore it from a backup, with blobs.key of the same folder");
    return key_.unseal(audience, sealed, blob.digest);
}

int BlobFiles::sweep(Tx& tx, const std::string& audience) const {
    int removed = 0;
    lock(tx, audience);
    for (const std::string& name : names_in(folder_ / audience)) {
        const std::string digest = name.substr(0, name.find('.'));  // also of what was never written whole
        const bool needed = name == digest && tx.exec("select hearth_holds_blob($1, $2)", {audience, digest}).at(0).boolean(0);
        if (!needed && ::unlink((folder_ / audience / name).c_str()) == 0) ++removed;
    }
    return removed;
}

BlobFiles::Swept BlobFiles::sweep_all(Tx& tx) const {
    Swept out;
    for (const std::string& audience : names_in(folder_))
        if (base::Uuid::parse(audience)) out.removed += sweep(tx, audience);
    for (const Row& row : tx.exec("select audience_id, digest from hearth_kept_blobs()")) {
        const std::string name = row.text(0) + "/" + row.text(1);
        if (::access((folder_ / name).c_str(), F_OK) != 0) out.lost.push_back(name);
    }
    return out;
}

}  // namespace store
