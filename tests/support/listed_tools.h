// A source of tools that a test lists itself.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tools/tool.h"

namespace support {

class ListedTools : public tools::Source {
public:
    std::vector<const tools::Tool*> list(policy::Scope scope) const override {
        std::vector<const tools::Tool*> out;
        for (const auto& tool : tools_)
            if (std::find(tool.scopes.begin(), tool.scopes.end(), scope) != tool.scopes.end()) out.push_back(&tool);
        return out;
    }
    const tools::Tool* find(const std::string& name) const override {
        for (const auto& tool : tools_)
            if (tool.name == name) return &tool;
        return nullptr;
    }

protected:
    std::vector<tools::Tool> tools_;
};

}  // namespace support
