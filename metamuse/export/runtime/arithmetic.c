/* Arithmetic of the policy language. Errors of a policy set the fault of its state and give a harmless value. */

static inline void set_fault(mm_heap *heap, int line)
{
    if (heap->fault == 0) {
        heap->fault = line > 0 ? line : 1;
    }
}

static inline int64_t add64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t sub64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline int64_t mul64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

static inline int64_t neg64(int64_t a)
{
    return (int64_t)(0 - (uint64_t)a);
}

static inline int64_t abs64(int64_t a)
{
    return a < 0 ? neg64(a) : a;
}

static inline int64_t min64(int64_t a, int64_t b)
{
    return b < a ? b : a;
}

static inline int64_t max64(int64_t a, int64_t b)
{
    return b > a ? b : a;
}

static inline double minf(double a, double b)
{
    return b < a ? b : a;
}

static inline double maxf(double a, double b)
{
    return b > a ? b : a;
}

static inline int64_t floordiv64(mm_heap *heap, int64_t a, int64_t b, int line)
{
    int64_t q;
    if (b == 0) {
        set_fault(heap, line);
        return 0;
    }
    if (b == -1) {
        return neg64(a);
    }
    q = a / b;
    return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

static inline int64_t mod64(mm_heap *heap, int64_t a, int64_t b, int line)
{
    int64_t r;
    if (b == 0) {
        set_fault(heap, line);
        return 0;
    }
    if (b == -1) {
        return 0;
    }
    r = a % b;
    return (r != 0 && (r < 0) != (b < 0)) ? r + b : r;
}

static inline double divf(mm_heap *heap, double a, double b, int line)
{
    if (b == 0.0) {
        set_fault(heap, line);
        return 0.0;
    }
    return a / b;
}

static inline double modf_floor(mm_heap *heap, double a, double b, int line)
{
    double r;
    if (b == 0.0) {
        set_fault(heap, line);
        return 0.0;
    }
    r = fmod(a, b);
    if (r != 0.0) {
        if ((b < 0.0) != (r < 0.0)) {
            r += b;
        }
    } else {
        r = copysign(0.0, b);
    }
    return r;
}

static inline double floordivf(mm_heap *heap, double a, double b, int line)
{
    double r, q, whole;
    if (b == 0.0) {
        set_fault(heap, line);
        return 0.0;
    }
    r = fmod(a, b);
    q = (a - r) / b;
    if (r != 0.0 && (b < 0.0) != (r < 0.0)) {
        q -= 1.0;
    }
    if (q == 0.0) {
        return copysign(0.0, a / b);
    }
    whole = floor(q);
    return q - whole > 0.5 ? whole + 1.0 : whole;
}

static inline int64_t shl64(mm_heap *heap, int64_t a, int64_t b, int line)
{
    if (b < 0 || b > 63) {
        set_fault(heap, line);
        return 0;
    }
    return (int64_t)((uint64_t)a << b);
}

static inline int64_t shr64(mm_heap *heap, int64_t a, int64_t b, int line)
{
    if (b < 0 || b > 63) {
        set_fault(heap, line);
        return 0;
    }
    return a < 0 ? (int64_t)~(~(uint64_t)a >> b) : (int64_t)((uint64_t)a >> b);
}

static inline int64_t pow64(mm_heap *heap, int64_t a, int64_t b, int line)
{
    int64_t result = 1;
    if (b < 0 || (b > 63 && (a > 1 || a < -1))) {
        set_fault(heap, line);
        return 0;
    }
    for (b = b > 63 ? 62 + b % 2 : b; b > 0; b--) {
        result = mul64(result, a);
    }
    return result;
}

static inline int64_t to_int64(mm_heap *heap, double x, int line)
{
    if (!(x >= -9223372036854775808.0 && x < 9223372036854775808.0)) {
        set_fault(heap, line);
        return 0;
    }
    return (int64_t)x;
}

static inline int64_t fit64(mm_heap *heap, int64_t x, int bits, int line)
{
    if (x < -((int64_t)1 << (bits - 1)) || x >= (int64_t)1 << (bits - 1)) {
        set_fault(heap, line);
        return 0;
    }
    return x;
}

static inline int64_t at(mm_heap *heap, int64_t i, int64_t n, int line)
{
    if (i < 0) {
        i += n;
    }
    if (i < 0 || i >= n) {
        set_fault(heap, line);
        return 0;
    }
    return i;
}

static inline int64_t hash64(int64_t x, int64_t seed)
{
    uint64_t z = (uint64_t)x + ((uint64_t)seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (int64_t)((z ^ (z >> 31)) >> 1);
}

static inline int is_inside(double result, double x)
{
    if (result != result) {
        return x != x;
    }
    return result - result == 0.0 || x - x != 0.0;
}

static inline double libm_1(mm_heap *heap, mm_function_1 function, double x, int line)
{
    double result = function(x);
    if (!is_inside(result, x)) {
        set_fault(heap, line);
        return 0.0;
    }
    return result;
}

static inline double libm_2(mm_heap *heap, mm_function_2 function, double x, double y, int line)
{
    double result = function(x, y);
    if (!is_inside(result, x + y)) {
        set_fault(heap, line);
        return 0.0;
    }
    return result;
}

static inline double powf64(mm_heap *heap, double x, double y, int line)
{
    if (x == 0.0 && y < 0.0 && y - y == 0.0) {
        set_fault(heap, line);
        return 0.0;
    }
    return libm_2(heap, libm_pow, x, y, line);
}

static inline double hypotf64(mm_heap *heap, double x, double y, int line)
{
    return libm_1(heap, libm_sqrt, x * x + y * y, line);
}

static inline int64_t sum_of64(mm_heap *heap, const int64_t *values, int64_t n, int line)
{
    int64_t result = 0;
    int64_t i;
    (void)heap;
    (void)line;
    for (i = 0; i < n; i++) {
        result = add64(result, values[i]);
    }
    return result;
}

static inline int64_t argmax_of64(mm_heap *heap, const int64_t *values, int64_t n, int line)
{
    int64_t i, best = 0;
    if (n < 1) {
        set_fault(heap, line);
        return 0;
    }
    for (i = 0; i < n; i++) {
        if (values[i] > values[best]) {
            best = i;
        }
    }
    return best;
}

static inline int64_t argmin_of64(mm_heap *heap, const int64_t *values, int64_t n, int line)
{
    int64_t i, best = 0;
    if (n < 1) {
        set_fault(heap, line);
        return 0;
    }
    for (i = 0; i < n; i++) {
        if (values[i] < values[best]) {
            best = i;
        }
    }
    return best;
}

static inline int64_t max_of64(mm_heap *heap, const int64_t *values, int64_t n, int line)
{
    int64_t best = argmax_of64(heap, values, n, line);
    return n < 1 ? 0 : values[best];
}

static inline int64_t min_of64(mm_heap *heap, const int64_t *values, int64_t n, int line)
{
    int64_t best = argmin_of64(heap, values, n, line);
    return n < 1 ? 0 : values[best];
}

static inline double sum_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    double result = 0.0;
    int64_t i;
    (void)heap;
    (void)line;
    for (i = 0; i < n; i++) {
        result = result + values[i];
    }
    return result;
}

static inline int64_t argmax_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    int64_t i, best = 0;
    if (n < 1) {
        set_fault(heap, line);
        return 0;
    }
    for (i = 0; i < n; i++) {
        if (values[i] != values[i]) {
            return i;
        }
        if (values[i] > values[best]) {
            best = i;
        }
    }
    return best;
}

static inline int64_t argmin_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    int64_t i, best = 0;
    if (n < 1) {
        set_fault(heap, line);
        return 0;
    }
    for (i = 0; i < n; i++) {
        if (values[i] != values[i]) {
            return i;
        }
        if (values[i] < values[best]) {
            best = i;
        }
    }
    return best;
}

static inline double max_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    int64_t best = argmax_off(heap, values, n, line);
    return n < 1 ? 0.0 : values[best];
}

static inline double min_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    int64_t best = argmin_off(heap, values, n, line);
    return n < 1 ? 0.0 : values[best];
}

static inline double mean_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    return divf(heap, sum_off(heap, values, n, line), (double)n, line);
}

static inline double var_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    double mean = mean_off(heap, values, n, line), result = 0.0;
    int64_t i;
    for (i = 0; i < n; i++) {
        result += (values[i] - mean) * (values[i] - mean);
    }
    return divf(heap, result, (double)n, line);
}

static inline double std_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    return sqrt(var_off(heap, values, n, line));
}

/* As Python's max() does, which takes no notice of a NaN unless it comes first. */
static inline double plain_max_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    int64_t i, best = 0;
    if (n < 1) {
        set_fault(heap, line);
        return 0.0;
    }
    for (i = 1; i < n; i++) {
        if (values[i] > values[best]) {
            best = i;
        }
    }
    return values[best];
}

/* As Python's min() does, which takes no notice of a NaN unless it comes first. */
static inline double plain_min_off(mm_heap *heap, const double *values, int64_t n, int line)
{
    int64_t i, best = 0;
    if (n < 1) {
        set_fault(heap, line);
        return 0.0;
    }
    for (i = 1; i < n; i++) {
        if (values[i] < values[best]) {
            best = i;
        }
    }
    return values[best];
}

static inline int64_t length(mm_heap *heap, int64_t n)
{
    if (n < 0) {
        set_fault(heap, 1);
        return 0;
    }
    return n;
}
