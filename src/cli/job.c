/* SPDX-License-Identifier: Apache-2.0
 * What search and train share: signals, what is said while they run, the plan. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

static volatile sig_atomic_t stop_asked;

/* SA_RESETHAND has put the default back by now, so that a second signal ends the process. */
static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

/* A signal that was ignored when the program began stays so: a shell's background jobs. */
static void watch_signal(int number)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND | SA_RESTART}, old;
    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
        sigaction(number, &action, NULL);
    }
}

static bool wants_stop(void *user)
{
    (void)user;
    return stop_asked;
}

pba_observer cli_observer(void (*event)(void *user, const pba_event *event), void *user)
{
    watch_signal(SIGINT);
    watch_signal(SIGTERM);
    return (pba_observer){.event = event, .stop = wants_stop, .user = user};
}

/* Ends the rewritten line, so that something else can be said. */
static void end_line(cli_job *job)
{
    if (job->line_open) {
        fputs("\r\033[K", stderr);
        job->line_open = false;
    }
}

/* The same of all that was drawn. */
static void clear(cli_job *job)
{
    end_line(job);
    if (job->live) {
        screen_clear(&job->live->screen);
    }
}

/* ", 3 min 20 s, about 2 min 10 s left" */
static void print_left(const pba_event *event)
{
    char spent[CLI_TEXT], left[CLI_TEXT];
    fprintf(stderr, ", %s", cli_duration(event->seconds, spent));
    if (event->seconds_left >= 0) {
        fprintf(stderr, ", about %s left", cli_duration(event->seconds_left, left));
    }
}

/* What is left of a resumed run's work tells how much of it this process has done. */
static view_pace pace_of(const pba_event *event)
{
    double left = event->total - event->done;
    return (view_pace){.done = event->done / event->total,
                       .seconds = event->seconds,
                       .seconds_left = event->seconds_left,
                       .images_per_second =
                           event->seconds_left > 0 ? left / event->seconds_left : -1};
}

/* The members, read from the run's folder; false where there are none to show yet. */
static bool draw_live(cli_job *job, const pba_event *event)
{
    view_pace pace = pace_of(event);
    if (job->live) {
        live_look(job->live, false); /* where it fails, the picture before it does */
    }
    if (!job->live || !job->live->picture) {
        return false;
    }
    end_line(job);
    live_draw(job->live, &pace);
    job->drawn = event->seconds;
    return true;
}

/* Where the job stands, over what stands there. */
static void draw(cli_job *job, const pba_event *event)
{
    bool standing = job->line_open || (job->live && job->live->screen.drawn);
    bool early = standing && event->seconds - job->drawn < 0.2;
    if (!job->terminal || event->total <= 0 || early || draw_live(job, event)) {
        return;
    }
    fprintf(stderr, "\r\033[K%3.0f %%", 100 * event->done / event->total);
    if (job->networks && job->epoch.epochs) {
        fprintf(stderr, ", epoch %d of %d done, training accuracy %.2f %%", job->epoch.epoch + 1,
                job->epoch.epochs, 100 * job->epoch.accuracy);
    }
    if (!job->networks) {
        fprintf(stderr, ", round %d of %d", event->round + 1, event->rounds);
    }
    if (job->round.rounds) {
        fprintf(stderr, ", best validation error %.2f %%", 100 * job->round.error);
    }
    print_left(event);
    fflush(stderr);
    job->line_open = true;
    job->drawn = event->seconds;
}

static void on_round(cli_job *job, const pba_event *event)
{
    job->round = *event;
    if (job->terminal) {
        return;
    }
    fprintf(stderr, "round %d of %d: best validation error %.2f %%", event->round + 1,
            event->rounds, 100 * event->error);
    print_left(event);
    fputc('\n', stderr);
}

/* Of a training run: about ten lines a network, the last epoch's among them. A search has too many.
 */
static void on_epoch(cli_job *job, const pba_event *event)
{
    int every = (event->epochs + 9) / 10, done = event->epoch + 1;
    job->epoch = *event;
    if (!job->networks || job->terminal || (done % every && done != event->epochs)) {
        return;
    }
    if (job->networks > 1) {
        fprintf(stderr, "network %d of %d, ", event->member + 1, job->networks);
    }
    fprintf(stderr, "epoch %d of %d: loss %.4f, training accuracy %.2f %%", done, event->epochs,
            event->loss, 100 * event->accuracy);
    print_left(event);
    fputc('\n', stderr);
}

static void on_note(cli_job *job, const pba_event *event)
{
    if (!job->said || strcmp(job->said, event->text) != 0) {
        clear(job);
        fprintf(stderr, "%s\n", event->text);
    }
}

static void on_event(void *user, const pba_event *event)
{
    cli_job *job = user;
    if (job->quiet) {
        return;
    }
    switch (event->kind) {
    case PBA_EVENT_ROUND:
        on_round(job, event);
        break;
    case PBA_EVENT_EPOCH:
        on_epoch(job, event);
        break;
    case PBA_EVENT_NOTE:
        on_note(job, event);
        break;
    case PBA_EVENT_PROGRESS:
    case PBA_EVENT_OPENING:
    case PBA_EVENT_SCORE:
    case PBA_EVENT_EXPLOIT:
        break; /* in the journal; too many for a line each */
    }
    if (job->live && event->kind != PBA_EVENT_PROGRESS) {
        job->live->stale = true;
    }
    draw(job, event);
}

void cli_job_start(cli_job *job, bool quiet, int networks, const char *said)
{
    *job = (cli_job){
        .quiet = quiet, .networks = networks, .said = said, .terminal = screen_can(stderr)};
    job->observer = cli_observer(on_event, job);
}

void cli_job_show(cli_job *job, const char *run)
{
    if (job->terminal && !job->quiet) {
        job->live = calloc(1, sizeof *job->live); /* without memory, the line does */
    }
    if (job->live) {
        *job->live = (live){.run = run, .screen = {.stream = stderr}, .stale = true};
    }
}

void cli_job_show_end(cli_job *job)
{
    if (job->live && job->live->screen.drawn && live_look(job->live, true)) {
        live_draw(job->live, NULL);
    }
}

void cli_job_end(cli_job *job)
{
    end_line(job);
    if (job->live) {
        live_free(job->live);
        free(job->live);
        job->live = NULL;
    }
}

static void print_plan_images(FILE *stream, const pba_plan *plan)
{
    char train[CLI_TEXT], val[CLI_TEXT], test[CLI_TEXT];
    fprintf(stream, "  images      %s training, %s validation, %s test\n",
            cli_count(plan->train_images, train), cli_count(plan->val_images, val),
            cli_count(plan->test_images, test));
}

static void print_plan(FILE *stream, const char *title, const pba_plan *plan, const char *out)
{
    char text[CLI_TEXT];
    fprintf(stream, "%s\n", title);
    fprintf(stream, "  networks    %d x %s, %s parameters each\n", plan->members, plan->model,
            cli_count((double)plan->parameters, text));
    fprintf(stream, "  epochs      %d", plan->epochs);
    fprintf(stream, plan->rounds > 1 ? " in %d rounds\n" : "\n", plan->rounds);
    print_plan_images(stream, plan);
    fprintf(stream, "  baseline    %s\n", plan->baseline);
    fprintf(stream, "  precision   %s\n", plan->precision);
    fprintf(stream, "  workers     %d, %d thread%s each\n", plan->workers, plan->threads,
            plan->threads == 1 ? "" : "s");
    fprintf(stream, "  time        about %s\n", cli_duration(plan->seconds, text));
    fprintf(stream, "  memory      at most %s\n", cli_bytes(plan->bytes, text));
    fprintf(stream, "  output      %s\n", out);
    if (plan->notes && plan->notes[0]) {
        cli_print_wrapped(stream, "  note", 14, plan->notes);
    }
    fflush(stream); /* to be read before the work begins */
}

static void json_plan(const pba_plan *plan, const pba_budget *budget)
{
    cli_json fresh = {0}, *json = &fresh;
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "model", plan->model);
    cli_json_number(json, "parameters", (double)plan->parameters);
    cli_json_number(json, "members", plan->members);
    cli_json_number(json, "rounds", plan->rounds);
    cli_json_number(json, "epochs", plan->epochs);
    cli_json_number(json, "train_images", plan->train_images);
    cli_json_number(json, "validation_images", plan->val_images);
    cli_json_number(json, "test_images", plan->test_images);
    cli_json_text(json, "baseline", plan->baseline);
    cli_json_text(json, "precision", plan->precision);
    cli_json_number(json, "workers", plan->workers);
    cli_json_number(json, "threads", plan->threads);
    cli_json_number(json, "image_passes", plan->image_passes);
    cli_json_number(json, "seconds", plan->seconds);
    cli_json_number(json, "bytes", plan->bytes);
    if (budget) {
        cli_json_budget(json, budget);
    }
    cli_json_close(json, '}');
}

const char *cli_say_plan(const cli_talk *talk, const char *title, const pba_plan *plan,
                         const char *out, const pba_budget *budget)
{
    if (talk->dry_run && talk->json) {
        json_plan(plan, budget);
        return NULL;
    }
    print_plan(talk->json ? stderr : stdout, title, plan, out);
    return plan->notes;
}

bool cli_resume_is_alone(const cli_arguments *arguments)
{
    static const char *const allowed = " resume workers plugin dry-run json quiet ";
    if (arguments->word_count) {
        cli_error("--resume takes the data set from the run, leave out \"%s\"",
                  arguments->words[0]);
        return false;
    }
    for (int i = 0; i < arguments->given_count; i++) {
        char word[PBA_NAME_MAX + 2];
        snprintf(word, sizeof word, " %s ", arguments->given[i].name);
        if (!strstr(allowed, word)) {
            cli_error("--%s: cannot be changed by --resume, which takes it from the run; leave it "
                      "out or start anew",
                      arguments->given[i].name);
            return false;
        }
    }
    return true;
}
