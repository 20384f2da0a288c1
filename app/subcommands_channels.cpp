// The subcommands about people who write from elsewhere, and what leaves for them.
#include "app/subcommands.h"

namespace app {

void add_channels(CLI::App& root, Arguments& a, Action& chosen) {
    auto* pair = group(root, "pair", "Who writes from elsewhere, such as Telegram, and whose they are");
    command(*pair, "list", "Who waits with a code, and who is known", "hearth pair list", chosen, [&a](const auto& s) { return app::pair_list(s, a.json); })->add_flag("--json", a.json);
    auto* approved = command(*pair, "approve", "Whoever was told the code is that person from now on", "hearth pair approve ABCD-EFGH --person Clara", chosen,
                             [&a](const auto& s) { return app::pair_approve(s, a.name, a.person, a.json); });
    approved->add_option("code", a.name, "as they were told it")->required();
    approved->add_option("--person", a.person, "a name or an id of hearth person list")->required();
    approved->add_flag("--json", a.json);
    auto* removed = command(*pair, "rm", "Whoever it is, is nobody from now on", "hearth pair rm telegram 123456789", chosen, [&a](const auto& s) { return app::pair_remove(s, a.name, a.out, a.json); });
    removed->add_option("bridge", a.name)->required();
    removed->add_option("sender", a.out, "of hearth pair list")->required();
    removed->add_flag("--json", a.json);
    auto* outbox = group(root, "outbox", "What has left for people, and how that ended");
    auto* left = command(*outbox, "list", "The newest first; of what is for others not what it says", "hearth outbox list --limit 5", chosen, [&a](const auto& s) { return app::outbox_list(s, a.limit, a.json); });
    left->add_option("--limit", a.limit, "how many")->check(CLI::Range(1, 500))->capture_default_str();
    left->add_flag("--json", a.json);
    auto* silenced = command(*outbox, "silence", "Nothing leaves for anybody; what would stays queued", "hearth outbox silence --until 07:30", chosen, [&a](const auto& s) { return app::outbox_silence(s, a.text, a.json); });
    silenced->add_option("--until", a.text, "a time of the day; default: until hearth outbox resume");
    auto* resumed = command(*outbox, "resume", "Messages leave again", "hearth outbox resume", chosen, [&a](const auto& s) { return app::outbox_resume(s, a.json); });
    auto* let_out = command(*outbox, "allow", "A prepared message may leave: one that a rule of the house asks about", "hearth outbox allow 0199f3c2-7a51-7c3e-9d21-5b8f6a0c4e17", chosen,
                            [&a](const auto& s) { return app::outbox_word(s, a.name, true, a.json); });
    auto* kept_in = command(*outbox, "deny", "It may not", "hearth outbox deny 0199f3c2-7a51-7c3e-9d21-5b8f6a0c4e17", chosen, [&a](const auto& s) { return app::outbox_word(s, a.name, false, a.json); });
    auto* sent = command(*outbox, "sent", "A message that is unknown has arrived", "hearth outbox sent 0199f3c2-7a51-7c3e-9d21-5b8f6a0c4e17", chosen,
                         [&a](const auto& s) { return app::outbox_told(s, a.name, true, false, a.json); });
    auto* unsent = command(*outbox, "unsent", "It has not arrived", "hearth outbox unsent 0199f3c2-7a51-7c3e-9d21-5b8f6a0c4e17 --again", chosen,
                           [&a](const auto& s) { return app::outbox_told(s, a.name, false, a.all, a.json); });
    unsent->add_flag("--again", a.all, "and is sent once more");
    for (CLI::App* sub : {let_out, kept_in, sent, unsent}) sub->add_option("id", a.name, "of hearth outbox list")->required();
    auto* blob = group(root, "blob", "Pictures, voices and files that came with messages, as they came");
    auto* came = command(*blob, "list", "The newest first: which there are, and whether they are kept", "hearth blob list", chosen, [&a](const auto& s) { return app::blob_list(s, a.limit, a.json); });
    came->add_option("--limit", a.limit, "how many")->check(CLI::Range(1, 500))->capture_default_str();
    auto* shown = command(*blob, "show", "What one is, and what it came with", "hearth blob show 0190…", chosen, [&a](const auto& s) { return app::blob_show(s, a.name, a.json); });
    auto* saved = command(*blob, "save", "Write one into a file that is not there yet", "hearth blob save 0190… picture.jpg", chosen, [&a](const auto& s) { return app::blob_save(s, a.name, a.out, a.json); });
    auto* remembered = command(*blob, "remember", "Remember what one says, by its sections; of a text alone", "hearth blob remember 0190…", chosen, [&a](const auto& s) { return app::blob_remember(s, a.name, a.json); });
    auto* forgotten = command(*blob, "forget", "Forget one, and its file", "hearth blob forget 0190…", chosen, [&a](const auto& s) { return app::blob_forget(s, a.name, a.json); });
    for (CLI::App* sub : {shown, saved, remembered, forgotten}) sub->add_option("id", a.name, "of hearth blob list")->required();
    saved->add_option("file", a.out)->required();
    for (CLI::App* sub : {came, shown, saved, remembered, forgotten}) sub->add_flag("--json", a.json);
    for (CLI::App* sub : {silenced, resumed, let_out, kept_in, sent, unsent}) sub->add_flag("--json", a.json);
}

}  // namespace app
