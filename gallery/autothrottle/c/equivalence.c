/* Serves events from standard input, for test_equivalence.py: a row of int64 in, a row of int64 out. */

#include "autothrottle_s0452.h"

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

static void say_float(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    say(bits);
}

static double *floats(int64_t n)
{
    double *row = (double *)malloc((size_t)n * sizeof *row);
    if (row == NULL) {
        exit(4);
    }
    return row;
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
        int64_t n = next_of(1, 100000), minutes = next_of(1, 100000), ticks = next_of(0, 600 * minutes);
        int64_t shown = next(), i, j, fault = 0;
        double cores = next_float(), slo = next_float(), app[8];
        double *services = floats(7 * n), *targets = floats(n * minutes);
        int64_t *cluster = (int64_t *)malloc((size_t)n * sizeof *cluster);
        autothrottle_s0452_application *application;
        if (cluster == NULL) {
            return 4;
        }
        for (i = 0; i < n; i++) {
            cluster[i] = next();
        }
        application = autothrottle_s0452_application_new(cores, slo, n, cluster);
        if (application == NULL) {
            return 4;
        }
        for (i = 0; i < minutes; i++) {
            const double *decided;
            read_floats(app, 8);
            read_floats(services, 7 * n);
            decided = autothrottle_s0452_application_decide(application, app, services);
            for (j = 0; j < n; j++) {
                targets[i * n + j] = decided[j];
                say_float(decided[j]);
            }
        }
        fault = autothrottle_s0452_application_fault(application);
        autothrottle_s0452_application_free(application);
        for (i = 0; i < shown; i++) {
            int64_t service = next_of(0, n - 1);
            autothrottle_s0452_service *law = autothrottle_s0452_service_new(cores, slo, n);
            if (law == NULL) {
                return 4;
            }
            for (j = 0; j < ticks; j++) {
                autothrottle_s0452_sample sample;
                sample.cores = next_float();
                sample.throttled = next_float();
                sample.periods = next_float();
                sample.throttled_ms = next_float();
                sample.unchanged_ms = next_float();
                sample.bursts = next_float();
                say_float(autothrottle_s0452_service_decide(law, &sample, targets[j / 600 * n + service]));
            }
            fault = fault ? fault : autothrottle_s0452_service_fault(law);
            autothrottle_s0452_service_free(law);
        }
        say(fault);
        free(services);
        free(targets);
        free(cluster);
    }
    return 0;
}
