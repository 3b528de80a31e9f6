/* Serves events from standard input, for test_equivalence.py: a row of int64 in, a row of int64 out. */

#include "dex_s0006.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t next(void)
{
    int64_t x = 0;
    if (fread(&x, sizeof x, 1, stdin) != 1) {
        exit(3);
    }
    return x;
}

/* A number that a place in memory is made of: it comes from a file, so it may be any. */
static int64_t next_of(int64_t least, int64_t most)
{
    int64_t x = next();
    if (x < least || x > most) {
        exit(5);
    }
    return x;
}

static void say(int64_t x)
{
    fwrite(&x, sizeof x, 1, stdout);
}

static double real(int64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int64_t bits_of(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

enum { MISS = 1, HIT, SCORE, DONE, PUBLISH };

static void event(dex_s0006 *const *made, int64_t n_made, int64_t n_shown, const int64_t *shown)
{
    int64_t kind = next(), which = next_of(0, n_made - 1), level = next(), what = next(), now, i;
    dex_s0006 *thread = made[which];
    uint32_t word;
    if (kind == DONE) {
        dex_s0006_on_done(thread, level, what, real(next()));
        return;
    }
    word = (uint32_t)next();
    now = next();
    if (kind == MISS) {
        dex_s0006_miss miss;
        memset(&miss, 0, sizeof miss);
        miss.level = level;
        miss.op = what;
        miss.now = now;
        miss.full = (int)next();
        miss.may_offload = (int)next();
        for (i = 0; i < n_shown; i++) {
            miss.seen[shown[i]] = real(next());
        }
        say(dex_s0006_on_miss(thread, &miss, &word));
        say((int64_t)word);
    } else if (kind == HIT) {
        dex_s0006_on_hit(thread, level, what, now, &word);
        say((int64_t)word);
    } else if (kind == SCORE) {
        say(bits_of(dex_s0006_score(thread, level, (int)what, word, now)));
    } else {
        double central[4];
        for (i = 0; i < 4; i++) {
            central[i] = real(next());
        }
        dex_s0006_publish(thread, central, now);
        for (i = 0; i < 4; i++) {
            say(bits_of(central[i]));
        }
    }
}

int main(void)
{
    int64_t cases = next();
    for (; cases > 0; cases--) {
        int64_t threads = next(), cpus = next(), height = next(), n = next_of(0, 256), n_shown, shown[16], events, i;
        int fault = 0;
        dex_s0006 *made[256];
        for (i = 0; i < n; i++) {
            made[i] = dex_s0006_new(next(), threads, cpus, height);
            if (made[i] == NULL) {
                return 4;
            }
        }
        n_shown = next_of(0, 16);
        for (i = 0; i < n_shown; i++) {
            shown[i] = next_of(0, 15);
        }
        for (events = next(); events > 0; events--) {
            event(made, n, n_shown, shown);
        }
        for (i = 0; i < n; i++) {
            fault = fault != 0 ? fault : dex_s0006_fault(made[i]);
            dex_s0006_free(made[i]);
        }
        say(fault);
    }
    return 0;
}
