/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every function with a panic inside of it: it returns, and says that it was a fault of the library. For a library
 * with the feature test-panic. */
#include "calls.h"

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return list_calls(), 0;
    struct handles all = make_handles("unix:path=/nonexistent");

    setenv("GASDETECT_TEST_PANIC", "1", 1);
    for (size_t i = 0; i < N_CALLS; i++) {
        const struct call *call = &CALLS[i];
        int r = call->call(all.of[call->type]);

        if (call->exempt)
            EXPECT(r == 0, "%s has no boundary and returned %d", call->name, r);
        else if (call->call == client_fd)
            EXPECT(r == -1, "%s returned %d", call->name, r);
        else if (!call->silent)
            EXPECT(r == GASD_PANIC, "%s returned %s", call->name, gasd_result_name(r));
        if (!call->exempt)
            EXPECT(strstr(gasd_error_message(), "please report it: a panic that a test asked for"), "%s", call->name);
    }
    unsetenv("GASDETECT_TEST_PANIC");
    ok("a panic inside of any function is GASD_PANIC, and the process lives");
    /* What frees has freed nothing: the handles are as good as before. */
    for (size_t i = 0; i < N_CALLS; i++)
        if (!CALLS[i].silent && CALLS[i].type == ENGINE)
            EXPECT(CALLS[i].call(all.of[ENGINE]) != GASD_HANDLE, "%s", CALLS[i].name);
    free_handles(&all);
    ok("and the handles are as good as before");
    return failures != 0;
}
