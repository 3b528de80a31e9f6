/* @TITLE@.
 *
 * What a compute thread does at a node of a B+-tree in remote memory that is not in its server's cache. Written by MetaMuse;
 * decides as the policy did in the simulator. C++17, header only; no exceptions, and no memory but the states' own.
 */
#ifndef @GUARD@_POLICY_HPP
#define @GUARD@_POLICY_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

namespace @P@_ns {

enum class Action : std::uint8_t { Bypass, Admit, Offload };
enum class Op : std::uint8_t { Lookup, Update, Insert, Scan };

/* A word belongs to a node, is 0 at first and is shared by a server's threads. */
using NodeWord = std::uint32_t;

/* A node is missing. level: 0 for a leaf. now: microseconds. full: all frames are in use. may_offload: the memory server may
 * finish the operation. seen: see the README. */
struct MissCtx {
    std::int64_t level;
    Op op;
    std::int64_t now;
    bool full;
    bool may_offload;
    double seen[16];
};

namespace detail {

@BODY@
} // namespace detail

/* Bytes that the policy's arrays take in a thread's state: enough for 1024 threads, 64 cores and 16 levels. */
inline constexpr std::size_t arena_bytes = @ARENA@;

/* The least and the largest of each number in `seen` for which the policy was tried, and half of their distance on either side.
 * Numbers that it does not look at, and the clock, have no bounds. */
inline constexpr double least[16] = {@LEAST@};
inline constexpr double largest[16] = {@LARGEST@};

/* A thread's state: plain data, for one thread at a time. It points into itself, so it stays where it was initialised. */
struct ThreadState {
    detail::mm_thread core;
    std::uint64_t out_of_range; /* misses that DEX's rule decided, since a number was none for which the policy was tried */
    bool check_range;           /* whether it does; true after init */
    alignas(16) unsigned char arena[arena_bytes];
};

/* Make a state that of a thread: its number over all servers, how many there are, cores of a memory server that take calls,
 * levels of the tree. False if the numbers make no sense, or the policy failed: then DEX's rule decides from the start. */
inline bool init(ThreadState &state, std::int64_t thread, std::int64_t threads, std::int64_t cpus,
                 std::int64_t height) noexcept
{
    memset(&state, 0, sizeof state);
    state.check_range = true;
    state.core.heap.next = state.arena;
    state.core.heap.end = state.arena + arena_bytes;
    if (thread < 0 || threads <= thread || cpus < 0 || height < 2) {
        state.core.looks = 2;
        state.core.heap.fault = 1;
        return false;
    }
    detail::core_init(&state.core, thread, threads, cpus, height);
    return state.core.heap.fault == 0;
}

/* 0, or the line of the policy that failed (1: an answer that none can be): since then DEX's own rule decides. Watch it. */
inline int fault(const ThreadState &state) noexcept
{
    return state.core.heap.fault;
}

/* Whether the policy was tried with such numbers. */
inline bool tried(const MissCtx &miss) noexcept
{
    for (int i = 0; i < 16; i++) {
        if (miss.seen[i] < least[i] || miss.seen[i] > largest[i]) {
            return false;
        }
    }
    return true;
}

/* What is done; the node's word becomes a new one. An inner node is never bypassed. */
inline Action on_miss(const MissCtx &miss, ThreadState &state, NodeWord &word) noexcept
{
    const std::int64_t op = static_cast<std::int64_t>(miss.op);
    if (state.check_range && !tried(miss)) {
        state.out_of_range++;
        return static_cast<Action>(
            detail::rule_on_miss(&state.core, miss.level, op, miss.full, miss.may_offload, miss.seen));
    }
    return static_cast<Action>(detail::core_on_miss(&state.core, miss.level, op, miss.now, miss.full, miss.may_offload,
                                                    miss.seen, &word));
}

/* A walk used a cached node, the deepest on its way: its word becomes a new one. */
inline void on_hit(std::int64_t level, Op op, std::int64_t now, ThreadState &state, NodeWord &word) noexcept
{
    detail::core_on_hit(&state.core, level, static_cast<std::int64_t>(op), now, &word);
}

/* Frames to look at when one is needed, 2 to 8. */
inline std::int64_t looks(const ThreadState &state) noexcept
{
    return state.core.looks;
}

/* What such a frame is worth; the two lowest are cooled, the first of equal ones. */
inline double score(std::int64_t level, bool dirty, NodeWord word, std::int64_t now, ThreadState &state) noexcept
{
    return detail::core_score(&state.core, level, dirty, word, now);
}

/* A miss was served: what was done, and the microseconds that it took. */
inline void on_done(std::int64_t level, Action action, double us, ThreadState &state) noexcept
{
    detail::core_on_done(&state.core, level, static_cast<std::int64_t>(action), us);
}

/* A server's four central numbers, on a cache line of their own. */
struct alignas(64) Central {
    std::atomic<double> numbers[4] = {};
};

/* After each miss: the central numbers are brought up to date. Only those that change are written. */
inline void publish(Central &central, std::int64_t now, ThreadState &state) noexcept
{
    double before[4], after[4];
    for (int i = 0; i < 4; i++) {
        before[i] = after[i] = central.numbers[i].load(std::memory_order_relaxed);
    }
    detail::core_publish(&state.core, after, now);
    for (int i = 0; i < 4; i++) {
        if (after[i] != before[i]) {
            central.numbers[i].store(after[i], std::memory_order_relaxed);
        }
    }
}

/* Places for the words of a server with so many frames: a power of two, as in the simulator. */
constexpr std::size_t words_for(std::size_t frames) noexcept
{
    std::size_t size = 64;
    while (size < 2 * frames) {
        size *= 2;
    }
    return size;
}

/* The words of a server's nodes, by hash: nodes of the same place share one. Large; not for a stack. */
template <std::size_t Frames, std::size_t Size = words_for(Frames)> class NodeWords {
    static_assert(Size > 0 && (Size & (Size - 1)) == 0, "the size is a power of two");

  public:
    static std::size_t place(std::uint64_t node) noexcept
    {
        return static_cast<std::size_t>(detail::hash64(static_cast<std::int64_t>(node), 0)) & (Size - 1);
    }

    NodeWord load(std::uint64_t node) const noexcept
    {
        return words_[place(node)].load(std::memory_order_relaxed);
    }

    /* Writes only what has changed: a line that is written is taken from the other threads. */
    void store(std::uint64_t node, NodeWord before, NodeWord after) noexcept
    {
        if (after != before) {
            words_[place(node)].store(after, std::memory_order_relaxed);
        }
    }

  private:
    std::atomic<NodeWord> words_[Size] = {};
};

/* The policy language's random numbers: the n-th is a hash of n and the seed. */
struct CounterRng {
    std::int64_t seed;
    std::int64_t count;

    /* In [0, 2^63). */
    std::int64_t next() noexcept
    {
        return detail::hash64(++count, seed);
    }

    /* In [0, n); n is at least 1. */
    std::int64_t below(std::int64_t n) noexcept
    {
        return next() % n;
    }

    /* In [0, 1). */
    double uniform() noexcept
    {
        return static_cast<double>(next() >> 10) / 9007199254740992.0;
    }
};

/* Shadow mode: the policy is asked at misses that another one decides, and what they would have done is counted. */
struct Shadow {
    ThreadState state;
    std::uint64_t counts[2][3][3]; /* by whether an inner node was missing, what was done, what this policy would have done */

    Action watch(const MissCtx &miss, NodeWord &word, Action theirs) noexcept
    {
        const Action ours = on_miss(miss, state, word);
        counts[miss.level > 0][static_cast<int>(theirs)][static_cast<int>(ours)]++;
        return ours;
    }
};

} // namespace @P@_ns

#endif
