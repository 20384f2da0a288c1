#include "tools/registry.h"

#include <algorithm>

#include "tools/admin.h"
#include "tools/bash.h"
#include "tools/collections.h"
#include "tools/edit_file.h"
#include "tools/glob_files.h"
#include "tools/grep_files.h"
#include "tools/home.h"
#include "tools/list_dir.h"
#include "tools/note.h"
#include "tools/read_file.h"
#include "tools/schedule.h"
#include "tools/schemas.h"
#include "tools/spawn_thread.h"
#include "tools/write_file.h"

namespace tools {
namespace {

using policy::Effect;
using policy::Permission;
using policy::Scope;
using namespace schemas;

constexpr const char* kPath = "path in the workspace, relative or absolute";

std::vector<Tool> file_tools() {
    const std::chrono::milliseconds quick{10000};
    return {
        {"read_file", "Read a text file of the workspace; lines come numbered.",
         object({{"path", text(kPath)}, {"offset", whole("first line to show, from 1", 1, 1000000000)}, {"limit", whole("how many lines", 1, 2000)}}, {"path"}),
         facts({{"lines", "integer"}, {"bytes", "integer"}}), {Scope::dev, Scope::home}, Effect::pure, {Permission::workspace_read}, quick, read_file},
        {"write_file", "Write a file of the workspace; replaces what it held.",
         object({{"path", text(kPath)}, {"content", text("the whole new content")}}, {"path", "content"}),
         facts({{"bytes", "integer"}}), {Scope::dev}, Effect::idempotent, {Permission::workspace_write}, quick, write_file},
        {"edit_file", "Replace a piece of text in a file. old_string must occur exactly once unless replace_all is true.",
         object({{"path", text(kPath)}, {"old_string", text("the text to replace, exactly as it stands")}, {"new_string", text("what comes in its place")},
                 {"replace_all", flag("replace every occurrence")}}, {"path", "old_string", "new_string"}),
         facts({{"replaced", "integer"}}), {Scope::dev}, Effect::at_most_once, {Permission::workspace_read, Permission::workspace_write}, quick, edit_file,
         "read the file: it holds either the old text or the new one"},
        {"list_dir", "List a folder of the workspace.", object({{"path", text("folder, default the workspace itself")}}, {}),
         facts({{"entries", "integer"}}), {Scope::dev, Scope::home}, Effect::pure, {Permission::workspace_read}, quick, list_dir},
        {"glob_files", "Find files by a path pattern such as **/*.cpp or src/{a,b}*.py.",
         object({{"pattern", text("* ? ** [a-z] {a,b}; without / it is matched against file names")}, {"path", text("folder to look in")}}, {"pattern"}),
         facts({{"files", "integer"}}), {Scope::dev}, Effect::pure, {Permission::workspace_read}, quick, glob_files},
        {"grep_files", "Search the lines of text files by a regular expression.",
         object({{"pattern", text("RE2 regular expression")}, {"path", text("file or folder to search")}, {"include", text("only files whose path matches this glob")},
                 {"context", whole("lines to show around each match", 0, 10)}, {"ignore_case", flag("upper and lower case are the same; default: when the pattern has no capital")}}, {"pattern"}),
         facts({{"matches", "integer"}, {"files", "integer"}}), {Scope::dev, Scope::home}, Effect::pure, {Permission::workspace_read}, quick, grep_files},
    };
}

Tool bash_tool() {
    const base::OrderedJson variables = {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}, {"description", "environment variables; the value secret:NAME gives that secret"}};
    return {"bash", "Run a bash command in the workspace, in a sandbox without network.",
            object({{"command", text("the command")}, {"timeout_seconds", whole("deadline, default 30", 1, 30)}, {"stdin", text("what the command reads")}, {"env", variables}}, {"command"}),
            facts({{"exit_code", "integer"}, {"timed_out", "boolean"}, {"output_bytes", "integer"}}), {Scope::dev}, Effect::at_most_once,
            {Permission::workspace_read, Permission::workspace_write, Permission::execute}, std::chrono::milliseconds(35000), bash,
            "look at what the command would have changed, with tools that only read", {"env"}};
}

}  // namespace

const std::vector<Tool>& builtin_tools() {
    static const std::vector<Tool> table = [] {
        std::vector<Tool> out = file_tools();
        out.push_back(bash_tool());
        for (Tool& tool : home_tools()) out.push_back(std::move(tool));
        for (Tool& tool : admin_tools()) out.push_back(std::move(tool));
        for (Tool& tool : collection_tools()) out.push_back(std::move(tool));
        out.push_back(note_tool());
        out.push_back(spawn_thread_tool());
        out.push_back(schedule_tool());
        return out;
    }();
    return table;
}

std::vector<const Tool*> Builtins::list(policy::Scope scope) const {
    std::vector<const Tool*> out;
    for (const Tool& tool : builtin_tools())
        if (std::find(tool.scopes.begin(), tool.scopes.end(), scope) != tool.scopes.end()) out.push_back(&tool);
    return out;
}

const Tool* Builtins::find(const std::string& name) const {
    for (const Tool& tool : builtin_tools())
        if (tool.name == name) return &tool;
    return nullptr;
}

}  // namespace tools
