#include "sandbox/kept_output.h"

#include <algorithm>

namespace sandbox {

void KeptOutput::add(std::string_view bytes) {
    total_ += bytes.size();
    const std::size_t first = std::min(bytes.size(), half_ - head_.size());
    head_ += bytes.substr(0, first);
    bytes.remove_prefix(first);
    if (bytes.size() > half_) bytes.remove_prefix(bytes.size() - half_);
    tail_ += bytes;
    // Trimmed only at twice the size, so that each byte is moved once.
    if (tail_.size() > 2 * half_) tail_.erase(0, tail_.size() - half_);
}

std::string KeptOutput::text() {
    if (tail_.size() > half_) tail_.erase(0, tail_.size() - half_);
    if (!cut()) return head_ + tail_;
    return head_ + "\n[… " + std::to_string(total_ - head_.size() - tail_.size()) + " bytes cut here …]\n" + tail_;
}

}  // namespace sandbox
