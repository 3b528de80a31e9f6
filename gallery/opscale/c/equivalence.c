/* Serves events from standard input, for test_equivalence.py: a row of int64 in, a row of int64 out. */

#include "opscale_s0039_tuned.h"

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

static double next_float(void)
{
    int64_t bits = next();
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void read_floats(double *row, int64_t n)
{
    int64_t i;
    for (i = 0; i < n; i++) {
        row[i] = next_float();
    }
}

int main(void)
{
    int64_t cases = next();
    for (; cases > 0; cases--) {
        int64_t n = next_of(0, 10), steps = next(), i, g, other;
        double interval = next_float(), ttft = next_float(), tbt = next_float();
        double prof[120], glob[16], obs[120];
        opscale_s0039_tuned *scaler;
        read_floats(prof, 12 * n);
        scaler = opscale_s0039_tuned_new(n, interval, ttft, tbt, prof);
        if (scaler == NULL) {
            return 4;
        }
        for (i = 0; i < steps; i++) {
            double t = next_float();
            const opscale_s0039_tuned_wanted *wanted;
            read_floats(glob, 16);
            read_floats(obs, 12 * n);
            wanted = opscale_s0039_tuned_decide(scaler, t, glob, obs);
            for (g = 0; g < n; g++) {
                say(wanted[g].replicas);
                say(wanted[g].batch);
                say(wanted[g].share);
                say(wanted[g].pack);
            }
            for (g = 0; g < n; g++) {
                for (other = 0; other < n; other++) {
                    say(opscale_s0039_tuned_affinity(scaler, g, other));
                }
            }
        }
        say(opscale_s0039_tuned_fault(scaler));
        opscale_s0039_tuned_free(scaler);
    }
    return 0;
}
