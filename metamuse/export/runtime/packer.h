/* @TITLE@.
 *
 * Online bin packing: every item gets its bin at once and for good. Written by MetaMuse; decides as the policy did in the
 * simulator. C99 and C++17.
 */
#ifndef @GUARD@_H
#define @GUARD@_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct @P@ @P@;

/* A packer; NULL if the numbers make no sense or there is no memory. This is the only call that allots any.
 * capacity: size of a bin. max_bins: most bins that can be opened. */
@P@ *@P@_new(int64_t capacity, int64_t max_bins);

void @P@_free(@P@ *packer);

/* The bin of an item of a size in 1..capacity; bins are numbered in the order in which they are opened. -1: the size is
 * not in that range, or all bins are open and none has room. Not for several threads at once. */
int64_t @P@_pack(@P@ *packer, int64_t size);

/* How many bins are open. */
int64_t @P@_open(const @P@ *packer);

/* Free space of an open bin, -1 if there is no such bin. */
int64_t @P@_remaining(const @P@ *packer, int64_t bin);

/* 0, or the line of the policy that failed (1: an illegal choice): First Fit has taken over since. Watch it. */
int @P@_fault(const @P@ *packer);

#ifdef __cplusplus
}
#endif

#endif
