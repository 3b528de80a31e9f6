
void @P@_free(@P@ *p)
{
    if (p != NULL) {
        free_all(&p->heap);
        free(p);
    }
}

@P@ *@P@_new(const @P@_board *board)
{
    @P@ *p = (@P@ *)calloc(1, sizeof(@P@));
    if (p != NULL && !begin(p, board)) {
        @P@_free(p);
        return NULL;
    }
    return p;
}
