/* SPDX-License-Identifier: Apache-2.0
 * Standard output and standard error. A result that could not be written is a failure, so every
 * write is checked; messages are one line whatever a file name holds. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static int write_error; /* errno of the first failure on standard output */

int cli_character(const unsigned char *text, int *bytes)
{
    uint32_t code = text[0];
    *bytes = code < 0x80   ? 1
             : code < 0xc2 ? 0
             : code < 0xe0 ? 2
             : code < 0xf0 ? 3
             : code < 0xf5 ? 4
                           : 0;
    if (*bytes < 2) {
        bool shown = *bytes && code >= ' ' && code != 127;
        *bytes = 1;
        return shown;
    }
    code &= 0x7fu >> *bytes;
    for (int i = 1; i < *bytes; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            *bytes = 1;
            return 0;
        }
        code = code << 6 | (text[i] & 0x3f);
    }
    /* Control characters again, and those that change the direction of what follows. */
    if (code < 0xa0 || (code >= 0x200b && code < 0x2010) || (code >= 0x2028 && code < 0x202f) ||
        (code >= 0x2060 && code < 0x2070)) {
        return 0;
    }
    return code < 0x1100 || (code >= 0x2000 && code < 0x2e00) ? 1 : 2;
}

static void say_error(const char *format, va_list arguments)
{
    char text[4096];
    vsnprintf(text, sizeof text, format, arguments);
    int bytes;
    for (char *at = text; *at; at += bytes) {
        if (!cli_character((const unsigned char *)at, &bytes)) {
            memset(at, '?', (size_t)bytes);
        }
    }
    fprintf(stderr, "pba: %s\n", text);
}

void cli_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_error(format, arguments);
    va_end(arguments);
}

int cli_usage(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_error(format, arguments);
    va_end(arguments);
    return CLI_USAGE;
}

int cli_failed(pba_status status)
{
    const char *message = pba_error_message();
    cli_error("%s", message[0] ? message : pba_status_text(status));
    return status == PBA_USAGE         ? CLI_USAGE
           : status == PBA_INTERRUPTED ? CLI_INTERRUPTED
                                       : CLI_FAILED;
}

void cli_print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    errno = 0;
    if (vprintf(format, arguments) < 0 && !write_error) {
        write_error = errno ? errno : EIO;
    }
    va_end(arguments);
}

int cli_finish(int status)
{
    errno = 0;
    bool bad = fflush(stdout) != 0 || ferror(stdout);
    if (bad && !write_error) {
        write_error = errno ? errno : EIO;
    }
    /* close reports what some file systems only find out then (quota, network) */
    if (fclose(stdout) != 0 && !write_error) {
        write_error = errno;
    }
    if (!write_error) {
        return status;
    }
    cli_error("standard output: %s, the output is not complete", strerror(write_error));
    return status == CLI_DONE ? CLI_FAILED : status;
}

void cli_print_wrapped(FILE *stream, const char *label, int indent, const char *text)
{
    enum { COLUMNS = 80 };
    int column = fprintf(stream, "%-*s", indent, label);
    bool fresh = true; /* no word on this line yet */
    for (; *text; text += *text != 0) {
        int word = (int)strcspn(text, " \n");
        if (!fresh && column + 1 + word > COLUMNS) {
            column = fprintf(stream, "\n%*s", indent, "") - 1;
            fresh = true;
        }
        if (word) {
            column += fprintf(stream, "%s%.*s", fresh ? "" : " ", word, text);
            fresh = false;
        }
        text += word;
        if (*text == '\n' && text[1]) {
            bool paragraph = text[1] == '\n';
            column = fprintf(stream, "\n%*s", paragraph ? 0 : indent, "") - 1;
            fresh = true;
        }
    }
    fputc('\n', stream);
}

void cli_print_word(FILE *stream, const char *text)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=+";
    bool plain = text[0] && strspn(text, safe) == strlen(text);
    fputs(plain ? " " : " '", stream);
    for (const char *at = text; *at; at++) {
        if (*at == '\'') {
            fputs("'\\''", stream);
        } else {
            fputc(*at, stream);
        }
    }
    fputs(plain ? "" : "'", stream);
}

int cli_interrupted(const char *command, const char *folder)
{
    fprintf(stderr, "interrupted; what is saved is kept. To go on:\n  pba %s --resume", command);
    cli_print_word(stderr, folder);
    fputc('\n', stderr);
    return CLI_INTERRUPTED;
}

double cli_seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

const char *cli_count(double value, char text[CLI_TEXT])
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%.0f", value), out = 0;
    for (int i = 0; i < length; i++) {
        text[out++] = digits[i];
        if ((length - 1 - i) % 3 == 0 && i < length - 1 && digits[i] != '-') {
            text[out++] = ',';
        }
    }
    text[out] = 0;
    return text;
}

const char *cli_duration(double seconds, char text[CLI_TEXT])
{
    long whole = lround(seconds < 0 || !isfinite(seconds) ? 0 : fmin(seconds, 1e9));
    if (whole < 60) {
        snprintf(text, CLI_TEXT, "%ld s", whole);
    } else if (whole < 3600) {
        snprintf(text, CLI_TEXT, "%ld min %02ld s", whole / 60, whole % 60);
    } else {
        snprintf(text, CLI_TEXT, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
    }
    return text;
}

const char *cli_bytes(double bytes, char text[CLI_TEXT])
{
    if (bytes < 1e9) {
        snprintf(text, CLI_TEXT, "%.0f MB", ceil(bytes / 1e6));
    } else {
        snprintf(text, CLI_TEXT, "%.1f GB", bytes / 1e9);
    }
    return text;
}
