static inline void *allot(mm_heap *heap, int64_t n, size_t size)
{
    size_t left = (size_t)(heap->end - heap->next), bytes;
    void *block = heap->next;
    if (n < 1) {
        n = 1;
    }
    if ((uint64_t)n > left / size) {
        set_fault(heap, 1);
        return NULL;
    }
    bytes = ((size_t)n * size + 15) / 16 * 16;
    if (bytes > left) {
        set_fault(heap, 1);
        return NULL;
    }
    memset(block, 0, bytes);
    heap->next += bytes;
    return block;
}
