/* Calls every function of the header, with good and with bad arguments: every_call WORK SYMBOLS [slow]
 *
 * WORK is an empty folder, SYMBOLS the list of the functions; with `slow`, large mails are left out. Prints a line for
 * each group. */

#include "check.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    struct sample sample;
    uint64_t handles = 1;
    int missing;
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: every_call WORK SYMBOLS [slow]\n");
        return 2;
    }
    work = argv[1];
    is_slow = argc == 4;
    memset(&sample, 0, sizeof sample);

    test_library();
    EXPECT(MK_OK, CALL(mk_error_new)(&failure));
    make_sample(&sample);
    test_archives(&sample);
    test_mail(&sample);
    test_folders(&sample);
    test_deletion(&sample);
    test_stores(&sample);
    test_upkeep(&sample);
    test_handles(&sample);
    test_arguments(&sample);
    test_sizes(&sample);
    test_callbacks(&sample);
    test_threads(&sample);
    test_fork(&sample);

    EXPECT(MK_OK, CALL(mk_archive_close)(sample.archive, NULL, failure));
    EXPECT(MK_OK, CALL(mk_error_free)(failure));
    failure = NULL;
    EXPECT(MK_OK, CALL(mk_library_handles)(&handles, NULL));
    CHECK(handles == 0);
    missing = missing_calls(argv[2]);
    if (failures() + missing > 0) {
        printf("FAILED: %d checks, %d functions never called\n", failures(), missing);
        return 1;
    }
    printf("every function was called\n");
    return 0;
}
