// hearth memory.
#include "app/subcommands.h"

namespace app {
namespace {

void add_archive(CLI::App& memory, Arguments& a, Action& chosen) {
    auto* archive = memory.add_subcommand("archive", "Put what was said, and its summaries, into your archive, as the night does");
    archive->footer("Example: hearth memory archive");
    auto* shown = command(*archive, "show", "A text of the archive, by the id of its segment or episode", "hearth memory archive show 0190…", chosen, [&a](const auto& s) { return app::memory_archive_show(s, a.name, a.json); });
    shown->add_option("id", a.name, "as hearth memory why tells it, or the name of the archive's file")->required();
    archive->callback([&a, &chosen, archive] {
        if (archive->get_subcommands().empty()) chosen = [&a](const auto& s) { return app::memory_archive(s, a.json); };
    });
    for (CLI::App* one : {archive, shown}) one->add_flag("--json", a.json, "as JSON, for scripts");
}

std::string name_fault(const std::string& name) {
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos ? "" : "'" + name + "' is no name of a collection: it takes a to z, 0 to 9, _ and -";
}

void add_collections(CLI::App& memory, Arguments& a, Action& chosen) {
    auto* all = group(memory, "collection", "Named lists whose items hold to a schema; agents add to them, find in them and change them");
    auto* create = command(*all, "create", "Make one", R"(hearth memory collection create recipes '{"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}')", chosen,
                           [&a](const auto& s) { return app::collection_create(s, a.name, a.text, a.json); });
    auto* listed = command(*all, "list", "Your collections, their fields and how much is in them", "hearth memory collection list", chosen, [&a](const auto& s) { return app::collection_list(s, a.json); });
    auto* shown = command(*all, "show", "What is in one, the newest first", "hearth memory collection show recipes", chosen, [&a](const auto& s) { return app::collection_show(s, a.name, a.limit, a.json); });
    shown->add_option("--limit", a.limit, "how many items")->check(CLI::Range(1, 500))->capture_default_str();
    auto* added = command(*all, "add", "Put an item into one", R"(hearth memory collection add recipes '{"title": "Bread"}')", chosen, [&a](const auto& s) { return app::collection_add(s, a.name, a.text, a.json); });
    auto* removed = command(*all, "remove", "Remove one with all its items", "hearth memory collection remove recipes", chosen, [&a](const auto& s) { return app::collection_remove(s, a.name); });
    for (CLI::App* one : {create, shown, added, removed}) one->add_option("name", a.name, "of the collection")->required()->check(CLI::Validator(name_fault, "", ""));
    for (CLI::App* one : {create, added}) one->add_option(one == create ? "schema" : "item", a.text, one == create ? "JSON Schema of an object with named fields" : "a JSON object that fits its schema")->required();
    for (CLI::App* one : {create, listed, shown, added}) one->add_flag("--json", a.json, "as JSON, for scripts");
}

}  // namespace

void add_memory(CLI::App& root, Arguments& a, Action& chosen) {
    auto* memory = group(root, "memory", "What is remembered");
    auto* bench = command(*memory, "bench", "Measure what recall finds, with plain BM25 beside it", "hearth memory bench --data locomo", chosen,
                          [&a](const auto& s) { return a.facts > 0 ? app::memory_size_bench(s, a.facts, a.of_person ? a.of_person : a.facts / 4, a.questions, a.json) : app::memory_bench(a.out, a.name, a.json); });
    auto* data = bench->add_option("--data", a.out, "folder with conversations in LoCoMo's form (JSON); default: the current one");
    auto* encoder = bench->add_option("--encoder", a.name, "GGUF file, or folder of sentence-transformers, of a model of vectors: recall with them, too");
    auto* facts = bench->add_option("--facts", a.facts, "how long a question takes in so many made-up facts instead, in a PostgreSQL of its own that is gone afterwards")->check(CLI::Range(1000, 100'000'000))->excludes(data)->excludes(encoder);
    bench->add_option("--person", a.of_person, "how many of them are one person's; default: a quarter")->check(CLI::Range(100, 99'000'000))->needs(facts);
    bench->add_option("--questions", a.questions, "how many are asked")->check(CLI::Range(1, 100'000))->capture_default_str()->needs(facts);
    bench->add_flag("--json", a.json, "as JSON, for scripts");
    auto* listed = command(*memory, "list", "What is remembered for you, the newest first", "hearth memory list --limit 5", chosen, [&a](const auto& s) { return app::memory_list(s, a.limit, a.all, a.json); });
    listed->add_option("--limit", a.limit, "how many")->check(CLI::Range(1, 500))->capture_default_str();
    listed->add_flag("--all", a.all, "what was replaced by something newer, too");
    auto* shown = command(*memory, "show", "One fact: how long it holds, what it replaces, when and in which run it was told", "hearth memory show 0190…", chosen,
                          [&a](const auto& s) { return app::memory_show(s, a.name, a.json); });
    auto* why = command(*memory, "why", "What a question brings back, where each is from and why it is found", "hearth memory why \"wifi password\"", chosen,
                        [&a](const auto& s) { return app::memory_why(s, a.text, a.json); });
    why->add_option("question", a.text)->required();
    auto* health = command(*memory, "health", "How much is remembered for you, and how far it is summed up", "hearth memory health", chosen, [&a](const auto& s) { return app::memory_health(s, a.json); });
    auto* summed = command(*memory, "consolidate", "Sum up what was said and note facts of it, by a model; it gives way to whoever else asks it", "hearth memory consolidate --seconds 60", chosen,
                           [&a](const auto& s) { return app::memory_consolidate(s, a.seconds, a.json); });
    summed->add_option("--seconds", a.seconds, "how long, at most")->check(CLI::Range(1, 3600))->capture_default_str();
    auto* ingested = command(*memory, "ingest", "Remember documents, text or Markdown, by their sections", "hearth memory ingest manual.md", chosen, [&a](const auto& s) { return app::memory_ingest(s, a.files, a.json); });
    ingested->add_option("file", a.files, "each is read by this command, and the same text is kept once")->required();
    auto* documents = command(*memory, "documents", "Which documents are remembered for you, the newest first", "hearth memory documents", chosen,
                              [&a](const auto& s) { return app::memory_documents(s, a.limit, a.json); });
    documents->add_option("--limit", a.limit, "how many")->check(CLI::Range(1, 500))->capture_default_str();
    auto* forgotten = command(*memory, "forget", "What would go with a fact or a document; with --yes, forget it", "hearth memory forget 0190… --yes", chosen,
                              [&a](const auto& s) { return app::memory_forget(s, a.name, a.yes, a.json); });
    forgotten->add_flag("--yes", a.yes, "really: it, and what holds it, cannot be brought back");
    for (CLI::App* one : {shown, forgotten}) one->add_option("id", a.name, "of hearth memory list, or of hearth memory documents")->required();
    add_archive(*memory, a, chosen);
    add_collections(*memory, a, chosen);
    auto* exported = command(*memory, "export", "What you asked and the critic found well answered, as a file that models are trained on (JSONL of chat messages)", "hearth memory export pairs.jsonl --since 2026-03-01", chosen,
                             [&a](const auto& s) { return app::memory_export(s, a.out, a.name, a.text); });
    exported->add_option("file", a.out, "to write, whole or not at all")->required();
    exported->add_option("--since", a.name, "from that day on, such as 2026-03-01 (UTC)");
    exported->add_option("--until", a.text, "before that day");
    for (CLI::App* one : {listed, shown, why, health, summed, ingested, documents, forgotten}) one->add_flag("--json", a.json, "as JSON, for scripts");
}

}  // namespace app
