/* Serves events from standard input, for test_equivalence.py: a row of int64 in, a row of int64 out. */

#include "cache_s0053_tuned.h"

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

static int64_t *gone;
static int64_t n_gone, most_gone;

static void note(void *context, uint64_t key)
{
    (void)context;
    if (n_gone == most_gone) {
        exit(5);
    }
    gone[n_gone++] = (int64_t)key;
}

int main(void)
{
    int64_t cases = next();
    for (; cases > 0; cases--) {
        int64_t n = next(), capacity = next(), most = next_of(1, 100000000), i, j;
        cache_s0053_tuned *cache = cache_s0053_tuned_new_of(capacity, most, 1, note, NULL);
        gone = (int64_t *)malloc((size_t)(most + 1) * sizeof *gone);
        most_gone = most + 1;
        if (cache == NULL || gone == NULL) {
            return 4;
        }
        for (i = 0; i < n; i++) {
            uint64_t key = (uint64_t)next();
            int64_t size = next();
            n_gone = 0;
            say(cache_s0053_tuned_request(cache, key, size));
            say(n_gone);
            for (j = 0; j < n_gone; j++) {
                say(gone[j]);
            }
        }
        say(cache_s0053_tuned_fault(cache));
        free(gone);
        cache_s0053_tuned_free(cache);
    }
    return 0;
}
