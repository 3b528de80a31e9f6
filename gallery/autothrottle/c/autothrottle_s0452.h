/* autothrottle policy s0452, Sure Time Trend.
 *
 * CPU control of microservices: limits of each service every 100 ms, throttle targets of an application every minute.
 * Written by MetaMuse; decides as the policy did in the simulator. C99 and C++17.
 */
#ifndef AUTOTHROTTLE_S0452_H
#define AUTOTHROTTLE_S0452_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The law of one service, a control group of its own. */
typedef struct autothrottle_s0452_service autothrottle_s0452_service;

/* What was seen of it since the last call. */
typedef struct autothrottle_s0452_sample {
    double cores;        /* CPU time used, per time */
    double throttled;    /* periods that ended throttled */
    double periods;      /* periods in which it was active */
    double throttled_ms; /* milliseconds that it was throttled */
    double unchanged_ms; /* milliseconds since its limit was last changed */
    double bursts;       /* periods that used more than the quota out of a burst buffer */
} autothrottle_s0452_sample;

/* A law; NULL if the numbers make no sense or there is no memory. This and _application_new are the only calls that allot any.
 * node_cores: most cores a service can have, its limit at the start. slo_ms: the objective of the latency. */
autothrottle_s0452_service *autothrottle_s0452_service_new(double node_cores, double slo_ms, int64_t n_services);

void autothrottle_s0452_service_free(autothrottle_s0452_service *service);

/* The limit in cores for the next 100 ms. target: of the application's law, in 0..1. If a number is not finite, the limit
 * stands. Not for several threads at once. */
double autothrottle_s0452_service_decide(autothrottle_s0452_service *service, const autothrottle_s0452_sample *sample, double target);

/* 0, or the line of the policy that failed (1: a limit that is no number): Captain has taken over since. Watch it. */
int autothrottle_s0452_service_fault(const autothrottle_s0452_service *service);

/* The law of an application. */
typedef struct autothrottle_s0452_application autothrottle_s0452_application;

/* cluster: for each service 1 if it is one of the few with most of the usage, else 0. */
autothrottle_s0452_application *autothrottle_s0452_application_new(double node_cores, double slo_ms, int64_t n_services, const int64_t *cluster);

void autothrottle_s0452_application_free(autothrottle_s0452_application *application);

/* The targets of all services for the next minute, to be called at the start (with zeros) and then every minute. They stay
 * valid until the next call. app: 8 numbers over the last minute (requests a second in its last 10 s, percentiles 50, 90,
 * 95, 99 of latency in ms, requests a second, cores allocated, cores used). services: 7 numbers for each service (mean,
 * deviation and maximum of its usage, share of throttled periods, mean limit, milliseconds throttled, changes). If one is
 * not finite, the last targets stand. */
const double *autothrottle_s0452_application_decide(autothrottle_s0452_application *application, const double *app, const double *services);

/* As above; all targets are 0.1 since. */
int autothrottle_s0452_application_fault(const autothrottle_s0452_application *application);

#ifdef __cplusplus
}
#endif

#endif
