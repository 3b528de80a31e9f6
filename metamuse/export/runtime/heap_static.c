/* Memory: a fixed piece for the policy's arrays; there is no heap. A policy whose arrays grow with the season needs more for
 * a longer one: then _start says so, and you define @U@_WORDS. */

#ifndef @U@_WORDS
#define @U@_WORDS @WORDS@
#endif

typedef struct mm_heap {
    int64_t words[@U@_WORDS];
    int32_t taken; /* of the words */
    int fault;     /* line of the policy that failed first, 0 if none did */
    int64_t room;  /* indices that structures which grow elsewhere have room for here */
} mm_heap;

typedef double (*mm_function_1)(double);
typedef double (*mm_function_2)(double, double);
