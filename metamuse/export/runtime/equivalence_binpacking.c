
int main(void)
{
    int64_t cases = next();
    for (; cases > 0; cases--) {
        int64_t n = next(), capacity = next(), most = next_of(1, 100000000), i;
        @P@ *packer = @P@_new(capacity, most);
        if (packer == NULL) {
            return 4;
        }
        for (i = 0; i < n; i++) {
            say(@P@_pack(packer, next()));
        }
        say(@P@_fault(packer));
        @P@_free(packer);
    }
    return 0;
}
