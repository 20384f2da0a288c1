#include "engine/kv_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>

#include "engine/raw_bytes.h"
#include "engine/steady_seconds.h"

namespace engine {
namespace {

namespace fs = std::filesystem;
using base::Code;
using text::TokenId;

// A file: kMagic, fingerprint, then parts. A part: bytes that follow, checksum of what was sealed, those bytes. The first part
// is the head, one follows for each block, and one for the state.
constexpr char kMagic[] = "HEARTHK1";
constexpr std::size_t kMagicBytes = 8, kPartHead = 16;
constexpr std::uint64_t kMostPart = 1ull << 32;

struct HeadFields {
    std::int32_t tokens, first, blocks, state;
    double seconds;
};

std::string random_name() {
    std::random_device source;
    std::string out;
    for (int i = 0; i < 4; ++i) {
        char hex[9];
        std::snprintf(hex, sizeof hex, "%08x", unsigned(source()));
        out += hex;
    }
    return out + ".kv";
}

std::string bound_to(const std::string& name, int part) { return "hearth keys and values " + name + " " + std::to_string(part); }

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

private:
    const int fd_;
};

base::Error failed(const fs::path& path, const char* doing) { return base::error(Code::io, std::string("cannot ") + doing + " " + path.string() + ": " + std::strerror(errno)); }

bool read_all(int fd, char* to, std::size_t bytes) {
    while (bytes > 0) {
        const ssize_t n = ::read(fd, to, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        to += n, bytes -= std::size_t(n);
    }
    return true;
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(std::size_t(n));
    }
    return true;
}

// The next part as it was sealed; false where the file does not hold it.
bool read_part(int fd, std::string& sealed, std::uint64_t& sum) {
    char head[kPartHead];
    if (!read_all(fd, head, sizeof head)) return false;
    const auto bytes = raw::value_at<std::uint64_t>({head, sizeof head}, 0);
    sum = raw::value_at<std::uint64_t>({head, sizeof head}, 8);
    struct stat status{};
    if (bytes > kMostPart || fstat(fd, &status) != 0 || bytes > std::uint64_t(status.st_size)) return false;
    sealed.resize(bytes);
    return read_all(fd, sealed.data(), bytes);
}

bool has_mark(int fd, std::uint64_t fingerprint) {
    char mark[kMagicBytes + 8];
    return read_all(fd, mark, sizeof mark) && std::memcmp(mark, kMagic, kMagicBytes) == 0 && raw::value_at<std::uint64_t>({mark, sizeof mark}, kMagicBytes) == fingerprint;
}

std::int64_t changed(const struct stat& status) { return std::int64_t(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec; }

std::string head_of(const KvPiece& piece) {
    std::string out;
    raw::append(out, HeadFields{std::int32_t(piece.tokens.size()), piece.first, std::int32_t(piece.blocks.size()), piece.state.empty() ? 0 : 1, piece.seconds});
    out.append(reinterpret_cast<const char*>(piece.tokens.data()), piece.tokens.size() * sizeof(TokenId));
    return out;
}


}  // namespace

bool is_audience(std::string_view name) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, fits);
}

KvStore::KvStore(KvStoreOptions options, std::uint64_t fingerprint, int block_tokens) : options_(std::move(options)), fingerprint_(fingerprint), block_tokens_(block_tokens) {}

base::Result<std::unique_ptr<KvStore>> KvStore::open(KvStoreOptions options, std::uint64_t fingerprint, int block_tokens) {
    std::unique_ptr<KvStore> out(new KvStore(std::move(options), fingerprint, block_tokens));
    if (auto looked = out->look(); !looked) return std::move(looked).error();
    return out;
}

// What is there, by name and size; half-written files of a crash are removed.
base::Result<void> KvStore::look() {
    std::error_code error;
    fs::create_directories(options_.folder, error);
    if (::chmod(options_.folder.c_str(), 0700) != 0) return failed(options_.folder, "use");
    for (const auto& folder : fs::directory_iterator(options_.folder, error)) {
        const std::string name = folder.path().filename().string();
        if (!is_audience(name) || !folder.is_directory(error)) {
            if (name.ends_with(".part")) fs::remove(folder.path(), error);
            continue;
        }
        Audience& audience = audiences_[name];
        for (const auto& file : fs::directory_iterator(folder.path(), error)) {
            struct stat status{};
            if (file.path().extension() != ".kv" || ::lstat(file.path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
            audience.files[file.path().filename().string()] = {std::uint64_t(status.st_size), changed(status)};
            bytes_ += std::uint64_t(status.st_size);
        }
    }
    if (error) return base::error(Code::io, "cannot read " + options_.folder.string() + ": " + error.message());
    make_room(0);
    return {};
}

base::Result<std::string> KvStore::opened(const std::string& audience, const std::string& name, int part, std::string_view sealed, std::uint64_t sum) const {
    base::Result<std::string> plain = std::string(sealed);
    if (options_.cipher) plain = options_.cipher->open(audience, sealed, bound_to(name, part));
    if (plain && raw::checksum(*plain) != sum) return base::error(Code::corrupt, place(audience, name).string() + ": part " + std::to_string(part) + " is damaged");
    return plain;
}

base::Result<KvStore::Head> KvStore::read_head(const std::string& audience, const std::string& name, std::string_view plain) const {
    const auto wrong = [&] { return base::error(Code::corrupt, place(audience, name).string() + ": its head is not one"); };
    if (plain.size() < sizeof(HeadFields)) return wrong();
    const auto fields = raw::value_at<HeadFields>(plain, 0);
    if (fields.tokens <= 0 || fields.first < 0 || fields.first >= fields.tokens || fields.first % block_tokens_ != 0 || fields.blocks != (fields.tokens - fields.first + block_tokens_ - 1) / block_tokens_ ||
        plain.size() != sizeof fields + std::size_t(fields.tokens) * sizeof(TokenId))
        return wrong();
    Head out{std::vector<TokenId>(std::size_t(fields.tokens)), fields.first, fields.blocks, fields.seconds, fields.state != 0};
    std::memcpy(out.tokens.data(), plain.data() + sizeof fields, out.tokens.size() * sizeof(TokenId));
    return out;
}

// Its heads are read when it first asks: before that there may be no key.
KvStore::Audience* KvStore::known(const std::string& name) {
    const auto found = audiences_.find(name);
    if (found == audiences_.end()) return nullptr;
    Audience& audience = found->second;
    if (audience.known) return &audience;
    audience.known = true;
    std::vector<std::string> damaged;
    for (const auto& [file, _] : audience.files) {
        const Descriptor in(::open(place(name, file).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        std::string sealed;
        std::uint64_t sum = 0;
        if (in.get() < 0 || !has_mark(in.get(), fingerprint_)) continue;  // of another model, which may come back
        auto plain = read_part(in.get(), sealed, sum) ? opened(name, file, 0, sealed, sum) : base::Result<std::string>(std::string());
        auto head = plain ? read_head(name, file, *plain) : base::Result<Head>(plain.error());
        if (head) audience.heads[file] = *std::move(head);
        else damaged.push_back(file);
    }
    for (const std::string& file : damaged) drop(name, file);
    return &audience;
}

std::vector<KvStore::Found> KvStore::find(const std::string& name, std::span<const TokenId> tokens, int known_tokens, bool to_state) {
    std::lock_guard lock(mutex_);
    std::vector<Found> out;
    const Audience* audience = known(name);
    if (!audience) return out;
    int limit = int(tokens.size());
    const auto common = [&](const Head& head) { return int(std::ranges::mismatch(head.tokens, tokens.first(std::size_t(limit))).in1 - head.tokens.begin()); };
    const auto is_whole = [&](const Head& head) { return common(head) == int(head.tokens.size()); };
    if (to_state) {
        int reach = 0;
        for (const auto& [_, head] : audience->heads)
            if (head.state && is_whole(head)) reach = std::max(reach, int(head.tokens.size()));
        limit = reach;
    }
    for (int have = known_tokens / block_tokens_ * block_tokens_; have < limit;) {
        Found best;
        for (const auto& [file, head] : audience->heads) {
            if (head.first > have || head.first % block_tokens_ != 0) continue;
            const bool whole = is_whole(head);
            // A part of a block is of use only where a state goes on from there.
            const int end = whole && to_state && common(head) == limit ? limit : common(head) / block_tokens_ * block_tokens_;
            const bool ends_with_state = head.state && whole && !best.has_state && end == best.end;
            if (end <= std::max(have, best.end) && !(end > have && ends_with_state)) continue;
            best = {file, head.first, have, end, head.seconds / double(int(head.tokens.size()) - head.first), whole, head.state && whole};
        }
        if (best.end <= have) break;
        out.push_back(best);
        have = best.end;
    }
    if (to_state && (out.empty() || out.back().end != limit || !out.back().has_state)) out.clear();
    return out;
}

base::Result<KvPiece> KvStore::read(const std::string& audience, const Found& found, double seconds_a_block) {
    const fs::path path = place(audience, found.name);
    const Descriptor in(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    KvPiece out;
    const auto damaged = [&](base::Error error) {
        std::lock_guard lock(mutex_);
        drop(audience, found.name);
        return error;
    };
    if (in.get() < 0) return damaged(failed(path, "read"));
    std::string sealed;
    std::uint64_t sum = 0;
    const auto next = [&](int part) -> base::Result<std::string> {
        if (!read_part(in.get(), sealed, sum)) return base::error(Code::corrupt, path.string() + " ends in part " + std::to_string(part));
        return opened(audience, found.name, part, sealed, sum);
    };
    if (!has_mark(in.get(), fingerprint_)) return damaged(base::error(Code::corrupt, path.string() + " is of another model"));
    auto plain = next(0);
    auto head = plain ? read_head(audience, found.name, *plain) : base::Result<Head>(plain.error());
    if (!head) return damaged(std::move(head).error());
    out.first = found.from;
    out.seconds = head->seconds;
    double began = steady_seconds();
    for (int block = 0; block < head->blocks; ++block) {
        const int begin = head->first + block * block_tokens_;
        if (begin >= found.end) break;
        auto bytes = next(1 + block);
        if (!bytes) return damaged(std::move(bytes).error());
        if (begin < found.from) {
            began = steady_seconds();
            continue;
        }
        out.blocks.push_back(*std::move(bytes));
        if (steady_seconds() - began > seconds_a_block * double(out.blocks.size())) break;
    }
    const int end = std::min(found.end, found.from + int(out.blocks.size()) * block_tokens_);
    out.tokens.assign(head->tokens.begin(), head->tokens.begin() + end);
    if (found.has_state && end == int(head->tokens.size())) {
        auto state = next(1 + head->blocks);
        if (!state) return damaged(std::move(state).error());
        out.state = *std::move(state);
    }
    return out;
}

base::Result<void> KvStore::write(const std::string& audience, const KvPiece& piece) {
    if (!is_audience(audience)) return base::error(Code::invalid_argument, "'" + audience + "' is no name of an audience", "use letters, digits, _ and -, at most 64");
    const std::set<std::string> left = [&] {
        std::lock_guard lock(mutex_);
        return to_erase_;
    }();
    for (const std::string& one : left)
        if (auto erased = erase(one); !erased) return erased;
    const std::string name = random_name();
    const fs::path folder = options_.folder / audience, part = options_.folder / (name + ".part");
    std::uint64_t bytes = kMagicBytes + 8;
    {
        const Descriptor out(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (out.get() < 0) return failed(part, "write");
        const auto fail = [&](base::Error error) {
            ::unlink(part.c_str());
            return error;
        };
        std::string mark(kMagic, kMagicBytes);
        raw::append(mark, fingerprint_);
        if (!write_all(out.get(), mark)) return fail(failed(part, "write"));
        const auto put = [&](int number, std::string_view plain) -> base::Result<void> {
            base::Result<std::string> sealed = std::string();
            if (options_.cipher) sealed = options_.cipher->seal(audience, plain, bound_to(name, number));
            if (!sealed) return std::move(sealed).error();
            const std::string_view to_write = options_.cipher ? std::string_view(*sealed) : plain;
            std::string lead;
            raw::append(lead, std::uint64_t(to_write.size()));
            raw::append(lead, raw::checksum(plain));
            if (!write_all(out.get(), lead) || !write_all(out.get(), to_write)) return failed(part, "write");
            bytes += kPartHead + to_write.size();
            return {};
        };
        int number = 0;
        auto done = put(number++, head_of(piece));
        for (const std::string& block : piece.blocks)
            if (done) done = put(number++, block);
        if (done && !piece.state.empty()) done = put(number++, piece.state);
        if (done && ::fsync(out.get()) != 0) done = failed(part, "write");
        if (!done) return fail(std::move(done).error());
    }
    std::lock_guard lock(mutex_);
    if (bytes <= options_.most_bytes) make_room(bytes);
    ::mkdir(folder.c_str(), 0700);
    if (bytes > options_.most_bytes || ::rename(part.c_str(), (folder / name).c_str()) != 0) {
        const auto error = bytes > options_.most_bytes ? base::error(Code::resource_exhausted, "a piece of " + std::to_string(bytes) + " bytes is more than may be kept on disk (" + std::to_string(options_.most_bytes) + ")") : failed(folder / name, "write");
        ::unlink(part.c_str());
        return error;
    }
    const Descriptor dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (dir.get() >= 0) ::fsync(dir.get());
    Audience& mine = audiences_[audience];
    mine.files[name] = {bytes, used_now(folder / name)};
    if (mine.known || mine.files.size() == 1) {
        mine.known = true;
        mine.heads[name] = {piece.tokens, piece.first, int(piece.blocks.size()), piece.seconds, !piece.state.empty()};
    }
    bytes_ += bytes;
    return {};
}

void KvStore::touch(const std::string& audience, const Found& found) {
    std::lock_guard lock(mutex_);
    const auto mine = audiences_.find(audience);
    if (mine == audiences_.end()) return;
    const auto file = mine->second.files.find(found.name);
    if (file == mine->second.files.end()) return;
    file->second.used = used_now(place(audience, found.name));
}

// The kernel's own stamps are milliseconds apart, and what was used together has an order.
std::int64_t KvStore::used_now(const fs::path& file) {
    const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    last_used_ = std::max<std::int64_t>(now, last_used_ + 1);
    const timespec time{last_used_ / 1'000'000'000, last_used_ % 1'000'000'000}, both[] = {time, time};
    ::utimensat(AT_FDCWD, file.c_str(), both, AT_SYMLINK_NOFOLLOW);
    return last_used_;
}

void KvStore::drop(const std::string& audience, const std::string& name) {
    const auto mine = audiences_.find(audience);
    if (mine == audiences_.end()) return;
    const auto file = mine->second.files.find(name);
    if (file == mine->second.files.end()) return;
    ::unlink(place(audience, name).c_str());
    bytes_ -= file->second.bytes;
    mine->second.files.erase(file);
    mine->second.heads.erase(name);
}

// Of files that were last used together the one that goes on furthest is dropped first: without those before it, it is of no use.
void KvStore::make_room(std::uint64_t bytes) {
    while (bytes_ > 0 && bytes_ + bytes > options_.most_bytes) {
        const std::string *audience = nullptr, *name = nullptr;
        std::int64_t oldest = 0;
        for (const auto& [who, one] : audiences_)
            for (const auto& [file, what] : one.files)
                if (!name || what.used < oldest) audience = &who, name = &file, oldest = what.used;
        if (!name) return;
        drop(std::string(*audience), std::string(*name));
    }
}

base::Result<void> erase_kept(const fs::path& folder, const std::string& audience) {
    std::error_code error;
    if (!folder.empty() && is_audience(audience)) fs::remove_all(folder / audience, error);
    if (error) return base::error(Code::io, "cannot erase " + (folder / audience).string() + ": " + error.message());
    return {};
}

base::Result<void> KvStore::erase(const std::string& audience) {
    if (!is_audience(audience)) return {};
    std::lock_guard lock(mutex_);
    const auto mine = audiences_.find(audience);
    if (mine != audiences_.end()) {
        while (!mine->second.files.empty()) drop(audience, std::string(mine->second.files.begin()->first));
        audiences_.erase(mine);
    }
    auto erased = erase_kept(options_.folder, audience);
    if (erased) to_erase_.erase(audience);
    else to_erase_.insert(audience);
    return erased;
}

bool KvStore::holds(const std::string& audience) const {
    std::lock_guard lock(mutex_);
    const auto mine = audiences_.find(audience);
    return mine != audiences_.end() && !mine->second.files.empty();
}

std::uint64_t KvStore::bytes() const {
    std::lock_guard lock(mutex_);
    return bytes_;
}

}  // namespace engine
