// Turns with calls as a model wrote them, to be found again when their conversation comes back. A template prints a
// call's arguments with other spaces, order and escapes, and text is cut into other tokens than were sampled: without
// this all that was computed from a call on would be computed again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/chat_template.h"
#include "text/output_parser.h"

namespace text {

// Shareable between CPU threads: nothing is rendered or parsed under its lock.
class SampledTurns {
public:
    // Where a model is about to write: behind which prompt, and what of that opens its turn.
    struct Place {
        std::uint64_t prompt = 0;  // hash of salt, text and sampled tokens up to here
        std::size_t begins = 0;    // bytes of the rendered prompt before `opening`, from the last turn on that was replayed
        std::string opening;
        std::uint64_t conversation = 0;  // hash of the messages up to here, their reasoning apart
    };
    struct Prompt {
        std::vector<Piece> pieces;
        Place place;
    };
    // What a prompt depends on beside its text.
    struct Setting {
        const Guard& guard;
        const std::vector<std::string>& ends;    // texts of the tokens that end a turn
        const std::vector<std::string>& markup;  // see markup_of
        std::string dialect;
        std::string salt;  // turns are found only within it
    };

    // Keeps the turns that were used last, of `most_tokens` tokens together.
    explicit SampledTurns(std::size_t most_tokens) : most_tokens_(most_tokens) {}

    // Gives turns with calls the reasoning that led to them behind these very messages, where the client did not send it back.
    void add_reasoning(base::OrderedJson& messages, const std::string& salt) const;
    // The prompt's pieces. A turn of the assistant holds the tokens that were sampled if it was sampled behind this
    // very prompt, and if what the template printed there is this turn and nothing else; else it is as it was printed.
    base::Result<Prompt> compose(const ChatTemplate& source, const RenderInput& input, const Setting& setting);
    // `tokens`: all of the turn but the one that ended it.
    void remember(const Place& place, const ParsedOutput& output, std::vector<TokenId> tokens, const std::string& salt);

    std::size_t tokens() const;  // that are kept

private:
    struct Turn {
        std::string key;  // salt and calls
        Place place;
        std::string content, reasoning;
        std::vector<TokenId> tokens;
        std::atomic<std::size_t> printed = 0;  // hash of what the template was found to print of it; 0: nothing
    };
    using Turns = std::list<std::shared_ptr<Turn>>;
    using Found = std::vector<std::shared_ptr<Turn>>;
    struct Walk;

    std::vector<Found> find(const std::vector<std::string>& keys) const;  // an empty key finds nothing
    static void replay(std::size_t index, const Found& turns, Walk& walk);
    static bool is_printed(Turn& turn, std::size_t begin, std::size_t end, std::size_t index, const Walk& walk);
    void use(const Found& turns);
    void shrink();

    const std::size_t most_tokens_;
    mutable std::mutex mutex_;
    Turns turns_;  // the one used last comes first
    std::unordered_multimap<std::string, Turns::iterator> by_calls_;
    std::size_t tokens_ = 0;
};

}  // namespace text
