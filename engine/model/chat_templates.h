// The chat templates that a model has by name, and which of them is used, as transformers chooses.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace engine {

class ChatTemplates {
public:
    // The first of a name counts. Of text that is empty there is none.
    void add(std::string name, std::string source);

    bool empty() const { return all_.empty(); }
    std::vector<std::string> names() const;
    // The names of the one for requests without tools ("default") and of the one for requests with them ("tool_use", else the
    // other). Empty where there is none.
    std::string plain() const;
    std::string with_tools() const;
    std::string text() const;  // both as one, which refuses requests that have none; empty where there is none at all

private:
    const std::string* find(const std::string& name) const;
    std::vector<std::pair<std::string, std::string>> all_;
};

}  // namespace engine
