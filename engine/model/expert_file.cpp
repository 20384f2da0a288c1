#include "engine/model/expert_file.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "engine/available_memory.h"
#include "engine/model/checksum.h"
#include "engine/model/mapped_file.h"
#include "engine/model/weight_image.h"

namespace engine {
namespace {

using base::Code;

std::uint64_t with_sum(std::uint64_t sum, std::span<const std::uint8_t> bytes) { return (sum ^ xxh64(bytes)) * 0x9e3779b97f4a7c15u; }

}  // namespace

base::Result<std::unique_ptr<ExpertFile>> ExpertFile::open(const ModelFile& file, const Config& config, const Ops& ops, Model& model) {
    const auto source = file.tensors(config);
    auto layout = lay_out(*source, config, ops, model, Placing::copied);
    if (!layout) return std::move(layout).error();
    std::unique_ptr<ExpertFile> out(new ExpertFile(file, ops));
    out->layout_ = *std::move(layout);
    out->experts_ = config.experts, out->used_ = config.experts_used;
    out->forgets_ = file.file_bytes() > available_memory();
    out->trunk_ = out->layout_.bytes.packed;
    for (const auto& stack : out->layout_.stacks) out->trunk_ -= stack.stride * std::size_t(config.experts);
    if (auto readable = out->check(config); !readable) return std::move(readable).error();
    for (const auto& stack : out->layout_.stacks)
        for (int m = 0; m < stack.matrices && !file.image(); ++m)
            out->work_ = std::max(out->work_, out->layout_.stored[out->layout_.packings[stack.packings + std::size_t(m * config.experts)].stored].bytes());
    out->sums_.resize(out->layout_.stacks.size() * std::size_t(config.experts));
    if (const WeightImage* const image = file.image()) {
        std::size_t piece = 0, at = 0;
        for (const std::size_t end : image_pieces(out->layout_)) {
            if (const auto* stack = out->around(at)) out->sums_[std::size_t(stack - out->layout_.stacks.data()) * std::size_t(config.experts) + (at - stack->at) / stack->stride] = image->piece_checksums[piece];
            at = end, ++piece;
        }
    }
    return out;
}

base::Result<void> ExpertFile::check(const Config& config) const {
    const auto refuse = [&](const std::string& what, const char* remedy) {
        base::Error error = file_.error(what, Code::unsupported);
        error.remedy = remedy;
        return error;
    };
    if (layout_.stacks.empty()) return refuse("has no experts that could be read one by one", "leave model.experts at auto");
    if (const WeightImage* const image = file_.image()) {
        if (auto fits = check_image(file_, layout_, ops_); !fits) return fits;
        if (image->piece_checksums.size() != image_pieces(layout_).size())
            return refuse("was converted without checksums of its experts, so they cannot be read one by one", "convert its source again: hearth model convert SOURCE FILE");
        return {};
    }
    for (const auto& stack : layout_.stacks)
        for (std::size_t p = stack.packings; p < stack.packings + std::size_t(stack.matrices * config.experts); ++p) {
            const Stored& stored = layout_.stored[layout_.packings[p].stored];
            if (!stored.mapping || !stored.in_place[std::size_t(layout_.packings[p].matrix)])
                return refuse("has experts that cannot be read one by one (tensor '" + stored.name + "')", "convert it: hearth model convert FOLDER FILE writes a file whose experts can");
        }
    return {};
}

ExpertPlan ExpertFile::needs() const {
    ExpertPlan out{.layers = int(layout_.stacks.size()), .experts = experts_, .used = used_};
    for (const auto& stack : layout_.stacks) out.slot_bytes = std::max<std::uint64_t>(out.slot_bytes, stack.stride);
    return out;
}

int ExpertFile::stack_of(int layer) const {
    const auto found = std::ranges::find(layout_.stacks, layer, &ModelLayout::ExpertStack::layer);
    return found == layout_.stacks.end() ? -1 : int(found - layout_.stacks.begin());
}

const ModelLayout::ExpertStack* ExpertFile::around(std::size_t at) const {
    for (const auto& stack : layout_.stacks)
        if (at >= stack.at && at < stack.at + stack.stride * std::size_t(experts_)) return &stack;
    return nullptr;
}

std::size_t ExpertFile::in_trunk(std::size_t at) const {
    std::size_t out = at;
    for (const auto& stack : layout_.stacks)
        if (stack.at < at) out -= stack.stride * std::size_t(experts_);
    return out;
}

base::Result<void> ExpertFile::read_trunk(Pool& pool, std::uint8_t* trunk, std::uint8_t* slots, std::size_t slot_bytes) const {
    for (const auto& [weight, at] : layout_.placed) {
        const auto* const stack = around(at);
        weight->data = stack ? slots + (at - stack->at) : trunk + in_trunk(at);
        if (stack) weight->stride = slot_bytes;
    }
    if (const WeightImage* const image = file_.image()) {
        std::size_t piece = 0, at = 0;
        for (const std::size_t end : image_pieces(layout_)) {
            const auto part = image->bytes.subspan(at, end - at);
            std::uint8_t* const to = trunk + in_trunk(at);
            if (!around(at)) {
                if (auto done = image->mapping->read(part, to); !done) return file_.error(done.error().message, done.error().code);
                if (xxh64({to, part.size()}) != image->piece_checksums[piece])
                    return file_.error("is damaged: the checksum of its weights from byte " + std::to_string(at) + " on is wrong", Code::corrupt);
            }
            at = end, ++piece;
        }
        return {};
    }
    std::vector<const ModelLayout::Packing*> packings;
    for (const auto& packing : layout_.packings)
        if (!around(packing.offset)) packings.push_back(&packing);
    pool.run(int(packings.size()), [&](int item, int) { bring(layout_, *packings[std::size_t(item)], ops_, trunk + in_trunk(packings[std::size_t(item)]->offset)); });
    return {};
}

base::Error ExpertFile::error(int stack, int expert, const std::string& what, Code code) const {
    return file_.error("expert " + std::to_string(expert) + " of layer " + std::to_string(layout_.stacks[std::size_t(stack)].layer) + " cannot be used: the file " + what, code);
}

std::span<const std::uint8_t> ExpertFile::in_image(int stack, int expert) const {
    const auto& at = layout_.stacks[std::size_t(stack)];
    return file_.image()->bytes.subspan(at.at + std::size_t(expert) * at.stride, at.stride);
}

// Returns the checksum of what was read.
base::Result<std::uint64_t> ExpertFile::read_packed(int stack, int expert, std::uint8_t* to, std::uint8_t* work) const {
    const auto& at = layout_.stacks[std::size_t(stack)];
    if (const WeightImage* const image = file_.image()) {
        if (auto done = image->mapping->read(in_image(stack, expert), to); !done) return std::move(done).error();
        return xxh64({to, at.stride});
    }
    std::uint64_t sum = 0;
    for (int m = 0; m < at.matrices; ++m) {
        const auto& packing = layout_.packings[at.packings + std::size_t(m * experts_ + expert)];
        const Stored& stored = layout_.stored[packing.stored];
        std::uint8_t* const place = to + (packing.offset - at.at - std::size_t(expert) * at.stride);
        if (auto done = stored.mapping->read({stored.in_place[std::size_t(expert)], stored.bytes()}, work); !done) return std::move(done).error();
        sum = with_sum(sum, {work, stored.bytes()});
        if (packing.pack) ops_.pack({stored.format, Layout::plain, stored.rows, stored.cols, work, stored.bytes()}, place);
        else std::memcpy(place, work, stored.bytes());
    }
    return sum;
}

base::Result<void> ExpertFile::read(int stack, int expert, std::uint8_t* to, std::uint8_t* work) {
    auto sum = read_packed(stack, expert, to, work);
    if (!sum) return error(stack, expert, sum.error().message, sum.error().code);
    std::uint64_t& known = sums_[std::size_t(stack) * std::size_t(experts_) + std::size_t(expert)];
    if (known != 0 && known != *sum) return error(stack, expert, file_.image() ? "is damaged: the checksum of the expert is wrong" : "changed after it was opened", Code::corrupt);
    known = *sum;
    forget(stack, expert);
    return {};
}

void ExpertFile::forget(int stack, int expert) const {
    if (!forgets_) return;
    if (const WeightImage* const image = file_.image()) return image->mapping->forget(in_image(stack, expert));
    const auto& at = layout_.stacks[std::size_t(stack)];
    for (int m = 0; m < at.matrices; ++m) {
        const Stored& stored = layout_.stored[layout_.packings[at.packings + std::size_t(m * experts_ + expert)].stored];
        stored.mapping->forget({stored.in_place[std::size_t(expert)], stored.bytes()});
    }
}

}  // namespace engine
