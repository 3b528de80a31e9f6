// The policy with a C interface, dex_s0006.h; states are made by new.
#include "dex_s0006.h"

#include "policy.hpp"

#include <new>

struct dex_s0006 {
    dex_s0006_ns::ThreadState state;
};

extern "C" {

dex_s0006 *dex_s0006_new(int64_t thread, int64_t threads, int64_t cpus, int64_t height)
{
    dex_s0006 *p = new (std::nothrow) dex_s0006;
    if (p != nullptr && !dex_s0006_ns::init(p->state, thread, threads, cpus, height)) {
        delete p;
        p = nullptr;
    }
    return p;
}

void dex_s0006_free(dex_s0006 *p)
{
    delete p;
}

int dex_s0006_on_miss(dex_s0006 *p, const dex_s0006_miss *miss, uint32_t *word)
{
    dex_s0006_ns::MissCtx given;
    given.level = miss->level;
    given.op = static_cast<dex_s0006_ns::Op>(miss->op);
    given.now = miss->now;
    given.full = miss->full != 0;
    given.may_offload = miss->may_offload != 0;
    memcpy(given.seen, miss->seen, sizeof given.seen);
    return static_cast<int>(dex_s0006_ns::on_miss(given, p->state, *word));
}

void dex_s0006_on_hit(dex_s0006 *p, int64_t level, int64_t op, int64_t now, uint32_t *word)
{
    dex_s0006_ns::on_hit(level, static_cast<dex_s0006_ns::Op>(op), now, p->state, *word);
}

int64_t dex_s0006_looks(const dex_s0006 *p)
{
    return dex_s0006_ns::looks(p->state);
}

double dex_s0006_score(dex_s0006 *p, int64_t level, int dirty, uint32_t word, int64_t now)
{
    return dex_s0006_ns::score(level, dirty != 0, word, now, p->state);
}

void dex_s0006_on_done(dex_s0006 *p, int64_t level, int64_t action, double us)
{
    dex_s0006_ns::on_done(level, static_cast<dex_s0006_ns::Action>(action), us, p->state);
}

void dex_s0006_publish(dex_s0006 *p, double central[4], int64_t now)
{
    dex_s0006_ns::Central numbers;
    for (int i = 0; i < 4; i++) {
        numbers.numbers[i].store(central[i], std::memory_order_relaxed);
    }
    dex_s0006_ns::publish(numbers, now, p->state);
    for (int i = 0; i < 4; i++) {
        central[i] = numbers.numbers[i].load(std::memory_order_relaxed);
    }
}

int dex_s0006_fault(const dex_s0006 *p)
{
    return dex_s0006_ns::fault(p->state);
}

} // extern "C"
