#include "engine/model/expert_cache.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "engine/steady_seconds.h"

namespace engine {
namespace {

constexpr int kMeasured = 8;       // batches of each size that the first reads are timed in
constexpr int kFilledAtOnce = 32;  // the others
constexpr double kKeptEvery = 4096;  // tokens

}  // namespace

ExpertCache::ExpertCache(std::unique_ptr<ExpertFile> file, const ExpertPlan& plan, ExpertRecord record)
    : file_(std::move(file)),
      plan_(plan),
      record_(std::move(record)),
      places_(std::size_t(plan.all()), -1),
      held_(std::size_t(plan.slots), Job{0, -1, 0}),
      states_(std::size_t(plan.slots)),
      links_(std::size_t(plan.slots) + 1),
      used_(std::size_t(plan.slots)),
      pinned_(std::size_t(plan.slots)),
      jobs_(std::size_t(plan.slots)) {
    const auto n = std::int32_t(links_.size());
    for (std::int32_t i = 0; i < n; ++i) links_[std::size_t(i)] = {(i + n - 1) % n, (i + 1) % n};
}

base::Result<std::unique_ptr<ExpertCache>> ExpertCache::create(std::unique_ptr<ExpertFile> file, const ExpertPlan& plan, ExpertRecord record, Model& model, Pool& pool) {
    std::unique_ptr<ExpertCache> out(new ExpertCache(std::move(file), plan, std::move(record)));
    auto slots = HugeMemory::allocate(std::size_t(plan.slots * plan.slot_bytes), "the cache of experts");
    if (!slots) return std::move(slots).error();
    out->slots_ = *std::move(slots);
    auto trunk = cpu_device().allocate(out->file_->trunk_bytes(), "the weights beside the experts");
    if (!trunk) return std::move(trunk).error();
    if (auto read = out->file_->read_trunk(pool, trunk->data(), out->slots_.data(), std::size_t(plan.slot_bytes)); !read) return std::move(read).error();
    model.packed = *std::move(trunk);
    for (std::size_t s = 0; s < out->file_->layout().stacks.size(); ++s) {
        Experts& experts = model.layers[std::size_t(out->file_->layout().stacks[s].layer)].experts;
        for (Weight* w : {&experts.gate, &experts.up, &experts.down}) w->places = &out->place(int(s), 0);
    }
    for (int i = 0; i < kReaders; ++i) out->readers_.emplace_back([cache = out.get()] { cache->read_on(); });
    return out;
}

ExpertCache::~ExpertCache() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    due_.notify_all();
    for (std::thread& reader : readers_) reader.join();
    keep_record();
}

void ExpertCache::keep_record() {
    (void)record_.write();  // what is lost is counted again
    kept_tokens_ = 0;
}

void ExpertCache::unlink(std::int32_t slot) {
    const Link link = links_[std::size_t(slot)];
    links_[std::size_t(link.before)].behind = link.behind;
    links_[std::size_t(link.behind)].before = link.before;
}

void ExpertCache::link(std::int32_t slot, std::int32_t behind) {
    const std::int32_t next = links_[std::size_t(behind)].behind;
    links_[std::size_t(slot)] = {behind, next};
    links_[std::size_t(behind)].behind = slot;
    links_[std::size_t(next)].before = slot;
}

void ExpertCache::use(std::int32_t slot) {
    used_[std::size_t(slot)] = call_;
    if (pinned_[std::size_t(slot)]) return;
    unlink(slot);
    link(slot, std::int32_t(plan_.slots));
}

void ExpertCache::fetch(int stack, std::int32_t expert, std::int32_t slot) {
    Job& held = held_[std::size_t(slot)];
    if (held.expert >= 0) place(held.stack, held.expert) = -1;
    held = {stack, expert, slot};
    place(stack, expert) = slot;
    states_[std::size_t(slot)].store(reading, std::memory_order_relaxed);
    use(slot);
    {
        const std::lock_guard lock(mutex_);
        jobs_[(next_job_ + n_jobs_++) % jobs_.size()] = held;
    }
    due_.notify_one();
}

void ExpertCache::read_on() {
    std::vector<std::uint8_t> work(file_->work_bytes() + 63);
    std::uint8_t* const aligned = work.data() + (64 - reinterpret_cast<std::uintptr_t>(work.data()) % 64) % 64;
    std::unique_lock lock(mutex_);
    for (;;) {
        due_.wait(lock, [&] { return ending_ || n_jobs_ > 0; });
        if (n_jobs_ == 0) return;
        const Job job = jobs_[next_job_];
        next_job_ = (next_job_ + 1) % jobs_.size();
        --n_jobs_;
        lock.unlock();
        auto done = file_->read(job.stack, job.expert, memory(job.slot), aligned);
        lock.lock();
        if (!done) {
            if (!failure_) failure_ = done.error();
            any_failed_ = true;
        }
        states_[std::size_t(job.slot)].store(done ? ready : failed, std::memory_order_release);
        arrived_.notify_all();
    }
}

base::Result<void> ExpertCache::fill(const std::function<void(double)>& progress) {
    const std::vector<double> chances = record_.chances();
    std::vector<std::size_t> order(chances.size());
    std::iota(order.begin(), order.end(), 0);
    const auto experts = std::size_t(plan_.experts);
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return std::tuple(-chances[a], a % experts, a / experts) < std::tuple(-chances[b], b % experts, b / experts); });
    const std::size_t n = std::size_t(plan_.slots), pinned = pinned_slots(plan_, record_);
    const int most = std::min(ExpertCosts::kTogether, plan_.used);
    std::vector<std::vector<double>> seconds(std::size_t(most) + 1);
    // The most chosen last, so that they are the most recently used.
    for (std::size_t left = n, batch = 0; left > 0; ++batch) {
        const bool timed = batch < std::size_t(most * kMeasured);
        const std::size_t together = std::min(left, timed ? batch % std::size_t(most) + 1 : std::size_t(kFilledAtOnce));
        const auto expert = [&](std::size_t i) { return order[left - 1 - i]; };
        for (std::size_t i = 0; i < together && timed; ++i) file_->forget(int(expert(i) / experts), int(expert(i) % experts));
        const double began = steady_seconds();
        for (std::size_t i = 0; i < together; ++i) fetch(int(expert(i) / experts), std::int32_t(expert(i) % experts), links_[n].before);
        for (std::size_t i = 0; i < together; ++i)
            if (!wait(int(expert(i) / experts), std::int32_t(expert(i) % experts))) {
                const std::lock_guard lock(mutex_);
                return *failure_;
            }
        if (timed) seconds[together].push_back(steady_seconds() - began);
        for (std::size_t i = 0; i < together; ++i)
            if (left - 1 - i < pinned) {
                const std::int32_t slot = places_[expert(i)];
                unlink(slot);
                pinned_[std::size_t(slot)] = true;
            }
        left -= together;
        if (progress) progress(double(n - left) / double(n));
    }
    for (int k = 1; k <= ExpertCosts::kTogether; ++k) {
        double& read = record_.costs.read[std::size_t(k)];
        read = k > 1 ? record_.costs.read[std::size_t(k - 1)] + record_.costs.read[1] / kReaders : 0;
        if (k > most || seconds[std::size_t(k)].empty()) continue;
        auto& all = seconds[std::size_t(k)];
        std::ranges::nth_element(all, all.begin() + std::ptrdiff_t(all.size() / 2));
        read = all[all.size() / 2];
    }
    return {};
}

void ExpertCache::set_computing(double seconds) {
    double experts = 0;  // bytes of one token's, a layer
    for (int s = 0; s < plan_.layers; ++s) experts += double(file_->bytes(s)) * plan_.used / plan_.layers;
    record_.costs.computing = seconds;
    record_.costs.layer = seconds * std::min(1.0, experts * plan_.layers / std::max(1.0, double(file_->active_bytes()))) / plan_.layers;
    forecast_ = forecast(plan_, record_);
    keep_record();
}

void ExpertCache::routed(int stack, const std::int32_t* chosen, int rows) {
    record_.count(stack, chosen, rows, plan_.used);
    one_row_ = rows == 1;
    if (stack > 0) return;
    kept_tokens_ += rows;
    if (kept_tokens_ >= kKeptEvery) keep_record();
}

int ExpertCache::begin(int stack, std::int32_t* experts, int n) {
    ++call_;
    int there = 0;
    for (int i = 0; i < n; ++i) {
        const std::int32_t slot = place(stack, experts[i]);
        if (slot < 0) continue;
        use(slot);
        std::swap(experts[i], experts[there++]);
    }
    int now = there;
    for (; now < n; ++now) {
        const std::int32_t oldest = links_[std::size_t(plan_.slots)].before;
        if (used_[std::size_t(oldest)] == call_) break;
        fetch(stack, experts[now], oldest);
    }
    if (one_row_) {
        wanted_ += std::uint64_t(n), found_ += std::uint64_t(there);
        bytes_ += std::uint64_t(now - there) * file_->bytes(stack);
    }
    return now;
}

bool ExpertCache::wait(int stack, std::int32_t expert) {
    const auto& state = states_[std::size_t(place(stack, expert))];
    if (const auto now = state.load(std::memory_order_acquire); now != reading) return now == ready;
    // Asleep, not spinning: the readers need the processor.
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return state != reading; });
    return state == ready;
}

void ExpertCache::settle() {
    if (!any_failed_) return;
    const std::lock_guard lock(mutex_);
    const base::Error error = *std::exchange(failure_, std::nullopt);
    any_failed_ = false;
    for (std::int32_t slot = 0; slot < std::int32_t(plan_.slots); ++slot) {
        if (states_[std::size_t(slot)] != failed) continue;
        states_[std::size_t(slot)] = empty;
        place(held_[std::size_t(slot)].stack, std::exchange(held_[std::size_t(slot)].expert, -1)) = -1;
        unlink(slot);
        link(slot, links_[std::size_t(plan_.slots)].before);
    }
    throw UnreadableExpert(error.text());
}

void ExpertCache::stepped(double seconds) {
    ++tokens_;
    nanoseconds_ += std::uint64_t(seconds * 1e9);
}

ExpertReport ExpertCache::report() const {
    return {forecast_, {.tokens = tokens_, .wanted = wanted_, .found = found_, .bytes = bytes_, .seconds = double(nanoseconds_) * 1e-9}};
}

}  // namespace engine
