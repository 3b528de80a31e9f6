/* Memory: a part of the thread's state. */
typedef struct mm_heap {
    unsigned char *next, *end;
    int64_t room; /* indices that structures which grow elsewhere have room for here */
    int fault;    /* line of the policy that failed first, 0 if none did */
} mm_heap;

typedef double (*mm_function_1)(double);
typedef double (*mm_function_2)(double, double);
