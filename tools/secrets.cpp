#include "tools/secrets.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

#include "store/secrets.h"

namespace tools {
namespace {

using base::Code;
using base::Json;

constexpr std::string_view kHandle = "secret:";

// The handle of a text that is nothing else; "".
std::string whole_handle(const std::string& text) { return store::secret_name(text) ? text : std::string(); }

// The first handle within a text, where a word begins; "".
std::string handle_in(const std::string& text) {
    for (std::size_t at = text.find(kHandle); at != text.npos; at = text.find(kHandle, at + 1)) {
        if (at > 0 && (std::isalnum(static_cast<unsigned char>(text[at - 1])) || std::string_view("_-.:/").find(text[at - 1]) != std::string_view::npos)) continue;
        std::size_t end = at + kHandle.size();
        while (end < text.size() && store::is_secret_name(text.substr(at + kHandle.size(), end + 1 - at - kHandle.size()))) ++end;
        if (end > at + kHandle.size()) return text.substr(at, end - at);
    }
    return {};
}

class Search {
public:
    explicit Search(const Tool& tool) : tool_(tool) {}

    base::Result<void> look(const Json& value, const std::string& argument, bool taken) {
        if (value.is_structured()) {
            for (const auto& [key, item] : value.items()) {
                if (value.is_object() && !tool_.takes_secrets.empty() && !handle_in(key).empty()) return misplaced(handle_in(key), argument);
                if (auto fine = look(item, argument, taken); !fine) return fine;
            }
        } else if (value.is_string()) {
            const std::string text = value.get<std::string>(), handle = whole_handle(text);
            if (!handle.empty() && taken) names.insert(handle.substr(kHandle.size()));
            else if (!handle.empty()) return misplaced(handle, argument);
            else if (!tool_.takes_secrets.empty() && !handle_in(text).empty()) return misplaced(handle_in(text), argument);
        }
        return {};
    }

    std::set<std::string> names;

private:
    base::Error misplaced(const std::string& handle, const std::string& argument) const {
        std::string where;
        for (const auto& one : tool_.takes_secrets) where += (where.empty() ? "" : ", ") + one;
        const std::string as_text = "secret[:]" + handle.substr(kHandle.size()) + " in a pattern means the text itself";
        return base::error(Code::invalid_argument, handle + " does not become its value in '" + argument + "' of " + tool_.name + ", so nothing was done",
                           where.empty() ? tool_.name + " takes no secrets; " + as_text
                                         : "give it in '" + where + "', as the whole text of a field, such as {\"" + where + "\": {\"TOKEN\": \"" + handle + "\"}}, and use $TOKEN; " + as_text);
    }

    const Tool& tool_;
};

}  // namespace

base::Result<std::vector<std::string>> named_secrets(const Tool& tool, const Json& arguments) {
    Search search(tool);
    for (const auto& [argument, value] : arguments.items()) {
        const bool taken = std::find(tool.takes_secrets.begin(), tool.takes_secrets.end(), argument) != tool.takes_secrets.end();
        if (auto fine = search.look(value, argument, taken); !fine) return std::move(fine).error();
    }
    return std::vector<std::string>(search.names.begin(), search.names.end());
}

net::Task<base::Result<void>> Secrets::check(store::Identity who, std::vector<std::string> names, std::string tool) const {
    const auto look = [&](store::Tx& tx) -> base::Result<void> {
        for (const auto& name : names)
            if (auto may = store::may_open_secret_for(tx, name, tool); !may) return may;
        return {};
    };
    co_return co_await db_.read(who, look);
}

net::Task<base::Result<OpenSecrets>> Secrets::open(store::Identity who, std::vector<std::string> names, std::string tool) const {
    const auto open_all = [&](store::Tx& tx) -> base::Result<OpenSecrets> {
        auto keys = store::master_keys(tx, state_folder_);
        if (!keys) return std::move(keys).error();
        OpenSecrets out;
        for (const auto& name : names) {
            auto value = store::open_secret_for(tx, *keys, name, tool);
            if (!value) return std::move(value).error();
            redactor_->add(redactor_->forms_of(value->reveal()));  // before anything can repeat it
            out.emplace(std::string(kHandle) + name, *std::move(value));
        }
        return out;
    };
    co_return co_await db_.run(who, open_all);
}

}  // namespace tools
