/* SPDX-License-Identifier: Apache-2.0
 * pba watch: a run that another process is at work on, from its folder. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "view.h"

typedef struct options {
    bool once, json;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"once", PBA_SETTING_FLAG, CLI_FIELD(options, once), 0, 0, "false", "", NULL,
         "Prints how it stands, and stops.", false},
        {"json", PBA_SETTING_FLAG, CLI_FIELD(options, json), 0, 0, "false", "", NULL,
         "With --once: writes it as JSON.", false},
    };
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

/* ----------------------------------------------------------------------- once */

static void json_row(cli_json *json, const pba_watch_picture *picture, const pba_watch_row *row)
{
    cli_json_open(json, NULL, '{');
    if (!picture->search) {
        cli_json_seed(json, "seed", row->seed);
        cli_json_number(json, "epochs", row->epochs);
        cli_json_number(json, "test_error", row->error);
        cli_json_number(json, "train_loss", row->loss);
        cli_json_number(json, "train_accuracy", row->accuracy);
        cli_json_close(json, '}');
        return;
    }
    cli_json_number(json, "member", row->member);
    cli_json_number(json, "epochs", row->epochs);
    cli_json_number(json, "error", row->error);
    cli_json_bool(json, "lost", row->trend_count && !isfinite(row->error));
    cli_json_open(json, "trend", '[');
    for (int i = 0; i < row->trend_count; i++) {
        cli_json_number(json, NULL, row->trend[i]);
    }
    cli_json_close(json, ']');
    cli_json_number(json, "generation", row->generation);
    cli_json_number(json, "copied_from", row->source < 0 ? (double)NAN : row->source);
    cli_json_number(json, "copied_by_others", row->copied);
    cli_json_open(json, "operations", '[');
    for (int i = 0; i < row->op_count; i++) {
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "name", row->ops[i].name);
        cli_json_number(json, "probability", row->ops[i].probability / 10.0);
        cli_json_number(json, "level", row->ops[i].level);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
    cli_json_close(json, '}');
}

static double known(double value)
{
    return value < 0 ? (double)NAN : value;
}

static void print_json(const pba_watch_picture *picture)
{
    static const char *const states[] = {"going", "stopped", "finished"};
    cli_json fresh = {0}, *json = &fresh;
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "run", picture->run);
    cli_json_text(json, "kind", picture->search ? "search" : "training");
    cli_json_text(json, "state", states[picture->state]);
    cli_json_text(json, "dataset", picture->dataset);
    cli_json_text(json, "model", picture->model);
    cli_json_number(json, "epochs", picture->epochs);
    cli_json_number(json, "done", picture->done);
    if (picture->search) {
        cli_json_number(json, "rounds", picture->rounds);
        cli_json_number(json, "rounds_ended", picture->ended);
        cli_json_number(json, "scored_since", picture->scored);
        cli_json_number(json, "best_member", picture->best < 0 ? (double)NAN : picture->best);
        cli_json_number(json, "best_error", picture->best < 0 ? (double)NAN : picture->best_error);
        cli_json_number(json, "seconds_left", known(picture->seconds_left));
        cli_json_number(json, "epochs_per_second", known(picture->epochs_per_second));
        cli_json_number(json, "images_per_second", known(picture->images_per_second));
    } else {
        cli_json_number(json, "mean_test_error", picture->best_error);
    }
    cli_json_open(json, picture->search ? "members" : "seeds", '[');
    for (int i = 0; i < picture->members; i++) {
        json_row(json, picture, &picture->rows[i]);
    }
    cli_json_close(json, ']');
    cli_json_close(json, '}');
}

/* Every member, whatever the height; the width is the terminal's, or plenty. */
static void print_once(const pba_watch_picture *picture)
{
    screen screen = {.stream = stdout};
    int columns = 120;
    if (screen_can(stdout)) {
        screen_measure(&screen);
        columns = screen.columns;
    }
    view_place place = view_place_of(columns, 0, false);
    view_write(stdout, picture, NULL, &place);
}

static int once(const options *options, const pba_watch_picture *picture)
{
    (options->json ? print_json : print_once)(picture);
    return CLI_DONE;
}

/* --------------------------------------------------------------------- follow */

static int done_networks(const pba_watch_picture *picture)
{
    int done = 0;
    for (int i = 0; i < picture->members; i++) {
        done += !isnan(picture->rows[i].error);
    }
    return done;
}

/* Where nothing can be drawn: a line whenever a round has ended, or a network is done. */
static void say_news(const pba_watch_picture *picture, int *told)
{
    int news = picture->search ? picture->ended : done_networks(picture);
    if (news == *told) {
        return;
    }
    *told = news;
    if (picture->search) {
        cli_print("round %d of %d: best validation error %.2f %%\n", news, picture->rounds,
                  100 * picture->best_error);
    } else {
        cli_print("%d of %d networks done, mean test error %.2f %%\n", news, picture->members,
                  100 * picture->best_error);
    }
    fflush(stdout);
}

static int say_end(const pba_watch_picture *picture)
{
    if (picture->state == PBA_RUN_STOPPED) {
        cli_print("stopped: no process is at work on this run. To go on:\n  pba %s --resume",
                  picture->search ? "search" : "train");
        cli_print_word(stdout, picture->run);
        cli_print("\n");
        return CLI_FAILED;
    }
    if (picture->search) {
        cli_print("finished: validation error %.2f %%, schedule %s/schedule.json\n",
                  100 * picture->best_error, picture->run);
    } else {
        cli_print("finished: mean test error %.2f %%, figures %s/result.json\n",
                  100 * picture->best_error, picture->run);
    }
    return CLI_DONE;
}

static void on_resize(int number)
{
    (void)number; /* ends the sleep below, and so draws anew */
}

static void sleep_a_second(void)
{
    struct timespec second = {.tv_sec = 1};
    nanosleep(&second, NULL);
}

/* A file that is just being replaced is read well a second later; one that is damaged never. */
static bool look_patiently(live *live)
{
    enum { TRIES = 5 };
    for (int i = 0; i < TRIES; i++) {
        if (i) {
            sleep_a_second();
        }
        if (live_look(live, true)) {
            return true;
        }
    }
    return false;
}

static int follow(live *live)
{
    bool drawn = screen_can(stdout);
    int told = 0;
    struct sigaction action = {.sa_handler = on_resize};
    sigaction(SIGWINCH, &action, NULL);
    while (look_patiently(live)) {
        if (drawn) {
            live_draw(live, NULL);
        } else {
            say_news(live->picture, &told);
        }
        if (live->picture->state != PBA_RUN_GOING || ferror(stdout)) {
            return say_end(live->picture);
        }
        sleep_a_second();
    }
    return cli_failed(PBA_FORMAT);
}

static int run(void *given, const cli_arguments *arguments)
{
    const options *options = given;
    live live = {.run = arguments->words[0], .screen = {.stream = stdout}};
    if (options->json && !options->once) {
        return cli_usage("watch: --json tells how a run stands once; give --once beside it");
    }
    int status = CLI_DONE;
    if (!live_look(&live, true)) {
        status = cli_failed(PBA_NOT_FOUND);
    } else {
        status = options->once ? once(options, live.picture) : follow(&live);
    }
    live_free(&live);
    return status;
}

const cli_command cli_watch = {
    .name = "watch",
    .sentence = "shows a search or training run that another process is at work on",
    .usage = "RUN [--once [--json]]",
    .manual =
        "Reads the run's folder, draws its members and how far they are, and does so again every "
        "second until the run ends. It locks and writes nothing, so that it may be started and "
        "ended (Ctrl-C) at any time, from any terminal, in another container that has the folder, "
        "and on another machine where the folder's file system shares locks, as NFS does. pba "
        "search draws the same of its own members.\n\n"
        "A row is a member of the population, the lowest error first. error: the newest validation "
        "error of the network that the member has now. trend: its last eight along its ancestry, "
        "all members on one scale, the lower the better. gen: how often the network was copied "
        "on its way here, with a changed policy each time. from: the member that it was copied "
        "from last. copied: how often others copied this member. operations: those of its policy "
        "with the highest probability, as pba schedule show writes them: NAME:LEVEL(PROBABILITY). "
        "Of a training run a row is a network: its test error once it is done, and the epochs and "
        "the loss that its newest checkpoint tells.\n\n"
        "The time left and the images a second are told by the times of the last checkpoints. "
        "What does not fit the terminal is left out, with a line that counts the members. Where "
        "standard output is no terminal, or TERM is dumb, a line is written whenever a round has "
        "ended. NO_COLOR=1 turns colours off.\n\n"
        "The exit status is 0 at the run's end, and 1 where the run has stopped without: then no "
        "process holds it, and the command that resumes it is printed. With --once it is 0 in "
        "every state.\n",
    .examples = "pba watch runs/search-demo-1\n"
                "pba watch runs/search-demo-1 --once --json",
    .min_words = 1,
    .max_words = 1,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
