/* SPDX-License-Identifier: Apache-2.0
 * JSON for --json: a result is written once, from top to bottom, so that no tree is built. */
#include <math.h>

#include "cli.h"

static void escaped(const char *text)
{
    cli_print("\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            cli_print("\\%c", *text);
        } else if ((unsigned char)*text < ' ') {
            cli_print("\\u%04x", *text);
        } else {
            cli_print("%c", *text);
        }
    }
    cli_print("\"");
}

/* Comma, line and key before a member. */
static void member(cli_json *json, const char *key)
{
    cli_print("%s", json->filled ? "," : "");
    if (json->depth) {
        cli_print("\n%*s", 2 * json->depth, "");
    }
    if (key) {
        escaped(key);
        cli_print(": ");
    }
    json->filled = true;
}

void cli_json_open(cli_json *json, const char *key, char bracket)
{
    member(json, key);
    cli_print("%c", bracket);
    json->depth++;
    json->filled = false;
}

void cli_json_close(cli_json *json, char bracket)
{
    json->depth--;
    if (json->filled) {
        cli_print("\n%*s", 2 * json->depth, "");
    }
    cli_print("%c%s", bracket, json->depth ? "" : "\n");
    json->filled = true;
}

void cli_json_text(cli_json *json, const char *key, const char *value)
{
    member(json, key);
    escaped(value);
}

void cli_json_number(cli_json *json, const char *key, double value)
{
    member(json, key);
    if (isfinite(value)) {
        cli_print("%.12g", value);
    } else {
        cli_print("null");
    }
}

void cli_json_seed(cli_json *json, const char *key, uint64_t seed)
{
    member(json, key);
    cli_print(seed <= INT64_MAX ? "%llu" : "\"%llu\"", (unsigned long long)seed);
}

void cli_json_bool(cli_json *json, const char *key, bool value)
{
    member(json, key);
    cli_print("%s", value ? "true" : "false");
}
