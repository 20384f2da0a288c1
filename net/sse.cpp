#include "net/sse.h"

namespace net {

base::Result<std::vector<SseEvent>> SseParser::feed(std::string_view bytes) {
    std::vector<SseEvent> out;
    for (const char c : bytes) {
        const bool second_of_crlf = c == '\n' && after_cr_;
        after_cr_ = c == '\r';
        if (second_of_crlf) continue;
        if (c == '\n' || c == '\r') {
            take_line(out);
            continue;
        }
        if (line_.size() + data_.size() >= max_bytes_)
            return base::error(base::Code::resource_exhausted,
                               "a server-sent event is larger than " + std::to_string(max_bytes_) + " bytes");
        line_ += c;
    }
    return out;
}

void SseParser::take_line(std::vector<SseEvent>& out) {
    std::string_view line = line_;
    if (first_line_ && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    first_line_ = false;
    if (line.empty()) {
        if (has_data_) out.push_back({name_.empty() ? "message" : name_, data_, id_});
        name_.clear();
        data_.clear();
        has_data_ = false;
        line_.clear();
        return;
    }
    const auto colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    std::string_view value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "data") {
        if (has_data_) data_ += '\n';
        data_ += value;
        has_data_ = true;
    } else if (field == "event") {
        name_ = value;
    } else if (field == "id" && value.find('\0') == value.npos) {
        id_ = value;
    }
    line_.clear();
}

}  // namespace net
