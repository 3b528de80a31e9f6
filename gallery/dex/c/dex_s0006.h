/* dex policy s0006, Mix Few Misses.
 *
 * What a compute thread does at a node of a B+-tree in remote memory that is not in its server's cache. Written by MetaMuse;
 * decides as the policy did in the simulator. C99 and C++17.
 */
#ifndef DEX_S0006_H
#define DEX_S0006_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dex_s0006 dex_s0006;

/* What is done at a missing node, and what the operation is. */
enum { DEX_S0006_BYPASS, DEX_S0006_ADMIT, DEX_S0006_OFFLOAD };
enum { DEX_S0006_LOOKUP, DEX_S0006_UPDATE, DEX_S0006_INSERT, DEX_S0006_SCAN };

/* A node is missing. level: 0 for a leaf. now: microseconds. full: all frames are in use. may_offload: the memory server may
 * finish the operation. seen: see the README. */
typedef struct dex_s0006_miss {
    int64_t level;
    int64_t op;
    int64_t now;
    int full;
    int may_offload;
    double seen[16];
} dex_s0006_miss;

/* The policy of a compute thread: its number over all servers, how many there are, cores of a memory server that take calls,
 * levels of the tree. NULL if the numbers make no sense or there is no memory. This is the only call that allots any. */
dex_s0006 *dex_s0006_new(int64_t thread, int64_t threads, int64_t cpus, int64_t height);

void dex_s0006_free(dex_s0006 *thread);

/* What is done; the node's word (0 at first) becomes a new one. An inner node is never bypassed. */
int dex_s0006_on_miss(dex_s0006 *thread, const dex_s0006_miss *miss, uint32_t *word);

/* A walk used a cached node, the deepest on its way: its word becomes a new one. */
void dex_s0006_on_hit(dex_s0006 *thread, int64_t level, int64_t op, int64_t now, uint32_t *word);

/* Frames to look at when one is needed, 2 to 8. */
int64_t dex_s0006_looks(const dex_s0006 *thread);

/* What such a frame is worth; the two lowest are cooled, the first of equal ones. */
double dex_s0006_score(dex_s0006 *thread, int64_t level, int dirty, uint32_t word, int64_t now);

/* A miss was served: what was done, and the microseconds that it took. */
void dex_s0006_on_done(dex_s0006 *thread, int64_t level, int64_t action, double us);

/* After each miss: the server's four central numbers are brought up to date. */
void dex_s0006_publish(dex_s0006 *thread, double central[4], int64_t now);

/* 0, or the line of the policy that failed (1: an answer that none can be): since then DEX's own rule decides. Watch it. */
int dex_s0006_fault(const dex_s0006 *thread);

#ifdef __cplusplus
}
#endif

#endif
