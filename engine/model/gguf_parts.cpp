// A GGUF that was split in parts, NAME-00001-of-00003.gguf and so on: the first has the metadata, each has tensors of its own.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "engine/model/gguf.h"

namespace engine {
namespace {

constexpr std::int64_t kMostParts = 9999;

// "-00002-of-00003.gguf"
std::string ending(std::int64_t part, std::int64_t parts) {
    char text[40];
    std::snprintf(text, sizeof text, "-%05lld-of-%05lld.gguf", static_cast<long long>(part + 1), static_cast<long long>(parts));
    return text;
}

struct Place {
    std::int64_t part = 0, parts = 1, tensors = 0;  // tensors: of all parts
};

// A file that was split has all three keys; one that parts were merged to counts 0 of them.
base::Result<Place> place_of(const Gguf& gguf) {
    const std::pair<const char*, std::int64_t Place::*> keys[] = {{"split.count", &Place::parts}, {"split.no", &Place::part}, {"split.tensors.count", &Place::tensors}};
    Place out;
    const char *there = nullptr, *missing = nullptr;
    for (const auto& [key, field] : keys) {
        const auto found = gguf.integer(key);
        if (!found) return found.error();
        (*found ? there : missing) = key;
        out.*field = found->value_or(out.*field);
        if (field == &Place::parts && *found && **found <= 1) return Place{};
    }
    if (!there) return Place{};
    if (missing)
        return gguf.error("key '" + std::string(missing) + "' is missing, but key '" + there + "' says that the file is a part of a model that was split: a part has split.count, split.no and split.tensors.count");
    if (out.part < 0 || out.part >= out.parts || out.parts > kMostParts)
        return gguf.error("says that it is part " + std::to_string(out.part) + " (from 0) of " + std::to_string(out.parts));
    return out;
}

}  // namespace

base::Result<void> Gguf::adopt(std::unique_ptr<Gguf> part) {
    for (const GgufTensor& tensor : part->tensors_) {
        if (!tensor_index_.emplace(tensor.name, tensors_.size()).second)
            return part->error("tensor '" + tensor.name + "' is in another part of the model too");
        tensors_.push_back(tensor);
    }
    parts_.push_back(std::move(part));
    return {};
}

base::Result<std::unique_ptr<Gguf>> Gguf::open_whole(const std::filesystem::path& path) {
    auto named = open(path);
    if (!named) return named;
    const auto place = place_of(**named);
    if (!place) return place.error();
    if (place->parts == 1) return named;
    const std::string file = path.string(), own = ending(place->part, place->parts);
    if (!file.ends_with(own))
        return base::error(base::Code::invalid_argument, file + ": is part " + std::to_string(place->part + 1) + " of " + std::to_string(place->parts) +
                               " of a model, and its name does not end with " + own + ", so that the others cannot be found",
                           "give the parts the names that they were published with, in one folder");
    const auto open_part = [&](std::int64_t part) -> base::Result<std::unique_ptr<Gguf>> {
        const std::string other = file.substr(0, file.size() - own.size()) + ending(part, place->parts);
        std::error_code unreadable;
        if (!std::filesystem::exists(other, unreadable))
            return base::error(base::Code::not_found, other + ": is missing: part " + std::to_string(part + 1) + " of " + std::to_string(place->parts) + " of the model of " + file,
                               "fetch all parts into one folder");
        auto opened = open(other);
        if (!opened) return opened;
        const auto found = place_of(**opened);
        if (!found) return found.error();
        if (found->part != part || found->parts != place->parts)
            return (*opened)->error("says that it is part " + std::to_string(found->part + 1) + " of " + std::to_string(found->parts) + ", expected " + std::to_string(part + 1) +
                                    " of " + std::to_string(place->parts));
        if (found->tensors != place->tensors)
            return (*opened)->error("is part of another model than " + file + ": key 'split.tensors.count' says " + std::to_string(found->tensors) + ", there " + std::to_string(place->tensors));
        return opened;
    };
    auto whole = place->part == 0 ? std::move(named) : open_part(0);
    if (!whole) return whole;
    for (std::int64_t part = 1; part < place->parts; ++part) {
        auto next = open_part(part);
        if (!next) return next;
        if (auto done = (*whole)->adopt(*std::move(next)); !done) return std::move(done).error();
    }
    if (place->tensors != std::int64_t((*whole)->tensors_.size()))
        return (*whole)->error("key 'split.tensors.count' says " + std::to_string(place->tensors) + " tensors, its " + std::to_string(place->parts) + " parts hold " +
                               std::to_string((*whole)->tensors_.size()));
    return whole;
}

const MappedFile* Gguf::mapping_of(const GgufTensor& tensor) const {
    if (file_->holds(tensor.data)) return file_.get();
    for (const auto& part : parts_)
        if (part->file_->holds(tensor.data)) return part->file_.get();
    return nullptr;
}

bool Gguf::is_whole() const {
    return file_->is_whole() && std::ranges::all_of(parts_, [](const auto& part) { return part->is_whole(); });
}

std::uint64_t Gguf::file_bytes() const {
    std::uint64_t bytes = file_->bytes().size();
    for (const auto& part : parts_) bytes += part->file_bytes();
    return bytes;
}

std::vector<std::uint8_t> Gguf::head() const {
    const auto first = file_->bytes().first(head_bytes_);
    std::vector<std::uint8_t> out(first.begin(), first.end());
    const std::uint64_t n_tensors = tensors_.size();
    std::memcpy(out.data() + 8, &n_tensors, sizeof n_tensors);  // behind "GGUF" and the version
    for (const auto& part : parts_) {
        const auto entries = part->file_->bytes().first(part->head_bytes_).subspan(part->entries_at_);
        out.insert(out.end(), entries.begin(), entries.end());
    }
    return out;
}

base::Error Gguf::error(const GgufTensor& tensor, std::string what, base::Code code) const {
    const Gguf* file = this;
    for (const auto& part : parts_)
        if (part->tensor(tensor.name)) file = part.get();
    return file->error("tensor '" + tensor.name + "' " + std::move(what), code);
}

}  // namespace engine
