
static double next_float(void)
{
    int64_t bits = next();
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
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
        int64_t n = next_of(0, 10), steps = next(), i, g, other;
        double interval = next_float(), ttft = next_float(), tbt = next_float();
        double prof[120], glob[16], obs[120];
        @P@ *scaler;
        read_floats(prof, 12 * n);
        scaler = @P@_new(n, interval, ttft, tbt, prof);
        if (scaler == NULL) {
            return 4;
        }
        for (i = 0; i < steps; i++) {
            double t = next_float();
            const @P@_wanted *wanted;
            read_floats(glob, 16);
            read_floats(obs, 12 * n);
            wanted = @P@_decide(scaler, t, glob, obs);
            for (g = 0; g < n; g++) {
                say(wanted[g].replicas);
                say(wanted[g].batch);
                say(wanted[g].share);
                say(wanted[g].pack);
            }
            for (g = 0; g < n; g++) {
                for (other = 0; other < n; other++) {
                    say(@P@_affinity(scaler, g, other));
                }
            }
        }
        say(@P@_fault(scaler));
        @P@_free(scaler);
    }
    return 0;
}
