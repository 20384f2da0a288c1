// Which templates a model has, by whatever way it brings them, and which of them is used.
#include "engine/model/chat_templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint_folder.h"
#include "engine/convert.h"
#include "engine/examine.h"
#include "engine/model/gguf_file.h"
#include "support/fixtures.h"
#include "support/gguf_writer.h"
#include "text/chat_template.h"
#include "text/either_template.h"

using namespace engine;
using namespace checkpoints;
using testing::ElementsAre;

namespace {

ModelInfo::Templates named(const fs::path& path, std::string& text) {
    const auto info = Engine::inspect(path);
    if (!info) throw std::runtime_error(info.error().text());
    text = info->chat_template;
    return info->templates;
}

const std::string kNoDefault = "the model has chat templates";

// Of a model with these and no "default".
std::string without_default(const std::string& with_tools, const std::string& names) {
    const std::string refusing = text::refusing_template(kNoDefault + " called " + names + " and none called default: give it one, as the file chat_template.jinja of its folder");
    return with_tools.empty() ? refusing : text::either_template(refusing, with_tools);
}

// The first words of the error that a request is refused with.
std::string refusal(const std::string& source, const json& tools) {
    const auto rendered = text::ChatTemplate::parse(source).value()->render({{"tools", base::OrderedJson(tools)}}, 0);
    if (rendered) return "rendered: " + *rendered;
    EXPECT_EQ(rendered.error().code, base::Code::invalid_argument);
    const std::string& message = rendered.error().message;
    return message.substr(0, message.find(" none called default"));
}

// A folder with these files of templates, and what its tokenizer_config.json says.
struct Files {
    std::vector<std::pair<std::string, std::string>> files;
    json said;
};

void write_to(const Folder& folder, const Files& files) {
    fs::create_directory(folder.path() / "additional_chat_templates");
    for (const auto& [name, text] : files.files) write(folder.path() / name, text);
    write(folder.path() / "tokenizer_config.json", files.said.is_null() ? "{}" : json{{"chat_template", files.said}}.dump());
}

}  // namespace

TEST(ChatTemplates, AreChosenAsTransformersChooses) {
    ChatTemplates all;
    EXPECT_TRUE(all.empty());
    EXPECT_EQ(all.text() + all.plain() + all.with_tools(), "");
    all.add("rag", "r");
    all.add("it's", "i");
    EXPECT_EQ(all.plain() + all.with_tools(), "") << "neither is taken for the other";
    EXPECT_EQ(refusal(all.text(), nullptr), kNoDefault + (" called rag, it's and"));
    EXPECT_EQ(refusal(all.text(), json::array()), refusal(all.text(), nullptr));
    all.add("default", "d");
    EXPECT_EQ(all.plain() + all.with_tools() + all.text(), "defaultdefaultd");
    all.add("tool_use", "t");
    all.add("tool_use", "second");
    all.add("none", "");
    EXPECT_EQ(all.plain() + all.with_tools(), "defaulttool_use");
    EXPECT_EQ(all.text(), text::either_template("d", "t"));
    EXPECT_THAT(all.names(), ElementsAre("rag", "it's", "default", "tool_use"));
}

TEST(ChatTemplates, WithOneForToolsAloneRefuseRequestsWithoutTools) {
    ChatTemplates all;
    all.add("tool_use", "t");
    EXPECT_EQ(all.plain(), "");
    EXPECT_EQ(all.with_tools(), "tool_use");
    EXPECT_EQ(refusal(all.text(), nullptr), kNoDefault + (" called tool_use and"));
    EXPECT_EQ(text::ChatTemplate::parse(all.text()).value()->render({{"tools", json::array()}}, 0).value(), "t");
}

TEST(ChatTemplates, OfAFolderComeFromItsFilesElseItsConfigurations) {
    const std::string more = "additional_chat_templates/";
    const struct {
        Files files;
        std::vector<std::string> names;
        const char *plain, *with_tools;
        std::string text;
    } kCases[] = {
        {{{}, nullptr}, {}, "", "", ""},
        {{{}, "c"}, {"default"}, "default", "default", "c"},
        {{{{"chat_template.jinja", "j"}}, "c"}, {"default"}, "default", "default", "j"},
        {{{{"chat_template.jinja", "j"}, {more + "tool_use.jinja", "t"}, {more + "rag.jinja", "r"}, {more + "note.txt", "n"}}, "c"}, {"default", "rag", "tool_use"}, "default", "tool_use", text::either_template("j", "t")},
        {{{{"chat_template.jinja", "j"}, {more + "rag.jinja", "r"}}, {{{"name", "tool_use"}, {"template", "old"}}}}, {"default", "rag"}, "default", "default", "j"},
        {{{{more + "tool_use.jinja", "t"}}, "c"}, {"tool_use", "default"}, "default", "tool_use", text::either_template("c", "t")},
        {{{{more + "tool_use.jinja", "t"}}, nullptr}, {"tool_use"}, "", "tool_use", without_default("t", "tool_use")},
        {{{{"chat_template.json", R"({"chat_template": "p"})"}}, "c"}, {"default"}, "default", "default", "p"},
        {{{{"chat_template.json", R"({"chat_template": {"default": "p", "tool_use": "q"}})"}}, "c"}, {"default", "tool_use"}, "default", "tool_use", text::either_template("p", "q")},
        {{{}, {{{"name", "default"}, {"template", "c"}}, {{"name", "tool_use"}, {"template", "u"}}, {{"name", "rag"}, {"template", "r"}}}}, {"default", "tool_use", "rag"}, "default", "tool_use", text::either_template("c", "u")},
        {{{}, {{{"name", "b"}, {"template", "one"}}, {{"name", "a"}, {"template", "two"}}}}, {"b", "a"}, "", "", without_default("", "b, a")},
    };
    for (const auto& one : kCases) {
        SCOPED_TRACE(testing::PrintToString(one.files.files) + one.files.said.dump());
        Folder folder(support::data_dir() / "golden/olmo2");
        folder.write_all();
        write_to(folder, one.files);
        std::string text;
        const auto found = named(folder.path(), text);
        EXPECT_EQ(found.names, one.names);
        EXPECT_EQ(found.plain, one.plain);
        EXPECT_EQ(found.with_tools, one.with_tools);
        EXPECT_EQ(text, one.text);
    }
}

TEST(ChatTemplates, AConvertedFileCarriesAllOfThem) {
    Folder folder(support::data_dir() / "golden/olmo2");
    folder.write_all();
    write_to(folder, {{{"chat_template.jinja", "j"}, {"additional_chat_templates/tool_use.jinja", "t"}, {"additional_chat_templates/rag.jinja", "r"}}, nullptr});
    const support::TempDir out;
    const auto done = convert({.path = folder.path(), .threads = 1}, out.path() / "m.hearth", {});
    ASSERT_TRUE(done) << done.error().text();
    std::string text;
    const auto found = named(out.path() / "m.hearth", text);
    EXPECT_THAT(found.names, ElementsAre("default", "rag", "tool_use"));
    EXPECT_EQ(text, text::either_template("j", "t"));
}

TEST(ChatTemplates, OfAGgufComeFromItsKeys) {
    const auto read = [](const std::vector<std::pair<std::string, std::string>>& keys, const std::vector<std::string>& names) {
        support::GgufWriter w(0, keys.size() + (names.empty() ? 0 : 1));
        for (const auto& [key, value] : keys) w.value("tokenizer.chat_template" + key, value);
        if (!names.empty()) {
            w.text("tokenizer.chat_templates"), w.u32(9), w.u32(8), w.u64(names.size());
            for (const auto& name : names) w.text(name);
        }
        w.pad();
        const support::TempDir folder;
        write(folder.path() / "m.gguf", w.bytes);
        const auto gguf = Gguf::open(folder.path() / "m.gguf", Gguf::Part::keys);
        if (!gguf) throw std::runtime_error(gguf.error().text());
        return *read_chat_templates(**gguf);
    };
    EXPECT_TRUE(read({}, {}).empty());
    EXPECT_EQ(read({{"", "d"}}, {}).text(), "d");
    const auto all = read({{"", "d"}, {".rag", "r"}, {".tool_use", "t"}}, {"rag", "tool_use", "lost"});
    EXPECT_THAT(all.names(), ElementsAre("default", "rag", "tool_use"));
    EXPECT_EQ(all.text(), text::either_template("d", "t"));
    EXPECT_EQ(read({{"", "d"}, {".tool_use", "t"}}, {}).text(), text::either_template("d", "t")) << "a key that no list names";
    EXPECT_EQ(read({{".tool_use", "t"}}, {"tool_use"}).text(), without_default("t", "tool_use"));
    EXPECT_THAT(read({{".rag", "r"}}, {"rag"}).names(), ElementsAre("rag"));
}
