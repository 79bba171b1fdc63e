/* SPDX-License-Identifier: MIT */
/*
 * The methods of our jpeg_error_mgr: see jpeg_error.h.
 */
#include "jpeg_error.h"

_Noreturn static void error_exit(j_common_ptr cinfo)
{
    struct jpeg_error *failure = (struct jpeg_error *)cinfo->err;

    failure->manager.format_message(cinfo, failure->text);
    longjmp(failure->jump, 1);
}

static void emit_message(j_common_ptr cinfo, int level)
{
    struct jpeg_error *failure = (struct jpeg_error *)cinfo->err;

    if (level < 0) /* corrupt data that libjpeg can work around; other levels are tracing */
        failure->warnings++;
    if (failure->warnings > JPEG_ERROR_MAX_WARNINGS)
        jpeg_error_leave(failure, "more than 1000000 errors in its data");
}

static void output_message(j_common_ptr cinfo)
{
    (void)cinfo;
}

struct jpeg_error_mgr *jpeg_error_init(struct jpeg_error *failure)
{
    jpeg_std_error(&failure->manager);
    failure->manager.error_exit = error_exit;
    failure->manager.emit_message = emit_message;
    failure->manager.output_message = output_message;
    failure->text[0] = '\0';
    failure->warnings = 0;
    return &failure->manager;
}

_Noreturn void jpeg_error_leave(struct jpeg_error *failure, const char *text)
{
    snprintf(failure->text, sizeof(failure->text), "%s", text);
    longjmp(failure->jump, 1);
}
