// What the golden decisions do not show: random numbers bit by bit, states, the words' table, what is out of range.
#include "policy.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <type_traits>
#include <utility>

using namespace dex_s0006_ns;

namespace {

struct Draws {
    std::int64_t seed, next[4], below[4], bits[4];
};

// From the policy language: of each seed four draws of next(), of below(1000), and of uniform() by their bits.
const Draws expected[] = {
    {INT64_C(0), {INT64_C(5225608189600411232), INT64_C(5452762862878174055), INT64_C(1046394712501569526), INT64_C(3979477524527301989)}, {INT64_C(309), INT64_C(296), INT64_C(243), INT64_C(811)}, {INT64_C(4604321396663242252), INT64_C(4584961449814962256), INT64_C(4599368572438372364), INT64_C(4603391299479092177)}},
    {INT64_C(1), {INT64_C(6878622605533214259), INT64_C(6909686245660430113), INT64_C(6459067610863555780), INT64_C(8231000348891568152)}, {INT64_C(172), INT64_C(916), INT64_C(902), INT64_C(408)}, {INT64_C(4604936878025668093), INT64_C(4604789810818565337), INT64_C(4598397970316958404), INT64_C(4606637152381678868)}},
    {INT64_C(2), {INT64_C(8955919645141445295), INT64_C(5493791624070637975), INT64_C(5653693546300468864), INT64_C(7923957093126488623)}, {INT64_C(531), INT64_C(843), INT64_C(673), INT64_C(752)}, {INT64_C(4598451244096367970), INT64_C(4593886811689154084), INT64_C(4603922194052797282), INT64_C(4597625377489665976)}},
    {INT64_C(143), {INT64_C(5061571614891563658), INT64_C(5964488747534913927), INT64_C(3592480278266351502), INT64_C(2236601320695457937)}, {INT64_C(95), INT64_C(113), INT64_C(456), INT64_C(857)}, {INT64_C(4602453506147515876), INT64_C(4606616725309304043), INT64_C(4599489387543012596), INT64_C(4602340750807430282)}},
    {INT64_C(1023), {INT64_C(5670260754343658275), INT64_C(7033288507137983667), INT64_C(4082052574347470831), INT64_C(2830719726437519125)}, {INT64_C(292), INT64_C(956), INT64_C(884), INT64_C(516)}, {INT64_C(4601884040666516494), INT64_C(4607145394394829383), INT64_C(4597357782497684564), INT64_C(4594436049379258096)}},
    {INT64_C(2147483648), {INT64_C(5188403604255705775), INT64_C(28367934183893518), INT64_C(8488623415979503180), INT64_C(7744234075181860972)}, {INT64_C(236), INT64_C(87), INT64_C(310), INT64_C(609)}, {INT64_C(4599645582921524454), INT64_C(4597977356285116512), INT64_C(4606933246123732547), INT64_C(4605556509141627574)}},
    {INT64_C(9007199254740993), {INT64_C(7049875821039354141), INT64_C(5983710694526373124), INT64_C(2390134888557550635), INT64_C(781980507911215741)}, {INT64_C(730), INT64_C(654), INT64_C(560), INT64_C(385)}, {INT64_C(4601773319617378416), INT64_C(4606116212426552346), INT64_C(4590424389705615328), INT64_C(4604279317966993354)}},
    {INT64_C(9223372036854775807), {INT64_C(1253552486258335231), INT64_C(8412516472647859104), INT64_C(1082468667335339772), INT64_C(3432955174594197074)}, {INT64_C(285), INT64_C(440), INT64_C(982), INT64_C(999)}, {INT64_C(4590323532969551608), INT64_C(4597339314659585076), INT64_C(4605765861533457374), INT64_C(4605187397724491788)}},
};

// The places of nodes 0, 1, 2 and 123456789 in a table of 1024 words.
const std::size_t places[] = {727, 608, 871, 828};

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
