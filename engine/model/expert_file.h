// A model's weights read from its file expert by expert, beside a trunk (all else) that is read once: each expert whole, as
// the kernels want it, and checked.
#pragma once

#include <memory>
#include <vector>

#include "engine/expert_options.h"
#include "engine/model/builder.h"

namespace engine {

class ExpertFile {
public:
    // Error{unsupported}: experts of such a file cannot be read one by one.
    static base::Result<std::unique_ptr<ExpertFile>> open(const ModelFile& file, const Config& config, const Ops& ops, Model& model);

    ExpertPlan needs() const;                         // without slots
    std::size_t trunk_bytes() const { return trunk_; }
    std::size_t work_bytes() const { return work_; }  // that a reader wants
    std::uint64_t active_bytes() const { return layout_.active_bytes; }  // of weights that a decode step reads
    const ModelLayout& layout() const { return layout_; }
    std::size_t bytes(int stack) const { return layout_.stacks[std::size_t(stack)].stride; }
    int stack_of(int layer) const;

    // All but the experts, into memory of trunk_bytes(). Says where each weight of the trunk lies, and of the experts' where in
    // `slots`, `slot_bytes` apart.
    base::Result<void> read_trunk(Pool& pool, std::uint8_t* trunk, std::uint8_t* slots, std::size_t slot_bytes) const;

    // One expert, by a read of the file. What comes again is held against the checksum of the first time, in a converted file
    // of its conversion. Different ones from several CPU threads at once. Errors name file, layer and expert.
    base::Result<void> read(int stack, int expert, std::uint8_t* to, std::uint8_t* work);
    // In the page cache, where that could not hold the file: the next read is one of the disk.
    void forget(int stack, int expert) const;

private:
    ExpertFile(const ModelFile& file, const Ops& ops) : file_(file), ops_(ops) {}
    base::Result<void> check(const Config& config) const;
    const ModelLayout::ExpertStack* around(std::size_t at) const;  // null: of the trunk
    std::size_t in_trunk(std::size_t at) const;
    std::span<const std::uint8_t> in_image(int stack, int expert) const;
    base::Result<std::uint64_t> read_packed(int stack, int expert, std::uint8_t* to, std::uint8_t* work) const;
    base::Error error(int stack, int expert, const std::string& what, base::Code code) const;

    const ModelFile& file_;
    const Ops& ops_;
    ModelLayout layout_;
    int experts_ = 0, used_ = 0;
    std::size_t trunk_ = 0, work_ = 0;
    bool forgets_ = false;                            // what is in memory besides would only displace what the cache has
    std::vector<std::uint64_t> sums_;                 // (stacks, experts); 0: it did not come yet
};

}  // namespace engine
