
static void *allot(mm_heap *heap, int64_t n, size_t size)
{
    mm_block *block;
    if (n < 1) {
        n = 1;
    }
    if ((uint64_t)n > (SIZE_MAX - sizeof(mm_block)) / size) {
        set_fault(heap, 1);
        return NULL;
    }
    block = (mm_block *)calloc(1, sizeof(mm_block) + (size_t)n * size);
    if (block == NULL) {
        set_fault(heap, 1);
        return NULL;
    }
    block->next = heap->blocks;
    heap->blocks = block;
    return block + 1;
}

static void free_all(mm_heap *heap)
{
    while (heap->blocks != NULL) {
        mm_block *next = heap->blocks->next;
        free(heap->blocks);
        heap->blocks = next;
    }
}
