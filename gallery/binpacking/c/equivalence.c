/* Serves events from standard input, for test_equivalence.py: a row of int64 in, a row of int64 out. */

#include "binpacking_s0296_tuned.h"

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

int main(void)
{
    int64_t cases = next();
    for (; cases > 0; cases--) {
        int64_t n = next(), capacity = next(), most = next_of(1, 100000000), i;
        binpacking_s0296_tuned *packer = binpacking_s0296_tuned_new(capacity, most);
        if (packer == NULL) {
            return 4;
        }
        for (i = 0; i < n; i++) {
            say(binpacking_s0296_tuned_pack(packer, next()));
        }
        say(binpacking_s0296_tuned_fault(packer));
        binpacking_s0296_tuned_free(packer);
    }
    return 0;
}
