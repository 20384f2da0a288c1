// hearth nightly and hearth mathcore.
#include "app/subcommands.h"

namespace app {

void add_nights(CLI::App& root, Arguments& a, Action& chosen) {
    auto* mathcore = group(root, "mathcore", "What watches the pipeline's nodes and steers around the slow ones");
    command(*mathcore, "show", "What the newest night found of each node, and what it costs now", "hearth mathcore show", chosen, [&a](const auto& s) { return app::mathcore_show(s, a.json); })
        ->add_flag("--json", a.json, "as JSON, for scripts");
    auto* accept = command(*mathcore, "accept", "What a node is like since a day is the usual from the next night on: it counts as drifted no more", "hearth mathcore accept thinking --since 2026-03-10", chosen,
                           [&a](const auto& s) { return app::mathcore_accept(s, a.name, a.text); });
    accept->add_option("node", a.name, "of hearth mathcore show")->required();
    accept->add_option("--since", a.text, "a day; default: seven days ago, which is as long as a baseline takes");
    for (const bool frozen : {true, false})
        command(*mathcore, frozen ? "freeze" : "unfreeze", frozen ? "Nights leave a node's weight as it is" : "Nights set a node's weight again", frozen ? "hearth mathcore freeze thinking" : "hearth mathcore unfreeze thinking", chosen,
                [&a, frozen](const auto& s) { return app::mathcore_freeze(s, a.name, frozen); })
            ->add_option("node", a.name, "of hearth mathcore show")->required();
    auto& o = a.mathcore;
    auto* bench = command(*mathcore, "bench", "Measure it on simulated tenants, each bar of docs/mathcore.md beside what it is", "hearth mathcore bench --part routing --seed 7", chosen,
                          [&o](const auto&) { return app::mathcore_bench(o); });
    bench->add_option("--part", o.parts, "only these; default: all")->check(CLI::IsMember(app::mathcore_parts()));
    bench->add_option("--seed", o.seed, "another seed, another simulation")->capture_default_str();
    bench->add_option("--seeds", o.seeds, "that one and the ones behind it: months and repetitions are dealt out over so many")->check(CLI::Range(1, 1000))->capture_default_str();
    bench->add_option("--family", o.family, "how latencies scatter; default: all for false alarms, student for the rest")->check(CLI::IsMember({"log_normal", "student", "cold_warm", "cached"}));
    bench->add_option("--months", o.months, "simulated for false alarms, in each family")->check(CLI::Range(2, 100000))->capture_default_str();
    bench->add_option("--repetitions", o.repetitions, "of each scenario")->check(CLI::Range(1, 100000))->capture_default_str();
    bench->add_option("--nodes", o.nodes, "of the pipeline")->check(CLI::Range(5, 20))->capture_default_str();
    bench->add_option("--requests", o.requests, "on a weekday")->check(CLI::Range(1, 500))->capture_default_str();
    bench->add_option("--baseline-days", o.baseline_days)->check(CLI::Range(14, 60))->capture_default_str();
    bench->add_option("--threads", o.threads, "CPU threads, which change no figure; 0: all usable")->check(CLI::Range(0, 1024));
    bench->add_flag("--json", o.json, "as JSON, for scripts");
    auto& days = a.simulated;
    auto* simulate = command(*mathcore, "simulate", "Write days of telemetry as a household like the bench's would leave them, a line of JSON an event", "hearth mathcore simulate --days 7 --ago 9 --slow thinking=4 > slow.jsonl", chosen,
                             [&days](const auto& s) { return app::mathcore_simulate(s, days); });
    simulate->add_option("--days", days.days, "how many")->check(CLI::Range(1, 400))->capture_default_str();
    simulate->add_option("--ago", days.ago, "how many days ago the last of them is; 1: yesterday")->check(CLI::Range(1, 1000))->capture_default_str();
    auto* scenario = simulate->add_option("--scenario", days.scenario, "of hearth mathcore bench, begins with the first day: \"errors 6 %\", \"refused 40 %\", …");
    simulate->add_option("--calm", days.calm, "so many days before it begins")->check(CLI::Range(0, 400))->capture_default_str();
    simulate->add_option("--slow", days.slow, "NODE=FACTOR: that much slower than usual")->excludes(scenario);
    simulate->add_option("--timeouts", days.timeouts, "NODE=SHARE: of its events that hang until their limit")->excludes(scenario);
    simulate->add_option("--requests", days.requests, "on a weekday")->check(CLI::Range(1, 500))->capture_default_str();
    simulate->add_option("--seed", days.seed, "another seed, other days")->capture_default_str();
    auto* import = command(*mathcore, "import", "Take over telemetry of days from a file: for trials, since it is never taken out again", "hearth mathcore import slow.jsonl", chosen,
                           [&a](const auto& s) { return app::mathcore_import(s, a.out, a.yes); });
    import->add_option("file", a.out, "a line of JSON an event: node, at, latency_ms unless it is not known of a failure, and status and class where they are known")->required();
    import->add_flag("--mixed", a.yes, "also into days of which there is telemetry of this household's own");
    auto* nightly = command(root, "nightly", "The day's batch now, as the night makes it: telemetry into days and weeks, MathCore, the nodes' costs", "hearth nightly", chosen,
                            [&a](const auto& s) { return app::nightly(s, a.name, a.json); });
    nightly->add_option("--day", a.name, "whose batch, as 2026-03-10: it is of the days before; default: today's");
    nightly->add_flag("--json", a.json, "as JSON, for scripts");
}

}  // namespace app
