
static int64_t *gone;
static int64_t n_gone, most_gone;

static void note(void *context, uint64_t key)
{
    (void)context;
    if (n_gone == most_gone) {
        exit(5);
    }
    gone[n_gone++] = (int64_t)key;
}

int main(void)
{
    int64_t cases = next();
    for (; cases > 0; cases--) {
        int64_t n = next(), capacity = next(), most = next_of(1, 100000000), i, j;
        @P@ *cache = @P@_new_of(capacity, most, 1, note, NULL);
        gone = (int64_t *)malloc((size_t)(most + 1) * sizeof *gone);
        most_gone = most + 1;
        if (cache == NULL || gone == NULL) {
            return 4;
        }
        for (i = 0; i < n; i++) {
            uint64_t key = (uint64_t)next();
            int64_t size = next();
            n_gone = 0;
            say(@P@_request(cache, key, size));
            say(n_gone);
            for (j = 0; j < n_gone; j++) {
                say(gone[j]);
            }
        }
        say(@P@_fault(cache));
        free(gone);
        @P@_free(cache);
    }
    return 0;
}
