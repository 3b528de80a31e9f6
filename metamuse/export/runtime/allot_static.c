static void *allot(mm_heap *heap, int64_t n, size_t size)
{
    const int64_t all = (int64_t)(sizeof heap->words / sizeof heap->words[0]);
    int64_t at = heap->taken, words;
    if (n < 1) {
        n = 1;
    }
    if (n > all * 8 / (int64_t)size) {
        set_fault(heap, 1);
        return NULL;
    }
    words = (n * (int64_t)size + 7) / 8;
    if (words > all - at) {
        set_fault(heap, 1);
        return NULL;
    }
    heap->taken = (int32_t)(at + words);
    return heap->words + at;
}
