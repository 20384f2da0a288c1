#include "engine/model/draft_blocks.h"

#include <algorithm>
#include <charconv>

namespace engine {

bool names_drafting(std::string_view name) {
    while (!name.empty()) {
        const std::size_t end = std::min(name.find('.'), name.size());
        const std::string_view part = name.substr(0, end);
        if (part.starts_with("mtp") || part.starts_with("nextn") || part == "eh_proj" || part == "enorm" || part == "hnorm" || part == "shared_head") return true;
        name.remove_prefix(std::min(end + 1, name.size()));
    }
    return false;
}

int block_of(std::string_view name, std::string_view prefix) {
    if (!name.starts_with(prefix)) return -1;
    name.remove_prefix(prefix.size());
    int block = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), block);
    return error == std::errc() && block >= 0 && end != name.data() + name.size() && *end == '.' ? block : -1;
}

void DraftBlocks::see(std::string_view name) {
    const int block = block_of(name, prefix_);
    blocks_ = std::max(blocks_, block < INT32_MAX ? block + 1 : block);
    if (!names_drafting(name)) return;
    named_ = true;
    if (block >= 0) named_blocks_.insert(block);
}

bool DraftBlocks::drafts(std::string_view name) const {
    const int block = block_of(name, prefix_);
    if (block < layers_) return false;
    return named_ ? named_blocks_.contains(block) : block - layers_ < said_;
}

std::optional<std::string> DraftBlocks::stray(std::string_view name, const std::string& key) const {
    if (block_of(name, prefix_) < layers_ || drafts(name)) return std::nullopt;
    return "is of a layer behind the " + std::to_string(layers_) + " that the model has by " + key + ": the file holds " + std::to_string(blocks_) +
           ", and neither the configuration nor the tensors' names say that the others are for drafting";
}

}  // namespace engine
