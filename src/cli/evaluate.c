/* SPDX-License-Identifier: Apache-2.0
 * pba evaluate: saved weights on images that they were not trained on. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

typedef struct options {
    pba_evaluate_options evaluate; /* first: the library's rows count from here */
    char predictions[PBA_PATH_MAX];
    bool json;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"predictions", PBA_SETTING_TEXT, CLI_FIELD(options, predictions), 0, 0, "", "FILE", NULL,
         "Writes a line per image as CSV: index, label, answer, confidence and their names.", true},
        {"json", PBA_SETTING_FLAG, CLI_FIELD(options, json), 0, 0, "false", "", NULL,
         "Writes JSON.", true},
    };
    size_t count;
    const pba_setting *library = pba_evaluate_settings(&count);
    cli_rows_add(rows, library, count);
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

static int images_of(const pba_evaluation *evaluation, int label)
{
    int images = 0;
    for (int c = 0; c < evaluation->classes; c++) {
        images += evaluation->confusion[label * evaluation->classes + c];
    }
    return images;
}

static double class_error(const pba_evaluation *evaluation, int label)
{
    int images = images_of(evaluation, label);
    int right = evaluation->confusion[label * evaluation->classes + label];
    return images ? 1.0 - (double)right / images : 0;
}

/* The confusion matrix beside the classes, while it fits a terminal. */
static void print_text(const pba_evaluation *evaluation)
{
    enum { MATRIX_MAX = 20 };
    bool matrix = evaluation->classes <= MATRIX_MAX;
    cli_print("%-16s %s\n", "network", evaluation->model);
    cli_print("%-16s %d\n", "images", evaluation->images);
    cli_print("%-16s %.2f %%\n", "error", 100 * evaluation->error);
    cli_print("%-16s %.2f %% (mean of the classes)\n", "balanced error",
              100 * evaluation->balanced_error);
    cli_print("%-16s %.4f\n\n", "loss", evaluation->loss);
    cli_print("%-16s %7s %9s%s\n", "class", "images", "error",
              matrix ? "   answers, in the order of the classes" : "");
    for (int label = 0; label < evaluation->classes; label++) {
        cli_print("%-16s %7d %7.2f %%", evaluation->class_names[label],
                  images_of(evaluation, label), 100 * class_error(evaluation, label));
        for (int c = 0; matrix && c < evaluation->classes; c++) {
            cli_print("%s%5d", c ? " " : "  ",
                      evaluation->confusion[label * evaluation->classes + c]);
        }
        cli_print("\n");
    }
}

static void print_json(const pba_evaluation *evaluation)
{
    cli_json json = {0};
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "model", evaluation->model);
    cli_json_number(&json, "images", evaluation->images);
    cli_json_number(&json, "error", evaluation->error);
    cli_json_number(&json, "balanced_error", evaluation->balanced_error);
    cli_json_number(&json, "loss", evaluation->loss);
    cli_json_open(&json, "classes", '[');
    for (int label = 0; label < evaluation->classes; label++) {
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "name", evaluation->class_names[label]);
        cli_json_number(&json, "images", images_of(evaluation, label));
        cli_json_number(&json, "error", class_error(evaluation, label));
        cli_json_open(&json, "answers", '[');
        for (int c = 0; c < evaluation->classes; c++) {
            cli_json_number(&json, NULL, evaluation->confusion[label * evaluation->classes + c]);
        }
        cli_json_close(&json, ']');
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
}

static int run(void *given, const cli_arguments *arguments)
{
    options *options = given;
    pba_evaluation *evaluation;
    if (!options->evaluate.weights[0]) {
        return cli_usage("evaluate: --weights is missing, a file that pba train saved: --weights "
                         "RUN/weights-0.safetensors");
    }
    if (!cli_set_path(options->evaluate.dataset, "the data set", arguments->words[0])) {
        return CLI_USAGE;
    }
    cli_opening opening;
    cli_opening_start(&opening, false, NULL);
    pba_status status = pba_evaluate(&options->evaluate, &opening.observer, &evaluation);
    cli_opening_end(&opening);
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    if (options->predictions[0]) {
        status = pba_evaluation_write_csv(evaluation, options->predictions);
    }
    if (status == PBA_OK && options->json) {
        print_json(evaluation);
    } else if (status == PBA_OK) {
        print_text(evaluation);
    }
    pba_evaluation_free(evaluation);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

const cli_command cli_evaluate = {
    .name = "evaluate",
    .sentence = "tells how well saved weights answer",
    .usage = "DATASET --weights FILE [OPTION...]",
    .manual = "Runs the images of a split through a network that pba train saved and tells the "
              "error, the error of each class, and the confusion matrix: a row per label, a column "
              "per answer. The balanced error counts every class alike, however many images it "
              "has. Images are never augmented here.\n",
    .examples = "pba evaluate demo --weights runs/train-demo-1/weights-0.safetensors\n"
                "pba evaluate cifar-10-batches-bin --weights weights-0.safetensors "
                "--predictions answers.csv",
    .min_words = 1,
    .max_words = 1,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
