/* One stream of output of an application rank: passes through to where it would have gone, byte
 * for byte, and is recorded on the way. A pipe, or a pty where the destination is a terminal. */
#ifndef ML_RECORDER_CAPTURE_H
#define ML_RECORDER_CAPTURE_H

#include "base/error.h"
#include "base/loop.h"
#include "record/tables.h"

struct ml_capture;

struct ml_capture_events {
    void *context;
    void (*passed)(void *context, enum ml_stream stream, const char *bytes, size_t n);
    void (*closed)(void *context); /* no more will come, and all has been passed on */
};

/* To DESTINATION (stays the caller's). OUT_CHILD is the end for the application, the caller's to
 * close once it was handed over. */
enum ml_status ml_capture_open(struct ml_loop *loop, enum ml_stream stream, int destination,
                               const struct ml_capture_events *events,
                               struct ml_capture **out_capture, int *out_child,
                               struct ml_error *err);

/* The rank has ended: `closed` is called once what it wrote is passed on, even where a process
 * that it left behind keeps the stream open. */
void ml_capture_writer_ended(struct ml_capture *capture);

/* The terminal behind the destination changed its size. */
void ml_capture_resize(struct ml_capture *capture);

void ml_capture_close(struct ml_capture *capture); /* NULL is fine */

#endif
