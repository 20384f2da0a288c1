// Conversations' keys and values on disk, so that a restart costs no prefill: stretches of conversations, each a file of its
// own, found again by the tokens before and in them. Files: docs/operations.md.
//
// A file is written beside its place, flushed and renamed, so it is whole or not there; every part of it has a checksum. What
// is damaged, of another model or sealed under another key is as if it were not there. Used from one CPU thread, but for
// erase(), bytes() and holds().
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace engine {

// How an embedder encrypts what goes to disk, with a key for each audience. Called from the store's CPU thread.
class KvCipher {
public:
    virtual ~KvCipher() = default;
    // `bound` must be the same for open as it was for seal.
    virtual base::Result<std::string> seal(const std::string& audience, std::string_view plain, std::string_view bound) const = 0;
    virtual base::Result<std::string> open(const std::string& audience, std::string_view sealed, std::string_view bound) const = 0;
};

struct KvStoreOptions {
    std::filesystem::path folder{};             // 0700; empty: nothing is kept on disk
    std::uint64_t most_bytes = 1ull << 30;      // the least recently used goes first
    std::shared_ptr<const KvCipher> cipher{};   // null: as it is
    double most_of_computing = 0.7;             // how much of the time that computing takes reading may take
};

// What may become a folder's name: [A-Za-z0-9_-]{1,64}. Conversations of other audiences are not kept.
bool is_audience(std::string_view name);

// Erases what is kept there of an audience, where no store has the folder open.
base::Result<void> erase_kept(const std::filesystem::path& folder, const std::string& audience);

struct KvPiece {
    std::vector<text::TokenId> tokens;    // of the conversation, from its beginning to this piece's end
    int first = 0;                        // where it begins: a whole number of blocks
    double seconds = 0;                   // that computing its tokens takes
    std::vector<std::string> blocks;      // keys and values; the last one may be of fewer rows than a block has
    std::string state;                    // of a recurrent model after the last token; empty: none
};

class KvStore {
public:
    // `fingerprint`: of model, numbers' form and whatever else makes keys and values what they are.
    static base::Result<std::unique_ptr<KvStore>> open(KvStoreOptions options, std::uint64_t fingerprint, int block_tokens);

    // A piece of which the tokens [from, end) go on from what is there.
    struct Found {
        std::string name;
        int first = 0, from = 0, end = 0;
        double seconds_a_token = 0;
        bool whole = false;               // all of the piece belongs to the conversation
        bool has_state = false;
    };
    // Which pieces bring `tokens` on from the first `known` of them, in order. `to_state`: only as far as a state goes.
    std::vector<Found> find(const std::string& audience, std::span<const text::TokenId> tokens, int known, bool to_state);

    // What of it was read before `seconds` for each block had run out; the Error says what is wrong with the file, which is then gone.
    base::Result<KvPiece> read(const std::string& audience, const Found& found, double seconds_a_block);
    base::Result<void> write(const std::string& audience, const KvPiece& piece);
    void touch(const std::string& audience, const Found& found);  // as the most recently used

    // What the disk does not let go of is of no use from now on, and goes before anything else is written.
    base::Result<void> erase(const std::string& audience);
    bool holds(const std::string& audience) const;
    std::uint64_t bytes() const;
    std::uint64_t most_bytes() const { return options_.most_bytes; }
    double most_of_computing() const { return options_.most_of_computing; }

private:
    struct File {
        std::uint64_t bytes = 0;
        std::int64_t used = 0;            // when: nanoseconds of its last change
    };
    struct Head {
        std::vector<text::TokenId> tokens;
        int first = 0, blocks = 0;
        double seconds = 0;
        bool state = false;
    };
    struct Audience {
        bool known = false;               // heads of all files have been read
        std::map<std::string, File> files;
        std::map<std::string, Head> heads;  // of files of this model
    };
    KvStore(KvStoreOptions options, std::uint64_t fingerprint, int block_tokens);
    base::Result<void> look();
    Audience* known(const std::string& audience);
    base::Result<Head> read_head(const std::string& audience, const std::string& name, std::string_view bytes) const;
    base::Result<std::string> opened(const std::string& audience, const std::string& name, int part, std::string_view sealed, std::uint64_t checksum) const;
    void drop(const std::string& audience, const std::string& name);
    void make_room(std::uint64_t bytes);
    std::int64_t used_now(const std::filesystem::path& file);
    std::filesystem::path place(const std::string& audience, const std::string& name) const { return options_.folder / audience / name; }

    const KvStoreOptions options_;
    const std::uint64_t fingerprint_;
    const int block_tokens_;
    mutable std::mutex mutex_;            // of what follows
    std::map<std::string, Audience> audiences_;
    std::set<std::string> to_erase_;      // whose files the disk has not let go of
    std::uint64_t bytes_ = 0;
    std::int64_t last_used_ = 0;
};

}  // namespace engine
