
static double next_float(void)
{
    int64_t bits = next();
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void say_float(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    say(bits);
}

static double *floats(int64_t n)
{
    double *row = (double *)malloc((size_t)n * sizeof *row);
    if (row == NULL) {
        exit(4);
    }
    return row;
}

static void read_floats(double *row, int64_t n)
{
    int64_t i;
    for (i = 0; i < n; i++) {
        row[i] = next_float();
    }
}

int main(void)
{
    int64_t cases = next();
    for (; cases > 0; cases--) {
        int64_t n = next_of(1, 100000), minutes = next_of(1, 100000), ticks = next_of(0, 600 * minutes);
        int64_t shown = next(), i, j, fault = 0;
        double cores = next_float(), slo = next_float(), app[8];
        double *services = floats(7 * n), *targets = floats(n * minutes);
        int64_t *cluster = (int64_t *)malloc((size_t)n * sizeof *cluster);
        @P@_application *application;
        if (cluster == NULL) {
            return 4;
        }
        for (i = 0; i < n; i++) {
            cluster[i] = next();
        }
        application = @P@_application_new(cores, slo, n, cluster);
        if (application == NULL) {
            return 4;
        }
        for (i = 0; i < minutes; i++) {
            const double *decided;
            read_floats(app, 8);
            read_floats(services, 7 * n);
            decided = @P@_application_decide(application, app, services);
            for (j = 0; j < n; j++) {
                targets[i * n + j] = decided[j];
                say_float(decided[j]);
            }
        }
        fault = @P@_application_fault(application);
        @P@_application_free(application);
        for (i = 0; i < shown; i++) {
            int64_t service = next_of(0, n - 1);
            @P@_service *law = @P@_service_new(cores, slo, n);
            if (law == NULL) {
                return 4;
            }
            for (j = 0; j < ticks; j++) {
                @P@_sample sample;
                sample.cores = next_float();
                sample.throttled = next_float();
                sample.periods = next_float();
                sample.throttled_ms = next_float();
                sample.unchanged_ms = next_float();
                sample.bursts = next_float();
                say_float(@P@_service_decide(law, &sample, targets[j / 600 * n + service]));
            }
            fault = fault ? fault : @P@_service_fault(law);
            @P@_service_free(law);
        }
        say(fault);
        free(services);
        free(targets);
        free(cluster);
    }
    return 0;
}
