#include "store/trace_keeping.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

#include "store/digest.h"
#include "store/uuid_array.h"

namespace store {
namespace {

using base::Code;

std::filesystem::path witness_file(const std::filesystem::path& state_folder) { return state_folder / "trace-anchors"; }

// "TENANT DAY" → hash, of all whole lines.
std::map<std::string, std::string> read_witness(const std::filesystem::path& state_folder) {
    std::map<std::string, std::string> out;
    std::ifstream in(witness_file(state_folder));
    std::string tenant, day, hash;
    while (in >> tenant >> day >> hash) out[tenant + " " + day] = hash;
    return out;
}

base::Result<void> append_witness(const std::filesystem::path& state_folder, const std::string& lines) {
    const int fd = ::open(witness_file(state_folder).c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
    const bool written = fd >= 0 && ::write(fd, lines.data(), lines.size()) == ssize_t(lines.size()) && fsync(fd) == 0;
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    if (written) return {};
    return base::error(Code::io, "cannot write the anchors of traces to " + witness_file(state_folder).string() + ": " + why, "check permissions and free space of state.folder");
}

// The lowest id of that time.
std::string id_at(base::TimePoint time) {
    base::Uuid id;
    const auto ms = std::max<std::int64_t>(0, std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count());
    for (int i = 0; i < 6; ++i) id.bytes[std::size_t(i)] = std::uint8_t(ms >> (40 - 8 * i));
    return id.text();
}

}  // namespace

int anchor_traces(Tx& tx) { return int(tx.exec("select hearth_anchor_traces()").at(0).integer(0)); }

base::Result<void> witness_anchors(Tx& tx, const std::filesystem::path& state_folder) {
    auto known = read_witness(state_folder);
    std::string fresh, wrong;
    for (const Row& row : tx.exec("select tenant_id, to_char(day, 'YYYY-MM-DD'), hash from hearth_anchors()")) {
        const std::string place = row.text(0) + " " + row.text(1);
        const auto it = known.find(place);
        if (it == known.end()) {
            fresh += place + " " + row.text(2) + "\n";
        } else {
            if (it->second != row.text(2)) wrong = place;
            known.erase(it);
        }
    }
    if (!known.empty()) wrong = known.begin()->first;
    if (!fresh.empty())
        if (auto written = append_witness(state_folder, fresh); !written) return written;
    if (wrong.empty()) return {};
    return base::error(Code::corrupt, "the anchor of traces '" + wrong + "' is not in the database as " + witness_file(state_folder).string() + " has it",
                       "hearth trace verify --all tells more; after a restored backup move that file away");
}

namespace {

// The end of a run's chain as an anchor holds it.
struct Head {
    std::string day, hash;
    std::int64_t position = 0;
};

RunVerdict verdict_of(base::RunId run, const std::string& state, std::span<const StoredSpan> spans, const std::vector<Head>& heads) {
    RunVerdict out{run, std::int64_t(spans.size()), 0, false, find_fault(run, spans)};
    for (const auto& s : spans) {
        out.erased += s.erased();
        out.ended |= is_root(s.span);
    }
    if (out.fault) return out;
    for (const Head& head : heads) {
        const bool there = std::size_t(head.position) < spans.size();
        if (there && spans[std::size_t(head.position)].hash == head.hash) continue;
        out.fault = ChainFault{head.position, {}, "the anchor of " + head.day + " holds another span at position " + std::to_string(head.position) + " of run " + run.text() + (there ? ": it was changed" : ": it is gone")};
        return out;
    }
    if (auto missing = missing_root(run, state, out.ended, spans.size())) out.fault = ChainFault{std::int64_t(spans.size()), {}, *std::move(missing)};
    return out;
}

std::vector<RunVerdict> verify(Tx& tx, const std::vector<base::RunId>& runs) {
    const auto spans = read_spans(tx, runs);
    std::map<base::RunId, std::vector<Head>> heads;
    for (const Row& row : tx.exec("select run_id, day, position, hash from trace_head where run_id = any($1::uuid[]) order by position", {uuid_array(runs)}))
        heads[row.id<base::RunId>(0)].push_back({row.text(1), row.text(3), row.integer(2)});
    std::map<base::RunId, std::string> states;
    for (const Row& row : tx.exec("select id, coalesce(state, '') from run where id = any($1::uuid[])", {uuid_array(runs)})) states.emplace(row.id<base::RunId>(0), row.text(1));
    std::vector<RunVerdict> out;
    std::size_t at = 0;
    for (const auto& run : runs) {
        std::size_t end = at;
        while (end < spans.size() && spans[end].span.run == run) ++end;
        out.push_back(verdict_of(run, states[run], std::span(spans).subspan(at, end - at), heads[run]));
        at = end;
    }
    return out;
}

}  // namespace

RunVerdict verify_run(Tx& tx, base::RunId run) { return verify(tx, {run})[0]; }

std::vector<RunVerdict> verify_runs(Tx& tx, std::optional<base::RunId> before, int limit) {
    std::vector<base::RunId> runs;
    for (const Row& row : tx.exec("select id from run where $1::uuid is null or id < $1::uuid order by id desc limit $2", {before, limit})) runs.push_back(row.id<base::RunId>(0));
    return verify(tx, runs);
}

AnchorVerdict verify_anchors(Tx& tx, const std::filesystem::path& state_folder) {
    AnchorVerdict out;
    auto witness = read_witness(state_folder);
    std::string previous;
    for (const Row& row : tx.exec("select to_char(day, 'YYYY-MM-DD'), runs, previous, hash, hearth_anchor_text(tenant_id, day, previous), (select count(*) from trace_head h where h.tenant_id = a.tenant_id and h.day = a.day)"
                                  " from trace_anchor a where tenant_id = hearth_tenant() order by day")) {
        const std::string day = row.text(0), place = tx.identity().tenant.text() + " " + day;
        ++out.anchors;
        if (row.text(2) != previous) out.faults.push_back("the anchor of " + day + " does not follow the one before it: one was removed or changed");
        else if (row.integer(1) != row.integer(5) || sha256_hex(row.text(4)) != row.text(3)) out.faults.push_back("the anchor of " + day + " was changed");
        else if (const auto it = witness.find(place); it != witness.end() && it->second != row.text(3)) out.faults.push_back("the anchor of " + day + " is another than in " + witness_file(state_folder).string());
        previous = row.text(3);
        witness.erase(place);
    }
    for (const auto& [place, hash] : witness)
        if (place.starts_with(tx.identity().tenant.text())) out.faults.push_back("the anchor of " + place.substr(place.find(' ') + 1) + " was removed: " + witness_file(state_folder).string() + " has it");
    for (const Row& row : tx.exec("select day, run_id, position, hash, found from hearth_anchored_heads()")) {
        ++out.heads;
        if (!row.null(4) && row.text(3) == row.text(4)) continue;
        out.faults.push_back("run " + row.text(1) + ", which the anchor of " + row.text(0) + " holds up to position " + row.text(2) + ", " + (row.null(4) ? "is gone from there" : "was changed there"));
    }
    return out;
}

std::vector<base::RunId> runs_named(Tx& tx, const std::string& beginning, int limit) {
    std::vector<base::RunId> out;
    for (const Row& row : tx.exec("select id from run where starts_with(id::text, $1) order by id desc limit $2", {beginning, limit})) out.push_back(row.id<base::RunId>(0));
    return out;
}

std::int64_t erase_events(Tx& tx, base::TimePoint before, int most) {
    return tx.exec("select hearth_erase_events($1::uuid, $2)", {id_at(before), most}).at(0).integer(0);
}

std::int64_t erase_wishes(Tx& tx, base::TimePoint before, int most) {
    return tx.exec("select hearth_erase_wishes($1::uuid, $2)", {id_at(before), most}).at(0).integer(0);
}

Erased erase_bodies(Tx& tx, base::TimePoint before, std::int64_t keep_bytes, int most) {
    const Row row = tx.exec("select bodies, bytes from hearth_erase_bodies($1::uuid, $2, $3)", {id_at(before), keep_bytes, most}).at(0);
    return {row.integer(0), row.integer(1)};
}

}  // namespace store
