// Reads a server-sent-event stream (WHATWG HTML, 9.2) that arrives split at any byte.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace net {

struct SseEvent {
    std::string name = "message";
    std::string data;  // the data lines, joined by line feeds
    std::string id;    // the last one of the stream so far
    bool operator==(const SseEvent&) const = default;
};

class SseParser {
public:
    explicit SseParser(std::size_t max_event_bytes = std::size_t(4) << 20) : max_bytes_(max_event_bytes) {}

    // The events that these bytes complete. An event that its blank line has not ended never counts.
    // {resource_exhausted} for one that is too large; the parser is then unusable.
    base::Result<std::vector<SseEvent>> feed(std::string_view bytes);

private:
    void take_line(std::vector<SseEvent>& out);

    std::size_t max_bytes_;
    std::string line_, name_, data_, id_;
    bool has_data_ = false, after_cr_ = false, first_line_ = true;
};

}  // namespace net
