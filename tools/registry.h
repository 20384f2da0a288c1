// The literal table of built-in tools.
#pragma once

#include "tools/tool.h"

namespace tools {

const std::vector<Tool>& builtin_tools();

class Builtins final : public Source {
public:
    std::vector<const Tool*> list(policy::Scope scope) const override;
    const Tool* find(const std::string& name) const override;
};

}  // namespace tools
