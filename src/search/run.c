/* SPDX-License-Identifier: Apache-2.0
 * Running: worker threads take the tasks of a round in member order; whoever scores the last member
 * ends the round for all, and copies blocks before any task of the next round is handed out. What
 * is decided does not depend on who was faster. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/observer.h"
#include "core/threads.h"
#include "search/search.h"
#include "train/checkpoint.h"

static const double REPORT_SECONDS = 0.2;

typedef struct worker {
    pba_search *search;
    trainer *trainer;
    double unit;       /* work of what runs between two asks whether to stop */
    double own;        /* of the task at hand, already in search->done */
    bool first;        /* nothing has run yet: the first ask comes before the first step */
    bool silent;       /* writes no events */
    double checkpoint; /* seconds spent writing them */
} worker;

/* ------------------------------------------------------------- stop and fail */

/* Remembers the first failure; one of its own kind is worth more than the interruption that it
 * causes in the others. Under the lock. */
static void fail(pba_search *search, pba_status status)
{
    if (search->status == PBA_OK || search->status == PBA_INTERRUPTED) {
        search->status = status;
        snprintf(search->message, sizeof search->message, "%s", pba_error_message());
    }
    search->over = true;
    search->stopping = true;
    pthread_cond_broadcast(&search->moved);
}

static void add_work(worker *worker, double work)
{
    worker->own += work;
    worker->search->done += work;
}

/* What the trainer asks before every step; also the pulse of the progress line. */
static bool on_step(void *user)
{
    worker *worker = user;
    pba_search *search = worker->search;
    pthread_mutex_lock(&search->lock);
    if (!worker->first) {
        add_work(worker, worker->unit);
    }
    worker->first = false;
    if (clock_now() - search->start - search->reported >= REPORT_SECONDS) {
        search_report(search, (pba_event){.kind = PBA_EVENT_PROGRESS,
                                          .round = search->round,
                                          .rounds = search->rounds});
    }
    pthread_mutex_unlock(&search->lock);
    return observer_stops_all(search->observer, &search->stopping);
}

/* ------------------------------------------------------------------ one task */

static void report_epoch(worker *worker, const pba_task *task, int epoch,
                         const trainer_figures *figures)
{
    pba_search *search = worker->search;
    pthread_mutex_lock(&search->lock);
    search_report(search, (pba_event){.kind = PBA_EVENT_EPOCH,
                                      .member = task->member,
                                      .round = task->round,
                                      .rounds = search->rounds,
                                      .epoch = epoch,
                                      .epochs = search->options.recipe.epochs,
                                      .loss = figures->loss,
                                      .accuracy = figures->accuracy});
    pthread_mutex_unlock(&search->lock);
}

static pba_status write_figures(worker *worker, const pba_task *task, int epochs_done,
                                const tensorboard_value *values, int count)
{
    char name[PBA_NAME_MAX];
    if (worker->silent) {
        return PBA_OK;
    }
    snprintf(name, sizeof name, "member-%02d", task->member);
    return tensorboard_write(worker->search->board, task->member, name, epochs_done, values, count);
}

static pba_status write_epoch(worker *worker, const pba_task *task, int epoch,
                              const trainer_figures *figures)
{
    const pba_search *search = worker->search;
    const pba_recipe *recipe = &search->options.recipe;
    double rate = nn_rate_at(&search->task->rate, recipe->lr, epoch, recipe->epochs, 0,
                             task_steps(search->task));
    const tensorboard_value values[] = {{"training/loss", figures->loss},
                                        {"training/accuracy", figures->accuracy},
                                        {"learning-rate", rate}};
    return write_figures(worker, task, epoch + 1, values, 3);
}

/* Before the journal has it: what is scored again after a crash voids what is here. */
static pba_status write_score(worker *worker, const pba_task *task, const search_score *score)
{
    const tensorboard_value values[] = {{"validation/error", score->error},
                                        {"validation/loss", score->val_loss}};
    return write_figures(worker, task, task->until_epoch, values, 2);
}

static pba_status train_epochs(worker *worker, const pba_task *task, float *block,
                               search_score *score)
{
    pba_search *search = worker->search;
    const pba_recipe *recipe = &search->options.recipe;
    pba_observer observer = {.stop = on_step, .user = worker};
    worker->unit = recipe->batch;
    for (int e = task->from_epoch; e < task->until_epoch; e++) {
        trainer_figures figures = {0};
        trainer_epoch epoch = {.seed = recipe->seed,
                               .member = (uint32_t)task->member,
                               .epoch = e,
                               .epochs = recipe->epochs,
                               .policy = &task->policy};
        pba_status status = trainer_run_epoch(worker->trainer, block, &epoch, &observer, &figures);
        if (status != PBA_OK) {
            return status;
        }
        score->loss = figures.loss;
        score->accuracy = figures.accuracy;
        report_epoch(worker, task, e, &figures);
        status = write_epoch(worker, task, e, &figures);
        if (status != PBA_OK) {
            return status;
        }
        if (!isfinite(figures.loss)) {
            return PBA_OK;
        }
    }
    return PBA_OK;
}

/* A member whose loss is no number, in training or in validation, is lost: infinitely bad. */
static pba_status score_member(worker *worker, float *block, search_score *score)
{
    pba_observer observer = {.stop = on_step, .user = worker};
    if (!isfinite(score->loss)) {
        score->error = score->val_loss = (double)INFINITY;
        return PBA_OK;
    }
    worker->unit = EVALUATION_WORK * trainer_evaluation_batch(worker->trainer);
    pba_status status = trainer_evaluate(worker->trainer, block, PBA_VALIDATION, &observer,
                                         &score->error, &score->val_loss);
    if (status == PBA_OK && !isfinite(score->val_loss)) {
        score->error = (double)INFINITY;
    }
    return status;
}

static pba_status train_member(worker *worker, const pba_task *task, float *block,
                               search_score *score)
{
    const pba_search *search = worker->search;
    worker->own = 0;
    worker->first = true;
    if (task->round == 0) { /* here, so that all workers draw weights, not the first for all */
        nn_initialize(search->task->graph, block, search->options.recipe.seed,
                      (uint32_t)task->member);
    }
    return train_epochs(worker, task, block, score);
}

static pba_status save_member(worker *worker, const pba_task *task, const float *block)
{
    char path[PBA_PATH_MAX];
    const pba_search *search = worker->search;
    checkpoint_place place = {.round = task->round, .epoch = task->until_epoch};
    double start = clock_now();
    pba_status status = directory_checkpoint(search->options.out, task->round, task->member, path);
    if (status == PBA_OK) {
        status = checkpoint_write(path, NULL, block, search->task->graph->block, &place);
    }
    worker->checkpoint += clock_now() - start;
    return status;
}

static pba_status run_task(worker *worker, const pba_task *task, search_score *score)
{
    float *block = worker->search->blocks[task->member];
    pba_status status = train_member(worker, task, block, score);
    if (status == PBA_OK) {
        status = score_member(worker, block, score);
    }
    if (status == PBA_OK) {
        status = save_member(worker, task, block);
    }
    return status == PBA_OK ? write_score(worker, task, score) : status;
}

/* Its figures are in the event files already. */
static pba_status run_repair(worker *worker, const search_repair *repair)
{
    float *block = worker->search->blocks[repair->slot];
    search_score score = {0};
    worker->silent = true;
    pba_status status = train_member(worker, &repair->task, block, &score);
    worker->silent = false;
    return status == PBA_OK ? save_member(worker, &repair->task, block) : status;
}

/* ------------------------------------------------------------------- rounds */

/* Sources are never copied onto in the same round, so that the order does not matter. A member that
 * is training already is in no copy: it was settled. */
static void copy_blocks(pba_search *search)
{
    for (int i = 0; i < search->options.population; i++) {
        const pba_task *task = &search->tasks[i];
        if (task->weights_from != task->member) {
            memcpy(search->blocks[task->member], search->blocks[task->weights_from],
                   search->task->graph->block * sizeof **search->blocks);
            search->times.copies++;
        }
    }
}

/* The round has turned: `search->round` is the new one. */
static pba_status begin_round(pba_search *search)
{
    if (search_at_end(search)) {
        pba_status status = search_finish(search);
        search->over = true;
        return status;
    }
    double start = clock_now();
    copy_blocks(search);
    search->times.parts[PBA_SEARCH_COPY] += clock_now() - start;
    /* those that led to the checkpoints are kept, for where one of these is damaged */
    directory_drop_checkpoints(search->options.out, search->round - 2);
    return search_keep_spent(search);
}

/* Under the lock. */
static pba_status commit(worker *worker, const pba_task *task, const search_score *score)
{
    pba_search *search = worker->search;
    bool turned;
    add_work(worker, search_task_work(search, task) - worker->own);
    pba_status status = journal_commit(search->journal, search_score_line(task, score));
    if (status != PBA_OK) {
        return status;
    }
    search_report(search, (pba_event){.kind = PBA_EVENT_SCORE,
                                      .member = task->member,
                                      .round = task->round,
                                      .rounds = search->rounds,
                                      .epoch = task->until_epoch,
                                      .epochs = search->options.recipe.epochs,
                                      .loss = score->val_loss,
                                      .error = score->error});
    status = search_tell(search, task->member, score->error, &turned);
    if (status == PBA_OK && turned) {
        status = begin_round(search);
    }
    pthread_cond_broadcast(&search->moved); /* one score more may settle a member */
    return status;
}

static pba_status timed_commit(worker *worker, const pba_task *task, const search_score *score)
{
    double *parts = worker->search->times.parts;
    double start = clock_now(), copies = parts[PBA_SEARCH_COPY];
    pba_status status = commit(worker, task, score);
    parts[PBA_SEARCH_JOURNAL] += clock_now() - start - (parts[PBA_SEARCH_COPY] - copies);
    return status;
}

static void wait(pba_search *search)
{
    double start = clock_now();
    pthread_cond_wait(&search->moved, &search->lock);
    search->times.parts[PBA_SEARCH_IDLE] += clock_now() - start;
}

/* The next task that is not scored or begun already, once there is one; false when the search is
 * over. Where all tasks of the round are handed out, one of the next round that cannot turn out
 * otherwise. Under the lock. */
static bool take_task(pba_search *search, pba_task *task)
{
    for (;;) {
        int next = search->next;
        if (search->over) {
            return false;
        }
        if (next == search->options.population) {
            if (search_early_task(search, task)) {
                return true;
            }
            wait(search);
        } else {
            search->next++;
            if (!search->scored[next] && !search->begun[next]) {
                *task = search->tasks[next];
                return true;
            }
        }
    }
}

/* ------------------------------------------------------------------ workers */

/* The first worker whose network is compiled starts the search for all; nothing is written before.
 * Under the lock. */
static pba_status start(pba_search *search)
{
    pba_status status = PBA_OK;
    if (!search->journal) {
        status = search_allocate_blocks(search);
        if (status == PBA_OK) {
            status = directory_create(search->options.out, &search->options, search->from,
                                      search->task, &search->journal);
        }
        if (status == PBA_OK) {
            status = search_open_round(search);
        }
    }
    if (status == PBA_OK && search->notes[0]) {
        search_report(search, (pba_event){.kind = PBA_EVENT_NOTE, .text = search->notes});
    }
    search->start = clock_now();
    search->reported = 0;
    search->first_done = search->done;
    return status;
}

/* Under the lock. */
static void add_times(worker *worker)
{
    const trainer_times *own = trainer_spent(worker->trainer);
    pba_search_times *all = &worker->search->times;
    all->parts[PBA_SEARCH_FORWARD] += own->forward;
    all->parts[PBA_SEARCH_BACKWARD] += own->backward;
    all->parts[PBA_SEARCH_OPTIMIZE] += own->optimize;
    all->parts[PBA_SEARCH_EVALUATE] += own->evaluate;
    all->parts[PBA_SEARCH_AUGMENT] += own->augment;
    all->parts[PBA_SEARCH_NORMALIZE] += own->normalize;
    all->parts[PBA_SEARCH_LOAD] += own->load;
    all->parts[PBA_SEARCH_LOSS] += own->loss + own->score;
    all->parts[PBA_SEARCH_CHECKPOINT] += worker->checkpoint;
    all->trained += (double)own->trained;
    all->evaluated += (double)own->evaluated;
}

static void copy_repaired(pba_search *search)
{
    for (int i = 0; i < search->repair_count; i++) {
        const search_repair *repair = &search->repairs[i];
        if (repair->source != repair->slot) {
            memcpy(search->blocks[repair->slot], search->blocks[repair->source],
                   search->task->graph->block * sizeof **search->blocks);
        }
    }
}

/* Under the lock, but while it trains. */
static void repair_one(worker *worker, const search_repair *repair)
{
    pba_search *search = worker->search;
    pthread_mutex_unlock(&search->lock);
    pba_status status = run_repair(worker, repair);
    pthread_mutex_lock(&search->lock);
    add_work(worker, search_training_work(search, &repair->task) - worker->own);
    if (status != PBA_OK) {
        fail(search, status);
    } else if (--search->repairs_left == 0) {
        copy_repaired(search);
        pthread_cond_broadcast(&search->moved);
    }
}

/* Before the first task: all blocks must be there when a round ends. Under the lock. */
static void repair(worker *worker)
{
    pba_search *search = worker->search;
    while (!search->over && search->repair_next < search->repair_count) {
        const search_repair *repair = &search->repairs[search->repair_next++];
        if (repair->source == repair->slot) {
            repair_one(worker, repair);
        }
    }
    while (!search->over && search->repairs_left) {
        wait(search);
    }
}

static void work(worker *worker)
{
    pba_search *search = worker->search;
    pba_task task;
    while (take_task(search, &task)) {
        search_score score = {0};
        pthread_mutex_unlock(&search->lock);
        pba_status status = run_task(worker, &task, &score);
        double start = clock_now();
        pthread_mutex_lock(&search->lock);
        search->times.parts[PBA_SEARCH_IDLE] += clock_now() - start;
        while (status == PBA_OK && task.round > search->round && !search->over) {
            wait(search); /* begun early, and done before the round before it is decided */
        }
        if (status == PBA_OK && !search->over) {
            status = timed_commit(worker, &task, &score);
        }
        if (status != PBA_OK) {
            fail(search, status);
        }
    }
}

static pba_status worker_main(void *context, int index)
{
    (void)index;
    pba_search *search = context;
    worker worker = {.search = search};
    /* One thread for each network, whatever the cores: a score's last bits depend on it. */
    pba_status status = trainer_create(search->task, 1, &worker.trainer);
    pthread_mutex_lock(&search->lock);
    if (status == PBA_OK && !search->started && !search->over) {
        search->started = true;
        status = start(search);
    }
    if (status != PBA_OK) {
        fail(search, status);
    }
    repair(&worker);
    work(&worker);
    if (worker.trainer) {
        add_times(&worker);
    }
    pthread_mutex_unlock(&search->lock);
    trainer_free(worker.trainer);
    return PBA_OK;
}

static pba_status run_finished(pba_search *search)
{
    const pba_observer *observer = search->observer;
    if (observer && observer->event) {
        pba_event event = {.kind = PBA_EVENT_NOTE, .text = search->notes};
        observer->event(observer->user, &event);
    }
    return PBA_OK;
}

/* What compiling took, and what no part accounts for: a worker that was compiled later than the
 * first one, or one that could not help, too. */
static void end_times(pba_search *search, double opened)
{
    pba_search_times *times = &search->times;
    times->start_seconds = search->start - opened;
    times->seconds = clock_now() - search->start;
    double rest = times->workers * times->seconds;
    for (int i = 0; i < PBA_SEARCH_PARTS; i++) {
        rest -= times->parts[i];
    }
    times->parts[PBA_SEARCH_OTHER] = rest > 0 ? rest : 0;
}

pba_status pba_search_spent(const pba_search *search, pba_search_times *times)
{
    if (!search || !times) {
        return status_null(__func__);
    }
    if (!search->ran) {
        return status_set(PBA_USAGE, "%s: this search has not run", search->options.out);
    }
    *times = search->times;
    return PBA_OK;
}

static pba_status run_workers(pba_search *search)
{
    double opened = search->start;
    pba_status status = threads_run(search->workers, worker_main, search);
    end_times(search, opened);
    if (search->finished) { /* whatever kept one of the threads from helping */
        return PBA_OK;
    }
    if (search->status == PBA_INTERRUPTED) {
        status = search->journal ? search_keep_spent(search) : PBA_OK;
        return status != PBA_OK ? status
                                : status_set(PBA_INTERRUPTED,
                                             "%s: interrupted in round %d of %d; continue it with "
                                             "--resume %s",
                                             search->options.out, search->round + 1, search->rounds,
                                             search->options.out);
    }
    return search->status == PBA_OK ? status : status_set(search->status, "%s", search->message);
}

pba_status pba_search_run(pba_search *search, const pba_observer *observer)
{
    if (!search) {
        return status_null(__func__);
    }
    search->observer = observer;
    search->start = clock_now();
    if (search->finished) {
        return run_finished(search);
    }
    if (search->ran) {
        return status_set(PBA_USAGE, "%s: this search was run before; open it again with --resume",
                          search->options.out);
    }
    search->ran = true;
    search->times.workers = search->workers;
    if (search->journal && search_at_end(search)) {
        return run_kept(search_finish(search), search->options.out);
    }
    if (search->options.tensorboard) {
        pba_status status =
            tensorboard_open(search->options.out, search->options.population, &search->board);
        if (status != PBA_OK) {
            return status;
        }
    }
    pba_status status = run_workers(search);
    return search->journal ? run_kept(status, search->options.out) : status;
}
