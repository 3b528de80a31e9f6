/* @TITLE@.
 *
 * A cache's books with its eviction policy: which key is cached, and which leaves. What is stored under the keys is
 * yours. Written by MetaMuse; decides as the policy did in the simulator. C99 and C++17.
 */
#ifndef @GUARD@_H
#define @GUARD@_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct @P@ @P@;

/* What became of a request. */
enum { @U@_HIT = 0, @U@_STORED = 1, @U@_REFUSED = 2, @U@_TOO_LARGE = 3 };

/* Told the key of every object that leaves. It must not call the cache. */
typedef void (*@P@_evicted)(void *context, uint64_t key);

/* A cache; NULL if the numbers make no sense or there is no memory. This is the only call that allots any.
 * capacity: room, in units of size. max_objects: most objects at once; a smaller object counts as
 * capacity / max_objects. */
@P@ *@P@_new(int64_t capacity, int64_t max_objects, @P@_evicted evicted, void *context);

/* The same, but a smaller object counts as one of the size `smallest`; max_objects times that is to fill the capacity. */
@P@ *@P@_new_of(int64_t capacity, int64_t max_objects, int64_t smallest, @P@_evicted evicted, void *context);

void @P@_free(@P@ *cache);

/* Serve one request for an object: a lookup and, if it misses, the insertion that follows it. size: 1 if all count the
 * same. Not for several threads at once. */
int @P@_request(@P@ *cache, uint64_t key, int64_t size);

/* Take an object out, because its owner wants so; 0 if it was not cached. */
int @P@_remove(@P@ *cache, uint64_t key);

/* Whether an object is cached; changes nothing. */
int @P@_holds(const @P@ *cache, uint64_t key);

/* Size of all cached objects. */
int64_t @P@_used(const @P@ *cache);

/* 0, or the line of the policy that failed (1: an illegal choice): FIFO has taken over since. Watch it. */
int @P@_fault(const @P@ *cache);

#ifdef __cplusplus
}
#endif

#endif
