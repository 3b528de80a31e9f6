/* Serves events from standard input, for test_equivalence.py: a row of int64 in, a row of int64 out. */

#include "@P@.h"

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
