// A stream of server-sent events, cut by the first byte: the same events come however it is cut, and an event that is
// written out reads back the same.
#include "fuzz.h"
#include "net/sse.h"

namespace {

using fuzz::require;

constexpr std::size_t most = 256;

struct Read {
    std::vector<net::SseEvent> events;
    bool refused = false;
    bool operator==(const Read&) const = default;
};

Read read(const std::vector<std::string_view>& pieces) {
    net::SseParser parser(most);
    Read out;
    for (const auto piece : pieces) {
        const auto events = parser.feed(piece);
        if (!events) {
            require(events.error().code == base::Code::resource_exhausted, "only what is too large is refused");
            out.refused = true;
            return out;
        }
        out.events.insert(out.events.end(), events->begin(), events->end());
    }
    return out;
}

std::string written_out(const net::SseEvent& event) {
    std::string out = "id: " + event.id + "\nevent: " + event.name + "\ndata: ";
    for (const char c : event.data) c == '\n' ? out += "\ndata: " : out += c;
    return out + "\n\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    const unsigned seed = fuzz::take_byte(input);
    const Read whole = read({input}), pieces = read(fuzz::cut(input, seed));
    require(whole.refused == pieces.refused && (whole.refused || whole == pieces), "events do not depend on how they arrive");
    for (const auto& event : pieces.events) {
        require(event.data.size() <= most && event.name.size() <= most && event.id.size() <= most, "an event is bounded");
        require(!event.name.empty(), "an event has a name");
        net::SseParser parser(std::size_t(1) << 20);
        const auto again = parser.feed(written_out(event)).value();
        require(again.size() == 1 && again[0] == event, "what is written reads back the same");
    }
    return 0;
}
