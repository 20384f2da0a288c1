// What comes with messages besides their text. A row says so before anything is fetched; then the bytes are fetched beside everything else, and
// kept as they came. What can be read is read at once, by whoever answers its message.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/events.h"
#include "memory/reader.h"
#include "server/bridges/outbound.h"
#include "server/bridges/sayings.h"
#include "store/blobs.h"

namespace server::bridges {

// Whether what it says is read here, by its type.
bool is_readable(const std::string& media, const ArrivedFile& file);

class Enclosures {
public:
    struct Parts {  // all outlive it
        std::vector<Transport*> transports;
        const store::BlobFiles& files;
        const memory::Reader& reader;
        Outbound& outbound;
        store::Db& db;
        const tools::RuleBook& rules;
        const base::Clock& clock;
        base::Log& log;
        store::Identity house;  // of no person
    };
    explicit Enclosures(Parts parts) : parts_(std::move(parts)) {}

    // What came with a message, or with the one that it answers, as the agent is told of it.
    struct Told {
        std::string words;
        bool ours = true;  // nothing in it is of somebody else's writing
        bool read = false; // what it says is among them
        std::optional<Saying> notice{};  // that its sender is told, whatever a model makes of it
    };
    net::Task<Told> tell(Transport& by, const Arrival& arrival, bool quoted, policy::Principal who);
    // Of a message that holds nothing else: its sender is told when it is kept, and the arrival is settled with that. Why not: it is too large.
    net::Task<std::string> keep_alone(Transport& by, const Arrival& arrival, policy::Principal who, bool tells);
    // What came with it belongs to that run.
    net::Task<void> note_run(Transport& by, const Arrival& arrival, policy::Principal who, base::RunId run);

    // Fetches what is wanted; on one executor.
    net::Task<void> watch();

private:
    net::Task<base::Result<std::string>> read(Transport& by, const store::Blob& blob, const ArrivedFile& file, policy::Principal who);
    net::Task<bool> fetch_one(bool also_held);
    net::Task<void> settle(Transport& by, store::WantedBlob wanted, base::Result<std::string> bytes);
    void wake();

    Parts parts_;
    std::weak_ptr<agents::EventHub::Ear> ear_;  // of watch()
    std::string trouble_;
};

}  // namespace server::bridges
