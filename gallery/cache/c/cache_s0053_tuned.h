/* cache policy s0053-tuned, Wave Boost Hand (tuned).
 *
 * A cache's books with its eviction policy: which key is cached, and which leaves. What is stored under the keys is
 * yours. Written by MetaMuse; decides as the policy did in the simulator. C99 and C++17.
 */
#ifndef CACHE_S0053_TUNED_H
#define CACHE_S0053_TUNED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cache_s0053_tuned cache_s0053_tuned;

/* What became of a request. */
enum { CACHE_S0053_TUNED_HIT = 0, CACHE_S0053_TUNED_STORED = 1, CACHE_S0053_TUNED_REFUSED = 2, CACHE_S0053_TUNED_TOO_LARGE = 3 };

/* Told the key of every object that leaves. It must not call the cache. */
typedef void (*cache_s0053_tuned_evicted)(void *context, uint64_t key);

/* A cache; NULL if the numbers make no sense or there is no memory. This is the only call that allots any.
 * capacity: room, in units of size. max_objects: most objects at once; a smaller object counts as
 * capacity / max_objects. */
cache_s0053_tuned *cache_s0053_tuned_new(int64_t capacity, int64_t max_objects, cache_s0053_tuned_evicted evicted, void *context);

/* The same, but a smaller object counts as one of the size `smallest`; max_objects times that is to fill the capacity. */
cache_s0053_tuned *cache_s0053_tuned_new_of(int64_t capacity, int64_t max_objects, int64_t smallest, cache_s0053_tuned_evicted evicted, void *context);

void cache_s0053_tuned_free(cache_s0053_tuned *cache);

/* Serve one request for an object: a lookup and, if it misses, the insertion that follows it. size: 1 if all count the
 * same. Not for several threads at once. */
int cache_s0053_tuned_request(cache_s0053_tuned *cache, uint64_t key, int64_t size);

/* Take an object out, because its owner wants so; 0 if it was not cached. */
int cache_s0053_tuned_remove(cache_s0053_tuned *cache, uint64_t key);

/* Whether an object is cached; changes nothing. */
int cache_s0053_tuned_holds(const cache_s0053_tuned *cache, uint64_t key);

/* Size of all cached objects. */
int64_t cache_s0053_tuned_used(const cache_s0053_tuned *cache);

/* 0, or the line of the policy that failed (1: an illegal choice): FIFO has taken over since. Watch it. */
int cache_s0053_tuned_fault(const cache_s0053_tuned *cache);

#ifdef __cplusplus
}
#endif

#endif
