/* @TITLE@.
 *
 * Scaling of an LLM service: how many replicas of each group of operators, each control interval. Written by MetaMuse;
 * decides as the policy did in the simulator. C99 and C++17.
 */
#ifndef @GUARD@_H
#define @GUARD@_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct @P@ @P@;

/* What is wanted of a group. */
typedef struct @P@_wanted {
    int64_t replicas;
    int64_t batch; /* batch cap, prefill tokens or decode sequences; 0: the usual one */
    int64_t share; /* size of a replica: eighths of a GPU, or 16, 32, 64 for 2, 4, 8 GPUs */
    int64_t pack;  /* equal keys are put together first; -1: GPUs of its own */
} @P@_wanted;

/* A scaler; NULL if the numbers make no sense or there is no memory. This is the only call that allots any.
 * n_groups: 5 (one phase) or 10. interval, ttft_slo, tbt_slo: seconds. prof: 12 numbers a group, see the README. */
@P@ *@P@_new(int64_t n_groups, double interval, double ttft_slo, double tbt_slo, const double *prof);

void @P@_free(@P@ *scaler);

/* The decisions for the next interval, one a group; they stay valid until the next call. t: seconds since the start.
 * glob: 16 numbers, obs: 12 numbers a group, see the README; if one is not finite, the last decisions stand. Not for several
 * threads at once. */
const @P@_wanted *@P@_decide(@P@ *scaler, double t, const double *glob, const double *obs);

/* How gladly a replica of a group joins a GPU with another one on it, as decided last; 0 if there are no such groups. */
int64_t @P@_affinity(const @P@ *scaler, int64_t group, int64_t other);

/* 0, or the line of the policy that failed (1: a number that no decision can be): since then every group keeps the most
 * replicas that it was ever given, and a whole-model group at least one. Watch it. */
int @P@_fault(const @P@ *scaler);

#ifdef __cplusplus
}
#endif

#endif
