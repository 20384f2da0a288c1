#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "cuda_runtime.h"

namespace simt {
constexpr std::size_t plain_shared = std::size_t(48) << 10, watched = 1024;  // bytes of shared memory, and of those behind it

constexpr unsigned most_threads = 1024;
}  // namespace simt
alignas(128) unsigned char hearth_shared[simt::plain_shared + simt::watched];
dim3 threadIdx, blockIdx, gridDim, blockDim;

namespace simt {
namespace {

constexpr std::size_t stack_bytes = std::size_t(64) << 10;
enum class State : std::uint8_t { ready, at_barrier, in_warp, done };

// A thread of the block that runs; it is begun anew for each block.
struct Fiber {
    void* stack = nullptr;
    jmp_buf at;
    bool begun = false;
    State state = State::done;
    dim3 index;
    // The operation of its warp that it waits in.
    Warp operation = Warp::sync;
    unsigned mask = 0, from = 0;
    std::uint64_t value = 0, result = 0;
};

std::vector<Fiber> fibers;
unsigned threads = 0, current = 0;
jmp_buf scheduler;
const std::function<void()>* body = nullptr;
std::string fault, told = "an error of the emulated device";

std::string name(unsigned thread) {
    const Fiber& f = fibers[thread];
    return "thread (" + std::to_string(f.index.x) + ", " + std::to_string(f.index.y) + ", " + std::to_string(f.index.z) + ") of block (" +
           std::to_string(blockIdx.x) + ", " + std::to_string(blockIdx.y) + ", " + std::to_string(blockIdx.z) + ")";
}

void leave() {
    if (_setjmp(fibers[current].at) == 0) _longjmp(scheduler, 1);
}

[[noreturn]] void fail(std::string what) {
    fault = std::move(what);
    _longjmp(scheduler, 1);
}

void entry() {
    for (;;) {
        (*body)();
        fibers[current].state = State::done;
        leave();
    }
}

// On the scheduler's stack: the fiber runs until it waits or is done.
void resume(unsigned thread) {
    current = thread;
    Fiber& f = fibers[thread];
    threadIdx = f.index;
    if (_setjmp(scheduler) != 0) return;
    if (f.begun) _longjmp(f.at, 1);
    f.begun = true;
    if (!f.stack) f.stack = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = f.stack;
    context.uc_stack.ss_size = stack_bytes;
    context.uc_link = nullptr;
    makecontext(&context, entry, 0);
    setcontext(&context);
}

// All are at the barrier: they go on. Otherwise somebody waits for ever.
void release_barrier() {
    const auto begin = fibers.begin(), end = begin + threads;
    const auto missing = std::find_if(begin, end, [](const Fiber& f) { return f.state != State::at_barrier; });
    if (missing == end) {
        std::for_each(begin, end, [](Fiber& f) { f.state = State::ready; });
        return;
    }
    const auto waits = std::find_if(begin, end, [](const Fiber& f) { return f.state != State::done; });
    const char* const where = waits->state == State::at_barrier ? " waits at a barrier" : " waits in an operation of its warp";
    const auto absent = std::find_if(begin, end, [](const Fiber& f) { return f.state == State::done; });
    fault = name(unsigned(waits - begin)) + where + " that " + name(unsigned((absent == end ? missing : absent) - begin)) + " does not reach";
}

void run_block(std::size_t shared) {
    std::memset(hearth_shared, 0xff, shared + watched);
    for (unsigned t = 0; t < threads; ++t) {
        fibers[t].state = State::ready;
        fibers[t].index = {t % blockDim.x, t / blockDim.x % blockDim.y, t / blockDim.x / blockDim.y};
    }
    for (;;) {
        bool any = false, all_done = true;
        for (unsigned t = 0; t < threads && fault.empty(); ++t) {
            while (fibers[t].state == State::ready && fault.empty()) {
                any = true;
                resume(t);
            }
            all_done = all_done && fibers[t].state == State::done;
        }
        if (all_done || !fault.empty()) return;
        if (!any) release_barrier();
        if (!fault.empty()) return;
    }
}

void check_shared(std::size_t asked) {
    const unsigned char *const begin = hearth_shared + asked, *const end = begin + watched;
    const unsigned char* const written = std::find_if(begin, end, [](unsigned char b) { return b != 0xff; });
    if (written != end && fault.empty())
        fault = "byte " + std::to_string(written - hearth_shared) + " of shared memory was written, " + std::to_string(asked) + " were asked for";
}

std::map<void*, std::pair<void*, std::size_t>>& allocations() {
    static std::map<void*, std::pair<void*, std::size_t>> all;
    return all;
}

}  // namespace

unsigned lane() { return current % 32; }

void barrier() {
    fibers[current].state = State::at_barrier;
    leave();
}

std::uint64_t together(Warp operation, unsigned mask, std::uint64_t value, unsigned from) {
    Fiber& self = fibers[current];
    Fiber* const warp = &fibers[current / 32 * 32];
    if (!(mask >> lane() & 1)) fail(name(current) + " takes part in an operation of its warp whose mask leaves it out");
    if (operation == Warp::shuffle && !(mask >> from & 1)) fail(name(current) + " reads lane " + std::to_string(from) + ", which takes no part");
    self.operation = operation, self.mask = mask, self.value = value, self.from = from;
    self.state = State::in_warp;
    for (unsigned i = 0; i < 32; ++i) {
        if (!(mask >> i & 1)) continue;
        if (current / 32 * 32 + i >= threads) fail(name(current) + " waits in an operation of its warp for lanes that the block does not have");
        if (warp[i].state != State::in_warp) {
            leave();
            return self.result;
        }
        if (warp[i].operation != operation || warp[i].mask != mask) fail(name(current) + " and lane " + std::to_string(i) + " of its warp are in different operations");
    }
    std::uint64_t votes = 0;
    for (unsigned i = 0; i < 32; ++i)
        if (mask >> i & 1) votes |= std::uint64_t(warp[i].value != 0) << i;
    for (unsigned i = 0; i < 32; ++i)
        if (mask >> i & 1) {
            warp[i].result = operation == Warp::shuffle ? warp[warp[i].from].value : votes;
            warp[i].state = State::ready;
        }
    return self.result;
}

cudaError_t run(const cudaLaunchConfig_t& config, const std::function<void()>& kernel) {
    const dim3 &grid = config.gridDim, &block = config.blockDim;
    const std::size_t size = std::size_t(block.x) * block.y * block.z;
    if (size == 0 || size > most_threads || block.z > 64 || grid.x == 0 || grid.x > 0x7fffffffu || grid.y == 0 || grid.y > 65535 || grid.z == 0 || grid.z > 65535)
        return cudaErrorInvalidConfiguration;
    if (config.dynamicSmemBytes > plain_shared) return cudaErrorInvalidValue;
    if (fibers.size() < size) fibers.resize(most_threads);
    threads = unsigned(size);
    gridDim = grid, blockDim = block;
    body = &kernel;
    fault.clear();
    for (unsigned z = 0; z < grid.z && fault.empty(); ++z)
        for (unsigned y = 0; y < grid.y && fault.empty(); ++y)
            for (unsigned x = 0; x < grid.x && fault.empty(); ++x) {
                blockIdx = {x, y, z};
                run_block(config.dynamicSmemBytes);
                check_shared(config.dynamicSmemBytes);
            }
    if (fault.empty()) return cudaSuccess;
    for (Fiber& f : fibers) f.begun = false, f.state = State::done;  // where they stand is left behind
    told = fault;
    return cudaErrorLaunchFailure;
}

}  // namespace simt

cudaError_t cudaMalloc(void** out, std::size_t bytes) {
    const std::size_t page = std::size_t(sysconf(_SC_PAGESIZE)), rounded = (bytes + 255) / 256 * 256, whole = (rounded + page - 1) / page * page;
    void* const at = mmap(nullptr, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return cudaErrorMemoryAllocation;
    mprotect(static_cast<char*>(at) + whole, page, PROT_NONE);
    std::memset(at, 0xff, whole);
    *out = static_cast<char*>(at) + whole - rounded;
    simt::allocations()[*out] = {at, whole + page};
    return cudaSuccess;
}

cudaError_t cudaFree(void* p) {
    const auto found = simt::allocations().find(p);
    if (!p) return cudaSuccess;
    if (found == simt::allocations().end()) return cudaErrorInvalidValue;
    munmap(found->second.first, found->second.second);
    simt::allocations().erase(found);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t) {
    std::memmove(to, from, bytes);
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* at, int byte, std::size_t bytes, cudaStream_t) {
    std::memset(at, byte, bytes);
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* all) {
    *free = *all = std::size_t(1) << 40;
    return cudaSuccess;
}

const char* cudaGetErrorString(cudaError_t error) {
    switch (error) {
        case cudaSuccess: return "no error";
        case cudaErrorInvalidValue: return "invalid argument";
        case cudaErrorMemoryAllocation: return "out of memory";
        case cudaErrorInvalidConfiguration: return "invalid configuration argument";
        case cudaErrorLaunchFailure: break;
    }
    return simt::told.c_str();
}
