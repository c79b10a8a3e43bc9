/* What the tests share. A failed check is printed and counted, and the test goes on. */

#ifndef CHECK_H
#define CHECK_H

#include <mailkeep.h>

/* A function of the header, noted as called: CALL(mk_error_new)(&error). */
#define CALL(function) (note_call(#function), function)

#define CHECK(condition) check_that(__FILE__, __LINE__, #condition, (condition) != 0)

/* The call returns this status. */
#define EXPECT(status, call) check_status(__FILE__, __LINE__, #call, (status), (call))

/* A text in C and its length, as two arguments. */
#define TEXT(literal) (literal), (sizeof(literal) - 1)

void note_call(const char *function);
void check_that(const char *file, int line, const char *what, int is_so);
void check_status(const char *file, int line, const char *call, mk_status expected, mk_status found);

/* Prints what is missing of the functions in a list, one name a line; how many are missing or failed. */
int missing_calls(const char *list);
int failures(void);
void group(const char *name);

/* The error object that all calls of a thread get, and what it says. */
extern mk_error *failure;

/* A folder for this test, and paths in it. */
extern const char *work;
/* Whether every call is slow, as under valgrind. */
extern int is_slow;
void path_in_work(char *path, size_t size, const char *name);

/* The archive of most groups: `work/archive`, with the mails of `sample_mails`. */
struct sample {
    char folder[512];
    char key_text[512];
    size_t key_length;
    char recovery[512];
    mk_archive *archive;
    mk_session *session;
    mk_message_id with_parts;
    mk_message_id first;
};

#define SAMPLE_MAILS 40

void make_archive(struct sample *sample, const char *name);
void make_sample(struct sample *sample);
void write_mbox(const char *path, int from, int to);
mk_key key_of(const struct sample *sample);
mk_archive *open_sample(const struct sample *sample);

/* The text of a buffer contains this; the buffer is freed. */
int buffer_has(mk_buffer *buffer, const char *needle);

/* Copies the text of a buffer and a zero byte, and frees the buffer. */
size_t take_text(char *to, size_t size, mk_buffer *buffer);

/* Groups. */
void test_library(void);
void test_archives(struct sample *sample);
void test_mail(struct sample *sample);
void test_folders(struct sample *sample);
void test_deletion(struct sample *sample);
void test_stores(struct sample *sample);
void test_upkeep(struct sample *sample);
void test_handles(struct sample *sample);
void test_arguments(struct sample *sample);
void test_sizes(struct sample *sample);
void test_callbacks(struct sample *sample);
void test_threads(struct sample *sample);
void test_fork(struct sample *sample);

#endif
