/* An example: the packing policy as the placement hook of a virtual machine scheduler.
 *
 * Hosts are bins and machines are items, in whole units of the resource that runs out first. A placement is for good, as in
 * the workloads on which the policy was found. cc vm_scheduler.c binpacking_s0296_tuned.c -lm && ./a.out
 */
#include "binpacking_s0296_tuned.h"

#include <stdio.h>

enum { HOST_GIB = 256, MOST_HOSTS = 1000 };

int main(void)
{
    static const int64_t demands[] = {96, 64, 128, 32, 160, 96, 48, 200};
    binpacking_s0296_tuned *packer = binpacking_s0296_tuned_new(HOST_GIB, MOST_HOSTS);
    size_t i;
    if (packer == NULL) {
        return 1;
    }
    for (i = 0; i < sizeof demands / sizeof demands[0]; i++) {
        int64_t running = binpacking_s0296_tuned_open(packer);
        int64_t host = binpacking_s0296_tuned_pack(packer, demands[i]);
        if (host < 0) {
            return 1; /* no host is left */
        }
        printf("%4d GiB -> host %d%s\n", (int)demands[i], (int)host + 1, host == running ? " (started)" : "");
    }
    binpacking_s0296_tuned_free(packer);
    return 0;
}
