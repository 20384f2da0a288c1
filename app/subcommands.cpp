#include "app/subcommands.h"

#include "base/language.h"
#include "base/split.h"

namespace app {

CLI::App* command(CLI::App& parent, const char* name, const char* help, const char* example, Action& chosen, Action run) {
    CLI::App* sub = parent.add_subcommand(name, help);
    sub->footer(std::string("Example: ") + example);
    sub->callback([&chosen, run] { chosen = run; });
    return sub;
}

CLI::App* group(CLI::App& parent, const char* name, const char* help) {
    CLI::App* sub = parent.add_subcommand(name, help);
    sub->require_subcommand(1);
    return sub;
}

namespace {

constexpr int kMostCounted = 1'000'000'000;  // calls, versions

void add_talking(CLI::App& root, Arguments& a, Action& chosen) {
    auto* chat = command(root, "chat", "Talk to the agent, in this folder", "", chosen, [&a](const auto& s) { return app::chat(s, a.chat); });
    chat->add_option("question", a.chat.question, "asked once; text piped in follows it. Without it: the piped text, or a conversation on a terminal");
    chat->add_option("--agent", a.chat.agent, "of docs/agents.md, or a model of the roster alone; default: hearth/dev");
    chat->add_option("--workspace", a.chat.workspace, "the folder that the tools see; default: the current one");
    chat->add_option("--conversation", a.chat.conversation, "goes on with an earlier conversation");
    chat->add_flag("--read-only", a.chat.read_only, "tools may read and not write");
    chat->add_option("--write-tier", a.chat.write_tier, "what tools may write: prompts (what lies in prompts/), skills (and in skills/), code (everything)")->check(CLI::IsMember({"prompts", "skills", "code"}));
    chat->add_flag("--once", a.chat.once, "answers one question, then says what it cost");
    chat->add_flag("--json", a.chat.json, "prints the answer as JSON");
    chat->footer("Example: hearth chat \"what is in this folder?\"\n"
                 "         hearth chat --agent hearth\n"
                 "         git diff | hearth chat \"review this change\"\n"
                 "With a question and a pipe, the message is the question, an empty line and all of the piped text.\n"
                 "Exits 0 when answered, 3 when rounds, tokens or time ran out, 4 when policy refused, 5 when no model could\n"
                 "answer (the server is down or full; while a model loads it is waited for), 6 when it waits for your word and nobody can\n"
                 "be asked here, 130 when interrupted, 2 on wrong use, else 1.");
}

void add_runs(CLI::App& root, Arguments& a, Action& chosen) {
    auto& r = a.run;
    auto* run = root.add_subcommand("run", "Have an agent do something that goes on without this terminal, and see to it");
    run->add_option("message", r.words, "what it is asked; text piped in follows it")->expected(1, 100);
    run->add_option("--agent", r.agent, "of docs/agents.md; default: hearth/dev");
    run->add_option("--workspace", r.workspace, "the folder that the tools see; default: the current one, where the agent works in one");
    run->add_flag("--read-only", r.read_only, "tools may read and not write");
    run->add_option("--key", r.key, "sent again with the same key within a day, the same request begins nothing new");
    const auto shown = [&r](CLI::App* sub, bool begins) {
        if (begins) sub->add_flag("--detach", r.detach, "prints its id and shows nothing of it");
        sub->add_flag("--json", r.json, "as JSON, for scripts");
    };
    shown(run, true);
    command(*run, "list", "Your runs, the newest first", "hearth run list --limit 5", chosen, [&a](const auto& s) { return app::run_list(s, a.run, a.limit); })
        ->add_option("--limit", a.limit, "how many")->check(CLI::Range(1, 500))->capture_default_str();
    const auto of_one = [&](const char* name, const char* help, const char* example, Action act) {
        auto* sub = command(*run, name, help, example, chosen, std::move(act));
        sub->add_option("id", a.name, "the run's, or the beginning that the list shows")->required();
        return sub;
    };
    of_one("show", "How far it is, what it waits for, what it used, its answer", "hearth run show 0190…", [&a](const auto& s) { return app::run_show(s, a.run, a.name); });
    of_one("follow", "What it tells, from its beginning to its end", "hearth run follow 0190…", [&a](const auto& s) { return app::run_follow(s, a.run, a.name); });
    of_one("stop", "End it, and what it has spawned", "hearth run stop 0190…", [&a](const auto& s) { return app::run_stop(s, a.run, a.name); });
    of_one("steer", "Add words, which its next step reads", "hearth run steer 0190… \"and answer in French\"", [&a](const auto& s) { return app::run_steer(s, a.run, a.name, a.text); })
        ->add_option("message", a.text, "the words")->required();
    of_one("approve", "Your word on what it waits for", "hearth run approve 0190… grant", [&a](const auto& s) { return app::run_approve(s, a.run, a.name, a.word); })
        ->add_option("word", a.word, "grant or deny; default: shows it and asks")->check(CLI::IsMember({"grant", "deny"}));
    auto* fork = of_one("fork", "A new run that begins where that one was behind a step of it", "hearth run fork 0190… --step 3 \"and answer in French\"",
                        [&a](const auto& s) { return app::run_fork(s, a.run, a.name, a.step, a.text); });
    fork->add_option("message", a.text, "words that are added to it");
    fork->add_option("--step", a.step, "its position from 0, or its id; default: the last that has an outcome");
    for (CLI::App* sub : run->get_subcommands([](const CLI::App*) { return true; })) shown(sub, sub == fork);
    run->callback([&a, &chosen, run] {
        if (run->get_subcommands().empty()) chosen = [&a](const auto& s) { return app::run_start(s, a.run); };
        else if (!a.run.words.empty()) chosen = [&a, name = run->get_subcommands().front()->get_name()](const auto&) { return app::run_mixed(a.run, name); };
    });
    run->footer("Example: hearth run \"count the files here\"\n"
                "         git diff | hearth run --detach \"review this change\"\n"
                "         hearth run steer 0190… \"and the largest of them\"\n"
                "Ctrl-C leaves a run going. A command exits as hearth chat does (hearth chat --help), of the run that it shows; 130 when it was left.");
}

void add_models(CLI::App& root, Arguments& a, Action& chosen) {
    auto* model = group(root, "model", "List, inspect, convert, fetch and choose models");
    command(*model, "list", "Known models and which are here", "hearth model list", chosen, [&a](const auto& s) { return app::model_list(s, a.json); })
        ->add_flag("--json", a.json, "as JSON, for scripts");
    auto* inspect = command(*model, "inspect", "What a model file is and what it would take; fails when serve would not load it", "hearth model inspect model.gguf", chosen,
                            [&a](const auto& s) { return app::model_inspect(s, a.name, a.json); });
    inspect->add_option("file", a.name, "GGUF file, or folder of a checkpoint; default: the chosen model");
    inspect->add_flag("--json", a.json, "as JSON, for scripts");
    auto* convert = command(*model, "convert", "Write a model as one file that loads by mapping it, laid out for this machine's kernels", "hearth model convert model.gguf model.hearth", chosen,
                            [&a](const auto& s) { return app::model_convert(s, a.name, a.out, a.json); });
    convert->add_option("source", a.name, "GGUF file, or folder of a checkpoint")->required();
    convert->add_option("file", a.out, "the file to write")->required();
    convert->add_flag("--json", a.json, "as JSON, for scripts");
    command(*model, "pull", "Fetch a model", "hearth model pull qwen2.5-coder-0.5b-instruct", chosen, [&a](const auto& s) { return app::model_pull(s, a.name); })
        ->add_option("name", a.name, "a name of the catalogue; default: its first");
    command(*model, "load", "Load a model of the running server that is not loaded", "hearth model load small", chosen, [&a](const auto& s) { return app::model_set_loaded(s, a.name, true); })
        ->add_option("name", a.name, "of the settings' section models, or a model that is called by that name")->required();
    command(*model, "unload", "Give the memory of one back, when the requests that it has begun have ended", "hearth model unload small", chosen, [&a](const auto& s) { return app::model_set_loaded(s, a.name, false); })
        ->add_option("name", a.name, "as for load")->required();
    command(*model, "use", "Choose the model that serve loads", "hearth model use /models/other.gguf", chosen, [&a](const auto& s) { return app::model_use(s, a.name); })
        ->add_option("name", a.name, "a name of the catalogue, or a file")->required();
}

void add_people(CLI::App& root, Arguments& a, Action& chosen) {
    auto* person = group(root, "person", "The people, and how each is answered");
    command(*person, "list", "All of them", "hearth person list", chosen, [&a](const auto& s) { return app::person_list(s, a.json); })->add_flag("--json", a.json);
    auto* added = command(*person, "add", "Take one in", "hearth person add Clara", chosen, [&a](const auto& s) { return app::person_add(s, a.name, a.role, a.json); });
    added->add_option("name", a.name, "what the person is called")->required();
    added->add_option("--role", a.role, "member, or guest: who has no tools")->check(CLI::IsMember({"member", "guest"}))->capture_default_str();
    added->add_flag("--json", a.json);
    auto* set = command(*person, "set", "How one is answered from the next message on", "hearth person set Clara --replies plain", chosen,
                        [&a](const auto& s) { return app::person_set(s, a.name, a.replies, a.effort, a.tone, a.text, a.json); });
    set->add_option("person", a.name, "a name or an id of hearth person list")->required();
    set->add_option("--replies", a.replies, "plain: no formulas, tables, code, headings, raw data, paths; full: as the model writes")->check(CLI::IsMember({"full", "plain"}));
    set->add_option("--effort", a.effort, "the least that a message is given: auto, normal (sorted first, tools), heavy (thought over, too)")->check(CLI::IsMember({"auto", "normal", "heavy"}));
    set->add_option("--tone", a.tone, "in the person's own words, a line of at most 300 characters; \"\": none");
    const auto languages = base::language_choices();
    set->add_option("--language", a.text, "of what no model has written; auto: as the channel says")->check(CLI::IsMember(std::vector<std::string>(languages.begin(), languages.end())));
    set->add_flag("--json", a.json);
    auto* quiet = command(*person, "quiet", "When somebody wants no messages but answers to what he has just written", "hearth person quiet Clara 22:00-07:00 --zone Europe/Berlin", chosen,
                          [&a](const auto& s) { return app::person_quiet(s, a.name, a.text, a.out, a.json); });
    quiet->add_option("person", a.name, "a name or an id of hearth person list")->required();
    quiet->add_option("hours", a.text, "as 22:00-07:00; none: never")->required();
    quiet->add_option("--zone", a.out, "where that is so: a name as Europe/Berlin");
    quiet->add_flag("--json", a.json);
    auto* people = group(root, "group", "Groups of people, who share what is remembered for them");
    command(*people, "list", "All groups, and who is in them", "hearth group list", chosen, [&a](const auto& s) { return app::group_list(s, a.json); })->add_flag("--json", a.json);
    auto* members = command(*people, "set", "These are in it from now on, and nobody else; a new group is made", "hearth group set family --person Anna --person Ben", chosen,
                            [&a](const auto& s) { return app::group_set(s, a.name, a.people, a.json); });
    members->add_option("name", a.name)->required();
    members->add_option("--person", a.people, "a name or an id of hearth person list; may be given again; none: nobody is in it");
    members->add_flag("--json", a.json);
    auto* directive = group(root, "directive", "What the house, or one person, wants of every agent");
    const auto of_person = [&a](CLI::App* sub, const char* help) {
        sub->add_option("--person", a.person, help);
        sub->add_flag("--json", a.json);
    };
    auto* listed = command(*directive, "list", "The prime ones, which are part of the program, and those of the house and of people", "hearth directive list", chosen,
                           [&a](const auto& s) { return a.key_file.empty() ? app::directive_list(s, a.json) : app::own_directive_list(s, a.key_file, a.json); });
    listed->add_flag("--json", a.json);
    auto* add = command(*directive, "add", "Add one; runs that begin from then on are told", "hearth directive add no_names \"Never write the children's names into files.\" --days 30", chosen,
                        [&a](const auto& s) {
                            return a.key_file.empty() ? app::directive_add(s, a.name, a.out, a.person, a.days, a.json) : app::own_directive_add(s, a.key_file, a.name, a.out, a.days, a.json);
                        });
    add->add_option("name", a.name, "a letter, then letters, digits and '_'")->required();
    add->add_option("text", a.out, "a line of at most 500 characters")->required();
    add->add_option("--days", a.days, "until it expires")->check(CLI::Range(1, 3650));
    of_person(add, "for this person alone; default: for the house");
    auto* remove = command(*directive, "remove", "Remove one", "hearth directive remove no_names", chosen, [&a](const auto& s) {
        return a.key_file.empty() ? app::directive_remove(s, a.name, a.person, a.json) : app::own_directive_remove(s, a.key_file, a.name, a.json);
    });
    remove->add_option("name", a.name)->required();
    of_person(remove, "that one's; default: the house's");
    for (CLI::App* sub : {listed, add, remove}) {
        auto* key = sub->add_option("--key", a.key_file, "a file with a key of yours: what you want for yourself, through the running server");
        if (sub != listed) key->excludes("--person");
    }
}

void add_prompts(CLI::App& root, Arguments& a, Action& chosen) {
    auto* prompt = group(root, "prompt", "What agents are told, by version");
    const auto named = [&a](CLI::App* sub) {
        sub->add_option("name", a.name, "of hearth prompt list")->required();
        return sub;
    };
    const auto in_json = [&a](CLI::App* sub) { sub->add_flag("--json", a.json, "as JSON, for scripts"); };
    in_json(command(*prompt, "list", "All prompts, and which version is live", "hearth prompt list", chosen, [&a](const auto& s) { return app::prompt_list(s, a.json); }));
    in_json(named(command(*prompt, "versions", "The versions of one, the newest first", "hearth prompt versions recompose", chosen,
                          [&a](const auto& s) { return app::prompt_versions(s, a.name, a.json); })));
    auto* show = named(command(*prompt, "show", "The text of one", "hearth prompt show recompose > recompose.md", chosen,
                               [&a](const auto& s) { return app::prompt_show(s, a.name, a.version, a.json); }));
    show->add_option("version", a.version, "a number or a label; default: live");
    in_json(show);
    auto* diff = named(command(*prompt, "diff", "What changed between two versions", "hearth prompt diff recompose shipped live", chosen,
                               [&a](const auto& s) { return app::prompt_diff(s, a.name, a.version, a.other_version); }));
    diff->add_option("before", a.version, "a number or a label; default: live");
    diff->add_option("after", a.other_version, "default: the newest");
    auto* save = named(command(*prompt, "save", "Save a new version, as a draft", "hearth prompt save recompose recompose.md", chosen,
                               [&a](const auto& s) { return app::prompt_save(s, a.name, a.out, a.fresh, a.json); }));
    save->add_option("file", a.out, "its text; - for standard input")->required();
    save->add_flag("--new", a.fresh, "a prompt that there is not yet, for an agent of your own");
    in_json(save);
    auto* release = named(command(*prompt, "release", "Make a version live for all runs that begin from now on", "", chosen,
                                  [&a](const auto& s) { return app::prompt_release(s, a.name, a.number, a.override_reason, a.json); }));
    release->add_option("version", a.number)->required()->check(CLI::Range(1, kMostCounted));
    release->add_option("--override", a.override_reason, "why it may go live on your word alone; recorded");
    in_json(release);
    release->footer("Example: hearth prompt release recompose 2\n"
                    "         hearth prompt release recompose 2 --override \"shorter answers\"\n"
                    "Without --override, hearth quality run --prompt recompose@2 must have passed beside the other versions that are live now.");
    in_json(named(command(*prompt, "rollback", "Make live again what was live before", "hearth prompt rollback recompose", chosen,
                          [&a](const auto& s) { return app::prompt_rollback(s, a.name, a.json); })));
}

void add_quality(CLI::App& root, Arguments& a, Action& chosen) {
    auto* quality = group(root, "quality", "How well the agents do what they are asked");
    auto& options = a.quality;
    auto* run = command(*quality, "run", "Ask the running server the scripted cases and judge what comes of them", "", chosen, [&options](const auto& s) { return app::quality_run(s, options); });
    run->add_option("--prompt", options.prompts, "with this version of a prompt: NAME@VERSION, the version a number or draft, previous, shipped; may be given again");
    run->add_option("--case", options.only, "those alone whose name has this form, as in 'files/*'; nothing is recorded");
    auto* bfcl = run->add_option("--bfcl", options.bfcl, "also cases of the Berkeley Function Calling Leaderboard: the folder with its BFCL_v4_*.jsonl and possible_answer");
    run->add_option("--each", options.each, "how many of each of its categories")->check(CLI::Range(1, 10000))->capture_default_str()->needs(bfcl);
    run->add_flag("--json", options.json, "as JSON, for scripts");
    run->footer("Example: hearth quality run\n"
                "         hearth quality run --prompt recompose@draft\n"
                "         hearth quality run --case 'files/*'\n"
                "A version passes when at least as many cases pass as under the live versions, which are measured too where that was not\n"
                "done, and none fails that is marked must and passes under them. Then hearth prompt release makes it live.\n"
                "Exits 0 when the version passes, without --prompt when the cases were asked, with --case when all of them pass; else 1.");
}

void add_secrets(CLI::App& root, Arguments& a, Action& chosen) {
    auto* secret = group(root, "secret", "Values that settings and prompts name and never hold");
    auto* set = command(*secret, "set", "Keep a secret: its value is read from standard input", "", chosen,
                        [&a](const auto& s) { return app::secret_set(s, a.name, a.host, a.tools, a.shared, a.json); });
    set->add_option("name", a.name, "a letter, then letters, digits, '.', '_', '-'")->required();
    auto* host = set->add_option("--host", a.host, "the only host that it may be sent to");
    set->add_option("--for", a.tools, "instead of for upstreams: for calls of these tools, such as bash")->delimiter(',')->excludes(host);
    set->add_flag("--shared", a.shared, "the household's: everybody in it may use it");
    set->add_flag("--json", a.json, "as JSON, for scripts");
    set->footer("Example: hearth secret set openai --host api.openai.com < key.txt\n"
                "         hearth secret set openai        (asks for it, without showing what is typed)\n"
                "         hearth secret set github --for bash\n"
                "Then `upstream.key: secret:openai` in a settings file, or an agent's call such as bash with the variable TOKEN=secret:github, stands for it.");
    command(*secret, "list", "Which there are, without their values", "hearth secret list --json", chosen, [&a](const auto& s) { return app::secret_list(s, a.json); })
        ->add_flag("--json", a.json, "as JSON, for scripts");
    auto* remove = command(*secret, "rm", "Forget a secret", "hearth secret rm openai", chosen, [&a](const auto& s) { return app::secret_remove(s, a.name, a.shared, a.json); });
    remove->add_option("name", a.name)->required();
    remove->add_flag("--shared", a.shared, "the household's of that name");
    remove->add_flag("--json", a.json, "as JSON, for scripts");
    auto* rotate = command(*secret, "rotate", "Encrypt secrets anew, under fresh data keys", "hearth secret rotate --master", chosen,
                           [&a](const auto& s) { return app::secret_rotate(s, a.name, a.master, a.json); });
    auto* one = rotate->add_option("name", a.name, "this one alone; default: all of yours");
    rotate->add_flag("--master", a.master, "a new master key for everybody's, in place of fresh data keys")->excludes(one);
    rotate->add_flag("--json", a.json, "as JSON, for scripts");
}

void add_rules(CLI::App& root, Arguments& a, Action& chosen) {
    auto* rule = group(root, "rule", "What agents may do in this house, beside the shipped rules");
    auto& r = a.rule;
    auto* set = command(*rule, "set", "Set a rule, or set it anew", "", chosen, [&a](const auto& s) { return app::rule_set(s, a.name, a.rule); });
    set->add_option("name", a.name, "a letter, then letters, digits and '_'")->required();
    set->add_option("verdict", r.verdict, "allow, ask (a person, each time) or deny")->required()->check(CLI::IsMember({"allow", "ask", "deny"}));
    const auto column = [&](const char* flag, std::vector<std::string>& to, const char* help) { set->add_option(flag, to, help)->delimiter(','); };
    column("--tool", r.tools, "of these tools alone");
    column("--permission", r.permissions, "of what needs one of these: workspace_read, workspace_write, execute, memory_read, memory_write, network, people, money, threads, secret (the call is given one), admin");
    column("--person", r.people, "for these people alone");
    column("--role", r.roles, "for owner, member");
    column("--scope", r.scopes, "for the agents of dev, home");
    column("--label", r.labels, "untrusted: once a text from outside is in the conversation");
    column("--weekday", r.weekdays, "on mon, tue, wed, thu, fri, sat, sun, where its hours begin");
    set->add_option("--hours", r.hours, "from one time to another, of this machine's clock; past midnight too");
    set->add_option("--after-calls", r.after_calls, "once the person has had the tool called so often on a day")->check(CLI::Range(1, kMostCounted));
    set->add_option("--reason", r.reason, "told to the person and to the model");
    set->add_flag("--json", r.json);
    set->footer("Example: hearth rule set ask_before_programs ask --tool bash\n"
                "         hearth rule set no_programs_at_night deny --permission execute --hours 22:00-07:00 --role member\n"
                "What is left out matches everything. Of rules that match the strictest counts. A rule that allows takes away the question of a\n"
                "shipped one, never a refusal, nor what is asked because a text from outside is in the conversation, nor what changes this machine.");
    command(*rule, "list", "The rules of this house, and the shipped ones", "hearth rule list --json", chosen, [&a](const auto& s) { return app::rule_list(s, a.json); })->add_flag("--json", a.json);
    auto* remove = command(*rule, "rm", "Remove a rule of this house", "hearth rule rm ask_before_programs", chosen, [&a](const auto& s) { return app::rule_remove(s, a.name, a.json); });
    remove->add_option("name", a.name)->required();
    remove->add_flag("--json", a.json);
}

void add_schedules(CLI::App& root, Arguments& a, Action& chosen) {
    ScheduleOptions& o = a.schedule;
    auto* schedule = group(root, "schedule", "What is to be done at a time, or again and again");
    auto* added = command(*schedule, "add", "Have an agent do something then", "", chosen, [&a](const auto& s) { return app::schedule_add(s, a.schedule); });
    added->add_option("when", o.when, "in words of English or French, or as a cron expression")->required();
    added->add_option("what", o.words, "is to be done")->required();
    added->add_option("--zone", o.zone, "whose clock it goes by, such as Europe/Paris; default: the household's (nightly.zone), else this machine's");
    added->add_option("--channel", o.channel, "where the answer goes, such as telegram; default: it is kept, and hearth schedule show has it");
    added->add_option("--agent", o.agent, "who does it, of docs/agents.md")->capture_default_str();
    added->add_option("--missed", o.missed, "what becomes of times that passed while no server ran: skip, once (the last is made up for), all")->check(CLI::IsMember({"skip", "once", "all"}))->capture_default_str();
    added->add_flag("--silent", o.silent, "nothing is said where there is nothing to say");
    added->add_flag("--json", o.json, "as JSON, for scripts");
    added->footer("Example: hearth schedule add \"every weekday at 8am\" \"what is in the news?\"\n"
                  "         hearth schedule add --silent \"*/30 * * * *\" \"is the disk nearly full?\"\n"
                  "         hearth schedule add \"demain à 7h\" \"rappelle-moi le rendez-vous\"\n"
                  "What could be read in two ways is asked about. What is asked twice for the same times is kept once.");
    auto* listed = command(*schedule, "list", "What is to be done, the next to come first", "hearth schedule list", chosen, [&a](const auto& s) { return app::schedule_list(s, a.all, a.json); });
    listed->add_flag("--all", a.all, "also what is over");
    listed->add_flag("--json", a.json, "as JSON, for scripts");
    const auto one = [&](const char* name, const char* help, const char* example, Action run) {
        auto* sub = command(*schedule, name, help, example, chosen, std::move(run));
        sub->add_option("id", a.name, "of hearth schedule list, or its beginning")->required();
        sub->add_flag("--json", a.json, "as JSON, for scripts");
    };
    one("show", "One of them, and what came of it", "hearth schedule show 0190…", [&a](const auto& s) { return app::schedule_show(s, a.name, a.json); });
    one("run", "Do it now, too; the running server begins it", "hearth schedule run 0190…", [&a](const auto& s) { return app::schedule_run(s, a.name, a.json); });
    one("pause", "Leave it for now", "hearth schedule pause 0190…", [&a](const auto& s) { return app::schedule_pause(s, a.name, true, a.json); });
    one("resume", "Go on with it; what was left is not made up for", "hearth schedule resume 0190…", [&a](const auto& s) { return app::schedule_pause(s, a.name, false, a.json); });
    one("rm", "End it", "hearth schedule rm 0190…", [&a](const auto& s) { return app::schedule_remove(s, a.name, a.json); });
}

void add_heartbeat(CLI::App& root, Arguments& a, Action& chosen) {
    command(root, "heartbeat", "What there is for you to act on, as the running server saw it last", "hearth heartbeat", chosen, [&a](const auto& s) { return app::heartbeat(s, a.json); })
        ->add_flag("--json", a.json, "as JSON, for scripts");
}

void add_review(CLI::App& root, Arguments& a, Action& chosen) {
    auto* review = group(root, "review", "What fails again and again, and what becomes of it");
    command(*review, "run", "Look at what has failed since it last did", "hearth review run", chosen, [&a](const auto& s) { return app::review_run(s, a.json); })->add_flag("--json", a.json);
    auto* listed = command(*review, "list", "The issues, those to be seen to first", "hearth review list", chosen, [&a](const auto& s) { return app::review_list(s, a.all, a.json); });
    listed->add_flag("--all", a.all, "also those that are deployed or closed");
    listed->add_flag("--json", a.json);
    auto* shown = command(*review, "show", "One of them, and the runs that show it", "hearth review show 0190…", chosen, [&a](const auto& s) { return app::review_show(s, a.name, a.json); });
    auto* closed = command(*review, "close", "It is known, and nothing is to be done", "hearth review close 0190…", chosen, [&a](const auto& s) { return app::review_mark(s, a.name, "closed", a.json); });
    auto* marked = command(*review, "mark", "How far it is", "hearth review mark 0190… fixed-locally", chosen, [&a](const auto& s) { return app::review_mark(s, a.name, a.word, a.json); });
    for (CLI::App* one : {shown, closed, marked}) {
        one->add_option("id", a.name, "of hearth review list, or its beginning")->required();
        one->add_flag("--json", a.json);
    }
    marked->add_option("state", a.word, "needs-triage, ready-to-fix, or fixed-locally: it is deployed with the next build that runs")->required();
}

void add_keeping(CLI::App& root, Arguments& a, Action& chosen) {
    auto* db = group(root, "db", "The database");
    command(*db, "start", "Start it", "hearth db start", chosen, [](const auto& s) { return app::db_start(s); });
    command(*db, "stop", "Stop it", "hearth db stop", chosen, [](const auto& s) { return app::db_stop(s); });
    command(*db, "status", "Whether it runs", "hearth db status --json", chosen, [&a](const auto& s) { return app::db_status(s, a.json); })->add_flag("--json", a.json, "as JSON, for scripts");
    command(*db, "roles", "The SQL for a PostgreSQL of your own", "hearth db roles > roles.sql && psql -U postgres -f roles.sql", chosen, [](const auto&) { return app::db_roles(); });
    command(*db, "migrate", "Bring the tables up to date", "hearth db migrate", chosen, [](const auto& s) { return app::db_migrate(s); });
    auto* config = group(root, "config", "The settings");
    auto* shown = command(*config, "show", "Every setting, its value and where it came from", "hearth config show", chosen,
                          [&a](const auto& s) { return app::config_show(s, a.name, a.json); });
    shown->add_option("name", a.name, "prints the value of this one alone");
    shown->add_flag("--json", a.json, "as JSON, for scripts");
    command(*config, "check", "Whether the settings are usable", "hearth config check", chosen, [](const auto& s) { return app::config_check(s); });
    auto* opened = command(root, "open", "The dashboard, by a link that signs in whoever opens it first", "hearth open", chosen, [&a](const auto& s) { return app::open_dashboard(s, a.person, a.json, a.qr); });
    opened->add_option("--person", a.person, "who is signed in by it: a name or an id of hearth person list; default: the owner");
    opened->add_flag("--qr", a.qr, "with the link as a QR code; on a terminal it is there by itself where other devices reach the server");
    opened->add_flag("--json", a.json, "as JSON, for scripts");
    auto* key = group(root, "key", "API keys");
    auto* made = command(*key, "new", "Make a key; it is shown once", "hearth key new --label laptop --scopes chat,dev", chosen,
                         [&a](const auto& s) { return app::key_new(s, a.person, a.label, base::split(a.scopes, ','), a.quiet); });
    made->add_option("--label", a.label, "what it is for");
    made->add_option("--scopes", a.scopes, "of chat, dev, admin, by comma");
    made->add_flag("--quiet", a.quiet, "prints the secret alone");
    auto* listed = command(*key, "list", "Your keys", "hearth key list", chosen, [&a](const auto& s) { return app::key_list(s, a.person, a.json); });
    listed->add_flag("--json", a.json, "as JSON, for scripts");
    auto* ended = command(*key, "revoke", "End a key", "hearth key revoke 0190…", chosen, [&a](const auto& s) { return app::key_revoke(s, a.person, a.name); });
    ended->add_option("id", a.name)->required();
    for (CLI::App* one : {made, listed, ended}) one->add_option("--person", a.person, "whose: a name or an id of hearth person list; default: the owner's");
    add_people(root, a, chosen);
    add_secrets(root, a, chosen);
    add_rules(root, a, chosen);
    add_schedules(root, a, chosen);
    add_heartbeat(root, a, chosen);
    add_review(root, a, chosen);
    auto* approval = group(root, "approval", "What runs wait for your word on");
    command(*approval, "list", "What is open", "hearth approval list", chosen, [&a](const auto& s) { return app::approval_list(s, a.json); })->add_flag("--json", a.json, "as JSON, for scripts");
    for (const bool grant : {true, false}) {
        auto* word = command(*approval, grant ? "grant" : "deny", grant ? "Let it happen, once and with these arguments" : "Do not let it happen; the run goes on without it",
                             grant ? "hearth approval grant 0190…" : "hearth approval deny 0190…", chosen, [&a, grant](const auto& s) { return app::approval_decide(s, a.name, grant, a.json); });
        word->add_option("id", a.name, "of hearth approval list")->required();
        word->add_flag("--json", a.json, "as JSON, for scripts");
    }
    auto* thread = group(root, "thread", "Lines of work: conversations, and what their runs have spawned");
    auto* threads = command(*thread, "list", "Your threads, the newest first", "hearth thread list --limit 5", chosen, [&a](const auto& s) { return app::thread_list(s, a.limit, a.json); });
    threads->add_option("--limit", a.limit, "how many")->check(CLI::Range(1, 500))->capture_default_str();
    threads->add_flag("--json", a.json);
    for (const bool stop : {false, true}) {
        auto* one = command(*thread, stop ? "stop" : "show", stop ? "Cancel it, what it has spawned first; it takes no message any more" : "Its runs, and what they have spawned",
                            stop ? "hearth thread stop 0190…" : "hearth thread show 0190…", chosen,
                            [&a, stop](const auto& s) { return stop ? app::thread_stop(s, a.name, a.json) : app::thread_show(s, a.name, a.json); });
        one->add_option("id", a.name, "of hearth thread list")->required();
        one->add_flag("--json", a.json);
    }
    auto* drill = command(root, "drill", "Try the backends of models: plainly, streamed, with a tool", "hearth drill claude", chosen, [&a](const auto& s) { return app::drill(s, a.name, a.list, a.json); });
    drill->add_option("backend", a.name, "of hearth drill --list; default: all");
    drill->add_flag("--list", a.list, "only tells when each last answered so");
    drill->add_flag("--json", a.json, "as JSON, for scripts");
    auto* trace = group(root, "trace", "What a run did");
    auto* show = command(*trace, "show", "A run's trace", "hearth trace show 0190…", chosen, [&a](const auto& s) { return app::trace_show(s, a.name, a.json); });
    show->add_option("run", a.name, "its id, or the beginning that the list shows; default: the newest");
    show->add_flag("--json", a.json, "all of it, as the server has it");
    auto* verify = command(*trace, "verify", "Whether traces are as they were written", "hearth trace verify --all", chosen,
                           [&a](const auto& s) { return app::trace_verify(s, a.name, a.all, a.json); });
    auto* verified = verify->add_option("run", a.name, "its id, or the beginning of it; default: the newest");
    verify->add_flag("--all", a.all, "all of your runs, and the daily anchors over everybody's")->excludes(verified);
    verify->add_flag("--json", a.json, "as JSON, for scripts");
    auto* runs = command(*trace, "list", "Your runs, the newest first", "hearth trace list --limit 5", chosen, [&a](const auto& s) { return app::trace_list(s, a.limit, a.json); });
    auto* again = command(*trace, "replay", "What models say when they are asked again what they were asked in a run; no tool runs", "hearth trace replay 0190… --prompt recompose@draft", chosen,
                          [&a](const auto& s) { return app::trace_replay(s, a.name, a.model, a.prompt, a.json); });
    again->add_option("run", a.name, "its id, or the beginning that the list shows; default: the newest");
    again->add_option("--model", a.model, "asks this one; default: the one of then");
    again->add_option("--prompt", a.prompt, "with another version of a prompt: NAME@VERSION, the version a number or draft, live, previous, shipped");
    again->add_flag("--json", a.json, "as JSON, for scripts");
    runs->add_option("--limit", a.limit, "how many")->check(CLI::Range(1, 500))->capture_default_str();
    runs->add_flag("--json", a.json, "as JSON, for scripts");
}

}  // namespace

void add_subcommands(CLI::App& root, Arguments& a, Action& chosen) {
    add_talking(root, a, chosen);
    add_bench(root, a, chosen);
    add_nights(root, a, chosen);
    add_runs(root, a, chosen);
    add_models(root, a, chosen);
    add_prompts(root, a, chosen);
    add_quality(root, a, chosen);
    add_memory(root, a, chosen);
    add_keeping(root, a, chosen);
    add_channels(root, a, chosen);
}

}  // namespace app
