// What the golden decisions do not show: random numbers bit by bit, states, the words' table, what is out of range.
#include "policy.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <type_traits>
#include <utility>

using namespace @P@_ns;

namespace {

struct Draws {
    std::int64_t seed, next[4], below[4], bits[4];
};

// From the policy language: of each seed four draws of next(), of below(1000), and of uniform() by their bits.
const Draws expected[] = {
@DRAWS@
};

// The places of nodes 0, 1, 2 and 123456789 in a table of 1024 words.
const std::size_t places[] = {@PLACES@};

int failed = 0;

void demand(bool holds, const char *what)
{
    if (!holds) {
        std::printf("%s\n", what);
        failed = 1;
    }
}

static_assert(std::is_trivial<ThreadState>::value && std::is_standard_layout<ThreadState>::value, "plain data");
static_assert(noexcept(on_miss(std::declval<const MissCtx &>(), std::declval<ThreadState &>(), std::declval<NodeWord &>())),
              "no exceptions");
static_assert(words_for(1) == 64 && words_for(512) == 1024 && words_for(513) == 2048, "two words a frame");

} // namespace

int main()
{
    for (const Draws &draws : expected) {
        CounterRng rng = {draws.seed, 0};
        for (std::int64_t want : draws.next) {
            demand(rng.next() == want, "next() differs");
        }
        for (std::int64_t want : draws.below) {
            demand(rng.below(1000) == want, "below() differs");
        }
        for (std::int64_t want : draws.bits) {
            const double drawn = rng.uniform();
            std::int64_t bits;
            memcpy(&bits, &drawn, sizeof bits);
            demand(bits == want, "uniform() differs");
        }
    }
    const std::uint64_t nodes[] = {0, 1, 2, 123456789};
    for (int i = 0; i < 4; i++) {
        demand((NodeWords<512>::place(nodes[i]) == places[i]), "a node's word has another place");
    }
    auto words = std::make_unique<NodeWords<512>>();
    words->store(7, words->load(7), 5);
    demand(words->load(7) == 5, "a word is not kept");

    auto state = std::make_unique<ThreadState>();
    demand(!init(*state, 0, 0, 4, 6) && fault(*state) == 1, "no thread of none");
    demand(init(*state, 1023, 1024, 64, 16), "the arrays of a large system do not fit");
    demand(init(*state, 0, 144, 4, 6), "it cannot be initialised");

    // Numbers that no policy was tried with: DEX's rule decides and the word stays.
    MissCtx odd = {};
    odd.level = 1;
    odd.full = odd.may_offload = true;
    for (double &number : odd.seen) {
        number = 1e300;
    }
    NodeWord word = 3;
    odd.seen[2] = 3.0;
    if (!tried(odd)) {
        demand(on_miss(odd, *state, word) == Action::Offload && word == 3 && state->out_of_range == 1, "out of range");
        odd.seen[2] = INFINITY;
        demand(on_miss(odd, *state, word) == Action::Admit && state->out_of_range == 2, "a dear call is made");
        demand(fault(*state) == 0, "out of range is no fault");
    }
    // A failed policy.
    state->core.heap.fault = 9;
    int admitted = 0;
    odd.level = 0;
    for (int i = 0; i < 10000; i++) {
        admitted += on_miss(odd, *state, word) == Action::Admit;
    }
    demand(admitted > 900 && admitted < 1100, "one missing leaf in ten is admitted");
    demand(score(0, false, word, 0, *state) == 0.0 && fault(*state) == 9, "frames score alike");

    auto shadow = std::make_unique<Shadow>();
    init(shadow->state, 0, 144, 4, 6);
    memset(shadow->counts, 0, sizeof shadow->counts);
    const Action ours = shadow->watch(odd, word, Action::Bypass);
    demand(shadow->counts[0][0][static_cast<int>(ours)] == 1, "the shadow counts");
    return failed;
}
