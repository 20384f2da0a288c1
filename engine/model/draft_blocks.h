// Which blocks behind a model's last layer draft: those of which its configuration says so, or their tensors' own names.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace engine {

// Of "PREFIX12.attn_q.weight" 12; -1: the tensor is of no block.
int block_of(std::string_view name, std::string_view prefix);

// Whether one of the name's parts is a word of heads for drafting.
bool names_drafting(std::string_view name);

class DraftBlocks {
public:
    // `prefix`: "blk.", "model.layers."; `layers`: of the model; `said`: blocks behind them that the configuration has for drafting.
    DraftBlocks(std::string prefix, int layers, int said) : prefix_(std::move(prefix)), layers_(layers), said_(said) {}

    void see(std::string_view name);  // each of the file's tensors, before any is asked of
    bool drafts(std::string_view name) const;
    // What is wrong with a tensor behind the last layer that does not draft. `key`: what says how many layers there are.
    std::optional<std::string> stray(std::string_view name, const std::string& key) const;

private:
    std::string prefix_;
    int layers_, said_;
    int blocks_ = 0;            // that the file holds
    bool named_ = false;        // whether any name says it: then the configuration's word is of those
    std::set<int> named_blocks_;
};

}  // namespace engine
