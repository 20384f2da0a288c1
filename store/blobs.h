// What comes with messages besides their text: a row for each, the bytes in a file beside the database. The row comes first, and is committed
// before anything is fetched; the file comes with the state `kept`, and goes when no row counts on it any more.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "store/disk_key.h"
#include "store/documents.h"
#include "store/facts.h"

namespace store {

using BlobId = base::Id<struct BlobTag>;

struct Blob {
    BlobId id;
    base::NodeId node;                // whose disk has the file
    base::RunId run;                  // that answers the message; nil: none does
    std::string bridge, media, name, type;
    std::string state;                // wanted | kept | failed
    std::string digest;               // SHA-256 of the bytes; empty until they are kept
    std::int64_t bytes = 0;           // until then as the channel says
    std::string error;                // why the last attempt failed
    base::TimePoint arrived{};
};

// Of the person of the transaction. Once, however often it is wanted: what is known of it by now. What is larger than `most` bytes by the channel's
// word has failed.
struct NewBlob {
    std::string bridge, chat, message, source;
    bool in_company = false, tells = false;
    std::string media, name, type;
    std::int64_t bytes = 0;
    std::chrono::seconds claimed{};   // that whoever wants it fetches it himself
};
struct BlobCaps {
    std::int64_t one, person;         // bytes; blobs.most_mib and blobs.person_mib
};
base::Error too_large(const BlobCaps& caps);
Blob want_blob(Tx& tx, const NewBlob& wanted, const BlobCaps& caps);
// A run answers the message that they came with.
void note_blob_run(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& message, base::RunId run);

std::optional<Blob> find_blob(Tx& tx, BlobId id);
// The newest first; of a conversation where one is named.
std::vector<Blob> list_blobs(Tx& tx, int limit, std::optional<BlobId> before, std::optional<base::ConversationId> conversation);
// False: there is none. Its file goes with the next sweep.
bool forget_blob(Tx& tx, BlobId id);
// What came with the messages in which these facts were told, and is of no run that goes on; with the very text of that document, or the file that it was read from. Unless `really`, only counted.
std::int64_t forget_blobs_of(Tx& tx, const std::vector<base::FactId>& facts, bool really);
std::int64_t forget_blobs_of(Tx& tx, DocumentId document, bool really);

// What is to be fetched, for whoever does that; held for `hold`, and taken also where another one holds it when `also_held`. In a
// transaction that knows the tenant; of no person.
struct WantedBlob {
    BlobId id;
    base::PersonId person;
    std::string role;                 // the person's
    std::string bridge, chat, message, source;
    bool in_company = false, tells = false;
    std::string media, name, type;
    int attempts = 0;                 // with this one
};
std::vector<WantedBlob> take_wanted_blobs(Tx& tx, const std::vector<std::string>& bridges, int most, std::chrono::seconds hold, bool also_held);
// It was not fetched. `again`: it is tried once more after so long; none: no more.
void blob_failed(Tx& tx, BlobId id, const std::string& why, std::optional<std::chrono::seconds> again);

// The files: FOLDER/AUDIENCE/DIGEST, each sealed for its audience.
class BlobFiles {
public:
    // Error: folder or key cannot be used.
    static base::Result<BlobFiles> open(const std::filesystem::path& state_folder, BlobCaps caps);
    const BlobCaps& caps() const { return caps_; }

    // Writes the file, and the row says so. False: the row is gone. Error{resource_exhausted}: a cap, by its setting's name; {io}.
    base::Result<bool> keep(Tx& tx, BlobId id, std::string_view bytes) const;
    // Error{conflict}: it is not kept, or on another machine. {corrupt}, {io}: its file is damaged, or gone.
    base::Result<std::string> read(Tx& tx, const Blob& blob) const;
    // Removes the audience's files that no row counts on; how many.
    int sweep(Tx& tx, const std::string& audience) const;
    struct Swept {
        int removed = 0;               // files without a row
        std::vector<std::string> lost; // "AUDIENCE/DIGEST" of rows of this machine without a file
    };
    Swept sweep_all(Tx& tx) const;

private:
    BlobFiles(std::filesystem::path folder, DiskKey key, BlobCaps caps) : folder_(std::move(folder)), key_(std::move(key)), caps_(caps) {}
    std::filesystem::path folder_;
    DiskKey key_;
    BlobCaps caps_;
};

}  // namespace store
