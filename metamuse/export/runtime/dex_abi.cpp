// The policy with a C interface, @P@.h; states are made by new.
#include "@P@.h"

#include "policy.hpp"

#include <new>

struct @P@ {
    @P@_ns::ThreadState state;
};

extern "C" {

@P@ *@P@_new(int64_t thread, int64_t threads, int64_t cpus, int64_t height)
{
    @P@ *p = new (std::nothrow) @P@;
    if (p != nullptr && !@P@_ns::init(p->state, thread, threads, cpus, height)) {
        delete p;
        p = nullptr;
    }
    return p;
}

void @P@_free(@P@ *p)
{
    delete p;
}

int @P@_on_miss(@P@ *p, const @P@_miss *miss, uint32_t *word)
{
    @P@_ns::MissCtx given;
    given.level = miss->level;
    given.op = static_cast<@P@_ns::Op>(miss->op);
    given.now = miss->now;
    given.full = miss->full != 0;
    given.may_offload = miss->may_offload != 0;
    memcpy(given.seen, miss->seen, sizeof given.seen);
    return static_cast<int>(@P@_ns::on_miss(given, p->state, *word));
}

void @P@_on_hit(@P@ *p, int64_t level, int64_t op, int64_t now, uint32_t *word)
{
    @P@_ns::on_hit(level, static_cast<@P@_ns::Op>(op), now, p->state, *word);
}

int64_t @P@_looks(const @P@ *p)
{
    return @P@_ns::looks(p->state);
}

double @P@_score(@P@ *p, int64_t level, int dirty, uint32_t word, int64_t now)
{
    return @P@_ns::score(level, dirty != 0, word, now, p->state);
}

void @P@_on_done(@P@ *p, int64_t level, int64_t action, double us)
{
    @P@_ns::on_done(level, static_cast<@P@_ns::Action>(action), us, p->state);
}

void @P@_publish(@P@ *p, double central[4], int64_t now)
{
    @P@_ns::Central numbers;
    for (int i = 0; i < 4; i++) {
        numbers.numbers[i].store(central[i], std::memory_order_relaxed);
    }
    @P@_ns::publish(numbers, now, p->state);
    for (int i = 0; i < 4; i++) {
        central[i] = numbers.numbers[i].load(std::memory_order_relaxed);
    }
}

int @P@_fault(const @P@ *p)
{
    return @P@_ns::fault(p->state);
}

} // extern "C"
