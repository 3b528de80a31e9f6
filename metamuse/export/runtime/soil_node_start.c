
static @P@ the_node;

@P@ *@P@_start(const @P@_board *board)
{
    unsigned char *bytes = (unsigned char *)&the_node;
    size_t i;
    for (i = 0; i < sizeof the_node; i++) {
        bytes[i] = 0;
    }
    return begin(&the_node, board) ? &the_node : NULL;
}
