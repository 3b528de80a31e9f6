/* opscale policy s0039-tuned, Drain Burst Hot (tuned).
 *
 * Scaling of an LLM service: how many replicas of each group of operators, each control interval. Written by MetaMuse;
 * decides as the policy did in the simulator. C99 and C++17.
 */
#ifndef OPSCALE_S0039_TUNED_H
#define OPSCALE_S0039_TUNED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct opscale_s0039_tuned opscale_s0039_tuned;

/* What is wanted of a group. */
typedef struct opscale_s0039_tuned_wanted {
    int64_t replicas;
    int64_t batch; /* batch cap, prefill tokens or decode sequences; 0: the usual one */
    int64_t share; /* size of a replica: eighths of a GPU, or 16, 32, 64 for 2, 4, 8 GPUs */
    int64_t pack;  /* equal keys are put together first; -1: GPUs of its own */
} opscale_s0039_tuned_wanted;

/* A scaler; NULL if the numbers make no sense or there is no memory. This is the only call that allots any.
 * n_groups: 5 (one phase) or 10. interval, ttft_slo, tbt_slo: seconds. prof: 12 numbers a group, see the README. */
opscale_s0039_tuned *opscale_s0039_tuned_new(int64_t n_groups, double interval, double ttft_slo, double tbt_slo, const double *prof);

void opscale_s0039_tuned_free(opscale_s0039_tuned *scaler);

/* The decisions for the next interval, one a group; they stay valid until the next call. t: seconds since the start.
 * glob: 16 numbers, obs: 12 numbers a group, see the README; if one is not finite, the last decisions stand. Not for several
 * threads at once. */
const opscale_s0039_tuned_wanted *opscale_s0039_tuned_decide(opscale_s0039_tuned *scaler, double t, const double *glob, const double *obs);

/* How gladly a replica of a group joins a GPU with another one on it, as decided last; 0 if there are no such groups. */
int64_t opscale_s0039_tuned_affinity(const opscale_s0039_tuned *scaler, int64_t group, int64_t other);

/* 0, or the line of the policy that failed (1: a number that no decision can be): since then every group keeps the most
 * replicas that it was ever given, and a whole-model group at least one. Watch it. */
int opscale_s0039_tuned_fault(const opscale_s0039_tuned *scaler);

#ifdef __cplusplus
}
#endif

#endif
