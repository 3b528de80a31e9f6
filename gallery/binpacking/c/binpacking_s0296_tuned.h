/* binpacking policy s0296-tuned, Future Outlook Levels (tuned).
 *
 * Online bin packing: every item gets its bin at once and for good. Written by MetaMuse; decides as the policy did in the
 * simulator. C99 and C++17.
 */
#ifndef BINPACKING_S0296_TUNED_H
#define BINPACKING_S0296_TUNED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct binpacking_s0296_tuned binpacking_s0296_tuned;

/* A packer; NULL if the numbers make no sense or there is no memory. This is the only call that allots any.
 * capacity: size of a bin. max_bins: most bins that can be opened. */
binpacking_s0296_tuned *binpacking_s0296_tuned_new(int64_t capacity, int64_t max_bins);

void binpacking_s0296_tuned_free(binpacking_s0296_tuned *packer);

/* The bin of an item of a size in 1..capacity; bins are numbered in the order in which they are opened. -1: the size is
 * not in that range, or all bins are open and none has room. Not for several threads at once. */
int64_t binpacking_s0296_tuned_pack(binpacking_s0296_tuned *packer, int64_t size);

/* How many bins are open. */
int64_t binpacking_s0296_tuned_open(const binpacking_s0296_tuned *packer);

/* Free space of an open bin, -1 if there is no such bin. */
int64_t binpacking_s0296_tuned_remaining(const binpacking_s0296_tuned *packer, int64_t bin);

/* 0, or the line of the policy that failed (1: an illegal choice): First Fit has taken over since. Watch it. */
int binpacking_s0296_tuned_fault(const binpacking_s0296_tuned *packer);

#ifdef __cplusplus
}
#endif

#endif
